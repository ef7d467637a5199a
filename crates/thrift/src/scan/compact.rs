//! The compact protocol (Apache Thrift, `doc/specs/thrift-compact-protocol.md`).

use super::walk::{Field, Format, Value};
use super::{NEGATIVE_CONTAINER, NEGATIVE_NAME, NEGATIVE_STRING, NO_TYPE, count};
use crate::compact::types::{least, to_wire};
use crate::compact::{PROTOCOL_ID, VERSION, VERSION_BITS};
use crate::error::FrameError;
use crate::wire;

#[derive(Debug)]
pub(crate) struct Compact;

/// High half of a list's first byte where the size follows as a varint.
const SIZE_FOLLOWS: u8 = 15;
/// Bytes of the longest varint, of 64 bits. Whether a shorter one fits its type the decoder sees.
const LONGEST: usize = 10;
const LONG: FrameError = FrameError::Malformed("a number is longer than its type");

impl Format for Compact {
    fn head(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
        let Some(([first, second], rest)) = bytes.split_first_chunk() else { return Ok(None) };
        if *first != PROTOCOL_ID || second & VERSION_BITS != VERSION {
            return Err(FrameError::NotThrift("a message does not begin with the compact protocol's id and version"));
        }
        let Some(sequence) = varint(rest)? else { return Ok(None) };
        let Some((name, len)) = size(&rest[sequence..], NEGATIVE_NAME)? else { return Ok(None) };
        Ok(Some(2 + sequence + len + name))
    }

    #[inline]
    fn field(bytes: &[u8]) -> Result<Option<Field>, FrameError> {
        let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
        if *first == 0 {
            return Ok(Some(Field::Stop));
        }
        // An id, where no distance stands in the first byte.
        let id = if first >> 4 == 0 { varint(rest)? } else { Some(0) };
        Ok(id.map(|id| match to_wire(*first) {
            // Its value is its type.
            wire::BOOL => Field::Whole(1 + id),
            code => Field::Value { len: 1 + id, code },
        }))
    }

    #[inline]
    fn value(code: u8, bytes: &[u8]) -> Result<Option<Value>, FrameError> {
        let value = match code {
            wire::I16 | wire::I32 | wire::I64 => varint(bytes)?.map(Value::Whole),
            wire::BINARY => size(bytes, NEGATIVE_STRING)?.map(|(length, len)| Value::Whole(len + length)),
            wire::STRUCT => Some(Value::Struct),
            wire::LIST | wire::SET => match bytes.split_first() {
                None => None,
                Some((first, rest)) => {
                    let item = to_wire(*first);
                    match first >> 4 {
                        SIZE_FOLLOWS => size(rest, NEGATIVE_CONTAINER)?.map(|(count, len)| Value::List {
                            len: 1 + len,
                            item,
                            count,
                        }),
                        short => Some(Value::List { len: 1, item, count: usize::from(short) }),
                    }
                }
            },
            wire::MAP => match size(bytes, NEGATIVE_CONTAINER)? {
                None => None,
                // Without pairs it names no types.
                Some((0, len)) => Some(Value::Map { len, key: 0, value: 0, count: 0 }),
                Some((count, len)) => bytes.get(len).map(|types| Value::Map {
                    len: len + 1,
                    key: to_wire(types >> 4),
                    value: to_wire(*types),
                    count,
                }),
            },
            _ => return Err(FrameError::Malformed(NO_TYPE)),
        };
        Ok(value)
    }

    #[inline]
    fn fixed(code: u8) -> Option<usize> {
        match code {
            wire::BOOL | wire::I8 => Some(1),
            wire::DOUBLE => Some(8),
            wire::UUID => Some(16),
            _ => None,
        }
    }

    #[inline]
    fn least(code: u8) -> Option<usize> {
        least(code)
    }
}

/// Bytes of the varint that stands here.
#[inline]
fn varint(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
    match bytes.iter().take(LONGEST).position(|byte| byte & 0x80 == 0) {
        // One bit of the tenth byte is left.
        Some(9) if bytes[9] > 1 => Err(LONG),
        Some(last) => Ok(Some(last + 1)),
        None if bytes.len() >= LONGEST => Err(LONG),
        None => Ok(None),
    }
}

/// A length or count, and the bytes it takes.
#[inline]
fn size(bytes: &[u8], negative: &'static str) -> Result<Option<(usize, usize)>, FrameError> {
    let Some(len) = varint(bytes)? else { return Ok(None) };
    let number = bytes[..len].iter().rev().fold(0_u64, |number, byte| number << 7 | u64::from(byte & 0x7F));
    let number = u32::try_from(number).map_err(|_| LONG)?;
    Ok(Some((count(number, negative)?, len)))
}
