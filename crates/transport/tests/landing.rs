//! Large messages are received into memory of their own, whatever pieces they come in and whatever comes before and behind them.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use support::{CLIENT, Isolate, SERVER};
use volo_js_reactor_tests::Lending;
use volo_js_thrift::{FrameReader, Limits, MessageKind, Protocol, Transport, Wire, encode_raw, read_head};
use volo_js_transport::{
    Address, ClientOptions, ClientSetup, ConnectionId, Mode, Route, Routes, ServerOptions, ServerSetup,
};

const FRAMED: Wire = Wire::new(Transport::Framed, Protocol::Binary);
const KIB: usize = 1 << 10;

/// A server whose calls go to an upstream, where the test sees them as they came.
struct Subject {
    isolate: Isolate,
    caller: ConnectionId,
    upstream: Option<ConnectionId>,
    reader: FrameReader,
    arrived: BytesMut,
    lending: Lending,
}

impl Subject {
    fn new(options: ServerOptions) -> Self {
        let mut isolate = Isolate::new();
        let options_of_client =
            ClientOptions { mode: Mode::Pipelined, ..ClientOptions::new(Address::Unix("/end".into())) };
        let client = ClientSetup {
            program: Arc::default(),
            options: options_of_client,
            counters: Arc::default(),
            grpc: None,
            tls: None,
        };
        isolate.engine.add_client(CLIENT, client);
        let routes = Routes { all: vec![Route { client: CLIENT, timeout: None }], unknown: Some(0) };
        let setup = ServerSetup::new(Arc::default(), [], options).unwrap();
        isolate.engine.add_server(SERVER, ServerSetup { routes: Arc::new(routes), ..setup });
        let lending = Lending::default();
        isolate.engine.set_lender(lending.lender());
        let caller = isolate.accept();
        let reader = FrameReader::fixed(FRAMED, Limits::default());
        Self { isolate, caller, upstream: None, reader, arrived: BytesMut::new(), lending }
    }

    /// What a reactor does with bytes that have come, as many as it receives at once.
    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = if let Some(room) = self.isolate.engine.landing(self.caller) {
                let landed = room.len().min(bytes.len());
                room[..landed].copy_from_slice(&bytes[..landed]);
                self.isolate.landed(self.caller, landed);
                // What comes with the same system call.
                let behind = (bytes.len() - landed).min(64 * KIB);
                if behind > 0 {
                    self.isolate.receive(self.caller, Bytes::copy_from_slice(&bytes[landed..landed + behind]));
                }
                landed + behind
            } else {
                let count = bytes.len().min(64 * KIB);
                self.isolate.receive(self.caller, Bytes::copy_from_slice(&bytes[..count]));
                count
            };
            bytes = &bytes[count..];
        }
    }

    /// Bodies of the calls that have arrived.
    fn arrived(&mut self) -> Vec<Bytes> {
        if self.upstream.is_none() {
            self.upstream = self.isolate.connecting().first().copied();
            let Some(id) = self.upstream else { return Vec::new() };
            self.isolate.engine.connected(id);
        }
        let written = self.isolate.written(self.upstream.unwrap());
        self.arrived.extend_from_slice(&written);
        let mut all = Vec::new();
        while let Some(frame) = self.reader.next(&self.arrived).unwrap() {
            let whole = self.arrived.split_to(frame.total()).freeze();
            let message = whole.slice(frame.header..);
            let head = read_head(Protocol::Binary, &message).unwrap().len;
            all.push(message.slice(head..));
            self.reader.consumed();
        }
        all
    }
}

/// Numbers that only look random, so that a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn call(&mut self, len: usize) -> (Vec<u8>, BytesMut) {
        let seed = self.below(256);
        let body: Vec<u8> = (0..len).map(|n| (n * 31 + n / 251 + seed) as u8).collect();
        let mut call = BytesMut::new();
        encode_raw(b"any", MessageKind::Call, 1, &body, FRAMED, &mut call).unwrap();
        (body, call)
    }
}

#[test]
fn messages_of_any_size_arrive_in_any_pieces() {
    let mut random = Random(42);
    for _ in 0..12 {
        let mut subject = Subject::new(ServerOptions { max_in_flight: 1000, ..ServerOptions::default() });
        let (mut bodies, mut bytes) = (Vec::new(), Vec::new());
        let mut size = 0;
        for _ in 0..12 {
            // Often as large as the one before, which is what is expected.
            size = match random.below(6) {
                0 => random.below(200),
                1 => 64 * KIB - 30 + random.below(60),
                2 => random.below(300 * KIB),
                // Nearly what is expected.
                4 => size + 1 + random.below(3),
                3 => (1 << 20) + random.below(200 * KIB),
                _ => size,
            };
            let (body, call) = random.call(size);
            bodies.push(body);
            bytes.extend_from_slice(&call);
        }
        let most = [7 * KIB, 70 * KIB, 500 * KIB, 4 << 20][random.below(4)];
        let (mut rest, mut arrived) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at((1 + random.below(most)).min(rest.len()));
            subject.feed(piece);
            arrived.extend(subject.arrived());
            rest = behind;
        }
        assert_eq!(arrived, bodies);
        assert_eq!(subject.lending.alive(), 0, "memory is given back");
    }
}

#[test]
fn a_message_that_is_as_large_as_the_last_one_is_never_copied() {
    let (mut subject, mut random) = (Subject::new(ServerOptions::default()), Random(1));
    let (body, call) = random.call(100 * KIB);
    subject.feed(&call);
    assert_eq!(subject.arrived(), [&body[..]]);
    assert_eq!(subject.lending.given(), 1);
    // The next one has its memory before its first byte has come.
    assert_eq!(subject.isolate.engine.landing(subject.caller).unwrap().len(), call.len());
    subject.isolate.landed(subject.caller, 0);
    assert_eq!(subject.lending.alive(), 0, "nothing came");
    subject.feed(&call);
    assert_eq!(subject.arrived(), [&body[..]]);
    // After a small one none is expected.
    let (_, small) = random.call(10);
    subject.feed(&small);
    assert_eq!(subject.arrived().len(), 1);
    assert!(subject.isolate.engine.landing(subject.caller).is_none());
}

#[test]
fn what_is_announced_is_not_taken_for_true_where_it_is_much() {
    let (mut subject, mut random) = (Subject::new(ServerOptions::default()), Random(1));
    let (body, call) = random.call(8 << 20);
    subject.feed(&call[..call.len() / 4 - 1]);
    assert_eq!(subject.lending.given(), 0, "a quarter of it is still to come");
    subject.feed(&call[call.len() / 4 - 1..]);
    assert_eq!(subject.lending.given(), 1);
    assert_eq!(subject.arrived(), [&body[..]]);
}

#[test]
fn memory_that_messages_wait_in_is_bounded_and_given_back() {
    let (mut subject, mut random) = (Subject::new(ServerOptions::default()), Random(1));
    let (_, call) = random.call(1 << 20);
    let callers: Vec<_> = (0..100).map(|_| subject.isolate.accept()).collect();
    for id in &callers {
        subject.isolate.receive(*id, Bytes::copy_from_slice(&call[..1000]));
    }
    let alive = subject.lending.alive();
    assert!((40..=64).contains(&alive), "{alive} of 100 have memory");
    for id in callers {
        subject.isolate.engine.closed(id, "it is gone");
    }
    assert_eq!(subject.lending.alive(), 0);
    // And with nothing in use there is some again.
    subject.feed(&call);
    assert_eq!(subject.arrived().len(), 1);
    assert_eq!(subject.lending.given(), alive + 1);
}
