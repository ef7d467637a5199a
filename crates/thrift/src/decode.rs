//! Message bodies onto the in tape.

use bytes::Bytes;
use volo_js_tape::Message;

use crate::error::{DecodeError, Fail};
use crate::limits::Limits;
use crate::program::{Item, Program, Ty};
use crate::reader::Reader;
use crate::skip::{deeper, skip, skip_list, skip_map};
use crate::{uuid, wire};

/// Lays the struct with this index onto the tape, as the first of the message's body, advancing `body` as it reads. `body` is
/// the rest of one message and nothing else.
///
/// Unknown fields are passed over, and so is a field whose type on the wire is not the schema's; of a field that comes twice,
/// and of several members of a union, the last counts. On an error the message is to be dropped; after
/// [`DecodeError::Full`] the same bytes can be decoded again onto another tape.
#[inline]
pub fn decode_struct(
    program: &Program,
    index: u32,
    body: &mut Bytes,
    limits: &Limits,
    message: &mut Message<'_>,
) -> Result<(), DecodeError> {
    let depth = limits.allowed_depth();
    let strict_utf8 = limits.strict_utf8;
    let mut decoder =
        Decoder { program, input: Reader::new(body), tape: message, limit: depth, strict_utf8, missing: None };
    decoder.root(index).map_err(|fail| decoder.explain(fail))
}

struct Decoder<'p, 'b, 't, 'm> {
    program: &'p Program,
    input: Reader<'b>,
    tape: &'t mut Message<'m>,
    limit: usize,
    strict_utf8: bool,
    /// The required field that is missing: its struct, and its bit in one of the struct's presence words.
    missing: Option<(u32, usize, u64)>,
}

impl Decoder<'_, '_, '_, '_> {
    #[cold]
    fn explain(&self, fail: Fail) -> DecodeError {
        match (fail, self.missing) {
            (Fail::Missing, Some((index, word, absent))) => {
                let (structure, field) = self.program.structure(index).missing(word, absent);
                DecodeError::MissingRequired { structure, field }
            }
            _ => fail.explain(self.limit),
        }
    }

    fn root(&mut self, index: u32) -> Result<(), Fail> {
        let depth = deeper(0, self.limit)?;
        let base = self.tape.alloc_struct(self.program.structure(index).fields.len())?;
        debug_assert_eq!(base, self.tape.body(), "the root struct comes first");
        self.structure(index, base, depth)
    }

    /// Reads a struct of this depth into the slots at `base`.
    fn structure(&mut self, index: u32, base: usize, depth: usize) -> Result<(), Fail> {
        let program = self.program;
        let structure = program.structure(index);
        let values = base + structure.presence;
        // Presence of the first 64 fields, which is nearly always all, is gathered here and written once.
        let mut present = 0_u64;
        loop {
            let (code, id) = self.input.field()?;
            if code == wire::STOP {
                break;
            }
            let known = structure.find(id).map(|number| (number, &structure.fields[number]));
            let Some((number, field)) = known.filter(|(_, field)| field.wire == code) else {
                skip(&mut self.input, code, depth, self.limit)?;
                continue;
            };
            if !self.value(&field.ty, values + number, depth)? {
                continue;
            }
            if structure.union {
                present = 0;
                for word in 1..structure.presence {
                    self.tape.set_presence_word(base, word, 0);
                }
            }
            if number < 64 {
                present |= 1 << number;
            } else {
                self.tape.mark_present(base, number);
            }
        }
        self.tape.set_presence_word(base, 0, present);
        for (word, required) in structure.required.iter().enumerate() {
            let absent = required & !self.tape.presence_word(base, word);
            if absent != 0 {
                self.missing = Some((index, word, absent));
                return Err(Fail::Missing);
            }
        }
        Ok(())
    }

