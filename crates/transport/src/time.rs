//! What ends because time is up: frames, connection attempts, idle connections, grace times.

use std::{
    mem,
    time::{Duration, Instant},
};

use crate::{
    Action, ClientOptions, ConnectionId, Engine, FailureCode, ServerOptions,
    connection::{Connection, Role},
    leaving::Leaving,
    notice::{Level, Notice},
    owners::Owner,
};

/// Time between two ticks after which something else has had the thread, and what has arrived meanwhile may not be read yet.
const AWAY: Duration = Duration::from_millis(500);

/// What a connection has run out of time with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Late {
    /// The handshake of TLS is not over.
    Handshake,
    /// A message is not complete.
    Frame,
    /// The peer takes nothing.
    Write,
    /// There was no call.
    Idle,
    /// It is not established.
    Connect,
}

/// `seen` is the time up to which what had come has been read.
fn late_of_server(connection: &Connection, options: &ServerOptions, seen: Instant) -> Option<Late> {
    let is_past = |since: Instant, most: Duration| seen.saturating_duration_since(since) >= most;
    if connection.shakes_hands() && is_past(connection.created, options.frame_timeout) {
        return Some(Late::Handshake);
    }
    let greets = connection.http2.as_ref().is_some_and(|http2| !http2.link.is_ready());
    let frame_since = if greets { Some(connection.created) } else { connection.frame_since };
    // A connection that is not read is late by our own doing.
    let is_read = !connection.paused && !connection.in_backlog;
    if is_read && frame_since.is_some_and(|since| is_past(since, options.frame_timeout)) {
        return Some(Late::Frame);
    }
    if connection.blocked && is_past(connection.taking_since, options.write_timeout) {
        return Some(Late::Write);
    }
    let rests = connection.calls() == 0 && connection.unwritten() == 0 && !connection.has_input();
    let told = connection.http2.as_ref().is_some_and(|http2| http2.left_since.is_some());
    let idle = rests && !told && options.idle_timeout.is_some_and(|most| is_past(connection.idle_since, most));
    idle.then_some(Late::Idle)
}

/// `seen` as in [`late_of_server`].
fn late_of_client(connection: &Connection, options: &ClientOptions, seen: Instant) -> Option<Late> {
    let age = seen.saturating_duration_since(connection.created);
    let greets = connection.http2.as_ref().is_some_and(|http2| !http2.link.is_ready());
    if greets || connection.shakes_hands() || matches!(connection.role, Role::Client { connected: false, .. }) {
        return (age >= options.connect_timeout).then_some(Late::Connect);
    }
    let idle = connection.calls() == 0
        && (seen.saturating_duration_since(connection.idle_since) >= options.idle_timeout
            || age >= options.max_lifetime);
    idle.then_some(Late::Idle)
}

