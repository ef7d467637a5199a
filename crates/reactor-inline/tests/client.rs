//! The calling side over real sockets: pool, pipelining, failures that say what may have happened, calls given up.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use support::{Harness, Message, reply_bytes};
use volo_js_tape::Kind;
use volo_js_transport::{Address, ClientOptions, Mode, ServerOptions};

const ECHO: u32 = 0;
const TELL: u32 = 1;
const UNAVAILABLE: i32 = 14;
const INTERNAL: i32 = 13;

/// A peer under the test's control.
struct Peer {
    listener: TcpListener,
}

impl Peer {
    fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    fn options(&self, mode: Mode) -> ClientOptions {
        ClientOptions { mode, ..ClientOptions::new(Address::Tcp(self.listener.local_addr().unwrap())) }
    }

    fn accept(&self) -> TcpStream {
        self.listener.set_nonblocking(false).unwrap();
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// True if nobody connects within 50 ms.
    fn is_quiet(&self) -> bool {
        self.listener.set_nonblocking(true).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        self.listener.accept().is_err()
    }
}

/// The sequence id of the next framed call.
fn read_call(stream: &mut TcpStream) -> i32 {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut message = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut message).unwrap();
    let name = u32::from_be_bytes(message[4..8].try_into().unwrap()) as usize;
    i32::from_be_bytes(message[8 + name..12 + name].try_into().unwrap())
}

/// Lets a connection be made and the call written.
fn settle(harness: &mut Harness) {
    for _ in 0..20 {
        assert_eq!(harness.turn(), []);
        harness.flush();
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn failure(messages: &[Message], slot: u32) -> (i32, i32, String) {
    let failure = messages.iter().find(|message| message.kind == Kind::Failure && message.call == slot).unwrap();
    (failure.numbers.0, failure.numbers.1, failure.text.clone())
}

#[test]
fn a_call_connects_and_is_answered() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    assert!(peer.is_quiet(), "a client connects when it is first called");
    harness.call(client, 5, 9, ECHO, "hello");
    assert!(harness.is_busy());
    let mut stream = peer.accept();
    settle(&mut harness);
    let sequence = read_call(&mut stream);
    stream.write_all(&reply_bytes(sequence, "world")).unwrap();
    let reply = harness.kind(Kind::Reply);
    assert_eq!((reply.call, reply.generation, reply.text.as_str()), (5, 9, "world"));
    assert!(!harness.is_busy(), "an idle client does not keep the process alive");
}

#[test]
fn pipelined_calls_share_a_connection_and_may_be_answered_out_of_order() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(peer.options(Mode::Pipelined));
    for slot in 0..4 {
        harness.call(client, slot, 1, ECHO, "x");
    }
    let mut stream = peer.accept();
    settle(&mut harness);
    let sequences: Vec<i32> = (0..4).map(|_| read_call(&mut stream)).collect();
    for index in [1, 0, 3, 2] {
        stream.write_all(&reply_bytes(sequences[index], &index.to_string())).unwrap();
    }
    let mut replies = Vec::new();
    while replies.len() < 4 {
        replies.extend(harness.until(|message| message.kind == Kind::Reply));
    }
    assert!(replies.iter().all(|reply| reply.text == reply.call.to_string()), "{replies:?}");
    assert!(peer.is_quiet());
}

#[test]
fn the_pool_is_a_cap_and_waiters_keep_their_order() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(ClientOptions { pool_size: 2, ..peer.options(Mode::PingPong) });
    for slot in 0..5 {
        harness.call(client, slot, 1, ECHO, "x");
    }
    let mut streams = [peer.accept(), peer.accept()];
    assert!(peer.is_quiet());
    assert_eq!(harness.client_stats(client).waiting, 3);
    let mut answered = Vec::new();
    settle(&mut harness);
    for round in 0..5 {
        let stream = &mut streams[round % 2];
        let sequence = read_call(stream);
        stream.write_all(&reply_bytes(sequence, "y")).unwrap();
        answered.push(harness.kind(Kind::Reply).call);
        harness.flush();
    }
    answered.sort_unstable();
    assert_eq!(answered, [0, 1, 2, 3, 4]);
    let stats = harness.client_stats(client);
    assert_eq!((stats.connections, stats.idle, stats.answered, stats.in_flight), (2, 2, 5, 0));
}

#[test]
fn nobody_listens() {
    let mut harness = Harness::new();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = harness.client(ClientOptions::new(Address::Tcp(address)));
    harness.call(client, 0, 1, ECHO, "x");
    let messages = harness.until(|message| message.kind == Kind::Failure);
    let (code, sent, text) = failure(&messages, 0);
    assert_eq!((code, sent), (UNAVAILABLE, 0));
    assert!(text.contains(&format!("cannot connect to {address}")) && text.contains("refused"), "{text}");
}

