//! Whole messages: what frames them, their head, and what they are made of.

use bytes::{BufMut, BytesMut};

use crate::binary::{BinaryOutput, head_len};
use crate::compact::CompactOutput;
use crate::error::EncodeError;
use crate::head::MessageKind;
use crate::json::JsonOutput;
use crate::output::Output;
use crate::size::Size;
use crate::wire_format::{Protocol, Wire};

/// Bytes of a frame's length.
const LENGTH: usize = 4;

/// The struct of a message.
pub(crate) trait Body {
    /// Its size in the binary protocol. Asked for only where a protocol is [sized](Output::SIZED), and then always before it is written.
    fn size(&self) -> Result<Size, EncodeError>;
    /// Tells how many bytes were lent, see [`append`].
    fn write<O: Output>(&self, output: &mut O) -> Result<usize, EncodeError>;
}

/// What the head of a message says.
pub(crate) struct Head<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) kind: MessageKind,
    pub(crate) sequence: i32,
}

/// Appends a message, with its length before it if the wire has one right there. On an error `out` is as before.
///
/// Tells how many of its bytes were lent: they are not in `out`, where the tape has noted [gaps](volo_js_tape::Gap) for them.
#[inline]
pub(crate) fn append(head: &Head<'_>, body: &impl Body, wire: Wire, out: &mut BytesMut) -> Result<usize, EncodeError> {
    match wire.protocol {
        Protocol::Binary | Protocol::BinaryNonStrict => {
            let strict = wire.protocol == Protocol::Binary;
            let Size { total, lent } = body.size()?;
            let size = head_len(strict, head.name.len()) + total;
            if size > i32::MAX as usize {
                return Err(EncodeError::TooLarge);
            }
            let before = out.len();
            out.reserve(LENGTH + size - lent);
            if wire.has_length() {
                out.put_i32(size as i32);
            }
            let start = out.len();
            let written = write(head, body, &mut BinaryOutput::new(out, strict));
            debug_assert!(written.is_err() || out.len() + lent == start + size, "the size was computed right");
            if written.is_err() {
                out.truncate(before);
            }
            written
        }
        Protocol::Compact => framed(wire, out, |out| write(head, body, &mut CompactOutput::new(out))),
        Protocol::Json => framed(wire, out, |out| write(head, body, &mut JsonOutput::new(out))),
    }
}

#[inline]
fn write<O: Output>(head: &Head<'_>, body: &impl Body, output: &mut O) -> Result<usize, EncodeError> {
    output.begin_message(head.name, head.kind, head.sequence)?;
    let lent = body.write(output)?;
    output.end_message()?;
    Ok(lent)
}

/// Has a message written, and then its length before it.
fn framed(
    wire: Wire,
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<usize, EncodeError>,
) -> Result<usize, EncodeError> {
    let before = out.len();
    if wire.has_length() {
        out.extend_from_slice(&[0; LENGTH]);
    }
    let start = out.len();
    let written = write(out).and_then(|lent| {
        let length = i32::try_from(out.len() - start + lent).map_err(|_| EncodeError::TooLarge)?;
        if start > before {
            out[before..start].copy_from_slice(&length.to_be_bytes());
        }
        Ok(lent)
    });
    if written.is_err() {
        out.truncate(before);
    }
    written
}

/// A struct that is encoded already.
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl Body for Raw<'_> {
    fn size(&self) -> Result<Size, EncodeError> {
        Ok(Size { total: self.0.len(), lent: 0 })
    }

    fn write<O: Output>(&self, output: &mut O) -> Result<usize, EncodeError> {
        output.raw(self.0);
        Ok(0)
    }
}
