//! Messages of gRPC between the tape and the bytes of a stream.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{BufMut as _, Bytes, BytesMut};
use volo_js_grpc::{PREFIX, http::HeaderMap, write_metadata};
use volo_js_protobuf::{DecodeError, Limits, Program, Sizes, decode_message, encode_message};
use volo_js_tape::{Full, Header, InTape, Malformed, Message, OutTape};

/// Answer with CREDIT when this message and those before it are used up, or have left.
pub(crate) const FLAG_CREDIT: u32 = 1;
/// Small messages share memory of this size; a slow peer holds that much for one of them.
const ARENA: usize = 16 << 10;

/// What is known of the messages a call sends.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// Messages since the last that was marked.
    pub sent: u32,
}

/// Bytes a tape should have for a message of `size` that did not fit it.
pub(crate) fn message_growth(size: usize) -> usize {
    size.saturating_mul(9) / 4 + (4 << 10)
}

/// [`decode_message`]; a panic is an error of this message.
pub(crate) fn decode(
    program: &Program,
    index: u32,
    bytes: &[u8],
    limits: &Limits,
    message: &mut Message<'_>,
) -> Result<usize, DecodeError> {
    catch_unwind(AssertUnwindSafe(|| decode_message(program, index, bytes, limits, message)))
        .unwrap_or(Err(DecodeError::Malformed("a defect of volo-js was met while reading it, please report it")))
}

/// Lays a message of a stream.
pub(crate) fn put_message_of_stream(
    tape: &mut InTape<'_>,
    header: &Header,
    program: &Program,
    index: u32,
    bytes: &[u8],
    limits: &Limits,
    flags: u32,
) -> Result<(), DecodeError> {
    let mut slot = tape.begin(header, limits.slots.saturating_add(1))?;
    let body = slot.alloc(1)?;
    let base = decode(program, index, bytes, limits, &mut slot)?;
    slot.point(body, base, flags);
    slot.commit();
    Ok(())
}

/// Lays the end of a stream.
pub(crate) fn put_end(
    tape: &mut InTape<'_>,
    header: &Header,
    status: i32,
    message: &str,
    trailers: &[u8],
    headers: &[u8],
) -> Result<(), Full> {
    let mut slot = tape.begin(header, usize::MAX)?;
    // Without a slot limit the only error is a full tape.
    let body = slot.alloc(4).map_err(|_| Full)?;
    slot.set_i32(body, status, 0);
    slot.put_string(body + 1, message.as_bytes())?;
    slot.put_string(body + 2, trailers)?;
    slot.put_string(body + 3, headers)?;
    slot.commit();
    Ok(())
}

/// Lays a CREDIT.
pub(crate) fn put_credit(tape: &mut InTape<'_>, header: &Header, messages: u32) -> Result<(), Full> {
    let mut slot = tape.begin(header, usize::MAX)?;
    let body = slot.alloc(1).map_err(|_| Full)?;
    slot.set_i32(body, messages as i32, 0);
    slot.commit();
    Ok(())
}

/// Lays HEADERS.
pub(crate) fn put_initial(tape: &mut InTape<'_>, header: &Header, metadata: &[u8]) -> Result<(), Full> {
    let mut slot = tape.begin(header, usize::MAX)?;
    let body = slot.alloc(1).map_err(|_| Full)?;
    slot.put_string(body, metadata)?;
    slot.commit();
    Ok(())
}

/// Takes metadata from the tape. The inner error is what is wrong with the metadata.
pub(crate) fn put_headers(
    tape: &OutTape<'_>,
    slot: usize,
    headers: &mut HeaderMap,
) -> Result<Result<(), String>, Malformed> {
    let metadata = tape.str(slot)?;
    if metadata.is_empty() {
        return Ok(Ok(()));
    }
    Ok(write_metadata(&metadata.to_bytes(), headers).map_err(|error| error.to_string()))
}

/// Writes messages of the tape, with their prefixes.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    sizes: Sizes,
    arena: BytesMut,
}

impl Encoder {
    /// Appends the message that the slot points to; tells the slot's flags. On an error `out` is as before.
    pub(crate) fn append(
        &mut self,
        program: &Program,
        index: u32,
        tape: &OutTape<'_>,
        slot: usize,
        out: &mut BytesMut,
    ) -> Result<u32, String> {
        append(&mut self.sizes, program, index, tape, slot, out)
    }

    /// The message that the slot points to, by itself.
    pub(crate) fn encode(
        &mut self,
        program: &Program,
        index: u32,
        tape: &OutTape<'_>,
        slot: usize,
    ) -> Result<Bytes, String> {
        if self.arena.capacity() < ARENA / 16 {
            self.arena.reserve(ARENA);
        }
        append(&mut self.sizes, program, index, tape, slot, &mut self.arena)?;
        Ok(self.arena.split().freeze())
    }
}

fn append(
    sizes: &mut Sizes,
    program: &Program,
    index: u32,
    tape: &OutTape<'_>,
    slot: usize,
    out: &mut BytesMut,
) -> Result<u32, String> {
    let flags = tape.high(slot).map_err(|error| error.to_string())? as u32;
    let begin = out.len();
    out.put_slice(&[0; PREFIX]);
    let encoded = if tape.i32(slot) == Ok(0) {
        Ok(0)
    } else {
        tape.pointer(slot).map_err(Into::into).and_then(|(base, _)| {
            catch_unwind(AssertUnwindSafe(|| encode_message(program, index, tape, base, sizes, out)))
                .unwrap_or(Err(Malformed("a defect of volo-js was met while writing it, please report it").into()))
        })
    };
    match encoded {
        Ok(length) => {
            out[begin + 1..begin + PREFIX].copy_from_slice(&(length as u32).to_be_bytes());
            Ok(flags)
        }
        Err(error) => {
            out.truncate(begin);
            Err(error.to_string())
        }
    }
}
