//! `TApplicationException`: the answer of a peer that could not handle a call.

use bytes::{Buf, Bytes};
use pilota::thrift::TType;
use volo_js_tape::Str;

use crate::binary::BinaryInput;
use crate::compact::CompactInput;
use crate::error::{DecodeError, EncodeError, Fail};
use crate::input::Input;
use crate::json::JsonInput;
use crate::limits::Limits;
use crate::message::Body;
use crate::output::Output;
use crate::size::Size;
use crate::skip::skip;
use crate::wire;
use crate::wire_format::Protocol;

/// A `TApplicationException`: the answer of a peer that could not handle a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationException {
    /// Its type: 0 unknown, 1 unknown method, 6 internal error, 7 protocol error, …
    pub kind: i32,
    /// What the peer says about it; UTF-8 if it keeps to the protocol, empty if it says nothing.
    pub message: Bytes,
}

/// Reads a `TApplicationException`, advancing `body` as it reads.
pub fn decode_exception(
    protocol: Protocol,
    body: &mut Bytes,
    limits: &Limits,
) -> Result<ApplicationException, DecodeError> {
    let depth = limits.allowed_depth();
    let read = match protocol {
        Protocol::Binary | Protocol::BinaryNonStrict => read(&mut BinaryInput::new(body), depth),
        Protocol::Compact => {
            let mut input = CompactInput::new(body);
            let read = read(&mut input, depth);
            let left = input.left();
            body.advance(body.len() - left);
            read
        }
        Protocol::Json => {
            let mut input = JsonInput::new(body);
            let read = read(&mut input, depth);
            let left = input.left();
            body.advance(body.len() - left);
            read
        }
    };
    read.map_err(|fail| fail.explain(depth))
}

fn read<I: Input>(input: &mut I, depth: usize) -> Result<ApplicationException, Fail> {
    let mut exception = ApplicationException { kind: 0, message: Bytes::new() };
    let mut scope = I::Scope::default();
    loop {
        match input.field(&mut scope)? {
            (wire::STOP, _) => return Ok(exception),
            (wire::BINARY, 1) => exception.message = input.string(Bytes::copy_from_slice)?,
            (wire::I32, 2) => exception.kind = input.i32()?,
            (code, _) => skip(input, code, 1, depth)?,
        }
    }
}

/// One to be written.
pub(crate) struct Exception<'a> {
    pub(crate) kind: i32,
    pub(crate) message: &'a str,
}

impl Body for Exception<'_> {
    fn size(&self) -> Result<Size, EncodeError> {
        Ok(Size { total: (3 + 4 + self.message.len()) + (3 + 4) + 1, lent: 0 })
    }

    fn write<O: Output>(&self, output: &mut O) -> Result<usize, EncodeError> {
        let mut scope = O::Scope::default();
        output.field(&mut scope, TType::Binary, 1)?;
        output.string(Str::plain(self.message.as_bytes()))?;
        output.field(&mut scope, TType::I32, 2)?;
        output.i32(self.kind)?;
        output.stop(&mut scope)?;
        Ok(0)
    }
}
