//! The binary protocol, with its strict head or the old one.

use super::walk::{Field, Format, Value};
use super::{NEGATIVE_CONTAINER, NEGATIVE_NAME, NEGATIVE_STRING, NO_TYPE, count};
use crate::error::FrameError;
use crate::wire;

#[derive(Debug)]
pub(crate) struct Binary<const STRICT: bool>;

/// Bytes of a length, a size or the sequence number.
const WORD: usize = 4;

impl<const STRICT: bool> Format for Binary<STRICT> {
    fn head(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
        let Some((first, rest)) = word(bytes) else { return Ok(None) };
        if !STRICT {
            // Name, kind, sequence number.
            return Ok(Some(WORD + count(first, NEGATIVE_NAME)? + 1 + WORD));
        }
        if first & 0xFFFF_0000 != wire::VERSION {
            return Err(FrameError::NotThrift("a message does not begin with the strict binary protocol's version"));
        }
        let Some((name, _)) = word(rest) else { return Ok(None) };
        Ok(Some(WORD + WORD + count(name, NEGATIVE_NAME)? + WORD))
    }

    #[inline]
    fn field(bytes: &[u8]) -> Result<Option<Field>, FrameError> {
        Ok(bytes.first().map(|code| match *code {
            wire::STOP => Field::Stop,
            // The id does not matter, it need not have arrived.
            code => Field::Value { len: 3, code },
        }))
    }

    #[inline]
    fn value(code: u8, bytes: &[u8]) -> Result<Option<Value>, FrameError> {
        let value = match code {
            wire::STRUCT => Some(Value::Struct),
            wire::BINARY => match word(bytes) {
                Some((length, _)) => Some(Value::Whole(WORD + count(length, NEGATIVE_STRING)?)),
                None => None,
            },
            wire::LIST | wire::SET => match bytes.split_first().map(|(item, rest)| (*item, word(rest))) {
                Some((item, Some((size, _)))) => {
                    Some(Value::List { len: 1 + WORD, item, count: count(size, NEGATIVE_CONTAINER)? })
                }
                _ => None,
            },
            wire::MAP => match bytes.split_first_chunk().map(|([key, value], rest)| (*key, *value, word(rest))) {
                Some((key, value, Some((size, _)))) => {
                    Some(Value::Map { len: 2 + WORD, key, value, count: count(size, NEGATIVE_CONTAINER)? })
                }
                _ => None,
            },
            _ => return Err(FrameError::Malformed(NO_TYPE)),
        };
        Ok(value)
    }

    #[inline]
    fn fixed(code: u8) -> Option<usize> {
        wire::fixed(code)
    }

    #[inline]
    fn least(code: u8) -> Option<usize> {
        wire::least(code)
    }
}

#[inline]
fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<WORD>()?;
    Some((u32::from_be_bytes(*word), rest))
}
