//! Where messages end in a stream of bytes.

use crate::detect::{self, LENGTH, length_of};
use crate::error::FrameError;
use crate::headers;
use crate::limits::Limits;
use crate::scan::Scanner;
use crate::wire_format::{Protocol, Transport, Wire};

/// A complete message at the beginning of the unread bytes: `unread[header..header + len]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Bytes before the message. With a transport that has headers, [`read_headers`](crate::read_headers) reads them out of
    /// these.
    pub header: usize,
    /// Bytes of the message.
    pub len: usize,
    /// How the message is written and framed.
    pub wire: Wire,
}

impl Frame {
    /// Bytes of header and message.
    #[inline]
    pub fn total(&self) -> usize {
        self.header + self.len
    }
}

/// Finds messages in the bytes of one connection. It holds no bytes itself: whoever does passes all unread ones each time.
///
/// Transport and protocol are those of the connection's first message. Headers, though, name the protocol of each message, and
/// behind a TTHeader each may have a length of its own or not.
#[derive(Debug)]
pub struct FrameReader {
    limits: Limits,
    wire: Option<Wire>,
    /// The protocol that messages have to be in; none if the peer chooses.
    expected: Option<Protocol>,
    /// Made with the first message that has no length.
    scanner: Option<Scanner>,
}

impl FrameReader {
    /// A reader that recognises the wire by the first bytes, as a server does.
    pub fn detect(limits: Limits) -> Self {
        Self { limits, wire: None, expected: None, scanner: None }
    }

    /// A reader of this wire, as a client needs one. With headers, a message in another protocol is an error; of TTHeader's two
    /// transports it takes both.
    pub fn fixed(wire: Wire, limits: Limits) -> Self {
        Self { limits, wire: Some(wire), expected: Some(wire.protocol), scanner: None }
    }

    /// What the last message was written and framed in; before the first, what was asked for, or none.
    #[inline]
    pub fn wire(&self) -> Option<Wire> {
        self.wire
    }

    /// The next message, if all of it is there. `unread` begins where the previous message [ended](Self::consumed) and only
    /// grows until then: work done on its beginning is not repeated. After an error the connection is of no use.
    #[inline]
    pub fn next(&mut self, unread: &[u8]) -> Result<Option<Frame>, FrameError> {
        if unread.is_empty() {
            return Ok(None);
        }
        let limit = self.limits.allowed_frame();
        let wire = match self.wire {
            Some(wire) => wire,
            None => match detect::wire(unread, limit)? {
                Some(wire) => *self.wire.insert(wire),
                None => return Ok(None),
            },
        };
        match wire.transport {
            Transport::Framed => framed(unread, limit, wire),
            Transport::Buffered => {
                let scanner = self.scanner.get_or_insert_with(|| Scanner::new(wire.protocol));
                Ok(scanner.scan(unread, &self.limits)?.map(|len| Frame { header: 0, len, wire }))
            }
            Transport::TtHeader | Transport::TtHeaderFramed | Transport::Header | Transport::HeaderFramed => {
                let frame = headers::frame(unread, limit, wire.transport, self.expected)?;
                if let Some(frame) = frame {
                    self.wire = Some(frame.wire);
                }
                Ok(frame)
            }
        }
    }

    /// Bytes of the message that `unread` begins with and does not hold whole, if what frames it tells. To be asked once [`next`](Self::next)
    /// has found nothing wrong with it.
    #[inline]
    pub fn announced(&self, unread: &[u8]) -> Option<usize> {
        let length = unread.first_chunk::<LENGTH>()?;
        self.wire.filter(|wire| wire.transport != Transport::Buffered)?;
        Some(LENGTH + u32::from_be_bytes(*length) as usize)
    }

    /// The message that [`next`](Self::next) returned has been taken off the unread bytes.
    #[inline]
    pub fn consumed(&mut self) {
        if let Some(scanner) = &mut self.scanner {
            scanner.restart();
        }
    }

    /// Whether a message has begun and is not complete, given how many bytes are unread after [`next`](Self::next) returned
    /// none.
    #[inline]
    pub fn in_frame(&self, unread_len: usize) -> bool {
        unread_len > 0
    }
}

#[inline]
fn framed(unread: &[u8], limit: usize, wire: Wire) -> Result<Option<Frame>, FrameError> {
    let Some(length) = unread.first_chunk::<LENGTH>() else { return Ok(None) };
    let len = length_of(*length, limit, smallest(wire.protocol))?;
    Ok((unread.len() - LENGTH >= len).then_some(Frame { header: LENGTH, len, wire }))
}

/// Bytes of the smallest message: kind, empty name, sequence number, empty struct.
#[inline]
fn smallest(protocol: Protocol) -> usize {
    match protocol {
        Protocol::Binary | Protocol::Json => 13,
        Protocol::BinaryNonStrict => 10,
        Protocol::Compact => 5,
    }
}
