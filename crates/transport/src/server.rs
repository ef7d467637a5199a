//! The engine's serving side: requests to the tape, replies in the order of the requests.

use std::{collections::VecDeque, io, sync::Arc, time::Instant};

use bytes::{Buf as _, Bytes, BytesMut};
use volo_js_tape::{Header, InTape, Kind, OutMessage, OutTape};
use volo_js_thrift::{DecodeError, FrameReader, MessageKind, Program, Transport, encode_reply, read_head};
use volo_js_tls::ServerTls;

use crate::{
    Address, Admission, ConnectionId, Engine, GrpcServerSetup, Methods, Peer, Refusal, Seat, ServerCounters,
    ServerOptions, budget,
    calls::CallId,
    connection::{Connection, Role},
    engine::Next,
    exception::{INTERNAL_ERROR, PROTOCOL_ERROR, UNKNOWN_METHOD, leaves_the_stream_intact, put_exception},
    guard,
    leaving::Leaving,
    notice::{Level, Notice},
    owners::Owner,
};

/// Set in `method` of a CALL that nobody waits for.
const ONEWAY: u32 = 1 << 30;

/// What a server is made of; everything that its engines, one a thread, have in common is shared.
#[derive(Debug)]
pub struct ServerSetup {
    /// What its messages are.
    pub program: Arc<Program>,
    /// What it answers.
    pub methods: Arc<Methods>,
    /// How it treats its connections.
    pub options: ServerOptions,
    /// Its connections in all engines.
    pub admission: Arc<Admission>,
    /// Its counters in one engine.
    pub counters: Arc<ServerCounters>,
    /// Its gRPC, if it has any. A connection's first bytes tell whether it is Thrift or HTTP/2.
    pub grpc: Option<GrpcServerSetup>,
    /// Its TLS, if its connections are encrypted, the same in all engines. What lives in memory is not.
    pub tls: Option<Arc<ServerTls>>,
}

impl ServerSetup {
    /// A server of the given methods (indexes into the program's); a name may stand only once.
    ///
    /// # Errors
    /// The name that two methods share.
    pub fn new(program: Arc<Program>, methods: &[u32], options: ServerOptions) -> Result<Self, String> {
        Ok(Self {
            methods: Arc::new(Methods::new(&program, methods)?),
            program,
            admission: Arc::new(Admission::new(options.max_connections, options.max_connections_per_peer)),
            options,
            counters: Arc::default(),
            grpc: None,
            tls: None,
        })
    }

    /// A server that answers gRPC only.
    pub fn of_grpc(grpc: GrpcServerSetup, options: ServerOptions) -> Self {
        let program = Arc::new(Program::default());
        Self {
            methods: Arc::default(),
            program,
            admission: Arc::new(Admission::new(options.max_connections, options.max_connections_per_peer)),
            options,
            counters: Arc::default(),
            grpc: Some(grpc),
            tls: None,
        }
    }

    /// The same server, answering gRPC, too.
    #[must_use]
    pub fn with_grpc(self, grpc: GrpcServerSetup) -> Self {
        Self { grpc: Some(grpc), ..self }
    }

    /// The same server in one more engine.
    #[must_use]
    pub fn in_another_engine(&self) -> Self {
        Self {
            program: self.program.clone(),
            methods: self.methods.clone(),
            options: self.options.clone(),
            admission: self.admission.clone(),
            counters: Arc::default(),
            grpc: self.grpc.clone(),
            tls: self.tls.clone(),
        }
    }
}

pub(crate) struct Server {
    pub program: Arc<Program>,
    pub grpc: Option<GrpcServerSetup>,
    pub tls: Option<Arc<ServerTls>>,
    methods: Arc<Methods>,
    pub options: ServerOptions,
    pub admission: Arc<Admission>,
    pub counters: Arc<ServerCounters>,
    /// Set once it closes: when the grace time ends.
    pub closing: Option<Instant>,
    /// How its connections close then.
    pub draining: Leaving,
    /// Connections that are on their way to another server.
    pub leaving: u32,
    /// Events told since `events_since`.
    pub events: u32,
    pub events_since: Instant,
}

