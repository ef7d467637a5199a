//! Connections with TLS: protocols go on reading and writing plain text; what reactors see is sealed.

use std::mem;

use bytes::{Bytes, BytesMut};
use volo_js_tape::InTape;
use volo_js_tls::{Received, Session};

use crate::{
    Action, Address, ConnectionId, ConnectionKey, Engine, FailureCode, Peer,
    connection::{Connection, Role},
    leaving::Leaving,
    notice::Level,
    owners::Owner,
};

/// The TLS of one connection.
#[derive(Debug)]
pub(crate) struct Secure {
    session: Session,
    /// Cipher text to be written.
    pub sealed: BytesMut,
    /// The peer was told that no more comes.
    has_taken_leave: bool,
    /// Why it is over; the peer is still being told.
    failed: Option<String>,
}

impl Secure {
    fn new(session: Session) -> Box<Self> {
        Box::new(Self { session, sealed: BytesMut::new(), has_taken_leave: false, failed: None })
    }

    /// Is the handshake over?
    pub(crate) fn is_established(&self) -> bool {
        self.session.is_established()
    }

    /// Why it is over, if it is.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failed.as_deref()
    }
}

impl Connection {
    /// Is a handshake under way?
    pub(crate) fn shakes_hands(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.is_established())
    }

    /// TLS has failed on it.
    pub(crate) fn has_failed(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.failed.is_some())
    }

    /// Output that has left `out` and that the socket has not taken.
    pub(crate) fn under_way(&self) -> usize {
        under_way(self.tls.as_deref(), self.taken)
    }

    /// Bytes of the protocol that may have reached the socket. With TLS they count once they are sealed.
    pub(crate) fn handed_on(&self) -> u64 {
        // What was taken is cipher text then.
        self.written + if self.tls.is_some() { 0 } else { self.taken as u64 }
    }

    /// Is there something that the reactor could write?
    pub(crate) fn has_output(&self) -> bool {
        match &self.tls {
            None => !self.out.is_empty(),
            Some(tls) => {
                let may_speak = tls.is_established() && tls.failed.is_none();
                !tls.sealed.is_empty() || tls.session.has_output() || (may_speak && !self.out.is_empty())
            }
        }
    }
}

/// As [`Connection::under_way`], where the rest of the connection is lent.
pub(crate) fn under_way(tls: Option<&Secure>, taken: usize) -> usize {
    taken + tls.map_or(0, |tls| tls.sealed.len())
}

impl Engine {
    /// A server's connection gets TLS, if its server has it. False if that cannot be.
    pub(crate) fn secure_accepted(&self, owner: u32, connection: &mut Connection) -> bool {
        let Some(Owner::Server(server)) = self.owners.get(owner as usize) else { return false };
        let in_memory = matches!(&connection.role, Role::Server { peer: Peer::Memory, .. });
        let Some(tls) = server.tls.as_ref().filter(|_| !in_memory) else { return true };
        let session = tls.accept();
        connection.tls = session.ok().map(Secure::new);
        connection.tls.is_some()
    }

    /// A client's connection gets TLS, if its client has it.
    ///
    /// # Errors
    /// Why that cannot be.
    pub(crate) fn secure_made(&self, owner: u32, connection: &mut Connection) -> Result<(), String> {
        let Some(Owner::Client(client)) = self.owners.get(owner as usize) else { return Ok(()) };
        let in_memory = matches!(client.options.address, Address::Memory(_));
        if let Some(tls) = client.tls.as_ref().filter(|_| !in_memory) {
            connection.tls = Some(Secure::new(tls.connect().map_err(|error| error.to_string())?));
        }
        Ok(())
    }

    /// Cipher text has arrived.
    pub(crate) fn receive_sealed(&mut self, id: ConnectionId, chunk: &[u8], tape: &mut InTape<'_>) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let Some(tls) = &mut connection.tls else { return };
        if tls.failed.is_some() {
            // Read so that closing does not reset; one look is enough.
            connection.leaving = Leaving::AtOnce;
            return self.finish_failed(id);
        }
        let mut plain = mem::take(&mut self.plain);
        let received = tls.session.receive(chunk, &mut plain);
        let bytes = plain.split().freeze();
        self.plain = plain;
        if tls.session.has_output() {
            self.mark_dirty(id);
        }
        let Received { established, ended } = match received {
            Ok(received) => received,
            Err(error) => return self.fail_tls(id, &error.to_string()),
        };
        if established {
            self.established(id);
        }
        if !bytes.is_empty() {
            self.receive_plain(id, bytes, tape);
        }
        let Some(connection) = self.connections.get(id as usize) else { return };
        let waits_for_tape = connection.pending.is_some() || connection.in_backlog;
        if ended && !(waits_for_tape && matches!(connection.role, Role::Client { .. })) {
            // A client that has replies to tell yet hears of the end by its socket.
            self.ended(id);
        } else if connection.closing {
            self.finish_if_over(id);
        }
    }

