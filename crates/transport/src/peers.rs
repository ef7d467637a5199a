//! Who is at the other end of each connection, for whoever asks from another thread.

use std::sync::{Mutex, PoisonError};

use volo_js_tls::Summary;

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
pub struct Peers(Mutex<Vec<Option<Known>>>);

/// What is known of a peer.
#[derive(Debug, Clone)]
struct Known {
    serial: u32,
    peer: Peer,
    tls: Option<Box<Summary>>,
}

impl Peers {
    /// The peer of a connection; None once it is gone.
    pub fn get(&self, key: ConnectionKey) -> Option<Peer> {
        self.find(key, |known| known.peer.clone())
    }

    /// What TLS has agreed on with a peer; None without TLS, or once it is gone.
    pub fn tls(&self, key: ConnectionKey) -> Option<Summary> {
        self.find(key, |known| known.tls.as_deref().cloned())?
    }

    fn find<T>(&self, key: ConnectionKey, read: impl FnOnce(&mut Known) -> T) -> Option<T> {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = peers.get_mut(key.id as usize)?.as_mut();
        known.filter(|known| known.serial == key.serial).map(read)
    }

    /// The handshake of a peer is over.
    pub(crate) fn is_secure(&self, key: ConnectionKey, summary: Summary) {
        self.find(key, |known| known.tls = Some(Box::new(summary)));
    }

    pub(crate) fn insert(&self, key: ConnectionKey, peer: Peer) {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = key.id as usize;
        if index >= peers.len() {
            peers.resize(index + 1, None);
        }
        peers[index] = Some(Known { serial: key.serial, peer, tls: None });
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
