//! The calling side over real sockets: pool, pipelining, failures that say what may have happened, calls given up.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use volo_js_tape::Kind;
use volo_js_transport::{Address, ClientOptions, Mode, ServerOptions};

use crate::{ECHO, Harness, Make, Peer, TELL, failure, read_call, reply_bytes};

const UNAVAILABLE: i32 = 14;
const INTERNAL: i32 = 13;

/// Unix sockets of this process.
static SOCKETS: AtomicU32 = AtomicU32::new(0);

pub fn a_call_connects_and_is_answered(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    assert!(peer.is_quiet(), "a client connects when it is first called");
    harness.call(client, 5, 9, ECHO, "hello");
    assert!(harness.is_busy());
    let mut stream = peer.accept();
    harness.settle();
    let sequence = read_call(&mut stream);
    stream.write_all(&reply_bytes(sequence, "world")).unwrap();
    let reply = harness.kind(Kind::Reply);
    assert_eq!((reply.call, reply.generation, reply.text.as_str()), (5, 9, "world"));
    harness.eventually("an idle client does not keep the process alive", |harness| !harness.is_busy());
}

pub fn pipelined_calls_share_a_connection_and_may_be_answered_out_of_order(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(peer.options(Mode::Pipelined));
    for slot in 0..4 {
        harness.call(client, slot, 1, ECHO, "x");
    }
    let mut stream = peer.accept();
    harness.settle();
    let sequences: Vec<i32> = (0..4).map(|_| read_call(&mut stream)).collect();
    for index in [1, 0, 3, 2] {
        stream.write_all(&reply_bytes(sequences[index], &index.to_string())).unwrap();
    }
    let replies = harness.kinds(Kind::Reply, 4);
    assert!(replies.iter().all(|reply| reply.text == reply.call.to_string()), "{replies:?}");
    assert!(peer.is_quiet());
}

pub fn the_pool_is_a_cap_and_waiters_keep_their_order(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(ClientOptions { pool_size: 2, ..peer.options(Mode::PingPong) });
    for slot in 0..5 {
        harness.call(client, slot, 1, ECHO, "x");
    }
    let mut streams = [peer.accept(), peer.accept()];
    assert!(peer.is_quiet());
    harness.eventually("three calls wait", |harness| harness.client_stats(client).waiting == 3);
    let mut answered = Vec::new();
    harness.settle();
    for round in 0..5 {
        let stream = &mut streams[round % 2];
        let sequence = read_call(stream);
        stream.write_all(&reply_bytes(sequence, "y")).unwrap();
        answered.push(harness.kind(Kind::Reply).call);
        harness.subject.flush();
    }
    answered.sort_unstable();
    assert_eq!(answered, [0, 1, 2, 3, 4]);
    let stats = harness.client_stats(client);
    assert_eq!((stats.connections, stats.idle, stats.answered, stats.in_flight), (2, 2, 5, 0));
}

pub fn connections_are_made_before_a_call_needs_them(make: Make) {
    for (mode, most) in [(Mode::PingPong, 3), (Mode::Pipelined, 2)] {
        let (mut harness, peer) = (Harness::new(make()), Peer::new());
        let options = ClientOptions { pool_size: 3, connections: 2, ..peer.options(mode) };
        let client = harness.client(options);
        // One more than it may have: the last is told of with the one before it.
        for number in 1..=4 {
            harness.connect(client, number, 1, number);
        }
        let mut streams: Vec<_> = (0..most).map(|_| peer.accept()).collect();
        let mut told: Vec<_> =
            harness.kinds(Kind::Reply, 4).iter().map(|reply| (reply.call, reply.generation)).collect();
        told.sort_unstable();
        assert_eq!(told, [(1, 1), (2, 1), (3, 1), (4, 1)]);
        assert!(peer.is_quiet());
        let stats = harness.client_stats(client);
        assert_eq!((stats.connections, stats.connects, stats.calls, stats.in_flight), (most, most, 0, 0));
        harness.eventually("nobody waits any more", |harness| !harness.is_busy());

        // They are there already, so there is nothing to wait for, and a call takes one of them.
        harness.connect(client, 9, 2, 1);
        assert_eq!(harness.kind(Kind::Reply).call, 9);
        harness.call(client, 5, 1, ECHO, "x");
        harness.settle();
        let answered = streams.iter_mut().find_map(|stream| {
            stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            let mut first = [0; 4];
            stream.read_exact(&mut first).ok()
        });
        assert!(answered.is_some(), "a connection that was there carries the call");
        assert_eq!(harness.client_stats(client).connects, most);
    }
}

