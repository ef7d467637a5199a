//! What is only so with `io_uring`: it is really in use, and nothing is lost where an operation is cancelled.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/answering.rs"]
mod answering;

use std::{
    collections::BTreeSet,
    fs, thread,
    time::{Duration, Instant},
};

use answering::Answering;
use volo_js_io_threads::Driver;
use volo_js_reactor_tests::{connect, read, reply_bytes, send_call};

/// How many operations a ring was given. The kernel tells nothing of one that is just being entered, so it is asked again.
fn given(ring: u32) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{ring}")).unwrap();
        let told = info.lines().find_map(|line| line.strip_prefix("SqTail:")?.trim().parse().ok());
        if let Some(count) = told {
            return count;
        }
        assert!(Instant::now() < deadline, "the kernel does not tell what the ring was given:\n{info}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The rings of this process, by descriptor.
fn rings() -> BTreeSet<u32> {
    let mut rings = BTreeSet::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let entry = entry.unwrap();
        // A descriptor may be gone since it was listed.
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        if target.to_str() == Some("anon_inode:[io_uring]") {
            rings.insert(entry.file_name().to_str().unwrap().parse().unwrap());
        }
    }
    rings
}

#[test]
fn the_ring_is_really_in_use() {
    const CALLS: u64 = 100;
    let others = rings();
    let mut server = Answering::start(1, volo_js_reactor_monoio::run);
    assert_eq!(server.driver(), Driver::IoUring, "this kernel has io_uring: /proc/sys/kernel/io_uring_disabled");
    let made: Vec<_> = rings().into_iter().filter(|number| !others.contains(number)).collect();
    let [ring] = made[..] else { panic!("one thread has one ring, not {made:?}") };
    let mut peer = connect(server.address);
    let before = given(ring);
    for _ in 0..CALLS {
        send_call(&mut peer, 1, "x");
        server.answer(1);
        assert_eq!(read(&mut peer, reply_bytes(1, "x").len()), reply_bytes(1, "x"));
    }
    // A read, a write, and a wake-up where the thread slept. The counter is 32 bits wide.
    let used = given(ring).wrapping_sub(before) & u64::from(u32::MAX);
    assert!((2 * CALLS..=4 * CALLS).contains(&used), "{used} operations for {CALLS} calls");
}