    /// Reads a value into a slot. False if it is a container whose elements are not of the schema's type, at any level: then it
    /// has been passed over and the slot is as it was.
    #[expect(
        clippy::inline_always,
        reason = "it is small, and the result of a call of its own would cost more than it does"
    )]
    #[inline(always)]
    fn value(&mut self, ty: &Ty, slot: usize, depth: usize) -> Result<bool, Fail> {
        match ty {
            Ty::I32 => {
                let value = self.input.i32()?;
                self.tape.set_i32(slot, value, 0);
            }
            // A double travels as its bits: through a float register the payload of a NaN may change.
            Ty::I64 | Ty::Double => {
                let value = self.input.i64()?;
                self.tape.set(slot, value as u64);
            }
            Ty::String => {
                let strict = self.strict_utf8;
                self.input.binary(|string| {
                    if strict && std::str::from_utf8(string).is_err() {
                        return Err(Fail::Utf8);
                    }
                    Ok(self.tape.put_string(slot, string)?)
                })??;
            }
            Ty::Struct(index) => {
                let depth = deeper(depth, self.limit)?;
                let base = self.tape.alloc_struct(self.program.structure(*index).fields.len())?;
                self.tape.point(slot, base, 0);
                self.structure(*index, base, depth)?;
            }
            _ => return self.rarer(ty, slot, depth),
        }
        Ok(true)
    }

    /// What is not worth its code at every place that reads a value.
    fn rarer(&mut self, ty: &Ty, slot: usize, depth: usize) -> Result<bool, Fail> {
        let small = match ty {
            Ty::Bool => i32::from(self.input.bool()?),
            Ty::I8 => i32::from(self.input.i8()?),
            Ty::I16 => i32::from(self.input.i16()?),
            Ty::Binary => {
                self.input.binary(|binary| self.tape.put_bytes(slot, binary))??;
                return Ok(true);
            }
            Ty::Uuid => {
                let value = self.input.uuid()?;
                self.tape.put_string(slot, &uuid::to_text(value))?;
                return Ok(true);
            }
            Ty::List(item) => return self.list(item, slot, depth),
            Ty::Map(pair) => return self.map(&pair.0, &pair.1, slot, depth),
            Ty::I32 | Ty::I64 | Ty::Double | Ty::String | Ty::Struct(_) => return self.value(ty, slot, depth),
        };
        self.tape.set_i32(slot, small, 0);
        Ok(true)
    }

    fn list(&mut self, item: &Item, slot: usize, depth: usize) -> Result<bool, Fail> {
        let depth = deeper(depth, self.limit)?;
        let list = self.input.list()?;
        if list.count > 0 && list.key != item.wire {
            skip_list(&mut self.input, &list, depth, self.limit)?;
            return Ok(false);
        }
        let first = self.tape.alloc(list.count)?;
        let slots = self.tape.slots_mut(first, list.count);
        let mut fits = true;
        match item.ty {
            Ty::Bool => self.input.run(slots, |[byte]| u64::from(byte != 0))?,
            Ty::I8 => self.input.run(slots, |byte| low(i8::from_be_bytes(byte)))?,
            Ty::I16 => self.input.run(slots, |bytes| low(i16::from_be_bytes(bytes)))?,
            Ty::I32 => self.input.run(slots, |bytes| low(i32::from_be_bytes(bytes)))?,
            Ty::I64 | Ty::Double => self.input.run(slots, u64::from_be_bytes)?,
            _ => {
                for n in 0..list.count {
                    fits &= self.value(&item.ty, first + n, depth)?;
                }
            }
        }
        if fits {
            self.tape.point(slot, first, list.count as u32);
        }
        Ok(fits)
    }

    fn map(&mut self, key: &Item, value: &Item, slot: usize, depth: usize) -> Result<bool, Fail> {
        let depth = deeper(depth, self.limit)?;
        let map = self.input.map()?;
        if map.count > 0 && (map.key != key.wire || map.value != value.wire) {
            skip_map(&mut self.input, &map, depth, self.limit)?;
            return Ok(false);
        }
        let first = self.tape.alloc(map.count.saturating_mul(2))?;
        let mut fits = true;
        for n in 0..map.count {
            fits &= self.value(&key.ty, first + 2 * n, depth)?;
            fits &= self.value(&value.ty, first + 2 * n + 1, depth)?;
        }
        if fits {
            self.tape.point(slot, first, map.count as u32);
        }
        Ok(fits)
    }
}

/// A slot with this number in its low half.
#[inline]
fn low(value: impl Into<i32>) -> u64 {
    u64::from(value.into() as u32)
}

/// A `TApplicationException`: the answer of a peer that could not handle a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationException {
    /// Its type: 0 unknown, 1 unknown method, 6 internal error, 7 protocol error, …
    pub kind: i32,
    /// What the peer says about it; UTF-8 if it keeps to the protocol, empty if it says nothing.
    pub message: Bytes,
}

/// Reads a `TApplicationException`, advancing `body` as it reads.
pub fn decode_exception(body: &mut Bytes, limits: &Limits) -> Result<ApplicationException, DecodeError> {
    let depth = limits.allowed_depth();
    let explain = |fail: Fail| fail.explain(depth);
    let mut input = Reader::new(body);
    let mut exception = ApplicationException { kind: 0, message: Bytes::new() };
    loop {
        match input.field().map_err(explain)? {
            (wire::STOP, _) => return Ok(exception),
            (wire::BINARY, 1) => exception.message = input.binary(Bytes::copy_from_slice).map_err(explain)?,
            (wire::I32, 2) => exception.kind = input.i32().map_err(explain)?,
            (code, _) => skip(&mut input, code, 1, depth).map_err(explain)?,
        }
    }
}
