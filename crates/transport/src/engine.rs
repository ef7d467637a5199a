//! Everything between sockets and the tape: servers, clients, their connections and calls. The engine never touches a descriptor: a reactor feeds it
//! bytes, takes bytes, and carries its [`Action`]s out. That is what lets several reactors, tests and fuzzers share it.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use slab::Slab;
use volo_js_tape::{InTape, Kind, Malformed, OutMessage, OutTape};
use volo_js_thrift::{FrameError, Program};

use crate::{
    Address, ConnectionId, ConnectionKey, Peers, PoolCounters,
    buffers::Buffers,
    calls::{CallId, ServerCalls},
    client::ClientCalls,
    connection::{Connection, Role},
    deadlines::Deadlines,
    grpc_message::Encoder,
    incoming::Incoming,
    landing::Lender,
    notice::{Level, Notice},
    owners::{Owner, Owners},
};

/// Calls delivered in one turn at most, so that other handles of the loop live.
pub(crate) const TURN: u32 = 256;
/// Bytes of large messages delivered in one turn at most, or a single message more.
const TURN_BYTES: usize = 4 << 20;
/// Events of one server in one second at most; counters count all.
const EVENTS_A_SECOND: u32 = 10;

/// What a reactor has to do for the engine, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect a client's connection, then call [`Engine::connected`] or [`Engine::closed`].
    Connect(ConnectionId, Address),
    /// Close the socket; the id means nothing from now on.
    Close(ConnectionId),
    /// The socket is about to be closed with a call unanswered: let the peer see a reset, for it would take an orderly end for a peer that
    /// still wants its answer.
    Reset(ConnectionId),
    /// What the connection waits for has changed: see [`Engine::interest`].
    Interest(ConnectionId),
    /// Stop accepting for this server.
    StopListening(u32),
    /// Read once more, although the connection is about to be closed: what is there is fed to [`Engine::receive`]; if there is nothing,
    /// [`Engine::looked`] is told. Closing a socket with bytes unread would reset it.
    Look(ConnectionId),
    /// Let go of the socket without closing it, and tell [`Engine::handed_over`]; the id means nothing from now on.
    HandOver {
        /// The connection.
        id: ConnectionId,
        /// Its server.
        owner: u32,
        /// The beginning of a message whose rest is still to come.
        unread: Bytes,
    },
}

/// What to wait for on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interest {
    /// Bytes to read.
    pub read: bool,
    /// Room to write.
    pub write: bool,
}

/// A message is too large for the standing tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Bytes its text should have at least.
    pub text: usize,
    /// Bytes its bytes should have at least. The slots it needs are found by trying: make them four times as many.
    pub bytes: usize,
}

/// What a Thrift message of so many bytes may need.
pub(crate) fn growth_for(len: usize, program: &Program) -> Growth {
    // Strings and binaries go to `bytes`, and uuids grow from 16 to 36 bytes. What is kept of compact is kept as the binary protocol has it:
    // of an i64 that was one byte all eight.
    let bytes = if program.keeps_unknown() { len * 8 } else { len * 9 / 4 };
    Growth { text: 64 << 10, bytes: bytes + (4 << 10) }
}

/// What became of one message.
pub(crate) enum Next {
    /// Go on with the next one.
    Go,
    /// The tape has no room, or the turn is over: the rest waits. What the tape should have, if it was empty.
    Wait(Option<Growth>),
    /// The connection is over.
    Over,
}

