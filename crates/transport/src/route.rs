//! Where calls go that a server passes on instead of answering them itself.

use std::time::Duration;

/// The way of some calls: to a client in the same engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Id of the client.
    pub client: u32,
    /// Time for an answer, for callers that do not say how long they wait or would wait longer. None: as long as it takes.
    pub timeout: Option<Duration>,
}

/// The ways of a server's calls.
#[derive(Debug, Default)]
pub struct Routes {
    /// All of them; [`Methods`](crate::Methods) tells which calls go which way.
    pub all: Vec<Route>,
    /// The way of calls of methods that no service has, as an index.
    pub unknown: Option<usize>,
}

impl Routes {
    /// The clients of all ways, each once.
    pub(crate) fn clients(&self) -> Vec<u32> {
        let mut clients: Vec<u32> = self.all.iter().map(|route| route.client).collect();
        clients.sort_unstable();
        clients.dedup();
        clients
    }

    /// The way of a call.
    pub(crate) fn of(&self, index: usize) -> Option<Route> {
        self.all.get(index).copied()
    }
}
