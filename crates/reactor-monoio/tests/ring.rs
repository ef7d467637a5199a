//! What is only so with `io_uring`: it is really in use, and nothing is lost where an operation is cancelled.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/answering.rs"]
mod answering;

use std::{collections::BTreeMap, fs};

use answering::Answering;
use volo_js_io_threads::Driver;
use volo_js_reactor_tests::{connect, read, reply_bytes, send_call};

/// The rings of this process by descriptor: how many operations each was given. Empty where the kernel does not tell.
fn rings() -> BTreeMap<u32, u64> {
    let mut rings = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let entry = entry.unwrap();
        // A descriptor may be gone since it was listed.
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        if target.to_str() != Some("anon_inode:[io_uring]") {
            continue;
        }
        let number = entry.file_name().to_str().unwrap().parse().unwrap();
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap();
        let count = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        rings.insert(number, count("SqTail:").unwrap());
    }
    rings
}

#[test]
fn the_ring_is_really_in_use() {
    const CALLS: u64 = 100;
    let before = rings();
    let mut server = Answering::start(1, volo_js_reactor_monoio::run);
    assert_eq!(server.driver(), Driver::IoUring, "this kernel has io_uring: /proc/sys/kernel/io_uring_disabled");
    let made: Vec<_> = rings().into_keys().filter(|number| !before.contains_key(number)).collect();
    let [ring] = made[..] else { panic!("one thread has one ring, not {made:?}") };
    let mut peer = connect(server.address);
    let given = rings()[&ring];
    for _ in 0..CALLS {
        send_call(&mut peer, 1, "x");
        server.answer(1);
        assert_eq!(read(&mut peer, reply_bytes(1, "x").len()), reply_bytes(1, "x"));
    }
    // A read, a write, and a wake-up where the thread slept. The counter is 32 bits wide.
    let used = rings()[&ring].wrapping_sub(given) & u64::from(u32::MAX);
    assert!((2 * CALLS..=4 * CALLS).contains(&used), "{used} operations for {CALLS} calls");
}
