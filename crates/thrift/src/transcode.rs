//! From one protocol to another, without a schema.

use bytes::{Buf, Bytes, BytesMut};
use pilota::thrift::TType;

use crate::binary::{BinaryInput, BinaryOutput};
use crate::compact::{CompactInput, CompactOutput};
use crate::error::{DecodeError, Fail};
use crate::input::Input;
use crate::json::{JsonInput, JsonOutput};
use crate::limits::{Limits, MAX_DEPTH};
use crate::output::Output;
use crate::skip::{deeper, skip};
use crate::wire;
use crate::wire_format::Protocol;

/// Writes the struct `body` begins with in another protocol, advancing `body` as it reads. `body` is the rest of one message and nothing else. On an
/// error `out` is as before; a struct that would take more than [`Limits::frame`] is one.
///
/// Binary and compact do not tell strings from binaries, so into JSON goes as text what is UTF-8 and as base64 what is not: a peer that expects a
/// binary and gets one that happens to be UTF-8 reads something else. Out of JSON comes the text of either; JSON that is not
/// UTF-8 is an error (RFC 8259, section 8.1).
pub fn transcode_struct(
    from: Protocol,
    body: &mut Bytes,
    to: Protocol,
    out: &mut BytesMut,
    limits: &Limits,
) -> Result<(), DecodeError> {
    let before = out.len();
    let result = match from {
        Protocol::Binary | Protocol::BinaryNonStrict => write_from(&mut BinaryInput::new(body), to, out, limits),
        Protocol::Compact => {
            let mut input = CompactInput::new(body);
            let result = write_from(&mut input, to, out, limits);
            let read = body.len() - input.left();
            body.advance(read);
            result
        }
        Protocol::Json => {
            let mut input = JsonInput::new(body);
            let result = write_from(&mut input, to, out, limits);
            let read = body.len() - input.left();
            body.advance(read);
            result
        }
    };
    if result.is_err() {
        out.truncate(before);
    }
    result
}

fn write_from<I: Input>(input: &mut I, to: Protocol, out: &mut BytesMut, limits: &Limits) -> Result<(), DecodeError> {
    let (depth, most) = (limits.allowed_depth(), limits.allowed_frame());
    let result = match to {
        Protocol::Binary | Protocol::BinaryNonStrict => {
            Transcoder::new(input, &mut BinaryOutput::new(out, true), depth, most).root()
        }
        Protocol::Compact => Transcoder::new(input, &mut CompactOutput::new(out), depth, most).root(),
        Protocol::Json => Transcoder::new(input, &mut JsonOutput::new(out), depth, most).root(),
    };
    result.map_err(|fail| if let Fail::TooLarge = fail { DecodeError::TooLarge(most) } else { fail.explain(depth) })
}

/// Appends the field whose head `input` has just passed to `kept`, in the binary protocol. `depth` is the nesting of its struct.
pub(crate) fn keep_field<I: Input>(
    input: &mut I,
    (code, id): (u8, i16),
    kept: &mut BytesMut,
    depth: usize,
    limits: (usize, usize),
) -> Result<(), Fail> {
    let (deepest, most) = limits;
    let most = most.saturating_sub(kept.len());
    let mut output = BinaryOutput::new(kept, true);
    Transcoder::new(input, &mut output, deepest, most).field(&mut (), code, id, depth)
}

/// Writes fields that are encoded in the binary protocol in another one, as fields of a struct of this depth.
pub(crate) fn write_kept<O: Output>(
    output: &mut O,
    scope: &mut O::Scope,
    fields: &[u8],
    depth: usize,
) -> Result<(), Fail> {
    each_kept(fields, |input, code, id| {
        Transcoder::new(input, output, MAX_DEPTH, i32::MAX as usize).field(scope, code, id, depth)
    })
}

/// Checks that fields are whole, and are encoded in the binary protocol.
pub(crate) fn check_kept(fields: &[u8], depth: usize) -> Result<(), Fail> {
    each_kept(fields, |input, code, _| skip(input, code, depth, MAX_DEPTH))
}

