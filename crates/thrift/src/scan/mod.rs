//! Finds the end of a message that has no length in front.
//!
//! A scanner walks the content without a schema and keeps its place between calls: an explicit stack instead of recursion,
//! so bytes that come one at a time cost as much as all at once. It allocates only to grow its stack, which it keeps.

mod binary;
mod compact;
mod json;
mod walk;

use self::binary::Binary;
use self::compact::Compact;
use self::json::Json;
use self::walk::Walk;
use crate::error::FrameError;
use crate::limits::Limits;
use crate::wire_format::Protocol;

/// State of a scan, by the protocol.
#[derive(Debug)]
pub(crate) enum Scanner {
    Binary(Walk<Binary<true>>),
    BinaryNonStrict(Walk<Binary<false>>),
    Compact(Walk<Compact>),
    Json(Json),
}

impl Scanner {
    pub(crate) fn new(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Binary => Self::Binary(Walk::default()),
            Protocol::BinaryNonStrict => Self::BinaryNonStrict(Walk::default()),
            Protocol::Compact => Self::Compact(Walk::default()),
            Protocol::Json => Self::Json(Json::default()),
        }
    }

    /// Forgets the message.
    #[inline]
    pub(crate) fn restart(&mut self) {
        match self {
            Self::Binary(walk) => walk.restart(),
            Self::BinaryNonStrict(walk) => walk.restart(),
            Self::Compact(walk) => walk.restart(),
            Self::Json(json) => json.restart(),
        }
    }

    /// Length of the message `bytes` begins with, if all of it is there.
    #[inline]
    pub(crate) fn scan(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, FrameError> {
        match self {
            Self::Binary(walk) => walk.scan(bytes, limits),
            Self::BinaryNonStrict(walk) => walk.scan(bytes, limits),
            Self::Compact(walk) => walk.scan(bytes, limits),
            Self::Json(json) => json.scan(bytes, limits),
        }
    }
}

/// Checks that a message, as a frame held it, is one whole message: for where it goes there may be nothing else to mark it off.
pub fn check_whole(protocol: Protocol, message: &[u8], limits: &Limits) -> Result<(), FrameError> {
    let message = if protocol == Protocol::Json { message.trim_ascii_end() } else { message };
    match Scanner::new(protocol).scan(message, limits)? {
        Some(len) if len == message.len() => Ok(()),
        Some(_) => Err(FrameError::Malformed("bytes follow the message in its frame")),
        None => Err(FrameError::Malformed("the message ends before its struct does")),
    }
}

/// Length and count as the wire has them: 32 bits, signed, never negative.
#[inline]
fn count(number: u32, negative: &'static str) -> Result<usize, FrameError> {
    if number > i32::MAX as u32 { Err(FrameError::Malformed(negative)) } else { Ok(number as usize) }
}

const NEGATIVE_NAME: &str = "a name has a negative length";
const NEGATIVE_STRING: &str = "a string or binary has a negative length";
const NEGATIVE_CONTAINER: &str = "a container has a negative size";
const NO_TYPE: &str = "a value is of no known type";

#[cfg(test)]
mod tests {
    use super::Scanner;
    use crate::limits::Limits;
    use crate::wire_format::Protocol;

    /// Steps it took to find the end, with a byte more each time.
    fn a_byte_at_a_time(protocol: Protocol, bytes: &[u8]) -> usize {
        let mut scanner = Scanner::new(protocol);
        let mut ends = (0..=bytes.len()).filter_map(|end| {
            let len = scanner.scan(&bytes[..end], &Limits::default()).expect("a sound message")?;
            Some((end, len))
        });
        assert_eq!(ends.next(), Some((bytes.len(), bytes.len())), "{protocol:?}");
        match scanner {
            Scanner::Binary(walk) => walk.steps,
            Scanner::BinaryNonStrict(walk) => walk.steps,
            Scanner::Compact(walk) => walk.steps,
            Scanner::Json(json) => json.steps,
        }
    }

    #[test]
    fn a_byte_at_a_time_is_linear() {
        // Messages of 400 KB, ten thousand fields: quadratic work would be 2·10⁹ steps.
        let message = |head: &[u8], field: &[u8], end: &[u8]| {
            let mut bytes = head.to_vec();
            for _ in 0..10_000 {
                bytes.extend(field);
                bytes.extend([b'x'; 33]);
                if field.ends_with(b"\"") {
                    bytes.extend(b"\"}");
                }
            }
            bytes.extend(end);
            bytes
        };
        let binary = [11, 0, 1, 0, 0, 0, 33];
        for (protocol, bytes) in [
            (Protocol::Binary, message(b"\x80\x01\0\x01\0\0\0\x01m\0\0\0\x01", &binary, &[0])),
            (Protocol::BinaryNonStrict, message(b"\0\0\0\x01m\x01\0\0\0\x01", &binary, &[0])),
            (Protocol::Compact, message(b"\x82\x21\x01\x01m", &[0x18, 33], &[0])),
            (Protocol::Json, message(b"[1,\"m\",1,1,{\"0\":{\"i32\":7}", b",\"1\":{\"str\":\"", b"}]")),
        ] {
            // One for every byte that was not enough, two a field; of JSON a few more, for every sign is one.
            let steps = a_byte_at_a_time(protocol, &bytes);
            let most = bytes.len() + 10_000 * if protocol == Protocol::Json { 20 } else { 2 };
            assert!(steps <= most, "{protocol:?}: {steps} steps for {} bytes", bytes.len());
        }
    }
}
