//! What can go wrong, one type a direction.

use faststr::FastStr;
use pilota::thrift::ThriftException;
use volo_js_tape::{AllocError, Full, Malformed};

use crate::wire_format::Protocol;

/// A schema that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// A type refers to a struct the schema does not have.
    #[error("{place} refers to struct {index}, but the schema has no such struct")]
    UnknownStruct {
        /// Struct and field, or method.
        place: String,
        /// The index that is out of range.
        index: u32,
    },
    /// The schema was made from another IDL than Thrift's.
    #[error("{place} is not of Thrift: its type or id is one that only Protobuf has")]
    NotThrift {
        /// Struct and field.
        place: String,
    },
    /// Two fields of a struct have one id.
    #[error("struct {structure} has two fields with id {id}: give one of them another id")]
    DuplicateId {
        /// Name of the struct.
        structure: String,
        /// The id.
        id: i16,
    },
    /// A struct has more fields than ids exist.
    #[error("struct {structure} has {fields} fields; at most 65536 ids exist")]
    TooManyFields {
        /// Name of the struct.
        structure: String,
        /// How many it has.
        fields: usize,
    },
}

/// Bytes that are not a stream of Thrift messages, or one over a limit. The connection cannot be used any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The message is larger than allowed.
    #[error(
        "a message of {size} bytes or more exceeds the limit of {limit}: raise the frame limit, or send less at once"
    )]
    TooLarge {
        /// What is known of its size.
        size: usize,
        /// [`Limits::frame`](crate::Limits::frame).
        limit: usize,
    },
    /// A frame too short to hold a message.
    #[error("a frame of {0} bytes cannot hold a message")]
    TooShort(usize),
    /// Structs or containers are nested deeper than allowed.
    #[error("the message is nested deeper than {0} levels: raise the depth limit, or flatten the data")]
    DepthLimit(usize),
    /// A message has more headers than [`MAX_HEADERS`](crate::MAX_HEADERS).
    #[error("a message has {0} headers, more than 1024: put into its arguments what is many")]
    TooManyHeaders(usize),
    /// Thrift, but a protocol or transport that is not spoken here.
    #[error("the peer speaks {0}, which is not spoken here: let it use one of the protocols and transports that are")]
    Unsupported(&'static str),
    /// The message is written in another protocol than the one this end uses.
    #[error("the message is in the protocol {found:?} where {expected:?} is expected: let both ends use the same")]
    OtherProtocol {
        /// Of this end.
        expected: Protocol,
        /// Of the message.
        found: Protocol,
    },
    /// No Thrift.
    #[error("the bytes are not Thrift: {0}")]
    NotThrift(&'static str),
    /// Thrift gone wrong.
    #[error("the message is malformed: {0}")]
    Malformed(&'static str),
}

/// A message that could not be laid onto the tape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The tape has no room: deliver it or use a larger one, and decode the message again.
    #[error(transparent)]
    Full(#[from] Full),
    /// The message wants more tape slots than one may have.
    #[error(
        "the message needs more tape slots than one message may have: raise the limit on slots, or send less at once"
    )]
    SlotLimit,
    /// Structs or containers are nested deeper than allowed.
    #[error("the message is nested deeper than {0} levels: raise the depth limit, or flatten the data")]
    DepthLimit(usize),
    /// Written in another protocol the message, or what of it is kept, exceeds [`Limits::frame`](crate::Limits::frame).
    #[error(
        "written in the other protocol the message exceeds the limit of {0} bytes: raise the frame limit, or send less at once"
    )]
    TooLarge(usize),
    /// The bytes are no message.
    #[error("the message is malformed: {0}")]
    Malformed(&'static str),
    /// A string is not UTF-8, and [`Limits::strict_utf8`](crate::Limits::strict_utf8) is set.
    #[error("a string is not valid UTF-8: send it as binary, or let the reader replace what is not valid")]
    Utf8,
    /// A required field did not come.
    #[error("required field {field} of {structure} is missing")]
    MissingRequired {
        /// Name of the struct.
        structure: FastStr,
        /// Name of the field.
        field: FastStr,
    },
}

impl From<AllocError> for DecodeError {
    fn from(error: AllocError) -> Self {
        match error {
            AllocError::Full(full) => Self::Full(full),
            AllocError::SlotLimit => Self::SlotLimit,
        }
    }
}

/// A message of the out tape that cannot be sent. The output is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The tape makes no sense.
    #[error(transparent)]
    Tape(#[from] Malformed),
    /// The method number is not one of the program's.
    #[error("the program has no method number {0}")]
    UnknownMethod(u32),
    /// A oneway method has no reply.
    #[error("method {0} is oneway and has no reply")]
    NoReply(FastStr),
    /// Structs or containers are nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH), or contain themselves.
    #[error("the value is nested deeper than {0} levels, or contains itself")]
    DepthLimit(usize),
    /// The message would exceed 2 GiB.
    #[error("the message exceeds 2 GiB, which no frame can hold: send less at once")]
    TooLarge,
    /// A required field is absent.
    #[error("required field {field} of {structure} is missing")]
    MissingRequired {
        /// Name of the struct.
        structure: FastStr,
        /// Name of the field.
        field: FastStr,
    },
    /// A number does not fit its type.
    #[error("{value} does not fit {ty}")]
    OutOfRange {
        /// The number.
        value: i32,
        /// `i8` or `i16`.
        ty: &'static str,
    },
    /// A uuid's text is not 36 characters of hexadecimal digits and hyphens.
    #[error("a uuid is not of the form 00112233-4455-6677-8899-aabbccddeeff")]
    Uuid,
    /// What a struct keeps of fields the schema does not know is not what was read.
    #[error("the unknown fields of a struct make no sense: {0}; hand them on as they were read")]
    Kept(&'static str),
    /// The headers do not fit the transport.
    #[error("the headers cannot be written: {0}")]
    Headers(&'static str),
    /// Pilota refused to write.
    #[error("the message could not be written: {0}")]
    Write(String),
}

impl From<ThriftException> for EncodeError {
    #[cold]
    fn from(error: ThriftException) -> Self {
        Self::Write(error.to_string())
    }
}

/// Why reading stopped. It fits two registers, for every value read may return it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fail {
    Full,
    SlotLimit,
    Depth,
    TooLarge,
    /// A reference to the reason, which is thinner than the reason.
    Malformed(&'static &'static str),
    /// A required field; which one, the decoder knows.
    Missing,
    /// A string that is not UTF-8, where that matters.
    Utf8,
}

impl From<AllocError> for Fail {
    #[inline]
    fn from(error: AllocError) -> Self {
        match error {
            AllocError::Full(Full) => Self::Full,
            AllocError::SlotLimit => Self::SlotLimit,
        }
    }
}

impl From<Full> for Fail {
    #[inline]
    fn from(_: Full) -> Self {
        Self::Full
    }
}

impl Fail {
    /// In full, where nothing is required, or the field is not known.
    #[cold]
    pub(crate) fn explain(self, depth: usize) -> DecodeError {
        match self {
            Self::Full => DecodeError::Full(Full),
            Self::SlotLimit => DecodeError::SlotLimit,
            Self::Depth => DecodeError::DepthLimit(depth),
            Self::TooLarge => DecodeError::Malformed("it is too large in another protocol"),
            Self::Malformed(what) => DecodeError::Malformed(what),
            Self::Missing => DecodeError::Malformed("a required field is missing"),
            Self::Utf8 => DecodeError::Utf8,
        }
    }
}
