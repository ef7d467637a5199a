//! The engine's calling side: calls from the tape to connections, replies to the tape.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use bytes::{Bytes, BytesMut};
use volo_js_grpc::{Connection as Http2Connection, StreamKey};
use volo_js_tape::{Header, InTape, Kind, OutMessage, OutTape};
use volo_js_thrift::{
    DecodeError, FrameReader, MessageKind, Program, Transport, decode_exception, encode_call, read_head,
};
use volo_js_tls::ClientTls;

use crate::{
    Action, Address, ClientCounters, ClientOptions, ConnectionId, Engine, FailureCode, GrpcClientSetup, Mode, Peer,
    Sent,
    calls::CallId,
    connection::{Connection, InFlight, Role},
    engine::Next,
    exception::leaves_the_stream_intact,
    grpc_client::{ClientStream, GrpcClient},
    guard,
    http2::Http2,
    notice::{Notice, put_text},
    owners::Owner,
};

/// What a client is made of.
#[derive(Debug)]
pub struct ClientSetup {
    /// What its messages are.
    pub program: Arc<Program>,
    /// How it spreads its calls.
    pub options: ClientOptions,
    /// What it has done.
    pub counters: Arc<ClientCounters>,
    /// Its gRPC, if that is what it speaks; the program and what the options say of framing and pooling mean nothing then.
    pub grpc: Option<GrpcClientSetup>,
    /// Its TLS, if its connections are encrypted. What lives in memory is not.
    pub tls: Option<Arc<ClientTls>>,
}

impl ClientSetup {
    /// A client that speaks gRPC.
    pub fn of_grpc(grpc: GrpcClientSetup, options: ClientOptions) -> Self {
        Self { program: Arc::new(Program::default()), options, counters: Arc::default(), grpc: Some(grpc), tls: None }
    }
}

pub(crate) struct Client {
    pub program: Arc<Program>,
    pub grpc: Option<GrpcClient>,
    pub options: ClientOptions,
    pub tls: Option<Arc<ClientTls>>,
    pub counters: Arc<ClientCounters>,
    /// All connections, connecting ones included.
    pub connections: Vec<ConnectionId>,
    /// Established connections without a call, the last used at the end.
    pub idle: Vec<ConnectionId>,
    /// Calls without a connection, in order.
    pub waiting: VecDeque<u32>,
    /// Set once it closes: when the grace time ends.
    pub closing: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    Over,
    Waiting,
    /// On this connection.
    Sent(ConnectionId),
}

#[derive(Debug, Default)]
pub(crate) struct ClientCall {
    generation: u32,
    pub owner: u32,
    pub method: u32,
    pub state: State,
    /// The encoded call, while it waits.
    held: BytesMut,
    /// A call of gRPC, while it waits.
    pub grpc: Option<Box<ClientStream>>,
    /// Its stream, once it has one.
    pub stream: StreamKey,
}

/// The calls of all clients of an engine. Slots and generations are chosen by JavaScript.
#[derive(Debug, Default)]
pub(crate) struct ClientCalls {
    calls: Vec<ClientCall>,
    live: usize,
}

impl ClientCalls {
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    pub(crate) fn get_mut(&mut self, id: CallId) -> Option<&mut ClientCall> {
        self.calls
            .get_mut(id.slot as usize)
            .filter(|call| call.state != State::Over && call.generation == id.generation)
    }

    pub(crate) fn begin(&mut self, id: CallId, owner: u32, method: u32) -> &mut ClientCall {
        let slot = id.slot as usize;
        if slot >= self.calls.len() {
            self.calls.resize_with(slot + 1, ClientCall::default);
        }
        self.live += 1;
        let call = &mut self.calls[slot];
        call.generation = id.generation;
        call.owner = owner;
        call.method = method;
        call.state = State::Waiting;
        call
    }

    /// Ends a call; true if it was still going.
    pub(crate) fn end(&mut self, id: CallId) -> bool {
        let Some(call) = self.get_mut(id) else { return false };
        call.state = State::Over;
        call.grpc = None;
        self.live -= 1;
        true
    }

    /// A call of gRPC waits.
    pub(crate) fn hold(&mut self, id: CallId, stream: Box<ClientStream>) {
        if let Some(call) = self.get_mut(id) {
            call.state = State::Waiting;
            call.grpc = Some(stream);
        }
    }

