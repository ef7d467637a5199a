//! What Monoio's threads do when the isolate is busy, when tapes are too small, and when they end: with `io_uring` and without.
#![cfg(unix)]

#[cfg(target_os = "linux")]
#[path = "support/refusal.rs"]
mod refusal;

mod as_it_comes {
    volo_js_reactor_tests::fault_tests!(volo_js_reactor_monoio::run);
}

#[cfg(target_os = "linux")]
mod without_a_ring {
    volo_js_reactor_tests::fault_tests!(super::refusal::run);
}
