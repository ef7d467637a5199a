//! Headers that travel with a message: ByteDance's TTHeader and Apache's THeader.
//!
//! Both begin with the same fourteen bytes, which give the length of the frame and of the headers; what the headers hold is
//! each kind's own.

mod few;
mod frame;
mod t_header;
mod tt_header;
mod zlib;

use bytes::{BufMut as _, Bytes, BytesMut};

pub use self::few::Few;
pub(crate) use self::frame::frame;
pub(crate) use self::t_header::MAGIC as T_HEADER;
pub(crate) use self::tt_header::MAGIC as TT_HEADER;
use crate::error::{EncodeError, FrameError};
use crate::limits::{Limits, MAX_FRAME, MAX_HEADERS};
use crate::wire_format::{Transport, Wire};

/// Values by number. As many as a call of Kitex has lie in place.
pub type Ints<'a> = Few<(u16, &'a [u8]), 8>;

/// Values by name.
pub type Strings<'a> = Few<(&'a [u8], &'a [u8]), 4>;

/// What travels with a message beside it. Names and values lie where they came, or where they are taken from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers<'a> {
    /// Number the answer carries too. The message has one as well; peers are known that fill in only one of them.
    pub sequence: i32,
    /// Flags of the kind. TTHeader's 1 tells that answers may come in any order; answers have none.
    pub flags: u16,
    /// Values by number, of TTHeader only: Kitex's `metakey` gives the numbers.
    pub ints: Ints<'a>,
    /// Values by name, in the order they came. A name may come twice.
    pub strings: Strings<'a>,
    /// What TTHeader calls an ACL token: with it a caller shows what it may do.
    pub token: Option<&'a [u8]>,
    /// Whether the message is compressed with zlib, the one transform of THeader that is known here. TTHeader has none.
    pub zlib: bool,
}

impl<'a> Headers<'a> {
    /// What an answer to these begins with: their sequence number and the same compression.
    #[must_use]
    pub fn answer(&self) -> Self {
        Self { sequence: self.sequence, zlib: self.zlib, ..Self::default() }
    }

    /// Reads headers out of what frames a message, into these, which are empty: see [`read_headers`].
    pub fn read(&mut self, wire: Wire, framing: &'a [u8]) -> Result<(), FrameError> {
        let read = match wire.transport {
            Transport::Buffered | Transport::Framed => return Ok(()),
            Transport::TtHeader | Transport::TtHeaderFramed => tt_header::read,
            Transport::Header | Transport::HeaderFramed => t_header::read,
        };
        let framing = framing.get(wire.outer_length()..).unwrap_or_default();
        let start = Start::read(framing).ok_or(FrameError::Malformed(CUT_SHORT))?;
        (self.sequence, self.flags) = (start.sequence, start.flags);
        let block = framing.get(Start::LEN..).and_then(|rest| rest.get(..start.headers));
        read(block.ok_or(FrameError::Malformed(CUT_SHORT))?, self)
    }

    /// The first value by this number.
    pub fn int(&self, key: u16) -> Option<&'a [u8]> {
        self.ints.iter().find(|(other, _)| *other == key).map(|(_, value)| *value)
    }

    /// The first value by this name.
    pub fn string(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.strings.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }
}

/// Reads the headers out of what frames a message: `unread[..header]` of a [`Frame`](crate::Frame). Transports without headers
/// have empty ones.
pub fn read_headers(wire: Wire, framing: &[u8]) -> Result<Headers<'_>, FrameError> {
    let mut headers = Headers::default();
    headers.read(wire, framing)?;
    Ok(headers)
}

/// The message as it was before the transforms of its headers.
pub fn untransform(headers: &Headers<'_>, message: Bytes, limits: &Limits) -> Result<Bytes, FrameError> {
    if headers.zlib { zlib::decompress(&message, limits.allowed_frame()) } else { Ok(message) }
}

/// Where a message with headers has begun.
#[derive(Debug)]
#[must_use = "the message is complete when `end_frame` has filled in its lengths"]
pub struct FrameMark {
    /// None if the wire has no headers.
    places: Option<Places>,
    zlib: bool,
}

/// Where in the output they begin.
#[derive(Debug)]
struct Places {
    /// Everything; before the frame where that stands in another.
    start: usize,
    frame: usize,
    message: usize,
}

