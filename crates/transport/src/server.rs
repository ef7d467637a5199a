//! The engine's serving side: servers, whom they let in, and what ends with a connection.

use std::{io, sync::Arc, time::Instant};

use volo_js_thrift::{FrameReader, Program};
use volo_js_tls::ServerTls;

use crate::{
    Address, Admission, ConnectionId, Engine, GrpcServerSetup, Methods, Peer, Refusal, Routes, Seat, Served,
    ServerCounters, ServerOptions, budget,
    calls::Reply,
    connection::{Connection, Role},
    leaving::Leaving,
    notice::{Level, Notice},
    order::Order,
    owners::Owner,
};

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
    /// Calls of Thrift methods that it does not have go to JavaScript, as they are.
    pub takes_unknown: bool,
    /// Where calls of Thrift go that are passed on. The clients are in every engine of the server, and close with it.
    pub routes: Arc<Routes>,
}

impl ServerSetup {
    /// A server of these services: their names, and indexes into the program's methods, all answered here. See [`Methods::new`].
    ///
    /// # Errors
    /// The name that two methods of a service share.
    pub fn new<'a>(
        program: Arc<Program>,
        services: impl IntoIterator<Item = (&'a str, &'a [u32])>,
        options: ServerOptions,
    ) -> Result<Self, String> {
        let answered = |methods: &'a [u32]| methods.iter().map(|method| Served { method: *method, route: None });
        let methods = Methods::new(&program, services.into_iter().map(|(name, methods)| (name, answered(methods))))?;
        Ok(Self {
            methods: Arc::new(methods),
            program,
            admission: Arc::new(Admission::new(options.max_connections, options.max_connections_per_peer)),
            options,
            counters: Arc::default(),
            grpc: None,
            tls: None,
            takes_unknown: false,
            routes: Arc::default(),
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
            takes_unknown: false,
            routes: Arc::default(),
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
            takes_unknown: self.takes_unknown,
            routes: self.routes.clone(),
        }
    }
}

pub(crate) struct Server {
    pub program: Arc<Program>,
    pub grpc: Option<GrpcServerSetup>,
    pub tls: Option<Arc<ServerTls>>,
    pub takes_unknown: bool,
    pub routes: Arc<Routes>,
    pub methods: Arc<Methods>,
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
    pub(crate) fn overload(&self) -> Option<String> {
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
        let ServerSetup { program, methods, options, admission, counters, grpc, tls, takes_unknown, routes } = setup;
        let server = Server {
            program,
            grpc,
            tls,
            takes_unknown,
            routes,
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
        let role = Role::Server { order: Order::default(), peer, seat };
        let takes_any = server.takes_unknown || server.routes.unknown.is_some();
        let (speaks_grpc, speaks_thrift) = (server.grpc.is_some(), !server.methods.is_empty() || takes_any);
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
    pub(crate) fn abandon(&mut self, owner: u32, order: Order) {
        let mut passed = Vec::new();
        for slot in order.into_slots() {
            let call = self.server_calls.listed(slot);
            if call.reply == Reply::Open {
                match call.passed.take() {
                    Some(made) => passed.push(made),
                    None => {
                        let id = self.server_calls.id(slot);
                        self.notices.push_back(Notice::Gone { call: id, owner });
                    }
                }
                if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
                    server.counters.in_flight.sub(1);
                    server.counters.abandoned.add(1);
                }
            } else {
                self.buffers.release(&mut call.held);
            }
            self.server_calls.remove(slot);
        }
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.counters.connections.sub(1);
        }
        // Not before: other calls may end with them, and must not be taken for calls of this connection's successor.
        for made in passed {
            self.cancel(made);
        }
        self.closed_if_done(owner);
    }
}
