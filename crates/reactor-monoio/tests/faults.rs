//! What Monoio's threads do when the isolate is busy, when tapes are too small, and when they end: with `io_uring` and without.
#![cfg(unix)]

#[cfg(target_os = "linux")]
#[path = "support/refusal.rs"]
mod refusal;

/// A test of every fault, for threads that run like this.
macro_rules! fault_tests {
    ($run:path) => {
        use volo_js_reactor_tests::faults;

        #[test]
        fn a_busy_isolate_stops_the_reading_and_loses_nothing() {
            for threads in [1, 2] {
                faults::a_busy_isolate_stops_the_reading_and_loses_nothing("fault", threads, $run);
            }
        }

        #[test]
        fn ten_thousand_messages_pass_a_tiny_tape() {
            for threads in [1, 2] {
                faults::ten_thousand_messages_pass_a_tiny_tape("fault", threads, $run);
            }
        }

        #[test]
        fn a_large_message_between_small_ones_keeps_its_place() {
            faults::a_large_message_between_small_ones_keeps_its_place("fault", 2, $run);
        }

        #[test]
        fn threads_end_with_connections_and_calls_open() {
            for threads in [1, 2] {
                faults::threads_end_with_connections_and_calls_open("fault", threads, $run);
            }
        }

        #[test]
        fn a_panic_on_a_thread_is_told() {
            faults::a_panic_on_a_thread_is_told("fault", 2, $run);
        }

        #[test]
        fn one_turn_serves_all_connections_that_are_ready() {
            faults::one_turn_serves_all_connections_that_are_ready("fault", $run);
        }
    };
}

mod as_it_comes {
    fault_tests!(volo_js_reactor_monoio::run);
}

#[cfg(target_os = "linux")]
mod without_a_ring {
    fault_tests!(super::refusal::run);
}
