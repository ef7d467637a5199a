//! What can be set about HTTP/2.

use std::time::Duration;

use crate::FloodLimits;

/// How a side finds out that its peer is gone although nothing says so. Like gRPC's keepalive (proposals A8 and A9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// Silence after which a PING is sent. Not below 1 s.
    pub time: Duration,
    /// Silence after a PING after which the connection is lost. gRPC's default: 20 s.
    pub timeout: Duration,
    /// Also while there is no call. Servers may object to that.
    pub without_calls: bool,
}

impl KeepAlive {
    /// What servers of gRPC do unless something else is said: a PING after two hours, whether there are calls or not.
    pub fn of_servers() -> Self {
        Self { time: Duration::from_secs(2 * 3600), timeout: Duration::from_secs(20), without_calls: true }
    }
}

/// HTTP/2 as both ends of a gRPC connection use it; sizes in bytes.
#[derive(Debug, Clone)]
pub struct Http2Options {
    /// Streams a peer may have open at once. Default 1000: calls are small records here, and a client that keeps hundreds of calls in flight on one
    /// connection need not wait. What all connections may have is limited by the number of calls.
    pub max_concurrent_streams: u32,
    /// Window of one stream: what a peer may send before it is used up. Default 256 KiB.
    pub stream_window: u32,
    /// Window of a connection. Default 8 MiB, so that streams nobody reads do not stop the others soon.
    pub connection_window: u32,
    /// Largest frame to receive, 16 KiB to 16 MiB. Default 16 KiB.
    pub max_frame_size: u32,
    /// Size of all headers of a request or response, as RFC 9113, 6.5.2 counts it. Default 16 KiB.
    pub max_header_list_size: u32,
    /// Bytes of one stream that wait for the connection. Default 128 KiB.
    pub max_send_buffer: usize,
    /// Unwritten output of a connection beyond which nothing more is framed and no new request is looked at. Of what has to be acknowledged as much
    /// again is; then the connection is not read. Default 256 KiB.
    pub max_output: usize,
    /// What memory received frames may cost beyond their content, see `h2`. Default 1 MiB: what one feed of one-byte frames costs, twice.
    pub data_frame_budget: usize,
    /// Streams that may be opened and reset in one feed. Default 200.
    pub max_pending_resets: usize,
    /// Streams this side may reset over errors of the peer before it ends the connection. Default 1024.
    pub max_local_error_resets: usize,
    /// How a peer that is gone is noticed. Default not at all.
    pub keep_alive: Option<KeepAlive>,
    /// What a peer may send of a kind.
    pub floods: FloodLimits,
}

impl Default for Http2Options {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 1000,
            stream_window: 256 << 10,
            connection_window: 8 << 20,
            max_frame_size: 16 << 10,
            max_header_list_size: 16 << 10,
            max_send_buffer: 128 << 10,
            max_output: 256 << 10,
            data_frame_budget: 1 << 20,
            max_pending_resets: 200,
            max_local_error_resets: 1024,
            keep_alive: None,
            floods: FloodLimits::default(),
        }
    }
}
