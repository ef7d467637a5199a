//! Where a message stands behind its headers.

use super::{CUT_SHORT, Start, T_HEADER, TT_HEADER, t_header, tt_header};
use crate::detect::length_of;
use crate::error::FrameError;
use crate::frame::Frame;
use crate::wire_format::{Protocol, Transport, Wire};

/// Bytes behind the length of the smallest frame: what both kinds begin with, a word of headers, a byte of message.
const SMALLEST: usize = Start::LEN - Start::LENGTH + 4 + 1;

/// The message of the frame that `unread` begins with, if all of it is there.
pub(crate) fn frame(
    unread: &[u8],
    limit: usize,
    transport: Transport,
    expected: Option<Protocol>,
) -> Result<Option<Frame>, FrameError> {
    if transport != Transport::HeaderFramed {
        return bare(unread, limit, transport, expected);
    }
    let Some((length, rest)) = unread.split_first_chunk() else { return Ok(None) };
    let len = length_of(*length, limit, Start::LENGTH + SMALLEST)?;
    match rest.first_chunk() {
        None => return Ok(None),
        Some(inner) if u32::from_be_bytes(*inner) as usize == len - Start::LENGTH => {}
        Some(_) => return Err(FrameError::Malformed("no frame of THeader fills the frame around it")),
    }
    let inner = bare(rest, limit, Transport::Header, expected)?;
    Ok(inner.map(|Frame { header, len, wire }| Frame {
        header: Start::LENGTH + header,
        len,
        wire: Wire::new(transport, wire.protocol),
    }))
}

/// The same, of a frame that stands in no other.
fn bare(
    unread: &[u8],
    limit: usize,
    transport: Transport,
    expected: Option<Protocol>,
) -> Result<Option<Frame>, FrameError> {
    let Some((length, rest)) = unread.split_first_chunk() else { return Ok(None) };
    let len = length_of(*length, limit, SMALLEST)?;
    let magic = if transport == Transport::Header { T_HEADER } else { TT_HEADER };
    match rest.first_chunk() {
        None => return Ok(None),
        Some(found) if u16::from_be_bytes(*found) == magic => {}
        Some(_) => return Err(FrameError::NotThrift("a message comes without the headers that go with its transport")),
    }
    if rest.len() < len {
        return Ok(None);
    }
    let frame = &unread[..Start::LENGTH + len];
    let start = Start::read(frame).ok_or(FrameError::Malformed(CUT_SHORT))?;
    let (framing, message) = match frame.split_at_checked(Start::LEN + start.headers) {
        Some((framing, message)) if !message.is_empty() => (framing, message),
        _ => return Err(FrameError::Malformed("the headers leave no room for a message in their frame")),
    };
    let wire = match transport {
        Transport::Header => Wire::new(transport, t_header::protocol(framing, expected)?),
        _ => tt_header::wire(start.flags, message)?,
    };
    if let Some(expected) = expected.filter(|expected| *expected != wire.protocol) {
        return Err(FrameError::OtherProtocol { expected, found: wire.protocol });
    }
    let header = if wire.has_length() { framing.len() + Start::LENGTH } else { framing.len() };
    Ok(Some(Frame { header, len: frame.len() - header, wire }))
}
