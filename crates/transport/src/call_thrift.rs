//! Calls of Thrift on a client: from the tape to a connection's output, replies to the tape.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use volo_js_tape::{HEADERS, Header, InTape, Kind, Malformed, OutMessage, OutTape};
use volo_js_thrift::{
    DecodeError, EncodeError, Headers, Ints, MessageKind, MethodProgram, Strings, Transport, decode_exception,
    encode_call, end_message, read_head,
};

use crate::{
    ClientOptions, ConnectionId, Engine, FailureCode, Mode, Sent,
    calls::CallId,
    client::{Client, ClientCalls, State},
    connection::Role,
    engine::{Next, growth_for},
    exception::leaves_the_stream_intact,
    gaps::fill,
    guard,
    header_text::{
        IDL_SERVICE, OUT_OF_ORDER, int, is_last_answer, message_type, millis, put_tail, take_tail, tells, timeout_of,
    },
    in_flight::Place,
    incoming::{Incoming, Kept},
    mirror::{in_place, put_with_headers},
    notice::{Notice, lay_text},
    owners::Owner,
    pass_thrift::Answer,
};

/// Slots of headers behind a reply.
const TAIL: usize = 2;

impl Client {
    /// The sequence id of the next call.
    pub(crate) fn take_sequence(&mut self) -> i32 {
        let sequence = self.next_sequence;
        // 0 is kept: a multiplexed server of Kitex speaks under it by itself.
        self.next_sequence = sequence.wrapping_add(1).max(1);
        sequence
    }

    /// Encodes a call. Sequence ids count up, whatever becomes of a call.
    fn encode(
        &mut self,
        tape: &OutTape<'_>,
        body: usize,
        method: u32,
        (strings, time): (&[(Bytes, Bytes)], Duration),
        held: &mut BytesMut,
    ) -> Result<i32, EncodeError> {
        let sequence = self.take_sequence();
        let (program, wire) = (&self.program, self.options.wire);
        if wire.has_headers() {
            let known = program.methods().get(method as usize).ok_or(EncodeError::UnknownMethod(method))?;
            let mut digits = itoa::Buffer::new();
            let time = millis(time, &mut digits);
            let headers = headers_of(&self.options, known, sequence, in_place(strings), time);
            put_with_headers(wire, &headers, held, |wire, out| {
                encode_call(program, method, sequence, tape, body, wire, out)
            })?;
        } else {
            encode_call(program, method, sequence, tape, body, wire, held)?;
        }
        Ok(sequence)
    }
}

/// What a client says of a call beside it: these strings, and what it tells of itself.
fn headers_of<'a>(
    options: &'a ClientOptions,
    method: &'a MethodProgram,
    sequence: i32,
    mut strings: Strings<'a>,
    time: Option<&'a [u8]>,
) -> Headers<'a> {
    let names = &options.names;
    if matches!(options.wire.transport, Transport::Header | Transport::HeaderFramed) {
        return Headers { sequence, strings, zlib: options.zlib, ..Headers::default() };
    }
    let flags = if options.mode == Mode::Pipelined { OUT_OF_ORDER } else { 0 };
    let mut ints = Ints::default();
    ints.push((int::MESSAGE_TYPE, message_type(method.oneway)));
    for (key, name) in [(int::FROM_SERVICE, &names.caller), (int::TO_SERVICE, &names.callee)] {
        if !name.is_empty() {
            ints.push((key, name));
        }
    }
    ints.push((int::TO_METHOD, method.name.as_bytes()));
    ints.extend(time.map(|time| (int::RPC_TIMEOUT, time)));
    if !names.service.is_empty() {
        strings.push((IDL_SERVICE, &names.service));
    }
    Headers { sequence, flags, ints, strings, ..Headers::default() }
}