    /// The handshake is over.
    fn established(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id as usize];
        let Some(tls) = &connection.tls else { return };
        match connection.role {
            Role::Server { .. } => {
                let key = ConnectionKey { id, serial: connection.serial };
                self.peers.is_secure(key, tls.session.summary());
                connection.idle_since = self.now;
            }
            Role::Client { .. } => {
                connection.idle_since = self.now;
                self.made(id);
            }
        }
        if self.connections[id as usize].has_output() {
            self.mark_dirty(id);
        }
    }

    /// What TLS has to say comes of itself, in the middle of a turn or of writing: it must not wait for the next one to come.
    pub(crate) fn is_secure(&self, id: ConnectionId) -> bool {
        self.connections.get(id as usize).is_some_and(|connection| connection.tls.is_some() && !connection.blocked)
    }

    /// Encrypts what protocols have written, once the handshake is over.
    pub(crate) fn seal(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let Some(tls) = &mut connection.tls else { return };
        let mut result = Ok(());
        if tls.is_established() && tls.failed.is_none() && !connection.out.is_empty() {
            result = tls.session.send(&connection.out);
            connection.written += connection.out.len() as u64;
            connection.out.clear();
            self.buffers.release(&mut connection.out);
        }
        if tls.session.has_output() {
            self.buffers.prepare(&mut tls.sealed);
            result = result.and(tls.session.take(&mut tls.sealed));
            connection.out_share.note(tls.sealed.capacity());
        }
        if let Err(error) = result {
            self.fail_tls(id, &error.to_string());
        }
    }

    /// TLS cannot go on: the peer is told, then the connection ends.
    fn fail_tls(&mut self, id: ConnectionId, why: &str) {
        let connection = &mut self.connections[id as usize];
        let Some(tls) = &mut connection.tls else { return };
        let owner = connection.owner;
        let what = if tls.is_established() { "TLS failed" } else { "the TLS handshake failed" };
        let text = format!("{what}: {why}");
        tls.failed = Some(text.clone());
        connection.closing = true;
        connection.leaving = Leaving::AfterLook;
        if let (Role::Server { peer, .. }, Some(Owner::Server(server))) =
            (&connection.role, self.owners.get_mut(owner as usize))
        {
            server.counters.protocol_errors.add(1);
            let text = format!("closed the connection of {peer}: {text}");
            self.event(owner, Level::Warn, text);
        }
        self.actions.push_back(Action::Interest(id));
        self.seal(id);
        let connection = &self.connections[id as usize];
        if connection.has_output() {
            self.mark_dirty(id);
        } else {
            self.finish_failed(id);
        }
    }

    /// Ends a connection on which TLS has failed, once the peer has been told.
    pub(crate) fn finish_failed(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id as usize) else { return };
        if connection.under_way() > 0 {
            return;
        }
        match &connection.role {
            Role::Server { .. } => self.leave(id),
            Role::Client { .. } => self.fail_connection(id, FailureCode::Unavailable, "TLS failed"),
        }
    }

    /// Tells the peer that no more comes. True if that is still to be written.
    pub(crate) fn takes_leave(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get_mut(id as usize) else { return false };
        let Some(tls) = &mut connection.tls else { return false };
        if tls.has_taken_leave || !tls.is_established() || tls.failed.is_some() {
            return false;
        }
        tls.has_taken_leave = true;
        tls.session.close();
        self.mark_dirty(id);
        true
    }

    /// Takes the cipher text to be written.
    pub(crate) fn take_sealed(&mut self, id: ConnectionId) -> BytesMut {
        let tls = self.connections.get_mut(id as usize).and_then(|connection| connection.tls.as_mut());
        tls.map(|tls| mem::take(&mut tls.sealed)).unwrap_or_default()
    }

    /// Bytes of the protocol have arrived.
    pub(crate) fn receive_plain(&mut self, id: ConnectionId, chunk: Bytes, tape: &mut InTape<'_>) {
        let Some(connection) = self.connections.get(id as usize) else { return };
        if connection.http2.is_some() || connection.undecided {
            self.receive_http2(id, chunk, tape);
        } else {
            self.receive_thrift(id, chunk, tape);
        }
    }
}
