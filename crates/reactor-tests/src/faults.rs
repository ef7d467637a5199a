//! What I/O threads do when the isolate is busy, when tapes are too small, and when they end.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use volo_js_io_threads::{Run, TapeSize, Wake};
use volo_js_tape::Kind;
use volo_js_transport::{Mode, ServerOptions};

use crate::{
    CALL, ECHO, Harness, PATIENCE, Peer, SMALL_TAPE, Subject, Threads, call_bytes, connect,
    leaving::{answer, expect, move_over},
    read, reply_bytes, send_call,
};

/// Peers that call so often each, with texts of this length, and then read the replies in order. The server replies with the first eight
/// characters, which tell the peer and the call.
fn peers(address: SocketAddr, peers: u32, calls: u32, length: usize) -> Vec<thread::JoinHandle<()>> {
    (0..peers)
        .map(|peer| {
            let mut stream = connect(address);
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            thread::spawn(move || {
                let name = |call: u32| format!("{peer:03}.{call:04}");
                // Made once: to pad every text takes a sanitizer longer than all the rest.
                let padding = ".".repeat(length - name(0).len());
                for call in 0..calls {
                    send_call(&mut stream, call as i32, &(name(call) + &padding));
                }
                for call in 0..calls {
                    let expected = reply_bytes(call as i32, &name(call));
                    assert_eq!(read(&mut stream, expected.len()), expected, "peer {peer}, call {call}");
                }
            })
        })
        .collect()
}

/// Answers what arrives until so many calls have been answered.
fn serve(harness: &mut Harness<Threads>, count: usize) {
    let end = Instant::now() + PATIENCE;
    let mut answered = 0;
    while answered < count {
        assert!(Instant::now() < end, "{answered} of {count} calls arrived");
        let messages = harness.turn();
        if messages.is_empty() {
            thread::sleep(Duration::from_micros(200));
            continue;
        }
        for call in &messages {
            assert_eq!(call.kind, Kind::Call, "{}", call.text);
            harness.reply(call, &call.text[..8]);
        }
        answered += messages.len();
        harness.send();
    }
}

pub fn a_busy_isolate_stops_the_reading_and_loses_nothing(name: &str, threads: usize, run: Run) {
    const PEERS: u32 = 8;
    const CALLS: u32 = 1000;
    let mut harness = Harness::new(Box::new(Threads::start(name, threads, run)));
    let (owner, address) = harness.listen(ServerOptions::default());
    let peers = peers(address, PEERS, CALLS, 2048);
    // Nothing is taken until no more is read.
    let end = Instant::now() + PATIENCE;
    let (mut last, mut since) = (0, Instant::now());
    while last == 0 || since.elapsed() < Duration::from_millis(300) {
        assert!(Instant::now() < end, "reading does not stop");
        let read = harness.server_stats(owner).bytes_read;
        if read != last {
            (last, since) = (read, Instant::now());
        }
        thread::sleep(Duration::from_millis(10));
    }
    // A tape being filled and one on the shelf a thread, and what one read brings a connection.
    let most = threads as u64 * 2 * (64 << 10) + u64::from(PEERS) * (64 << 10);
    assert!(last <= most, "{last} bytes were read although nobody took them");
    let in_all = u64::from(PEERS * CALLS) * 2048;
    assert!(last < in_all / 2, "the test sends too little: all of it was read");
    serve(&mut harness, (PEERS * CALLS) as usize);
    for peer in peers {
        peer.join().unwrap();
    }
    assert_eq!(harness.server_stats(owner).in_flight, 0);
}

pub fn ten_thousand_messages_pass_a_tiny_tape(name: &str, threads: usize, run: Run) {
    let tape = TapeSize { slots: 64, text: 256, bytes: 256 };
    let mut harness = Harness::new(Box::new(Threads::with_tape(name, threads, tape, run)));
    let (owner, address) = harness.listen(ServerOptions::default());
    let peers = peers(address, 4, 2500, 8);
    serve(&mut harness, 10_000);
    for peer in peers {
        peer.join().unwrap();
    }
    let stats = harness.server_stats(owner);
    assert_eq!((stats.calls, stats.replies, stats.protocol_errors), (10_000, 10_000, 0));
}

