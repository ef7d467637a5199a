//! Requests, no two alike.

use crate::wire::{Protocol, Transport, Wire, write_headers, write_varint};

/// The method of items.
pub const METHOD: &[u8; 7] = b"GetItem";
/// The method that gives back what it gets.
pub const ECHO: &[u8; 10] = b"EchoBinary";
/// Longest unknown field a request carries, in bytes.
const LONGEST_UNKNOWN: usize = 63;

/// The item id asked for in call `seq`: spread over all 64 bits, with the edges of the type now and then.
pub fn id_of(seq: u32) -> i64 {
    match seq % 1024 {
        1 => i64::MIN,
        2 => i64::MAX,
        3 => 0,
        4 => -1,
        _ => mix(seq) as i64,
    }
}

/// What is called.
pub enum Call {
    /// `GetItem`. One request in four carries a string field 9 that the IDL does not have, of a length that differs from
    /// call to call: servers must skip it, and cannot count on a fixed frame size.
    GetItem,
    /// `EchoBinary` with these bytes, of which the first four are the call's own.
    Echo(Vec<u8>),
}

/// How requests are written.
pub struct Request {
    pub wire: Wire,
    pub call: Call,
}

impl Request {
    pub fn new(wire: Wire, echo: Option<usize>) -> Self {
        Self { wire, call: echo.map_or(Call::GetItem, |size| Call::Echo(echoed(size))) }
    }

    fn method(&self) -> &'static [u8] {
        match self.call {
            Call::GetItem => METHOD,
            Call::Echo(_) => ECHO,
        }
    }

    /// Appends the frame of call `seq`.
    pub fn write(&self, out: &mut Vec<u8>, seq: u32) {
        let start = out.len();
        out.extend([0; 4]);
        if self.wire.transport == Transport::TtHeader {
            write_headers(out, self.wire, seq, self.method());
        }
        match self.wire.protocol {
            Protocol::Binary => self.binary(out, seq),
            Protocol::Compact => self.compact(out, seq),
        }
        let length = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }

    fn binary(&self, out: &mut Vec<u8>, seq: u32) {
        out.extend(0x8001_0001u32.to_be_bytes());
        out.extend((self.method().len() as u32).to_be_bytes());
        out.extend(self.method());
        out.extend(seq.to_be_bytes());
        match &self.call {
            Call::GetItem => {
                out.extend([12, 0, 1, 10, 0, 1]);
                out.extend(id_of(seq).to_be_bytes());
                if let Some(length) = unknown_length(seq) {
                    out.extend([11, 0, 9]);
                    out.extend((length as u32).to_be_bytes());
                    out.extend(&[b'?'; LONGEST_UNKNOWN][..length]);
                }
                out.extend([0, 0]);
            }
            Call::Echo(bytes) => {
                out.extend([11, 0, 1]);
                out.extend((bytes.len() as u32).to_be_bytes());
                out.extend(seq.to_be_bytes());
                out.extend(&bytes[4..]);
                out.push(0);
            }
        }
    }

    fn compact(&self, out: &mut Vec<u8>, seq: u32) {
        out.extend([0x82, 0x21]);
        write_varint(out, seq.into());
        write_varint(out, self.method().len() as u64);
        out.extend(self.method());
        match &self.call {
            Call::GetItem => {
                let id = id_of(seq);
                out.extend([0x1C, 0x16]);
                write_varint(out, ((id << 1) ^ (id >> 63)) as u64);
                if let Some(length) = unknown_length(seq) {
                    out.push(0x88);
                    write_varint(out, length as u64);
                    out.extend(&[b'?'; LONGEST_UNKNOWN][..length]);
                }
                out.extend([0, 0]);
            }
            Call::Echo(bytes) => {
                out.push(0x18);
                write_varint(out, bytes.len() as u64);
                out.extend(seq.to_be_bytes());
                out.extend(&bytes[4..]);
                out.push(0);
            }
        }
    }
}

/// Bytes to be echoed: no two stretches alike, so that one in the wrong place is seen.
pub fn echoed(size: usize) -> Vec<u8> {
    (0..size as u32).step_by(8).flat_map(|at| mix(at).to_be_bytes()).take(size).collect()
}

fn unknown_length(seq: u32) -> Option<usize> {
    let bits = mix(seq) >> 40;
    (bits & 3 == 0).then_some((bits >> 2) as usize % (LONGEST_UNKNOWN + 1))
}

/// SplitMix64's output function: neighbouring sequence ids give unrelated values.
fn mix(seq: u32) -> u64 {
    let mut z = u64::from(seq).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(transport: Transport, protocol: Protocol, echo: Option<usize>) -> Request {
        Request::new(Wire { transport, protocol }, echo)
    }

    #[test]
    fn frames_state_their_length_and_vary() {
        let mut lengths = std::collections::BTreeSet::new();
        for seq in 0..10_000 {
            let mut out = Vec::new();
            request(Transport::Framed, Protocol::Binary, None).write(&mut out, seq);
            let stated = u32::from_be_bytes(out[..4].try_into().expect("four bytes")) as usize;
            assert_eq!(stated, out.len() - 4);
            assert_eq!(out[29..37], id_of(seq).to_be_bytes());
            lengths.insert(out.len());
        }
        assert_eq!(lengths.len(), 1 + LONGEST_UNKNOWN + 1);
    }

    #[test]
    fn headers_stand_in_front_of_the_same_message() {
        for protocol in [Protocol::Binary, Protocol::Compact] {
            let (mut framed, mut headed) = (Vec::new(), Vec::new());
            request(Transport::Framed, protocol, Some(9)).write(&mut framed, 7);
            request(Transport::TtHeader, protocol, Some(9)).write(&mut headed, 7);
            assert_eq!(crate::wire::behind_headers(&headed[4..]), Some(&framed[4..]));
        }
    }

    #[test]
    fn ids_reach_the_edges() {
        let ids: Vec<i64> = (0..2048).map(id_of).collect();
        for edge in [i64::MIN, i64::MAX, 0, -1] {
            assert!(ids.contains(&edge));
        }
        assert!(ids.iter().any(|id| id & 7 == 5));
    }
}
