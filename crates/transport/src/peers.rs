//! Who is at the other end of each connection, for whoever asks from another thread.

use std::sync::{Mutex, PoisonError};

use crate::{ConnectionId, Peer};

/// Names a connection for good: ids are used again, a serial number is not (until it has gone round).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionKey {
    /// Which connection of its engine.
    pub id: ConnectionId,
    /// Which of those that had this id.
    pub serial: u32,
}

/// The peers of one engine's accepted connections. Written when a connection comes or goes, read when a handler asks.
#[derive(Debug, Default)]
pub struct Peers(Mutex<Vec<Option<(u32, Peer)>>>);

impl Peers {
    /// The peer of a connection; None once it is gone.
    pub fn get(&self, key: ConnectionKey) -> Option<Peer> {
        let peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match peers.get(key.id as usize)? {
            Some((serial, peer)) if *serial == key.serial => Some(peer.clone()),
            _ => None,
        }
    }

    pub(crate) fn insert(&self, key: ConnectionKey, peer: Peer) {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = key.id as usize;
        if index >= peers.len() {
            peers.resize(index + 1, None);
        }
        peers[index] = Some((key.serial, peer));
    }

    pub(crate) fn remove(&self, id: ConnectionId) {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = peers.get_mut(id as usize) {
            *place = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_used_again_is_another_connection() {
        let peers = Peers::default();
        let first = ConnectionKey { id: 3, serial: 1 };
        peers.insert(first, Peer::Unix);
        assert_eq!(peers.get(first), Some(Peer::Unix));
        peers.remove(3);
        assert_eq!(peers.get(first), None);
        peers.insert(ConnectionKey { id: 3, serial: 2 }, Peer::Memory);
        assert_eq!(peers.get(first), None);
    }
}
