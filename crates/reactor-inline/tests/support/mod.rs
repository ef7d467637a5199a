//! A reactor with tapes, and a stand-in for JavaScript that answers what lies on them. Sockets are real.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use volo_js_reactor_inline::{ListenOptions, Reactor};
use volo_js_schema::{Field, Method, Requiredness, Schema, Service, Struct, StructKind, Type};
use volo_js_tape::{InState, InTape, Kind, OutTape};
use volo_js_thrift::Program;
use volo_js_transport::{
    Address, ClientCounters, ClientOptions, ClientSetup, ClientStats, ServerCounters, ServerOptions, ServerSetup,
    ServerStats,
};

/// `service Echo { string Echo(1: required string text), oneway void Tell(1: string text) }`
pub fn schema() -> Schema {
    let field = |id, name: &str, requiredness| Field {
        id,
        name: name.into(),
        ty: Type::String,
        requiredness,
        default: None,
        annotations: Default::default(),
        doc: String::new(),
    };
    let structure = |name: &str, kind, fields| Struct {
        name: name.into(),
        file: 0,
        kind,
        fields,
        annotations: Default::default(),
        doc: String::new(),
    };
    let method = |name: &str, oneway, args, result| Method {
        name: name.into(),
        service: 0,
        oneway,
        args,
        result,
        annotations: Default::default(),
        doc: String::new(),
    };
    Schema {
        structs: vec![
            structure("Echo.Echo_args", StructKind::Args, vec![field(1, "text", Requiredness::Required)]),
            structure("Echo.Echo_result", StructKind::Result, vec![field(0, "success", Requiredness::Optional)]),
            structure("Echo.Tell_args", StructKind::Args, vec![field(1, "text", Requiredness::Default)]),
        ],
        methods: vec![method("Echo", false, 0, Some(1)), method("Tell", true, 2, None)],
        services: vec![Service {
            name: "Echo".into(),
            file: 0,
            extends: None,
            methods: vec![0, 1],
            annotations: Default::default(),
            doc: String::new(),
        }],
        ..Schema::default()
    }
}

/// A message of the in tape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: Kind,
    pub call: u32,
    pub generation: u32,
    pub owner: u32,
    pub numbers: (i32, i32),
    /// The string argument or result, or the text of a failure, exception or event.
    pub text: String,
}

pub struct Harness {
    pub reactor: Reactor,
    pub program: Arc<Program>,
    servers: HashMap<u32, Arc<ServerCounters>>,
    clients: HashMap<u32, Arc<ClientCounters>>,
    slots: Vec<u64>,
    text: Vec<u8>,
    bytes: Vec<u8>,
    state: InState,
    out: Vec<u64>,
    out_bytes: Vec<u8>,
}

impl Harness {
    pub fn new() -> Self {
        Self {
            reactor: Reactor::new().unwrap(),
            program: Arc::new(Program::compile(&schema()).unwrap()),
            servers: HashMap::new(),
            clients: HashMap::new(),
            slots: vec![0; 4096],
            text: vec![0; 64 << 10],
            bytes: vec![0; 64 << 10],
            state: InState::default(),
            out: vec![2, 0],
            out_bytes: Vec::new(),
        }
    }

    fn next_owner(&self) -> u32 {
        (self.servers.len() + self.clients.len()) as u32
    }

    /// A server that does not listen yet.
    pub fn server(&mut self, options: ServerOptions) -> u32 {
        let owner = self.next_owner();
        let setup = ServerSetup::new(self.program.clone(), &[0, 1], options).unwrap();
        self.servers.insert(owner, setup.counters.clone());
        self.reactor.engine().add_server(owner, setup);
        owner
    }

    pub fn listen(&mut self, options: ServerOptions) -> (u32, std::net::SocketAddr) {
        let owner = self.server(options);
        let address = Address::Tcp("127.0.0.1:0".parse().unwrap());
        match self.reactor.listen(owner, &address, &ListenOptions::default()).unwrap() {
            Address::Tcp(bound) => (owner, bound),
            other => panic!("bound {other}"),
        }
    }

    pub fn client(&mut self, options: ClientOptions) -> u32 {
        let owner = self.next_owner();
        let counters = Arc::<ClientCounters>::default();
        self.clients.insert(owner, counters.clone());
        self.reactor.engine().add_client(owner, ClientSetup { program: self.program.clone(), options, counters });
        owner
    }

    pub fn server_stats(&self, owner: u32) -> ServerStats {
        self.servers[&owner].read()
    }

    pub fn client_stats(&self, owner: u32) -> ClientStats {
        self.clients[&owner].read()
    }

    pub fn is_busy(&mut self) -> bool {
        self.reactor.engine().is_busy()
    }

    /// One turn: what arrived. Nothing is answered.
    pub fn turn(&mut self) -> Vec<Message> {
        self.poll();
        self.take_messages()
    }

    /// Reads sockets onto the tape.
    pub fn poll(&mut self) {
        loop {
            let mut tape = InTape::new(&mut self.slots, &mut self.text, &mut self.bytes, &mut self.state);
            self.reactor.poll(&mut tape).unwrap();
            let growth = self.reactor.engine().take_growth();
            match growth.filter(|_| self.state.is_empty()) {
                None => break,
                Some(growth) => {
                    self.slots.resize(self.slots.len() * 4, 0);
                    self.text.resize(self.text.len().max(growth.text), 0);
                    self.bytes.resize(self.bytes.len().max(growth.bytes), 0);
                }
            }
        }
    }