impl Server {
    /// Why no further call can be taken, if that is so. Thrift has no code for it, so the text begins with gRPC's.
    #[inline]
    fn overload(&self) -> Option<String> {
        if self.counters.in_flight.get() >= self.options.max_calls as u64 {
            self.counters.overloads.add(1);
            let most = self.options.max_calls;
            return Some(format!("RESOURCE_EXHAUSTED: the server has {most} calls in flight; try again later"));
        }
        if budget::exceeds(self.options.memory_budget) {
            self.counters.memory_refusals.add(1);
            return Some("RESOURCE_EXHAUSTED: the server is short of memory; try again later".to_owned());
        }
        None
    }
}

impl Engine {
    /// Adds a server under an id that nobody else has.
    pub fn add_server(&mut self, owner: u32, setup: ServerSetup) {
        let ServerSetup { program, methods, options, admission, counters, grpc, tls } = setup;
        let server = Server {
            program,
            grpc,
            tls,
            methods,
            options,
            admission,
            counters,
            closing: None,
            draining: Leaving::AtOnce,
            leaving: 0,
            events: 0,
            events_since: self.now,
        };
        self.owners.insert(owner, Owner::Server(server));
    }

    /// Takes a server back that could not be bound.
    pub fn remove_server(&mut self, owner: u32) {
        debug_assert!(self.connections.iter().all(|(_, connection)| connection.owner != owner));
        self.owners.remove(owner);
    }

    /// Makes a server reachable in this engine under a name; tells its address.
    ///
    /// # Errors
    /// `AddrInUse` if the name is taken.
    pub fn listen_memory(&mut self, owner: u32, name: &str) -> io::Result<Address> {
        if self.memory.contains_key(name) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        self.memory.insert(name.to_owned(), owner);
        Ok(Address::Memory(name.to_owned()))
    }

