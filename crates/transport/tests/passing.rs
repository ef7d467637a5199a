//! Calls that a server passes on: what goes out, what comes back, and what ends them. Nothing of it is on the tape.
#![allow(clippy::unwrap_used)]

mod support;

use std::{sync::Arc, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use support::{CLIENT, Isolate, SERVER};
use volo_js_thrift::{
    FrameReader, Headers, Ints, Limits, MessageKind, Protocol, Strings, Transport, Wire, begin_frame, decode_exception,
    encode_raw, end_frame, read_head, read_headers,
};
use volo_js_transport::{
    Address, ClientCounters, ClientOptions, ClientSetup, ConnectionId, Mode, Names, Route, Routes, ServerCounters,
    ServerOptions, ServerSetup,
};

const FRAMED: Wire = Wire::new(Transport::Framed, Protocol::Binary);
const HEADED: Wire = Wire::new(Transport::TtHeader, Protocol::Binary);
/// No struct, which nobody notices who does not look.
const BODY: &[u8] = b"\x0Bnot a struct";

/// A server that passes everything on, and a client for it.
struct Proxy {
    isolate: Isolate,
    server: Arc<ServerCounters>,
    client: Arc<ClientCounters>,
}

impl Proxy {
    fn new(wire: Wire, mode: Mode, timeout: Option<Duration>) -> Self {
        let mut isolate = Isolate::new();
        let names = Names { callee: Bytes::from_static(b"end"), ..Names::default() };
        let address = Address::Unix("/end".into());
        let options = ClientOptions { wire, mode, names, ..ClientOptions::new(address) };
        let setup = ClientSetup { program: Arc::default(), options, counters: Arc::default(), grpc: None, tls: None };
        let client = setup.counters.clone();
        isolate.engine.add_client(CLIENT, setup);
        let setup = ServerSetup::new(Arc::default(), [], ServerOptions::default()).unwrap();
        let server = setup.counters.clone();
        let routes = Routes { all: vec![Route { client: CLIENT, timeout }], unknown: Some(0) };
        isolate.engine.add_server(SERVER, ServerSetup { routes: Arc::new(routes), ..setup });
        Self { isolate, server, client }
    }

    /// The one connection that is to be made to the upstream, made.
    fn connect(&mut self) -> ConnectionId {
        let ids = self.isolate.connecting();
        let [id] = ids[..] else { panic!("{} connections", ids.len()) };
        self.isolate.engine.connected(id);
        id
    }

    /// What a connection writes, message by message.
    fn read(&mut self, id: ConnectionId, wire: Wire) -> Vec<Got> {
        let mut bytes = self.isolate.written(id);
        let mut reader = FrameReader::fixed(wire, Limits::default());
        let mut all = Vec::new();
        while let Some(frame) = reader.next(&bytes).unwrap() {
            let framing = bytes.slice(..frame.header);
            let message = bytes.slice(frame.header..frame.total());
            let head = read_head(frame.wire.protocol, &message).unwrap();
            let (name, kind, sequence) = (head.name.to_vec(), head.kind, head.sequence);
            let body = message.slice(head.len..);
            all.push(Got { name, kind, sequence, body, wire: frame.wire, framing });
            bytes.advance(frame.total());
            reader.consumed();
        }
        assert!(bytes.is_empty());
        assert_eq!(self.isolate.told(), [], "JavaScript is told nothing");
        all
    }
}

#[derive(Debug)]
struct Got {
    name: Vec<u8>,
    kind: MessageKind,
    sequence: i32,
    body: Bytes,
    wire: Wire,
    framing: Bytes,
}

impl Got {
    fn headers(&self) -> Headers<'_> {
        read_headers(self.wire, &self.framing).unwrap()
    }

    fn exception(&self) -> String {
        assert_eq!(self.kind, MessageKind::Exception);
        let exception = decode_exception(Protocol::Binary, &mut self.body.clone(), &Limits::default()).unwrap();
        String::from_utf8_lossy(&exception.message).into_owned()
    }
}

fn message(wire: Wire, name: &str, kind: MessageKind, sequence: i32, body: &[u8], headers: &Headers<'_>) -> Bytes {
    let mut out = BytesMut::new();
    let mark = begin_frame(wire, headers, &mut out).unwrap();
    encode_raw(name.as_bytes(), kind, sequence, body, wire.inner(), &mut out).unwrap();
    end_frame(mark, 0, &mut out).unwrap();
    out.freeze()
}

