//! Message bodies onto the in tape.

use bytes::{Buf, Bytes, BytesMut};
use volo_js_tape::Message;

use crate::binary::BinaryInput;
use crate::compact::CompactInput;
use crate::error::{DecodeError, Fail};
use crate::input::{Input, low};
use crate::json::JsonInput;
use crate::limits::Limits;
use crate::program::{Item, Program, StructProgram, Ty};
use crate::skip::{deeper, skip, skip_list, skip_map};
use crate::transcode::keep_field;
use crate::wire_format::Protocol;
use crate::{uuid, wire};

/// Lays the struct with this index onto the tape, as the first of the message's body, advancing `body` as it reads. `body` is
/// the rest of one message and nothing else; what the struct leaves of it is for [`end_message`](crate::end_message).
///
/// Unknown fields are passed over or kept, as the schema says, and so is a field whose type on the wire is not the schema's; of a field that
/// comes twice, and of several members of a union, the last counts. On an error the message is to be dropped; after
/// [`DecodeError::Full`] the same bytes can be decoded again onto another tape.
#[inline]
pub fn decode_struct(
    program: &Program,
    protocol: Protocol,
    index: u32,
    body: &mut Bytes,
    limits: &Limits,
    message: &mut Message<'_>,
) -> Result<(), DecodeError> {
    match protocol {
        Protocol::Binary | Protocol::BinaryNonStrict => {
            Decoder::new(program, BinaryInput::new(body), limits, message).decode(index)
        }
        Protocol::Compact => {
            let mut decoder = Decoder::new(program, CompactInput::new(body), limits, message);
            let decoded = decoder.decode(index);
            let left = decoder.input.left();
            body.advance(body.len() - left);
            decoded
        }
        Protocol::Json => {
            let mut decoder = Decoder::new(program, JsonInput::new(body), limits, message);
            let decoded = decoder.decode(index);
            let left = decoder.input.left();
            body.advance(body.len() - left);
            decoded
        }
    }
}

struct Decoder<'p, 't, 'm, I> {
    program: &'p Program,
    input: I,
    tape: &'t mut Message<'m>,
    limit: usize,
    strict_utf8: bool,
    /// Bytes of unknown fields that a message may keep.
    most_kept: usize,
    /// Unknown fields of the structs that are being read, those of the innermost last.
    kept: BytesMut,
    /// The required field that is missing: its struct, and its bit in one of the struct's presence words.
    missing: Option<(u32, usize, u64)>,
}

impl<'p, 't, 'm, I: Input> Decoder<'p, 't, 'm, I> {
    #[inline]
    fn new(program: &'p Program, input: I, limits: &Limits, tape: &'t mut Message<'m>) -> Self {
        Self {
            program,
            input,
            tape,
            limit: limits.allowed_depth(),
            strict_utf8: limits.strict_utf8,
            most_kept: limits.allowed_frame(),
            kept: BytesMut::new(),
            missing: None,
        }
    }

    #[inline]
    fn decode(&mut self, index: u32) -> Result<(), DecodeError> {
        self.root(index).map_err(|fail| self.explain(fail))
    }

    #[cold]
    fn explain(&self, fail: Fail) -> DecodeError {
        match (fail, self.missing) {
            (Fail::Missing, Some((index, word, absent))) => {
                let (structure, field) = self.program.structure(index).missing(word, absent);
                DecodeError::MissingRequired { structure, field }
            }
            (Fail::TooLarge, _) => DecodeError::TooLarge(self.most_kept),
            _ => fail.explain(self.limit),
        }
    }

    fn root(&mut self, index: u32) -> Result<(), Fail> {
        let depth = deeper(0, self.limit)?;
        let base = self.tape.alloc_struct(self.program.structure(index).slots)?;
        debug_assert_eq!(base, self.tape.body(), "the root struct comes first");
        self.structure(index, base, depth)
    }

    /// Reads a struct of this depth into the slots at `base`.
    fn structure(&mut self, index: u32, base: usize, depth: usize) -> Result<(), Fail> {
        let program = self.program;
        let structure = program.structure(index);
        let values = base + structure.presence;
        let mut scope = I::Scope::default();
        // Presence of the first 64 fields, which is nearly always all, is gathered here and written once.
        let mut present = 0_u64;
        // Where what is kept of this struct's unknown fields begins, if it had any.
        let mut kept = None;
        loop {
            let (code, id) = self.input.field(&mut scope)?;
            if code == wire::STOP {
                break;
            }
            let known = structure.find(id).map(|number| (number, &structure.fields[number]));
            let Some((number, field)) = known.filter(|(_, field)| field.wire == code) else {
                if structure.keeps_unknown {
                    kept.get_or_insert(self.kept.len());
                }
                self.unknown(code, id, depth, structure.keeps_unknown)?;
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
        if let Some(from) = kept {
            self.settle(structure, base, from)?;
        }
        for (word, required) in structure.required.iter().enumerate() {
            let absent = required & !self.tape.presence_word(base, word);
            if absent != 0 {
                self.missing = Some((index, word, absent));
                return Err(Fail::Missing);
            }
        }
        Ok(())
    }

    /// Passes or keeps a field that the schema does not know.
    #[cold]
    fn unknown(&mut self, code: u8, id: i16, depth: usize, keep: bool) -> Result<(), Fail> {
        if keep {
            let limits = (self.limit, self.most_kept);
            keep_field(&mut self.input, (code, id), &mut self.kept, depth, limits)
        } else {
            skip(&mut self.input, code, depth, self.limit)
        }
    }

    /// Puts what was kept for a struct behind its fields.
    #[cold]
    fn settle(&mut self, structure: &StructProgram, base: usize, from: usize) -> Result<(), Fail> {
        if self.kept.len() == from {
            return Ok(());
        }
        let number = structure.fields.len();
        self.tape.put_bytes(base + structure.presence + number, &self.kept[from..])?;
        self.tape.mark_present(base, number);
        self.kept.truncate(from);
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
            Ty::I64 => {
                let value = self.input.i64()?;
                self.tape.set(slot, value as u64);
            }
            Ty::Double => {
                let bits = self.input.double()?;
                self.tape.set(slot, bits);
            }
            Ty::String => {
                let strict = self.strict_utf8;
                self.input.string(|string| {
                    if strict && std::str::from_utf8(string).is_err() {
                        return Err(Fail::Utf8);
                    }
                    Ok(self.tape.put_string(slot, string)?)
                })??;
            }
            Ty::Struct(index) => {
                let depth = deeper(depth, self.limit)?;
                let base = self.tape.alloc_struct(self.program.structure(*index).slots)?;
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
        self.tape.set(slot, low(small));
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
        let mut fits = true;
        if let Ty::Bool | Ty::I8 | Ty::I16 | Ty::I32 | Ty::I64 | Ty::Double = item.ty {
            self.input.run(item.wire, self.tape.slots_mut(first, list.count))?;
        } else {
            for n in 0..list.count {
                self.input.item()?;
                fits &= self.value(&item.ty, first + n, depth)?;
            }
        }
        self.input.end_list()?;
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
            self.input.key(n == 0)?;
            fits &= self.value(&key.ty, first + 2 * n, depth)?;
            self.input.value()?;
            fits &= self.value(&value.ty, first + 2 * n + 1, depth)?;
        }
        self.input.end_map()?;
        if fits {
            self.tape.point(slot, first, map.count as u32);
        }
        Ok(fits)
    }
}