impl Engine {
    /// A call from JavaScript: encoded at once, for the tape is used again.
    pub(crate) fn call(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) -> Result<(), Malformed> {
        let (owner, method) = (message.header.owner, message.header.method & !HEADERS);
        let (strings, time) = take_tail(tape, message)?;
        let call = self.client_calls.begin(id, owner, method);
        let Some(Owner::Client(client)) = self
            .owners
            .get_mut(owner as usize)
            .filter(|owner| matches!(owner, Owner::Client(client) if client.closing.is_none()))
        else {
            self.fail(id, owner, FailureCode::Unavailable, Sent::No, "the client is closed".to_owned());
            return Ok(());
        };
        client.counters.calls.add(1);
        client.counters.in_flight.add(1);
        call.oneway = client.program.methods().get(method as usize).is_some_and(|method| method.oneway);
        self.buffers.prepare(&mut call.held);
        tape.lend(self.lends && !client.options.zlib);
        let encoded = client.encode(tape, message.body, method, (&strings, time), &mut call.held);
        call.gaps = tape.take_gaps();
        let lends = !call.gaps.is_empty();
        match encoded {
            Ok(sequence) => {
                call.sequence = sequence;
                client.waiting.push_back(id.slot);
                self.pump(owner);
                if lends {
                    self.keep_lent(tape, id);
                }
            }
            Err(error) => {
                call.gaps.clear();
                self.buffers.release(&mut call.held);
                client.counters.failed.add(1);
                client.counters.in_flight.sub(1);
                self.fail(id, owner, FailureCode::Internal, Sent::No, error.to_string());
            }
        }
        Ok(())
    }

    /// What a call has lent is written at once, or copied.
    fn keep_lent(&mut self, tape: &OutTape<'_>, id: CallId) {
        let Some(call) = self.client_calls.get_mut(id) else { return };
        fill(&mut call.held, &mut call.gaps, tape.arrays());
        if let State::Sent(connection) = call.state
            && self.connections.get(connection as usize).is_some_and(|connection| !connection.may_lend())
        {
            self.fill_gaps(connection, tape.arrays());
        }
    }

