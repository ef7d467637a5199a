//! The serving side over real sockets: order, transports, limits, and peers that misbehave.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    io::Write,
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use volo_js_tape::Kind;
use volo_js_transport::ServerOptions;

use crate::{CALL, Harness, Make, ONEWAY, PATIENCE, call_bytes, connect, read, read_to_end, reply_bytes};

pub fn answers_framed_and_buffered_peers_in_their_own_transport(make: Make) {
    let mut harness = Harness::new(make());
    let (_, address) = harness.listen(ServerOptions::default());
    for framed in [true, false] {
        let mut peer = connect(address);
        peer.write_all(&call_bytes("Echo", CALL, 7, Some("hello"), framed)).unwrap();
        let call = harness.kind(Kind::Call);
        assert_eq!(call.text, "hello");
        harness.reply(&call, "world");
        harness.send();
        let expected = reply_bytes(7, "world");
        let expected = if framed { &expected[..] } else { &expected[4..] };
        assert_eq!(read(&mut peer, expected.len()), expected);
    }
}

pub fn a_byte_at_a_time_is_a_call_all_the_same(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions::default());
    for framed in [true, false] {
        let mut peer = connect(address);
        for byte in call_bytes("Echo", CALL, 1, Some("slow"), framed) {
            peer.write_all(&[byte]).unwrap();
            // Whatever arrives early is read alone.
            assert!(harness.turn().iter().all(|message| message.kind == Kind::Call));
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    // Both calls may have come within the loops; what matters is counted.
    let end = Instant::now() + PATIENCE;
    while harness.server_stats(owner).calls < 2 && Instant::now() < end {
        harness.turn();
    }
    assert_eq!(harness.server_stats(owner).calls, 2);
}

pub fn replies_leave_in_the_order_of_the_requests(make: Make) {
    let mut harness = Harness::new(make());
    let (_, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    let requests: Vec<u8> =
        (1..=4).flat_map(|sequence| call_bytes("Echo", CALL, sequence, Some(&sequence.to_string()), true)).collect();
    peer.write_all(&requests).unwrap();
    let calls = harness.kinds(Kind::Call, 4);
    for index in [2, 0, 3, 1] {
        harness.reply(&calls[index].clone(), &calls[index].text.clone());
        harness.send();
    }
    let expected: Vec<u8> = (1..=4).flat_map(|sequence| reply_bytes(sequence, &sequence.to_string())).collect();
    assert_eq!(read(&mut peer, expected.len()), expected);
}

pub fn a_second_reply_and_a_reply_to_nobody_reach_nobody(make: Make) {
    let mut harness = Harness::new(make());
    let (_, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    peer.write_all(&call_bytes("Echo", CALL, 1, Some("a"), true)).unwrap();
    let call = harness.kind(Kind::Call);
    harness.reply(&call, "first");
    harness.reply(&call, "again");
    harness.send();
    let expected = reply_bytes(1, "first");
    assert_eq!(read(&mut peer, expected.len()), expected);
    peer.write_all(&call_bytes("Echo", CALL, 2, Some("b"), true)).unwrap();
    let second = harness.kind(Kind::Call);
    assert_eq!(second.call, call.call, "the slot is used again");
    harness.reply(&call, "late");
    harness.reply(&second, "second");
    harness.send();
    let expected = reply_bytes(2, "second");
    assert_eq!(read(&mut peer, expected.len()), expected);
}

pub fn an_unknown_method_is_told_so_and_the_connection_lives(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    let requests = [
        call_bytes("Echo", CALL, 1, Some("before"), true),
        call_bytes("Nope", CALL, 2, Some("x"), true),
        call_bytes("Echo", CALL, 3, None, true),
        call_bytes("Echo", CALL, 4, Some("after"), true),
    ];
    peer.write_all(&requests.concat()).unwrap();
    let calls = harness.kinds(Kind::Call, 2);
    for call in calls.iter().rev() {
        harness.reply(call, &call.text);
    }
    harness.send();
    let first = reply_bytes(1, "before");
    assert_eq!(read(&mut peer, first.len()), first);
    let exception = |peer: &mut TcpStream| {
        let size = u32::from_be_bytes(read(peer, 4).try_into().unwrap()) as usize;
        let message = read(peer, size);
        assert_eq!(message[..4], [0x80, 1, 0, 3]);
        String::from_utf8_lossy(&message).into_owned()
    };
    assert!(exception(&mut peer).contains("unknown method \"Nope\""));
    assert!(exception(&mut peer).contains("required field text of Echo.Echo_args is missing"));
    let last = reply_bytes(4, "after");
    assert_eq!(read(&mut peer, last.len()), last);
    let stats = harness.server_stats(owner);
    assert_eq!(
        (stats.calls, stats.unknown_methods, stats.protocol_errors, stats.exceptions, stats.replies, stats.in_flight),
        (4, 1, 1, 2, 2, 0)
    );
}

pub fn bytes_that_are_not_thrift_end_the_connection_with_an_event(make: Make) {
    let oversized = (17u32 << 20).to_be_bytes().to_vec();
    let negative = vec![0xff, 0xff, 0xff, 0xff, 0x80, 1, 0, 1];
    let mut negative_name = call_bytes("Echo", CALL, 1, Some("x"), true);
    negative_name[8..12].copy_from_slice(&(-5i32).to_be_bytes());
    let mut negative_string = call_bytes("Echo", CALL, 1, Some("x"), true);
    let at = negative_string.len() - 6;
    negative_string[at..at + 4].copy_from_slice(&(-1i32).to_be_bytes());
    for garbage in [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), oversized, negative, negative_name, negative_string]
    {
        let mut harness = Harness::new(make());
        let (owner, address) = harness.listen(ServerOptions::default());
        let mut peer = connect(address);
        peer.write_all(&garbage).unwrap();
        let event = harness.kind(Kind::Event);
        assert!(event.text.contains("closed"), "{}", event.text);
        harness.subject.flush();
        read_to_end(&mut peer);
        let stats = harness.server_stats(owner);
        assert_eq!((stats.connections, stats.protocol_errors), (0, 1), "{garbage:?}");
    }
}

pub fn a_half_closed_peer_still_gets_its_answers(make: Make) {
    let mut harness = Harness::new(make());
    let (_, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    peer.write_all(&call_bytes("Echo", CALL, 1, Some("x"), true)).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let call = harness.kind(Kind::Call);
    for _ in 0..10 {
        assert!(harness.turn().is_empty());
        assert!(!harness.subject.has_backlog(), "a half-closed peer must not make the loop spin");
    }
    harness.reply(&call, "y");
    harness.send();
    assert_eq!(read_to_end(&mut peer), reply_bytes(1, "y"));
}

pub fn a_peer_that_ends_in_the_middle_of_a_message_is_counted(make: Make) {
    for framed in [true, false] {
        let mut harness = Harness::new(make());
        let (owner, address) = harness.listen(ServerOptions::default());
        let mut peer = connect(address);
        let request = call_bytes("Echo", CALL, 1, Some("x"), framed);
        peer.write_all(&request[..request.len() - 3]).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        assert!(harness.kind(Kind::Event).text.contains("in the middle of a message"));
        assert!(read_to_end(&mut peer).is_empty());
        let stats = harness.server_stats(owner);
        assert_eq!((stats.connections, stats.protocol_errors), (0, 1));
    }
}

pub fn a_peer_that_resets_abandons_its_calls(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions::default());
    let peer = connect(address);
    (&peer).write_all(&call_bytes("Echo", CALL, 1, Some("x"), true)).unwrap();
    let call = harness.kind(Kind::Call);
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    let gone = harness.kind(Kind::Gone);
    assert_eq!((gone.call, gone.generation), (call.call, call.generation));
    harness.reply(&call, "too late");
    harness.send();
    let stats = harness.server_stats(owner);
    assert_eq!((stats.abandoned, stats.in_flight, stats.connections), (1, 0, 0));
}

pub fn too_many_calls_in_flight_pause_reading(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions { max_in_flight: 4, ..ServerOptions::default() });
    let mut peer = connect(address);
    let requests: Vec<u8> = (1..=20).flat_map(|sequence| call_bytes("Echo", CALL, sequence, Some("x"), true)).collect();
    peer.write_all(&requests).unwrap();
    let mut answered = 0;
    let mut most = 0;
    while answered < 20 {
        let calls = harness.until(|message| message.kind == Kind::Call);
        most = most.max(harness.server_stats(owner).in_flight);
        for call in &calls {
            harness.reply(call, "y");
        }
        answered += calls.len();
        harness.send();
    }
    assert!(most <= 4, "{most} calls were in flight");
    let expected: Vec<u8> = (1..=20).flat_map(|sequence| reply_bytes(sequence, "y")).collect();
    assert_eq!(read(&mut peer, expected.len()), expected);
    assert!(harness.server_stats(owner).pauses > 0);
}

pub fn a_peer_that_does_not_read_is_not_read(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions { max_unwritten: 64 << 10, ..ServerOptions::default() });
    let peer = connect(address);
    peer.set_nonblocking(true).unwrap();
    let request = call_bytes("Echo", CALL, 1, Some("x"), true);
    let answer = "y".repeat(100_000);
    let end = Instant::now() + PATIENCE;
    let mut written = 0;
    let (mut last, mut since) = (0, Instant::now());
    while Instant::now() < end {
        // Writes until the server stops reading and the kernel's buffers are full.
        if let Ok(count) = (&peer).write(&request[written..]) {
            written = (written + count) % request.len();
        }
        for call in harness.turn() {
            harness.reply(&call, &answer);
        }
        harness.send();
        let stats = harness.server_stats(owner);
        if stats.calls != last {
            (last, since) = (stats.calls, Instant::now());
        } else if stats.pauses > 0 && since.elapsed() > Duration::from_millis(200) {
            return;
        }
    }
    panic!("calls go on although nobody reads the replies");
}