/// Writes what stands in front of a message, for [`end_frame`] to complete. Between the two the message is written as
/// [`Wire::inner`] says; where it cannot be, the caller takes off what stands here. A transport without headers has nothing in
/// front, and `headers` are of no use to it.
///
/// # Errors
/// [`EncodeError::Headers`] if the format has no room for the headers. The output is as it was before.
pub fn begin_frame(wire: Wire, headers: &Headers<'_>, out: &mut BytesMut) -> Result<FrameMark, EncodeError> {
    if matches!(wire.transport, Transport::Buffered | Transport::Framed) {
        return Ok(FrameMark { places: None, zlib: false });
    }
    let t_header = matches!(wire.transport, Transport::Header | Transport::HeaderFramed);
    let start = out.len();
    out.put_bytes(0, wire.outer_length());
    let frame = out.len();
    let magic = if t_header { T_HEADER } else { TT_HEADER };
    out.put_slice(&Start::write(magic, headers.flags, headers.sequence));
    let block = out.len();
    let write = if t_header { t_header::write } else { tt_header::write };
    let written = write(wire.protocol, headers, out).and_then(|()| {
        let len = out.len() - block;
        out.put_bytes(0, len.next_multiple_of(WORD) - len);
        let words = u16::try_from((out.len() - block) / WORD).map_err(|_| TOO_LARGE)?;
        out[block - 2..block].copy_from_slice(&words.to_be_bytes());
        Ok(())
    });
    if let Err(reason) = written {
        out.truncate(start);
        return Err(EncodeError::Headers(reason));
    }
    let places = Places { start, frame, message: out.len() };
    Ok(FrameMark { places: Some(places), zlib: t_header && headers.zlib })
}

/// Completes what [`begin_frame`] began: compresses the message if its headers say so, and fills in the lengths. `lent` bytes of the message
/// are not in `out`; where it is to be compressed none may be.
///
/// # Errors
/// [`EncodeError::Headers`] if the frame is larger than one may be. Frame and message are taken off the output again.
#[expect(clippy::needless_pass_by_value, reason = "a frame is completed once")]
pub fn end_frame(mark: FrameMark, lent: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
    let Some(Places { start, frame, message }) = mark.places else { return Ok(()) };
    if mark.zlib {
        debug_assert_eq!(lent, 0, "what is compressed is there");
        let plain = out.split_off(message);
        if let Err(error) = zlib::compress(&plain, out) {
            out.truncate(start);
            return Err(EncodeError::Write(error.to_string()));
        }
    }
    if out.len() - start - Start::LENGTH + lent > MAX_FRAME {
        out.truncate(start);
        return Err(EncodeError::Headers("with the message they take 1 GiB or more"));
    }
    // One, or that of the frame around it before.
    for length in (start..=frame).step_by(Start::LENGTH) {
        let behind = length + Start::LENGTH;
        let len = (out.len() - behind + lent) as u32;
        out[length..behind].copy_from_slice(&len.to_be_bytes());
    }
    Ok(())
}

/// What the size of the headers counts in.
const WORD: usize = 4;

const CUT_SHORT: &str = "its headers are cut short";
const TOO_LARGE: &str = "they take more than 256 KiB";

/// The first `len` bytes of a block, taken off it.
fn take<'a>(block: &mut &'a [u8], len: usize) -> Result<&'a [u8], FrameError> {
    let (taken, rest) = block.split_at_checked(len).ok_or(FrameError::Malformed(CUT_SHORT))?;
    *block = rest;
    Ok(taken)
}

fn check_count(count: usize) -> Result<(), FrameError> {
    if count > MAX_HEADERS { Err(FrameError::TooManyHeaders(count)) } else { Ok(()) }
}

/// The fourteen bytes that both kinds begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    flags: u16,
    sequence: i32,
    /// Bytes of the headers, which follow.
    headers: usize,
}

impl Start {
    /// Bytes of the frame's length, which does not count them.
    const LENGTH: usize = 4;
    /// Bytes of the frame's length, magic number, flags, sequence number and size of the headers.
    const LEN: usize = 14;

    /// None if it is not all there.
    fn read(bytes: &[u8]) -> Option<Self> {
        let [_, _, _, _, _, _, flags @ .., s0, s1, s2, s3, h0, h1] = bytes.first_chunk::<{ Self::LEN }>()?;
        Some(Self {
            flags: u16::from_be_bytes(*flags),
            sequence: i32::from_be_bytes([*s0, *s1, *s2, *s3]),
            headers: usize::from(u16::from_be_bytes([*h0, *h1])) * WORD,
        })
    }

    /// The same, of a frame whose length is filled in later, as the size of its headers is.
    fn write(magic: u16, flags: u16, sequence: i32) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[4..6].copy_from_slice(&magic.to_be_bytes());
        bytes[6..8].copy_from_slice(&flags.to_be_bytes());
        bytes[8..12].copy_from_slice(&sequence.to_be_bytes());
        bytes
    }
}