/// Servers, clients, connections and calls of one thread.
pub struct Engine {
    pub(crate) owners: Owners,
    pub(crate) connections: Slab<Connection>,
    pub(crate) server_calls: ServerCalls,
    pub(crate) client_calls: ClientCalls,
    pub(crate) buffers: Buffers,
    pub(crate) notices: VecDeque<Notice>,
    pub(crate) actions: VecDeque<Action>,
    pub(crate) memory: HashMap<String, u32>,
    pub(crate) now: Instant,
    /// Connections with output to write.
    pub(crate) dirty: Vec<ConnectionId>,
    /// Connections with input that could be handled as soon as the tape has room.
    backlog: VecDeque<ConnectionId>,
    pub(crate) growth: Option<Growth>,
    /// Connections of HTTP/2 to be turned before output is written.
    pub(crate) touched: Vec<ConnectionId>,
    pub(crate) deadlines: Deadlines,
    /// The time of the last tick.
    pub(crate) ticked: Instant,
    pub(crate) encoder: Encoder,
    pub(crate) peers: Arc<Peers>,
    /// Where encrypted connections decrypt.
    pub(crate) plain: BytesMut,
    /// The reactor writes output that is in several places.
    pub(crate) lends: bool,
    /// Connections with such output.
    pub(crate) gapped: Vec<ConnectionId>,
    /// Gives memory for large messages.
    pub(crate) lender: Option<Lender>,
    /// Bytes of it that messages are received into.
    pub(crate) landing_bytes: usize,
    /// Where headers are written for the tape.
    pub(crate) text: Vec<u8>,
    next_serial: u32,
}

impl Engine {
    /// An engine with nothing in it.
    pub fn new(now: Instant) -> Self {
        Self::beside(now, 0, 0)
    }

    /// The engine at `place` among `1 << shift` that serve together: no two of them give a call the same name.
    pub fn beside(now: Instant, place: u32, shift: u32) -> Self {
        let buffers = Buffers::default();
        Self {
            owners: Owners::default(),
            connections: Slab::new(),
            server_calls: ServerCalls::of_place(place, shift, buffers.counters.clone()),
            client_calls: ClientCalls::default(),
            buffers,
            notices: VecDeque::new(),
            actions: VecDeque::new(),
            memory: HashMap::new(),
            now,
            dirty: Vec::new(),
            backlog: VecDeque::new(),
            growth: None,
            touched: Vec::new(),
            deadlines: Deadlines::default(),
            ticked: now,
            encoder: Encoder::default(),
            peers: Arc::default(),
            plain: BytesMut::new(),
            lends: false,
            gapped: Vec::new(),
            lender: None,
            landing_bytes: 0,
            text: Vec::new(),
            next_serial: 0,
        }
    }

    /// Who is at the other end of the connections, to be asked by any thread.
    pub fn peers(&self) -> &Arc<Peers> {
        &self.peers
    }

    /// What is pooled, to be asked by any thread.
    pub fn pools(&self) -> &Arc<PoolCounters> {
        &self.buffers.counters
    }

    /// Tells the time; a reactor does so once a turn.
    pub fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// The next thing to do.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Is there anything to do?
    pub fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Is there a server or client of this id, be it closing?
    pub fn has_owner(&self, owner: u32) -> bool {
        self.owners.get(owner as usize).is_some()
    }

    /// Has this turn brought as much as one turn may?
    pub fn is_turn_over(&self, tape: &InTape<'_>) -> bool {
        tape.messages() >= TURN || tape.array_bytes() >= TURN_BYTES
    }

    /// The server or client a connection belongs to.
    pub fn owner_of(&self, id: ConnectionId) -> Option<u32> {
        self.connections.get(id as usize).map(|connection| connection.owner)
    }

    /// Words for a connection that could not be made.
    pub fn cannot_connect(&self, id: ConnectionId, why: &str) -> String {
        match self.owner_of(id).map(|owner| &self.owners[owner as usize]) {
            Some(Owner::Client(client)) => format!("cannot connect to {}: {why}", client.options.address),
            _ => why.to_owned(),
        }
    }

    /// What to wait for on a connection.
    pub fn interest(&self, id: ConnectionId) -> Interest {
        self.connections.get(id as usize).map_or(Interest { read: false, write: false }, |connection| Interest {
            read: !connection.paused
                && !connection.ended
                && !connection.has_failed()
                && match &connection.http2 {
                    // A connection that closes has streams that go on.
                    Some(http2) => http2.pending.is_none() && http2.link.ended().is_none(),
                    None => !connection.closing && connection.pending.is_none(),
                },
            write: connection.blocked,
        })
    }

