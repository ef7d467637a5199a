//! Connections whose two ends live in one engine: the whole path of a call but the socket.

use std::mem;

use volo_js_tape::InTape;

use crate::{ConnectionId, Engine, connection::Role};

impl Engine {
    pub(crate) fn is_memory(&self, id: ConnectionId) -> bool {
        self.connections.get(id as usize).is_some_and(|connection| connection.memory_peer.is_some())
    }

    /// Carries bytes between the ends of in-process connections.
    pub(crate) fn shuttle(&mut self, tape: &mut InTape<'_>) {
        self.turn_touched();
        let mut index = 0;
        while index < self.dirty.len() {
            let id = self.dirty[index];
            let Some(peer) = self.connections[id as usize].memory_peer else {
                index += 1;
                continue;
            };
            self.dirty.swap_remove(index);
            let connection = &mut self.connections[id as usize];
            connection.dirty = false;
            let out = mem::take(&mut connection.out).freeze();
            connection.out_share.note(0);
            connection.written += out.len() as u64;
            if let Role::Client { .. } = connection.role {
                self.client_wrote(id);
            } else {
                self.unpause_if_lighter(id);
            }
            self.receive(peer, out, tape);
            self.http2_wrote(id);
            self.finish_if_over(id);
        }
    }

    /// One end of an in-process connection is gone.
    pub(crate) fn part(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id as usize) {
            connection.memory_peer = Some(ConnectionId::MAX);
            self.end(id, "the peer closed the connection");
        }
    }
}
