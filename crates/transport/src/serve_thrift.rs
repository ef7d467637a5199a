//! Calls of Thrift on a server: requests to the tape, replies in the order of the requests, or as they come where connections are
//! multiplexed.

use bytes::{Buf as _, Bytes, BytesMut};
use volo_js_tape::{HEADERS, Header, InTape, Kind, Malformed, ONEWAY, OutMessage, OutTape};
use volo_js_thrift::{
    DecodeError, MessageKind, Program, Transport, Wire, encode_raw, encode_reply, end_message, read_head,
};

use crate::{
    ConnectionId, Engine,
    calls::{CallId, Reply},
    connection::Role,
    engine::{Next, growth_for},
    exception::{INTERNAL_ERROR, PROTOCOL_ERROR, UNKNOWN_METHOD, leaves_the_stream_intact, put_exception},
    guard,
    header_text::{FAREWELL, IDL_SERVICE, is_tail_alone, put_tail, take_tail, timeout_of},
    incoming::{Incoming, Kept},
    leaving::Leaving,
    mirror::Mirror,
    notice::Level,
    owners::Owner,
    pass_thrift::Passed,
    raw_thrift::{RAW, empty, lay_raw},
};

/// Slots behind a CALL's body at most: its headers, and the connection it came by.
const TAIL: usize = 3;

/// A call that is to be answered.
pub(crate) struct Asked<'a> {
    pub program: &'a Program,
    pub method: u32,
    /// Of a method that the program does not have.
    pub raw_name: &'a Bytes,
    pub mirror: Mirror,
    pub connection: ConnectionId,
    /// The answer may be left in several places.
    pub may_lend: bool,
}

impl Asked<'_> {
    pub(crate) fn name(&self) -> &[u8] {
        if self.method == RAW { self.raw_name } else { self.program.method(self.method).name.as_bytes() }
    }
}

