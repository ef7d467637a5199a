//! Messages from the out tape.

use bytes::{BufMut, BytesMut};
use pilota::thrift::binary::TBinaryProtocol;
use pilota::thrift::{
    TListIdentifier, TMapIdentifier, TMessageIdentifier, TMessageType, TOutputProtocol, TType, ThriftException,
};
use volo_js_tape::OutTape;

use crate::error::EncodeError;
use crate::frame::Transport;
use crate::head::MessageKind;
use crate::program::{Item, MethodProgram, Program, Ty};
use crate::size::{Refused, narrow, presence, size_struct};
use crate::{uuid, wire};

/// Bytes of version, name length and sequence number.
const HEAD: usize = 12;

/// Bytes [`encode_reply`] would write.
pub fn reply_len(
    program: &Program,
    method: u32,
    tape: &OutTape<'_>,
    body: usize,
    transport: Transport,
) -> Result<usize, EncodeError> {
    let source = Source::reply(program, method, tape, body)?;
    frame(source.size()?, transport)
}

/// Appends the answer to a call of this method; `body` is the base of the result struct. On an error `out` is as before.
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
    transport: Transport,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    Source::reply(program, method, tape, body)?.encode(kind, sequence, transport, out)
}

/// Appends a call of this method; `body` is the base of the arguments struct. On an error `out` is as before.
pub fn encode_call(
    program: &Program,
    method: u32,
    sequence: i32,
    tape: &OutTape<'_>,
    body: usize,
    transport: Transport,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let method = find(program, method)?;
    let kind = if method.oneway { MessageKind::Oneway } else { MessageKind::Call };
    Source { program, method, index: method.args, tape, body }.encode(kind, sequence, transport, out)
}

/// Appends a `TApplicationException` as the answer to a call of the method with this name, which need not be known. On an
/// error `out` is as before.
pub fn encode_exception(
    name: &[u8],
    sequence: i32,
    kind: i32,
    message: &str,
    transport: Transport,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let size = HEAD + name.len() + (3 + 4 + message.len()) + (3 + 4) + 1;
    let total = frame(size, transport)?;
    append(out, total, |writer| {
        if transport == Transport::Framed {
            writer.write_i32(size as i32)?;
        }
        // A name nobody knows may be anything, so not the string Pilota asks for.
        writer.write_i32((wire::VERSION | MessageKind::Exception as u32) as i32)?;
        writer.write_bytes_vec(name)?;
        writer.write_i32(sequence)?;
        writer.write_field_begin(TType::Binary, 1)?;
        writer.write_string(message)?;
        writer.write_field_begin(TType::I32, 2)?;
        writer.write_i32(kind)?;
        writer.write_field_stop()?;
        Ok(())
    })
}

fn find(program: &Program, method: u32) -> Result<&MethodProgram, EncodeError> {
    program.methods().get(method as usize).ok_or(EncodeError::UnknownMethod(method))
}

/// The struct a message is made of.
struct Source<'p, 't, 'a> {
    program: &'p Program,
    method: &'p MethodProgram,
    index: u32,
    tape: &'t OutTape<'a>,
    body: usize,
}

impl<'p, 't, 'a> Source<'p, 't, 'a> {
    fn reply(program: &'p Program, method: u32, tape: &'t OutTape<'a>, body: usize) -> Result<Self, EncodeError> {
        let method = find(program, method)?;
        let index = method.result.ok_or_else(|| EncodeError::NoReply(method.name.clone()))?;
        Ok(Self { program, method, index, tape, body })
    }

    /// Size of the message, without what frames it.
    fn size(&self) -> Result<usize, EncodeError> {
        Ok(HEAD + self.method.name.len() + size_struct(self.program, self.tape, self.index, self.body)?)
    }

    fn encode(
        &self,
        kind: MessageKind,
        sequence: i32,
        transport: Transport,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let size = self.size()?;
        append(out, frame(size, transport)?, |writer| {
            if transport == Transport::Framed {
                writer.write_i32(size as i32)?;
            }
            let head = TMessageIdentifier::new(self.method.name.clone(), message_type(kind), sequence);
            writer.write_message_begin(&head)?;
            let mut encoder = Encoder { program: self.program, tape: self.tape, output: writer, refusal: None };
            encoder.structure(self.index, self.body).map_err(|Refused| encoder.refusal.unwrap_or(EncodeError::TooLarge))
        })
    }
}

/// Size of a message of `size` bytes with what frames it.
fn frame(size: usize, transport: Transport) -> Result<usize, EncodeError> {
    if size > i32::MAX as usize {
        return Err(EncodeError::TooLarge);
    }
    Ok(match transport {
        Transport::Framed => 4 + size,
        Transport::Buffered => size,
    })
}

fn message_type(kind: MessageKind) -> TMessageType {
    match kind {
        MessageKind::Call => TMessageType::Call,
        MessageKind::Reply => TMessageType::Reply,
        MessageKind::Exception => TMessageType::Exception,
        MessageKind::Oneway => TMessageType::OneWay,
    }
}

type Writer<'o> = TBinaryProtocol<&'o mut BytesMut>;

/// Reserves `total` bytes, has them written, and takes them back if that fails.
#[inline]
fn append(
    out: &mut BytesMut,
    total: usize,
    write: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let before = out.len();
    out.reserve(total);
    let written = write(&mut TBinaryProtocol::new(&mut *out, false));
    if written.is_err() {
        out.truncate(before);
    }
    debug_assert!(written.is_err() || out.len() == before + total, "the size was computed right");
    written
}

