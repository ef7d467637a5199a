//! Connections that are silent for a while give their buffers back, and lose nothing by it.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/answering.rs"]
mod answering;
#[cfg(target_os = "linux")]
#[path = "support/refusal.rs"]
mod refusal;

use std::{
    net::TcpStream,
    thread::{self, sleep},
    time::{Duration, Instant},
};

use answering::Answering;
use volo_js_reactor_tests::{connect, read, reply_bytes, send_call};

/// Silences as long as it takes a connection to become idle, so that bytes come just then.
fn silences_of_about_a_second(mut server: Answering) {
    const PEERS: usize = 100;
    const ROUNDS: u64 = 3;
    let address = server.address;
    let peers: Vec<_> = (0..PEERS as u64)
        .map(|number| {
            thread::spawn(move || {
                let mut peer = connect(address);
                for round in 0..ROUNDS {
                    // From 0.9 to 1.2 s, another one for each.
                    sleep(Duration::from_micros(900_000 + 3_000 * number + 97 * round));
                    send_call(&mut peer, 1, "not lost");
                    let reply = reply_bytes(1, "not lost");
                    assert_eq!(read(&mut peer, reply.len()), reply);
                }
            })
        })
        .collect();
    let end = Instant::now() + Duration::from_secs(20);
    while peers.iter().any(|peer| !peer.is_finished()) && Instant::now() < end {
        if server.answer_some() == 0 {
            sleep(Duration::from_millis(1));
        }
    }
    for peer in peers {
        peer.join().unwrap();
    }
    assert_eq!(server.harness.server_stats(server.owner).calls, PEERS as u64 * ROUNDS);
}

#[test]
fn nothing_is_lost_where_silence_ends() {
    silences_of_about_a_second(Answering::start(1, volo_js_reactor_monoio::run));
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_is_lost_where_silence_ends_without_a_ring() {
    silences_of_about_a_second(Answering::start(1, refusal::run));
}

#[test]
fn an_idle_peer_that_closes_is_noticed() {
    let mut server = Answering::start(1, volo_js_reactor_monoio::run);
    let idle: Vec<TcpStream> = (0..10).map(|_| connect(server.address)).collect();
    let owner = server.owner;
    server.harness.eventually("all are connected", |harness| harness.server_stats(owner).connections == 10);
    sleep(Duration::from_millis(1500));
    drop(idle);
    server.harness.eventually("all are gone", |harness| harness.server_stats(owner).connections == 0);
}
