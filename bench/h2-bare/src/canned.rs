//! Messages of ItemService with everything but the id made beforehand.

use bytes::{BufMut, Bytes, BytesMut};

use crate::args::Args;

/// Length of the prefix of a gRPC message: a flag, and the length.
const PREFIX: usize = 5;

pub struct Canned {
    content: Vec<u8>,
    /// Fields of the unary answer's item behind its id.
    rest: Vec<u8>,
    stream_items: u64,
}

impl Canned {
    pub fn new(args: &Args) -> Self {
        let content = match args.content_size {
            Some(size) => vec![b'x'; size],
            None => b"Powered by Volo".to_vec(),
        };
        let mut rest = Vec::new();
        string(&mut rest, 2, b"Hello gRPC");
        string(&mut rest, 3, &content);
        Self { content, rest, stream_items: args.stream_items }
    }

    /// The answer of `GetItem` to a message: its id field as it stands there, then the rest.
    pub fn item(&self, request: &[u8]) -> Bytes {
        let id = request.get(PREFIX..).unwrap_or_default();
        let length = id.len() + self.rest.len();
        let mut head = Vec::with_capacity(8);
        key(&mut head, 1, 2);
        varint(&mut head, length as u64);
        let mut message = BytesMut::with_capacity(PREFIX + head.len() + length);
        message.put_u8(0);
        message.put_u32((head.len() + length) as u32);
        message.put_slice(&head);
        message.put_slice(id);
        message.put_slice(&self.rest);
        message.freeze()
    }

    /// The items of `StreamItems`.
    pub fn items(&self, request: &[u8]) -> impl Iterator<Item = Bytes> {
        // Behind the prefix stand the key of field 1 and the id.
        let first = read_varint(request.get(PREFIX + 1..).unwrap_or_default());
        (1..=self.stream_items).map(move |n| {
            let mut item = Vec::with_capacity(32 + self.content.len());
            key(&mut item, 1, 0);
            varint(&mut item, first + n);
            string(&mut item, 2, format!("Item {n}").as_bytes());
            string(&mut item, 3, &self.content);
            let mut message = BytesMut::with_capacity(PREFIX + item.len());
            message.put_u8(0);
            message.put_u32(item.len() as u32);
            message.put_slice(&item);
            message.freeze()
        })
    }
}

fn key(out: &mut Vec<u8>, field: u64, wire: u64) {
    varint(out, field << 3 | wire);
}

fn string(out: &mut Vec<u8>, field: u64, text: &[u8]) {
    // A field of proto3 that is empty is left out.
    if text.is_empty() {
        return;
    }
    key(out, field, 2);
    varint(out, text.len() as u64);
    out.extend_from_slice(text);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_varint(bytes: &[u8]) -> u64 {
    let mut value = 0;
    for (n, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}
