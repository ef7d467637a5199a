//! An engine with the tapes of an isolate, and a peer without sockets.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::must_use_candidate)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use volo_js_grpc::{Connection, Event, Http2Options, StreamKey, http};
use volo_js_protobuf::Program;
use volo_js_schema::{Field, File, Method, Schema, Service, Struct, StructKind, Type};
use volo_js_tape::{
    Header, InState, InTape, Kind,
    testing::{InMessage, InReader, OutWriter},
};
use volo_js_transport::{
    Action, ClientCounters, ClientOptions, ClientSetup, ConnectionId, Engine, GrpcClientSetup, GrpcOptions,
    GrpcServerSetup, Peer, ServerCounters, ServerOptions, ServerSetup,
};

pub const SERVER: u32 = 1;
pub const CLIENT: u32 = 2;
pub const UNARY: u32 = 0;
pub const UP: u32 = 1;
pub const DOWN: u32 = 2;
pub const BOTH: u32 = 3;
/// Time between two ticks.
const TICK: Duration = Duration::from_millis(100);

/// `message Text { string text = 1; }` and a method of each kind.
pub fn program() -> Arc<Program> {
    let text = Struct {
        name: "test.Text".into(),
        file: 0,
        kind: StructKind::Message,
        fields: vec![Field::new(1, "text", Type::String)],
        keep_unknown: false,
        oneofs: Vec::new(),
        annotations: Default::default(),
        doc: String::new(),
    };
    let method = |name: &str, client_streaming, server_streaming| Method {
        name: name.into(),
        service: 0,
        oneway: false,
        client_streaming,
        server_streaming,
        args: 0,
        result: Some(0),
        annotations: Default::default(),
        doc: String::new(),
    };
    let schema = Schema {
        files: vec![File { path: "test.proto".into(), root: true, ..File::default() }],
        structs: vec![text],
        methods: vec![
            method("Unary", false, false),
            method("Up", true, false),
            method("Down", false, true),
            method("Both", true, true),
        ],
        services: vec![Service {
            name: "test.Texts".into(),
            file: 0,
            extends: None,
            methods: vec![0, 1, 2, 3],
            annotations: Default::default(),
            doc: String::new(),
        }],
        ..Schema::default()
    };
    Arc::new(Program::compile(&schema).unwrap())
}

/// A message of the in tape, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Got {
    pub kind: Kind,
    pub call: u32,
    pub generation: u32,
    pub method: u32,
    pub owner: u32,
    /// Low and high half of slot 4.
    pub first: (i32, u32),
    pub text: Option<String>,
    /// Slot 5 as a double.
    pub timeout: f64,
    /// Strings of slots 5, 6 and 7, as far as the kind has them.
    pub strings: Vec<String>,
}

/// Reads a message.
pub fn read(reader: &InReader<'_>, message: &InMessage) -> Got {
    let body = message.body;
    let kind = message.header.kind;
    let string = |slot| String::from_utf8_lossy(reader.string(message, slot)).into_owned();
    let has_message = matches!(kind, Kind::Request | Kind::Response | Kind::StreamMessage);
    let has_body = message.end > body;
    let text = (has_message && reader.low(body) != 0).then(|| {
        let (base, _) = reader.pointer(body);
        if reader.presence(base, 0) { string(base + 1) } else { String::new() }
    });
    let strings = match kind {
        Kind::Request => vec![String::new(), string(body + 2)],
        Kind::Response => vec![string(body + 1), string(body + 2)],
        Kind::StreamEnd => vec![string(body + 1), string(body + 2), string(body + 3)],
        Kind::Headers => vec![string(body)],
        Kind::Failure | Kind::Event => vec![string(body + 1)],
        _ => Vec::new(),
    };
    let Header { call, generation, method, owner, .. } = message.header;
    Got {
        kind,
        call,
        generation,
        method,
        owner,
        first: if has_body { (reader.low(body) as i32, reader.high(body)) } else { (0, 0) },
        text,
        timeout: if kind == Kind::Request { f64::from_bits(reader.u64(body + 1)) } else { 0.0 },
        strings,
    }
}

