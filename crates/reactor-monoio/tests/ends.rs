//! Threads that end leave no descriptor behind, whatever they were doing. One test, for descriptors are counted in the whole process.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/answering.rs"]
mod answering;
#[path = "support/refusal.rs"]
mod refusal;

use std::{
    io::Write as _,
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};

use answering::Answering;
use volo_js_io_threads::{Driver, Run};
use volo_js_reactor_tests::{ECHO, Peer, connect, send_call};
use volo_js_tape::Kind;
use volo_js_transport::{ClientOptions, Mode};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Idle connections, connections in a call, one whose reply nobody reads, clients with a call under way; then the end.
fn end_in_the_midst(driver: Driver, run: Run) {
    let listening = Peer::new();
    let mut peers: Vec<TcpStream> = Vec::new();
    let before = descriptors();
    let mut server = Answering::start(2, run);
    assert_eq!(server.driver(), driver);
    peers.extend((0..10).map(|_| connect(server.address)));
    sleep(Duration::from_millis(1300));
    peers.extend((0..10).map(|_| connect(server.address)));
    send_call(&mut peers[0], 1, "never answered");
    send_call(&mut peers[19], 1, "never answered");
    server.harness.kinds(Kind::Call, 2);
    // More than sockets hold: the write of the reply waits.
    let reply = "x".repeat(8 << 20);
    send_call(&mut peers[5], 1, "never read");
    let call = server.harness.kind(Kind::Call);
    server.harness.reply(&call, &reply);
    server.harness.send();
    peers[6].write_all(&[0, 0, 1]).unwrap();
    for mode in [Mode::PingPong, Mode::Pipelined] {
        let client = server.harness.client(ClientOptions { ..listening.options(mode) });
        server.harness.call(client, mode as u32, 1, ECHO, "never answered");
        peers.push(listening.accept());
    }
    server.harness.settle();
    drop(server);
    drop(peers);
    // A ring that is closed is cleared away by a worker of the kernel.
    let end = Instant::now() + Duration::from_secs(5);
    while descriptors() > before && Instant::now() < end {
        sleep(Duration::from_millis(5));
    }
    assert_eq!(descriptors(), before);
}

#[test]
fn threads_that_end_leave_nothing_behind() {
    for _ in 0..3 {
        end_in_the_midst(Driver::IoUring, volo_js_reactor_monoio::run);
    }
    end_in_the_midst(Driver::Epoll, refusal::run);
}
