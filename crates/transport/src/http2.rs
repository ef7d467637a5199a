//! Connections that speak HTTP/2: what `volo_js_grpc` tells of them goes to the tape, what it wants written goes to their output.

use std::{mem, time::Instant};

use bytes::Bytes;
use volo_js_grpc::{Connection as Http2Connection, Ended, Event, Http2Options, StreamKey};
use volo_js_tape::{Full, InTape};

use crate::{
    Action, ConnectionId, Engine, connection::Role, engine::TURN, grpc_client::ClientStream, grpc_server::ServerStream,
    notice::Level, owners::Owner, secure::under_way, standard::StandardCall,
};

/// How HTTP/2 begins. RFC 9113, 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// So much of the preface is enough to tell it from Thrift: as a frame's length it would be more than a gigabyte.
const ENOUGH: usize = 4;
/// Turns of one connection in a row before others have theirs.
const TURNS: usize = 16;

/// Things by stream.
#[derive(Debug)]
pub(crate) struct ByStream<T>(Vec<Option<T>>);

impl<T> Default for ByStream<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> ByStream<T> {
    pub(crate) fn insert(&mut self, key: StreamKey, value: T) {
        let index = key as usize;
        if index >= self.0.len() {
            self.0.resize_with(index + 1, || None);
        }
        self.0[index] = Some(value);
    }

    pub(crate) fn get_mut(&mut self, key: StreamKey) -> Option<&mut T> {
        self.0.get_mut(key as usize)?.as_mut()
    }

    pub(crate) fn remove(&mut self, key: StreamKey) -> Option<T> {
        self.0.get_mut(key as usize)?.take()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (StreamKey, &T)> {
        self.0.iter().enumerate().filter_map(|(key, value)| Some((key as StreamKey, value.as_ref()?)))
    }

    /// Gives the memory back, where there is nothing in it.
    fn shrink(&mut self) {
        if self.0.capacity() > 0 && self.0.iter().all(Option::is_none) {
            self.0 = Vec::new();
        }
    }

    fn memory(&self) -> usize {
        self.0.capacity() * size_of::<Option<T>>()
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.0.drain(..).flatten()
    }
}

/// What a connection of HTTP/2 has beside what all have.
pub(crate) struct Http2 {
    pub link: Http2Connection,
    /// A server's calls.
    pub served: ByStream<ServerStream>,
    /// Calls of a server's standard services.
    pub standard: ByStream<StandardCall>,
    /// A client's calls.
    pub made: ByStream<ClientStream>,
    /// Something to tell for which the tape had no room.
    pub pending: Option<Event>,
    /// Streams with messages that were not handed on yet.
    pub unflushed: Vec<StreamKey>,
    /// Since when the peer knows that it has to go.
    pub left_since: Option<Instant>,
    /// Listed in the engine's list of those to be turned.
    listed: bool,
}

impl std::fmt::Debug for Http2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http2").finish_non_exhaustive()
    }
}

impl Http2 {
    pub(crate) fn new(link: Http2Connection) -> Box<Self> {
        Box::new(Self {
            link,
            served: ByStream::default(),
            standard: ByStream::default(),
            made: ByStream::default(),
            pending: None,
            unflushed: Vec::new(),
            left_since: None,
            listed: false,
        })
    }

    /// Is there anything that could be handled now?
    pub(crate) fn has_input(&self) -> bool {
        self.pending.is_some() || self.link.has_event() || self.link.has_input()
    }

    /// Memory that its streams take.
    fn memory(&self) -> usize {
        self.link.memory() + self.served.memory() + self.standard.memory() + self.made.memory()
    }

    /// Gives back what streams have needed, if there is none now.
    fn shrink(&mut self) {
        if self.link.streams() == 0 {
            self.link.shrink();
            if self.unflushed.is_empty() {
                self.unflushed = Vec::new();
            }
            self.served.shrink();
            self.standard.shrink();
            self.made.shrink();
        }
    }

    /// A stream has messages to be handed on.
    pub(crate) fn unflushed(&mut self, stream: StreamKey) {
        if self.unflushed.last() != Some(&stream) {
            self.unflushed.push(stream);
        }
    }
}

/// Which protocol begins with these bytes, if they are enough to tell.
fn is_http2(begin: &[u8]) -> Option<bool> {
    let count = begin.len().min(PREFACE.len());
    if begin[..count] != PREFACE[..count] {
        return Some(false);
    }
    (count >= ENOUGH).then_some(true)
}

