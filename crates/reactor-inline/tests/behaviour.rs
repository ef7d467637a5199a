//! What every reactor does, on the isolate's own thread; and what only this one can.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use support::Inline;
use volo_js_reactor_inline::Reactor;
use volo_js_reactor_tests::{ECHO, Harness, Peer, Subject, failure, read_call};
use volo_js_tape::Kind;
use volo_js_transport::{Address, ClientOptions, Mode, ServerOptions};

fn subject() -> Box<dyn Subject> {
    Inline::boxed()
}

volo_js_reactor_tests::behaviour_tests!(subject);

#[test]
fn a_client_reaches_a_server_of_the_same_engine_without_a_socket() {
    let mut harness = Harness::new(Inline::boxed());
    let owner = harness.server(ServerOptions::default());
    harness.subject.listen(owner, &Address::Memory("inside".into()), &Default::default()).unwrap();
    let client = harness.client(ClientOptions::new(Address::Memory("inside".into())));
    harness.call(client, 0, 1, ECHO, "hello");
    let call = harness.kind(Kind::Call);
    assert_eq!(call.text, "hello");
    harness.reply(&call, "world");
    harness.send();
    assert_eq!(harness.kind(Kind::Reply).text, "world");
    harness.subject.close_owner(owner, Duration::from_secs(1));
    harness.kind(Kind::Closed);
    harness.call(client, 0, 2, ECHO, "nobody");
    let messages = harness.until(|message| message.kind == Kind::Failure);
    assert!(failure(&messages, 0).2.contains("memory:inside"));
}

#[test]
fn a_loop_that_was_held_up_takes_no_new_connection_for_late() {
    let (mut harness, peer) = (Harness::new(Inline::boxed()), Peer::new());
    let client =
        harness.client(ClientOptions { connect_timeout: Duration::from_millis(50), ..peer.options(Mode::PingPong) });
    harness.turn();
    // As long as a handler may run.
    std::thread::sleep(Duration::from_millis(100));
    harness.call(client, 0, 1, ECHO, "x");
    harness.subject.tick();
    assert_eq!(harness.turn(), [], "the connection is not late");
    let mut stream = peer.accept();
    harness.settle();
    assert_eq!(read_call(&mut stream), 1);
}