impl Engine {
    pub(crate) fn server_message(&mut self, id: ConnectionId, incoming: &Incoming, tape: &mut InTape<'_>) -> Next {
        let connection = &mut self.connections[id as usize];
        let owner = connection.owner;
        let (Role::Server { order, .. }, Some(Owner::Server(server))) =
            (&mut connection.role, self.owners.get_mut(owner as usize))
        else {
            return Next::Over;
        };
        let limits = &server.options.limits;
        let mut kept = Kept::default();
        let opened = match incoming.open(limits, &mut kept) {
            Ok(opened) => opened,
            Err(error) => {
                self.protocol_error(id, &error.to_string());
                return Next::Over;
            }
        };
        let (headers, message) = (opened.headers, opened.message());
        let wire = incoming.wire();
        let head = match read_head(wire.protocol, message) {
            Ok(head) => head,
            Err(error) => {
                self.protocol_error(id, &error.to_string());
                return Next::Over;
            }
        };
        let oneway = match head.kind {
            MessageKind::Call => false,
            MessageKind::Oneway => true,
            MessageKind::Reply | MessageKind::Exception => {
                self.protocol_error(id, "a reply where a call was expected");
                return Next::Over;
            }
        };
        let mirror = Mirror::new(wire, head.sequence, headers);
        let service = headers.and_then(|headers| headers.string(IDL_SERVICE));
        let served = server.methods.find(head.name, service);
        let method = served.map(|served| served.method);
        let route = match served {
            Some(served) => served.route.map(|route| route as usize),
            None => server.routes.unknown,
        };
        let route = route.and_then(|route| server.routes.of(route));
        // Apache's library for Go sends calls of oneway methods like others, and waits for no reply either.
        let oneway = oneway || method.is_some_and(|method| server.program.method(method).oneway);
        let time = headers.and_then(timeout_of);
        let refusal = match method {
            None if route.is_none() && server.takes_unknown => None,
            None if route.is_none() => {
                server.counters.unknown_methods.add(1);
                Some((UNKNOWN_METHOD, format!("unknown method {:?}", String::from_utf8_lossy(head.name))))
            }
            _ if time.is_some_and(|time| self.now.saturating_duration_since(connection.received_at) >= time) => {
                server.counters.expired.add(1);
                let text = "DEADLINE_EXCEEDED: the time of the call was over before it could begin".to_owned();
                Some((INTERNAL_ERROR, text))
            }
            _ => server.overload().map(|why| (INTERNAL_ERROR, why)),
        };
        if let Some((kind, text)) = refusal {
            server.counters.calls.add(1);
            if !oneway {
                let name = head.name.to_vec();
                self.refuse(id, &name, mirror, kind, &text);
            }
            return Next::Go;
        }
        connection.idle_since = self.now;
        let call = self.server_calls.insert(id, owner, method.unwrap_or(RAW), mirror, oneway);
        if method.is_none() {
            // Of a large message only the name is kept.
            let name = if incoming.is_large() { Bytes::copy_from_slice(head.name) } else { opened.part(head.name) };
            self.server_calls.listed(call.slot).name = name;
        }
        if let Some(route) = route {
            server.counters.calls.add(1);
            server.counters.in_flight.add(1);
            let name = match method {
                // Its service may stand in front of it.
                Some(method) => &head.name[head.name.len() - server.program.method(method).name.len()..],
                None => head.name,
            };
            let passed = Passed {
                name,
                wire,
                headers,
                message: &opened.body(0),
                head: head.len,
                limits: *limits,
                oneway,
                time,
                received: connection.received_at,
            };
            if !oneway {
                order.push(call.slot);
                if order.len() >= server.options.max_in_flight && !connection.paused {
                    self.pause(id);
                }
            }
            self.pass_on(call, route, &passed);
            return self.go_on(id);
        }
        let mut flags = if oneway { ONEWAY } else { 0 };
        if headers.is_some() {
            flags |= HEADERS;
        }
        let header = Header {
            kind: if method.is_some() { Kind::Call } else { Kind::RawCall },
            call: call.slot,
            generation: call.generation,
            method: method.unwrap_or(0) | flags,
            owner,
        };
        let was_empty = tape.is_empty();
        let (low, high) = (id as i32, connection.serial as i32);
        let decoded = match tape.begin(&header, limits.slots.saturating_add(TAIL)) {
            Err(full) => Err(DecodeError::Full(full)),
            Ok(mut slot) => {
                if let Some(array) = incoming.array() {
                    slot.lies_in(array);
                }
                let mut body = opened.body(head.len);
                let laid = match method {
                    Some(method) => {
                        let args = server.program.method(method).args;
                        guard::decode(&server.program, wire.protocol, args, &mut body, limits, &mut slot)
                            .and_then(|()| end_whole(wire, &mut body))
                    }
                    None => lay_raw(&mut slot, wire.protocol, head.name, &body),
                };
                laid.and_then(|()| {
                    if let Some(headers) = headers {
                        put_tail(&mut slot, headers, time, &mut self.text)?;
                    }
                    // The last slot says which connection it came by.
                    let last = slot.alloc(1)?;
                    slot.set_i32(last, low, high);
                    slot.commit();
                    Ok(())
                })
            }
        };
        match decoded {
            Ok(()) => {
                server.counters.calls.add(1);
                server.counters.in_flight.add(1);
                if !oneway {
                    order.push(call.slot);
                    if order.len() >= server.options.max_in_flight && !connection.paused {
                        self.pause(id);
                    }
                }
                Next::Go
            }
            Err(DecodeError::Full(_)) => {
                self.server_calls.remove(call.slot);
                let growth = was_empty.then(|| growth_for(message.len(), &server.program));
                Next::Wait(growth)
            }
            Err(error) => {
                self.server_calls.remove(call.slot);
                server.counters.calls.add(1);
                server.counters.protocol_errors.add(1);
                let survives = leaves_the_stream_intact(&error);
                let name = String::from_utf8_lossy(head.name).into_owned();
                if !oneway {
                    self.refuse(id, name.as_bytes(), mirror, PROTOCOL_ERROR, &error.to_string());
                }
                if survives {
                    return Next::Go;
                }
                let Some(connection) = self.connections.get_mut(id as usize) else { return Next::Over };
                connection.closing = true;
                self.buffers.release(&mut connection.unread);
                self.actions.push_back(crate::Action::Interest(id));
                self.event(owner, Level::Warn, format!("closed a connection: {name} {error}"));
                self.finish_if_over(id);
                Next::Over
            }
        }
    }

    /// Answers a call that JavaScript never sees with an exception, in its turn.
    fn refuse(&mut self, id: ConnectionId, name: &[u8], mirror: Mirror, kind: i32, text: &str) {
        let connection = &mut self.connections[id as usize];
        let owner = connection.owner;
        let Some(Owner::Server(server)) = self.owners.get(owner as usize) else { return };
        server.counters.exceptions.add(1);
        let Role::Server { order, .. } = &mut connection.role else { return };
        if order.is_empty() || server.options.is_multiplexed(&mirror) {
            self.buffers.prepare(&mut connection.out);
            put_exception(name, mirror, kind, text, &[], &mut connection.out);
            self.mark_dirty(id);
            return;
        }
        let call = self.server_calls.insert(id, owner, 0, mirror, false);
        order.push(call.slot);
        let call = self.server_calls.listed(call.slot);
        call.reply = Reply::Held;
        self.buffers.prepare(&mut call.held);
        put_exception(name, mirror, kind, text, &[], &mut call.held);
    }

    /// A handler's result.
    pub(crate) fn reply(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) -> Result<(), Malformed> {
        let (mut strings, _) = take_tail(tape, message)?;
        self.bid_farewell(id, &mut strings);
        let is_empty = is_tail_alone(message);
        let mut lent = None;
        self.answer(id, |asked, out| {
            let Asked { program, method, mirror, .. } = *asked;
            tape.lend(asked.may_lend);
            let written = mirror.frame(&strings, out, |wire, out| {
                if is_empty {
                    return encode_raw(
                        asked.name(),
                        MessageKind::Reply,
                        mirror.sequence,
                        empty(wire.protocol),
                        wire,
                        out,
                    );
                }
                encode_reply(program, method, MessageKind::Reply, mirror.sequence, tape, message.body, wire, out)
            });
            let gaps = if asked.may_lend { tape.take_gaps() } else { Vec::new() };
            if let Err(error) = written {
                put_exception(asked.name(), mirror, INTERNAL_ERROR, &error.to_string(), &[], out);
                return false;
            }
            if !gaps.is_empty() {
                lent = Some((asked.connection, gaps));
            }
            true
        });
        if let Some((connection, gaps)) = lent {
            self.note_gaps(connection, 0, gaps);
        }
        Ok(())
    }