    /// Does the tape need to be larger for what waits? Ask when it is empty although input waits; taking the answer clears it.
    pub fn take_growth(&mut self) -> Option<Growth> {
        self.growth.take()
    }

    /// Is there anything to do without new bytes?
    pub fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
            || !self.notices.is_empty()
            || !self.touched.is_empty()
            || self.dirty.iter().any(|id| self.is_memory(*id) || self.is_secure(*id))
    }

    /// Does anything keep the process alive: a server that listens or drains, or a client's call?
    pub fn is_busy(&self) -> bool {
        self.client_calls.live() > 0
            || !self.notices.is_empty()
            || self.owners.iter().any(|(_, owner)| match owner {
                Owner::Server(_) => true,
                Owner::Client(client) => client.closing.is_some(),
            })
    }

    /// Does [`Engine::tick`] have anything to watch?
    pub fn needs_tick(&self) -> bool {
        !self.connections.is_empty()
            || self.owners.iter().any(|(_, owner)| match owner {
                Owner::Server(server) => server.closing.is_some(),
                Owner::Client(client) => client
                    .grpc
                    .as_ref()
                    .is_some_and(|grpc| !client.waiting.is_empty() || !grpc.backoff.is_over(self.now)),
            })
    }

    // ---- bytes in ----

    /// Bytes have arrived. Whole messages go to the tape; what it has no room for waits in the backlog.
    pub fn receive(&mut self, id: ConnectionId, chunk: Bytes, tape: &mut InTape<'_>) {
        self.note_received(id, chunk.len());
        let Some(connection) = self.connections.get(id as usize) else { return };
        if connection.tls.is_some() {
            self.receive_sealed(id, &chunk, tape);
        } else {
            self.receive_plain(id, chunk, tape);
        }
    }

    pub(crate) fn note_received(&mut self, id: ConnectionId, count: usize) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        match &mut self.owners[connection.owner as usize] {
            Owner::Server(server) => server.counters.bytes_read.add(count as u64),
            Owner::Client(client) => client.counters.bytes_read.add(count as u64),
        }
        connection.leaving.bytes_came();
        connection.received_at = self.now;
    }

    pub(crate) fn receive_thrift(&mut self, id: ConnectionId, mut chunk: Bytes, tape: &mut InTape<'_>) {
        self.fill_landing(id, &mut chunk, tape);
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        if connection.has_input() {
            let in_backlog = connection.in_backlog;
            if self.keep(id, &chunk) && !in_backlog {
                self.resume(id, tape);
            }
            return;
        }
        while !chunk.is_empty() {
            let Some(connection) = self.connections.get_mut(id as usize) else { return };
            if connection.paused {
                break;
            }
            match connection.reader.next(&chunk) {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    let message = Incoming::new(chunk.split_to(frame.total()), None, frame);
                    connection.expects = 0;
                    connection.consumed();
                    match self.message(id, message, tape) {
                        Next::Go => {}
                        Next::Wait(_) => break,
                        Next::Over => return,
                    }
                }
                Err(error) => return self.bad_frame(id, &error),
            }
        }
        if self.connections.contains(id as usize)
            && (chunk.is_empty() || self.land(id, &chunk) || self.keep(id, &chunk))
        {
            self.settle(id);
        }
    }

    /// Keeps bytes for later. False if that is more than the process may hold: the connection is closed.
    pub(crate) fn keep(&mut self, id: ConnectionId, bytes: &[u8]) -> bool {
        let connection = &mut self.connections[id as usize];
        self.buffers.prepare(&mut connection.unread);
        connection.unread.extend_from_slice(bytes);
        let Owner::Server(server) = &self.owners[connection.owner as usize] else { return true };
        if connection.share.resize(connection.unread.capacity(), server.options.memory_budget) {
            return true;
        }
        server.counters.memory_refusals.add(1);
        self.protocol_error(id, "incomplete messages of all connections exceed the process's memory budget");
        false
    }

    /// Handles what waits in a connection.
    fn resume(&mut self, id: ConnectionId, tape: &mut InTape<'_>) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        if connection.http2.is_some() {
            return self.advance(id, tape);
        }
        if connection.undecided {
            return self.receive_http2(id, Bytes::new(), tape);
        }
        loop {
            let Some(connection) = self.connections.get_mut(id as usize) else { return };
            if connection.paused {
                break;
            }
            let message = if let Some(message) = connection.pending.take() {
                self.actions.push_back(Action::Interest(id));
                message
            } else {
                match connection.reader.next(&connection.unread) {
                    Ok(None) => {
                        self.land_unread(id);
                        break;
                    }
                    Ok(Some(frame)) => {
                        let whole = connection.unread.split_to(frame.total()).freeze();
                        connection.consumed();
                        connection.expects = 0;
                        Incoming::new(whole, None, frame)
                    }
                    Err(error) => return self.bad_frame(id, &error),
                }
            };
            match self.message(id, message, tape) {
                Next::Go => {}
                Next::Wait(_) => break,
                Next::Over => return,
            }
        }
        self.settle(id);
    }

    /// After input was handled: where does the connection stand?
    pub(crate) fn settle(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        if connection.unread.is_empty() {
            if connection.landing.is_none() {
                connection.frame_since = None;
            } else if connection.frame_since.is_none() {
                connection.frame_since = Some(self.now);
            }
            if connection.unread.capacity() > 0 {
                self.buffers.release(&mut connection.unread);
                connection.share.resize(connection.landing.as_ref().map_or(0, |landing| landing.len()), usize::MAX);
            }
        } else if connection.frame_since.is_none() {
            connection.frame_since = Some(self.now);
        }
        if connection.closing || connection.ended {
            self.finish_if_over(id);
        }
    }

    /// Handles a message. Where it has to wait, the connection keeps it.
    pub(crate) fn message(&mut self, id: ConnectionId, message: Incoming, tape: &mut InTape<'_>) -> Next {
        let next = if self.is_turn_over(tape) {
            Next::Wait(None)
        } else {
            match self.connections[id as usize].role {
                Role::Server { .. } => self.server_message(id, &message, tape),
                Role::Client { .. } => self.client_message(id, &message, tape),
            }
        };
        if let Next::Wait(growth) = next {
            self.wait(id, message, growth);
        }
        next
    }

    /// Puts a message back that the tape had no room for. `growth` is what it should have, if the tape was empty.
    fn wait(&mut self, id: ConnectionId, message: Incoming, growth: Option<Growth>) {
        if growth.is_some() {
            self.growth = growth;
        }
        let connection = &mut self.connections[id as usize];
        connection.pending = Some(message);
        self.actions.push_back(Action::Interest(id));
        self.enlist(id);
    }

    /// Lists a connection whose input can go on as soon as the tape has room.
    pub(crate) fn enlist(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id as usize];
        if !connection.in_backlog {
            connection.in_backlog = true;
            self.backlog.push_back(id);
        }
    }

    /// Goes on with what waits: notices first, then connections in turn.
    pub fn work_off(&mut self, tape: &mut InTape<'_>) {
        self.end_overdue();
        self.turn_touched();
        while let Some(notice) = self.notices.front() {
            if tape.messages() >= TURN {
                return;
            }
            if notice.put(tape).is_err() {
                if tape.is_empty() {
                    self.growth = Some(Growth { text: 64 << 10, bytes: (64 << 10).max(notice.size() + (4 << 10)) });
                }
                return;
            }
            self.notices.pop_front();
        }
        self.shuttle(tape);
        for _ in 0..self.backlog.len() {
            if self.is_turn_over(tape) {
                return;
            }
            let Some(id) = self.backlog.pop_front() else { return };
            if let Some(connection) = self.connections.get_mut(id as usize) {
                connection.in_backlog = false;
                self.resume(id, tape);
            }
        }
    }

    /// Bytes that cannot be a message: the connection is over, with a reason for the operator.
    fn bad_frame(&mut self, id: ConnectionId, error: &FrameError) {
        self.protocol_error(id, &error.to_string());
    }

    /// Ends a connection whose peer does not speak the protocol.
    pub(crate) fn protocol_error(&mut self, id: ConnectionId, why: &str) {
        let connection = &self.connections[id as usize];
        let owner = connection.owner;
        match (&connection.role, &mut self.owners[owner as usize]) {
            (Role::Server { peer, .. }, Owner::Server(server)) => {
                server.counters.protocol_errors.add(1);
                let text = format!("closed the connection of {peer}: {why}");
                self.event(owner, Level::Warn, text);
                self.end(id, why);
            }
            _ => self.fail_connection(
                id,
                crate::FailureCode::Internal,
                &format!("the peer's reply is not valid Thrift: {why}"),
            ),
        }
    }

    /// Tells JavaScript of something on a server.
    pub(crate) fn event(&mut self, owner: u32, level: Level, text: String) {
        let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) else { return };
        if self.now.duration_since(server.events_since) >= Duration::from_secs(1) {
            server.events_since = self.now;
            server.events = 0;
        }
        server.events += 1;
        if server.events <= EVENTS_A_SECOND {
            self.notices.push_back(Notice::Event { owner, level, text });
        }
    }

    /// Tells JavaScript of something that is not about one server or client.
    pub fn report(&mut self, level: Level, text: &str) {
        self.notices.push_back(Notice::Event { owner: u32::MAX, level, text: text.to_owned() });
    }

    // ---- connections ----

    /// A client's connection is established.
    pub fn connected(&mut self, id: ConnectionId) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        if let Role::Client { connected, .. } = &mut connection.role {
            *connected = true;
            connection.idle_since = now;
            connection.blocked = false;
            self.actions.push_back(Action::Interest(id));
            if connection.tls.is_some() {
                self.mark_dirty(id);
            }
            self.made(id);
            let connection = &self.connections[id as usize];
            if connection.http2.is_some() {
                self.touch(id);
            } else if !connection.out.is_empty() {
                self.mark_dirty(id);
            } else if connection.calls() == 0 {
                self.client_connection_free(id);
            }
        }
    }

    /// The peer sends no more bytes. What it asked for is still answered.
    pub fn ended(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        if connection.shakes_hands() {
            return self.end(id, "the peer closed the connection during the TLS handshake");
        }
        connection.ended = true;
        if let Some(http2) = &mut connection.http2 {
            http2.link.end();
            self.actions.push_back(Action::Interest(id));
            return self.enlist(id);
        }
        if matches!(connection.role, Role::Client { .. }) {
            return self.fail_connection(id, crate::FailureCode::Unavailable, "the peer closed the connection");
        }
        self.actions.push_back(Action::Interest(id));
        self.finish_if_over(id);
    }

    /// The connection is broken, or could not be made.
    pub fn closed(&mut self, id: ConnectionId, why: &str) {
        if self.connections.contains(id as usize) {
            self.end(id, why);
        }
    }

    /// Closes a connection whose work is done.
    pub(crate) fn finish_if_over(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id as usize) else { return };
        if connection.has_failed() {
            return self.finish_failed(id);
        }
        // Nothing can be lost of a connection whose peer has said nothing: it closes like one of Thrift.
        if connection.http2.as_ref().is_some_and(|http2| http2.link.has_begun() || !connection.closing) {
            return self.finish_http2(id);
        }
        if !matches!(connection.role, Role::Server { .. })
            || connection.calls() > 0
            || connection.unwritten() > 0
            || connection.in_backlog
            || connection.pending.is_some()
        {
            return;
        }
        if connection.ended && !connection.closing && (!connection.unread.is_empty() || connection.landing.is_some()) {
            self.protocol_error(id, "the peer ended in the middle of a message");
        } else if connection.ended {
            if !self.takes_leave(id) {
                self.end(id, "done");
            }
        } else if connection.closing {
            self.leave(id);
        }
    }

    /// Removes a connection: its calls end, its memory goes back, its socket is closed.
    pub(crate) fn end(&mut self, id: ConnectionId, why: &str) {
        if matches!(self.connections[id as usize].role, Role::Client { .. }) {
            return self.fail_connection(id, crate::FailureCode::Unavailable, why);
        }
        let mut connection = self.remove_connection(id);
        if let Some(http2) = &mut connection.http2 {
            self.abandon_grpc(connection.owner, http2.served.drain());
            self.abandon_standard(connection.owner, http2.standard.drain().count());
        }
        if let Role::Server { order, .. } = &mut connection.role {
            self.abandon(connection.owner, mem::take(order));
        }
    }

    pub(crate) fn remove_connection(&mut self, id: ConnectionId) -> Connection {
        let connection = self.take_out(id);
        match connection.memory_peer {
            None => self.actions.push_back(Action::Close(id)),
            Some(peer) => self.part(peer),
        }
        connection
    }

    /// Forgets a connection; what becomes of its socket is the caller's matter.
    pub(crate) fn take_out(&mut self, id: ConnectionId) -> Connection {
        let mut connection = self.connections.remove(id as usize);
        if matches!(connection.role, Role::Server { .. }) {
            self.peers.remove(id);
        }
        self.buffers.release(&mut connection.unread);
        self.take_landing(&mut connection);
        self.buffers.release(&mut connection.out);
        if let Some(tls) = &mut connection.tls {
            self.buffers.release(&mut tls.sealed);
        }
        if connection.dirty {
            self.dirty.retain(|other| *other != id);
        }
        if connection.in_backlog {
            self.backlog.retain(|other| *other != id);
        }
        if connection.http2.is_some() {
            self.touched.retain(|other| *other != id);
        }
        connection
    }

    pub(crate) fn insert_connection(&mut self, mut connection: Connection) -> ConnectionId {
        self.next_serial = self.next_serial.wrapping_add(1);
        connection.serial = self.next_serial;
        let entry = self.connections.vacant_entry();
        let id = entry.key() as ConnectionId;
        if let Role::Server { peer, .. } = &connection.role {
            self.peers.insert(ConnectionKey { id, serial: connection.serial }, peer.clone());
        }
        entry.insert(connection);
        id
    }

    // ---- from JavaScript ----

    /// Takes every message of the out tape.
    ///
    /// # Errors
    /// [`Malformed`] if the tape is damaged: what comes behind the damage is lost, which is a bug of the writer.
    pub fn submit(&mut self, tape: &OutTape<'_>) -> Result<(), Malformed> {
        for message in tape.messages() {
            let message = message?;
            self.take(tape, &message)?;
        }
        self.turn_touched();
        Ok(())
    }

    fn take(&mut self, tape: &OutTape<'_>, message: &OutMessage) -> Result<(), Malformed> {
        let call = CallId { slot: message.header.call, generation: message.header.generation };
        match message.header.kind {
            Kind::Reply => self.reply(tape, message, call)?,
            Kind::Exception => self.answer_exception(tape, message, call)?,
            Kind::Done => self.oneway_done(call),
            Kind::Call => self.call(tape, message, call)?,
            Kind::Cancel => self.cancel(call),
            Kind::Connect => self.warm_up(message, call),
            Kind::Request => self.call_grpc(tape, message, call)?,
            Kind::Response | Kind::Headers => self.serve_grpc(tape, message, call)?,
            Kind::StreamMessage | Kind::StreamEnd | Kind::Credit => {
                match self.owners.get(message.header.owner as usize) {
                    Some(Owner::Server(_)) => self.serve_grpc(tape, message, call)?,
                    Some(Owner::Client(_)) => self.go_on_grpc(tape, message, call)?,
                    None => {}
                }
            }
            Kind::RawReply => self.reply_raw(tape, message, call)?,
            Kind::RawCall | Kind::Failure | Kind::Gone | Kind::Closed | Kind::Event | Kind::Handed | Kind::State => {
                return Err(Malformed("a message of this kind goes the other way"));
            }
        }
        Ok(())
    }
}
