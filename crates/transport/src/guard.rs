//! Codecs with a net below: a panic in one is a defect of ours, and costs the call it happened in, not the process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use volo_js_tape::Message;
use volo_js_thrift::{DecodeError, Limits, Program, Protocol, decode_struct};

/// [`decode_struct`]; a panic is an error of this message.
pub(crate) fn decode(
    program: &Program,
    protocol: Protocol,
    structure: u32,
    body: &mut Bytes,
    limits: &Limits,
    message: &mut Message<'_>,
) -> Result<(), DecodeError> {
    catch_unwind(AssertUnwindSafe(|| decode_struct(program, protocol, structure, body, limits, message)))
        .unwrap_or(Err(DecodeError::Malformed("a defect of volo-js was met while reading it, please report it")))
}
