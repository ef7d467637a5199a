//! Calls of methods that a server does not know: arguments and results pass as bytes.

use volo_js_tape::{Malformed, Message, OutMessage, OutTape};
use volo_js_thrift::{DecodeError, EncodeError, MessageKind, Protocol, encode_raw};

use crate::{
    Engine,
    calls::CallId,
    exception::{INTERNAL_ERROR, put_exception},
    header_text::take_tail,
};

/// The method of a call that its program does not have.
pub(crate) const RAW: u32 = u32::MAX;

/// How a protocol is called on the tape. The strict and the old binary protocol differ in heads, not in structs.
fn code_of(protocol: Protocol) -> i32 {
    match protocol {
        Protocol::Binary | Protocol::BinaryNonStrict => 0,
        Protocol::Compact => 1,
        Protocol::Json => 2,
    }
}

/// Lays a struct as it came, with the name of its method.
pub(crate) fn lay_raw(slot: &mut Message<'_>, protocol: Protocol, name: &[u8], body: &[u8]) -> Result<(), DecodeError> {
    let at = slot.alloc(3)?;
    slot.set_i32(at, code_of(protocol), 0);
    slot.put_string(at + 1, name)?;
    slot.put_bytes(at + 2, bare(protocol, body))?;
    Ok(())
}

/// The struct alone: in JSON a bracket closes the message behind it.
pub(crate) fn bare(protocol: Protocol, body: &[u8]) -> &[u8] {
    if protocol == Protocol::Json { body.trim_ascii_end().strip_suffix(b"]").unwrap_or(body) } else { body }
}

/// A struct without a field.
pub(crate) fn empty(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::Binary | Protocol::BinaryNonStrict | Protocol::Compact => b"\0",
        Protocol::Json => b"{}",
    }
}

/// A struct of the out tape that is in this protocol.
fn taken<'a>(tape: &OutTape<'a>, protocol: i32, body: usize) -> Result<Result<&'a [u8], String>, Malformed> {
    let given = tape.i32(body - 1)?;
    if given != protocol {
        return Ok(Err(format!(
            "the bytes are of protocol {given}, and {protocol} is spoken here: pass what came, or convert it"
        )));
    }
    Ok(Ok(tape.bytes(body)?))
}

impl Engine {
    /// A handler's result as bytes.
    pub(crate) fn reply_raw(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) -> Result<(), Malformed> {
        let Some(call) = self.server_calls.get_mut(id) else { return Ok(()) };
        let body = taken(tape, code_of(call.mirror.wire.protocol), message.body + 1)?;
        let (strings, _) = take_tail(tape, message)?;
        self.answer(id, |asked, out| {
            let mirror = asked.mirror;
            let written = body.and_then(|body| {
                let write =
                    |wire, out: &mut _| encode_raw(asked.name(), MessageKind::Reply, mirror.sequence, body, wire, out);
                mirror.frame(&strings, out, write).map_err(|error: EncodeError| error.to_string())
            });
            if let Err(why) = &written {
                put_exception(asked.name(), mirror, INTERNAL_ERROR, why, &[], out);
            }
            written.is_ok()
        });
        Ok(())
    }
}
