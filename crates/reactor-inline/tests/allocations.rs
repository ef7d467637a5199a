//! A call in steady state allocates nothing in Rust.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    io::{Read, Write},
    net::TcpStream,
};

use support::Inline;
use volo_js_reactor_inline::Reactor;
use volo_js_reactor_tests::{CALL, Harness, Subject, call_bytes, headed_bytes, reply_bytes};
use volo_js_transport::ServerOptions;

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: hands everything to the system's allocator; the counter is a thread-local without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs these calls over `connections`, all at once on each, answered by so many bytes; what the reactor allocated after warming up.
fn allocations(connections: usize, calls: &[Vec<u8>], answer: usize) -> u64 {
    let mut harness = Harness::new(Inline::boxed());
    let (_, address) = harness.listen(ServerOptions::default());
    let mut peers: Vec<TcpStream> = (0..connections).map(|_| TcpStream::connect(address).unwrap()).collect();
    let request = calls.concat();
    let mut reply = vec![0; answer * calls.len()];
    let mut counted = 0;
    for round in 0..100 {
        for peer in &mut peers {
            peer.write_all(&request).unwrap();
        }
        let mut answered = 0;
        while answered < connections * calls.len() {
            let before = COUNT.get();
            harness.subject.poll();
            let in_reactor = COUNT.get() - before;
            let messages = harness.take();
            for message in &messages {
                harness.reply(message, "world");
            }
            let before = COUNT.get();
            harness.send();
            let in_reactor = in_reactor + COUNT.get() - before;
            if round >= 20 {
                counted += in_reactor;
            }
            answered += messages.len();
        }
        for peer in &mut peers {
            peer.read_exact(&mut reply).unwrap();
        }
    }
    counted
}

#[test]
fn a_call_in_steady_state_allocates_nothing() {
    let framed = |sequence| call_bytes("Echo", CALL, sequence, Some("hello"), true);
    let answer = reply_bytes(0, "world").len();
    assert_eq!(allocations(64, &[framed(0)], answer), 0, "ping-pong");
    assert_eq!(allocations(16, &(0..16).map(framed).collect::<Vec<_>>(), answer), 0, "pipelined");
    let headed = headed_bytes(&call_bytes("Echo", CALL, 0, Some("hello"), false));
    // Instead of a length: that, what all headers begin with, protocol and number of transforms, two zeros.
    assert_eq!(allocations(64, &[headed], 14 + 4 + answer - 4), 0, "with headers");
}
