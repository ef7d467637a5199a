//! What every reactor does, on Tokio's threads.

mod one_thread {
    use volo_js_reactor_tests::{Subject, Threads};

    fn subject() -> Box<dyn Subject> {
        Box::new(Threads::start("tokio", 1, volo_js_reactor_tokio::run))
    }

    volo_js_reactor_tests::behaviour_tests!(subject);
}

mod two_threads {
    use volo_js_reactor_tests::{Subject, Threads};

    fn subject() -> Box<dyn Subject> {
        Box::new(Threads::start("tokio", 2, volo_js_reactor_tokio::run))
    }

    volo_js_reactor_tests::behaviour_tests!(subject);
}