fn call(sequence: i32) -> Bytes {
    message(FRAMED, "any", MessageKind::Call, sequence, BODY, &Headers::default())
}

fn answer(sequence: i32, body: &[u8]) -> Bytes {
    message(FRAMED, "any", MessageKind::Reply, sequence, body, &Headers::default())
}

#[test]
fn each_side_has_sequence_ids_of_its_own_and_answers_leave_in_order() {
    let mut proxy = Proxy::new(FRAMED, Mode::Pipelined, None);
    let caller = proxy.isolate.accept();
    proxy.isolate.receive(caller, [call(77), call(-5)].concat().into());
    let upstream = proxy.connect();
    let calls = proxy.read(upstream, FRAMED);
    assert_eq!(calls.iter().map(|call| call.sequence).collect::<Vec<_>>(), [1, 2]);
    assert!(calls.iter().all(|call| call.kind == MessageKind::Call && call.name == b"any" && call.body == BODY));
    proxy.isolate.receive(upstream, answer(2, b"second"));
    assert!(proxy.read(caller, FRAMED).is_empty());
    proxy.isolate.receive(upstream, answer(1, b"first"));
    let answers = proxy.read(caller, FRAMED);
    let answers: Vec<_> = answers.iter().map(|got| (got.sequence, &got.body[..])).collect();
    assert_eq!(answers, [(77, &b"first"[..]), (-5, b"second")]);
    let (server, client) = (proxy.server.read(), proxy.client.read());
    assert_eq!((server.calls, server.replies, server.in_flight), (2, 2, 0));
    assert_eq!((client.calls, client.answered, client.in_flight), (2, 2, 0));
}

fn ints<'a>(pairs: &[(u16, &'a str)]) -> Ints<'a> {
    pairs.iter().map(|(key, value)| (*key, value.as_bytes())).collect()
}

