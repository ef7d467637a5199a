//! What every reactor does, on Tokio's threads.

use volo_js_reactor_tests::{Subject, Threads};

fn start(threads: usize) -> Box<dyn Subject> {
    Box::new(Threads::start("tokio", threads, volo_js_reactor_tokio::run))
}

volo_js_reactor_tests::thread_behaviour_tests!(crate::start);