    /// A call of gRPC waits no more.
    pub(crate) fn take_held(&mut self, id: CallId) -> Option<Box<ClientStream>> {
        self.get_mut(id)?.grpc.take()
    }

    /// The call of gRPC that waits in this slot waits no more.
    pub(crate) fn take_held_of_slot(&mut self, slot: u32) -> Option<(CallId, Box<ClientStream>)> {
        let record = self.calls.get_mut(slot as usize)?.grpc.take()?;
        Some((record.call, record))
    }

    pub(crate) fn waits_for_ready(&self, slot: u32) -> bool {
        let waiting = self.calls.get(slot as usize).and_then(|call| call.grpc.as_ref());
        waiting.is_some_and(|call| call.waits_for_ready)
    }

    /// The call in this slot has a stream.
    pub(crate) fn sent(&mut self, slot: u32, connection: ConnectionId, stream: StreamKey) {
        let call = &mut self.calls[slot as usize];
        call.state = State::Sent(connection);
        call.stream = stream;
    }
}

impl Client {
    /// Counts what there is now.
    fn gauge(&self) {
        self.counters.connections.set(self.connections.len() as u64);
        self.counters.idle.set(self.idle.len() as u64);
        self.counters.waiting.set(self.waiting.len() as u64);
    }
}

impl Engine {
    /// Adds a client under an id that nobody else has. It connects when a call needs it.
    pub fn add_client(&mut self, owner: u32, setup: ClientSetup) {
        let ClientSetup { program, options, counters, grpc, tls } = setup;
        let client = Client {
            program,
            grpc: grpc.map(GrpcClient::new),
            options,
            tls,
            counters,
            connections: Vec::new(),
            idle: Vec::new(),
            waiting: VecDeque::new(),
            closing: None,
        };
        self.owners.insert(owner, Owner::Client(client));
    }

    /// A call from JavaScript: encoded at once, for the tape is used again.
    pub(crate) fn call(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) {
        let (owner, method) = (message.header.owner, message.header.method);
        let call = self.client_calls.begin(id, owner, method);
        let Some(Owner::Client(client)) = self
            .owners
            .get_mut(owner as usize)
            .filter(|owner| matches!(owner, Owner::Client(client) if client.closing.is_none()))
        else {
            return self.fail(id, owner, FailureCode::Unavailable, Sent::No, "the client is closed".to_owned());
        };
        client.counters.calls.add(1);
        client.counters.in_flight.add(1);
        self.buffers.prepare(&mut call.held);
        if let Err(error) =
            encode_call(&client.program, method, 0, tape, message.body, client.options.transport, &mut call.held)
        {
            self.buffers.release(&mut call.held);
            client.counters.failed.add(1);
            client.counters.in_flight.sub(1);
            return self.fail(id, owner, FailureCode::Internal, Sent::No, error.to_string());
        }
        client.waiting.push_back(id.slot);
        self.pump(owner);
    }

    /// Gives waiting calls connections, as far as the pool allows.
    pub(crate) fn pump(&mut self, owner: u32) {
        if matches!(self.owners.get(owner as usize), Some(Owner::Client(client)) if client.grpc.is_some()) {
            self.assign_streams(owner);
        } else {
            self.assign_waiting(owner);
        }
        if let Some(Owner::Client(client)) = self.owners.get(owner as usize) {
            client.gauge();
        }
    }