fn each_kept(
    fields: &[u8],
    mut take: impl FnMut(&mut BinaryInput<'_>, u8, i16) -> Result<(), Fail>,
) -> Result<(), Fail> {
    let mut fields = Bytes::copy_from_slice(fields);
    let mut input = BinaryInput::new(&mut fields);
    while !input.is_empty() {
        let (code, id) = input.field(&mut ())?;
        if code == wire::STOP {
            return Err(Fail::Malformed(&"they contain the end of a struct"));
        }
        take(&mut input, code, id)?;
    }
    Ok(())
}

struct Transcoder<'i, 'o, I, O> {
    input: &'i mut I,
    output: &'o mut O,
    /// Deepest nesting.
    depth: usize,
    /// Where the output may end at most.
    end: usize,
}

impl<'i, 'o, I: Input, O: Output> Transcoder<'i, 'o, I, O> {
    /// A transcoder that writes `most` bytes at most, or a single value more.
    fn new(input: &'i mut I, output: &'o mut O, depth: usize, most: usize) -> Self {
        let end = output.len().saturating_add(most);
        Self { input, output, depth, end }
    }

    fn root(&mut self) -> Result<(), Fail> {
        self.structure(0)
    }

    fn structure(&mut self, depth: usize) -> Result<(), Fail> {
        let depth = deeper(depth, self.depth)?;
        let (mut from, mut to) = (I::Scope::default(), O::Scope::default());
        loop {
            let (code, id) = self.input.field(&mut from)?;
            if code == wire::STOP {
                self.output.stop(&mut to).map_err(|_| UNWRITTEN)?;
                return self.bound();
            }
            self.field(&mut to, code, id, depth)?;
        }
    }

    fn field(&mut self, scope: &mut O::Scope, code: u8, id: i16, depth: usize) -> Result<(), Fail> {
        self.output.field(scope, ty(code)?, id).map_err(|_| UNWRITTEN)?;
        self.value(code, depth)
    }

    fn value(&mut self, code: u8, depth: usize) -> Result<(), Fail> {
        let Self { input, output, .. } = self;
        let written = match code {
            wire::BOOL => output.bool(input.bool()?),
            wire::I8 => output.i8(input.i8()?),
            wire::I16 => output.i16(input.i16()?),
            wire::I32 => output.i32(input.i32()?),
            wire::I64 => output.i64(input.i64()?),
            wire::DOUBLE => output.double(input.double()?),
            wire::UUID => output.uuid(input.uuid()?),
            wire::BINARY => input.opaque(|bytes| output.opaque(bytes))?,
            wire::STRUCT => return self.structure(depth),
            wire::LIST | wire::SET => return self.list(depth),
            wire::MAP => return self.map(depth),
            _ => return Err(UNKNOWN),
        };
        written.map_err(|_| UNWRITTEN)?;
        self.bound()
    }

    fn list(&mut self, depth: usize) -> Result<(), Fail> {
        let depth = deeper(depth, self.depth)?;
        let list = self.input.list()?;
        self.output.list(element(list.key, list.count)?, list.count).map_err(|_| UNWRITTEN)?;
        for _ in 0..list.count {
            self.input.item()?;
            self.output.item();
            self.value(list.key, depth)?;
        }
        self.input.end_list()?;
        self.output.end_list();
        self.bound()
    }

    fn map(&mut self, depth: usize) -> Result<(), Fail> {
        let depth = deeper(depth, self.depth)?;
        let map = self.input.map()?;
        let (key, value) = (element(map.key, map.count)?, element(map.value, map.count)?);
        self.output.map(key, value, map.count).map_err(|_| UNWRITTEN)?;
        for n in 0..map.count {
            self.input.key(n == 0)?;
            self.output.key(n == 0);
            self.value(map.key, depth)?;
            self.input.value()?;
            self.output.value();
            self.value(map.value, depth)?;
        }
        self.input.end_map()?;
        self.output.end_map();
        self.bound()
    }

    /// Checks the size of what has been written.
    fn bound(&mut self) -> Result<(), Fail> {
        if self.output.len() > self.end { Err(Fail::TooLarge) } else { Ok(()) }
    }
}

const UNKNOWN: Fail = Fail::Malformed(&"a value is of no known type");
const UNWRITTEN: Fail = Fail::Malformed(&"a value of it cannot be written");

/// The type of a value.
fn ty(code: u8) -> Result<TType, Fail> {
    if wire::least(code).is_none() {
        return Err(UNKNOWN);
    }
    TType::try_from(code).map_err(|_| UNKNOWN)
}

/// The type of a container's elements. An empty one may name a type that does not exist, which not all protocols can write.
fn element(code: u8, count: usize) -> Result<TType, Fail> {
    match ty(code) {
        Err(_) if count == 0 => Ok(TType::I8),
        known => known,
    }
}
