//! What comes on a stream, for JavaScript.

use std::time::Instant;

use bytes::Bytes;
use volo_js_grpc::{
    Code, Event, RawMessage, StreamKey, fit_trailers,
    http::{HeaderMap, Request, Response},
    put_status, read_call, read_metadata, refusal_body, trailers_only,
};
use volo_js_protobuf::DecodeError;
use volo_js_tape::{Full, InTape, Kind};

use super::{Refusal, ServerStream, header};
use crate::{
    ConnectionId, Engine,
    credit::Credit,
    engine::Growth,
    grpc_message::{self, Outgoing, code_of_frame, message_growth, plain, put_message_of_stream},
    mirror::Mirror,
    notice::Notice,
    owners::Owner,
};

impl Engine {
    /// Something happened on a server's connection.
    pub(crate) fn server_event(&mut self, id: ConnectionId, event: &Event, tape: &mut InTape<'_>) -> Result<(), Full> {
        if self.standard_event(id, event) {
            return Ok(());
        }
        match event {
            Event::Request(stream, head) => self.request_began(id, *stream, head, tape),
            Event::Message(stream, message) => self.request_message(id, *stream, message, tape),
            Event::End(stream, _) => self.request_ended(id, *stream, tape),
            Event::Failed(stream, error) => {
                self.give_up(id, *stream, Refusal(code_of_frame(error), error.to_string()));
                Ok(())
            }
            Event::Left(stream, messages) => self.messages_left(id, *stream, *messages, tape),
            Event::Gone(stream, _) => {
                self.request_gone(id, *stream);
                Ok(())
            }
            Event::Response(..) => Ok(()),
        }
    }

    fn request_began(
        &mut self,
        id: ConnectionId,
        stream: StreamKey,
        head: &Request<()>,
        tape: &mut InTape<'_>,
    ) -> Result<(), Full> {
        let now = self.now;
        let owner = self.connections[id as usize].owner;
        let Some((server, grpc)) = self.grpc_server(owner) else { return Ok(()) };
        let call = match read_call(head) {
            Ok(call) => call,
            Err(response) => {
                server.counters.calls.add(1);
                server.counters.protocol_errors.add(1);
                self.respond_at_once(id, stream, *response);
                return Ok(());
            }
        };
        let path = head.uri().path();
        let Some(method) = grpc.find(path.as_bytes()) else {
            if self.standard_began(id, stream, path, &call) {
                return Ok(());
            }
            let Some((server, _)) = self.grpc_server(owner) else { return Ok(()) };
            server.counters.calls.add(1);
            server.counters.unknown_methods.add(1);
            let text = format!("unknown method {path}");
            self.respond_at_once(id, stream, trailers_only(Code::Unimplemented as i32, &text, HeaderMap::new()));
            return Ok(());
        };
        if let Some(Refusal(code, text)) = server.grpc_overload() {
            server.counters.calls.add(1);
            self.respond_at_once(id, stream, trailers_only(code as i32, &text, HeaderMap::new()));
            return Ok(());
        }
        let streams_requests = grpc.program.method(method).client_streaming;
        let encoding = grpc.options.encoding.filter(|encoding| call.accepts.has(*encoding));
        let mut metadata = Vec::new();
        read_metadata(head.headers(), &mut metadata);
        let record = ServerStream {
            method,
            call: None,
            message: None,
            since: now,
            metadata,
            timeout_ms: call.timeout.map_or(0.0, |time| (time.as_secs_f64() * 1e3).max(f64::MIN_POSITIVE)),
            deadline: call.timeout.and_then(|time| now.checked_add(time)),
            received_encoding: call.encoding,
            encoding,
            accepts: call.accepts,
            credit: Credit::default(),
            outgoing: Outgoing::default(),
        };
        let connection = &mut self.connections[id as usize];
        connection.idle_since = now;
        let Some(http2) = &mut connection.http2 else { return Ok(()) };
        http2.served.insert(stream, record);
        if streams_requests {
            let begun = self.begin(id, stream, tape);
            if begun.is_err()
                && let Some(http2) = self.http2(id)
            {
                http2.served.remove(stream);
            }
            return begun;
        }
        Ok(())
    }

