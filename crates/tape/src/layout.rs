//! Numbers of the layout, shared with JavaScript.

/// Version of the layout; generated code carries it and is refused if it differs.
pub const LAYOUT_VERSION: u32 = 1;
/// Slots of a message's header.
pub const HEADER_SLOTS: usize = 4;
/// Slots of the largest tape: 2 GiB. Messages are limited to a little less, so that one which is let through always finds a tape that holds it.
pub const MOST_SLOTS: usize = 1 << 28;
/// Slots before the first message of an in tape.
pub(crate) const IN_PROLOGUE: usize = 1;
/// Slots before the first message of an out tape.
pub const OUT_PROLOGUE: usize = 2;

/// Bit of [`Header::method`] that marks a oneway call on the in tape.
pub const ONEWAY: u32 = 1 << 30;
/// Bit of [`Header::method`] that marks a Thrift message with a tail of headers behind its body.
pub const HEADERS: u32 = 1 << 29;
/// Bit of a string's length: it lies in *bytes*, at an absolute offset.
pub const IN_BYTES: u32 = 1 << 31;
/// Bit of a string's length: it lies in *bytes* and is ASCII.
pub const ASCII: u32 = 1 << 30;
/// Bits of a string's length that are the length.
pub const LENGTH: u32 = ASCII - 1;
/// Bit of the low half of a binary's slot: it lies in an array, not in *bytes*. On the in tape the other bits say how far behind the slot another one
/// has the array's index and the offset in it; on the out tape they are the array's index.
pub const ELSEWHERE: u32 = 1 << 31;
/// Longest string, in bytes, that is put into a message's text chunk. A substring of a chunk keeps the whole chunk alive in
/// the engine, so longer ones stand alone.
pub const STRING_IN_TEXT: usize = 1024;
/// A text chunk, in bytes, above which the next message starts one of its own; also the text one message may add to a chunk
/// before its further strings stand alone.
pub const CHUNK: usize = 4096;

/// Presence slots of a struct with this many fields.
#[inline]
pub const fn presence_slots(fields: usize) -> usize {
    if fields <= 64 { 1 } else { fields.div_ceil(64) }
}

/// Both halves of a slot.
#[inline]
pub(crate) const fn halves(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Kind {
    /// In: a request has arrived. Out: a call to make. The body is the arguments struct.
    Call = 1,
    /// In: a call's result. Out: a handler's result. The body is the result struct.
    Reply = 2,
    /// In: a call failed without an answer. Body: code and sent; message.
    Failure = 3,
    /// In: a `TApplicationException` answered. Out: answer with one. Body: type; message.
    Exception = 4,
    /// In: the peer of this call is gone and nobody waits for its reply.
    Gone = 5,
    /// In: an owner has finished closing.
    Closed = 6,
    /// In: something an operator wants to know. Body: level; text.
    Event = 7,
    /// Out: give the call up.
    Cancel = 8,
    /// Out: a oneway call has been handled.
    Done = 9,
    /// In: a connection has left its server for another one. Body: number of the held socket; bytes read from it already.
    Handed = 10,
    /// In: a call of a method that the server does not know. Body: protocol; name; arguments struct as bytes.
    RawCall = 11,
    /// Out: a handler's result that is bytes already. Body: protocol; result struct.
    RawReply = 12,
    /// In: whether a client can reach its server has changed. Body: how it stands now.
    State = 13,
    /// Out: as many connections as the header's method says are to be made before a call needs them (client). Answered with a reply, or a failure.
    Connect = 14,
    /// In: a gRPC request has arrived (server). Out: a gRPC call to make (client).
    Request = 20,
    /// In: the one response of a gRPC call (client). Out: a handler's one response (server).
    Response = 21,
    /// One message of a stream, either way.
    StreamMessage = 22,
    /// The sender's stream is over; with a status where the sender is the server.
    StreamEnd = 23,
    /// Initial metadata by itself: in at a client, out at a server.
    Headers = 24,
    /// As many messages as are said have been taken by who they were for: the other side may send more. Either way.
    Credit = 25,
}

/// A number that is no [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no kind of message of this tape layout")]
pub struct UnknownKind(pub i32);

impl TryFrom<i32> for Kind {
    type Error = UnknownKind;

    #[inline]
    fn try_from(value: i32) -> Result<Self, UnknownKind> {
        Ok(match value {
            1 => Self::Call,
            2 => Self::Reply,
            3 => Self::Failure,
            4 => Self::Exception,
            5 => Self::Gone,
            6 => Self::Closed,
            7 => Self::Event,
            8 => Self::Cancel,
            9 => Self::Done,
            10 => Self::Handed,
            11 => Self::RawCall,
            12 => Self::RawReply,
            13 => Self::State,
            14 => Self::Connect,
            20 => Self::Request,
            21 => Self::Response,
            22 => Self::StreamMessage,
            23 => Self::StreamEnd,
            24 => Self::Headers,
            25 => Self::Credit,
            other => return Err(UnknownKind(other)),
        })
    }
}

/// Who a message is about; the first three slots of its header, without the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the message is.
    pub kind: Kind,
    /// Slot of the call.
    pub call: u32,
    /// Generation of the call's slot: a message for an older one reaches nobody.
    pub generation: u32,
    /// Index into the program's methods; with [`ONEWAY`] on the in tape.
    pub method: u32,
    /// Server or client the call belongs to.
    pub owner: u32,
}