    fn assign_waiting(&mut self, owner: u32) {
        loop {
            let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return };
            if client.waiting.is_empty() {
                return;
            }
            let expired = |id: ConnectionId| {
                self.now.duration_since(self.connections[id as usize].created) >= client.options.max_lifetime
            };
            let reused = match client.options.mode {
                // An expired connection finishes what it has; the next one takes over.
                Mode::Pipelined => client.connections.last().copied().filter(|id| !expired(*id)),
                Mode::PingPong => match client.idle.pop() {
                    Some(id) if expired(id) => {
                        self.fail_connection(id, FailureCode::Unavailable, "at the end of its lifetime");
                        continue;
                    }
                    other => other,
                },
            };
            let connection = match reused {
                Some(id) => id,
                None if client.options.mode == Mode::PingPong
                    && client.connections.len() >= client.options.pool_size =>
                {
                    return;
                }
                None => match self.open_connection(owner) {
                    Some(id) => id,
                    None => return,
                },
            };
            let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return };
            if let Some(slot) = client.waiting.pop_front() {
                self.assign(slot, connection);
            }
        }
    }

    /// Begins a connection. None if it failed at once; then all waiting calls have failed.
    pub(crate) fn open_connection(&mut self, owner: u32) -> Option<ConnectionId> {
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return None };
        client.counters.connects.add(1);
        let reader = FrameReader::fixed(client.options.transport, client.options.limits);
        let role = Role::Client { in_flight: VecDeque::new(), next_sequence: 1, connected: false };
        let mut connection = Connection::new(role, owner, reader, self.now);
        if let Some(grpc) = &client.grpc {
            let options = &grpc.setup.options;
            let link = Http2Connection::client(options.http2.clone(), options.max_receive_message, self.now);
            connection.http2 = Some(Http2::new(link));
        }
        let address = client.options.address.clone();
        if let Err(why) = self.secure_made(owner, &mut connection) {
            self.fail_all_waiting(owner, &why);
            return None;
        }
        let id = self.insert_connection(connection);
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return None };
        client.connections.push(id);
        if let Address::Memory(name) = &address {
            let server = self.memory.get(name).copied();
            let peer = server
                .and_then(|server| Some((server, self.admit(server, &Peer::Memory)?)))
                .and_then(|(server, seat)| self.accepted(server, Peer::Memory, seat));
            let Some(peer) = peer else {
                let why = format!("nobody listens on {address}");
                // First the calls: a connection that ends looks for more of them.
                self.fail_all_waiting(owner, &why);
                self.fail_connection(id, FailureCode::Unavailable, &why);
                return None;
            };
            self.connections[id as usize].memory_peer = Some(peer);
            self.connections[peer as usize].memory_peer = Some(id);
            self.connected(id);
            if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
                client.idle.retain(|other| *other != id);
            }
        } else {
            self.actions.push_back(Action::Connect(id, address));
        }
        Some(id)
    }

    fn assign(&mut self, slot: u32, id: ConnectionId) {
        let call = &mut self.client_calls.calls[slot as usize];
        let connection = &mut self.connections[id as usize];
        let handed_on = connection.handed_on();
        let Role::Client { in_flight, next_sequence, .. } = &mut connection.role else { return };
        let Some(Owner::Client(client)) = self.owners.get(connection.owner as usize) else { return };
        let method = client.program.method(call.method);
        let sequence = *next_sequence;
        *next_sequence = next_sequence.wrapping_add(1);
        // Strict binary: version, length of the name, name, sequence id; a frame's length before it.
        let at = if client.options.transport == Transport::Framed { 4 } else { 0 } + 8 + method.name.len();
        call.held[at..at + 4].copy_from_slice(&sequence.to_be_bytes());
        let start = handed_on + connection.out.len() as u64;
        if connection.out.is_empty() {
            // The usual case: the whole buffer changes hands.
            self.buffers.release(&mut connection.out);
            connection.out = std::mem::take(&mut call.held);
        } else {
            connection.out.extend_from_slice(&call.held);
            self.buffers.release(&mut call.held);
        }
        let end = handed_on + connection.out.len() as u64;
        in_flight.push_back(InFlight {
            slot,
            generation: call.generation,
            sequence,
            start,
            end,
            awaits_reply: !method.oneway,
            live: true,
        });
        call.state = State::Sent(id);
        self.mark_dirty(id);
    }

    /// The caller gives up: everything the call holds is freed, and a late reply reaches nobody.
    pub(crate) fn cancel(&mut self, id: CallId) {
        let Some(call) = self.client_calls.get_mut(id) else { return };
        let (owner, state, stream) = (call.owner, call.state, call.stream);
        self.buffers.release(&mut call.held);
        self.client_calls.end(id);
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return };
        client.counters.cancelled.add(1);
        client.counters.in_flight.sub(1);
        match state {
            State::Over => {}
            State::Waiting => {
                client.waiting.retain(|slot| *slot != id.slot);
                client.gauge();
            }
            State::Sent(connection) if client.grpc.is_some() => {
                self.cancel_stream(connection, stream);
            }
            State::Sent(connection) => {
                let mode = client.options.mode;
                if let Role::Client { in_flight, .. } = &mut self.connections[connection as usize].role {
                    for call in
                        in_flight.iter_mut().filter(|call| call.slot == id.slot && call.generation == id.generation)
                    {
                        call.live = false;
                    }
                }
                if mode == Mode::PingPong {
                    // Its reply would be taken for the next call's.
                    self.actions.push_back(Action::Reset(connection));
                    self.fail_connection(connection, FailureCode::Unavailable, "its call was given up");
                }
            }
        }
        self.closed_if_done(owner);
    }

    pub(crate) fn client_message(&mut self, id: ConnectionId, message: Bytes, tape: &mut InTape<'_>) -> Next {
        let head = match read_head(&message) {
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
        let connection = &mut self.connections[id as usize];
        let owner = connection.owner;
        let Role::Client { in_flight, .. } = &mut connection.role else { return Next::Over };
        let Some(index) = find(in_flight, sequence) else {
            self.protocol_error(id, &format!("a reply to sequence id {sequence}, which was not asked"));
            return Next::Over;
        };
        let call = in_flight[index];
        if !call.live {
            self.answered(id, index);
            return self.go_on(id);
        }
        let call_id = CallId { slot: call.slot, generation: call.generation };
        let method = self.client_calls.calls[call.slot as usize].method;
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return Next::Over };
        let program = client.program.clone();
        let was_empty = tape.is_empty();
        let mut body = message.slice(body_at..);
        let kind_on_tape = if kind == MessageKind::Reply { Kind::Reply } else { Kind::Exception };
        let header = Header { kind: kind_on_tape, call: call.slot, generation: call.generation, method, owner };
        let decoded = if kind == MessageKind::Reply {
            let Some(result) = program.method(method).result else {
                self.protocol_error(id, "a reply to a oneway call");
                return Next::Over;
            };
            match tape.begin(&header, client.options.limits.slots) {
                Err(full) => Err(DecodeError::Full(full)),
                Ok(mut slot) => guard::decode(&program, result, &mut body, &client.options.limits, &mut slot)
                    .map(|()| slot.commit()),
            }
        } else {
            decode_exception(&mut body, &client.options.limits).and_then(|exception| {
                Ok(put_text(tape, &header, exception.kind, 0, &String::from_utf8_lossy(&exception.message))?)
            })
        };
        match decoded {
            Ok(()) => {
                self.client_calls.end(call_id);
                client.counters.answered.add(1);
                client.counters.in_flight.sub(1);
                self.answered(id, index);
                self.go_on(id)
            }
            Err(DecodeError::Full(_)) => {
                self.wait(id, message, was_empty);
                Next::Wait
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
                self.answered(id, index);
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
    fn go_on(&self, id: ConnectionId) -> Next {
        if self.connections.contains(id as usize) { Next::Go } else { Next::Over }
    }

    /// A call's reply has come; its connection may be free for the next.
    fn answered(&mut self, id: ConnectionId, index: usize) {
        let now = self.now;
        let connection = &mut self.connections[id as usize];
        let Role::Client { in_flight, .. } = &mut connection.role else { return };
        if index == 0 {
            in_flight.pop_front();
        } else {
            // Out of turn: its place is kept, so that positions follow from sequence ids.
            in_flight[index].live = false;
            in_flight[index].awaits_reply = false;
        }
        drop_finished(in_flight);
        if in_flight.is_empty() {
            connection.idle_since = now;
            self.client_connection_free(id);
        }
    }

    /// A connection has no call: back to the pool, on to a waiting call, or closed.
    pub(crate) fn client_connection_free(&mut self, id: ConnectionId) {
        let connection = &self.connections[id as usize];
        let (owner, expired) = (connection.owner, connection.created);
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return };
        if client.closing.is_some() && client.waiting.is_empty() {
            return self.fail_connection(id, FailureCode::Unavailable, "the client was closed");
        }
        if self.now.duration_since(expired) >= client.options.max_lifetime {
            return self.fail_connection(id, FailureCode::Unavailable, "at the end of its lifetime");
        }
        if client.options.mode == Mode::PingPong {
            client.idle.push(id);
            self.pump(owner);
        }
    }

    /// Oneway calls are over once they are written.
    pub(crate) fn client_wrote(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let (written, owner) = (connection.written, connection.owner);
        let Role::Client { in_flight, .. } = &mut connection.role else { return };
        let mut over = false;
        for call in in_flight.iter_mut().filter(|call| call.live && !call.awaits_reply && call.end <= written) {
            call.live = false;
            over = true;
            let call = CallId { slot: call.slot, generation: call.generation };
            if self.client_calls.end(call) {
                self.notices.push_back(Notice::Written { call, owner });
                if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
                    client.counters.answered.add(1);
                    client.counters.in_flight.sub(1);
                }
            }
        }
        if over {
            drop_finished(in_flight);
            if in_flight.is_empty() {
                self.client_connection_free(id);
            }
        }
    }

    /// Ends a client's connection; its calls fail at once and say whether the peer may have seen them.
    pub(crate) fn fail_connection(&mut self, id: ConnectionId, code: FailureCode, why: &str) {
        let mut connection = self.remove_connection(id);
        let owner = connection.owner;
        let why = connection.tls.as_ref().and_then(|tls| tls.failure()).unwrap_or(why).to_owned();
        let why = why.as_str();
        let (handed_on, shakes_hands) = (connection.handed_on(), connection.shakes_hands());
        let Role::Client { in_flight, connected, .. } = &mut connection.role else { return };
        let was_made =
            *connected && !shakes_hands && connection.http2.as_ref().is_none_or(|http2| http2.link.is_ready());
        if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
            client.connections.retain(|other| *other != id);
            client.idle.retain(|other| *other != id);
            if !was_made {
                client.counters.connect_failures.add(1);
            }
        }
        for call in in_flight.drain(..).filter(|call| call.live) {
            // Of what a reactor took, the socket may have some already.
            let sent = if handed_on > call.start { Sent::Maybe } else { Sent::No };
            let id = CallId { slot: call.slot, generation: call.generation };
            self.count_failure(owner);
            self.fail(id, owner, code, sent, why.to_owned());
        }
        if let Some(http2) = &mut connection.http2 {
            for call in http2.made.drain() {
                self.count_failure(owner);
                self.fail(call.call, owner, code, Sent::Maybe, why.to_owned());
            }
            if !was_made {
                self.connecting_failed(owner, why);
            }
        }
        self.pump(owner);
        self.closed_if_done(owner);
    }

    pub(crate) fn count_failure(&mut self, owner: u32) {
        if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
            client.counters.failed.add(1);
            client.counters.in_flight.sub(1);
        }
    }

    pub(crate) fn fail(&mut self, call: CallId, owner: u32, code: FailureCode, sent: Sent, message: String) {
        if self.client_calls.end(call) {
            self.notices.push_back(Notice::Failure { call, owner, code, sent, message });
        }
    }

    fn fail_all_waiting(&mut self, owner: u32, why: &str) {
        if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
            let waiting = std::mem::take(&mut client.waiting);
            self.fail_waiting(owner, &waiting, why);
        }
    }

    pub(crate) fn fail_waiting(&mut self, owner: u32, waiting: &VecDeque<u32>, why: &str) {
        for &slot in waiting {
            let call = &mut self.client_calls.calls[slot as usize];
            let id = CallId { slot, generation: call.generation };
            self.buffers.release(&mut call.held);
            self.count_failure(owner);
            self.fail(id, owner, FailureCode::Unavailable, Sent::No, why.to_owned());
        }
    }
}

/// The call a reply belongs to. Sequence ids count up in the order of the queue, so its place follows from the first one's.
fn find(in_flight: &VecDeque<InFlight>, sequence: i32) -> Option<usize> {
    let first = in_flight.front()?.sequence;
    let index = sequence.wrapping_sub(first) as u32 as usize;
    in_flight.get(index).filter(|call| call.awaits_reply).map(|_| index)
}

fn drop_finished(in_flight: &mut VecDeque<InFlight>) {
    while in_flight.front().is_some_and(|call| !call.live && !call.awaits_reply) {
        in_flight.pop_front();
    }
}
