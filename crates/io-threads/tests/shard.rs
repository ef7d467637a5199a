//! What a shard does with its letters.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{net::TcpListener, sync::Arc, time::Duration};

use volo_js_io_threads::{Arrival, Command, Link, Place, Shard};
use volo_js_reactor_tests::{SMALL_TAPE, schema};
use volo_js_sockets::Handle;
use volo_js_thrift::Program;
use volo_js_transport::{Action, Peer, ServerOptions, ServerSetup};

fn server(owner: u32) -> Command {
    let program = Arc::new(Program::compile(&schema()).unwrap());
    Command::Server {
        owner,
        setup: ServerSetup::new(program, [("Test", &[0, 1][..])], ServerOptions::default()).unwrap(),
    }
}

fn socket() -> Handle {
    TcpListener::bind("127.0.0.1:0").unwrap().into()
}

fn peer() -> Peer {
    Peer::Tcp("127.0.0.1:9".parse().unwrap())
}

fn actions(shard: &mut Shard) -> Vec<Action> {
    std::iter::from_fn(|| shard.engine().next_action()).collect()
}

#[test]
fn a_connection_never_takes_the_place_of_one_whose_socket_is_still_there() {
    let link = Arc::new(Link::new(Arc::new(|| {}), SMALL_TAPE));
    let mut shard = Shard::new(Place { index: 0, links: Arc::from([link.clone()]) });
    let mut arrivals = Vec::new();
    let mut turn = |shard: &mut Shard| {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(shard.poll_turn(&mut cx).is_ready());
        shard.begin_turn(&mut arrivals);
        std::mem::take(&mut arrivals)
    };
    link.send(server(0));
    link.send(server(1));
    turn(&mut shard);
    let (first, _) = shard.place(0, socket(), peer()).unwrap();
    let seat = shard.engine().admit(1, &peer()).unwrap();
    assert_eq!(actions(&mut shard), []);
    shard.end_turn();
    // In one go: the first connection is closed, and its id is free for the second.
    link.send(Command::Close { owner: 0, grace: Duration::ZERO });
    link.send(Command::Connection { owner: 1, socket: socket(), peer: peer(), seat });
    link.send(Command::Stop);
    assert!(turn(&mut shard).is_empty(), "the socket of the first is still there");
    assert!(actions(&mut shard).contains(&Action::Close(first)));
    shard.end_turn();
    // No letter is lost, and the order is kept.
    let then = turn(&mut shard);
    assert!(
        matches!(&then[..], [Arrival::Connection { id, .. }, Arrival::Stop] if *id == first),
        "the next turn brings {then:?}"
    );
}
