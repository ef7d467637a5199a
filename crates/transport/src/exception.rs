//! `TApplicationException`s the engine answers with.

use bytes::{Bytes, BytesMut};
use volo_js_thrift::{DecodeError, encode_exception};

use crate::mirror::Mirror;

/// The peer asked for a method nobody has.
pub(crate) const UNKNOWN_METHOD: i32 = 1;
/// The handler failed.
pub(crate) const INTERNAL_ERROR: i32 = 6;
/// The request does not follow its IDL.
pub(crate) const PROTOCOL_ERROR: i32 = 7;

/// Longest message of an exception; more helps nobody.
const LONGEST: usize = 4 << 10;

/// Appends an exception, with these headers where the wire has some.
pub(crate) fn put_exception(
    name: &[u8],
    mirror: Mirror,
    kind: i32,
    message: &str,
    strings: &[(Bytes, Bytes)],
    out: &mut BytesMut,
) {
    let mut end = message.len().min(LONGEST);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let put = |strings: &[(Bytes, Bytes)], out: &mut BytesMut| {
        mirror
            .frame(strings, out, |wire, out| encode_exception(name, mirror.sequence, kind, &message[..end], wire, out))
    };
    // Headers that the format has no room for are a defect of the handler; the caller hears of its call at least.
    let written = put(strings, out).or_else(|_| put(&[], out));
    debug_assert!(written.is_ok(), "an exception fits a frame: its name came in one, its message is cut");
}

/// Does the stream make sense behind a message that failed so? Its length was right then; only its content was refused.
pub(crate) fn leaves_the_stream_intact(error: &DecodeError) -> bool {
    matches!(
        error,
        DecodeError::MissingRequired { .. } | DecodeError::SlotLimit | DecodeError::DepthLimit(_) | DecodeError::Utf8
    )
}
