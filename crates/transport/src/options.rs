//! What can be set on servers and clients; sizes in bytes.

use std::time::Duration;

use bytes::Bytes;
use volo_js_thrift::{Limits, Wire};

use crate::{Address, mirror::Mirror};

/// How a server treats its connections.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Limits of one message.
    pub limits: Limits,
    /// Calls in flight on one connection before it is not read any more. Default 1024.
    pub max_in_flight: usize,
    /// Unwritten output of one connection before it is not read any more. Default 1 MiB.
    pub max_unwritten: usize,
    /// Connections beyond which new ones are closed at once. Default 65536.
    pub max_connections: usize,
    /// Connections of one IP address beyond which its new ones are closed at once. Default unlimited.
    pub max_connections_per_peer: Option<usize>,
    /// Calls in flight on all connections of one engine beyond which further ones are refused. Default 65536.
    pub max_calls: usize,
    /// Memory that incomplete requests and unread replies of all connections of the process may take together. Beyond it an incomplete request
    /// ends its connection, and calls are refused. Default 1 GiB.
    pub memory_budget: usize,
    /// Where messages have headers, replies go out as they come instead of in the order of the requests, whether or not the peer says that it
    /// expects that. Default false.
    pub multiplex: bool,
    /// A frame that has begun must be complete in this time. Default 30 s.
    pub frame_timeout: Duration,
    /// A connection without a call and without bytes is closed after this time. Default never.
    pub idle_timeout: Option<Duration>,
    /// A connection whose peer has taken nothing of what is written to it for this time is closed. Default 60 s.
    pub write_timeout: Duration,
}

impl ServerOptions {
    /// Do replies to such requests go out as they come?
    pub(crate) fn is_multiplexed(&self, mirror: &Mirror) -> bool {
        mirror.out_of_order || (self.multiplex && mirror.wire.has_headers())
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            max_in_flight: 1024,
            max_unwritten: 1 << 20,
            max_connections: 65536,
            max_connections_per_peer: None,
            max_calls: 65536,
            memory_budget: 1 << 30,
            multiplex: false,
            frame_timeout: Duration::from_secs(30),
            idle_timeout: None,
            write_timeout: Duration::from_secs(60),
        }
    }
}

/// How a client spreads its calls over connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A few connections, each with many calls at once; the peer answers in order, or echoes sequence ids.
    Pipelined,
    /// A pool; one call at a time on a connection.
    PingPong,
}

/// Who calls whom, as headers tell it; what is empty is not told.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The service that calls.
    pub caller: Bytes,
    /// The service that is called, as it is known to discovery.
    pub callee: Bytes,
    /// The service in the IDL, for servers that have several.
    pub service: Bytes,
}

/// What a client is made of.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Where to connect.
    pub address: Address,
    /// How calls share connections.
    pub mode: Mode,
    /// Framing and protocol of requests; replies must use the same. Default framed binary.
    pub wire: Wire,
    /// With headers: who calls whom.
    pub names: Names,
    /// Stands in front of the names of methods whose calls a server passes on.
    pub method_prefix: Bytes,
    /// `THeader` only: messages are compressed.
    pub zlib: bool,
    /// Limits of one reply.
    pub limits: Limits,
    /// Connections that pipelined calls are spread over. Default 1.
    pub connections: usize,
    /// Most connections of a ping-pong pool; further calls wait in order. Default 128.
    pub pool_size: usize,
    /// A pooled connection is closed after this time without a call. Default 60 s.
    pub idle_timeout: Duration,
    /// A connection is not used for new calls after this time. Default 300 s.
    pub max_lifetime: Duration,
    /// Time to establish a connection. Default 1 s.
    pub connect_timeout: Duration,
    /// Tells JavaScript that it cannot connect, at most once a second: the address may stand for a name that stands for another one now. Of
    /// clients of servers alone. Default false.
    pub tells_unreachable: bool,
}

impl ClientOptions {
    /// Defaults for an address.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            mode: Mode::PingPong,
            wire: Wire::default(),
            names: Names::default(),
            method_prefix: Bytes::new(),
            zlib: false,
            limits: Limits::default(),
            connections: 1,
            pool_size: 128,
            idle_timeout: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(300),
            connect_timeout: Duration::from_secs(1),
            tells_unreachable: false,
        }
    }
}
