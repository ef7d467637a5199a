//! What comes on a stream, for JavaScript.

use std::mem;

use bytes::Bytes;
use volo_js_grpc::{
    Code, Event, Gone, RawMessage, Reason, StreamKey, code_of_http, code_of_reset, encoding_of,
    http::{HeaderMap, Response, header},
    is_grpc, read_metadata, status_of,
};
use volo_js_protobuf::DecodeError;
use volo_js_tape::{Full, InTape, Kind};

use super::{Failed, failure_code};
use crate::{
    ConnectionId, Engine, Sent,
    grpc_message::{self, code_of_frame, plain, put_message_of_stream},
    grpc_server::header,
    owners::Owner,
};

impl Engine {
    /// Something happened on a client's connection.
    pub(crate) fn client_event(&mut self, id: ConnectionId, event: &Event, tape: &mut InTape<'_>) -> Result<(), Full> {
        match event {
            Event::Request(..) => Ok(()),
            Event::Response(stream, head) => self.response_began(id, *stream, head, tape),
            Event::Message(stream, message) => self.response_message(id, *stream, message, tape),
            Event::End(stream, trailers) => self.response_ended(id, *stream, trailers, tape),
            Event::Failed(stream, error) => {
                self.break_off(id, *stream, Failed(code_of_frame(error), error.to_string()), Sent::Yes);
                Ok(())
            }
            Event::Left(stream, messages) => {
                let owner = self.connections[id as usize].owner;
                let Some(record) = self.http2(id).and_then(|http2| http2.made.get_mut(*stream)) else { return Ok(()) };
                grpc_message::put_credit(tape, &header(Kind::Credit, record.call, record.method, owner), *messages)?;
                // If the call is made again, nothing is told twice.
                record.marked = record.marked.saturating_sub(*messages);
                Ok(())
            }
            Event::Gone(stream, gone) => {
                self.response_gone(id, *stream, gone);
                Ok(())
            }
        }
    }

    fn response_began(
        &mut self,
        id: ConnectionId,
        stream: StreamKey,
        head: &Response<()>,
        tape: &mut InTape<'_>,
    ) -> Result<(), Full> {
        let owner = self.connections[id as usize].owner;
        let Some(Owner::Client(client)) = self.owners.get(owner as usize) else { return Ok(()) };
        let Some(grpc) = &client.grpc else { return Ok(()) };
        let Some(http2) = self.connections[id as usize].http2.as_deref_mut() else { return Ok(()) };
        let Some(record) = http2.made.get_mut(stream) else { return Ok(()) };
        let headers = head.headers();
        let status = head.status().as_u16();
        record.status = status_of(headers);
        if record.status.is_none() && (status != 200 || !is_grpc(headers)) {
            let failed = if status == 200 {
                let kind = headers.get(header::CONTENT_TYPE).map_or("none", |kind| kind.to_str().unwrap_or("?"));
                Failed(Code::Unknown, format!("the response is not gRPC: its content-type is {kind}"))
            } else {
                Failed(code_of_http(status), format!("the server answered with HTTP status {status}"))
            };
            self.break_off(id, stream, failed, Sent::Yes);
            return Ok(());
        }
        record.received_encoding = match encoding_of(headers) {
            Ok(encoding) => encoding,
            Err(name) => {
                let text = format!("the response has the grpc-encoding {name:?}, which was not offered");
                self.break_off(id, stream, Failed(Code::Internal, text), Sent::Yes);
                return Ok(());
            }
        };
        let mut metadata = Vec::new();
        read_metadata(headers, &mut metadata);
        let is_wanted = record.wants_headers || grpc.setup.program.method(record.method).server_streaming;
        if record.status.is_none() && is_wanted {
            let header = header(Kind::Headers, record.call, record.method, owner);
            if let Err(full) = grpc_message::put_initial(tape, &header, &metadata) {
                self.note_growth(tape.is_empty(), metadata.len());
                return Err(full);
            }
            metadata = Vec::new();
        }
        record.headers = Some(metadata);
        record.commit();
        Ok(())
    }