    fn request_message(
        &mut self,
        id: ConnectionId,
        stream: StreamKey,
        message: &RawMessage,
        tape: &mut InTape<'_>,
    ) -> Result<(), Full> {
        let owner = self.connections[id as usize].owner;
        let Some(Owner::Server(server)) = self.owners.get(owner as usize) else { return Ok(()) };
        let Some(grpc) = &server.grpc else { return Ok(()) };
        let Some(http2) = self.connections[id as usize].http2.as_deref_mut() else { return Ok(()) };
        let Some(record) = http2.served.get_mut(stream) else { return Ok(()) };
        let bytes = match plain(message, record.received_encoding, grpc.options.max_receive_message) {
            Ok(bytes) => bytes,
            Err((code, text)) => {
                self.give_up(id, stream, Refusal(code, text));
                return Ok(());
            }
        };
        let Some(call) = record.call else {
            if record.message.is_some() {
                let text = "more than one message in the request of a method that takes one".to_owned();
                self.give_up(id, stream, Refusal(Code::Internal, text));
            } else {
                record.message = Some(bytes);
            }
            return Ok(());
        };
        let method = record.method;
        let header = header(Kind::StreamMessage, call, method, owner);
        let signature = grpc.program.method(method);
        let empty = tape.is_empty();
        let put = put_message_of_stream(
            tape,
            &header,
            &grpc.program,
            signature.args,
            &bytes,
            &grpc.options.limits,
            &mut record.credit,
        );
        match put {
            Ok(()) => {
                if record.credit.is_used_up() {
                    http2.link.pause(stream, true);
                }
                Ok(())
            }
            Err(DecodeError::Full(full)) => {
                self.note_growth(empty, bytes.len());
                Err(full)
            }
            Err(error) => {
                server.counters.protocol_errors.add(1);
                self.give_up(id, stream, refusal_of(&error));
                Ok(())
            }
        }
    }

    fn request_ended(&mut self, id: ConnectionId, stream: StreamKey, tape: &mut InTape<'_>) -> Result<(), Full> {
        let owner = self.connections[id as usize].owner;
        let Some(http2) = self.connections[id as usize].http2.as_deref_mut() else { return Ok(()) };
        let Some(record) = http2.served.get_mut(stream) else { return Ok(()) };
        match record.call {
            Some(call) => {
                grpc_message::put_end(tape, &header(Kind::StreamEnd, call, record.method, owner), 0, "", &[], &[])
            }
            None if record.message.is_none() => {
                let text = "the request of a method that takes one message has none".to_owned();
                self.give_up(id, stream, Refusal(Code::Internal, text));
                Ok(())
            }
            None => self.begin(id, stream, tape),
        }
    }

    /// Puts a REQUEST on the tape.
    fn begin(&mut self, id: ConnectionId, stream: StreamKey, tape: &mut InTape<'_>) -> Result<(), Full> {
        let connection = &mut self.connections[id as usize];
        let (owner, serial) = (connection.owner, connection.serial);
        let Some(Owner::Server(server)) = self.owners.get(owner as usize) else { return Ok(()) };
        let Some(grpc) = &server.grpc else { return Ok(()) };
        let Some(record) = connection.http2.as_deref_mut().and_then(|http2| http2.served.get_mut(stream)) else {
            return Ok(());
        };
        let method = record.method;
        let signature = grpc.program.method(method);
        let call = self.server_calls.insert(id, owner, method, Mirror::of_stream(stream), false);
        let empty = tape.is_empty();
        let header = header(Kind::Request, call, method, owner);
        let limits = &grpc.options.limits;
        let put =
            tape.begin(&header, limits.slots.saturating_add(8)).map_err(DecodeError::Full).and_then(|mut slot| {
                let body = slot.alloc(4)?;
                slot.set(body, 0);
                if let Some(message) = &record.message {
                    let base = grpc_message::decode(&grpc.program, signature.args, message, limits, &mut slot)?;
                    slot.point(body, base, 0);
                }
                slot.set_f64(body + 1, record.timeout_ms);
                slot.put_string(body + 2, &record.metadata)?;
                slot.set_i32(body + 3, id as i32, serial as i32);
                slot.commit();
                Ok(())
            });
        match put {
            Ok(()) => {
                server.counters.calls.add(1);
                server.counters.in_flight.add(1);
                record.call = Some(call);
                record.message = None;
                record.metadata = Vec::new();
                if let Some(deadline) = record.deadline {
                    let calls = &self.server_calls;
                    self.deadlines.add(deadline, call, |id| calls.is_live(id));
                }
                Ok(())
            }
            Err(DecodeError::Full(full)) => {
                let size = record.message.as_ref().map_or(0, Bytes::len) + record.metadata.len();
                self.server_calls.remove(call.slot);
                self.note_growth(empty, size);
                Err(full)
            }
            Err(error) => {
                server.counters.protocol_errors.add(1);
                self.server_calls.remove(call.slot);
                self.give_up(id, stream, refusal_of(&error));
                Ok(())
            }
        }
    }

    pub(crate) fn note_growth(&mut self, empty: bool, size: usize) {
        if empty {
            self.growth = Some(Growth { text: 64 << 10, bytes: message_growth(size) });
        }
    }