/// An engine, and the buffers of its tapes.
pub struct Isolate {
    pub engine: Engine,
    pub now: Instant,
    slots: Vec<u64>,
    text: Vec<u8>,
    bytes: Vec<u8>,
    state: InState,
    out: OutWriter,
    pub actions: Vec<Action>,
    /// How clients have stood to their servers, as far as that was told.
    pub states: Vec<i32>,
}

impl Isolate {
    pub fn new() -> Self {
        Self::with_tape(1 << 14, 1 << 16)
    }

    pub fn with_tape(slots: usize, bytes: usize) -> Self {
        let now = Instant::now();
        Self {
            engine: Engine::new(now),
            now,
            slots: vec![0; slots],
            text: vec![0; bytes],
            bytes: vec![0; bytes],
            state: InState::new(),
            out: OutWriter::new(),
            actions: Vec::new(),
            states: Vec::new(),
        }
    }

    pub fn server(&mut self, options: GrpcOptions, server: ServerOptions) -> Arc<ServerCounters> {
        let setup = ServerSetup::of_grpc(GrpcServerSetup::new(program(), &[0, 1, 2, 3], options), server);
        let counters = setup.counters.clone();
        self.engine.add_server(SERVER, setup);
        counters
    }

    /// A client of gRPC.
    pub fn client(&mut self, options: ClientOptions, change: impl FnOnce(&mut GrpcClientSetup)) -> Arc<ClientCounters> {
        let mut setup = GrpcClientSetup::new(program(), "test");
        change(&mut setup);
        let setup = ClientSetup::of_grpc(setup, options);
        let counters = setup.counters.clone();
        self.engine.add_client(CLIENT, setup);
        counters
    }

    /// The connections that a reactor was told to make since this was last asked.
    pub fn connecting(&mut self) -> Vec<ConnectionId> {
        while let Some(action) = self.engine.next_action() {
            self.actions.push(action);
        }
        let ids = self.actions.iter().filter_map(|action| match action {
            Action::Connect(id, _) => Some(*id),
            _ => None,
        });
        let ids = ids.collect();
        self.actions.clear();
        ids
    }

    pub fn accept(&mut self) -> ConnectionId {
        let seat = self.engine.admit(SERVER, &Peer::Unix).unwrap();
        self.engine.accepted(SERVER, Peer::Unix, seat).unwrap()
    }

