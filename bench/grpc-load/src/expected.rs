//! What a right answer looks like, byte by byte: every encoder of Protobuf in use writes fields in the order of their numbers.

use crate::args::Args;

/// Length of the prefix of a gRPC message: a flag, and the length.
pub const PREFIX: usize = 5;

pub struct Expected {
    content: Vec<u8>,
}

impl Expected {
    pub fn new(args: &Args) -> Self {
        let content = match args.content_size {
            Some(size) => vec![b'x'; size],
            None => b"Powered by Volo".to_vec(),
        };
        Self { content }
    }

    /// The request of either method, with its prefix.
    pub fn request(id: u64) -> Vec<u8> {
        let mut message = Vec::with_capacity(8);
        id_field(&mut message, id);
        prefixed(&message)
    }

    /// The answer of `GetItem`, with its prefix.
    pub fn item(&self, id: u64) -> Vec<u8> {
        let mut message = Vec::new();
        bytes_field(&mut message, 1, &self.fields(id, "Hello gRPC"));
        prefixed(&message)
    }

    /// Message number `n` of `StreamItems`, counted from 1, with its prefix.
    pub fn streamed(&self, id: u64, n: u64) -> Vec<u8> {
        prefixed(&self.fields(id + n, &format!("Item {n}")))
    }

    fn fields(&self, id: u64, title: &str) -> Vec<u8> {
        let mut item = Vec::with_capacity(32 + self.content.len());
        id_field(&mut item, id);
        bytes_field(&mut item, 2, title.as_bytes());
        bytes_field(&mut item, 3, &self.content);
        item
    }
}

fn prefixed(message: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(PREFIX + message.len());
    whole.push(0);
    whole.extend_from_slice(&(message.len() as u32).to_be_bytes());
    whole.extend_from_slice(message);
    whole
}

fn id_field(out: &mut Vec<u8>, id: u64) {
    out.push(1 << 3);
    varint(out, id);
}

fn bytes_field(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    out.push(field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
