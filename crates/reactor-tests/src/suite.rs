//! The lists of the tests.

/// Makes a test of every behaviour, for the reactor that a [`Make`](crate::Make) makes.
#[macro_export]
macro_rules! behaviour_tests {
    ($make:path) => {
        $crate::behaviour_tests! { $make, server:
            answers_framed_and_buffered_peers_in_their_own_transport
            a_byte_at_a_time_is_a_call_all_the_same
            replies_leave_in_the_order_of_the_requests
            a_second_reply_and_a_reply_to_nobody_reach_nobody
            an_unknown_method_is_told_so_and_the_connection_lives
            bytes_that_are_not_thrift_end_the_connection_with_an_event
            a_half_closed_peer_still_gets_its_answers
            a_peer_that_ends_in_the_middle_of_a_message_is_counted
            a_peer_that_resets_abandons_its_calls
            a_peer_that_resets_is_noticed_while_it_is_not_read
            too_many_calls_in_flight_pause_reading
            a_peer_that_does_not_read_is_not_read
            a_frame_that_does_not_complete_is_dropped
            a_message_larger_than_the_tape_gets_a_larger_tape
            oneway_calls_are_done_without_a_reply
            closing_lets_calls_finish_and_then_tells
            closing_ends_what_outlasts_the_grace_time
            connections_over_the_limit_are_refused
            incomplete_messages_share_the_memory_budget
        }
        $crate::behaviour_tests! { $make, leaving:
            a_call_that_arrived_before_the_close_is_answered
            connections_move_to_another_server_and_their_peers_see_nothing_of_it
            what_does_not_come_to_rest_is_closed_after_the_grace_time
            a_large_beginning_of_a_message_moves_too
        }
        $crate::behaviour_tests! { $make, client:
            a_call_connects_and_is_answered
            pipelined_calls_share_a_connection_and_may_be_answered_out_of_order
            the_pool_is_a_cap_and_waiters_keep_their_order
            connections_are_made_before_a_call_needs_them
            a_connection_that_is_asked_for_and_cannot_be_made_is_told_of
            nobody_listens
            a_broken_connection_fails_its_calls_and_the_next_call_connects_anew
            an_idle_connection_that_the_peer_closed_is_not_used_again
            a_call_given_up_frees_its_place_and_its_late_reply_reaches_nobody
            a_ping_pong_call_given_up_closes_its_connection
            a_waiting_call_given_up_is_never_sent
            a_peer_that_accepts_nothing_runs_out_of_time
            replies_that_make_no_sense_fail_the_call_with_a_reason
            a_oneway_call_is_over_once_it_is_written
            idle_and_old_connections_are_closed
            closing_a_client_fails_what_outlasts_the_grace_time
            calls_over_many_connections_all_come_back
            calls_go_over_a_unix_socket_too
        }
        $crate::behaviour_tests! { $make, grpc:
            large_messages_pass_both_ways_at_once
            thrift_and_grpc_share_a_port
        }
        $crate::behaviour_tests! { $make, secure:
            encrypted_calls_are_answered_small_and_large
            encrypted_oneway_calls_arrive_before_the_client_closes
            a_server_that_nobody_vouches_for_is_not_called
            a_connection_that_is_asked_for_has_shaken_hands
            a_client_without_the_certificate_that_is_asked_for_is_told_so
            a_peer_that_begins_no_handshake_is_dropped
            what_is_no_tls_is_named
            new_certificates_are_for_new_connections
            an_encrypted_connection_is_closed_instead_of_handed_over
        }
    };
    ($make:path, $side:ident: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::$side::$name($make);
            }
        )*
    };
}

/// [`behaviour_tests!`](crate::behaviour_tests) for one thread and for two, which a function makes: `fn(usize) -> Box<dyn Subject>`, by a path that begins with `crate`.
#[macro_export]
macro_rules! thread_behaviour_tests {
    ($start:path) => {
        mod one_thread {
            fn subject() -> Box<dyn $crate::Subject> {
                $start(1)
            }

            $crate::behaviour_tests!(subject);
        }

        mod two_threads {
            fn subject() -> Box<dyn $crate::Subject> {
                $start(2)
            }

            $crate::behaviour_tests!(subject);
        }
    };
}

/// Makes a test of every fault, for threads whose life is a [`Run`](volo_js_io_threads::Run).
#[macro_export]
macro_rules! fault_tests {
    ($run:path) => {
        $crate::fault_tests! { $run, one or two:
            a_busy_isolate_stops_the_reading_and_loses_nothing
            ten_thousand_messages_pass_a_tiny_tape
            threads_end_with_connections_and_calls_open
        }
        $crate::fault_tests! { $run, two:
            a_large_message_between_small_ones_keeps_its_place
            a_panic_on_a_thread_is_told
        }
        $crate::fault_tests! { $run, one:
            one_turn_serves_all_connections_that_are_ready
            a_late_connection_gets_no_place_that_is_being_handed_over
        }
    };
    ($run:path, one or two: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                for threads in [1, 2] {
                    $crate::faults::$name("fault", threads, $run);
                }
            }
        )*
    };
    ($run:path, two: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::faults::$name("fault", 2, $run);
            }
        )*
    };
    ($run:path, one: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::faults::$name("fault", $run);
            }
        )*
    };
}

/// Makes a test of everything that lets a thread sleep, for threads whose life is a [`Run`](volo_js_io_threads::Run).
#[macro_export]
macro_rules! sleep_tests {
    ($run:path) => {
        $crate::sleep_tests! { $run:
            a_thread_with_nothing_to_do_sleeps
            a_half_closed_peer_lets_the_thread_sleep
        }
    };
    ($run:path: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::faults::$name($run);
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_behaviour_is_listed() {
        let list = include_str!("suite.rs");
        let sources = [
            include_str!("server.rs"),
            include_str!("client.rs"),
            include_str!("leaving.rs"),
            include_str!("grpc.rs"),
            include_str!("faults.rs"),
        ];
        for source in sources {
            let names: Vec<_> =
                source.lines().filter_map(|line| line.strip_prefix("pub fn ")?.split('(').next()).collect();
            assert!(!names.is_empty());
            let missing: Vec<_> = names.iter().filter(|name| !list.lines().any(|line| line.trim() == **name)).collect();
            assert!(missing.is_empty(), "not listed in suite.rs: {missing:?}");
        }
    }
}
