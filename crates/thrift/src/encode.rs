//! Messages from the out tape.

use bytes::BytesMut;
use volo_js_tape::{Gap, OutTape};

use crate::error::{EncodeError, Fail};
use crate::exception::Exception;
use crate::head::MessageKind;
use crate::limits::MAX_DEPTH;
use crate::message::{Body, Head, Raw, append};
use crate::output::{Output, Written};
use crate::program::{Item, MethodProgram, Program, StructProgram, Ty};
use crate::size::{Refused, Size, narrow, presence, size_struct};
use crate::uuid;
use crate::wire_format::Wire;

/// Appends the answer to a call of this method; `body` is the base of the result struct. On an error `out` is as before.
///
/// What is written is the message and, where the wire has it [inside](Wire::inner), its length; a header around it is for
/// [`begin_frame`](crate::begin_frame). The same holds for all that write messages.
///
/// Tells how many bytes of the message are not in `out`: those of arrays that the tape [lends](OutTape::lend), which has noted gaps for them.
#[expect(
    clippy::too_many_arguments,
    reason = "what, whence and whereto; a struct of them would be built for one call only"
)]
pub fn encode_reply(
    program: &Program,
    method: u32,
    kind: MessageKind,
    sequence: i32,
    tape: &OutTape<'_>,
    body: usize,
    wire: Wire,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let method = find(program, method)?;
    let index = method.result.ok_or_else(|| EncodeError::NoReply(method.name.clone()))?;
    append(&Head { name: method.name.as_bytes(), kind, sequence }, &Source { program, index, tape, body }, wire, out)
}

/// Appends a call of this method; `body` is the base of the arguments struct. On an error `out` is as before.
pub fn encode_call(
    program: &Program,
    method: u32,
    sequence: i32,
    tape: &OutTape<'_>,
    body: usize,
    wire: Wire,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let method = find(program, method)?;
    let kind = if method.oneway { MessageKind::Oneway } else { MessageKind::Call };
    let source = Source { program, index: method.args, tape, body };
    append(&Head { name: method.name.as_bytes(), kind, sequence }, &source, wire, out)
}

/// Appends a `TApplicationException` as the answer to a call of the method with this name, which need not be known. On an
/// error `out` is as before.
pub fn encode_exception(
    name: &[u8],
    sequence: i32,
    kind: i32,
    message: &str,
    wire: Wire,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    append(&Head { name, kind: MessageKind::Exception, sequence }, &Exception { kind, message }, wire, out)
}

/// Appends a message whose struct is already encoded in the wire's protocol, and not looked at here. On an error `out` is as before.
pub fn encode_raw(
    name: &[u8],
    kind: MessageKind,
    sequence: i32,
    body: &[u8],
    wire: Wire,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    append(&Head { name, kind, sequence }, &Raw(body), wire, out)
}

fn find(program: &Program, method: u32) -> Result<&MethodProgram, EncodeError> {
    program.methods().get(method as usize).ok_or(EncodeError::UnknownMethod(method))
}

/// A struct on the tape.
struct Source<'p, 't, 'a> {
    program: &'p Program,
    index: u32,
    tape: &'t OutTape<'a>,
    body: usize,
}

impl Body for Source<'_, '_, '_> {
    #[inline]
    fn size(&self) -> Result<Size, EncodeError> {
        size_struct(self.program, self.tape, self.index, self.body)
    }

    #[inline]
    fn write<O: Output>(&self, output: &mut O) -> Result<usize, EncodeError> {
        if !O::SIZED {
            // Whoever calls says where the root is; all further places are checked as they are read.
            self.tape.run(self.body, 0)?;
            self.tape.mark();
        }
        let end = output.len().saturating_add(i32::MAX as usize);
        let mut encoder =
            Encoder { program: self.program, tape: self.tape, output, depth: 0, lent: 0, end, refusal: None };
        match encoder.structure(self.index, self.body) {
            Ok(()) => Ok(encoder.lent),
            Err(Refused) => Err(encoder.refusal.unwrap_or(EncodeError::TooLarge)),
        }
    }
}

/// Writes a struct. Of one that has been sized it checks again what it reads, and so refuses only what sizing refused; of another it checks
/// everything here.
struct Encoder<'p, 't, 'a, 'w, O> {
    program: &'p Program,
    tape: &'t OutTape<'a>,
    output: &'w mut O,
    /// Structs and containers that are open. Not counted where the struct has been sized.
    depth: usize,
    /// Bytes left out of the output.
    lent: usize,
    /// Where the output may end at most, or a single value later.
    end: usize,
    refusal: Option<EncodeError>,
}

impl<O: Output> Encoder<'_, '_, '_, '_, O> {
    #[cold]
    fn refuse(&mut self, error: EncodeError) -> Refused {
        self.refusal = Some(error);
        Refused
    }

    #[inline]
    fn get<T>(&mut self, got: Result<T, impl Into<EncodeError>>) -> Result<T, Refused> {
        got.map_err(|error| self.refuse(error.into()))
    }

    #[inline]
    fn put(&mut self, write: impl FnOnce(&mut O) -> Written) -> Result<(), Refused> {
        write(self.output).map_err(|error| self.refuse(error.into()))
    }

