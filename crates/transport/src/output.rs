//! What connections have to write, for reactors that write when a socket is ready and for those that lend the kernel a buffer.

use std::mem;

use bytes::{Buf as _, BytesMut};

use crate::{
    Action, ConnectionId, Engine,
    connection::{Connection, Role},
    owners::Owner,
};

impl Engine {
    pub(crate) fn mark_dirty(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id as usize];
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(id);
        }
    }

    /// Moves the connections with output to write into `into`; memory connections stay.
    pub fn take_dirty(&mut self, into: &mut Vec<ConnectionId>) {
        self.turn_touched();
        let connections = &mut self.connections;
        self.dirty.retain(|id| {
            let connection = &mut connections[*id as usize];
            if connection.memory_peer.is_some() {
                return true;
            }
            connection.dirty = false;
            if !connection.blocked {
                into.push(*id);
            }
            false
        });
    }

    /// What is to be written. Nothing while a client's connection is being made.
    pub fn output(&mut self, id: ConnectionId) -> &[u8] {
        self.seal(id);
        match self.connections.get(id as usize) {
            Some(Connection { role: Role::Client { connected: false, .. }, .. }) | None => &[],
            Some(Connection { tls: Some(tls), .. }) => &tls.sealed,
            Some(connection) => &connection.out,
        }
    }

    /// `count` bytes have been written; fewer than there were means the socket takes no more for now.
    pub fn wrote(&mut self, id: ConnectionId, count: usize) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let out = match &mut connection.tls {
            Some(tls) => &mut tls.sealed,
            None => &mut connection.out,
        };
        out.advance(count);
        self.written(id, count);
    }

    /// `count` bytes have been written, and taken off the output.
    pub(crate) fn written(&mut self, id: ConnectionId, count: usize) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let out = match &mut connection.tls {
            Some(tls) => &mut tls.sealed,
            None => &mut connection.out,
        };
        let blocked = !out.is_empty();
        if count > 0 || !connection.blocked {
            connection.taking_since = self.now;
        }
        if blocked != connection.blocked {
            connection.blocked = blocked;
            self.actions.push_back(Action::Interest(id));
        }
        if !blocked {
            self.buffers.release(out);
            connection.out_share.note(0);
        }
        self.after_write(id, count);
    }

    fn after_write(&mut self, id: ConnectionId, count: usize) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        if connection.tls.is_none() {
            connection.written += count as u64;
        }
        if connection.has_failed() {
            return self.finish_failed(id);
        }
        if connection.http2.is_some() {
            self.http2_wrote(id);
        }
        let Some(connection) = self.connections.get(id as usize) else { return };
        let (paused, closing) = (connection.paused, connection.closing || connection.ended);
        let sealed_waits = connection.tls.is_some() && connection.under_way() > 0;
        match &mut self.owners[connection.owner as usize] {
            Owner::Server(server) => {
                server.counters.bytes_written.add(count as u64);
                if paused {
                    self.unpause_if_lighter(id);
                }
                if closing {
                    self.finish_if_over(id);
                }
            }
            Owner::Client(client) => {
                client.counters.bytes_written.add(count as u64);
                if !sealed_waits {
                    self.client_wrote(id);
                }
            }
        }
    }

    /// Takes what is to be written, for a reactor that writes in its own time; [`Engine::gave_back`] tells what became of it. None if there is
    /// nothing, or an earlier output is still under way.
    pub fn take_output(&mut self, id: ConnectionId) -> Option<BytesMut> {
        let connection = self.connections.get(id as usize)?;
        if !connection.has_output()
            || connection.taken > 0
            || matches!(connection.role, Role::Client { connected: false, .. })
        {
            return None;
        }
        let is_secure = connection.tls.is_some();
        self.seal(id);
        let sealed = self.take_sealed(id);
        let connection = self.connections.get_mut(id as usize)?;
        let out = if is_secure { sealed } else { mem::take(&mut connection.out) };
        connection.taken = out.len();
        connection.blocked = true;
        connection.taking_since = self.now;
        Some(out)
    }

    /// `count` bytes of the output that was taken have been written, and there are more.
    pub fn wrote_part(&mut self, id: ConnectionId, count: usize) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        connection.taken = connection.taken.saturating_sub(count);
        connection.taking_since = self.now;
        self.after_write(id, count);
    }

    /// The output that was taken from a connection has been written, all of it.
    pub fn gave_back(&mut self, id: ConnectionId, mut out: BytesMut) {
        self.buffers.release(&mut out);
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let count = mem::take(&mut connection.taken);
        connection.blocked = false;
        if connection.out.is_empty() {
            connection.out_share.note(0);
        }
        if connection.has_output() {
            self.mark_dirty(id);
        }
        self.after_write(id, count);
    }
}
