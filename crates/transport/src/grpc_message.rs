//! Messages of gRPC between the tape and the bytes of a stream.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{BufMut as _, Bytes, BytesMut};
use volo_js_grpc::{
    Code, CompressionError, Encoding, FrameError, PREFIX, RawMessage, compress, decompress,
    http::{HeaderMap, HeaderValue},
    write_metadata,
};
use volo_js_protobuf::{DecodeError, Limits, Program, Sizes, decode_message, encode_message};
use volo_js_tape::{Full, Header, InTape, Malformed, Message, OutTape};

use crate::credit::Credit;

/// Answer with CREDIT when this message and those before it are used up, or have left.
pub(crate) const FLAG_CREDIT: u32 = 1;
/// Do not compress this message.
const FLAG_UNCOMPRESSED: u32 = 2;
/// Where the flags of what begins a call, or its answer, say how all of its messages are compressed: 0 as the options say, 1 not at all, then
/// [`Encoding::ALL`] in its order.
const ENCODING_SHIFT: u32 = 3;
const ENCODING_MASK: u32 = 7;
/// Small messages share memory of this size; a slow peer holds that much for one of them.
const ARENA: usize = 16 << 10;
/// A buffer larger than this is given back.
const KEPT: usize = 256 << 10;

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

/// The status of a call whose peer frames its messages wrongly.
pub(crate) fn code_of_frame(error: &FrameError) -> Code {
    match error {
        FrameError::TooLarge { .. } => Code::ResourceExhausted,
        FrameError::Flag(_) | FrameError::Truncated => Code::Internal,
    }
}

/// Lays a message of a stream and counts it: JavaScript is to say when those up to a marked one are used up.
pub(crate) fn put_message_of_stream(
    tape: &mut InTape<'_>,
    header: &Header,
    program: &Program,
    index: u32,
    bytes: &[u8],
    limits: &Limits,
    credit: &mut Credit,
) -> Result<(), DecodeError> {
    let flags = if credit.marks(bytes.len()) { FLAG_CREDIT } else { 0 };
    let mut slot = tape.begin(header, limits.slots.saturating_add(1))?;
    let body = slot.alloc(1)?;
    let base = decode(program, index, bytes, limits, &mut slot)?;
    slot.point(body, base, flags);
    slot.commit();
    credit.sent(bytes.len());
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

/// The bytes of a message, decompressed if need be.
pub(crate) fn plain(message: &RawMessage, encoding: Option<Encoding>, limit: usize) -> Result<Bytes, (Code, String)> {
    if !message.compressed {
        return Ok(message.body.clone());
    }
    let Some(encoding) = encoding else {
        return Err((Code::Internal, "a compressed message without grpc-encoding".to_owned()));
    };
    decompress(encoding, &message.body, limit).map_err(|error| {
        let code = match error {
            CompressionError::TooLarge(_) => Code::ResourceExhausted,
            CompressionError::Malformed { .. } => Code::Internal,
        };
        (code, error.to_string())
    })
}

/// How a call's messages are compressed, from the flags of what begins it.
pub(crate) fn encoding_of_flags(flags: u32, usual: Option<Encoding>) -> Option<Encoding> {
    match (flags >> ENCODING_SHIFT & ENCODING_MASK).checked_sub(1) {
        None => usual,
        Some(choice) => Encoding::ALL.into_iter().nth((choice as usize).wrapping_sub(1)),
    }
}

/// Says how the messages that follow are compressed.
pub(crate) fn put_encoding(headers: &mut HeaderMap, encoding: Option<Encoding>) {
    if let Some(encoding) = encoding {
        headers.insert("grpc-encoding", HeaderValue::from_static(encoding.name()));
    }
}

/// Writes messages of the tape, with their prefixes.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    sizes: Sizes,
    arena: BytesMut,
    /// A message before it is compressed.
    plain: BytesMut,
}

impl Encoder {
    /// Appends the message that the slot points to; tells the slot's flags. On an error `out` is as before.
    pub(crate) fn append(
        &mut self,
        program: &Program,
        index: u32,
        tape: &OutTape<'_>,
        slot: usize,
        encoding: Option<Encoding>,
        out: &mut BytesMut,
    ) -> Result<u32, String> {
        let flags = tape.high(slot).map_err(|error| error.to_string())? as u32;
        match encoding.filter(|_| flags & FLAG_UNCOMPRESSED == 0) {
            None => append(&mut self.sizes, program, index, tape, slot, out)?,
            Some(encoding) => {
                self.plain.clear();
                append(&mut self.sizes, program, index, tape, slot, &mut self.plain)?;
                let begin = out.len();
                out.put_slice(&[1, 0, 0, 0, 0]);
                compress(encoding, &self.plain[PREFIX..], out).map_err(|error| error.to_string())?;
                set_length(&mut out[begin..]);
                if self.plain.capacity() > KEPT {
                    self.plain = BytesMut::new();
                }
            }
        }
        Ok(flags)
    }

    /// The message that the slot points to, by itself.
    pub(crate) fn encode(
        &mut self,
        program: &Program,
        index: u32,
        tape: &OutTape<'_>,
        slot: usize,
        encoding: Option<Encoding>,
    ) -> Result<Bytes, String> {
        let mut arena = std::mem::take(&mut self.arena);
        if arena.capacity() < ARENA / 16 {
            arena.reserve(ARENA);
        }
        let written = self.append(program, index, tape, slot, encoding, &mut arena);
        let message = arena.split().freeze();
        self.arena = arena;
        written.map(|_| message)
    }
}

/// Writes the length of a message into its prefix.
fn set_length(framed: &mut [u8]) {
    let length = (framed.len() - PREFIX) as u32;
    framed[1..PREFIX].copy_from_slice(&length.to_be_bytes());
}

fn append(
    sizes: &mut Sizes,
    program: &Program,
    index: u32,
    tape: &OutTape<'_>,
    slot: usize,
    out: &mut BytesMut,
) -> Result<(), String> {
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
        Ok(_) => {
            set_length(&mut out[begin..]);
            Ok(())
        }
        Err(error) => {
            out.truncate(begin);
            Err(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_choose_an_encoding() {
        let chosen = |choice: u32| encoding_of_flags(choice << ENCODING_SHIFT | FLAG_CREDIT, Some(Encoding::Deflate));
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(chosen),
            [Some(Encoding::Deflate), None, Some(Encoding::Gzip), Some(Encoding::Deflate), Some(Encoding::Zstd), None]
        );
    }
}