    /// One level down, where that has not been checked.
    #[inline]
    fn enter(&mut self) -> Result<(), Refused> {
        if O::SIZED {
            return Ok(());
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.refuse(EncodeError::DepthLimit(MAX_DEPTH))) } else { Ok(()) }
    }

    #[inline]
    fn leave(&mut self) {
        if !O::SIZED {
            self.depth -= 1;
        }
    }

    /// Every step that may be repeated writes at least a byte and comes by here, so the limit ends any walk, even of a tape that refers to one
    /// value many times.
    #[inline]
    fn bound(&mut self) -> Result<(), Refused> {
        if !O::SIZED && self.output.len() + self.lent > self.end {
            return Err(self.refuse(EncodeError::TooLarge));
        }
        Ok(())
    }

    /// Checks that all required fields are there, where that has not been done.
    #[inline]
    fn complete(&mut self, structure: &StructProgram, word: usize, present: u64) -> Result<(), Refused> {
        let absent = if O::SIZED { 0 } else { structure.required[word] & !present };
        if absent == 0 {
            return Ok(());
        }
        let (structure, field) = structure.missing(word, absent);
        Err(self.refuse(EncodeError::MissingRequired { structure, field }))
    }

    fn structure(&mut self, index: u32, base: usize) -> Result<(), Refused> {
        self.enter()?;
        let structure = self.program.structure(index);
        let values = base + structure.presence;
        let mut scope = O::Scope::default();
        for word in 0..structure.presence {
            let mut present = self.get(presence(self.tape, structure, base, word))?;
            self.complete(structure, word, present)?;
            while present != 0 {
                let number = word * 64 + present.trailing_zeros() as usize;
                present &= present - 1;
                let field = &structure.fields[number];
                self.put(|to| to.field(&mut scope, field.ttype, field.id))?;
                self.value(&field.ty, values + number)?;
                self.bound()?;
            }
        }
        if structure.keeps_unknown {
            self.kept(&mut scope, structure, base)?;
        }
        self.leave();
        self.put(|to| to.stop(&mut scope))
    }

    /// Fields that the schema does not know.
    #[cold]
    fn kept(&mut self, scope: &mut O::Scope, structure: &StructProgram, base: usize) -> Result<(), Refused> {
        let number = structure.fields.len();
        if !self.get(self.tape.presence(base, number))? {
            return Ok(());
        }
        let fields = self.get(self.tape.bytes(base + structure.presence + number))?;
        self.output.kept(scope, fields, self.depth).map_err(|fail| self.refuse(kept_error(fail)))
    }

    #[inline]
    fn value(&mut self, ty: &Ty, slot: usize) -> Result<(), Refused> {
        let tape = self.tape;
        match ty {
            Ty::Bool => {
                let value = self.get(tape.i32(slot))?;
                self.put(|to| to.bool(value != 0))
            }
            Ty::I8 => {
                let value = self.get(tape.i32(slot))?;
                let value = self.get(narrow(value, "i8"))?;
                self.put(|to| to.i8(value))
            }
            Ty::I16 => {
                let value = self.get(tape.i32(slot))?;
                let value = self.get(narrow(value, "i16"))?;
                self.put(|to| to.i16(value))
            }
            Ty::I32 => {
                let value = self.get(tape.i32(slot))?;
                self.put(|to| to.i32(value))
            }
            Ty::I64 => {
                let value = self.get(tape.u64(slot))?;
                self.put(|to| to.i64(value as i64))
            }
            Ty::Double => {
                let bits = self.get(tape.u64(slot))?;
                self.put(|to| to.double(bits))
            }
            Ty::String => {
                let string = self.get(tape.str(slot))?;
                self.put(|to| to.string(string))
            }
            Ty::Binary => {
                let binary = self.get(tape.bytes(slot))?;
                if O::LENDS
                    && let Some(array) = tape.lent(slot)
                {
                    self.put(|to| to.length(binary.len()))?;
                    tape.leave_gap(Gap { at: self.output.len(), array, len: binary.len() });
                    self.lent += binary.len();
                    return Ok(());
                }
                self.put(|to| to.binary(binary))
            }
            Ty::Uuid => {
                let text = self.get(tape.str(slot))?;
                let uuid = self.get(uuid::of_str(&text).ok_or(EncodeError::Uuid))?;
                self.put(|to| to.uuid(uuid))
            }
            Ty::Struct(index) => {
                let (base, _) = self.get(tape.pointer(slot))?;
                self.structure(*index, base)
            }
            Ty::List(item) => self.list(item, slot),
            Ty::Map(pair) => self.map(&pair.0, &pair.1, slot),
        }
    }

    /// A list or set: they are the same but for the head of their field.
    fn list(&mut self, item: &Item, slot: usize) -> Result<(), Refused> {
        self.enter()?;
        let (first, count) = self.get(self.tape.pointer(slot))?;
        let slots = self.get(self.tape.run(first, count))?;
        self.put(|to| to.list(item.ttype, count))?;
        if let Ty::Bool | Ty::I32 | Ty::I64 | Ty::Double = item.ty {
            self.put(|to| to.run(item.ttype, slots))?;
        } else {
            for slot in first..first + count {
                self.output.item();
                self.value(&item.ty, slot)?;
                self.bound()?;
            }
        }
        self.output.end_list();
        self.leave();
        Ok(())
    }

    fn map(&mut self, key: &Item, value: &Item, slot: usize) -> Result<(), Refused> {
        self.enter()?;
        let (first, count) = self.get(self.tape.pointer(slot))?;
        self.get(self.tape.run(first, count.saturating_mul(2)))?;
        self.put(|to| to.map(key.ttype, value.ttype, count))?;
        for pair in 0..count {
            self.output.key(pair == 0);
            self.value(&key.ty, first + 2 * pair)?;
            self.output.value();
            self.value(&value.ty, first + 2 * pair + 1)?;
            self.bound()?;
        }
        self.output.end_map();
        self.leave();
        Ok(())
    }
}

/// Why what a struct keeps cannot be written.
#[cold]
pub(crate) fn kept_error(fail: Fail) -> EncodeError {
    match fail {
        Fail::Malformed(why) => EncodeError::Kept(why),
        Fail::Depth => EncodeError::DepthLimit(MAX_DEPTH),
        _ => EncodeError::TooLarge,
    }
}
