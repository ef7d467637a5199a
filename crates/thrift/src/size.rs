//! What a value of the out tape takes on the wire. Sizing walks everything that writing will walk, so it is also where a
//! tape or value that cannot be sent is refused, before a byte is written.

use volo_js_tape::{Malformed, OutTape};

use crate::encode::kept_error;
use crate::error::EncodeError;
use crate::limits::MAX_DEPTH;
use crate::program::{Item, Program, StructProgram, Ty};
use crate::transcode::check_kept;
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

/// What a struct takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size {
    /// Bytes on the wire.
    pub(crate) total: usize,
    /// Those of them that are lent, and so not written to the output.
    pub(crate) lent: usize,
}

/// Size of the struct with this index whose base is `base`.
#[inline]
pub(crate) fn size_struct(program: &Program, tape: &OutTape<'_>, index: u32, base: usize) -> Result<Size, EncodeError> {
    // Whoever calls says where the root is; all further places are checked as they are read.
    tape.run(base, 0)?;
    tape.mark();
    let mut sizer = Sizer { program, tape, total: 0, lent: 0, refusal: None };
    match sizer.structure(index, base, 1) {
        Ok(()) => Ok(Size { total: sizer.total, lent: sizer.lent }),
        Err(Refused) => Err(sizer.refusal.unwrap_or(EncodeError::TooLarge)),
    }
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

/// The value cannot be sent. The reason is kept aside, for it is large and every value may return this.
#[derive(Debug)]
pub(crate) struct Refused;

struct Sizer<'p, 't, 'a> {
    program: &'p Program,
    tape: &'t OutTape<'a>,
    total: usize,
    lent: usize,
    refusal: Option<EncodeError>,
}

impl Sizer<'_, '_, '_> {
    #[cold]
    fn refuse(&mut self, error: EncodeError) -> Refused {
        self.refusal = Some(error);
        Refused
    }

    /// What the tape or a check says, the reason kept if it is a refusal.
    #[inline]
    fn get<T>(&mut self, got: Result<T, impl Into<EncodeError>>) -> Result<T, Refused> {
        got.map_err(|error| self.refuse(error.into()))
    }

    /// Every step that may be repeated adds at least a byte, so the limit ends any walk, even of a tape that refers to one
    /// value many times.
    #[inline]
    fn add(&mut self, n: usize) -> Result<(), Refused> {
        self.total = self.total.saturating_add(n);
        if self.total > i32::MAX as usize { Err(self.refuse(EncodeError::TooLarge)) } else { Ok(()) }
    }

    fn structure(&mut self, index: u32, base: usize, depth: usize) -> Result<(), Refused> {
        if depth > MAX_DEPTH {
            return Err(self.refuse(EncodeError::DepthLimit(MAX_DEPTH)));
        }
        let structure = self.program.structure(index);
        let values = base + structure.presence;
        self.add(END)?;
        for (word, required) in structure.required.iter().enumerate() {
            let mut present = self.get(presence(self.tape, structure, base, word))?;
            let absent = required & !present;
            if absent != 0 {
                let (structure, field) = structure.missing(word, absent);
                return Err(self.refuse(EncodeError::MissingRequired { structure, field }));
            }
            while present != 0 {
                let number = word * 64 + present.trailing_zeros() as usize;
                present &= present - 1;
                self.add(FIELD)?;
                self.value(&structure.fields[number].ty, values + number, depth)?;
            }
        }
        if structure.keeps_unknown {
            self.kept(structure, base, depth)?;
        }
        Ok(())
    }

    /// Fields that the schema does not know. They are written as they are, so they have to be what was read.
    #[cold]
    fn kept(&mut self, structure: &StructProgram, base: usize, depth: usize) -> Result<(), Refused> {
        let number = structure.fields.len();
        if !self.get(self.tape.presence(base, number))? {
            return Ok(());
        }
        let fields = self.get(self.tape.bytes(base + structure.presence + number))?;
        check_kept(fields, depth).map_err(|fail| self.refuse(kept_error(fail)))?;
        self.add(fields.len())
    }

    #[inline]
    fn value(&mut self, ty: &Ty, slot: usize, depth: usize) -> Result<(), Refused> {
        let tape = self.tape;
        let size = match ty {
            Ty::Bool => self.get(tape.i32(slot)).map(|_| 1)?,
            Ty::I8 => {
                let value = self.get(tape.i32(slot))?;
                self.get(narrow::<i8>(value, "i8")).map(|_| 1)?
            }
            Ty::I16 => {
                let value = self.get(tape.i32(slot))?;
                self.get(narrow::<i16>(value, "i16")).map(|_| 2)?
            }
            Ty::I32 => self.get(tape.i32(slot)).map(|_| 4)?,
            Ty::I64 | Ty::Double => self.get(tape.u64(slot)).map(|_| 8)?,
            Ty::String => LENGTH + self.get(tape.str(slot))?.len(),
            Ty::Binary => {
                let len = self.get(tape.bytes(slot))?.len();
                if tape.lent(slot).is_some() {
                    self.lent += len;
                }
                LENGTH + len
            }
            Ty::Uuid => {
                let text = self.get(tape.str(slot))?;
                self.get(uuid::of_str(&text).ok_or(EncodeError::Uuid)).map(|_| 16)?
            }
            Ty::Struct(index) => {
                let (base, _) = self.get(tape.pointer(slot))?;
                return self.structure(*index, base, depth + 1);
            }
            Ty::List(item) => {
                let (first, count) = self.get(tape.pointer(slot))?;
                self.get(tape.run(first, count))?;
                self.add(LIST)?;
                return self.items(first, count, 1, item, item, depth + 1);
            }
            Ty::Map(pair) => {
                let (first, count) = self.get(tape.pointer(slot))?;
                let slots = count.saturating_mul(2);
                self.get(tape.run(first, slots))?;
                self.add(MAP)?;
                return self.items(first, slots, 2, &pair.0, &pair.1, depth + 1);
            }
        };
        self.add(size)
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
    ) -> Result<(), Refused> {
        if depth > MAX_DEPTH {
            return Err(self.refuse(EncodeError::DepthLimit(MAX_DEPTH)));
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