pub fn a_connection_that_is_asked_for_and_cannot_be_made_is_told_of(make: Make) {
    let mut harness = Harness::new(make());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = harness.client(ClientOptions::new(Address::Tcp(address)));
    harness.connect(client, 3, 7, 1);
    let messages = harness.until(|message| message.kind == Kind::Failure);
    let (code, sent, text) = failure(&messages, 3);
    assert_eq!((code, sent), (UNAVAILABLE, 0));
    assert!(text.contains(&format!("cannot connect to {address}")), "{text}");
    harness.eventually("nobody waits any more", |harness| !harness.is_busy());
}

pub fn nobody_listens(make: Make) {
    let mut harness = Harness::new(make());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = harness.client(ClientOptions::new(Address::Tcp(address)));
    harness.call(client, 0, 1, ECHO, "x");
    let messages = harness.until(|message| message.kind == Kind::Failure);
    let (code, sent, text) = failure(&messages, 0);
    assert_eq!((code, sent), (UNAVAILABLE, 0));
    assert!(text.contains(&format!("cannot connect to {address}")) && text.contains("refused"), "{text}");
}

pub fn a_broken_connection_fails_its_calls_and_the_next_call_connects_anew(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(peer.options(Mode::Pipelined));
    harness.call(client, 0, 1, ECHO, "x");
    let mut stream = peer.accept();
    harness.settle();
    read_call(&mut stream);
    drop(stream);
    let messages = harness.until(|message| message.kind == Kind::Failure);
    let (code, sent, _) = failure(&messages, 0);
    assert_eq!((code, sent), (UNAVAILABLE, 1), "the peer may have processed it");
    harness.call(client, 0, 2, ECHO, "x");
    let mut stream = peer.accept();
    harness.settle();
    let sequence = read_call(&mut stream);
    stream.write_all(&reply_bytes(sequence, "y")).unwrap();
    assert_eq!(harness.kind(Kind::Reply).generation, 2);
}

pub fn an_idle_connection_that_the_peer_closed_is_not_used_again(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    harness.call(client, 0, 1, ECHO, "x");
    let mut stream = peer.accept();
    harness.settle();
    let sequence = read_call(&mut stream);
    stream.write_all(&reply_bytes(sequence, "y")).unwrap();
    harness.kind(Kind::Reply);
    drop(stream);
    harness.eventually("the connection is gone", |harness| harness.client_stats(client).connections == 0);
    harness.call(client, 1, 1, ECHO, "x");
    peer.accept();
}

pub fn a_call_given_up_frees_its_place_and_its_late_reply_reaches_nobody(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(peer.options(Mode::Pipelined));
    harness.call(client, 0, 1, ECHO, "x");
    let mut stream = peer.accept();
    harness.settle();
    let first = read_call(&mut stream);
    harness.cancel(client, 0, 1);
    harness.eventually("nothing keeps the process alive", |harness| !harness.is_busy());
    // The same slot is used again before the late reply comes.
    harness.call(client, 0, 2, ECHO, "y");
    let second = read_call(&mut stream);
    stream.write_all(&[reply_bytes(first, "late"), reply_bytes(second, "right")].concat()).unwrap();
    let messages = harness.until(|message| message.kind == Kind::Reply);
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].generation, messages[0].text.as_str()), (2, "right"));
}

pub fn a_ping_pong_call_given_up_closes_its_connection(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    harness.call(client, 0, 1, ECHO, "x");
    let mut stream = peer.accept();
    harness.settle();
    read_call(&mut stream);
    harness.cancel(client, 0, 1);
    let seen = stream.read(&mut [0; 16]).unwrap_err();
    assert_eq!(seen.kind(), std::io::ErrorKind::ConnectionReset, "an orderly end would ask for the answer still");
    assert_eq!(harness.client_stats(client).cancelled, 1);
}

pub fn a_waiting_call_given_up_is_never_sent(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(ClientOptions { pool_size: 1, ..peer.options(Mode::PingPong) });
    harness.call(client, 0, 1, ECHO, "x");
    harness.call(client, 1, 1, ECHO, "never");
    harness.call(client, 2, 1, ECHO, "z");
    harness.cancel(client, 1, 1);
    let mut stream = peer.accept();
    harness.settle();
    let first = read_call(&mut stream);
    stream.write_all(&reply_bytes(first, "a")).unwrap();
    assert_eq!(harness.kind(Kind::Reply).call, 0);
    harness.subject.flush();
    let next = read_call(&mut stream);
    stream.write_all(&reply_bytes(next, "b")).unwrap();
    assert_eq!(harness.kind(Kind::Reply).call, 2);
}

