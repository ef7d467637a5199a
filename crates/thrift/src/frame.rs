//! Where messages end in a stream of bytes.

use crate::error::FrameError;
use crate::limits::Limits;
use crate::scan::Scanner;

/// How messages follow each other on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Four bytes of length before every message (`TFramedTransport`).
    Framed,
    /// One message right behind the other (`TBufferedTransport`); only its content tells where a message ends.
    Buffered,
}

/// A complete message at the beginning of the unread bytes: `unread[header..header + len]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Bytes before the message.
    pub header: usize,
    /// Bytes of the message.
    pub len: usize,
}

impl Frame {
    /// Bytes of header and message.
    #[inline]
    pub fn total(&self) -> usize {
        self.header + self.len
    }
}

/// Finds messages in the bytes of one connection. It holds no bytes itself: whoever does passes all unread ones each time.
#[derive(Debug)]
pub struct FrameReader {
    limits: Limits,
    transport: Option<Transport>,
    scanner: Scanner,
}

/// Bytes of a framed message's length.
const LENGTH: usize = 4;
/// Bytes of the smallest message: version, empty name, sequence number, empty struct.
const SMALLEST: usize = 13;

impl FrameReader {
    /// A reader that recognises the transport by the first bytes, as a server does.
    pub fn detect(limits: Limits) -> Self {
        Self { limits, transport: None, scanner: Scanner::default() }
    }

    /// A reader of this transport.
    pub fn fixed(transport: Transport, limits: Limits) -> Self {
        Self { limits, transport: Some(transport), scanner: Scanner::default() }
    }

    /// The transport, if it is known yet.
    #[inline]
    pub fn transport(&self) -> Option<Transport> {
        self.transport
    }

    /// The next message, if all of it is there. `unread` begins where the previous message [ended](Self::consumed) and only
    /// grows until then: work done on its beginning is not repeated. After an error the connection is of no use.
    #[inline]
    pub fn next(&mut self, unread: &[u8]) -> Result<Option<Frame>, FrameError> {
        if unread.is_empty() {
            return Ok(None);
        }
        let transport = match self.transport {
            Some(transport) => transport,
            None => match recognise(unread, self.limits.allowed_frame())? {
                Some(transport) => *self.transport.insert(transport),
                None => return Ok(None),
            },
        };
        match transport {
            Transport::Framed => framed(unread, self.limits.allowed_frame()),
            Transport::Buffered => Ok(self.scanner.scan(unread, &self.limits)?.map(|len| Frame { header: 0, len })),
        }
    }

    /// The message that [`next`](Self::next) returned has been taken off the unread bytes.
    #[inline]
    pub fn consumed(&mut self) {
        self.scanner.restart();
    }

    /// Whether a message has begun and is not complete, given how many bytes are unread after [`next`](Self::next) returned
    /// none.
    #[inline]
    pub fn in_frame(&self, unread_len: usize) -> bool {
        unread_len > 0
    }
}

#[inline]
fn framed(unread: &[u8], limit: usize) -> Result<Option<Frame>, FrameError> {
    let Some(length) = unread.first_chunk::<LENGTH>() else { return Ok(None) };
    let len = length_of(*length, limit)?;
    Ok((unread.len() - LENGTH >= len).then_some(Frame { header: LENGTH, len }))
}

#[inline]
fn length_of(length: [u8; LENGTH], limit: usize) -> Result<usize, FrameError> {
    let len = u32::from_be_bytes(length) as usize;
    if len > i32::MAX as usize {
        return Err(FrameError::Malformed("a frame has a negative length"));
    }
    if len > limit {
        return Err(FrameError::TooLarge { size: len, limit });
    }
    if len < SMALLEST {
        return Err(FrameError::TooShort(len));
    }
    Ok(len)
}

/// Tells the transport by the first bytes: a strict message begins with `80 01`, at once or behind a length.
fn recognise(unread: &[u8], limit: usize) -> Result<Option<Transport>, FrameError> {
    match *unread {
        [0x80] => return Ok(None),
        [0x80, 0x01, ..] => return Ok(Some(Transport::Buffered)),
        [0x82, ..] => return Err(FrameError::Unsupported("the compact protocol")),
        [0x80..=0xFF, ..] => return Err(FrameError::NotThrift("they begin with neither a version nor a length")),
        _ => {}
    }
    let Some(length) = unread.first_chunk::<LENGTH>() else { return Ok(None) };
    if let Err(error) = length_of(*length, limit) {
        return Err(foreign(*length).map_or(error, FrameError::NotThrift));
    }
    match unread[LENGTH..] {
        [] | [0x80 | 0x10] => Ok(None),
        [0x80, 0x01, ..] => Ok(Some(Transport::Framed)),
        [0x10, 0x00, ..] => Err(FrameError::Unsupported("TTHeader")),
        [0x82, ..] => Err(FrameError::Unsupported("the compact protocol")),
        _ => Err(FrameError::NotThrift("no strict binary message follows the length of the first frame")),
    }
}

/// What the first bytes rather look like, when they are no sensible length.
fn foreign(first: [u8; LENGTH]) -> Option<&'static str> {
    match first {
        [0x16, 0x03, ..] => Some("they look like TLS"),
        [b'[', ..] => Some("they look like the JSON protocol"),
        _ if first.iter().all(|b| b.is_ascii_uppercase() || *b == b' ' || *b == b'/') => Some("they look like HTTP"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{FrameReader, Limits};

    #[test]
    fn a_byte_at_a_time_is_linear() {
        // A message of 400 KB, ten thousand fields: quadratic work would be 2·10⁹ steps.
        let mut bytes = b"\x80\x01\0\x01\0\0\0\x01m\0\0\0\x01".to_vec();
        for _ in 0..10_000 {
            bytes.extend([11, 0, 1, 0, 0, 0, 33]);
            bytes.extend([b'x'; 33]);
        }
        bytes.push(0);
        let mut reader = FrameReader::detect(Limits::default());
        let mut ends = (0..=bytes.len()).filter_map(|end| Some((end, reader.next(&bytes[..end]).unwrap()?.len)));
        assert_eq!(ends.next(), Some((bytes.len(), bytes.len())));
        // One for every byte that was not enough, and two a field.
        let steps = reader.scanner.steps;
        assert!(steps <= bytes.len() + 2 * 10_000, "{steps} steps for {} bytes", bytes.len());
    }
}
