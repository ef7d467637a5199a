//! What a message is: its name, kind and sequence number; and what ends it.

use bytes::{Buf, Bytes};

use crate::error::DecodeError;
use crate::wire_format::Protocol;
use crate::{binary, compact, json};

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
    #[inline]
    pub(crate) fn from_wire(code: u8) -> Result<Self, DecodeError> {
        Ok(match code {
            1 => Self::Call,
            2 => Self::Reply,
            3 => Self::Exception,
            4 => Self::Oneway,
            _ => return Err(DecodeError::Malformed("it is of no known kind")),
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
    /// Bytes of the head; the struct follows, and behind it what [`end_message`] takes.
    pub len: usize,
}

/// Reads the head of a message. In JSON a name with an escape is refused: no name of a method needs one.
#[inline]
pub fn read_head(protocol: Protocol, message: &[u8]) -> Result<MessageHead<'_>, DecodeError> {
    match protocol {
        Protocol::Binary => binary::read_strict(message),
        Protocol::BinaryNonStrict => binary::read_non_strict(message),
        Protocol::Compact => compact::read_head(message),
        Protocol::Json => json::read_head(message),
    }
}

/// Takes what ends a message off the rest that its struct has left: in JSON a bracket and white space, elsewhere nothing. What
/// is left then is no part of the message.
#[inline]
pub fn end_message(protocol: Protocol, rest: &mut Bytes) -> Result<(), DecodeError> {
    match protocol {
        Protocol::Binary | Protocol::BinaryNonStrict | Protocol::Compact => Ok(()),
        Protocol::Json => {
            let end = json::end_len(rest)?;
            rest.advance(end);
            Ok(())
        }
    }
}