impl Engine {
    /// A server's connection that may speak either protocol speaks HTTP/2.
    pub(crate) fn speak_http2(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id as usize];
        connection.undecided = false;
        let Some(Owner::Server(server)) = self.owners.get(connection.owner as usize) else { return };
        let Some(grpc) = &server.grpc else { return };
        let options = &grpc.options;
        let max_output = options.http2.max_output.min(server.options.max_unwritten);
        let http2 = Http2Options { max_output, ..options.http2.clone() };
        let mut link = Http2Connection::server(http2, options.max_receive_message, self.now);
        if connection.closing {
            link.shut_down();
        }
        connection.http2 = Some(Http2::new(link));
        self.touch(id);
    }

    /// Bytes of a connection that speaks HTTP/2, or that may.
    pub(crate) fn receive_http2(&mut self, id: ConnectionId, mut chunk: Bytes, tape: &mut InTape<'_>) {
        let connection = &mut self.connections[id as usize];
        if connection.undecided {
            if !connection.unread.is_empty() {
                connection.unread.extend_from_slice(&chunk);
                chunk = mem::take(&mut connection.unread).freeze();
            }
            match is_http2(&chunk) {
                None => {
                    if self.keep(id, &chunk) {
                        self.settle(id);
                    }
                    return;
                }
                Some(false) => {
                    connection.undecided = false;
                    connection.frame_since = None;
                    return self.receive_thrift(id, chunk, tape);
                }
                Some(true) => {
                    connection.frame_since = None;
                    self.speak_http2(id);
                }
            }
        }
        let now = self.now;
        if let Some(http2) = self.http2(id) {
            http2.link.feed(chunk, now);
            self.advance(id, tape);
        }
    }

    #[inline]
    pub(crate) fn http2(&mut self, id: ConnectionId) -> Option<&mut Http2> {
        self.connections.get_mut(id as usize)?.http2.as_deref_mut()
    }

    /// Tells what has happened on a connection, and reads what was fed, as far as the tape has room.
    pub(crate) fn advance(&mut self, id: ConnectionId, tape: &mut InTape<'_>) {
        while let Some(connection) = self.connections.get_mut(id as usize)
            && let Some(http2) = &mut connection.http2
        {
            let waited = http2.pending.take();
            let had_waited = waited.is_some();
            if let Some(event) = waited.or_else(|| http2.link.next_event()) {
                let told = if tape.messages() >= TURN { Err(Full) } else { self.tell(id, &event, tape) };
                let Some(http2) = self.http2(id) else { return };
                match told {
                    Ok(()) if had_waited => self.actions.push_back(Action::Interest(id)),
                    Ok(()) => {}
                    Err(Full) => {
                        http2.pending = Some(event);
                        if !had_waited {
                            self.actions.push_back(Action::Interest(id));
                        }
                        self.enlist(id);
                        break;
                    }
                }
                continue;
            }
            if connection.paused || !http2.link.has_input() {
                break;
            }
            self.buffers.prepare(&mut connection.out);
            let elsewhere = under_way(connection.tls.as_deref(), connection.taken);
            let has_read = http2.link.turn(true, &mut connection.out, elsewhere);
            if !has_read {
                self.pause(id);
                break;
            }
        }
        self.touch(id);
    }

    fn tell(&mut self, id: ConnectionId, event: &Event, tape: &mut InTape<'_>) -> Result<(), Full> {
        match self.connections[id as usize].role {
            Role::Server { .. } => self.server_event(id, event, tape),
            Role::Client { .. } => self.client_event(id, event, tape),
        }
    }

    /// Counts what the streams of a connection hold. False if that is more than the process may hold: the connection is closed.
    fn is_within_budget(&mut self, id: ConnectionId) -> bool {
        let connection = &mut self.connections[id as usize];
        let (Some(http2), Some(Owner::Server(server))) =
            (&connection.http2, self.owners.get(connection.owner as usize))
        else {
            return true;
        };
        if connection.share.resize(http2.memory(), server.options.memory_budget) {
            return true;
        }
        server.counters.memory_refusals.add(1);
        self.protocol_error(
            id,
            "messages that are incomplete, not wanted yet or not taken exceed the process's memory budget",
        );
        false
    }

    /// A connection is to be turned before output is written the next time.
    pub(crate) fn touch(&mut self, id: ConnectionId) {
        let Some(http2) = self.connections[id as usize].http2.as_deref_mut() else { return };
        if !http2.listed {
            http2.listed = true;
            self.touched.push(id);
        }
    }

    /// Turns the connections to which something was done: what they have to write is output then.
    pub(crate) fn turn_touched(&mut self) {
        let mut touched = mem::take(&mut self.touched);
        for id in touched.drain(..) {
            self.turn_one(id);
        }
        if self.touched.is_empty() {
            self.touched = touched;
        }
    }

    fn turn_one(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let Some(http2) = &mut connection.http2 else { return };
        http2.listed = false;
        for stream in http2.unflushed.drain(..) {
            http2.link.flush(stream);
        }
        self.buffers.prepare(&mut connection.out);
        for _ in 0..TURNS {
            if !http2.link.is_touched() {
                break;
            }
            http2.link.turn(false, &mut connection.out, under_way(connection.tls.as_deref(), connection.taken));
        }
        if http2.link.is_touched() {
            self.touch(id);
        }
        let connection = &mut self.connections[id as usize];
        connection.out_share.note(connection.out.capacity());
        if !self.is_within_budget(id) {
            return;
        }
        let connection = &mut self.connections[id as usize];
        if connection.out.is_empty() {
            self.buffers.release(&mut connection.out);
        } else {
            self.mark_dirty(id);
        }
        let Some(http2) = self.http2(id) else { return };
        if http2.pending.is_some() || http2.link.has_event() {
            self.enlist(id);
        } else if http2.link.ended().is_some() {
            self.finish_http2(id);
        } else if matches!(self.connections[id as usize].role, Role::Client { .. }) {
            self.client_turned(id);
        }
    }

    /// No new calls on this connection; it closes when those it has are over.
    pub(crate) fn say_goodbye(&mut self, id: ConnectionId) {
        let now = self.now;
        if let Some(http2) = self.http2(id) {
            http2.left_since.get_or_insert(now);
            http2.link.shut_down();
            self.touch(id);
        }
    }

    /// Looks after connections of HTTP/2: is the peer still there, is it time to go?
    pub(crate) fn care_for_connections(&mut self, was_away: bool) {
        let now = self.now;
        let (mut lost, mut old, mut overdue, mut touched) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (id, connection) in &mut self.connections {
            let Some(http2) = connection.http2.as_deref_mut() else { continue };
            let id = id as ConnectionId;
            let listens = !was_away && !connection.paused && !http2.has_input();
            if !http2.link.keep_alive(now, listens) {
                lost.push(id);
                continue;
            }
            http2.shrink();
            if http2.link.is_touched() {
                touched.push(id);
            }
            let Some(Owner::Server(server)) = self.owners.get(connection.owner as usize) else { continue };
            let Some(options) = server.grpc.as_ref().map(|grpc| &grpc.options) else { continue };
            if let Some(since) = http2.left_since {
                if now.duration_since(since) >= options.max_connection_age_grace {
                    overdue.push(id);
                }
                continue;
            }
            let Some(most) = options.max_connection_age.filter(|_| !connection.closing) else { continue };
            // Spread by what tells connections apart, so that they do not all come back at once.
            let most = most.mul_f64(0.9 + 0.2 * f64::from(connection.serial.wrapping_mul(0x9e37_79b9) >> 16) / 65536.0);
            if now.duration_since(connection.created) >= most {
                old.push(id);
            }
        }
        for id in lost {
            self.end(id, "the peer does not answer a keepalive PING");
        }
        for id in overdue {
            self.end(id, "the peer was told to go and has not gone in time");
        }
        for id in old {
            self.say_goodbye(id);
        }
        for id in touched {
            if self.connections.contains(id as usize) {
                self.touch(id);
            }
        }
    }

    /// The output of a connection has become shorter.
    pub(crate) fn http2_wrote(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let Some(http2) = &connection.http2 else { return };
        if connection.paused && http2.link.is_light(connection.unwritten()) {
            connection.paused = false;
            self.actions.push_back(Action::Interest(id));
        }
        if !connection.paused && http2.link.has_input() {
            self.enlist(id);
        }
        let Some(http2) = self.http2(id) else { return };
        if http2.link.is_blocked() {
            http2.link.made_room();
            self.touch(id);
        } else if http2.link.ended().is_some() {
            self.finish_http2(id);
        }
    }

    /// Closes a connection that HTTP/2 is done with, once all is told and written.
    pub(crate) fn finish_http2(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id as usize) else { return };
        let Some(http2) = &connection.http2 else { return };
        let Some(ended) = http2.link.ended() else { return };
        if http2.pending.is_some() || http2.link.has_event() || connection.unwritten() > 0 {
            return;
        }
        let (owner, why) = (connection.owner, ended.clone());
        if self.takes_leave(id) {
            return;
        }
        let Some(connection) = self.connections.get(id as usize) else { return };
        if let (Role::Server { peer, .. }, Some(Owner::Server(server))) =
            (&connection.role, self.owners.get_mut(owner as usize))
            && let Ended::Flood(_) | Ended::Protocol(_) = why
        {
            server.counters.protocol_errors.add(1);
            let text = format!("closed the connection of {peer}: {why}");
            self.event(owner, Level::Warn, text);
        }
        self.end(id, &why.to_string());
    }
}
