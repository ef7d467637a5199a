//! What Tokio's threads do when the isolate is busy, when tapes are too small, and when they end.

use volo_js_reactor_tests::faults;
use volo_js_reactor_tokio::run;

#[test]
fn a_busy_isolate_stops_the_reading_and_loses_nothing() {
    for threads in [1, 2] {
        faults::a_busy_isolate_stops_the_reading_and_loses_nothing("busy", threads, run);
    }
}

#[test]
fn ten_thousand_messages_pass_a_tiny_tape() {
    for threads in [1, 2] {
        faults::ten_thousand_messages_pass_a_tiny_tape("tiny", threads, run);
    }
}

#[test]
fn a_large_message_between_small_ones_keeps_its_place() {
    faults::a_large_message_between_small_ones_keeps_its_place("large", 2, run);
}

#[test]
fn threads_end_with_connections_and_calls_open() {
    for threads in [1, 2] {
        faults::threads_end_with_connections_and_calls_open("end", threads, run);
    }
}

#[test]
fn a_panic_on_a_thread_is_told() {
    faults::a_panic_on_a_thread_is_told("panic", 2, run);
}

#[test]
fn one_turn_serves_all_connections_that_are_ready() {
    faults::one_turn_serves_all_connections_that_are_ready("turn", run);
}

#[cfg(target_os = "linux")]
#[test]
fn a_thread_with_nothing_to_do_sleeps() {
    faults::a_thread_with_nothing_to_do_sleeps("idle", run);
}

#[cfg(target_os = "linux")]
#[test]
fn a_half_closed_peer_lets_the_thread_sleep() {
    faults::a_half_closed_peer_lets_the_thread_sleep("half", run);
}
