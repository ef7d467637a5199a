//! The engine's calling side: clients, their connections, and the calls that wait for one.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use volo_js_grpc::{Connection as Http2Connection, Http2Options, StreamKey};
use volo_js_tape::Gap;
use volo_js_thrift::{FrameReader, Program};
use volo_js_tls::ClientTls;

use crate::{
    Action, Address, ClientCounters, ClientOptions, ConnectionId, Connectivity, Engine, FailureCode, GrpcClientSetup,
    Mode, Peer, Sent,
    calls::CallId,
    connection::{Connection, Role},
    gaps::lent,
    grpc_client::{ClientStream, GrpcClient},
    http2::Http2,
    in_flight::{InFlight, InFlightCalls},
    notice::Notice,
    owners::Owner,
};

/// Time until a client that cannot connect tells so again.
const TELL_AGAIN: Duration = Duration::from_secs(1);

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
    /// When it last told that it cannot connect.
    pub told_unreachable: Option<Instant>,
    /// Sequence id of its next call.
    pub next_sequence: i32,
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
    pub oneway: bool,
    /// The call of a server that it is made for; none if JavaScript has made it.
    pub passes: Option<CallId>,
    pub state: State,
    pub sequence: i32,
    /// The encoded call, while it waits.
    pub held: BytesMut,
    /// Where arrays are to stand in it. There are some only while a tape is taken.
    pub gaps: Vec<Gap>,
    /// A call of gRPC, while it waits.
    pub grpc: Option<Box<ClientStream>>,
    /// Its stream, once it has one.
    pub stream: StreamKey,
}

/// Marks the slots of calls that a server has passed on.
const PASSED: u32 = 1 << 31;

/// The calls of all clients of an engine. JavaScript chooses slots and generations of its own; those of calls that are passed on are chosen here.
#[derive(Debug, Default)]
pub(crate) struct ClientCalls {
    calls: Vec<ClientCall>,
    passed: Vec<ClientCall>,
    /// Slots of passed calls that are over.
    free: Vec<u32>,
    live: usize,
}

impl ClientCalls {
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    #[inline]
    fn slot_mut(&mut self, slot: u32) -> Option<&mut ClientCall> {
        if slot & PASSED == 0 {
            self.calls.get_mut(slot as usize)
        } else {
            self.passed.get_mut((slot & !PASSED) as usize)
        }
    }

    pub(crate) fn get_mut(&mut self, id: CallId) -> Option<&mut ClientCall> {
        self.slot_mut(id.slot).filter(|call| call.state != State::Over && call.generation == id.generation)
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
        call.oneway = false;
        call.passes = None;
        call.state = State::Waiting;
        call
    }