    pub(crate) fn client_message(&mut self, id: ConnectionId, incoming: &Incoming, tape: &mut InTape<'_>) -> Next {
        let connection = &mut self.connections[id as usize];
        let owner = connection.owner;
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return Next::Over };
        let limits = client.options.limits;
        let mut kept = Kept::default();
        let opened = match incoming.open(&limits, &mut kept) {
            Ok(opened) => opened,
            Err(error) => {
                self.protocol_error(id, &error.to_string());
                return Next::Over;
            }
        };
        let (headers, message) = (opened.headers, opened.message());
        let protocol = incoming.wire().protocol;
        let head = match read_head(protocol, message) {
            Ok(head) => head,
            Err(error) => {
                self.protocol_error(id, &error.to_string());
                return Next::Over;
            }
        };
        if !matches!(head.kind, MessageKind::Reply | MessageKind::Exception) {
            self.protocol_error(id, "a call where a reply was expected");
            return Next::Over;
        }
        let (kind, sequence, body_at) = (head.kind, head.sequence, head.len);
        if is_last_answer(headers) {
            connection.retired = true;
            if sequence == 0 {
                // No answer, but a word of a server that closes.
                return Next::Go;
            }
        }
        let Role::Client { in_flight, .. } = &mut connection.role else { return Next::Over };
        let Some(place) = in_flight.find(sequence) else {
            self.protocol_error(id, &format!("a reply to sequence id {sequence}, which was not asked"));
            return Next::Over;
        };
        let call = *in_flight.at(place);
        if !call.live {
            self.answered(id, place);
            return self.go_on(id);
        }
        let call_id = CallId { slot: call.slot, generation: call.generation };
        if ClientCalls::is_passed(call.slot) {
            client.counters.answered.add(1);
            client.counters.in_flight.sub(1);
            let answer =
                &Answer { kind, wire: incoming.wire(), headers, head: body_at, message: opened.body(0), limits };
            self.pass_back(call_id, owner, answer);
            self.answered(id, place);
            return self.go_on(id);
        }
        let method = self.client_calls.method_of(call.slot);
        let program = &client.program;
        let was_empty = tape.is_empty();
        let mut body = opened.body(body_at);
        let told = tells(headers);
        let header = Header {
            kind: if kind == MessageKind::Reply { Kind::Reply } else { Kind::Exception },
            call: call.slot,
            generation: call.generation,
            method: method | if told.is_some() { HEADERS } else { 0 },
            owner,
        };
        let text = &mut self.text;
        let decoded = if kind == MessageKind::Reply {
            let Some(result) = program.method(method).result else {
                self.protocol_error(id, "a reply to a oneway call");
                return Next::Over;
            };
            tape.begin(&header, limits.slots.saturating_add(TAIL)).map_err(DecodeError::Full).and_then(|mut slot| {
                if let Some(array) = incoming.array() {
                    slot.lies_in(array);
                }
                guard::decode(program, protocol, result, &mut body, &limits, &mut slot)?;
                end_message(protocol, &mut body)?;
                if let Some(headers) = told {
                    put_tail(&mut slot, headers, timeout_of(headers), text)?;
                }
                slot.commit();
                Ok(())
            })
        } else {
            decode_exception(protocol, &mut body, &limits).and_then(|exception| {
                let mut slot = tape.begin(&header, usize::MAX)?;
                lay_text(&mut slot, exception.kind, 0, &exception.message)?;
                if let Some(headers) = told {
                    put_tail(&mut slot, headers, timeout_of(headers), text)?;
                }
                slot.commit();
                Ok(())
            })
        };
        match decoded {
            Ok(()) => {
                self.client_calls.end(call_id);
                client.counters.answered.add(1);
                client.counters.in_flight.sub(1);
                self.answered(id, place);
                self.go_on(id)
            }
            Err(DecodeError::Full(_)) => {
                let growth = was_empty.then(|| growth_for(message.len(), program));
                Next::Wait(growth)
            }
            Err(error) => {
                client.counters.failed.add(1);
                client.counters.in_flight.sub(1);
                let intact = leaves_the_stream_intact(&error);
                let text = format!("the reply of {} is not valid: {error}", program.method(method).name);
                self.client_calls.end(call_id);
                self.notices.push_back(Notice::Failure {
                    call: call_id,
                    owner,
                    code: FailureCode::Internal,
                    sent: Sent::Yes,
                    message: text,
                });
                self.answered(id, place);
                if intact {
                    return self.go_on(id);
                }
                if self.connections.contains(id as usize) {
                    self.fail_connection(
                        id,
                        FailureCode::Unavailable,
                        "an earlier reply on this connection was not valid",
                    );
                }
                Next::Over
            }
        }
    }

    /// `Over` if answering has closed the connection.
    pub(crate) fn go_on(&self, id: ConnectionId) -> Next {
        if self.connections.contains(id as usize) { Next::Go } else { Next::Over }
    }

    /// A call's reply has come; its connection may be free for the next.
    fn answered(&mut self, id: ConnectionId, place: Place) {
        let now = self.now;
        let connection = &mut self.connections[id as usize];
        let Role::Client { in_flight, .. } = &mut connection.role else { return };
        in_flight.answered(place);
        if in_flight.is_empty() {
            connection.idle_since = now;
            self.client_connection_free(id);
        }
    }

    /// Oneway calls are over once they are written.
    pub(crate) fn client_wrote(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let (written, owner) = (connection.written, connection.owner);
        let Role::Client { in_flight, .. } = &mut connection.role else { return };
        let mut over = false;
        let mut passed = Vec::new();
        in_flight.written(written, |call| {
            over = true;
            let call = CallId { slot: call.slot, generation: call.generation };
            let passes = self.client_calls.get_mut(call).and_then(|call| call.passes);
            if self.client_calls.end(call) {
                match passes {
                    Some(passes) => passed.push(passes),
                    None => self.notices.push_back(Notice::Written { call, owner }),
                }
                if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
                    client.counters.answered.add(1);
                    client.counters.in_flight.sub(1);
                }
            }
        });
        let is_free = over && in_flight.is_empty();
        for call in passed {
            self.oneway_done(call);
        }
        if is_free {
            self.client_connection_free(id);
        }
    }
}