pub fn a_peer_that_accepts_nothing_runs_out_of_time(make: Make) {
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
    let mut harness = Harness::new(make());
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

pub fn replies_that_make_no_sense_fail_the_call_with_a_reason(make: Make) {
    let mut truncated = reply_bytes(1, "text");
    let at = truncated.len() - 1 - 4 - 4;
    truncated[at..at + 4].copy_from_slice(&1000u32.to_be_bytes());
    for garbage in [b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), truncated, reply_bytes(77, "not asked")] {
        let (mut harness, peer) = (Harness::new(make()), Peer::new());
        let client = harness.client(peer.options(Mode::PingPong));
        harness.call(client, 0, 1, ECHO, "x");
        let mut stream = peer.accept();
        harness.settle();
        assert_eq!(read_call(&mut stream), 1);
        stream.write_all(&garbage).unwrap();
        let messages = harness.until(|message| message.kind == Kind::Failure);
        let (code, _, text) = failure(&messages, 0);
        assert_eq!(code, INTERNAL, "{text}");
        assert_eq!(harness.client_stats(client).connections, 0);
    }
}

pub fn a_oneway_call_is_over_once_it_is_written(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    harness.call(client, 3, 1, TELL, "news");
    let mut stream = peer.accept();
    let reply = harness.kind(Kind::Reply);
    assert_eq!((reply.call, reply.generation), (3, 1));
    read_call(&mut stream);
    harness.eventually("the connection is idle", |harness| harness.client_stats(client).idle == 1);
}

pub fn idle_and_old_connections_are_closed(make: Make) {
    for options in [
        |peer: &Peer| ClientOptions { idle_timeout: Duration::from_millis(50), ..peer.options(Mode::PingPong) },
        |peer: &Peer| ClientOptions { max_lifetime: Duration::from_millis(50), ..peer.options(Mode::PingPong) },
    ] {
        let (mut harness, peer) = (Harness::new(make()), Peer::new());
        let client = harness.client(options(&peer));
        harness.call(client, 0, 1, ECHO, "x");
        let mut stream = peer.accept();
        harness.settle();
        let sequence = read_call(&mut stream);
        stream.write_all(&reply_bytes(sequence, "y")).unwrap();
        harness.kind(Kind::Reply);
        std::thread::sleep(Duration::from_millis(60));
        harness.eventually("the connection is gone", |harness| harness.client_stats(client).connections == 0);
        assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0);
    }
}

pub fn closing_a_client_fails_what_outlasts_the_grace_time(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
    let client = harness.client(peer.options(Mode::PingPong));
    harness.call(client, 0, 1, ECHO, "x");
    let _stream = peer.accept();
    harness.settle();
    harness.subject.close_owner(client, Duration::from_millis(20));
    harness.call(client, 1, 1, ECHO, "refused");
    let messages = harness.until(|message| message.kind == Kind::Closed);
    assert_eq!(failure(&messages, 0).1, 1);
    assert_eq!(failure(&messages, 1).1, 0);
    harness.eventually("nothing keeps the process alive", |harness| !harness.is_busy());
}

pub fn calls_over_many_connections_all_come_back(make: Make) {
    let (mut harness, peer) = (Harness::new(make()), Peer::new());
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
    let mut slots: Vec<u32> = harness.kinds(Kind::Reply, 100).iter().map(|message| message.call).collect();
    slots.sort_unstable();
    assert_eq!(slots, (0..100).collect::<Vec<_>>());
    harness.subject.close_owner(client, Duration::ZERO);
    serving.join().unwrap();
}

pub fn calls_go_over_a_unix_socket_too(make: Make) {
    if cfg!(not(unix)) {
        // Their addresses are refused there, which the tests of the sockets tell.
        return;
    }
    let name = format!("volo-js-{}-{}.sock", std::process::id(), SOCKETS.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen_at(&Address::Unix(path.clone()), ServerOptions::default());
    let client = harness.client(ClientOptions::new(address));
    let text = "a text that does not fit into what a socket holds ".repeat(20_000);
    for (generation, text) in (1..).zip(["short", &text]) {
        harness.call(client, 0, generation, ECHO, text);
        let call = harness.kind(Kind::Call);
        assert!(call.text == text);
        harness.reply(&call, text);
        harness.send();
        assert!(harness.kind(Kind::Reply).text == text);
    }
    harness.subject.close_owner(client, Duration::ZERO);
    harness.kind(Kind::Closed);
    harness.eventually("the peer is gone", |harness| harness.server_stats(owner).connections == 0);
    harness.subject.close_owner(owner, Duration::ZERO);
    harness.kind(Kind::Closed);
    harness.eventually("the socket's file is gone", |_| !path.exists());
    assert_eq!(harness.server_stats(owner).replies, 2);
}