    /// Lets time pass, with a tick now and then and one at the end.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.be_away(TICK.min(end - self.now));
        }
    }

    /// Lets time pass in which the thread has other things to do.
    pub fn be_away(&mut self, time: Duration) {
        self.now += time;
        self.engine.set_now(self.now);
        self.engine.tick();
    }

    pub fn receive(&mut self, id: ConnectionId, bytes: Bytes) {
        let mut tape = InTape::new(&mut self.slots, &mut self.text, &mut self.bytes, &mut self.state);
        self.engine.receive(id, bytes, &mut tape);
    }

    /// Bytes have come where the engine wanted them.
    pub fn landed(&mut self, id: ConnectionId, count: usize) {
        let mut tape = InTape::new(&mut self.slots, &mut self.text, &mut self.bytes, &mut self.state);
        self.engine.landed(id, count, &mut tape);
    }

    /// What JavaScript would be told now, all of it, but for states of clients.
    pub fn told(&mut self) -> Vec<Got> {
        let mut all = Vec::new();
        for _ in 0..10_000 {
            let mut tape = InTape::new(&mut self.slots, &mut self.text, &mut self.bytes, &mut self.state);
            self.engine.work_off(&mut tape);
            while let Some(action) = self.engine.next_action() {
                self.actions.push(action);
            }
            if self.state.is_empty() {
                match self.engine.take_growth() {
                    Some(growth) => {
                        self.slots.resize(self.slots.len() * 4, 0);
                        self.text.resize(self.text.len().max(growth.text), 0);
                        self.bytes.resize(self.bytes.len().max(growth.bytes), 0);
                        continue;
                    }
                    None if self.engine.has_backlog() => continue,
                    None => return all,
                }
            }
            let reader = InReader::new(&self.slots, &self.text, &self.bytes);
            let messages: Vec<_> = reader.messages().iter().map(|message| read(&reader, message)).collect();
            self.states.extend(messages.iter().filter(|got| got.kind == Kind::State).map(|got| got.first.0));
            all.extend(messages.into_iter().filter(|got| got.kind != Kind::State));
            self.state.reset();
        }
        panic!("the engine never comes to rest");
    }

    /// Lays a message for the engine: its slots, where the first may point to a text.
    pub fn say(&mut self, kind: Kind, to: &Got, text: Option<&str>, flags: i32, rest: &[&str]) {
        let header = Header { kind, call: to.call, generation: to.generation, method: to.method, owner: to.owner };
        let body = self.out.begin(&header);
        self.out.alloc(1 + rest.len());
        self.out.set_i32(body, 0, flags);
        for (n, string) in rest.iter().enumerate() {
            self.out.put_string(body + 1 + n, string);
        }
        if let Some(text) = text {
            let base = self.out.alloc_struct(2);
            self.out.mark_present(base, 0);
            self.out.put_string(base + 1, text);
            self.out.point(body, base, flags as u32);
        }
        self.out.commit();
    }

    /// A REQUEST of a client.
    pub fn call(
        &mut self,
        owner: u32,
        call: u32,
        method: u32,
        text: Option<&str>,
        timeout: f64,
        metadata: &str,
    ) -> Got {
        let to = Got {
            kind: Kind::Request,
            call,
            generation: 1,
            method,
            owner,
            first: (0, 0),
            text: None,
            timeout,
            strings: Vec::new(),
        };
        self.say(Kind::Request, &to, text, 0, &["", metadata]);
        self.set_timeout(timeout);
        to
    }

    /// Where the message begins that was laid last.
    fn last(&self) -> usize {
        let mut at = 2;
        loop {
            let size = (self.out.slots[at] >> 32) as usize;
            if at + size >= self.out.slots.len() {
                return at;
            }
            at += size;
        }
    }

    fn set_timeout(&mut self, timeout: f64) {
        let at = self.last();
        self.out.set(at + 5, timeout.to_bits());
    }

    /// Sets the flags of the message that was laid last.
    pub fn with_flags(&mut self, flags: i32) {
        let at = self.last();
        let low = self.out.slots[at + 4] as i32;
        self.out.set_i32(at + 4, low, flags);
    }

    /// Sets the low half of slot 4 of the message that was laid last: a status, a count.
    pub fn with_number(&mut self, number: i32) {
        let at = self.last();
        self.out.set_i32(at + 4, number, 0);
    }

    /// Hands over what was laid.
    pub fn submit(&mut self) {
        self.out.finish();
        let mut out = std::mem::take(&mut self.out);
        self.engine.submit(&out.tape()).unwrap();
        out = OutWriter::new();
        self.out = out;
    }

    pub fn respond(&mut self, to: &Got, text: &str) {
        self.say(Kind::Response, to, Some(text), 0, &["", ""]);
        self.submit();
    }

    pub fn end(&mut self, to: &Got, status: i32, message: &str, trailers: &str) {
        self.say(Kind::StreamEnd, to, None, 0, &[message, trailers, ""]);
        self.with_number(status);
        self.submit();
    }

    pub fn credit(&mut self, to: &Got, count: i32) {
        self.say(Kind::Credit, to, None, 0, &[]);
        self.with_number(count);
        self.submit();
    }

    /// What a connection writes, as if all of it had been taken by a socket.
    pub fn written(&mut self, id: ConnectionId) -> Bytes {
        let mut dirty = Vec::new();
        let mut all = BytesMut::new();
        loop {
            self.engine.take_dirty(&mut dirty);
            if !dirty.contains(&id) && self.engine.output(id).is_empty() {
                return all.freeze();
            }
            dirty.clear();
            let output = self.engine.output(id).to_vec();
            all.extend_from_slice(&output);
            self.engine.wrote(id, output.len());
        }
    }
}

