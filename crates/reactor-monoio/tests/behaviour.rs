//! What every reactor does, on Monoio's threads: with `io_uring` where the kernel has it.
#![cfg(unix)]

mod one_thread {
    use volo_js_reactor_tests::{Subject, Threads};

    fn subject() -> Box<dyn Subject> {
        Box::new(Threads::start("monoio", 1, volo_js_reactor_monoio::run))
    }

    volo_js_reactor_tests::behaviour_tests!(subject);
}

mod two_threads {
    use volo_js_reactor_tests::{Subject, Threads};

    fn subject() -> Box<dyn Subject> {
        Box::new(Threads::start("monoio", 2, volo_js_reactor_monoio::run))
    }

    volo_js_reactor_tests::behaviour_tests!(subject);
}