pub fn a_frame_that_does_not_complete_is_dropped(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) =
        harness.listen(ServerOptions { frame_timeout: Duration::from_millis(50), ..ServerOptions::default() });
    let mut peer = connect(address);
    peer.write_all(&call_bytes("Echo", CALL, 1, Some("never"), true)[..12]).unwrap();
    let event = harness.kind(Kind::Event);
    assert!(event.text.contains("not complete after 50ms"), "{}", event.text);
    assert!(read_to_end(&mut peer).is_empty());
    assert_eq!(harness.server_stats(owner).frame_timeouts, 1);
}

pub fn a_message_larger_than_the_tape_gets_a_larger_tape(make: Make) {
    let mut harness = Harness::new(make());
    let (_, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    let text = "z".repeat(1 << 20);
    peer.set_nonblocking(true).unwrap();
    let request = call_bytes("Echo", CALL, 1, Some(&text), true);
    let mut sent = 0;
    let call = loop {
        if sent < request.len() {
            sent += peer.write(&request[sent..]).unwrap_or(0);
        }
        if let Some(call) = harness.turn().into_iter().next() {
            break call;
        }
    };
    assert_eq!(call.text, text);
    harness.reply(&call, "ok");
    harness.send();
    peer.set_nonblocking(false).unwrap();
    let expected = reply_bytes(1, "ok");
    assert_eq!(read(&mut peer, expected.len()), expected);
}

pub fn oneway_calls_are_done_without_a_reply(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    peer.write_all(&call_bytes("Tell", ONEWAY, 1, Some("news"), true)).unwrap();
    peer.write_all(&call_bytes("Echo", CALL, 2, Some("x"), true)).unwrap();
    let calls = harness.kinds(Kind::Call, 2);
    assert_eq!(calls[0].text, "news");
    harness.done(&calls[0]);
    harness.reply(&calls[1], "y");
    harness.send();
    let expected = reply_bytes(2, "y");
    assert_eq!(read(&mut peer, expected.len()), expected);
    assert_eq!(harness.server_stats(owner).in_flight, 0);
}

pub fn closing_lets_calls_finish_and_then_tells(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions::default());
    let (mut busy, mut idle) = (connect(address), connect(address));
    busy.write_all(&call_bytes("Echo", CALL, 1, Some("x"), true)).unwrap();
    let call = harness.kind(Kind::Call);
    harness.eventually("both connections are there", |harness| harness.server_stats(owner).connections == 2);
    harness.subject.close_owner(owner, Duration::from_secs(5));
    // It is read once more before it is closed.
    assert_eq!(harness.turn(), []);
    assert!(read_to_end(&mut idle).is_empty());
    harness.eventually("nobody listens any more", |_| TcpStream::connect(address).is_err());
    harness.reply(&call, "y");
    harness.send();
    assert_eq!(harness.kind(Kind::Closed).owner, owner);
    assert_eq!(read_to_end(&mut busy), reply_bytes(1, "y"));
    harness.eventually("nothing keeps the process alive", |harness| !harness.is_busy());
}

