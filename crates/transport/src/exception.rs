//! `TApplicationException`s the engine answers with.

use bytes::BytesMut;
use volo_js_thrift::{DecodeError, Transport, encode_exception};

/// The peer asked for a method nobody has.
pub(crate) const UNKNOWN_METHOD: i32 = 1;
/// The handler failed.
pub(crate) const INTERNAL_ERROR: i32 = 6;
/// The request does not follow its IDL.
pub(crate) const PROTOCOL_ERROR: i32 = 7;

/// Longest message of an exception; more helps nobody.
const LONGEST: usize = 4 << 10;

/// Appends an exception.
pub(crate) fn put_exception(
    name: &[u8],
    sequence: i32,
    kind: i32,
    message: &str,
    transport: Transport,
    out: &mut BytesMut,
) {
    let mut end = message.len().min(LONGEST);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let written = encode_exception(name, sequence, kind, &message[..end], transport, out);
    debug_assert!(written.is_ok(), "an exception fits a frame: its name came in one, its message is cut");
}

/// Does the stream make sense behind a message that failed so? Its length was right then; only its content was refused.
pub(crate) fn leaves_the_stream_intact(error: &DecodeError) -> bool {
    matches!(
        error,
        DecodeError::MissingRequired { .. } | DecodeError::SlotLimit | DecodeError::DepthLimit(_) | DecodeError::Utf8
    )
}
