//! Connections of Thrift that are made before a call needs them.

use std::mem;

use volo_js_tape::OutMessage;

use crate::{
    ConnectionId, Engine, FailureCode, Mode, Sent,
    calls::CallId,
    connection::{Connection, Role},
    notice::Notice,
    owners::Owner,
};

impl Connection {
    /// Can a client's calls travel on it?
    fn is_made(&self) -> bool {
        matches!(self.role, Role::Client { connected: true, .. }) && !self.shakes_hands()
    }
}

impl Engine {
    /// A client is to have as many connections as the message says, and tells when the last of them can carry calls, or that it has failed. Where
    /// that is more than the client may have, it is the last that it may have.
    pub(crate) fn warm_up(&mut self, message: &OutMessage, call: CallId) {
        let (owner, count) = (message.header.owner, message.header.method as usize);
        self.client_calls.begin(call, owner, 0);
        match self.connection_of(owner, count) {
            Ok(id) => {
                self.connections[id as usize].awaited.push(call);
                self.made(id);
                // It counts from now on.
                self.pump(owner);
            }
            Err(why) => self.fail(call, owner, FailureCode::Unavailable, Sent::No, why),
        }
    }

    /// The client's connection of this number, counted from one; opened if there are not so many yet.
    fn connection_of(&mut self, owner: u32, number: usize) -> Result<ConnectionId, String> {
        let client = match self.owners.get(owner as usize) {
            Some(Owner::Client(client)) if client.closing.is_none() && client.grpc.is_none() => client,
            _ => return Err("the client is closed".to_owned()),
        };
        let most = match client.options.mode {
            Mode::PingPong => client.options.pool_size,
            Mode::Pipelined => client.options.connections,
        };
        let address = client.options.address.clone();
        if let Some(id) = client.connections.get(number.min(most).max(1) - 1) {
            return Ok(*id);
        }
        let id = self.open_connection(owner).ok_or_else(|| format!("no connection to {address}"))?;
        if self.connections[id as usize].is_made() {
            // It lives in memory and was kept for a call, which there is not.
            self.client_connection_free(id);
        }
        Ok(id)
    }

    /// If a client's connection can carry calls, whoever waits for that is told.
    pub(crate) fn made(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id as usize];
        if connection.awaited.is_empty() || !connection.is_made() {
            return;
        }
        let owner = connection.owner;
        for call in mem::take(&mut connection.awaited) {
            if self.client_calls.end(call) {
                self.notices.push_back(Notice::Written { call, owner });
            }
        }
    }

    /// A client's connection is over before it could carry calls: whoever waits for it is told why.
    pub(crate) fn not_made(&mut self, owner: u32, awaited: Vec<CallId>, why: &str) {
        for call in awaited {
            self.fail(call, owner, FailureCode::Unavailable, Sent::No, why.to_owned());
        }
    }
}