    /// A `TApplicationException` instead of a result.
    pub(crate) fn answer_exception(
        &mut self,
        tape: &OutTape<'_>,
        message: &OutMessage,
        id: CallId,
    ) -> Result<(), Malformed> {
        let kind = tape.i32(message.body)?;
        let text = tape.str(message.body + 1)?.to_bytes();
        let (mut strings, _) = take_tail(tape, message)?;
        self.bid_farewell(id, &mut strings);
        self.answer(id, |asked, out| {
            put_exception(asked.name(), asked.mirror, kind, &String::from_utf8_lossy(&text), &strings, out);
            false
        });
        Ok(())
    }

    /// What an answer says besides where the connection of its call is to be closed.
    pub(crate) fn farewell(&mut self, id: CallId) -> Option<(&'static [u8], &'static [u8])> {
        let connection = self.server_calls.get_mut(id).map(|call| call.connection)?;
        let connection = self.connections.get(connection as usize)?;
        (connection.closing && connection.leaving != Leaving::HandOver).then_some(FAREWELL)
    }

    /// Adds that to what an answer says.
    pub(crate) fn bid_farewell(&mut self, id: CallId, strings: &mut Vec<(Bytes, Bytes)>) {
        let farewell = self.farewell(id);
        strings.extend(farewell.map(|(name, value)| (Bytes::from_static(name), Bytes::from_static(value))));
    }

    /// Answers a call; `write` says whether it has written a result.
    pub(crate) fn answer(&mut self, id: CallId, write: impl FnOnce(&Asked<'_>, &mut BytesMut) -> bool) {
        let Some(call) = self.server_calls.get_mut(id) else { return };
        if call.oneway {
            // A peer may call any method so.
            return self.oneway_done(id);
        }
        if call.reply != Reply::Open {
            return;
        }
        let (owner, connection_id) = (call.owner, call.connection);
        let (Some(Owner::Server(server)), Some(connection)) =
            (self.owners.get_mut(owner as usize), self.connections.get_mut(connection_id as usize))
        else {
            return;
        };
        let lends = self.lends && connection.may_lend();
        let Role::Server { order, .. } = &mut connection.role else { return };
        let is_first = order.is_first(id.slot);
        let leaves_now = is_first || server.options.is_multiplexed(&call.mirror);
        let may_lend = lends && leaves_now && !call.mirror.zlib;
        let out = if leaves_now { &mut connection.out } else { &mut call.held };
        self.buffers.prepare(out);
        let name = call.name.clone();
        let asked = Asked {
            program: &server.program,
            method: call.method,
            raw_name: &name,
            mirror: call.mirror,
            connection: connection_id,
            may_lend,
        };
        if write(&asked, out) {
            server.counters.replies.add(1);
        } else {
            server.counters.exceptions.add(1);
        }
        server.counters.in_flight.sub(1);
        connection.idle_since = self.now;
        if is_first {
            order.pop();
            self.server_calls.remove(id.slot);
            while let Some(next) = order.first() {
                let call = self.server_calls.listed(next);
                match call.reply {
                    Reply::Open => break,
                    Reply::Left => order.pop_left(),
                    Reply::Held => {
                        connection.out.extend_from_slice(&call.held);
                        self.buffers.release(&mut call.held);
                        order.pop();
                    }
                }
                self.server_calls.remove(next);
            }
        } else if leaves_now {
            call.reply = Reply::Left;
            let calls = &mut self.server_calls;
            order.leave(|slot| calls.remove_if_left(slot));
        } else {
            call.reply = Reply::Held;
            return;
        }
        connection.out_share.note(connection.out.capacity());
        let (unwritten, limit, paused) = (connection.unwritten(), server.options.max_unwritten, connection.paused);
        if unwritten > limit && !paused {
            self.pause(connection_id);
        }
        if paused {
            self.unpause_if_lighter(connection_id);
        }
        self.mark_dirty(connection_id);
    }

    pub(crate) fn oneway_done(&mut self, id: CallId) {
        let Some(call) = self.server_calls.get_mut(id) else { return };
        if !call.oneway {
            return;
        }
        let owner = call.owner;
        self.server_calls.remove(id.slot);
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.counters.in_flight.sub(1);
        }
    }
}

/// Behind the struct of a message: what its protocol has there, and in a frame nothing more.
fn end_whole(wire: Wire, body: &mut Bytes) -> Result<(), DecodeError> {
    end_message(wire.protocol, body)?;
    if body.has_remaining() && wire.transport != Transport::Buffered {
        return Err(DecodeError::Malformed("bytes follow the message in its frame"));
    }
    Ok(())
}
