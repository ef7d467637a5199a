//! Counters, cheap enough to be always on. One thread writes them, every thread may read them.

use std::{
    ops::AddAssign,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

/// A number that one thread writes and any may read: a load and a store, never a locked instruction.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.set(self.get().wrapping_add(count));
    }

    #[inline]
    pub(crate) fn sub(&self, count: u64) {
        self.set(self.get().wrapping_sub(count));
    }
}

/// Declares counters and what they are at one moment, with the same fields.
macro_rules! counters {
    ($(#[$live_doc:meta])* $live:ident, $(#[$doc:meta])* $stats:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$live_doc])*
        #[derive(Debug, Default)]
        pub struct $live {
            $(pub(crate) $field: Counter,)*
        }

        impl $live {
            /// What they are at this moment.
            pub fn read(&self) -> $stats {
                $stats { $($field: self.$field.get(),)* }
            }
        }

        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $stats {
            $($(#[$field_doc])* pub $field: u64,)*
        }

        impl AddAssign for $stats {
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)*
            }
        }
    };
}

counters! {
    /// The counters of a server, in one engine.
    ServerCounters,
    /// What a server has seen since it began to listen.
    ServerStats {
        /// Connections open now.
        connections,
        /// Connections accepted in all.
        accepted,
        /// Connections closed at once, for `max_connections` was reached or descriptors ran out.
        refused,
        /// Connections closed at once, for their address had `max_connections_per_peer` already.
        refused_per_peer,
        /// Calls that JavaScript (or a policy) has been given and not answered.
        in_flight,
        /// Calls received in all.
        calls,
        /// Replies that carried a result or a declared exception.
        replies,
        /// Replies that were a `TApplicationException`.
        exceptions,
        /// Calls of methods this server does not have.
        unknown_methods,
        /// Connections ended, or calls refused, because of bytes that are not valid Thrift or exceed a limit.
        protocol_errors,
        /// Calls whose time was over before they could begin: their caller said how long it waits, and that was long ago.
        expired,
        /// Calls refused, for `max_calls` were in flight.
        overloads,
        /// Calls refused and connections ended, for the process's memory budget was used up.
        memory_refusals,
        /// Frames that were not complete in time.
        frame_timeouts,
        /// Connections closed after a time without calls.
        idle_timeouts,
        /// Connections closed because their peer took nothing of what was written for too long.
        write_timeouts,
        /// Times a connection was not read because of too many calls in flight or too much unwritten output.
        pauses,
        /// Calls whose peer was gone before the reply.
        abandoned,
        /// Bytes received.
        bytes_read,
        /// Bytes written to sockets.
        bytes_written,
    }
}

counters! {
    /// The counters of a client.
    ClientCounters,
    /// What a client has done since it was made.
    ClientStats {
        /// Connections open now, connecting ones included.
        connections,
        /// Connections open and without a call.
        idle,
        /// Connections attempted in all.
        connects,
        /// Attempts that failed.
        connect_failures,
        /// Calls written or waiting to be.
        in_flight,
        /// Calls that wait for a connection.
        waiting,
        /// Calls made in all.
        calls,
        /// Calls that were answered, with whatever.
        answered,
        /// Calls that failed without an answer.
        failed,
        /// Calls given up by the caller.
        cancelled,
        /// Bytes received.
        bytes_read,
        /// Bytes written to sockets.
        bytes_written,
        /// Whether it can reach its server: a [`Connectivity`](crate::Connectivity). Only of a client of gRPC.
        state,
    }
}

counters! {
    /// The counters of an engine's pools.
    PoolCounters,
    /// What is pooled in one engine: memory that calls use in turn.
    PoolStats {
        /// Records of server calls in use.
        contexts_in_use,
        /// Records of server calls that wait for the next one. There are never more than were in use at once.
        contexts_spare,
        /// Buffers that wait for the next connection or call that needs one; 256 at most, of 64 KiB at most.
        buffers_spare,
        /// Buffers taken from the pool.
        buffers_reused,
        /// Buffers made because the pool had none.
        buffers_made,
    }
}
