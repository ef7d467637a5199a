//! What a value of the out tape takes on the wire. Sizing walks everything that writing will walk, so it is also where a
//! tape or value that cannot be sent is refused, before a byte is written.

use volo_js_tape::{Malformed, OutTape};

use crate::error::EncodeError;
use crate::limits::MAX_DEPTH;
use crate::program::{Item, Program, StructProgram, Ty};
use crate::{uuid, wire};

/// Bytes of a field's type and id.
const FIELD: usize = 3;
/// Bytes of the end of a struct.
const END: usize = 1;
/// Bytes of a length.
const LENGTH: usize = 4;
/// Bytes of the head of a list or set.
const LIST: usize = 5;
/// Bytes of the head of a map.
const MAP: usize = 6;

/// Size of the struct with this index whose base is `base`.
#[inline]
pub(crate) fn size_struct(
    program: &Program,
    tape: &OutTape<'_>,
    index: u32,
    base: usize,
) -> Result<usize, EncodeError> {
    // Whoever calls says where the root is; all further places are checked as they are read.
    tape.run(base, 0)?;
    let mut sizer = Sizer { program, tape, total: 0 };
    sizer.structure(index, base, 1)?;
    Ok(sizer.total)
}

/// A number on the tape whose type is narrower than the slot.
#[inline]
pub(crate) fn narrow<T: TryFrom<i32>>(value: i32, ty: &'static str) -> Result<T, EncodeError> {
    T::try_from(value).map_err(|_| EncodeError::OutOfRange { value, ty })
}

/// Presence bits of the fields `64 * word` and up that exist.
#[inline]
pub(crate) fn presence(
    tape: &OutTape<'_>,
    structure: &StructProgram,
    base: usize,
    word: usize,
) -> Result<u64, Malformed> {
    let fields = structure.fields.len() - word * 64;
    let exist = if fields >= 64 { u64::MAX } else { (1 << fields) - 1 };
    Ok(tape.presence_word(base, word)? & exist)
}

struct Sizer<'p, 't, 'a> {
    program: &'p Program,
    tape: &'t OutTape<'a>,
    total: usize,
}

impl Sizer<'_, '_, '_> {
    /// Every step that may be repeated adds at least a byte, so the limit ends any walk, even of a tape that refers to one
    /// value many times.
    #[inline]
    fn add(&mut self, n: usize) -> Result<(), EncodeError> {
        self.total = self.total.saturating_add(n);
        if self.total > i32::MAX as usize { Err(EncodeError::TooLarge) } else { Ok(()) }
    }

    fn structure(&mut self, index: u32, base: usize, depth: usize) -> Result<(), EncodeError> {
        if depth > MAX_DEPTH {
            return Err(EncodeError::DepthLimit(MAX_DEPTH));
        }
        let structure = self.program.structure(index);
        let values = base + structure.presence;
        self.add(END)?;
        for (word, required) in structure.required.iter().enumerate() {
            let mut present = presence(self.tape, structure, base, word)?;
            let absent = required & !present;
            if absent != 0 {
                let (structure, field) = structure.missing(word, absent);
                return Err(EncodeError::MissingRequired { structure, field });
            }
            while present != 0 {
                let number = word * 64 + present.trailing_zeros() as usize;
                present &= present - 1;
                self.add(FIELD)?;
                self.value(&structure.fields[number].ty, values + number, depth)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn value(&mut self, ty: &Ty, slot: usize, depth: usize) -> Result<(), EncodeError> {
        match ty {
            Ty::Bool => {
                self.tape.i32(slot)?;
                self.add(1)
            }
            Ty::I8 => {
                narrow::<i8>(self.tape.i32(slot)?, "i8")?;
                self.add(1)
            }
            Ty::I16 => {
                narrow::<i16>(self.tape.i32(slot)?, "i16")?;
                self.add(2)
            }
            Ty::I32 => {
                self.tape.i32(slot)?;
                self.add(4)
            }
            Ty::I64 | Ty::Double => {
                self.tape.u64(slot)?;
                self.add(8)
            }
            Ty::String => self.add(LENGTH + self.tape.str(slot)?.len()),
            Ty::Binary => self.add(LENGTH + self.tape.bytes(slot)?.len()),
            Ty::Uuid => {
                let text = self.tape.str(slot)?;
                if text.lead || text.trail || uuid::from_text(text.middle).is_none() {
                    return Err(EncodeError::Uuid);
                }
                self.add(16)
            }
            Ty::Struct(index) => {
                let (base, _) = self.tape.pointer(slot)?;
                self.structure(*index, base, depth + 1)
            }
            Ty::List(item) => {
                let (first, count) = self.tape.pointer(slot)?;
                self.tape.run(first, count)?;
                self.add(LIST)?;
                self.items(first, count, 1, item, item, depth + 1)
            }
            Ty::Map(pair) => {
                let (first, count) = self.tape.pointer(slot)?;
                let slots = count.saturating_mul(2);
                self.tape.run(first, slots)?;
                self.add(MAP)?;
                self.items(first, slots, 2, &pair.0, &pair.1, depth + 1)
            }
        }
    }

    /// `slots` slots of a container, of the types `even` and `odd` by turns (`step` 2) or all of `even` (`step` 1).
    fn items(
        &mut self,
        first: usize,
        slots: usize,
        step: usize,
        even: &Item,
        odd: &Item,
        depth: usize,
    ) -> Result<(), EncodeError> {
        if depth > MAX_DEPTH {
            return Err(EncodeError::DepthLimit(MAX_DEPTH));
        }
        if step == 1
            && let Some(size) = uniform(even)
        {
            return self.add(slots * size);
        }
        let mut slot = first;
        while slot < first + slots {
            self.value(&even.ty, slot, depth)?;
            if step == 2 {
                self.value(&odd.ty, slot + 1, depth)?;
            }
            slot += step;
        }
        Ok(())
    }
}

/// Bytes of every value of this type, if there is nothing to check about one.
fn uniform(item: &Item) -> Option<usize> {
    match item.ty {
        Ty::Bool | Ty::I32 | Ty::I64 | Ty::Double => wire::fixed(item.wire),
        _ => None,
    }
}
