//! What can go wrong, one type a direction.

use faststr::FastStr;
use volo_js_tape::{AllocError, Full, Malformed};

/// A schema that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// A type refers to a message, enum, oneof or service the schema does not have.
    #[error("{place} refers to {what} {index}, but the schema has no such {what}")]
    Unknown {
        /// Message and field, or method.
        place: String,
        /// What it refers to.
        what: &'static str,
        /// The index that is out of range.
        index: u32,
    },
    /// The schema was made from another IDL than Protobuf's.
    #[error("{place} is not of Protobuf: {reason}")]
    NotProtobuf {
        /// Message and field, or method.
        place: String,
        /// What Protobuf does not have.
        reason: &'static str,
    },
    /// A field number nobody can write.
    #[error("{place} has number {id}; field numbers are 1 to 536870911")]
    Number {
        /// Message and field.
        place: String,
        /// The number.
        id: i32,
    },
    /// Two fields of a message have one number.
    #[error("message {message} has two fields with number {number}: give one of them another number")]
    DuplicateNumber {
        /// Name of the message.
        message: String,
        /// The number.
        number: u32,
    },
    /// Two methods have one path.
    #[error("two methods are called {0}: rename one of them")]
    DuplicatePath(String),
    /// A message has more fields than can be told apart.
    #[error("message {message} has {fields} fields; at most 65534 are possible")]
    TooManyFields {
        /// Name of the message.
        message: String,
        /// How many it has.
        fields: usize,
    },
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
    /// Messages are nested deeper than allowed.
    #[error("the message is nested deeper than {0} levels: raise the depth limit, or flatten the data")]
    DepthLimit(usize),
    /// The message has 2 GiB or more.
    #[error("the message has {0} bytes; no message may have 2 GiB or more: send less at once")]
    TooLarge(usize),
    /// The bytes are no message.
    #[error("the message is malformed: {0}")]
    Malformed(&'static str),
    /// A string is not UTF-8.
    #[error("{message}.{field} is not valid UTF-8: declare it as bytes, or send text")]
    Utf8 {
        /// Name of the message type.
        message: FastStr,
        /// Name of the field.
        field: FastStr,
    },
    /// A required field did not come.
    #[error("required field {message}.{field} is missing")]
    MissingRequired {
        /// Name of the message type.
        message: FastStr,
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
    /// The number is not one of the program's messages.
    #[error("the program has no message number {0}")]
    UnknownMessage(u32),
    /// Messages are nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH), or contain themselves.
    #[error("the value is nested deeper than {0} levels, or contains itself")]
    DepthLimit(usize),
    /// The message would have 2 GiB or more.
    #[error("the message has 2 GiB or more, which none may have: send less at once")]
    TooLarge,
    /// A required field is absent.
    #[error("required field {message}.{field} is missing")]
    MissingRequired {
        /// Name of the message type.
        message: FastStr,
        /// Name of the field.
        field: FastStr,
    },
    /// The unknown fields of a message are not fields.
    #[error("the unknown fields of {message} are no fields: {reason}")]
    UnknownFields {
        /// Name of the message type.
        message: FastStr,
        /// What is wrong with them.
        reason: &'static str,
    },
}

/// Why reading stopped. It fits two registers, for every value read may return it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fail {
    Full,
    SlotLimit,
    Depth,
    /// A reference to the reason, which is thinner than the reason.
    Malformed(&'static &'static str),
    /// A string that is not UTF-8; whose, the decoder knows.
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
    /// What is wrong with the bytes, if they are.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Malformed(what) => what,
            Self::Depth => "they are nested too deep",
            Self::Utf8 | Self::Full | Self::SlotLimit => "they cannot be read",
        }
    }
}
