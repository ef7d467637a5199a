//! What is spoken on a connection, by its first bytes.
//!
//! | bytes | wire |
//! |---|---|
//! | `80 01` | strict binary, buffered |
//! | `82`, low five bits `1` | compact, buffered |
//! | `[` | JSON, buffered |
//! | four bytes of length, then one of these | the same, framed |
//! | length, `10 00` | TTHeader |
//! | length, `0F FF` | THeader |
//! | length, length that is four less, `0F FF` | THeader, framed |
//! | length, a letter | old binary, buffered: the length is the name's |
//! | length, length, a letter | old binary, framed |

use crate::error::FrameError;
use crate::headers::{T_HEADER, TT_HEADER};
use crate::wire_format::{Protocol, Transport, Wire};

/// Bytes of a length.
pub(crate) const LENGTH: usize = 4;

/// What a message's first bytes say.
pub(crate) enum Begin {
    Of(Protocol),
    /// More of them are needed.
    Part,
    /// No message that can be told by them.
    Other,
}

/// The protocol of a message, all of them but the old binary one.
pub(crate) fn message(bytes: &[u8]) -> Begin {
    match *bytes {
        [] | [0x80 | 0x82] => Begin::Part,
        [0x80, 0x01, ..] => Begin::Of(Protocol::Binary),
        [0x82, version, ..] if version & 0x1F == 1 => Begin::Of(Protocol::Compact),
        [b'[', ..] => Begin::Of(Protocol::Json),
        _ => Begin::Other,
    }
}

/// Tells the wire by the first bytes; none if it takes more of them. With headers the protocol is the default until a message
/// tells.
pub(crate) fn wire(unread: &[u8], limit: usize) -> Result<Option<Wire>, FrameError> {
    match message(unread) {
        Begin::Of(protocol) => return Ok(Some(Wire::new(Transport::Buffered, protocol))),
        Begin::Part => return Ok(None),
        Begin::Other => {}
    }
    match *unread {
        [0xFF] => return Ok(None),
        [0xFF, 0xAF, ..] => return Err(FrameError::Unsupported("ByteDance's mesh header")),
        [0x80..=0xFF, ..] => return Err(FrameError::NotThrift("they begin with neither a version nor a length")),
        _ => {}
    }
    let Some((length, rest)) = unread.split_first_chunk::<LENGTH>() else { return Ok(None) };
    let len = length_of(*length, limit, 1)?;
    // Names are shorter than 16 MiB.
    let name = length[0] == 0;
    match message(rest) {
        Begin::Of(protocol) => return Ok(Some(Wire::new(Transport::Framed, protocol))),
        Begin::Part => return Ok(None),
        Begin::Other => {}
    }
    match framed_header(len, rest) {
        Some(true) => return Ok(Some(Wire::new(Transport::HeaderFramed, Protocol::default()))),
        Some(false) => {}
        None => return Ok(None),
    }
    let wire = match *rest {
        [letter, ..] if name && is_letter(letter) => Wire::new(Transport::Buffered, Protocol::BinaryNonStrict),
        [0, _, _, _, letter, ..] if is_letter(letter) => Wire::new(Transport::Framed, Protocol::BinaryNonStrict),
        [0 | 0x10 | 0x0F | 0x90] | [0, _] | [0, _, _] | [0, _, _, _] => return Ok(None),
        [0x90, 0x01, ..] => return Err(FrameError::Unsupported("Kitex's Protobuf")),
        [first, second, ..] => match u16::from_be_bytes([first, second]) {
            TT_HEADER => Wire::new(Transport::TtHeader, Protocol::default()),
            T_HEADER => Wire::new(Transport::Header, Protocol::default()),
            _ => return Err(no_message(*length)),
        },
        _ => return Err(no_message(*length)),
    };
    Ok(Some(wire))
}

/// Does a frame of THeader fill this one of `len` bytes, which begins so? None if it takes more of them.
fn framed_header(len: usize, frame: &[u8]) -> Option<bool> {
    let Some(inner) = len.checked_sub(LENGTH) else { return Some(false) };
    let mut begin = [0; LENGTH + 2];
    begin[..LENGTH].copy_from_slice(&(inner as u32).to_be_bytes());
    begin[LENGTH..].copy_from_slice(&T_HEADER.to_be_bytes());
    if frame.starts_with(&begin) {
        return Some(true);
    }
    if begin.starts_with(frame) { None } else { Some(false) }
}

/// A frame's length, if it is allowed.
#[inline]
pub(crate) fn length_of(length: [u8; LENGTH], limit: usize, smallest: usize) -> Result<usize, FrameError> {
    let len = u32::from_be_bytes(length) as usize;
    if len > limit || len < smallest {
        return Err(wrong_length(length, limit));
    }
    Ok(len)
}

#[cold]
fn wrong_length(length: [u8; LENGTH], limit: usize) -> FrameError {
    let len = u32::from_be_bytes(length) as usize;
    match foreign(length) {
        _ if len <= limit => FrameError::TooShort(len),
        Some(what) => FrameError::NotThrift(what),
        None if len > i32::MAX as usize => FrameError::Malformed("a frame has a negative length"),
        None => FrameError::TooLarge { size: len, limit },
    }
}

#[cold]
fn no_message(length: [u8; LENGTH]) -> FrameError {
    FrameError::NotThrift(foreign(length).unwrap_or("no message follows the length of the first frame"))
}

/// What the first bytes rather look like, when they are no sensible length.
fn foreign(first: [u8; LENGTH]) -> Option<&'static str> {
    match first {
        // A record of alerts or of handshakes.
        [0x15 | 0x16, 0x03, ..] => Some("they look like TLS"),
        _ if first.iter().all(|b| b.is_ascii_uppercase() || *b == b' ' || *b == b'/') => Some("they look like HTTP"),
        _ => None,
    }
}

/// What a method's name, or its service's, may begin with.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}
