//! What ends because time is up: frames, connection attempts, idle connections, grace times.

use std::{mem, time::Duration};

use crate::{
    Action, ConnectionId, Engine, FailureCode,
    connection::Role,
    notice::{Level, Notice},
    owners::Owner,
};

impl Engine {
    /// Looks for what has run out of time. Call it a few times a second while [`Engine::needs_tick`].
    pub fn tick(&mut self) {
        let now = self.now;
        let mut late = Vec::new();
        for (id, connection) in &self.connections {
            let too_late = match (&connection.role, &self.owners[connection.owner as usize]) {
                (Role::Server { .. }, Owner::Server(server)) => {
                    // A paused connection is late by our own doing.
                    !connection.paused
                        && connection
                            .frame_since
                            .is_some_and(|since| now.duration_since(since) >= server.options.frame_timeout)
                }
                (Role::Client { connected: false, .. }, Owner::Client(client)) => {
                    now.duration_since(connection.created) >= client.options.connect_timeout
                }
                (Role::Client { .. }, Owner::Client(client)) => {
                    connection.calls() == 0
                        && (now.duration_since(connection.idle_since) >= client.options.idle_timeout
                            || now.duration_since(connection.created) >= client.options.max_lifetime)
                }
                _ => false,
            };
            if too_late {
                late.push(id as ConnectionId);
            }
        }
        for id in late {
            self.run_out(id);
        }
        let due: Vec<u32> = self
            .owners
            .iter()
            .filter(|(_, owner)| match owner {
                Owner::Server(server) => server.closing.is_some_and(|end| now >= end),
                Owner::Client(client) => client.closing.is_some_and(|end| now >= end),
            })
            .map(|(id, _)| id)
            .collect();
        for owner in due {
            self.close_now(owner);
        }
    }

    fn run_out(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id as usize) else { return };
        let owner = connection.owner;
        match (&connection.role, &mut self.owners[owner as usize]) {
            (Role::Server { peer, .. }, Owner::Server(server)) => {
                server.counters.frame_timeouts.add(1);
                let text = format!(
                    "closed the connection of {peer}: a frame was not complete after {:?}",
                    server.options.frame_timeout
                );
                self.event(owner, Level::Warn, text);
                self.end(id, "frame timeout");
            }
            (Role::Client { connected: false, .. }, Owner::Client(client)) => {
                let why =
                    format!("no connection to {} within {:?}", client.options.address, client.options.connect_timeout);
                self.fail_connection(id, FailureCode::Unavailable, &why);
            }
            _ => self.fail_connection(id, FailureCode::Unavailable, "idle"),
        }
    }

    /// Lets calls finish for `grace`, then closes what is left; a CLOSED message tells the end.
    pub fn close_owner(&mut self, owner: u32, grace: Duration) {
        let until = self.now.checked_add(grace).unwrap_or(self.now);
        match self.owners.get_mut(owner as usize) {
            Some(Owner::Server(server)) => {
                if server.closing.is_none() {
                    self.actions.push_back(Action::StopListening(owner));
                }
                server.closing = Some(until);
                self.memory.retain(|_, server| *server != owner);
                let ids: Vec<_> = self
                    .connections
                    .iter()
                    .filter(|(_, c)| c.owner == owner)
                    .map(|(id, _)| id as ConnectionId)
                    .collect();
                for id in ids {
                    self.connections[id as usize].closing = true;
                    self.actions.push_back(Action::Interest(id));
                    self.finish_if_over(id);
                }
            }
            Some(Owner::Client(client)) => {
                client.closing = Some(until);
                let ids: Vec<_> = self
                    .connections
                    .iter()
                    .filter(|(_, c)| c.owner == owner && c.calls() == 0)
                    .map(|(id, _)| id as ConnectionId)
                    .collect();
                for id in ids {
                    self.fail_connection(id, FailureCode::Unavailable, "the client was closed");
                }
            }
            None => return,
        }
        if grace.is_zero() {
            self.close_now(owner);
        } else {
            self.closed_if_done(owner);
        }
    }

    fn close_now(&mut self, owner: u32) {
        if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
            let waiting = mem::take(&mut client.waiting);
            self.fail_waiting(owner, &waiting, "the client was closed");
        }
        let ids: Vec<_> =
            self.connections.iter().filter(|(_, c)| c.owner == owner).map(|(id, _)| id as ConnectionId).collect();
        for id in ids {
            if self.connections.contains(id as usize) {
                self.end(id, "closed after the grace time");
            }
        }
        self.closed_if_done(owner);
    }

    /// Forgets an owner that closes and has nothing left, and tells JavaScript.
    pub(crate) fn closed_if_done(&mut self, owner: u32) {
        let done = match self.owners.get(owner as usize) {
            Some(Owner::Server(server)) => server.closing.is_some() && server.counters.connections.get() == 0,
            Some(Owner::Client(client)) => {
                client.closing.is_some() && client.connections.is_empty() && client.waiting.is_empty()
            }
            None => false,
        };
        if done {
            self.owners.remove(owner);
            self.notices.push_back(Notice::Closed { owner });
        }
    }
}
