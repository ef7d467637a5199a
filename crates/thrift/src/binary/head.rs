//! Heads of messages, with a version and without.

use crate::error::DecodeError;
use crate::head::{MessageHead, MessageKind};
use crate::wire;

/// Version and kind, length of the name, name, sequence number.
#[inline]
pub(crate) fn read_strict(message: &[u8]) -> Result<MessageHead<'_>, DecodeError> {
    let (version, rest) = word(message)?;
    if version & 0xFFFF_0000 != wire::VERSION {
        return Err(DecodeError::Malformed("it does not begin with the strict binary protocol's version"));
    }
    let kind = MessageKind::from_wire(version as u8)?;
    let (name, rest) = name(rest)?;
    let (sequence, _) = word(rest)?;
    Ok(MessageHead { name, kind, sequence: sequence as i32, len: 12 + name.len() })
}

/// Length of the name, name, kind, sequence number.
pub(crate) fn read_non_strict(message: &[u8]) -> Result<MessageHead<'_>, DecodeError> {
    let (name, rest) = name(message)?;
    let (kind, rest) = rest.split_first().ok_or(CUT_SHORT)?;
    let kind = MessageKind::from_wire(*kind)?;
    let (sequence, _) = word(rest)?;
    Ok(MessageHead { name, kind, sequence: sequence as i32, len: 9 + name.len() })
}

const CUT_SHORT: DecodeError = DecodeError::Malformed("its head is cut short");

#[inline]
fn name(bytes: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let (length, rest) = word(bytes)?;
    let length = length as i32;
    if length < 0 {
        return Err(DecodeError::Malformed("its name has a negative length"));
    }
    rest.split_at_checked(length as usize).ok_or(DecodeError::Malformed("its name is longer than the message"))
}

#[inline]
fn word(bytes: &[u8]) -> Result<(u32, &[u8]), DecodeError> {
    let (word, rest) = bytes.split_first_chunk::<4>().ok_or(CUT_SHORT)?;
    Ok((u32::from_be_bytes(*word), rest))
}