    /// A peer has connected: its place, if it may stay. Ask where it was accepted, and give the place to the engine the connection will live in.
    pub fn admit(&mut self, owner: u32, peer: &Peer) -> Option<Seat> {
        let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) else { return None };
        match server.admission.enter(peer) {
            Ok(seat) => Some(seat),
            Err(refusal) => {
                let counter = match refusal {
                    Refusal::Full => &server.counters.refused,
                    Refusal::FullForPeer => &server.counters.refused_per_peer,
                };
                counter.add(1);
                let text = match refusal {
                    Refusal::Full => format!(
                        "refused a connection of {peer}: there are {} already (maxConnections)",
                        server.options.max_connections
                    ),
                    Refusal::FullForPeer => format!(
                        "refused a connection of {peer}: its address has {} already (maxConnectionsPerPeer)",
                        server.options.max_connections_per_peer.unwrap_or_default()
                    ),
                };
                self.event(owner, Level::Warn, text);
                None
            }
        }
    }

    /// A connection that was [admitted](Engine::admit) lives here from now on. None if the server has gone meanwhile: close it. Where the server
    /// is closing, it leaves as the others do, for it has been accepted already.
    pub fn accepted(&mut self, owner: u32, peer: Peer, seat: Seat) -> Option<ConnectionId> {
        let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) else { return None };
        server.counters.accepted.add(1);
        server.counters.connections.add(1);
        let reader = FrameReader::detect(server.options.limits);
        let draining = server.closing.map(|_| server.draining);
        let role = Role::Server { order: VecDeque::new(), peer, seat };
        let (speaks_grpc, speaks_thrift) = (server.grpc.is_some(), !server.methods.is_empty());
        let mut connection = Connection::new(role, owner, reader, self.now);
        connection.undecided = speaks_grpc;
        if !self.secure_accepted(owner, &mut connection) {
            self.event(owner, Level::Error, "closed a connection: TLS cannot begin".to_owned());
            return self.not_accepted(owner);
        }
        let id = self.insert_connection(connection);
        if speaks_grpc && !speaks_thrift {
            self.speak_http2(id);
        }
        if let Some(how) = draining {
            self.begin_to_leave(id, how);
        }
        Some(id)
    }

    /// A connection cannot stay after all.
    fn not_accepted(&mut self, owner: u32) -> Option<ConnectionId> {
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.counters.connections.sub(1);
        }
        None
    }

    /// Accepting failed, for lack of descriptors for example.
    pub fn accept_failed(&mut self, owner: u32, why: &str) {
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.counters.refused.add(1);
            self.event(owner, Level::Error, format!("cannot accept connections: {why}; trying again"));
        }
    }

    pub(crate) fn server_message(&mut self, id: ConnectionId, message: Bytes, tape: &mut InTape<'_>) -> Next {
        let connection = &mut self.connections[id as usize];
        let owner = connection.owner;
        let (Role::Server { order, .. }, Some(Owner::Server(server))) =
            (&mut connection.role, self.owners.get_mut(owner as usize))
        else {
            return Next::Over;
        };
        let head = match read_head(&message) {
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
        let sequence = head.sequence;
        let Some(method) = server.methods.get(head.name) else {
            server.counters.calls.add(1);
            server.counters.unknown_methods.add(1);
            if oneway {
                return Next::Go;
            }
            let text = format!("unknown method {:?}", String::from_utf8_lossy(head.name));
            let (name, transport) = (head.name.to_vec(), connection.transport());
            let mut reply = self.buffers.take();
            put_exception(&name, sequence, UNKNOWN_METHOD, &text, transport, &mut reply);
            self.refuse(id, sequence, reply);
            return Next::Go;
        };
        if let Some(why) = server.overload() {
            server.counters.calls.add(1);
            if !oneway {
                let (name, transport) = (head.name.to_vec(), connection.transport());
                let mut reply = self.buffers.take();
                put_exception(&name, sequence, INTERNAL_ERROR, &why, transport, &mut reply);
                self.refuse(id, sequence, reply);
            }
            return Next::Go;
        }
        connection.idle_since = self.now;
        let signature = server.program.method(method);
        let call = self.server_calls.insert(id, owner, method, sequence, oneway);
        let header = Header {
            kind: Kind::Call,
            call: call.slot,
            generation: call.generation,
            method: if oneway { method | ONEWAY } else { method },
            owner,
        };
        let was_empty = tape.is_empty();
        let limits = &server.options.limits;
        let (low, high) = (id as i32, connection.serial as i32);
        let decoded = match tape.begin(&header, limits.slots + 1) {
            Err(full) => Err(DecodeError::Full(full)),
            Ok(mut slot) => {
                let mut body = message.slice(head.len..);
                match guard::decode(&server.program, signature.args, &mut body, limits, &mut slot) {
                    Ok(()) if body.has_remaining() && connection.reader.transport() == Some(Transport::Framed) => {
                        Err(DecodeError::Malformed("bytes follow the message in its frame"))
                    }
                    Ok(()) => match slot.alloc(1) {
                        // The last slot says which connection it came by.
                        Ok(last) => {
                            slot.set_i32(last, low, high);
                            slot.commit();
                            Ok(())
                        }
                        Err(error) => Err(error.into()),
                    },
                    Err(error) => Err(error),
                }
            }
        };
        match decoded {
            Ok(()) => {
                server.counters.calls.add(1);
                server.counters.in_flight.add(1);
                if !oneway {
                    order.push_back(call.slot);
                    if order.len() >= server.options.max_in_flight && !connection.paused {
                        self.pause(id);
                    }
                }
                Next::Go
            }
            Err(DecodeError::Full(_)) => {
                self.server_calls.remove(call.slot);
                self.wait(id, message, was_empty);
                Next::Wait
            }
            Err(error) => {
                self.server_calls.remove(call.slot);
                server.counters.calls.add(1);
                server.counters.protocol_errors.add(1);
                let survives = leaves_the_stream_intact(&error);
                let (name, transport) = (signature.name.clone(), connection.transport());
                if !oneway {
                    let text = error.to_string();
                    let mut reply = self.buffers.take();
                    put_exception(name.as_bytes(), sequence, PROTOCOL_ERROR, &text, transport, &mut reply);
                    self.refuse(id, sequence, reply);
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

    /// Answers a call that JavaScript never sees, in its turn.
    fn refuse(&mut self, id: ConnectionId, sequence: i32, mut reply: BytesMut) {
        let owner = self.connections[id as usize].owner;
        if let Owner::Server(server) = &mut self.owners[owner as usize] {
            server.counters.exceptions.add(1);
        }
        let connection = &mut self.connections[id as usize];
        let Role::Server { order, .. } = &mut connection.role else { return };
        if order.is_empty() {
            self.buffers.prepare(&mut connection.out);
            connection.out.extend_from_slice(&reply);
            self.buffers.release(&mut reply);
            self.mark_dirty(id);
            return;
        }
        let call = self.server_calls.insert(id, owner, 0, sequence, false);
        order.push_back(call.slot);
        let call = self.server_calls.listed(call.slot);
        call.done = true;
        call.held = reply;
    }

    /// A handler's result.
    pub(crate) fn reply(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) {
        self.answer(id, |program, method, sequence, transport, out| {
            if let Err(error) =
                encode_reply(program, method, MessageKind::Reply, sequence, tape, message.body, transport, out)
            {
                let name = program.method(method).name.as_bytes();
                put_exception(name, sequence, INTERNAL_ERROR, &error.to_string(), transport, out);
                return false;
            }
            true
        });
    }

    /// A `TApplicationException` instead of a result.
    pub(crate) fn answer_exception(&mut self, id: CallId, type_: i32, text: &str) {
        self.answer(id, |program, method, sequence, transport, out| {
            put_exception(program.method(method).name.as_bytes(), sequence, type_, text, transport, out);
            false
        });
    }

    fn answer(&mut self, id: CallId, encode: impl FnOnce(&Program, u32, i32, Transport, &mut BytesMut) -> bool) {
        let Some(call) = self.server_calls.get_mut(id) else { return };
        if call.done || call.oneway {
            return;
        }
        let (owner, connection_id) = (call.owner, call.connection);
        let (Some(Owner::Server(server)), Some(connection)) =
            (self.owners.get_mut(owner as usize), self.connections.get_mut(connection_id as usize))
        else {
            return;
        };
        let transport = connection.transport();
        let Role::Server { order, .. } = &mut connection.role else { return };
        let in_turn = order.front() == Some(&id.slot);
        let out = if in_turn { &mut connection.out } else { &mut call.held };
        self.buffers.prepare(out);
        if encode(&server.program, call.method, call.sequence, transport, out) {
            server.counters.replies.add(1);
        } else {
            server.counters.exceptions.add(1);
        }
        server.counters.in_flight.sub(1);
        if !in_turn {
            call.done = true;
            return;
        }
        connection.idle_since = self.now;
        order.pop_front();
        self.server_calls.remove(id.slot);
        while let Some(&next) = order.front() {
            let call = self.server_calls.listed(next);
            if !call.done {
                break;
            }
            connection.out.extend_from_slice(&call.held);
            self.buffers.release(&mut call.held);
            order.pop_front();
            self.server_calls.remove(next);
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

    pub(crate) fn pause(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id as usize];
        connection.paused = true;
        self.actions.push_back(crate::Action::Interest(id));
        if let Owner::Server(server) = &mut self.owners[connection.owner as usize] {
            server.counters.pauses.add(1);
        }
    }

    /// Reads a paused connection again once half of what paused it is gone.
    pub(crate) fn unpause_if_lighter(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let Some(Owner::Server(server)) = self.owners.get(connection.owner as usize) else { return };
        // Streams of HTTP/2 have a limit of their own, and may live for long.
        let (few, most) = match (&connection.http2, &server.grpc) {
            (Some(_), Some(grpc)) => (true, grpc.options.http2.max_output.min(server.options.max_unwritten)),
            _ => (connection.calls() <= server.options.max_in_flight / 2, server.options.max_unwritten),
        };
        if connection.paused && few && connection.unwritten() <= most / 2 {
            connection.paused = false;
            self.actions.push_back(crate::Action::Interest(id));
            if connection.has_input() {
                self.enlist(id);
            }
        }
    }

    /// The connection of these calls is gone: nobody waits for them.
    pub(crate) fn abandon(&mut self, owner: u32, order: VecDeque<u32>) {
        for slot in order {
            let call = self.server_calls.listed(slot);
            if call.done {
                self.buffers.release(&mut call.held);
            } else {
                let id = self.server_calls.id(slot);
                self.notices.push_back(Notice::Gone { call: id, owner });
                if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
                    server.counters.in_flight.sub(1);
                    server.counters.abandoned.add(1);
                }
            }
            self.server_calls.remove(slot);
        }
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.counters.connections.sub(1);
        }
        self.closed_if_done(owner);
    }
}
