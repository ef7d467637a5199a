//! One connection: what has been received and not handled, what is to be written, and the calls it carries.

use std::time::Instant;

use bytes::BytesMut;
use volo_js_tape::Gap;
use volo_js_thrift::FrameReader;

use crate::{
    Peer, Seat, budget::Share, calls::CallId, http2::Http2, in_flight::InFlightCalls, incoming::Incoming,
    landing::Landing, leaving::Leaving, order::Order, secure::Secure,
};

/// Names a connection of an engine until it is closed.
pub type ConnectionId = u32;

/// The part of a connection that only a server or only a client has.
#[derive(Debug)]
pub(crate) enum Role {
    Server {
        order: Order,
        peer: Peer,
        /// Its place among the server's connections; dropping it is what it is for.
        #[allow(dead_code)]
        seat: Seat,
    },
    Client {
        in_flight: InFlightCalls,
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
    /// What `unread` and `landing` count in the process's budget.
    pub share: Share,
    /// The memory that the message which is coming in is received into, if that is large.
    pub landing: Option<Box<Landing>>,
    /// Bytes of the last message if that was a large one; 0 otherwise. The next one may be as large.
    pub expects: usize,
    /// A whole message for which the tape had no room.
    pub pending: Option<Incoming>,
    pub out: BytesMut,
    /// Where arrays are to stand in `out`. There are some only while a tape is taken.
    pub gaps: Vec<Gap>,
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
    /// A client's: its server will close it, so it takes no further calls.
    pub retired: bool,
    /// How it closes.
    pub leaving: Leaving,
    /// Listed in the engine's dirty list.
    pub dirty: bool,
    /// Listed in the engine's backlog.
    pub in_backlog: bool,
    /// The socket takes no more at the moment.
    pub blocked: bool,
    /// A client's: who waits until it can carry calls.
    pub awaited: Vec<CallId>,
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
    /// When bytes last came.
    pub received_at: Instant,
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
            landing: None,
            expects: 0,
            pending: None,
            out: BytesMut::new(),
            gaps: Vec::new(),
            taken: 0,
            serial: 0,
            written: 0,
            paused: false,
            ended: false,
            closing: false,
            retired: false,
            leaving: Leaving::default(),
            dirty: false,
            in_backlog: false,
            blocked: false,
            awaited: Vec::new(),
            memory_peer: None,
            created: now,
            out_share: Share::default(),
            idle_since: now,
            taking_since: now,
            frame_since: None,
            received_at: now,
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
        self.out.len() + self.lent() + self.under_way()
    }

    /// A message has been taken off: the next one begins anew.
    pub(crate) fn consumed(&mut self) {
        self.reader.consumed();
        self.frame_since = None;
    }

    /// Bytes wait that could be handled now.
    pub(crate) fn has_input(&self) -> bool {
        self.pending.is_some() || !self.unread.is_empty() || self.http2.as_ref().is_some_and(|http2| http2.has_input())
    }
}