#[test]
fn a_broken_connection_fails_its_calls_and_the_next_call_connects_anew() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(peer.options(Mode::Pipelined));
    harness.call(client, 0, 1, ECHO, "x");
    let mut stream = peer.accept();
    settle(&mut harness);
    read_call(&mut stream);
    drop(stream);
    let messages = harness.until(|message| message.kind == Kind::Failure);
    let (code, sent, _) = failure(&messages, 0);
    assert_eq!((code, sent), (UNAVAILABLE, 1), "the peer may have processed it");
    harness.call(client, 0, 2, ECHO, "x");
    let mut stream = peer.accept();
    settle(&mut harness);
    let sequence = read_call(&mut stream);
    stream.write_all(&reply_bytes(sequence, "y")).unwrap();
    assert_eq!(harness.kind(Kind::Reply).generation, 2);
}

#[test]
fn an_idle_connection_that_the_peer_closed_is_not_used_again() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    harness.call(client, 0, 1, ECHO, "x");
    let mut stream = peer.accept();
    settle(&mut harness);
    let sequence = read_call(&mut stream);
    stream.write_all(&reply_bytes(sequence, "y")).unwrap();
    harness.kind(Kind::Reply);
    drop(stream);
    settle(&mut harness);
    assert_eq!(harness.client_stats(client).connections, 0);
    harness.call(client, 1, 1, ECHO, "x");
    peer.accept();
}

#[test]
fn a_call_given_up_frees_its_place_and_its_late_reply_reaches_nobody() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(peer.options(Mode::Pipelined));
    harness.call(client, 0, 1, ECHO, "x");
    let mut stream = peer.accept();
    settle(&mut harness);
    let first = read_call(&mut stream);
    harness.cancel(client, 0, 1);
    assert!(!harness.is_busy());
    // The same slot is used again before the late reply comes.
    harness.call(client, 0, 2, ECHO, "y");
    let second = read_call(&mut stream);
    stream.write_all(&[reply_bytes(first, "late"), reply_bytes(second, "right")].concat()).unwrap();
    let messages = harness.until(|message| message.kind == Kind::Reply);
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].generation, messages[0].text.as_str()), (2, "right"));
}

#[test]
fn a_ping_pong_call_given_up_closes_its_connection() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    harness.call(client, 0, 1, ECHO, "x");
    let mut stream = peer.accept();
    settle(&mut harness);
    read_call(&mut stream);
    harness.cancel(client, 0, 1);
    let seen = stream.read(&mut [0; 16]).unwrap_err();
    assert_eq!(seen.kind(), std::io::ErrorKind::ConnectionReset, "an orderly end would ask for the answer still");
    assert_eq!(harness.client_stats(client).cancelled, 1);
}

#[test]
fn a_waiting_call_given_up_is_never_sent() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(ClientOptions { pool_size: 1, ..peer.options(Mode::PingPong) });
    harness.call(client, 0, 1, ECHO, "x");
    harness.call(client, 1, 1, ECHO, "never");
    harness.call(client, 2, 1, ECHO, "z");
    harness.cancel(client, 1, 1);
    let mut stream = peer.accept();
    settle(&mut harness);
    let first = read_call(&mut stream);
    stream.write_all(&reply_bytes(first, "a")).unwrap();
    assert_eq!(harness.kind(Kind::Reply).call, 0);
    harness.flush();
    let next = read_call(&mut stream);
    stream.write_all(&reply_bytes(next, "b")).unwrap();
    assert_eq!(harness.kind(Kind::Reply).call, 2);
}

#[test]
fn a_peer_that_accepts_nothing_runs_out_of_time() {
    // A listener whose queue is full drops further attempts, as an unreachable host does.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let _filling: Vec<_> = (0..3)
        .map(|_| {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&address.into());
            socket
        })
        .collect();
    std::thread::sleep(Duration::from_millis(20));
    let mut harness = Harness::new();
    let client = harness.client(ClientOptions {
        connect_timeout: Duration::from_millis(100),
        ..ClientOptions::new(Address::Tcp(address))
    });
    harness.call(client, 0, 1, ECHO, "x");
    let messages = harness.until(|message| message.kind == Kind::Failure);
    let (code, sent, text) = failure(&messages, 0);
    assert_eq!((code, sent), (UNAVAILABLE, 0));
    assert!(text.contains("within 100ms"), "{text}");
}

#[test]
fn replies_that_make_no_sense_fail_the_call_with_a_reason() {
    let mut truncated = reply_bytes(1, "text");
    let at = truncated.len() - 1 - 4 - 4;
    truncated[at..at + 4].copy_from_slice(&1000u32.to_be_bytes());
    for garbage in [b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), truncated, reply_bytes(77, "not asked")] {
        let (mut harness, peer) = (Harness::new(), Peer::new());
        let client = harness.client(peer.options(Mode::PingPong));
        harness.call(client, 0, 1, ECHO, "x");
        let mut stream = peer.accept();
        settle(&mut harness);
        assert_eq!(read_call(&mut stream), 1);
        stream.write_all(&garbage).unwrap();
        let messages = harness.until(|message| message.kind == Kind::Failure);
        let (code, _, text) = failure(&messages, 0);
        assert_eq!(code, INTERNAL, "{text}");
        assert_eq!(harness.client_stats(client).connections, 0);
    }
}

