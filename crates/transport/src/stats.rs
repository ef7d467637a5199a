//! Counters, cheap enough to be always on.

use serde::Serialize;

/// What a server has seen since it began to listen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerStats {
    /// Connections open now.
    pub connections: u64,
    /// Connections accepted in all.
    pub accepted: u64,
    /// Connections closed at once, for `max_connections` was reached or descriptors ran out.
    pub refused: u64,
    /// Calls that JavaScript (or a policy) has been given and not answered.
    pub in_flight: u64,
    /// Calls received in all.
    pub calls: u64,
    /// Replies that carried a result or a declared exception.
    pub replies: u64,
    /// Replies that were a `TApplicationException`.
    pub exceptions: u64,
    /// Calls of methods this server does not have.
    pub unknown_methods: u64,
    /// Connections ended, or calls refused, because of bytes that are not valid Thrift or exceed a limit.
    pub protocol_errors: u64,
    /// Frames that were not complete in time.
    pub frame_timeouts: u64,
    /// Times a connection was not read because of too many calls in flight or too much unwritten output.
    pub pauses: u64,
    /// Calls whose peer was gone before the reply.
    pub abandoned: u64,
    /// Bytes received.
    pub bytes_read: u64,
    /// Bytes written to sockets.
    pub bytes_written: u64,
}

/// What a client has done since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientStats {
    /// Connections open now, connecting ones included.
    pub connections: u64,
    /// Connections open and without a call.
    pub idle: u64,
    /// Connections attempted in all.
    pub connects: u64,
    /// Attempts that failed.
    pub connect_failures: u64,
    /// Calls written or waiting to be.
    pub in_flight: u64,
    /// Calls that wait for a connection.
    pub waiting: u64,
    /// Calls made in all.
    pub calls: u64,
    /// Calls that were answered, with whatever.
    pub answered: u64,
    /// Calls that failed without an answer.
    pub failed: u64,
    /// Calls given up by the caller.
    pub cancelled: u64,
    /// Bytes received.
    pub bytes_read: u64,
    /// Bytes written to sockets.
    pub bytes_written: u64,
}