pub fn a_large_message_between_small_ones_keeps_its_place(name: &str, threads: usize, run: Run) {
    let mut harness = Harness::new(Box::new(Threads::start(name, threads, run)));
    let (_, address) = harness.listen(ServerOptions::default());
    let large = "L".repeat(1 << 20);
    let texts = ["12345678", &large, "23456789", &large, "34567890"];
    let mut stream = connect(address);
    let requests: Vec<u8> =
        texts.iter().zip(1..).flat_map(|(text, n)| call_bytes("Echo", CALL, n, Some(text), true)).collect();
    let writing = thread::spawn(move || {
        stream.write_all(&requests).unwrap();
        stream
    });
    let calls = harness.kinds(Kind::Call, texts.len());
    for (call, text) in calls.iter().zip(texts) {
        assert!(call.text == text, "{} characters came where {} were sent", call.text.len(), text.len());
        harness.reply(call, &text[..8]);
    }
    harness.send();
    let mut stream = writing.join().unwrap();
    let expected: Vec<u8> = texts.iter().zip(1..).flat_map(|(text, n)| reply_bytes(n, &text[..8])).collect();
    assert_eq!(read(&mut stream, expected.len()), expected);
    // The large tape was for the large messages only.
    send_call(&mut stream, 9, "small");
    let end = Instant::now() + PATIENCE;
    loop {
        let batch = harness.subject.threads().links().iter().find_map(|link| Some((link, link.take()?)));
        if let Some((link, batch)) = batch {
            assert_eq!((batch.size(), batch.messages()), (SMALL_TAPE, 1));
            return link.give_back(batch);
        }
        assert!(Instant::now() < end, "the last call never arrived");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The other side has closed, or does so while it is waited for: an end or, where bytes had not been read, a reset.
fn assert_closed(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    if let Err(error) = stream.read_to_end(&mut Vec::new()) {
        let timed_out = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        assert!(!timed_out, "not closed in {PATIENCE:?}");
    }
}

pub fn threads_end_with_connections_and_calls_open(name: &str, threads: usize, run: Run) {
    let mut harness = Harness::new(Box::new(Threads::start(name, threads, run)));
    let (_, address) = harness.listen(ServerOptions::default());
    let peer = Peer::new();
    let client = harness.client(peer.options(Mode::Pipelined));
    harness.call(client, 0, 1, ECHO, "never answered");
    let mut served = peer.accept();
    let mut callers: Vec<TcpStream> = (0..16).map(|_| connect(address)).collect();
    for caller in &mut callers {
        send_call(caller, 1, "never answered");
    }
    harness.kinds(Kind::Call, 16);
    // What is on its way from the isolate is no hindrance either.
    send_call(&mut callers[0], 2, "on the shelf");
    let ending = thread::spawn(move || drop(harness.subject));
    let end = Instant::now() + PATIENCE;
    while !ending.is_finished() {
        assert!(Instant::now() < end, "the threads do not end");
        thread::sleep(Duration::from_millis(1));
    }
    ending.join().unwrap();
    for caller in &mut callers {
        assert_closed(caller);
    }
    assert_closed(&mut served);
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

pub fn a_panic_on_a_thread_is_told(name: &str, threads: usize, run: Run) {
    // Whatever panics, it does so in a task.
    let armed = Arc::new(AtomicBool::new(true));
    let wake: Wake = {
        let armed = armed.clone();
        Arc::new(move || assert!(!armed.swap(false, Ordering::Relaxed), "the test wants a panic"))
    };
    let mut harness = Harness::new(Box::new(Threads::with_wake(name, threads, SMALL_TAPE, &wake, run)));
    let (_, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    send_call(&mut peer, 1, "x");
    let end = Instant::now() + PATIENCE;
    let failed =
        |harness: &Harness<Threads>| harness.subject.threads().links().iter().filter(|link| link.has_failed()).count();
    while failed(&harness) == 0 {
        if Instant::now() > end {
            // A thread that did not end at a panic may never end; to join it would hide why the test failed.
            std::mem::forget(harness);
            panic!("nobody tells that the thread has ended");
        }
        thread::sleep(Duration::from_millis(1));
    }
    // Its sockets are closed, and the other threads go on.
    assert_closed(&mut peer);
    assert_eq!((failed(&harness), armed.load(Ordering::Relaxed)), (1, false));
}

/// Holds the thread that wakes the isolate, until it is opened.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, open: bool) {
        *self.open.lock().unwrap() = open;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let open = self.open.lock().unwrap();
        // Bounded, so that a test that fails ends.
        let _ = self.changed.wait_timeout_while(open, PATIENCE, |open| !*open).unwrap();
    }
}

pub fn one_turn_serves_all_connections_that_are_ready(name: &str, run: Run) {
    const PEERS: usize = 200;
    let gate = Arc::new(Gate::default());
    let passed = gate.clone();
    gate.set(true);
    let wake: Wake = Arc::new(move || passed.pass());
    let mut harness = Harness::new(Box::new(Threads::with_wake(name, 1, SMALL_TAPE, &wake, run)));
    let (owner, address) = harness.listen(ServerOptions::default());
    let mut peers: Vec<TcpStream> = (0..PEERS).map(|_| connect(address)).collect();
    harness.eventually("all connections are there", |harness| harness.server_stats(owner).connections == PEERS as u64);
    // While the thread is held, all of them call.
    gate.set(false);
    send_call(&mut peers[0], 1, "first");
    let first = harness.kind(Kind::Call);
    harness.reply(&first, "first");
    for peer in &mut peers {
        send_call(peer, 2, "second");
    }
    gate.set(true);
    let calls = harness.until(|message| message.text == "second");
    assert_eq!(calls.len(), PEERS, "one batch holds the calls of all");
    for call in &calls {
        harness.reply(call, "second");
    }
    harness.send();
    let expected = [reply_bytes(1, "first"), reply_bytes(2, "second")].concat();
    assert_eq!(read(&mut peers[0], expected.len()), expected);
    for peer in &mut peers[1..] {
        let expected = reply_bytes(2, "second");
        assert_eq!(read(peer, expected.len()), expected);
    }
}

pub fn a_late_connection_gets_no_place_that_is_being_handed_over(name: &str, run: Run) {
    let gate = Arc::new(Gate::default());
    let passed = gate.clone();
    gate.set(true);
    let wake: Wake = Arc::new(move || passed.pass());
    let mut old = Harness::new(Box::new(Threads::with_wake(name, 1, SMALL_TAPE, &wake, run)) as Box<dyn Subject>);
    let mut new = Harness::new(Box::new(Threads::start(name, 1, run)) as Box<dyn Subject>);
    let (from, address) = old.listen(ServerOptions::default());
    let (to, _) = new.listen(ServerOptions::default());
    // One at rest, with the beginning of a message.
    let mut resting = connect(address);
    let frame = call_bytes("Echo", CALL, 1, Some("resting"), true);
    resting.write_all(&frame[..20]).unwrap();
    old.eventually("the beginning is read", |old| old.server_stats(from).bytes_read == 20);
    let mut busy = connect(address);
    old.eventually("both are there", |old| old.server_stats(from).connections == 2);
    // While the thread is held, another one connects and the server is told to go.
    gate.set(false);
    send_call(&mut busy, 1, "busy");
    let call = old.kind(Kind::Call);
    let mut late = connect(address);
    old.subject.hand_over(from, PATIENCE);
    old.reply(&call, "busy");
    old.send();
    gate.set(true);
    assert_eq!(move_over(&mut old, &mut new, to), 3, "all connections move");
    expect(&mut busy, 1, "busy");
    resting.write_all(&frame[20..]).unwrap();
    send_call(&mut busy, 2, "still busy");
    send_call(&mut late, 1, "late");
    answer(&mut new, 3);
    expect(&mut resting, 1, "resting");
    expect(&mut busy, 2, "still busy");
    expect(&mut late, 1, "late");
}

/// How often the thread of this name has gone to sleep.
#[cfg(target_os = "linux")]
fn sleeps(thread: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    let task = tasks
        .map(|task| task.path())
        .find(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == thread))
        .unwrap();
    let status = std::fs::read_to_string(task.join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

/// A thread with a name of its own, for the tests of a process run at once; and that name, which has fifteen characters at most, for Linux keeps no more.
#[cfg(target_os = "linux")]
fn named_thread(run: Run) -> (Harness<Threads>, String) {
    static THREADS: AtomicU32 = AtomicU32::new(0);
    let name = format!("s{}", THREADS.fetch_add(1, Ordering::Relaxed));
    (Harness::new(Box::new(Threads::start(&name, 1, run))), format!("volo-{name}-0"))
}

#[cfg(target_os = "linux")]
pub fn a_thread_with_nothing_to_do_sleeps(run: Run) {
    let (mut harness, thread) = named_thread(run);
    let (owner, address) = harness.listen(ServerOptions::default());
    // A connection is a reason to look at the clock now and then.
    drop(connect(address));
    harness.eventually("the connection came and went", |harness| {
        let stats = harness.server_stats(owner);
        (stats.accepted, stats.connections) == (1, 0)
    });
    thread::sleep(Duration::from_millis(300));
    let before = sleeps(&thread);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(sleeps(&thread), before, "something wakes a thread that has nothing to do");
}

#[cfg(target_os = "linux")]
pub fn a_half_closed_peer_lets_the_thread_sleep(run: Run) {
    let (mut harness, thread) = named_thread(run);
    let (_, address) = harness.listen(ServerOptions::default());
    let mut peer = connect(address);
    send_call(&mut peer, 1, "x");
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    let call = harness.kind(Kind::Call);
    thread::sleep(Duration::from_millis(50));
    // It wakes ten times a second to look at the clock, and goes to sleep again.
    let before = sleeps(&thread);
    harness.eventually("the thread sleeps", |_| sleeps(&thread) > before + 2);
    harness.reply(&call, "y");
    harness.send();
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, reply_bytes(1, "y"));
}
