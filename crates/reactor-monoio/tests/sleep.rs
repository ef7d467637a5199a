//! Threads with nothing to do use no CPU. What they use is read from the system by their names, so each has another.
#![cfg(target_os = "linux")]

#[path = "support/refusal.rs"]
mod refusal;

use volo_js_reactor_tests::faults;

#[test]
fn a_thread_with_nothing_to_do_sleeps() {
    faults::a_thread_with_nothing_to_do_sleeps("idle", volo_js_reactor_monoio::run);
}

#[test]
fn a_thread_with_nothing_to_do_sleeps_without_a_ring() {
    faults::a_thread_with_nothing_to_do_sleeps("idle2", refusal::run);
}

#[test]
fn a_half_closed_peer_lets_the_thread_sleep() {
    faults::a_half_closed_peer_lets_the_thread_sleep("half", volo_js_reactor_monoio::run);
}

#[test]
fn a_half_closed_peer_lets_the_thread_sleep_without_a_ring() {
    faults::a_half_closed_peer_lets_the_thread_sleep("half2", refusal::run);
}
