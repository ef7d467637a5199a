//! One connection: what has been received and not handled, what is to be written, and the calls it carries.

use std::{collections::VecDeque, time::Instant};

use bytes::{Bytes, BytesMut};
use volo_js_thrift::{FrameReader, Transport};

use crate::{Peer, Seat, budget::Share, http2::Http2, leaving::Leaving, secure::Secure};

/// Names a connection of an engine until it is closed.
pub type ConnectionId = u32;

/// A call written to a client's connection that is not over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InFlight {
    pub slot: u32,
    pub generation: u32,
    pub sequence: i32,
    /// Where its first byte lies in the connection's stream: tells whether the peer may have seen it.
    pub start: u64,
    /// Where its last byte lies: a oneway call is over once it is written.
    pub end: u64,
    /// A reply is still to come, wanted or not. Never for oneway calls.
    pub awaits_reply: bool,
    /// The caller still waits.
    pub live: bool,
}

/// The part of a connection that only a server or only a client has.
#[derive(Debug)]
pub(crate) enum Role {
    /// Call slots in the order of the requests.
    Server {
        order: VecDeque<u32>,
        peer: Peer,
        /// Its place among the server's connections; dropping it is what it is for.
        #[allow(dead_code)]
        seat: Seat,
    },
    Client {
        in_flight: VecDeque<InFlight>,
        next_sequence: i32,
        connected: bool,
    },
}

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Connection {
    pub role: Role,
    pub owner: u32,
    /// What it has if it speaks HTTP/2.
    pub http2: Option<Box<Http2>>,
    /// What it has if it is encrypted.
    pub tls: Option<Box<Secure>>,
    /// Its first bytes will tell what it speaks.
    pub undecided: bool,
    pub reader: FrameReader,
    /// Bytes received that no message has taken yet.
    pub unread: BytesMut,
    /// What `unread` counts in the process's budget.
    pub share: Share,
    /// A whole message for which the tape had no room.
    pub pending: Option<Bytes>,
    pub out: BytesMut,
    /// Bytes of output that a reactor has taken and not written yet; cipher text, with TLS.
    pub taken: usize,
    /// Tells it from other connections of this id.
    pub serial: u32,
    /// Bytes of the protocol handed to the socket since the connection began; with TLS, bytes encrypted for it.
    pub written: u64,
    /// Too much in flight or unwritten: not read until that is half gone.
    pub paused: bool,
    /// The peer will send no more.
    pub ended: bool,
    /// Close as soon as everything is written.
    pub closing: bool,
    /// How it closes.
    pub leaving: Leaving,
    /// Listed in the engine's dirty list.
    pub dirty: bool,
    /// Listed in the engine's backlog.
    pub in_backlog: bool,
    /// The socket takes no more at the moment.
    pub blocked: bool,
    /// The other end, if both live in this engine.
    pub memory_peer: Option<ConnectionId>,
    pub created: Instant,
    /// What the output counts in the process's budget.
    pub out_share: Share,
    /// When a call last came or ended.
    pub idle_since: Instant,
    /// Since when the peer has taken nothing, where it is `blocked`.
    pub taking_since: Instant,
    /// When the frame began that is not complete yet.
    pub frame_since: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(role: Role, owner: u32, reader: FrameReader, now: Instant) -> Self {
        Self {
            role,
            owner,
            http2: None,
            tls: None,
            undecided: false,
            reader,
            unread: BytesMut::new(),
            share: Share::default(),
            pending: None,
            out: BytesMut::new(),
            taken: 0,
            serial: 0,
            written: 0,
            paused: false,
            ended: false,
            closing: false,
            leaving: Leaving::default(),
            dirty: false,
            in_backlog: false,
            blocked: false,
            memory_peer: None,
            created: now,
            out_share: Share::default(),
            idle_since: now,
            taking_since: now,
            frame_since: None,
        }
    }

    /// Calls that are not over.
    pub(crate) fn calls(&self) -> usize {
        if let Some(http2) = &self.http2 {
            return http2.link.streams();
        }
        match &self.role {
            Role::Server { order, .. } => order.len(),
            Role::Client { in_flight, .. } => in_flight.len(),
        }
    }

    /// Output that the socket has not taken.
    pub(crate) fn unwritten(&self) -> usize {
        self.out.len() + self.under_way()
    }

    /// The framing replies go out in.
    pub(crate) fn transport(&self) -> Transport {
        self.reader.transport().unwrap_or(Transport::Framed)
    }

    /// Bytes wait that could be handled now.
    pub(crate) fn has_input(&self) -> bool {
        self.pending.is_some() || !self.unread.is_empty() || self.http2.as_ref().is_some_and(|http2| http2.has_input())
    }
}
