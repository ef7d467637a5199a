//! How connections leave a server that closes: with their answers, or to another server.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use volo_js_sockets::held;
use volo_js_tape::Kind;
use volo_js_transport::ServerOptions;

use crate::{CALL, Harness, Make, Message, call_bytes, connect, read, reply_bytes, send_call};

const GRACE: Duration = Duration::from_secs(5);

/// Reads the reply to an Echo.
pub(crate) fn expect(stream: &mut TcpStream, sequence: i32, text: &str) {
    let expected = reply_bytes(sequence, text);
    assert_eq!(read(stream, expected.len()), expected);
}

/// Answers calls until `count` were answered.
pub(crate) fn answer(harness: &mut Harness, count: usize) {
    let mut answered = 0;
    while answered < count {
        for message in harness.until(|message| message.kind == Kind::Call) {
            if message.kind == Kind::Call {
                harness.reply(&message, &message.text);
                answered += 1;
            }
        }
        harness.send();
    }
}

/// What an old server hands over until it has closed; another server takes it.
pub(crate) fn move_over(from: &mut Harness, to: &mut Harness, owner: u32) -> usize {
    let messages = from.until(|message| message.kind == Kind::Closed);
    take(&messages, to, owner)
}

fn take(messages: &[Message], to: &mut Harness, owner: u32) -> usize {
    let handed: Vec<_> = messages.iter().filter(|message| message.kind == Kind::Handed).collect();
    for message in &handed {
        let socket = held::take_connection(message.numbers.0 as u32).unwrap();
        to.subject.adopt(owner, socket, &message.unread);
    }
    handed.len()
}

pub fn a_call_that_arrived_before_the_close_is_answered(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    send_call(&mut peer, 1, "x");
    answer(&mut harness, 1);
    expect(&mut peer, 1, "x");
    // Neither has been read when the server closes: one lies on an idle connection, one on a connection nobody has accepted.
    send_call(&mut peer, 2, "y");
    let mut late = connect(address);
    send_call(&mut late, 1, "z");
    harness.subject.close_owner(owner, GRACE);
    answer(&mut harness, 2);
    expect(&mut peer, 2, "y");
    expect(&mut late, 1, "z");
    assert_eq!(harness.kind(Kind::Closed).owner, owner);
    assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0, "an orderly end");
    assert_eq!(late.read(&mut [0; 1]).unwrap(), 0, "an orderly end");
}

pub fn connections_move_to_another_server_and_their_peers_see_nothing_of_it(make: Make) {
    let (mut old, mut new) = (Harness::new(make()), Harness::new(make()));
    let (from, address) = old.listen(ServerOptions::default());
    let (to, _) = new.listen(ServerOptions::default());
    let (mut idle, mut busy, mut partial) = (connect(address), connect(address), connect(address));
    for peer in [&mut idle, &mut partial] {
        send_call(peer, 1, "x");
        answer(&mut old, 1);
        expect(peer, 1, "x");
    }
    let frame = call_bytes("Echo", CALL, 2, Some("partial"), true);
    partial.write_all(&frame[..20]).unwrap();
    send_call(&mut busy, 1, "busy");
    let call = old.kind(Kind::Call);
    let sent = 2 * call_bytes("Echo", CALL, 1, Some("x"), true).len()
        + call_bytes("Echo", CALL, 1, Some("busy"), true).len()
        + 20;
    old.eventually("all is read", |old| old.server_stats(from).bytes_read == sent as u64);

    old.subject.hand_over(from, GRACE);
    let messages = old.kinds(Kind::Handed, 2);
    assert_eq!(take(&messages, &mut new, to), 2, "those that are at rest move at once");
    assert_eq!(messages.iter().map(|message| message.unread.len()).sum::<usize>(), 20);
    old.settle();
    // Nobody reads it before the connection has moved.
    send_call(&mut busy, 2, "more");
    old.reply(&call, "busy");
    old.send();
    assert_eq!(move_over(&mut old, &mut new, to), 1, "the other one moves when it is answered");
    expect(&mut busy, 1, "busy");
    assert!(!old.is_busy());

    partial.write_all(&frame[20..]).unwrap();
    send_call(&mut idle, 2, "idle");
    answer(&mut new, 3);
    expect(&mut partial, 2, "partial");
    expect(&mut busy, 2, "more");
    expect(&mut idle, 2, "idle");
    assert_eq!(new.server_stats(to).connections, 3);
}

pub fn what_does_not_come_to_rest_is_closed_after_the_grace_time(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    send_call(&mut peer, 1, "x");
    harness.kind(Kind::Call);
    harness.subject.hand_over(owner, Duration::from_millis(20));
    let messages = harness.until(|message| message.kind == Kind::Closed);
    assert!(messages.iter().any(|message| message.kind == Kind::Gone));
    assert!(messages.iter().all(|message| message.kind != Kind::Handed));
    assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0);
}

pub fn a_large_beginning_of_a_message_moves_too(make: Make) {
    let (mut old, mut new) = (Harness::new(make()), Harness::new(make()));
    let (from, address) = old.listen(ServerOptions::default());
    let (to, _) = new.listen(ServerOptions::default());
    let mut peer = connect(address);
    let text = "x".repeat(300 << 10);
    let frame = call_bytes("Echo", CALL, 1, Some(&text), true);
    peer.write_all(&frame[..frame.len() - 1]).unwrap();
    let sent = frame.len() as u64 - 1;
    old.eventually("all is read", |old| old.server_stats(from).bytes_read == sent);
    old.subject.hand_over(from, GRACE);
    assert_eq!(move_over(&mut old, &mut new, to), 1);
    peer.write_all(&frame[frame.len() - 1..]).unwrap();
    assert_eq!(new.kind(Kind::Call).text.len(), text.len());
}
