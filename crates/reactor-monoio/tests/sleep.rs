//! Threads with nothing to do use no CPU: with `io_uring` and without.
#![cfg(target_os = "linux")]

#[path = "support/refusal.rs"]
mod refusal;

mod as_it_comes {
    volo_js_reactor_tests::sleep_tests!(volo_js_reactor_monoio::run);
}

mod without_a_ring {
    volo_js_reactor_tests::sleep_tests!(super::refusal::run);
}
