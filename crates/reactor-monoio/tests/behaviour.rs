//! What every reactor does, on Monoio's threads: with `io_uring` where the kernel has it.
#![cfg(unix)]

use volo_js_reactor_tests::{Subject, Threads};

fn start(threads: usize) -> Box<dyn Subject> {
    Box::new(Threads::start("monoio", threads, volo_js_reactor_monoio::run))
}

volo_js_reactor_tests::thread_behaviour_tests!(crate::start);