impl Engine {
    /// Looks for what has run out of time. Call it a few times a second while [`Engine::needs_tick`].
    pub fn tick(&mut self) {
        let now = self.now;
        let ticked = mem::replace(&mut self.ticked, now);
        let was_away = now.duration_since(ticked) >= AWAY;
        // Of what has come since then, some may not be read yet.
        let seen = if was_away { ticked } else { now };
        self.end_overdue();
        self.end_incomplete(seen);
        self.care_for_connections(was_away);
        self.try_again();
        let late: Vec<_> = self
            .connections
            .iter()
            .filter_map(|(id, connection)| {
                let late = match &self.owners[connection.owner as usize] {
                    Owner::Server(server) => late_of_server(connection, &server.options, seen),
                    Owner::Client(client) => late_of_client(connection, &client.options, seen),
                };
                Some((id as ConnectionId, late?))
            })
            .collect();
        for (id, late) in late {
            self.run_out(id, late);
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

    /// When the time of the next call is over: [`Engine::tick`] is wanted then.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// How long until [`Engine::tick`] is wanted, which is at the latest after `usually`.
    pub fn tick_within(&self, usually: Duration) -> Duration {
        match self.deadlines.next() {
            Some(at) => usually.min(at.saturating_duration_since(self.now)),
            None => usually,
        }
    }

    fn run_out(&mut self, id: ConnectionId, late: Late) {
        // One that ended with another one of this tick.
        let Some(connection) = self.connections.get(id as usize) else { return };
        let owner = connection.owner;
        match (&connection.role, &mut self.owners[owner as usize]) {
            (Role::Server { peer, .. }, Owner::Server(server)) => {
                let counters = &server.counters;
                let (counter, why) = match late {
                    Late::Handshake => (
                        &counters.frame_timeouts,
                        format!("the TLS handshake was not over after {:?}", server.options.frame_timeout),
                    ),
                    Late::Frame => (
                        &counters.frame_timeouts,
                        format!("a frame was not complete after {:?}", server.options.frame_timeout),
                    ),
                    Late::Write => (
                        &counters.write_timeouts,
                        format!("it has taken nothing of its replies for {:?}", server.options.write_timeout),
                    ),
                    Late::Idle if connection.http2.is_some() => {
                        // It is told, for a call may be on its way; it is closed if it does not go.
                        counters.idle_timeouts.add(1);
                        return self.say_goodbye(id);
                    }
                    Late::Idle | Late::Connect => {
                        // What the operator asked for; no event.
                        counters.idle_timeouts.add(1);
                        return self.end(id, "idle");
                    }
                };
                counter.add(1);
                let text = format!("closed the connection of {peer}: {why}");
                self.event(owner, Level::Warn, text);
                self.end(id, &why);
            }
            (Role::Client { .. }, Owner::Client(client)) if late == Late::Connect => {
                let why =
                    format!("no connection to {} within {:?}", client.options.address, client.options.connect_timeout);
                self.fail_connection(id, FailureCode::Unavailable, &why);
            }
            _ => self.fail_connection(id, FailureCode::Unavailable, "idle"),
        }
    }

    /// Lets calls finish for `grace`, then closes what is left; a CLOSED message tells the end.
    pub fn close_owner(&mut self, owner: u32, grace: Duration) {
        self.drain(owner, grace, Leaving::AfterLook);
    }

    pub(crate) fn drain(&mut self, owner: u32, grace: Duration, how: Leaving) {
        let until = self.now.checked_add(grace).unwrap_or(self.now);
        match self.owners.get_mut(owner as usize) {
            Some(Owner::Server(server)) => {
                if server.closing.is_none() {
                    self.actions.push_back(Action::StopListening(owner));
                }
                server.closing = Some(until);
                server.draining = how;
                self.memory.retain(|_, server| *server != owner);
                let ids: Vec<_> = self
                    .connections
                    .iter()
                    .filter(|(_, c)| c.owner == owner)
                    .map(|(id, _)| id as ConnectionId)
                    .collect();
                for id in ids {
                    self.begin_to_leave(id, how);
                }
            }
            Some(Owner::Client(client)) => {
                client.closing = Some(until);
                // Calls that wait for a connection still get it.
                let are_done = client.waiting.is_empty();
                let ids: Vec<_> = self
                    .connections
                    .iter()
                    .filter(|(_, c)| c.owner == owner && c.calls() == 0 && are_done)
                    .map(|(id, _)| id as ConnectionId)
                    .collect();
                self.note_connectivity(owner);
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
            // One that ended with another one of them may have left its id to a client's.
            if self.connections.get(id as usize).is_some_and(|connection| connection.owner == owner) {
                self.end(id, "closed after the grace time");
            }
        }
        self.closed_if_done(owner);
    }

    /// Forgets an owner that closes and has nothing left, and tells JavaScript.
    pub(crate) fn closed_if_done(&mut self, owner: u32) {
        let done = match self.owners.get(owner as usize) {
            Some(Owner::Server(server)) => {
                server.closing.is_some() && server.counters.connections.get() == 0 && server.leaving == 0
            }
            Some(Owner::Client(client)) => {
                client.closing.is_some() && client.connections.is_empty() && client.waiting.is_empty()
            }
            None => false,
        };
        if !done {
            return;
        }
        let gone = self.owners.remove(owner);
        self.server_calls.forget(owner);
        self.notices.push_back(Notice::Closed { owner });
        if let Some(Owner::Server(server)) = gone {
            // What is left there are oneway calls that nobody waits for.
            let grace = server.closing.map(|until| until.saturating_duration_since(self.now)).unwrap_or_default();
            for client in server.routes.clients() {
                self.close_owner(client, grace);
            }
        }
    }
}
