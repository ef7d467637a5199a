//! Calls from JavaScript.

use std::{mem, time::Duration};

use bytes::{Bytes, BytesMut};
use volo_js_grpc::{Code, Reason, StreamKey};
use volo_js_tape::{Kind, Malformed, OutMessage, OutTape};

use super::{ClientStream, Failed};
use crate::{
    ConnectionId, Engine, FailureCode, Sent,
    calls::CallId,
    client::State,
    credit::Credit,
    grpc_message::{FLAG_CREDIT, encoding_of_flags},
    owners::Owner,
};

/// A flag of a REQUEST: rather wait than fail while there is no connection.
const FLAG_WAIT_FOR_READY: u32 = 4;
/// A flag of a REQUEST: the initial metadata are wanted as soon as they come, also where one response follows.
const FLAG_HEADERS_EARLY: u32 = 64;

impl Engine {
    /// A call from JavaScript.
    pub(crate) fn call_grpc(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) -> Result<(), Malformed> {
        let (owner, method, body) = (message.header.owner, message.header.method, message.body);
        self.client_calls.begin(id, owner, method);
        let client = match self.owners.get_mut(owner as usize) {
            Some(Owner::Client(client)) if client.closing.is_none() => client,
            _ => {
                self.fail(id, owner, FailureCode::Unavailable, Sent::No, "the client is closed".to_owned());
                return Ok(());
            }
        };
        client.counters.calls.add(1);
        client.counters.in_flight.add(1);
        let Some(grpc) = &client.grpc else {
            self.fail_before(id, owner, "a call of gRPC on a client of another protocol".to_owned());
            return Ok(());
        };
        let Some(signature) = grpc.setup.program.methods().get(method as usize) else {
            self.fail_before(id, owner, format!("there is no method number {method}"));
            return Ok(());
        };
        let (flags, timeout) = (tape.high(body)? as u32, tape.f64(body + 1)?);
        let encoding = encoding_of_flags(flags, grpc.setup.options.encoding);
        let metadata = tape.str(body + 2)?.to_bytes().into_owned();
        let brings_message = !signature.client_streaming || tape.i32(body)? != 0;
        let first = if brings_message {
            match self.encoder.encode(&grpc.setup.program, signature.args, tape, body, encoding) {
                Ok(first) => first,
                Err(error) => {
                    self.fail_before(id, owner, error);
                    return Ok(());
                }
            }
        } else {
            Bytes::new()
        };
        let is_marked = brings_message && flags & FLAG_CREDIT != 0;
        let record = ClientStream {
            call: id,
            method,
            first,
            more: BytesMut::new(),
            is_committed: false,
            begins_at: 0,
            wants_headers: flags & FLAG_HEADERS_EARLY != 0,
            half_closed: !signature.client_streaming,
            metadata,
            encoding,
            deadline: Duration::try_from_secs_f64(timeout / 1e3)
                .ok()
                .filter(|time| !time.is_zero())
                .and_then(|time| self.now.checked_add(time)),
            waits_for_ready: flags & FLAG_WAIT_FOR_READY != 0,
            was_retried: false,
            unmarked: u32::from(brings_message && !is_marked),
            marked: u32::from(is_marked),
            credit: Credit::default(),
            headers: None,
            received_encoding: None,
            status: None,
            message: None,
        };
        self.client_calls.hold(id, Box::new(record));
        client.waiting.push_back(id.slot);
        self.pump(owner);
        Ok(())
    }

    /// A call that cannot be made.
    pub(super) fn fail_before(&mut self, id: CallId, owner: u32, why: String) {
        self.fail_unsent(id, owner, FailureCode::Internal, why);
    }

    pub(super) fn fail_unsent(&mut self, id: CallId, owner: u32, code: FailureCode, why: String) {
        self.count_failure(owner);
        self.fail(id, owner, code, Sent::No, why);
    }

    /// What follows a REQUEST.
    pub(crate) fn go_on_grpc(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) -> Result<(), Malformed> {
        let body = message.body;
        let Some(Owner::Client(client)) = self.owners.get(message.header.owner as usize) else { return Ok(()) };
        let Some(grpc) = &client.grpc else { return Ok(()) };
        let Some(call) = self.client_calls.get_mut(id) else { return Ok(()) };
        let index = grpc.setup.program.method(call.method).args;
        let State::Sent(connection) = call.state else {
            let Some(record) = &mut call.grpc else { return Ok(()) };
            let encoding = record.encoding;
            match message.header.kind {
                Kind::StreamMessage => {
                    match self.encoder.append(&grpc.setup.program, index, tape, body, encoding, &mut record.more) {
                        Ok(flags) => {
                            record.unmarked += 1;
                            if flags & FLAG_CREDIT != 0 {
                                record.marked += mem::take(&mut record.unmarked);
                            }
                        }
                        Err(error) => {
                            let owner = call.owner;
                            self.forget_waiting(id, owner);
                            self.fail_before(id, owner, error);
                        }
                    }
                }
                Kind::StreamEnd => record.half_closed = true,
                _ => {}
            }
            return Ok(());
        };
        let stream = call.stream;
        let Some(http2) =
            self.connections.get_mut(connection as usize).and_then(|connection| connection.http2.as_deref_mut())
        else {
            return Ok(());
        };
        let Some(record) = http2.made.get_mut(stream) else { return Ok(()) };
        match message.header.kind {
            Kind::StreamMessage => {
                if let Some(out) = http2.link.output(stream) {
                    let before = out.len();
                    match self.encoder.append(&grpc.setup.program, index, tape, body, record.encoding, out) {
                        Ok(flags) => {
                            record.keep(&out[before..]);
                            record.unmarked += 1;
                            if flags & FLAG_CREDIT != 0 {
                                record.marked += record.unmarked;
                                http2.link.mark(stream, mem::take(&mut record.unmarked));
                            }
                            http2.unflushed(stream);
                        }
                        Err(error) => self.break_off(connection, stream, Failed(Code::Internal, error), Sent::Maybe),
                    }
                }
            }
            Kind::StreamEnd => {
                record.half_closed = true;
                http2.unflushed(stream);
                http2.link.finish_request(stream);
            }
            _ => {
                record.credit.answered(tape.i32(body)?.max(0) as u32);
                if !record.credit.is_used_up() {
                    http2.link.pause(stream, false);
                    if http2.has_input() {
                        self.enlist(connection);
                    }
                }
            }
        }
        self.touch(connection);
        Ok(())
    }

    fn forget_waiting(&mut self, id: CallId, owner: u32) {
        self.client_calls.take_held(id);
        if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
            client.waiting.retain(|slot| *slot != id.slot);
        }
    }

    /// The caller gives up a call that has a stream.
    pub(crate) fn cancel_stream(&mut self, connection: ConnectionId, stream: StreamKey) {
        let Some(http2) = self.http2(connection) else { return };
        http2.made.remove(stream);
        http2.link.reset(stream, Reason::CANCEL);
        self.touch(connection);
    }
}