    /// Messages of a stream have left: its sender may send more.
    fn messages_left(
        &mut self,
        id: ConnectionId,
        stream: StreamKey,
        messages: u32,
        tape: &mut InTape<'_>,
    ) -> Result<(), Full> {
        let owner = self.connections[id as usize].owner;
        let Some(record) = self.http2(id).and_then(|http2| http2.served.get_mut(stream)) else { return Ok(()) };
        let Some(call) = record.call else { return Ok(()) };
        grpc_message::put_credit(tape, &header(Kind::Credit, call, record.method, owner), messages)
    }

    /// A stream was reset, or lost with its connection.
    fn request_gone(&mut self, id: ConnectionId, stream: StreamKey) {
        let owner = self.connections[id as usize].owner;
        let Some(record) = self.http2(id).and_then(|http2| http2.served.remove(stream)) else { return };
        let Some(call) = record.call else { return };
        self.notices.push_back(Notice::Gone { call, owner });
        self.server_calls.remove(call.slot);
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.counters.in_flight.sub(1);
            server.counters.abandoned.add(1);
        }
    }

    /// Answers a stream that JavaScript never sees.
    fn respond_at_once(&mut self, id: ConnectionId, stream: StreamKey, response: Response<()>) {
        let owner = self.connections[id as usize].owner;
        if let Some(http2) = self.http2(id) {
            http2.served.remove(stream);
            let body = refusal_body(&response);
            http2.link.respond(stream, response, body.is_empty());
            if !body.is_empty()
                && let Some(out) = http2.link.output(stream)
            {
                out.extend_from_slice(body);
                http2.link.finish_request(stream);
            }
            http2.link.ignore(stream);
        }
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.counters.exceptions.add(1);
        }
    }

    /// Ends a call with a status of this side's making. JavaScript, if it knows of the call, is told that it is over.
    pub(super) fn give_up(&mut self, id: ConnectionId, stream: StreamKey, Refusal(code, text): Refusal) {
        let owner = self.connections[id as usize].owner;
        let Some(http2) = self.http2(id) else { return };
        let Some(call) = http2.served.get_mut(stream).map(|record| record.call) else { return };
        if http2.link.has_responded(stream) {
            let mut trailers = HeaderMap::new();
            put_status(&mut trailers, code as i32, &text);
            fit_trailers(&mut trailers, http2.link.max_header_list());
            http2.link.finish(stream, trailers);
            http2.link.ignore(stream);
            http2.served.remove(stream);
            if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
                server.counters.exceptions.add(1);
            }
        } else {
            self.respond_at_once(id, stream, trailers_only(code as i32, &text, HeaderMap::new()));
        }
        if let Some(call) = call {
            self.notices.push_back(Notice::Gone { call, owner });
            self.server_calls.remove(call.slot);
        }
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            match call {
                Some(_) => server.counters.in_flight.sub(1),
                // It ends before its request was complete, and has not been counted.
                None => server.counters.calls.add(1),
            }
        }
        self.touch(id);
    }

    /// Ends the calls whose one message does not come.
    pub(crate) fn end_incomplete(&mut self, seen: Instant) {
        let mut late = Vec::new();
        for (id, connection) in &mut self.connections {
            let Some(Owner::Server(server)) = self.owners.get(connection.owner as usize) else { continue };
            // One whose peer takes nothing gets no room to send in, by our own doing.
            let Some(http2) = connection.http2.as_deref_mut().filter(|http2| !http2.link.is_blocked()) else {
                continue;
            };
            let most = server.options.frame_timeout;
            let streams = http2.served.iter().filter(|(_, record)| {
                record.call.is_none()
                    && record.message.is_none()
                    && seen.saturating_duration_since(record.since) >= most
            });
            late.extend(streams.map(|(stream, _)| (id as ConnectionId, stream, most)));
        }
        for (id, stream, most) in late {
            if let Some(Owner::Server(server)) = self.owners.get(self.connections[id as usize].owner as usize) {
                server.counters.frame_timeouts.add(1);
            }
            let text = format!("the request was not complete after {most:?}");
            self.give_up(id, stream, Refusal(Code::DeadlineExceeded, text));
        }
    }

    /// Ends the calls whose time is over.
    pub(crate) fn end_overdue(&mut self) {
        while let Some(call) = self.deadlines.take_due(self.now) {
            let Some(record) = self.server_calls.get_mut(call) else { continue };
            if record.passed.is_some() {
                self.passing_took_too_long(call);
                continue;
            }
            let (id, stream) = (record.connection, record.mirror.stream());
            self.give_up(id, stream, Refusal(Code::DeadlineExceeded, "the deadline has passed".to_owned()));
        }
    }
}

fn refusal_of(error: &DecodeError) -> Refusal {
    let code = match error {
        DecodeError::SlotLimit | DecodeError::TooLarge(_) => Code::ResourceExhausted,
        _ => Code::Internal,
    };
    Refusal(code, format!("the request cannot be read: {error}"))
}