fn strings<'a>(pairs: &[(&'a str, &'a str)]) -> Strings<'a> {
    pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

#[test]
fn headers_go_on_but_for_those_of_one_connection() {
    let mut proxy = Proxy::new(HEADED, Mode::PingPong, None);
    let caller = proxy.isolate.accept();
    let headers = Headers {
        sequence: 9,
        // Log id, caller, callee, method, time left, destination, connect timeout: as Volo has it, without a kind.
        ints: ints(&[(2, "log"), (3, "edge"), (6, "front"), (9, "any"), (12, "250"), (11, "here"), (17, "50")]),
        strings: strings(&[("isn", "Items"), ("RPC_TRANSIT_a", "1")]),
        token: Some(b"may"),
        ..Headers::default()
    };
    proxy.isolate.receive(caller, message(HEADED, "any", MessageKind::Call, 9, BODY, &headers));
    let upstream = proxy.connect();
    let [call] = &proxy.read(upstream, HEADED)[..] else { panic!("one call") };
    assert_eq!(call.headers().strings, headers.strings, "its service, as the upstream has none of its own");
    assert_eq!(call.headers().token, headers.token);
    let mut told = call.headers().ints;
    told.sort();
    assert_eq!(told, ints(&[(2, "log"), (3, "edge"), (6, "end"), (9, "any"), (12, "250")]));
    let headers = Headers {
        sequence: 1,
        ints: ints(&[(22, "2"), (40, "x")]),
        strings: strings(&[("crrst", "1"), ("RPC_BACKWARD_b", "2")]),
        ..Headers::default()
    };
    proxy.isolate.receive(upstream, message(HEADED, "any", MessageKind::Reply, 1, BODY, &headers));
    let [answer] = &proxy.read(caller, HEADED)[..] else { panic!("one answer") };
    assert_eq!((answer.headers().sequence, answer.sequence), (9, 9));
    assert_eq!(answer.headers().strings, strings(&[("RPC_BACKWARD_b", "2")]));
    assert_eq!(answer.headers().ints, ints(&[(40, "x")]));
    assert_eq!(proxy.client.read().connections, 0, "the upstream said that the connection ends");
}

#[test]
fn a_call_whose_time_is_over_is_answered_and_a_late_answer_reaches_nobody() {
    let mut proxy = Proxy::new(FRAMED, Mode::Pipelined, Some(Duration::from_millis(300)));
    let caller = proxy.isolate.accept();
    proxy.isolate.receive(caller, call(1));
    let upstream = proxy.connect();
    assert_eq!(proxy.read(upstream, FRAMED).len(), 1);
    assert_eq!(proxy.isolate.engine.tick_within(Duration::from_secs(1)), Duration::from_millis(300));
    proxy.isolate.pass(Duration::from_millis(300));
    let [late] = &proxy.read(caller, FRAMED)[..] else { panic!("one answer") };
    assert_eq!(late.exception(), "DEADLINE_EXCEEDED: no answer to any from end (unix:/end) in time");
    // The next call has the slot of the one before.
    proxy.isolate.receive(caller, call(2));
    proxy.isolate.receive(upstream, answer(1, b"late"));
    assert!(proxy.read(caller, FRAMED).is_empty());
    proxy.isolate.receive(upstream, answer(2, b"next"));
    let [next] = &proxy.read(caller, FRAMED)[..] else { panic!("one answer") };
    assert_eq!((next.sequence, &next.body[..]), (2, &b"next"[..]));
    let client = proxy.client.read();
    assert_eq!((client.cancelled, client.answered, client.failed, client.in_flight), (1, 1, 0, 0));
}

#[test]
fn a_caller_that_goes_takes_its_calls_with_it_those_that_wait_too() {
    let mut proxy = Proxy::new(FRAMED, Mode::PingPong, None);
    let (caller, other) = (proxy.isolate.accept(), proxy.isolate.accept());
    proxy.isolate.receive(caller, call(1));
    proxy.isolate.receive(other, call(2));
    let ids = proxy.isolate.connecting();
    assert_eq!(ids.len(), 2);
    proxy.isolate.engine.connected(ids[1]);
    assert_eq!(proxy.read(ids[1], FRAMED).len(), 1);
    proxy.isolate.engine.closed(caller, "it is gone");
    assert_eq!(proxy.isolate.told(), []);
    let (server, client) = (proxy.server.read(), proxy.client.read());
    assert_eq!((server.abandoned, server.in_flight), (1, 1));
    assert_eq!((client.cancelled, client.connections, client.in_flight), (1, 1, 1));
    proxy.isolate.receive(ids[1], answer(2, b"for the other"));
    let [got] = &proxy.read(other, FRAMED)[..] else { panic!("one answer") };
    assert_eq!((got.sequence, &got.body[..]), (2, &b"for the other"[..]));
}

#[test]
fn a_oneway_call_is_over_when_it_is_written_and_closes_nothing_before() {
    let mut proxy = Proxy::new(FRAMED, Mode::Pipelined, None);
    let caller = proxy.isolate.accept();
    proxy.isolate.receive(caller, message(FRAMED, "tell", MessageKind::Oneway, 3, BODY, &Headers::default()));
    assert_eq!(proxy.server.read().in_flight, 1);
    let upstream = proxy.connect();
    let [told] = &proxy.read(upstream, FRAMED)[..] else { panic!("one call") };
    assert_eq!((told.kind, &told.name[..], &told.body[..]), (MessageKind::Oneway, &b"tell"[..], BODY));
    assert_eq!((proxy.server.read().in_flight, proxy.client.read().answered), (0, 1));
    assert!(proxy.read(caller, FRAMED).is_empty());
}

#[test]
fn the_client_closes_when_its_server_has() {
    let mut proxy = Proxy::new(FRAMED, Mode::Pipelined, None);
    let caller = proxy.isolate.accept();
    proxy.isolate.receive(caller, call(1));
    let upstream = proxy.connect();
    assert_eq!(proxy.read(upstream, FRAMED).len(), 1);
    proxy.isolate.engine.close_owner(SERVER, Duration::from_secs(1));
    assert!(proxy.isolate.engine.has_owner(CLIENT), "a call is still on its way");
    proxy.isolate.receive(upstream, answer(1, b"in time"));
    assert_eq!(&proxy.isolate.written(caller)[..], &answer(1, b"in time")[..]);
    // The reactor finds nothing more on the connection.
    proxy.isolate.engine.looked(caller);
    proxy.isolate.engine.closed(caller, "gone");
    let closed: Vec<u32> = proxy.isolate.told().iter().map(|got| got.owner).collect();
    assert_eq!(closed, [SERVER, CLIENT]);
    assert!(!proxy.isolate.engine.has_owner(CLIENT));
}