pub fn closing_ends_what_outlasts_the_grace_time(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    peer.write_all(&call_bytes("Echo", CALL, 1, Some("x"), true)).unwrap();
    let call = harness.kind(Kind::Call);
    harness.subject.close_owner(owner, Duration::from_millis(50));
    let messages = harness.until(|message| message.kind == Kind::Closed);
    assert!(messages.iter().any(|message| message.kind == Kind::Gone && message.call == call.call));
    assert!(read_to_end(&mut peer).is_empty());
}

pub fn connections_over_the_limit_are_refused(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions { max_connections: 1, ..ServerOptions::default() });
    let _first = connect(address);
    let mut second = connect(address);
    assert!(harness.kind(Kind::Event).text.contains("maxConnections"));
    assert!(read_to_end(&mut second).is_empty());
    assert_eq!(harness.server_stats(owner).refused, 1);
}

pub fn incomplete_messages_share_the_memory_budget(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions { memory_budget: 1 << 20, ..ServerOptions::default() });
    let mut peer = connect(address);
    peer.set_nonblocking(true).unwrap();
    let request = call_bytes("Echo", CALL, 1, Some(&"z".repeat(4 << 20)), true);
    let mut sent = 0;
    let end = Instant::now() + PATIENCE;
    while harness.server_stats(owner).protocol_errors == 0 {
        assert!(Instant::now() < end, "the budget was never enforced");
        sent += peer.write(&request[sent..]).unwrap_or(0);
        harness.turn();
    }
    while harness.server_stats(owner).connections > 0 {
        assert!(Instant::now() < end, "the connection was never closed");
        harness.turn();
    }
}

pub fn a_peer_that_resets_is_noticed_while_it_is_not_read(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions { max_in_flight: 1, ..ServerOptions::default() });
    let mut peer = connect(address);
    peer.write_all(&call_bytes("Echo", CALL, 1, Some("x"), true)).unwrap();
    let call = harness.kind(Kind::Call);
    assert_eq!(harness.server_stats(owner).pauses, 1);
    peer.write_all(&call_bytes("Echo", CALL, 2, Some("not read"), true)).unwrap();
    harness.settle();
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    let gone = harness.kind(Kind::Gone);
    assert_eq!((gone.call, gone.generation), (call.call, call.generation));
    harness.eventually("the connection is gone", |harness| harness.server_stats(owner).connections == 0);
}
