//! Whether a client can reach its server. "gRPC Connectivity Semantics and API".

use crate::{Engine, client::Client, notice::Notice, owners::Owner};

/// How a client of gRPC stands to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Connectivity {
    /// There is no connection, and no call wants one.
    Idle = 0,
    /// A connection is being made.
    Connecting = 1,
    /// There is a connection that takes calls.
    Ready = 2,
    /// The last attempt has failed, and the time until the next is not over.
    TransientFailure = 3,
    /// The client was closed.
    Shutdown = 4,
}

impl Engine {
    /// Tells JavaScript if it has changed whether a client can reach its server.
    pub(crate) fn note_connectivity(&mut self, owner: u32) {
        let Some(Owner::Client(client)) = self.owners.get(owner as usize) else { return };
        let Some(state) = self.connectivity(client) else { return };
        if client.counters.state.get() != state as u64 {
            client.counters.state.set(state as u64);
            self.notices.push_back(Notice::State { owner, state });
        }
    }

    /// None if the client does not speak gRPC.
    fn connectivity(&self, client: &Client) -> Option<Connectivity> {
        let grpc = client.grpc.as_ref()?;
        if client.closing.is_some() {
            return Some(Connectivity::Shutdown);
        }
        let mut state =
            if grpc.backoff.is_over(self.now) { Connectivity::Idle } else { Connectivity::TransientFailure };
        for &id in &client.connections {
            let Some(http2) = &self.connections[id as usize].http2 else { continue };
            if http2.link.is_leaving() {
                continue;
            }
            if http2.link.is_ready() {
                return Some(Connectivity::Ready);
            }
            state = Connectivity::Connecting;
        }
        Some(state)
    }
}
