//! What every reactor does, on Monoio's threads where the kernel refuses `io_uring`.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/refusal.rs"]
mod refusal;

use volo_js_io_threads::Driver;
use volo_js_reactor_tests::{Subject, Threads};

fn start(count: usize) -> Box<dyn Subject> {
    let threads = Threads::start("monoio", count, refusal::run);
    assert_eq!(threads.threads().driver(), Driver::Epoll);
    Box::new(threads)
}

volo_js_reactor_tests::thread_behaviour_tests!(crate::start);
