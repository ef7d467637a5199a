//! What a value of the out tape takes on the wire. Sizing walks everything that writing will walk, so it is also where a tape or value
//! that cannot be sent is refused, before a byte is written.

use volo_js_tape::{Malformed, OutTape};

use crate::error::EncodeError;
use crate::limits::{MAX_DEPTH, MAX_MESSAGE};
use crate::program::{MessageProgram, Program, Shape};
use crate::reader::Reader;
use crate::ty::Ty;
use crate::wire::varint_len;

/// Sizes of the parts of a message, kept between sizing and writing so that none is computed twice however deep it lies. To be used again
/// for the next message: then encoding allocates nothing.
#[derive(Debug, Default)]
pub struct Sizes(pub(crate) Vec<u32>);

impl Sizes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Sizes that are kept allocated for the next message, at most.
const KEPT: usize = 1 << 14;

impl Sizes {
    fn start(&mut self) {
        self.0.clear();
        self.0.shrink_to(KEPT);
    }
}

/// Size of the message with this index whose base is `base`.
#[inline]
pub(crate) fn size_message(
    program: &Program,
    tape: &OutTape<'_>,
    index: u32,
    base: usize,
    sizes: &mut Sizes,
) -> Result<usize, EncodeError> {
    if program.known(index).is_none() {
        return Err(EncodeError::UnknownMessage(index));
    }
    // Whoever calls says where the root is; all further places are checked as they are read.
    tape.run(base, 0)?;
    tape.mark();
    sizes.start();
    let mut sizer = Sizer { program, tape, sizes: &mut sizes.0, total: 0, refusal: None };
    match sizer.message(index, base, 0) {
        Ok(()) => Ok(sizer.total),
        Err(Refused) => Err(sizer.refusal.unwrap_or(EncodeError::TooLarge)),
    }
}

/// Presence bits of the fields `64 * word` and up that exist.
#[inline]
pub(crate) fn presence(
    tape: &OutTape<'_>,
    message: &MessageProgram,
    base: usize,
    word: usize,
) -> Result<u64, Malformed> {
    let fields = message.tape_fields() - word * 64;
    let exist = if fields >= 64 { u64::MAX } else { (1 << fields) - 1 };
    Ok(tape.presence_word(base, word)? & exist)
}

/// The value cannot be sent. The reason is kept aside, for it is large and every value may return this.
#[derive(Debug)]
pub(crate) struct Refused;

struct Sizer<'p, 't, 'a, 's> {
    program: &'p Program,
    tape: &'t OutTape<'a>,
    sizes: &'s mut Vec<u32>,
    total: usize,
    refusal: Option<EncodeError>,
}

impl Sizer<'_, '_, '_, '_> {
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
        if self.total > MAX_MESSAGE { Err(self.refuse(EncodeError::TooLarge)) } else { Ok(()) }
    }

    /// A part with its length before it. The length is kept.
    #[inline]
    fn delimited(&mut self, part: impl FnOnce(&mut Self) -> Result<(), Refused>) -> Result<(), Refused> {
        let (at, before) = (self.sizes.len(), self.total);
        self.sizes.push(0);
        part(self)?;
        let length = self.total - before;
        self.sizes[at] = length as u32;
        self.add(varint_len(length as u64))
    }

    fn message(&mut self, index: u32, base: usize, depth: usize) -> Result<(), Refused> {
        if depth > MAX_DEPTH {
            return Err(self.refuse(EncodeError::DepthLimit(MAX_DEPTH)));
        }
        let message = self.program.message(index);
        let values = base + message.presence;
        for word in 0..message.presence {
            let mut present = self.get(presence(self.tape, message, base, word))?;
            let absent = message.required.get(word).map_or(0, |required| required & !present);
            if absent != 0 {
                let (message, field) = message.name_of(word * 64 + absent.trailing_zeros() as usize);
                return Err(self.refuse(EncodeError::MissingRequired { message, field }));
            }
            while present != 0 {
                let n = word * 64 + present.trailing_zeros() as usize;
                present &= present - 1;
                self.field(message, n, values + n, depth)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn field(&mut self, message: &MessageProgram, n: usize, slot: usize, depth: usize) -> Result<(), Refused> {
        let Some(field) = message.fields.get(n) else { return self.unknown(message, slot) };
        let key = field.key_len as usize;
        match field.shape {
            Shape::One => self.value(field.ty, slot, key, depth),
            Shape::Many => {
                let (first, count) = self.get(self.tape.pointer(slot))?;
                self.get(self.tape.run(first, count))?;
                for slot in first..first + count {
                    self.value(field.ty, slot, key, depth)?;
                }
                Ok(())
            }
            Shape::Packed => {
                let (first, count) = self.get(self.tape.pointer(slot))?;
                let slots = self.get(self.tape.run(first, count))?;
                if count == 0 {
                    return Ok(());
                }
                self.add(key)?;
                let ty = field.ty;
                self.delimited(|sizer| {
                    sizer.add(match ty {
                        Ty::Fixed32 | Ty::Float => 4 * count,
                        Ty::Fixed64 => 8 * count,
                        Ty::Bool => count,
                        ty => slots.iter().map(|slot| varint_len(ty.varint(*slot))).sum(),
                    })
                })
            }
            Shape::Map(keys) => {
                let (first, count) = self.get(self.tape.pointer(slot))?;
                self.get(self.tape.run(first, count.saturating_mul(2)))?;
                for pair in 0..count {
                    self.add(key)?;
                    self.delimited(|sizer| {
                        sizer.value(keys, first + 2 * pair, 1, depth + 1)?;
                        sizer.value(field.ty, first + 2 * pair + 1, 1, depth + 1)
                    })?;
                }
                Ok(())
            }
        }
    }

    /// A value with its key.
    #[inline]
    fn value(&mut self, ty: Ty, slot: usize, key: usize, depth: usize) -> Result<(), Refused> {
        let tape = self.tape;
        let size = match ty {
            Ty::String | Ty::Text => {
                let length = self.get(tape.str(slot))?.len();
                varint_len(length as u64) + length
            }
            Ty::Bytes => {
                let length = self.get(tape.bytes(slot))?.len();
                varint_len(length as u64) + length
            }
            Ty::Fixed32 | Ty::Float => self.get(tape.u64(slot)).map(|_| 4)?,
            Ty::Fixed64 => self.get(tape.u64(slot)).map(|_| 8)?,
            Ty::Message(index) => {
                let (base, _) = self.get(tape.pointer(slot))?;
                self.add(key)?;
                return self.delimited(|sizer| sizer.message(index, base, depth + 1));
            }
            Ty::Group(index) => {
                let (base, _) = self.get(tape.pointer(slot))?;
                self.add(2 * key)?;
                return self.message(index, base, depth + 1);
            }
            _ => varint_len(ty.varint(self.get(tape.u64(slot))?)),
        };
        self.add(key + size)
    }

    /// Unknown fields are sent as they are, so they have to be fields, except where nobody here reads the message.
    #[cold]
    fn unknown(&mut self, message: &MessageProgram, slot: usize) -> Result<(), Refused> {
        let bytes = self.get(self.tape.bytes(slot))?;
        let mut reader = Reader::new(if message.opaque { &[] } else { bytes });
        while !reader.is_empty() {
            let skipped = reader.key().and_then(|key| reader.skip(key, 0, MAX_DEPTH));
            if let Err(fail) = skipped {
                let error = EncodeError::UnknownFields { message: message.name.clone(), reason: fail.reason() };
                return Err(self.refuse(error));
            }
        }
        self.add(bytes.len())
    }
}
