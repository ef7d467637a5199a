//! A reactor, and a stand-in for JavaScript that answers what comes from it. Sockets are real.
#![allow(clippy::unwrap_used)]

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use volo_js_sockets::{ListenOptions, SocketOptions};
use volo_js_tape::Kind;
use volo_js_thrift::Program;
use volo_js_tls::{ClientTls, ServerTls};
use volo_js_transport::{
    Address, ClientCounters, ClientOptions, ClientSetup, ClientStats, GrpcClientSetup, GrpcOptions, GrpcServerSetup,
    ServerCounters, ServerOptions, ServerSetup, ServerStats,
};

use crate::{Message, PATIENCE, Subject, schema, schema::grpc_schema};

/// A subject, with servers and clients of the [schema].
pub struct Harness<S: ?Sized + Subject = dyn Subject> {
    program: Arc<Program>,
    servers: HashMap<u32, Vec<Arc<ServerCounters>>>,
    clients: HashMap<u32, Arc<ClientCounters>>,
    /// CLOSED messages of servers that have come from some of the engines.
    closed: HashMap<u32, usize>,
    /// TLS of the servers and clients that are added from now on.
    pub tls: (Option<Arc<ServerTls>>, Option<Arc<ClientTls>>),
    slots: Vec<u64>,
    bytes: Vec<u8>,
    /// The reactor.
    pub subject: Box<S>,
}

impl<S: ?Sized + Subject> Harness<S> {
    /// Around a reactor with nothing in it.
    pub fn new(subject: Box<S>) -> Self {
        Self {
            program: Arc::new(Program::compile(&schema()).unwrap()),
            servers: HashMap::new(),
            clients: HashMap::new(),
            closed: HashMap::new(),
            tls: (None, None),
            slots: vec![2, 0],
            bytes: Vec::new(),
            subject,
        }
    }

    fn next_owner(&self) -> u32 {
        (self.servers.len() + self.clients.len()) as u32
    }

    /// A server that does not listen yet.
    pub fn server(&mut self, options: ServerOptions) -> u32 {
        self.add_server(ServerSetup::new(self.program.clone(), [("Test", &[0, 1][..])], options).unwrap())
    }

    fn add_server(&mut self, mut first: ServerSetup) -> u32 {
        let owner = self.next_owner();
        first.tls.clone_from(&self.tls.0);
        let mut setups: Vec<_> = (1..self.subject.engines()).map(|_| first.in_another_engine()).collect();
        setups.push(first);
        self.servers.insert(owner, setups.iter().map(|setup| setup.counters.clone()).collect());
        self.subject.add_server(owner, setups);
        owner
    }

    /// A server on a port of its own.
    pub fn listen(&mut self, options: ServerOptions) -> (u32, SocketAddr) {
        match self.listen_at(&Address::Tcp("127.0.0.1:0".parse().unwrap()), options) {
            (owner, Address::Tcp(bound)) => (owner, bound),
            (_, other) => panic!("bound {other}"),
        }
    }

    /// A server at an address; the address it is bound to.
    pub fn listen_at(&mut self, address: &Address, options: ServerOptions) -> (u32, Address) {
        let owner = self.server(options);
        let bound = self.subject.listen(owner, address, &ListenOptions::default()).unwrap();
        (owner, bound)
    }

    /// A server at an address that answers Thrift and gRPC.
    pub fn listen_both(&mut self, address: &Address, options: ServerOptions, grpc: GrpcOptions) -> (u32, Address) {
        let grpc = GrpcServerSetup::new(grpc_program(), &[0], grpc);
        let setup = ServerSetup::new(self.program.clone(), [("Test", &[0, 1][..])], options).unwrap().with_grpc(grpc);
        let owner = self.add_server(setup);
        let bound = self.subject.listen(owner, address, &ListenOptions::default()).unwrap();
        (owner, bound)
    }

    /// A client.
    pub fn client(&mut self, options: ClientOptions) -> u32 {
        let program = self.program.clone();
        self.add_client(ClientSetup { program, options, counters: Arc::default(), grpc: None, tls: None })
    }

    /// A client of gRPC.
    pub fn grpc_client(&mut self, options: ClientOptions, grpc: GrpcOptions) -> u32 {
        let setup = GrpcClientSetup { options: grpc, ..GrpcClientSetup::new(grpc_program(), "localhost") };
        self.add_client(ClientSetup::of_grpc(setup, options))
    }

    fn add_client(&mut self, mut setup: ClientSetup) -> u32 {
        let owner = self.next_owner();
        setup.tls.clone_from(&self.tls.1);
        self.clients.insert(owner, setup.counters.clone());
        self.subject.add_client(owner, setup, SocketOptions::default());
        owner
    }

    /// Counters of a server, of all its engines together.
    pub fn server_stats(&self, owner: u32) -> ServerStats {
        let mut sum = ServerStats::default();
        self.servers[&owner].iter().for_each(|counters| sum += counters.read());
        sum
    }

    /// Counters of a client.
    pub fn client_stats(&self, owner: u32) -> ClientStats {
        self.clients[&owner].read()
    }

    /// Does anything keep the process alive?
    pub fn is_busy(&mut self) -> bool {
        self.subject.is_busy()
    }

    /// One turn: what arrived. Nothing is answered.
    pub fn turn(&mut self) -> Vec<Message> {
        self.subject.poll();
        self.take()
    }

