//! Pilota's writer of the binary protocol.

use bytes::{BufMut, BytesMut};
use pilota::thrift::binary::TBinaryProtocol;
use pilota::thrift::{TListIdentifier, TMapIdentifier, TOutputProtocol, TType};
use volo_js_tape::Str;

use crate::error::Fail;
use crate::head::MessageKind;
use crate::output::{Output, Written};
use crate::wire::VERSION;

/// Bytes of a head with a name of this length.
pub(crate) fn head_len(strict: bool, name: usize) -> usize {
    name + if strict { 12 } else { 9 }
}

/// A message in the binary protocol.
pub(crate) struct BinaryOutput<'o> {
    to: TBinaryProtocol<&'o mut BytesMut>,
    strict: bool,
}

/// Values a run writes at once.
const BLOCK: usize = 32;

impl<'o> BinaryOutput<'o> {
    /// Heads have a version if `strict`.
    pub(crate) fn new(out: &'o mut BytesMut, strict: bool) -> Self {
        Self { to: TBinaryProtocol::new(out, false), strict }
    }

    /// A string that has lost half of a surrogate pair.
    #[cold]
    fn pieces(&mut self, value: Str<'_>) {
        value.write_to(|piece| self.to.buf_mut().put_slice(piece));
    }

    /// Values that all take `N` bytes, a block at a time.
    fn fixed<const N: usize>(&mut self, slots: &[u64], bytes: impl Fn(u64) -> [u8; N]) {
        for slots in slots.chunks(BLOCK) {
            let mut block = [[0; N]; BLOCK];
            for (to, slot) in block.iter_mut().zip(slots) {
                *to = bytes(*slot);
            }
            self.to.buf_mut().put_slice(block[..slots.len()].as_flattened());
        }
    }
}

impl Output for BinaryOutput<'_> {
    type Scope = ();

    const SIZED: bool = true;
    const LENDS: bool = true;

    #[inline]
    fn len(&mut self) -> usize {
        self.to.buf_mut().len()
    }

    #[inline]
    fn begin_message(&mut self, name: &[u8], kind: MessageKind, sequence: i32) -> Written {
        // A name nobody knows may be anything, so not the string Pilota asks for.
        if self.strict {
            self.to.write_i32((VERSION | kind as u32) as i32)?;
            self.to.write_bytes_vec(name)?;
        } else {
            self.to.write_bytes_vec(name)?;
            self.to.write_byte(kind as u8)?;
        }
        self.to.write_i32(sequence)
    }

    fn raw(&mut self, encoded: &[u8]) {
        self.to.buf_mut().put_slice(encoded);
    }

    fn kept(&mut self, (): &mut (), fields: &[u8], _: usize) -> Result<(), Fail> {
        self.raw(fields);
        Ok(())
    }

    #[inline]
    fn field(&mut self, (): &mut (), ty: TType, id: i16) -> Written {
        self.to.write_field_begin(ty, id)
    }

    #[inline]
    fn stop(&mut self, (): &mut ()) -> Written {
        self.to.write_field_stop()
    }

    #[inline]
    fn bool(&mut self, value: bool) -> Written {
        self.to.write_bool(value)
    }

    #[inline]
    fn i8(&mut self, value: i8) -> Written {
        self.to.write_i8(value)
    }

    #[inline]
    fn i16(&mut self, value: i16) -> Written {
        self.to.write_i16(value)
    }

    #[inline]
    fn i32(&mut self, value: i32) -> Written {
        self.to.write_i32(value)
    }

    #[inline]
    fn i64(&mut self, value: i64) -> Written {
        self.to.write_i64(value)
    }

    #[inline]
    fn double(&mut self, bits: u64) -> Written {
        self.to.write_i64(bits as i64)
    }

    #[inline]
    fn uuid(&mut self, value: [u8; 16]) -> Written {
        self.to.write_uuid(value)
    }

    #[expect(clippy::inline_always, reason = "a string costs little more than the call would")]
    #[inline(always)]
    fn string(&mut self, value: Str<'_>) -> Written {
        self.to.write_i32(value.len() as i32)?;
        if value.lead || value.trail {
            self.pieces(value);
        } else {
            self.to.buf_mut().put_slice(value.middle);
        }
        Ok(())
    }

    #[inline]
    fn binary(&mut self, value: &[u8]) -> Written {
        self.to.write_bytes_vec(value)
    }

    fn length(&mut self, len: usize) -> Written {
        self.to.write_i32(len as i32)
    }

    #[inline]
    fn list(&mut self, item: TType, count: usize) -> Written {
        self.to.write_list_begin(TListIdentifier::new(item, count))
    }

    #[inline]
    fn map(&mut self, key: TType, value: TType, count: usize) -> Written {
        self.to.write_map_begin(TMapIdentifier::new(key, value, count))
    }

    #[inline]
    fn run(&mut self, item: TType, slots: &[u64]) -> Written {
        match item {
            TType::Bool => self.fixed(slots, |slot| [u8::from(slot as u32 != 0)]),
            TType::I32 => self.fixed(slots, |slot| (slot as u32).to_be_bytes()),
            _ => self.fixed(slots, u64::to_be_bytes),
        }
        Ok(())
    }
}
