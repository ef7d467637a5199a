//! How connections leave a server that closes: they are closed, or go on in another server.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    Action, ConnectionId, Engine, Peer, Seat,
    notice::{Level, Notice},
    owners::Owner,
};

/// How a connection closes once it is at rest: no call in flight, nothing to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// At once: its peer does not speak the protocol.
    #[default]
    AtOnce,
    /// After one more look: a call that has arrived is answered.
    AfterLook,
    /// The reactor is looking.
    Looking,
    /// To another server.
    HandOver,
}

impl Leaving {
    /// There was something to see: look again when that is done.
    pub(crate) fn bytes_came(&mut self) {
        if *self == Self::Looking {
            *self = Self::AfterLook;
        }
    }
}

impl Engine {
    /// Hands a server's connections over as they come to rest, each with an [`Action::HandOver`]; those that do not within `grace` are closed. A
    /// CLOSED message tells the end. What a peer sends meanwhile waits in its socket.
    pub fn hand_over(&mut self, owner: u32, grace: Duration) {
        self.drain(owner, grace, Leaving::HandOver);
    }

    /// A connection from another server goes on in this one. None if it has to be refused.
    ///
    /// # Arguments
    /// * `unread` - what the other server had read of a message that is not complete.
    pub fn adopt(&mut self, owner: u32, peer: Peer, seat: Seat, unread: &[u8]) -> Option<ConnectionId> {
        if self.is_closing(owner) {
            return None;
        }
        let id = self.accepted(owner, peer, seat)?;
        if !unread.is_empty() {
            if !self.keep(id, unread) {
                return None;
            }
            self.enlist(id);
        }
        Some(id)
    }

    /// Is this server closing?
    pub fn is_closing(&self, owner: u32) -> bool {
        matches!(self.owners.get(owner as usize), Some(Owner::Server(server)) if server.closing.is_some())
    }

    /// [`Action::Look`] has found nothing.
    pub fn looked(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        if connection.leaving == Leaving::Looking {
            connection.leaving = Leaving::AtOnce;
            self.finish_if_over(id);
        }
    }

    /// The socket of an [`Action::HandOver`] is held under this number; JavaScript is told.
    pub fn handed_over(&mut self, owner: u32, socket: u32, unread: Bytes) {
        self.notices.push_back(Notice::Handed { owner, socket, unread });
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.leaving -= 1;
        }
        self.closed_if_done(owner);
    }

    /// The server of a connection closes.
    pub(crate) fn begin_to_leave(&mut self, id: ConnectionId, how: Leaving) {
        let connection = &mut self.connections[id as usize];
        // The keys of an encrypted connection and the streams of HTTP/2 stay here: it closes.
        let stays = how == Leaving::HandOver && (connection.tls.is_some() || connection.http2.is_some());
        let how = if stays { Leaving::AfterLook } else { how };
        if !connection.closing {
            connection.closing = true;
            connection.leaving = how;
        }
        self.actions.push_back(Action::Interest(id));
        if let Some(http2) = &mut connection.http2 {
            // Streams end, then the connection.
            http2.link.shut_down();
            let has_begun = http2.link.has_begun();
            self.end_standard_streams(id);
            self.touch(id);
            if has_begun {
                return;
            }
        }
        self.finish_if_over(id);
    }

    /// The socket of an [`Action::HandOver`] could not be kept: the connection is lost.
    pub fn not_handed_over(&mut self, owner: u32, why: &str) {
        self.event(owner, Level::Error, format!("a connection was closed instead of handed over: {why}"));
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.leaving -= 1;
        }
        self.closed_if_done(owner);
    }

    /// A connection that closes has come to rest.
    pub(crate) fn leave(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id as usize];
        if connection.memory_peer.is_some() {
            return self.end(id, "done");
        }
        match connection.leaving {
            Leaving::AtOnce => {
                if !self.takes_leave(id) {
                    self.end(id, "done");
                }
            }
            Leaving::AfterLook => {
                connection.leaving = Leaving::Looking;
                self.actions.push_back(Action::Look(id));
            }
            Leaving::Looking => {}
            Leaving::HandOver => {
                let mut unread = std::mem::take(&mut connection.unread).freeze();
                if let Some(landing) = &connection.landing {
                    unread = Bytes::copy_from_slice(landing.received());
                }
                let owner = self.take_out(id).owner;
                if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
                    server.counters.connections.sub(1);
                    server.leaving += 1;
                }
                self.actions.push_back(Action::HandOver { id, owner, unread });
            }
        }
    }
}