    /// A call that is made for one of a server.
    pub(crate) fn begin_passed(&mut self, owner: u32, oneway: bool, passes: CallId) -> (CallId, &mut ClientCall) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.passed.push(ClientCall::default());
            (self.passed.len() - 1) as u32
        });
        self.live += 1;
        let call = &mut self.passed[slot as usize];
        call.owner = owner;
        call.oneway = oneway;
        call.passes = Some(passes);
        call.state = State::Waiting;
        (CallId { slot: slot | PASSED, generation: call.generation }, call)
    }

    /// Was the call in this slot passed on by a server?
    #[inline]
    pub(crate) fn is_passed(slot: u32) -> bool {
        slot & PASSED != 0
    }

    /// Ends a call; true if it was still going.
    pub(crate) fn end(&mut self, id: CallId) -> bool {
        let Some(call) = self.get_mut(id) else { return false };
        call.state = State::Over;
        call.grpc = None;
        if Self::is_passed(id.slot) {
            call.generation = call.generation.wrapping_add(1);
            call.passes = None;
            self.free.push(id.slot & !PASSED);
        }
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

    /// The method of the call in this slot.
    pub(crate) fn method_of(&self, slot: u32) -> u32 {
        self.calls[slot as usize].method
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
            told_unreachable: None,
            next_sequence: 1,
        };
        self.owners.insert(owner, Owner::Client(client));
    }

    /// Gives waiting calls connections, as far as the pool allows.
    pub(crate) fn pump(&mut self, owner: u32) {
        if matches!(self.owners.get(owner as usize), Some(Owner::Client(client)) if client.grpc.is_some()) {
            self.assign_streams(owner);
            self.note_connectivity(owner);
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
                let connection = &self.connections[id as usize];
                connection.retired || self.now.duration_since(connection.created) >= client.options.max_lifetime
            };
            let reused = match client.options.mode {
                // An expired connection finishes what it has; the next one takes over.
                Mode::Pipelined => {
                    let usable = client.connections.iter().copied().filter(|id| !expired(*id));
                    let calls = |id: &ConnectionId| self.connections[*id as usize].calls();
                    let least = usable.clone().min_by_key(calls);
                    // One that is free will do; otherwise calls spread over all there may be.
                    least.filter(|id| calls(id) == 0 || usable.count() >= client.options.connections)
                }
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
        let reader = FrameReader::fixed(client.options.wire, client.options.limits);
        let role = Role::Client { in_flight: InFlightCalls::default(), connected: false };
        let mut connection = Connection::new(role, owner, reader, self.now);
        if let Some(grpc) = &client.grpc {
            let options = &grpc.setup.options;
            let http2 = Http2Options { keep_alive: grpc.keep_alive, ..options.http2.clone() };
            let link = Http2Connection::client(http2, options.max_receive_message, self.now);
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
        let Some(call) = self.client_calls.slot_mut(slot) else { return };
        let connection = &mut self.connections[id as usize];
        let handed_on = connection.handed_on();
        let Role::Client { in_flight, .. } = &mut connection.role else { return };
        let oneway = call.oneway;
        let before = connection.out.len();
        let lent_before = lent(&connection.gaps);
        let start = handed_on + (before + lent_before) as u64;
        let gaps = std::mem::take(&mut call.gaps);
        if connection.out.is_empty() {
            // The usual case: the whole buffer changes hands.
            self.buffers.release(&mut connection.out);
            connection.out = std::mem::take(&mut call.held);
        } else {
            connection.out.extend_from_slice(&call.held);
            self.buffers.release(&mut call.held);
        }
        let end = handed_on + (connection.out.len() + lent_before + lent(&gaps)) as u64;
        in_flight.push(InFlight {
            slot,
            generation: call.generation,
            sequence: call.sequence,
            start,
            end,
            awaits_reply: !oneway,
            live: true,
        });
        call.state = State::Sent(id);
        if !gaps.is_empty() {
            self.note_gaps(id, before, gaps);
        }
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
                    in_flight.abandon(id.slot, id.generation);
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

    /// A connection has no call: back to the pool, on to a waiting call, or closed.
    pub(crate) fn client_connection_free(&mut self, id: ConnectionId) {
        let connection = &self.connections[id as usize];
        let (owner, expired, retired) = (connection.owner, connection.created, connection.retired);
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return };
        if client.closing.is_some() && client.waiting.is_empty() {
            return self.fail_connection(id, FailureCode::Unavailable, "the client was closed");
        }
        if retired || self.now.duration_since(expired) >= client.options.max_lifetime {
            return self.fail_connection(id, FailureCode::Unavailable, "at the end of its lifetime");
        }
        if client.options.mode == Mode::PingPong {
            client.idle.push(id);
            self.pump(owner);
        }
    }

    /// Ends a client's connection; its calls fail at once and say whether the peer may have seen them.
    pub(crate) fn fail_connection(&mut self, id: ConnectionId, code: FailureCode, why: &str) {
        let mut connection = self.remove_connection(id);
        let owner = connection.owner;
        let mut why = connection.tls.as_ref().and_then(|tls| tls.failure()).unwrap_or(why).to_owned();
        if let Some(goodbye) = connection.http2.as_ref().and_then(|http2| http2.link.go_away()) {
            why = format!("{why}: {goodbye}");
        }
        let why = why.as_str();
        let (handed_on, shakes_hands) = (connection.handed_on(), connection.shakes_hands());
        let Role::Client { connected, .. } = &connection.role else { return };
        let was_made =
            *connected && !shakes_hands && connection.http2.as_ref().is_none_or(|http2| http2.link.is_ready());
        if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
            client.connections.retain(|other| *other != id);
            client.idle.retain(|other| *other != id);
            if !was_made {
                client.counters.connect_failures.add(1);
                let told = client.told_unreachable.is_some_and(|told| self.now.duration_since(told) < TELL_AGAIN);
                if client.options.tells_unreachable && !told {
                    client.told_unreachable = Some(self.now);
                    self.notices.push_back(Notice::State { owner, state: Connectivity::TransientFailure });
                }
            }
        }
        let awaited = std::mem::take(&mut connection.awaited);
        let Role::Client { in_flight, .. } = &mut connection.role else { return };
        for call in in_flight.drain() {
            // Of what a reactor took, the socket may have some already.
            let sent = if handed_on > call.start { Sent::Maybe } else { Sent::No };
            let id = CallId { slot: call.slot, generation: call.generation };
            self.count_failure(owner);
            self.fail(id, owner, code, sent, why.to_owned());
        }
        self.not_made(owner, awaited, why);
        if let Some(http2) = &mut connection.http2 {
            self.note_objection(owner, http2.link.go_away());
            let calls: Vec<_> = http2.made.drain().collect();
            self.streams_lost(owner, calls, handed_on, code, why);
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
        let passes = self.client_calls.get_mut(call).and_then(|call| call.passes);
        if !self.client_calls.end(call) {
            return;
        }
        match passes {
            Some(passes) => self.passing_failed(passes, owner, code, &message),
            None => self.notices.push_back(Notice::Failure { call, owner, code, sent, message }),
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
            let Some(call) = self.client_calls.slot_mut(slot) else { continue };
            let id = CallId { slot, generation: call.generation };
            self.buffers.release(&mut call.held);
            self.count_failure(owner);
            self.fail(id, owner, FailureCode::Unavailable, Sent::No, why.to_owned());
        }
    }
}