/// A client or server that is no engine.
pub struct Client {
    pub connection: Connection,
    output: BytesMut,
    pub events: Vec<Event>,
}

impl Client {
    pub fn new(options: Http2Options) -> Self {
        Self {
            connection: Connection::client(options, 64 << 20, Instant::now()),
            output: BytesMut::new(),
            events: Vec::new(),
        }
    }

    pub fn server(options: Http2Options) -> Self {
        Self {
            connection: Connection::server(options, 64 << 20, Instant::now()),
            output: BytesMut::new(),
            events: Vec::new(),
        }
    }

    pub fn head(path: &str) -> http::request::Builder {
        http::Request::post(format!("http://test{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
    }

    pub fn open(&mut self, head: http::request::Builder, body: Bytes, end: bool) -> StreamKey {
        self.connection.open(head.body(()).unwrap(), body, end).unwrap()
    }

    pub fn call(&mut self, path: &str, text: &str) -> StreamKey {
        self.open(Self::head(path), framed(text), true)
    }

    /// Carries bytes to and fro until there are none.
    pub fn exchange(&mut self, isolate: &mut Isolate, id: ConnectionId) -> Vec<Got> {
        let mut told = Vec::new();
        for _ in 0..1000 {
            if self.connection.is_blocked() {
                // What was written has been taken.
                self.connection.turn(false, &mut self.output, 0);
            }
            while self.connection.is_touched() || self.connection.has_input() {
                let has_read = self.connection.turn(true, &mut self.output, 0);
                while let Some(event) = self.connection.next_event() {
                    self.events.push(event);
                }
                if !has_read {
                    break;
                }
            }
            let out = self.output.split().freeze();
            let quiet = out.is_empty();
            if !quiet {
                isolate.receive(id, out);
            }
            told.extend(isolate.told());
            let back = isolate.written(id);
            if quiet && back.is_empty() {
                return told;
            }
            self.connection.feed(back, isolate.now);
        }
        panic!("the connection never comes to rest");
    }

    /// Forgets what happened, and tells it, in words.
    pub fn story(&mut self) -> Vec<String> {
        self.events.drain(..).map(|event| tell(&event)).collect()
    }
}

pub fn framed(text: &str) -> Bytes {
    let mut bytes = vec![0];
    let mut message = Vec::new();
    if !text.is_empty() {
        message.push(10);
        let mut length = text.len();
        while length > 127 {
            message.push(length as u8 | 128);
            length >>= 7;
        }
        message.push(length as u8);
        message.extend_from_slice(text.as_bytes());
    }
    bytes.extend((message.len() as u32).to_be_bytes());
    bytes.extend(message);
    bytes.into()
}

fn headers(map: &http::HeaderMap) -> String {
    let mut all: Vec<String> =
        map.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value.as_bytes()))).collect();
    all.sort();
    all.join(",")
}

fn tell(event: &Event) -> String {
    match event {
        Event::Response(_, head) => format!("head {} {}", head.status().as_u16(), headers(head.headers())),
        Event::Message(_, message) => {
            format!("message {}", String::from_utf8_lossy(message.body.get(2..).unwrap_or_default()))
        }
        Event::End(_, trailers) => format!("end {}", headers(trailers)),
        Event::Gone(_, gone) => format!("gone {:?}", gone.reason.map(u32::from)),
        Event::Request(_, head) => format!("request {} {}", head.uri(), headers(head.headers())),
        other => format!("{other:?}"),
    }
}
