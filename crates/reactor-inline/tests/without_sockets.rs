//! The loop of systems without a descriptor to wait on, which works on every system.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;
#[path = "../src/without_sockets.rs"]
mod without_sockets;

use std::{
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use support::Inline;
use volo_js_reactor_tests::{ECHO, Harness, PATIENCE, Subject, failure};
use volo_js_tape::Kind;
use volo_js_transport::{Address, ClientOptions, ServerOptions};
use without_sockets::Reactor;

fn inside() -> Address {
    Address::Memory("inside".into())
}

fn local(port: u16) -> Address {
    Address::Tcp(([127, 0, 0, 1], port).into())
}

#[test]
fn a_client_reaches_a_server_of_the_same_engine() {
    let mut harness = Harness::new(Inline::boxed());
    assert!(harness.subject.reactor.tick_after().is_none(), "there is nothing to watch");
    let (owner, bound) = harness.listen_at(&inside(), ServerOptions::default());
    assert_eq!(bound, inside());
    let client = harness.client(ClientOptions::new(inside()));
    harness.call(client, 0, 1, ECHO, "hello");
    assert!(harness.subject.has_backlog(), "nothing else would turn the loop");
    let call = harness.kind(Kind::Call);
    assert_eq!(call.text, "hello");
    assert!(harness.subject.reactor.tick_after().is_some(), "connections are watched");
    harness.reply(&call, "world");
    harness.send();
    assert!(harness.subject.has_backlog(), "nothing else would turn the loop");
    assert_eq!(harness.kind(Kind::Reply).text, "world");
    harness.subject.close_owner(owner, Duration::from_secs(1));
    harness.kind(Kind::Closed);
    harness.subject.close_owner(client, Duration::ZERO);
    harness.kind(Kind::Closed);
    assert!(!harness.is_busy());
}

#[test]
fn handing_over_ends_as_closing_does() {
    let mut harness = Harness::new(Inline::boxed());
    let (owner, _) = harness.listen_at(&inside(), ServerOptions::default());
    let client = harness.client(ClientOptions::new(inside()));
    harness.call(client, 0, 1, ECHO, "hello");
    let call = harness.kind(Kind::Call);
    harness.subject.hand_over(owner, Duration::from_secs(5));
    harness.reply(&call, "world");
    harness.send();
    let messages = harness.until(|message| message.kind == Kind::Closed);
    assert!(messages.iter().any(|message| message.kind == Kind::Reply && message.text == "world"), "{messages:?}");
    assert!(messages.iter().all(|message| message.kind != Kind::Handed), "{messages:?}");
}

#[test]
fn a_name_is_given_once() {
    let mut harness = Harness::new(Inline::boxed());
    harness.listen_at(&inside(), ServerOptions::default());
    let other = harness.server(ServerOptions::default());
    let error = harness.subject.listen(other, &inside(), &Default::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn listening_on_a_socket_is_refused_with_what_to_do() {
    let mut harness = Harness::new(Inline::boxed());
    let owner = harness.server(ServerOptions::default());
    let error = harness.subject.listen(owner, &local(0), &Default::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("use the runtime tokio"), "{error}");
}

#[test]
fn a_call_over_a_socket_fails_with_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut harness = Harness::new(Inline::boxed());
    let client = harness.client(ClientOptions::new(local(listener.local_addr().unwrap().port())));
    harness.call(client, 0, 1, ECHO, "hello");
    let messages = harness.until(|message| message.kind == Kind::Failure);
    let (_, sent, text) = failure(&messages, 0);
    assert_eq!(sent, 0, "it was not sent");
    assert!(text.contains("cannot connect to 127.0.0.1:") && text.contains("use the runtime tokio"), "{text}");
}

#[test]
fn a_connection_that_is_to_go_on_here_is_closed_and_that_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    let mut harness = Harness::new(Inline::boxed());
    let (owner, _) = harness.listen_at(&inside(), ServerOptions::default());
    harness.subject.adopt(owner, accepted.into(), &[]);
    assert!(harness.kind(Kind::Event).text.contains("use the runtime tokio"));
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
}
