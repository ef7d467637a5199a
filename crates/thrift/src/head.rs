//! What a message is: its name, kind and sequence number.

use crate::error::DecodeError;
use crate::wire;

/// Kind of a message (Thrift binary protocol, "Message").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MessageKind {
    /// A request that is answered.
    Call = 1,
    /// The answer: a result, or a declared exception.
    Reply = 2,
    /// The answer: a `TApplicationException`.
    Exception = 3,
    /// A request that is not answered.
    Oneway = 4,
}

impl MessageKind {
    fn from_wire(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Call,
            2 => Self::Reply,
            3 => Self::Exception,
            4 => Self::Oneway,
            _ => return None,
        })
    }
}

/// Head of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageHead<'a> {
    /// Name of the method; UTF-8 if the peer keeps to the protocol.
    pub name: &'a [u8],
    /// What the message is.
    pub kind: MessageKind,
    /// Number the answer carries too.
    pub sequence: i32,
    /// Bytes of the head; the struct follows.
    pub len: usize,
}

/// Reads the head of a message of the strict binary protocol.
#[inline]
pub fn read_head(message: &[u8]) -> Result<MessageHead<'_>, DecodeError> {
    let (version, rest) = word(message)?;
    if version & 0xFFFF_0000 != wire::VERSION {
        return Err(DecodeError::Malformed("it does not begin with the strict binary protocol's version"));
    }
    let kind = MessageKind::from_wire(version as u8).ok_or(DecodeError::Malformed("it is of no known kind"))?;
    let (length, rest) = word(rest)?;
    let length = length as i32;
    if length < 0 {
        return Err(DecodeError::Malformed("its name has a negative length"));
    }
    let (name, rest) =
        rest.split_at_checked(length as usize).ok_or(DecodeError::Malformed("its name is longer than the message"))?;
    let (sequence, _) = word(rest)?;
    Ok(MessageHead { name, kind, sequence: sequence as i32, len: 12 + name.len() })
}

#[inline]
fn word(bytes: &[u8]) -> Result<(u32, &[u8]), DecodeError> {
    let (word, rest) = bytes.split_first_chunk::<4>().ok_or(DecodeError::Malformed("its head is cut short"))?;
    Ok((u32::from_be_bytes(*word), rest))
}
