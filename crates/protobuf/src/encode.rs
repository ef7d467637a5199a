//! Messages from the out tape.

use bytes::BytesMut;
use volo_js_tape::OutTape;

use crate::error::EncodeError;
use crate::program::{FieldProgram, MessageProgram, Program, Shape};
use crate::size::{Refused, Sizes, presence, size_message};
use crate::ty::Ty;
use crate::wire;
use crate::writer::Writer;

/// Bytes [`encode_message`] would write.
pub fn message_len(
    program: &Program,
    index: u32,
    tape: &OutTape<'_>,
    base: usize,
    sizes: &mut Sizes,
) -> Result<usize, EncodeError> {
    size_message(program, tape, index, base, sizes)
}

/// Appends the message with this index, whose struct lies at `base`: its fields in the order of the schema, then the unknown ones as they are.
/// Returns how many bytes it has. On an error `out` is as before.
pub fn encode_message(
    program: &Program,
    index: u32,
    tape: &OutTape<'_>,
    base: usize,
    sizes: &mut Sizes,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let total = size_message(program, tape, index, base, sizes)?;
    let before = out.len();
    out.resize(before + total, 0);
    let writer = Writer::new(&mut out[before..]);
    let mut encoder = Encoder { program, tape, sizes: sizes.0.iter(), output: writer, refusal: None };
    match encoder.message(index, base) {
        Ok(()) => {
            debug_assert_eq!(encoder.output.written(), total, "the size was computed right");
            Ok(total)
        }
        Err(Refused) => {
            let refusal = encoder.refusal.unwrap_or(EncodeError::TooLarge);
            out.truncate(before);
            Err(refusal)
        }
    }
}

/// Writes what has been sized. It checks again what it reads, and so refuses only what sizing refused.
struct Encoder<'p, 't, 'a, 's, 'o> {
    program: &'p Program,
    tape: &'t OutTape<'a>,
    sizes: std::slice::Iter<'s, u32>,
    output: Writer<'o>,
    refusal: Option<EncodeError>,
}

impl Encoder<'_, '_, '_, '_, '_> {
    #[cold]
    fn refuse(&mut self, error: EncodeError) -> Refused {
        self.refusal = Some(error);
        Refused
    }

    #[inline]
    fn get<T>(&mut self, got: Result<T, impl Into<EncodeError>>) -> Result<T, Refused> {
        got.map_err(|error| self.refuse(error.into()))
    }

    /// The length of the next part that has one, as it was computed.
    #[inline]
    fn length(&mut self) {
        let length = self.sizes.next().copied().unwrap_or(0);
        self.output.varint(u64::from(length));
    }

    #[inline]
    fn key(&mut self, key: u32) {
        self.output.varint(u64::from(key));
    }

    fn message(&mut self, index: u32, base: usize) -> Result<(), Refused> {
        let message = self.program.message(index);
        let values = base + message.presence;
        for word in 0..message.presence {
            let mut present = self.get(presence(self.tape, message, base, word))?;
            while present != 0 {
                let n = word * 64 + present.trailing_zeros() as usize;
                present &= present - 1;
                self.field(message, n, values + n)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn field(&mut self, message: &MessageProgram, n: usize, slot: usize) -> Result<(), Refused> {
        let Some(field) = message.fields.get(n) else {
            let unknown = self.get(self.tape.bytes(slot))?;
            self.output.put(unknown);
            return Ok(());
        };
        match field.shape {
            Shape::One => self.value(field.ty, slot, field.key),
            Shape::Many => {
                let (first, count) = self.get(self.tape.pointer(slot))?;
                for slot in first..first + count {
                    self.value(field.ty, slot, field.key)?;
                }
                Ok(())
            }
            Shape::Packed => self.packed(field, slot),
            Shape::Map(keys) => {
                let (first, count) = self.get(self.tape.pointer(slot))?;
                for pair in 0..count {
                    self.key(field.key);
                    self.length();
                    self.value(keys, first + 2 * pair, wire::key(1, keys.wire()))?;
                    self.value(field.ty, first + 2 * pair + 1, wire::key(2, field.ty.wire()))?;
                }
                Ok(())
            }
        }
    }

    fn packed(&mut self, field: &FieldProgram, slot: usize) -> Result<(), Refused> {
        let (first, count) = self.get(self.tape.pointer(slot))?;
        let slots = self.get(self.tape.run(first, count))?;
        if count == 0 {
            return Ok(());
        }
        self.key(field.key);
        self.length();
        match field.ty {
            Ty::Fixed64 => {
                for (bytes, slot) in self.output.room(8 * count).as_chunks_mut().0.iter_mut().zip(slots) {
                    *bytes = slot.to_le_bytes();
                }
            }
            Ty::Fixed32 => {
                for (bytes, slot) in self.output.room(4 * count).as_chunks_mut().0.iter_mut().zip(slots) {
                    *bytes = (*slot as u32).to_le_bytes();
                }
            }
            Ty::Float => {
                for (bytes, slot) in self.output.room(4 * count).as_chunks_mut().0.iter_mut().zip(slots) {
                    *bytes = narrow(*slot);
                }
            }
            ty => {
                for slot in slots {
                    self.output.varint(ty.varint(*slot));
                }
            }
        }
        Ok(())
    }

    /// A value with its key.
    #[inline]
    fn value(&mut self, ty: Ty, slot: usize, key: u32) -> Result<(), Refused> {
        let tape = self.tape;
        self.key(key);
        match ty {
            Ty::String | Ty::Text => {
                let string = self.get(tape.str(slot))?;
                self.output.varint(string.len() as u64);
                if string.lead || string.trail {
                    string.write_to(|piece| self.output.put(piece));
                } else {
                    self.output.put(string.middle);
                }
            }
            Ty::Bytes => {
                let bytes = self.get(tape.bytes(slot))?;
                self.output.varint(bytes.len() as u64);
                self.output.put(bytes);
            }
            Ty::Fixed32 => {
                let value = self.get(tape.u64(slot))? as u32;
                self.output.put(&value.to_le_bytes());
            }
            Ty::Float => {
                let value = self.get(tape.u64(slot))?;
                self.output.put(&narrow(value));
            }
            // A double travels as its bits: through a float register the payload of a NaN may change.
            Ty::Fixed64 => {
                let value = self.get(tape.u64(slot))?;
                self.output.put(&value.to_le_bytes());
            }
            Ty::Message(index) => {
                let (base, _) = self.get(tape.pointer(slot))?;
                self.length();
                self.message(index, base)?;
            }
            Ty::Group(index) => {
                let (base, _) = self.get(tape.pointer(slot))?;
                self.message(index, base)?;
                // The key of the end differs from that of the beginning by one.
                self.key(key + 1);
            }
            _ => {
                let value = self.get(tape.u64(slot))?;
                self.output.varint(ty.varint(value));
            }
        }
        Ok(())
    }
}

/// A double as a float.
#[inline]
fn narrow(bits: u64) -> [u8; 4] {
    (f64::from_bits(bits) as f32).to_le_bytes()
}