    /// What lies on the tape. Of a server's CLOSED messages, one an engine, only the last is told.
    pub fn take(&mut self) -> Vec<Message> {
        let mut messages = self.subject.take();
        messages.retain(|message| {
            let Some(counters) = self.servers.get(&message.owner).filter(|_| message.kind == Kind::Closed) else {
                return true;
            };
            let closed = self.closed.entry(message.owner).or_default();
            *closed += 1;
            *closed == counters.len()
        });
        messages
    }

    /// Turns until something arrives that `wanted` takes; everything that arrived. Fails after [`PATIENCE`].
    pub fn until(&mut self, wanted: impl Fn(&Message) -> bool) -> Vec<Message> {
        let end = Instant::now() + PATIENCE;
        let mut all = Vec::new();
        while Instant::now() < end {
            let messages = self.turn();
            self.subject.flush();
            let found = messages.iter().any(&wanted);
            all.extend(messages);
            if found {
                return all;
            }
            self.subject.tick();
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("nothing of that kind arrived in {PATIENCE:?}, only {all:?}");
    }

    /// Turns until a message of this kind arrives.
    pub fn kind(&mut self, kind: Kind) -> Message {
        self.until(|message| message.kind == kind).into_iter().find(|message| message.kind == kind).unwrap()
    }

    /// Turns until so many messages of this kind have arrived.
    pub fn kinds(&mut self, kind: Kind, count: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        while messages.len() < count {
            messages.extend(self.until(|message| message.kind == kind).into_iter().filter(|other| other.kind == kind));
        }
        messages
    }

    /// Turns until something is so; nothing may arrive meanwhile. Fails after [`PATIENCE`].
    pub fn eventually(&mut self, what: &str, is_so: impl Fn(&mut Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < end, "not so in {PATIENCE:?}: {what}");
            assert_eq!(self.turn(), [], "while waiting for: {what}");
            self.subject.flush();
            self.subject.tick();
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// Gives a connection time to be made, and a call to be written; nothing may arrive meanwhile.
    pub fn settle(&mut self) {
        for _ in 0..20 {
            assert_eq!(self.turn(), []);
            self.subject.flush();
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    fn put(&mut self, kind: Kind, call: u32, generation: u32, method: u32, owner: u32, body: &[u64]) {
        let size = 4 + body.len() as u64;
        self.slots.extend([
            kind as u64 | size << 32,
            u64::from(call) | u64::from(generation) << 32,
            u64::from(method) | u64::from(owner) << 32,
            self.bytes.len() as u64,
        ]);
        self.slots.extend(body);
        self.slots[0] = self.slots.len() as u64;
    }

    fn put_string(&mut self, text: &str) -> u64 {
        let at = self.bytes.len() as u64;
        self.bytes.extend_from_slice(text.as_bytes());
        at | (text.len() as u64 | 1 << 31) << 32
    }

    /// Answers an Echo, once it is [sent](Self::send).
    pub fn reply(&mut self, call: &Message, text: &str) {
        let string = self.put_string(text);
        self.put(Kind::Reply, call.call, call.generation, 0, call.owner, &[1, string]);
    }

    /// Tells that a Tell has been handled, once it is [sent](Self::send).
    pub fn done(&mut self, call: &Message) {
        self.put(Kind::Done, call.call, call.generation, 1, call.owner, &[]);
    }

    /// Calls Echo (method 0) or Tell (1).
    pub fn call(&mut self, client: u32, slot: u32, generation: u32, method: u32, text: &str) {
        let string = self.put_string(text);
        self.put(Kind::Call, slot, generation, method, client, &[1, string]);
        self.send();
    }

    /// Calls Echo of gRPC.
    pub fn request(&mut self, client: u32, slot: u32, generation: u32, text: &str) {
        let body = self.grpc_body(text);
        self.put(Kind::Request, slot, generation, 0, client, &body);
        self.send();
    }

    /// Answers an Echo of gRPC, once it is [sent](Self::send).
    pub fn respond(&mut self, call: &Message, text: &str) {
        let body = self.grpc_body(text);
        self.put(Kind::Response, call.call, call.generation, 0, call.owner, &body);
    }

    /// A pointer to the message, two more slots with nothing in them, and the message: presence, text, unknown fields.
    fn grpc_body(&mut self, text: &str) -> [u64; 6] {
        [3, 0, 0, 1, self.put_string(text), 0]
    }

    /// Asks for so many connections.
    pub fn connect(&mut self, client: u32, slot: u32, generation: u32, count: u32) {
        self.put(Kind::Connect, slot, generation, count, client, &[]);
        self.send();
    }

    /// Gives a call up.
    pub fn cancel(&mut self, client: u32, slot: u32, generation: u32) {
        self.put(Kind::Cancel, slot, generation, 0, client, &[]);
        self.send();
    }

    /// Hands over what was put.
    pub fn send(&mut self) {
        self.subject.submit(&self.slots, &self.bytes);
        self.slots.truncate(2);
        self.slots[0] = 2;
        self.bytes.clear();
        self.subject.flush();
    }
}

fn grpc_program() -> Arc<volo_js_protobuf::Program> {
    Arc::new(volo_js_protobuf::Program::compile(&grpc_schema()).unwrap())
}
