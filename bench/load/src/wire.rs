//! The forms that a message may take, and what stands in front of one.

/// What marks a message off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A length.
    Framed,
    /// A length and ByteDance's headers.
    TtHeader,
}

impl Transport {
    pub const NAMES: [(&'static str, Self); 2] = [("framed", Self::Framed), ("ttheader", Self::TtHeader)];
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Binary,
    Compact,
}

impl Protocol {
    pub const NAMES: [(&'static str, Self); 2] = [("binary", Self::Binary), ("compact", Self::Compact)];
}

/// Transport and protocol.
#[derive(Debug, Clone, Copy)]
pub struct Wire {
    pub transport: Transport,
    pub protocol: Protocol,
}

const MAGIC: u16 = 0x1000;
/// Bytes between the frame's length and its headers: magic, flags, sequence number, size of the headers in words.
const START: usize = 2 + 2 + 4 + 2;
const STRINGS: u8 = 0x01;
const INTS: u8 = 0x10;

/// Appends what Kitex and Volo tell with each call: caller, callee, method, timeout, and a persistent value of metainfo.
pub fn write_headers(out: &mut Vec<u8>, wire: Wire, seq: u32, method: &[u8]) {
    out.extend(MAGIC.to_be_bytes());
    out.extend([0, 0]);
    out.extend(seq.to_be_bytes());
    let size = out.len();
    out.extend([0, 0]);
    out.extend([if wire.protocol == Protocol::Compact { 2 } else { 0 }, 0]);
    let put = |out: &mut Vec<u8>, text: &[u8]| {
        out.extend((text.len() as u16).to_be_bytes());
        out.extend(text);
    };
    out.extend([INTS, 0, 4]);
    for (key, value) in [(3u16, &b"volo.bench.load"[..]), (6, b"volo.example.item"), (9, method), (12, b"10000")] {
        out.extend(key.to_be_bytes());
        put(out, value);
    }
    out.extend([STRINGS, 0, 1]);
    put(out, b"RPC_PERSIST_TENANT");
    put(out, b"blue");
    while !(out.len() - size - 2).is_multiple_of(4) {
        out.push(0);
    }
    let words = ((out.len() - size - 2) / 4) as u16;
    out[size..size + 2].copy_from_slice(&words.to_be_bytes());
}

/// The message behind the headers of `frame`, whose length prefix is off; nothing if there is no TTHeader.
pub fn behind_headers(frame: &[u8]) -> Option<&[u8]> {
    let start: &[u8; START] = frame.first_chunk()?;
    if start[..2] != MAGIC.to_be_bytes() {
        return None;
    }
    frame.get(START + usize::from(u16::from_be_bytes([start[8], start[9]])) * 4..)
}

/// Appends a varint.
pub fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
