//! Messages onto the in tape.

use volo_js_tape::{ASCII, Full, IN_BYTES, Message};

use crate::error::{DecodeError, Fail};
use crate::limits::{Limits, MAX_MESSAGE};
use crate::program::{MessageProgram, NONE, Program, Shape};
use crate::reader::{Key, Reader, deeper};
use crate::required;
use crate::runs::Pointers;
use crate::ty::Ty;
use crate::wire;

/// Lays the message with this index onto the tape, behind what has been allocated of it. Returns the base of its struct. `bytes` is one
/// message and nothing else.
///
/// Of a field that comes twice, and of several members of a oneof, the last counts, but messages are merged and lists joined. Repeated
/// fields are read packed and unpacked. All pairs of a map are there, also those with the same key. Fields that the schema does not know, of
/// another wire type than it says, or with a number that a closed enum does not name are kept as unknown. An opaque message is not looked at: all of
/// it is kept as unknown.
///
/// On an error the tape's message is to be dropped; after [`DecodeError::Full`] the same bytes can be decoded again onto another tape.
///
/// # Panics
/// If the program has no such message.
#[inline]
pub fn decode_message(
    program: &Program,
    index: u32,
    bytes: &[u8],
    limits: &Limits,
    message: &mut Message<'_>,
) -> Result<usize, DecodeError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(DecodeError::TooLarge(bytes.len()));
    }
    let mut decoder = Decoder {
        program,
        tape: message,
        start: bytes.as_ptr() as usize,
        limit: limits.allowed_depth(),
        unsettled: 0,
        incomplete: false,
        culprit: None,
    };
    decoder.root(index, bytes).map_err(|fail| decoder.explain(fail)).and_then(|base| decoder.complete(index, base))
}

pub(crate) struct Decoder<'p, 't, 'm> {
    program: &'p Program,
    pub(crate) tape: &'t mut Message<'m>,
    /// Address of the input's first byte.
    pub(crate) start: usize,
    limit: usize,
    /// A list of messages with unknown fields: slot of the last one's node, 0 if there is none.
    pub(crate) unsettled: usize,
    /// Some part of a message lacked a required field.
    incomplete: bool,
    /// The message and field whose string is not UTF-8.
    culprit: Option<(u32, usize)>,
}

/// What has become of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Took {
    /// It has a value now.
    Value,
    /// It came, but brought no value: an empty list.
    Nothing,
    /// It is none that the schema knows. The reader may be anywhere in it.
    Unknown,
}

/// The message being read.
struct Open<'p> {
    message: &'p MessageProgram,
    base: usize,
    /// Presence bits of the first 64 fields, which is nearly always all. They are written once.
    present: u64,
    depth: usize,
}

impl Open<'_> {
    #[inline]
    fn slot(&self, n: usize) -> usize {
        self.base + self.message.presence + n
    }

    #[inline]
    fn has(&self, tape: &Message<'_>, n: usize) -> bool {
        let word = if n < 64 { self.present } else { tape.presence_word(self.base, n / 64) };
        word >> (n % 64) & 1 == 1
    }

    #[inline]
    fn mark(&mut self, tape: &mut Message<'_>, n: usize) {
        if n < 64 {
            self.present |= 1 << n;
        } else {
            tape.mark_present(self.base, n);
        }
    }

    /// Takes away the members of a oneof.
    #[inline]
    fn clear(&mut self, tape: &mut Message<'_>, oneof: u16) {
        let members = &self.message.oneofs[oneof as usize];
        self.present &= !members[0];
        for (n, members) in members.iter().enumerate().skip(1) {
            let word = tape.presence_word(self.base, n);
            tape.set_presence_word(self.base, n, word & !members);
        }
    }
}