impl From<ThriftException> for EncodeError {
    #[cold]
    fn from(error: ThriftException) -> Self {
        Self::Write(error.to_string())
    }
}

/// Writes what has been sized. It checks again what it reads, and so refuses only what sizing refused.
struct Encoder<'p, 't, 'a, 'w, 'o> {
    program: &'p Program,
    tape: &'t OutTape<'a>,
    output: &'w mut Writer<'o>,
    refusal: Option<EncodeError>,
}

/// Values a run writes at once.
const BLOCK: usize = 32;

impl<'o> Encoder<'_, '_, '_, '_, 'o> {
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
    fn put(&mut self, write: impl FnOnce(&mut Writer<'o>) -> Result<(), ThriftException>) -> Result<(), Refused> {
        write(self.output).map_err(|error| self.refuse(error.into()))
    }

    fn structure(&mut self, index: u32, base: usize) -> Result<(), Refused> {
        let structure = self.program.structure(index);
        let values = base + structure.presence;
        for word in 0..structure.presence {
            let mut present = self.get(presence(self.tape, structure, base, word))?;
            while present != 0 {
                let number = word * 64 + present.trailing_zeros() as usize;
                present &= present - 1;
                let field = &structure.fields[number];
                self.put(|to| to.write_field_begin(field.ttype, field.id))?;
                self.value(&field.ty, values + number)?;
            }
        }
        self.put(TOutputProtocol::write_field_stop)
    }

    #[inline]
    fn value(&mut self, ty: &Ty, slot: usize) -> Result<(), Refused> {
        let tape = self.tape;
        match ty {
            Ty::Bool => {
                let value = self.get(tape.i32(slot))?;
                self.put(|to| to.write_bool(value != 0))
            }
            Ty::I8 => {
                let value = self.get(tape.i32(slot))?;
                let value = self.get(narrow(value, "i8"))?;
                self.put(|to| to.write_i8(value))
            }
            Ty::I16 => {
                let value = self.get(tape.i32(slot))?;
                let value = self.get(narrow(value, "i16"))?;
                self.put(|to| to.write_i16(value))
            }
            Ty::I32 => {
                let value = self.get(tape.i32(slot))?;
                self.put(|to| to.write_i32(value))
            }
            // A double travels as its bits: through a float register the payload of a NaN may change.
            Ty::I64 | Ty::Double => {
                let value = self.get(tape.u64(slot))?;
                self.put(|to| to.write_i64(value as i64))
            }
            Ty::String => {
                let string = self.get(tape.str(slot))?;
                self.put(|to| to.write_i32(string.len() as i32))?;
                if string.lead || string.trail {
                    string.write_to(|piece| self.output.buf_mut().put_slice(piece));
                } else {
                    self.output.buf_mut().put_slice(string.middle);
                }
                Ok(())
            }
            Ty::Binary => {
                let binary = self.get(tape.bytes(slot))?;
                self.put(|to| to.write_bytes_vec(binary))
            }
            Ty::Uuid => {
                let text = self.get(tape.str(slot))?;
                let uuid = self.get(uuid::from_text(text.middle).ok_or(EncodeError::Uuid))?;
                self.put(|to| to.write_uuid(uuid))
            }
            Ty::Struct(index) => {
                let (base, _) = self.get(tape.pointer(slot))?;
                self.structure(*index, base)
            }
            Ty::List(item) => self.list(item, slot),
            Ty::Map(pair) => self.map(&pair.0, &pair.1, slot),
        }
    }

    /// A list or set: they are the same on the wire.
    fn list(&mut self, item: &Item, slot: usize) -> Result<(), Refused> {
        let (first, count) = self.get(self.tape.pointer(slot))?;
        let slots = self.get(self.tape.run(first, count))?;
        self.put(|to| to.write_list_begin(TListIdentifier::new(item.ttype, count)))?;
        match item.ty {
            Ty::Bool => self.run(slots, |slot| [u8::from(slot as u32 != 0)]),
            Ty::I32 => self.run(slots, |slot| (slot as u32).to_be_bytes()),
            Ty::I64 | Ty::Double => self.run(slots, u64::to_be_bytes),
            _ => {
                for slot in first..first + count {
                    self.value(&item.ty, slot)?;
                }
            }
        }
        Ok(())
    }

    /// Values that all take `N` bytes, a block at a time.
    fn run<const N: usize>(&mut self, slots: &[u64], bytes: impl Fn(u64) -> [u8; N]) {
        for slots in slots.chunks(BLOCK) {
            let mut block = [[0; N]; BLOCK];
            for (to, slot) in block.iter_mut().zip(slots) {
                *to = bytes(*slot);
            }
            self.output.buf_mut().put_slice(block[..slots.len()].as_flattened());
        }
    }

    fn map(&mut self, key: &Item, value: &Item, slot: usize) -> Result<(), Refused> {
        let (first, count) = self.get(self.tape.pointer(slot))?;
        self.put(|to| to.write_map_begin(TMapIdentifier::new(key.ttype, value.ttype, count)))?;
        for pair in 0..count {
            self.value(&key.ty, first + 2 * pair)?;
            self.value(&value.ty, first + 2 * pair + 1)?;
        }
        Ok(())
    }
}