#[test]
fn a_oneway_call_is_over_once_it_is_written() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    harness.call(client, 3, 1, TELL, "news");
    let mut stream = peer.accept();
    let reply = harness.kind(Kind::Reply);
    assert_eq!((reply.call, reply.generation), (3, 1));
    read_call(&mut stream);
    assert_eq!(harness.client_stats(client).idle, 1);
}

#[test]
fn idle_and_old_connections_are_closed() {
    for options in [
        |peer: &Peer| ClientOptions { idle_timeout: Duration::from_millis(50), ..peer.options(Mode::PingPong) },
        |peer: &Peer| ClientOptions { max_lifetime: Duration::from_millis(50), ..peer.options(Mode::PingPong) },
    ] {
        let (mut harness, peer) = (Harness::new(), Peer::new());
        let client = harness.client(options(&peer));
        harness.call(client, 0, 1, ECHO, "x");
        let mut stream = peer.accept();
        settle(&mut harness);
        let sequence = read_call(&mut stream);
        stream.write_all(&reply_bytes(sequence, "y")).unwrap();
        harness.kind(Kind::Reply);
        std::thread::sleep(Duration::from_millis(60));
        harness.reactor.tick();
        assert_eq!(harness.client_stats(client).connections, 0);
        assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0);
    }
}

#[test]
fn closing_a_client_fails_what_outlasts_the_grace_time() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    harness.call(client, 0, 1, ECHO, "x");
    let _stream = peer.accept();
    settle(&mut harness);
    harness.reactor.close_owner(client, Duration::from_millis(20));
    harness.call(client, 1, 1, ECHO, "refused");
    let messages = harness.until(|message| message.kind == Kind::Closed);
    assert_eq!(failure(&messages, 0).1, 1);
    assert_eq!(failure(&messages, 1).1, 0);
    assert!(!harness.is_busy());
}

#[test]
fn a_client_reaches_a_server_of_the_same_engine_without_a_socket() {
    let mut harness = Harness::new();
    let owner = harness.server(ServerOptions::default());
    harness.reactor.listen(owner, &Address::Memory("inside".into()), &Default::default()).unwrap();
    let client = harness.client(ClientOptions::new(Address::Memory("inside".into())));
    harness.call(client, 0, 1, ECHO, "hello");
    let call = harness.kind(Kind::Call);
    assert_eq!(call.text, "hello");
    harness.reply(&call, "world");
    harness.send();
    assert_eq!(harness.kind(Kind::Reply).text, "world");
    harness.reactor.close_owner(owner, Duration::from_secs(1));
    harness.kind(Kind::Closed);
    harness.call(client, 0, 2, ECHO, "nobody");
    let messages = harness.until(|message| message.kind == Kind::Failure);
    assert!(failure(&messages, 0).2.contains("memory:inside"));
}

#[test]
fn calls_over_many_connections_all_come_back() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client = harness.client(ClientOptions { pool_size: 8, ..peer.options(Mode::PingPong) });
    let serving = std::thread::spawn(move || {
        let handles: Vec<_> = (0..8)
            .map(|_| {
                let mut stream = peer.accept();
                std::thread::spawn(move || {
                    let mut length = [0; 4];
                    while stream.read_exact(&mut length).is_ok() {
                        let mut message = vec![0; u32::from_be_bytes(length) as usize];
                        stream.read_exact(&mut message).unwrap();
                        let sequence = i32::from_be_bytes(message[12..16].try_into().unwrap());
                        stream.write_all(&reply_bytes(sequence, "y")).unwrap();
                    }
                })
            })
            .collect();
        for handle in handles {
            handle.join().unwrap();
        }
    });
    for slot in 0..100 {
        harness.call(client, slot, 1, ECHO, "x");
    }
    let mut slots = Vec::new();
    while slots.len() < 100 {
        slots.extend(harness.until(|message| message.kind == Kind::Reply).into_iter().map(|message| message.call));
    }
    slots.sort_unstable();
    assert_eq!(slots, (0..100).collect::<Vec<_>>());
    harness.reactor.close_owner(client, Duration::ZERO);
    serving.join().unwrap();
}

#[test]
fn a_loop_that_was_held_up_takes_no_new_connection_for_late() {
    let (mut harness, peer) = (Harness::new(), Peer::new());
    let client =
        harness.client(ClientOptions { connect_timeout: Duration::from_millis(50), ..peer.options(Mode::PingPong) });
    harness.turn();
    // As long as a handler may run.
    std::thread::sleep(Duration::from_millis(100));
    harness.call(client, 0, 1, ECHO, "x");
    harness.reactor.tick();
    assert_eq!(harness.turn(), [], "the connection is not late");
    let mut stream = peer.accept();
    settle(&mut harness);
    assert_eq!(read_call(&mut stream), 1);
}