    /// What lies on the tape.
    pub fn take_messages(&mut self) -> Vec<Message> {
        let messages = self.read();
        self.state.reset();
        messages
    }

    /// Turns until something arrives that `wanted` takes; everything that arrived. Fails after five seconds.
    pub fn until(&mut self, wanted: impl Fn(&Message) -> bool) -> Vec<Message> {
        let end = Instant::now() + Duration::from_secs(5);
        let mut all = Vec::new();
        while Instant::now() < end {
            let messages = self.turn();
            self.flush();
            let found = messages.iter().any(&wanted);
            all.extend(messages);
            if found {
                return all;
            }
            self.reactor.tick();
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("nothing of that kind arrived in 5 s, only {all:?}");
    }

    pub fn kind(&mut self, kind: Kind) -> Message {
        self.until(|message| message.kind == kind).into_iter().find(|message| message.kind == kind).unwrap()
    }

    fn read(&self) -> Vec<Message> {
        let (mut at, end) = (1, self.slots[0] as u32 as usize);
        let mut messages = Vec::new();
        while at < end {
            let low = |slot: usize| self.slots[slot] as u32;
            let high = |slot: usize| (self.slots[slot] >> 32) as u32;
            let kind = Kind::try_from(low(at) as i32).unwrap();
            let size = high(at) as usize;
            let chunk = low(at + 3) as usize;
            let string = |slot: usize| {
                let (offset, length) = (low(slot) as usize, high(slot));
                let bytes = if length >> 31 == 1 { &self.bytes[offset..] } else { &self.text[chunk + offset..] };
                String::from_utf8_lossy(&bytes[..(length & 0x3fff_ffff) as usize]).into_owned()
            };
            let (numbers, text) = match kind {
                Kind::Call | Kind::Reply if size > 4 => {
                    ((0, 0), if low(at + 4) & 1 == 1 { string(at + 5) } else { String::new() })
                }
                Kind::Failure | Kind::Exception | Kind::Event => {
                    ((low(at + 4) as i32, high(at + 4) as i32), string(at + 5))
                }
                _ => ((0, 0), String::new()),
            };
            messages.push(Message {
                kind,
                call: low(at + 1),
                generation: high(at + 1),
                owner: high(at + 2),
                numbers,
                text,
            });
            at += size;
        }
        messages
    }

    fn put(&mut self, kind: Kind, call: u32, generation: u32, method: u32, owner: u32, body: &[u64]) {
        let size = 4 + body.len() as u64;
        self.out.extend([
            kind as u64 | size << 32,
            u64::from(call) | u64::from(generation) << 32,
            u64::from(method) | u64::from(owner) << 32,
            0,
        ]);
        self.out.extend(body);
        self.out[0] = self.out.len() as u64;
    }

    fn put_string(&mut self, text: &str) -> u64 {
        let at = self.out_bytes.len() as u64;
        self.out_bytes.extend_from_slice(text.as_bytes());
        at | (text.len() as u64 | 1 << 31) << 32
    }

    /// Answers an Echo.
    pub fn reply(&mut self, call: &Message, text: &str) {
        let string = self.put_string(text);
        self.put(Kind::Reply, call.call, call.generation, 0, call.owner, &[1, string]);
    }

    pub fn done(&mut self, call: &Message) {
        self.put(Kind::Done, call.call, call.generation, 1, call.owner, &[]);
    }

    /// Calls Echo (method 0) or Tell (1).
    pub fn call(&mut self, client: u32, slot: u32, generation: u32, method: u32, text: &str) {
        let string = self.put_string(text);
        self.put(Kind::Call, slot, generation, method, client, &[1, string]);
        self.submit();
        self.flush();
    }

    pub fn cancel(&mut self, client: u32, slot: u32, generation: u32) {
        self.put(Kind::Cancel, slot, generation, 0, client, &[]);
        self.submit();
        self.flush();
    }

    pub fn submit(&mut self) {
        self.reactor.submit(&OutTape::new(&self.out, &[], &self.out_bytes)).unwrap();
        self.out.truncate(2);
        self.out[0] = 2;
        self.out_bytes.clear();
    }

    pub fn flush(&mut self) {
        self.reactor.flush();
    }

    pub fn send(&mut self) {
        self.submit();
        self.flush();
    }
}

/// A framed call, or a buffered one, as bytes.
pub fn call_bytes(name: &str, kind: u8, sequence: i32, text: Option<&str>, framed: bool) -> Vec<u8> {
    let mut message = vec![0x80, 1, 0, kind];
    message.extend((name.len() as u32).to_be_bytes());
    message.extend(name.as_bytes());
    message.extend(sequence.to_be_bytes());
    if let Some(text) = text {
        message.extend([11, 0, 1]);
        message.extend((text.len() as u32).to_be_bytes());
        message.extend(text.as_bytes());
    }
    message.push(0);
    if framed { [(message.len() as u32).to_be_bytes().to_vec(), message].concat() } else { message }
}

/// The bytes of a framed reply of Echo.
pub fn reply_bytes(sequence: i32, text: &str) -> Vec<u8> {
    let mut bytes = call_bytes("Echo", 2, sequence, Some(text), true);
    let field = bytes.len() - 1 - text.len() - 4 - 2;
    bytes[field..field + 2].copy_from_slice(&[0, 0]);
    bytes
}