impl Decoder<'_, '_, '_> {
    #[cold]
    fn explain(&self, fail: Fail) -> DecodeError {
        match (fail, self.culprit) {
            (Fail::Full, _) => DecodeError::Full(Full),
            (Fail::SlotLimit, _) => DecodeError::SlotLimit,
            (Fail::Depth, _) => DecodeError::DepthLimit(self.limit),
            (Fail::Malformed(what), _) => DecodeError::Malformed(what),
            (Fail::Utf8, Some((index, field))) => {
                let (message, field) = self.program.message(index).name_of(field);
                DecodeError::Utf8 { message, field }
            }
            (Fail::Utf8, None) => DecodeError::Malformed("a string is not valid UTF-8"),
        }
    }

    #[inline]
    fn complete(&self, index: u32, base: usize) -> Result<usize, DecodeError> {
        if self.incomplete
            && let Some((index, field)) = required::missing(self.program, self.tape, index, base)
        {
            let (message, field) = self.program.message(index).name_of(field);
            return Err(DecodeError::MissingRequired { message, field });
        }
        Ok(base)
    }

    #[inline]
    fn root(&mut self, index: u32, bytes: &[u8]) -> Result<usize, Fail> {
        let base = self.empty(index)?;
        let message = self.program.message(index);
        if message.opaque {
            self.tape.put_bytes(base + message.presence, bytes)?;
            self.tape.mark_present(base, 0);
            return Ok(base);
        }
        self.message(index, base, &mut Reader::new(bytes), 0, 0)?;
        if self.unsettled != 0 {
            self.settle(bytes)?;
        }
        Ok(base)
    }

    /// A message without fields.
    #[inline]
    fn empty(&mut self, index: u32) -> Result<usize, Fail> {
        Ok(self.tape.alloc_struct(self.program.message(index).tape_fields())?)
    }

    /// Reads a message of this depth into the slots at `base`, where earlier parts of it may be already: to the end of the input, or
    /// if `group` is not 0 to the end of the group with that number.
    fn message(
        &mut self,
        index: u32,
        base: usize,
        input: &mut Reader<'_>,
        group: u32,
        depth: usize,
    ) -> Result<(), Fail> {
        let message = self.program.message(index);
        let mut open = Open { message, base, present: self.tape.presence_word(base, 0), depth };
        while !input.is_empty() {
            let start = input.rest;
            let key = input.key()?;
            if let Some(n) = message.find(key.number()) {
                let field = &message.fields[n];
                let took = match field.shape {
                    Shape::One if key.wire() == field.wire => {
                        let (slot, begun) = (open.slot(n), open.has(self.tape, n));
                        self.value(field.ty, slot, begun, input, key.number(), depth)
                    }
                    Shape::Many | Shape::Packed => self.many(&mut open, n, input, key, start),
                    Shape::Map(keys) if key.wire() == wire::LEN => self.pair(&open, n, keys, input, start),
                    Shape::One | Shape::Map(_) => Ok(Took::Unknown),
                };
                match took {
                    Ok(Took::Value) => {
                        if field.oneof != NONE {
                            open.clear(self.tape, field.oneof);
                        }
                        open.mark(self.tape, n);
                        continue;
                    }
                    Ok(Took::Nothing) => continue,
                    Ok(Took::Unknown) => {
                        *input = Reader::new(start);
                        input.key()?;
                    }
                    Err(fail) => return Err(self.blame(fail, index, n)),
                }
            }
            if key.wire() == wire::END && key.number() == group {
                self.close(&open);
                return Ok(());
            }
            input.skip(key, depth, self.limit)?;
            let part = &start[..start.len() - input.rest.len()];
            self.stranger(&mut open, |decoder, slot, begun| decoder.keep(slot, begun, part))?;
        }
        if group != 0 {
            return Err(Fail::Malformed(&"a group does not end"));
        }
        self.close(&open);
        Ok(())
    }

    #[inline]
    fn close(&mut self, open: &Open<'_>) {
        self.tape.set_presence_word(open.base, 0, open.present);
        for (word, required) in open.message.required.iter().enumerate() {
            self.incomplete |= required & !self.tape.presence_word(open.base, word) != 0;
        }
    }

    /// Notes whose string it was: the innermost message that fails says so first.
    #[cold]
    fn blame(&mut self, fail: Fail, index: u32, field: usize) -> Fail {
        self.culprit.get_or_insert((index, field));
        fail
    }

    /// Adds to a message's unknown fields.
    fn stranger(
        &mut self,
        open: &mut Open<'_>,
        keep: impl FnOnce(&mut Self, usize, bool) -> Result<(), Fail>,
    ) -> Result<(), Fail> {
        let last = open.message.fields.len();
        keep(self, open.slot(last), open.has(self.tape, last))?;
        open.mark(self.tape, last);
        Ok(())
    }

    /// Reads a value into a slot, which holds an earlier one if `begun`. `number` is its field's.
    #[expect(
        clippy::inline_always,
        reason = "it is small, and the result of a call of its own would cost more than it does"
    )]
    #[inline(always)]
    fn value(
        &mut self,
        ty: Ty,
        slot: usize,
        begun: bool,
        input: &mut Reader<'_>,
        number: u32,
        depth: usize,
    ) -> Result<Took, Fail> {
        match ty {
            Ty::Int64 => {
                let value = input.varint()?;
                self.tape.set(slot, value);
            }
            Ty::String => {
                let string = input.delimited()?;
                self.tape.put_string(slot, string)?;
                // What is flagged as ASCII, or lies in the text, needs no second look.
                let flags = (self.tape.get(slot) >> 32) as u32 & (IN_BYTES | ASCII);
                if flags == IN_BYTES && std::str::from_utf8(string).is_err() {
                    return Err(Fail::Utf8);
                }
            }
            Ty::Message(index) => {
                let depth = deeper(depth, self.limit)?;
                let mut inner = Reader::new(input.delimited()?);
                let base = self.part(index, slot, begun)?;
                self.message(index, base, &mut inner, 0, depth)?;
            }
            _ => return self.rarer(ty, slot, begun, input, number, depth),
        }
        Ok(Took::Value)
    }

    /// What is not worth its code at every place that reads a value.
    fn rarer(
        &mut self,
        ty: Ty,
        slot: usize,
        begun: bool,
        input: &mut Reader<'_>,
        number: u32,
        depth: usize,
    ) -> Result<Took, Fail> {
        match ty {
            Ty::Fixed32 => {
                let value = input.fixed32()?;
                self.tape.set(slot, u64::from(value));
            }
            Ty::Float => {
                let value = input.fixed32()?;
                self.tape.set(slot, widen(value));
            }
            // A double travels as its bits: through a float register the payload of a NaN may change.
            Ty::Fixed64 => {
                let value = input.fixed64()?;
                self.tape.set(slot, value);
            }
            Ty::Text => {
                let string = input.delimited()?;
                self.tape.put_string(slot, string)?;
            }
            Ty::Bytes => {
                let bytes = input.delimited()?;
                self.tape.put_bytes(slot, bytes)?;
            }
            Ty::Group(index) => {
                let depth = deeper(depth, self.limit)?;
                let base = self.part(index, slot, begun)?;
                self.message(index, base, input, number, depth)?;
            }
            Ty::Closed(named) => {
                let value = input.varint()?;
                if !self.program.names(named, value as i32) {
                    return Ok(Took::Unknown);
                }
                self.tape.set(slot, ty.slot(value));
            }
            Ty::String | Ty::Message(_) => return self.value(ty, slot, begun, input, number, depth),
            Ty::Bool | Ty::Int32 | Ty::Uint32 | Ty::Sint32 | Ty::Int64 | Ty::Sint64 => {
                let value = input.varint()?;
                self.tape.set(slot, ty.slot(value));
            }
        }
        Ok(Took::Value)
    }

    /// Where a message goes whose slot this is: what is there already if it has `begun`, otherwise a new one.
    #[inline]
    fn part(&mut self, index: u32, slot: usize, begun: bool) -> Result<usize, Fail> {
        if begun {
            return Ok(self.tape.target(slot).0);
        }
        let base = self.empty(index)?;
        self.tape.point(slot, base, 0);
        Ok(base)
    }

    /// Adds to a repeated field. `start` is the input from the field's key on.
    fn many(
        &mut self,
        open: &mut Open<'_>,
        n: usize,
        input: &mut Reader<'_>,
        key: Key,
        start: &[u8],
    ) -> Result<Took, Fail> {
        let field = &open.message.fields[n];
        if key.wire() != field.wire {
            let packed = key.wire() == wire::LEN && field.ty.packable();
            return if packed { self.packed(open, n, input) } else { Ok(Took::Unknown) };
        }
        let (slot, begun) = (open.slot(n), open.has(self.tape, n));
        let pointers = if field.ty.points() { Pointers::All } else { Pointers::None };
        let ahead = || if field.wire == wire::LEN { stretch(input, start) } else { 1 };
        let at = self.place(slot, begun, 1, pointers, ahead)?;
        let took = self.value(field.ty, at, false, input, key.number(), open.depth)?;
        if took == Took::Value {
            self.count(slot, 1);
        }
        Ok(took)
    }

    /// Adds what lies behind one key to a repeated field.
    fn packed(&mut self, open: &mut Open<'_>, n: usize, input: &mut Reader<'_>) -> Result<Took, Fail> {
        let field = &open.message.fields[n];
        let (slot, begun) = (open.slot(n), open.has(self.tape, n));
        let bytes = input.delimited()?;
        let count = match field.wire {
            wire::FIXED32 if bytes.len() % 4 == 0 => bytes.len() / 4,
            wire::FIXED64 if bytes.len() % 8 == 0 => bytes.len() / 8,
            // Every varint has one byte that ends it.
            wire::VARINT => bytes.iter().filter(|byte| **byte < 0x80).count(),
            _ => return Err(Fail::Malformed(&"a packed field ends within a value")),
        };
        if bytes.is_empty() {
            return Ok(Took::Nothing);
        }
        let at = self.enlarge(slot, begun, 1, Pointers::None, count)?;
        let slots = self.tape.slots_mut(at, count);
        let mut taken = count;
        match field.ty {
            Ty::Fixed64 => {
                for (slot, bytes) in slots.iter_mut().zip(bytes.as_chunks().0) {
                    *slot = u64::from_le_bytes(*bytes);
                }
            }
            Ty::Fixed32 => {
                for (slot, bytes) in slots.iter_mut().zip(bytes.as_chunks().0) {
                    *slot = u64::from(u32::from_le_bytes(*bytes));
                }
            }
            Ty::Float => {
                for (slot, bytes) in slots.iter_mut().zip(bytes.as_chunks().0) {
                    *slot = widen(u32::from_le_bytes(*bytes));
                }
            }
            Ty::Closed(named) => taken = self.packed_numbers(open, field.number(), named, at, bytes)?,
            ty => {
                let mut inner = Reader::new(bytes);
                for slot in slots {
                    *slot = ty.slot(inner.varint()?);
                }
                if !inner.is_empty() {
                    return Err(Fail::Malformed(&"a packed field ends within a value"));
                }
            }
        }
        self.count(slot, taken);
        Ok(if taken > 0 { Took::Value } else { Took::Nothing })
    }

    /// Reads numbers of a closed enum into the slots from `at` on, keeping those it does not name. Returns how many it does.
    fn packed_numbers(
        &mut self,
        open: &mut Open<'_>,
        number: u32,
        named: u32,
        at: usize,
        bytes: &[u8],
    ) -> Result<usize, Fail> {
        let (mut inner, mut taken) = (Reader::new(bytes), 0);
        while !inner.is_empty() {
            let value = inner.varint()? as i32;
            if self.program.names(named, value) {
                self.tape.set_i32(at + taken, value, 0);
                taken += 1;
            } else {
                self.stranger(open, |decoder, slot, begun| decoder.keep_number(slot, begun, number, value))?;
            }
        }
        Ok(taken)
    }

    /// Adds to a map. `start` is the input from the field's key on.
    fn pair(
        &mut self,
        open: &Open<'_>,
        n: usize,
        keys: Ty,
        input: &mut Reader<'_>,
        start: &[u8],
    ) -> Result<Took, Fail> {
        let field = &open.message.fields[n];
        let (slot, begun) = (open.slot(n), open.has(self.tape, n));
        let pointers = if field.ty.points() { Pointers::Odd } else { Pointers::None };
        let at = self.place(slot, begun, 2, pointers, || stretch(input, start))?;
        // All bits 0 are zero, and empty.
        self.tape.slots_mut(at, 2).fill(0);
        let depth = deeper(open.depth, self.limit)?;
        let mut entry = Reader::new(input.delimited()?);
        let mut value = Took::Nothing;
        while !entry.is_empty() {
            let key = entry.key()?;
            if key.number() == 1 && key.wire() == keys.wire() {
                self.value(keys, at, false, &mut entry, 1, depth)?;
            } else if key.number() == 2 && key.wire() == field.ty.wire() {
                value = self.value(field.ty, at + 1, value == Took::Value, &mut entry, 2, depth)?;
            } else {
                entry.skip(key, depth, self.limit)?;
            }
        }
        if value == Took::Unknown {
            return Ok(value);
        }
        if let (Took::Nothing, Ty::Closed(named)) = (value, field.ty) {
            // Such an enum need not have a zero.
            self.tape.set_i32(at + 1, self.program.first(named), 0);
        }
        if let (Took::Nothing, Ty::Message(index)) = (value, field.ty) {
            let base = self.part(index, at + 1, false)?;
            self.message(index, base, &mut Reader::new(&[]), 0, depth)?;
        }
        self.count(slot, 1);
        Ok(Took::Value)
    }
}

/// How many fields follow one another that begin as `start` does, `input` being behind the first one's key.
fn stretch(input: &Reader<'_>, start: &[u8]) -> usize {
    input.stretch(&start[..start.len() - input.rest.len()])
}

/// A float as a double.
#[inline]
fn widen(bits: u32) -> u64 {
    f64::from(f32::from_bits(bits)).to_bits()
}