    fn response_message(
        &mut self,
        id: ConnectionId,
        stream: StreamKey,
        message: &RawMessage,
        tape: &mut InTape<'_>,
    ) -> Result<(), Full> {
        let owner = self.connections[id as usize].owner;
        let Some(Owner::Client(client)) = self.owners.get(owner as usize) else { return Ok(()) };
        let Some(grpc) = &client.grpc else { return Ok(()) };
        let Some(http2) = self.connections[id as usize].http2.as_deref_mut() else { return Ok(()) };
        let Some(record) = http2.made.get_mut(stream) else { return Ok(()) };
        let limits = &grpc.setup.options.limits;
        let bytes = match plain(message, record.received_encoding, grpc.setup.options.max_receive_message) {
            Ok(bytes) => bytes,
            Err((code, text)) => {
                self.break_off(id, stream, Failed(code, text), Sent::Yes);
                return Ok(());
            }
        };
        let signature = grpc.setup.program.method(record.method);
        if !signature.server_streaming {
            if record.message.is_some() {
                let text = "more than one message in the response of a method that has one".to_owned();
                self.break_off(id, stream, Failed(Code::Internal, text), Sent::Yes);
            } else {
                record.message = Some(bytes);
            }
            return Ok(());
        }
        let header = header(Kind::StreamMessage, record.call, record.method, owner);
        let empty = tape.is_empty();
        let program = &grpc.setup.program;
        match put_message_of_stream(tape, &header, program, signature.result, &bytes, limits, &mut record.credit) {
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
                self.break_off(id, stream, failed_of(&error), Sent::Yes);
                Ok(())
            }
        }
    }

    fn response_ended(
        &mut self,
        id: ConnectionId,
        stream: StreamKey,
        trailers: &HeaderMap,
        tape: &mut InTape<'_>,
    ) -> Result<(), Full> {
        let owner = self.connections[id as usize].owner;
        let Some(Owner::Client(client)) = self.owners.get(owner as usize) else { return Ok(()) };
        let Some(grpc) = &client.grpc else { return Ok(()) };
        let Some(http2) = self.connections[id as usize].http2.as_deref_mut() else { return Ok(()) };
        let Some(record) = http2.made.get_mut(stream) else { return Ok(()) };
        let mut trailing = Vec::new();
        read_metadata(trailers, &mut trailing);
        let mut initial = record.headers.clone().unwrap_or_default();
        let (status, text) = match (status_of(trailers), &record.status) {
            (Some(status), _) => status,
            (None, Some(status)) => {
                // The head is all there is, and it is trailers by its meaning.
                trailing = mem::take(&mut initial);
                status.clone()
            }
            (None, None) => {
                let text = "the server ended the stream without a status".to_owned();
                self.break_off(id, stream, Failed(Code::Internal, text), Sent::Yes);
                return Ok(());
            }
        };
        let signature = grpc.setup.program.method(record.method);
        let has_one = !signature.server_streaming;
        if has_one && status == 0 && record.message.is_none() {
            let text = "the response of a method that has one message has none".to_owned();
            self.break_off(id, stream, Failed(Code::Internal, text), Sent::Yes);
            return Ok(());
        }
        let (call, method) = (record.call, record.method);
        let message = record.message.as_ref().filter(|_| has_one && status == 0);
        let size = trailing.len() + initial.len() + text.len() + message.map_or(0, Bytes::len);
        let empty = tape.is_empty();
        let put = match message {
            None => {
                let header = header(Kind::StreamEnd, call, method, owner);
                grpc_message::put_end(tape, &header, status, &text, &trailing, &initial).map_err(DecodeError::Full)
            }
            Some(message) => {
                let header = header(Kind::Response, call, method, owner);
                let limits = &grpc.setup.options.limits;
                let begun = tape.begin(&header, limits.slots.saturating_add(3)).map_err(DecodeError::Full);
                begun.and_then(|mut slot| {
                    let body = slot.alloc(3)?;
                    let program = &grpc.setup.program;
                    let base = grpc_message::decode(program, signature.result, message, limits, &mut slot)?;
                    slot.point(body, base, 0);
                    slot.put_string(body + 1, &initial)?;
                    slot.put_string(body + 2, &trailing)?;
                    slot.commit();
                    Ok(())
                })
            }
        };
        match put {
            Ok(()) => {
                client.counters.answered.add(1);
                client.counters.in_flight.sub(1);
                http2.made.remove(stream);
                if http2.link.is_sending(stream) {
                    // What is still to be sent is not wanted any more.
                    http2.link.reset(stream, Reason::NO_ERROR);
                }
                self.client_calls.end(call);
                self.connections[id as usize].idle_since = self.now;
                Ok(())
            }
            Err(DecodeError::Full(full)) => {
                self.note_growth(empty, size);
                Err(full)
            }
            Err(error) => {
                self.break_off(id, stream, failed_of(&error), Sent::Yes);
                Ok(())
            }
        }
    }

    /// A stream ended before its time.
    fn response_gone(&mut self, id: ConnectionId, stream: StreamKey, gone: &Gone) {
        let owner = self.connections[id as usize].owner;
        let Some(mut record) = self.http2(id).and_then(|http2| http2.made.remove(stream)) else { return };
        let call = record.call;
        let connection = &self.connections[id as usize];
        let unprocessed = gone.unprocessed || connection.handed_on() <= record.begins_at;
        if unprocessed && !record.was_retried && !record.is_committed {
            record.was_retried = true;
            self.hold_again(owner, record);
            self.touch(id);
            return;
        }
        self.count_failure(owner);
        let code = gone.reason.map_or(Code::Unavailable, code_of_reset);
        let sent = if unprocessed { Sent::No } else { Sent::Maybe };
        self.fail(call, owner, failure_code(code), sent, gone.text.clone());
    }

    /// Ends a call for a reason of this side's, and its stream.
    pub(super) fn break_off(&mut self, id: ConnectionId, stream: StreamKey, Failed(code, text): Failed, sent: Sent) {
        let owner = self.connections[id as usize].owner;
        let Some(http2) = self.http2(id) else { return };
        let Some(record) = http2.made.remove(stream) else { return };
        http2.link.reset(stream, Reason::CANCEL);
        self.touch(id);
        self.count_failure(owner);
        self.fail(record.call, owner, failure_code(code), sent, text);
    }
}

fn failed_of(error: &DecodeError) -> Failed {
    let code = match error {
        DecodeError::SlotLimit | DecodeError::TooLarge(_) => Code::ResourceExhausted,
        _ => Code::Internal,
    };
    Failed(code, format!("the response cannot be read: {error}"))
}
