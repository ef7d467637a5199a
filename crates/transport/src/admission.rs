//! Who may connect: limits that hold for a server as a whole, on however many threads its connections live.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::Peer;

/// The connections of one server, on all threads.
#[derive(Debug)]
pub struct Admission {
    most: usize,
    /// Most of one address; None if that is not limited.
    most_of_one: Option<usize>,
    open: AtomicUsize,
    /// Connections by address, kept only where they are limited.
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

/// Why a peer may not connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There are too many connections.
    Full,
    /// There are too many from this address.
    FullForPeer,
}

/// A connection's place; dropping it makes room for another.
#[derive(Debug)]
pub struct Seat {
    admission: Arc<Admission>,
    address: Option<IpAddr>,
}

impl Admission {
    /// At most `most` connections, `most_of_one` of them from one IP address.
    pub fn new(most: usize, most_of_one: Option<usize>) -> Self {
        Self { most, most_of_one, open: AtomicUsize::new(0), by_address: Mutex::default() }
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// A place for a connection of this peer.
    ///
    /// # Errors
    /// Which limit is reached.
    pub fn enter(self: &Arc<Self>, peer: &Peer) -> Result<Seat, Refusal> {
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return Err(Refusal::Full);
        }
        let mut seat = Seat { admission: self.clone(), address: None };
        if let (Some(most), Peer::Tcp(address)) = (self.most_of_one, peer) {
            // An IPv4 peer of a dual-stack listener is the same as one of an IPv4 listener.
            let address = address.ip().to_canonical();
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let count = by_address.entry(address).or_insert(0);
            if *count >= most {
                return Err(Refusal::FullForPeer);
            }
            *count += 1;
            seat.address = Some(address);
        }
        Ok(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.admission.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(address) = self.address {
            let mut by_address = self.admission.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = by_address.get_mut(&address) {
                *count -= 1;
                if *count == 0 {
                    by_address.remove(&address);
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tcp(address: &str) -> Peer {
        Peer::Tcp(address.parse().unwrap())
    }

    #[test]
    fn a_place_comes_back_when_its_connection_goes() {
        let admission = Arc::new(Admission::new(2, None));
        let first = admission.enter(&tcp("10.0.0.1:1")).unwrap();
        let _second = admission.enter(&Peer::Unix).unwrap();
        assert_eq!(admission.enter(&Peer::Memory).unwrap_err(), Refusal::Full);
        drop(first);
        assert!(admission.enter(&Peer::Memory).is_ok());
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let admission = Arc::new(Admission::new(10, Some(1)));
        let first = admission.enter(&tcp("10.0.0.1:1")).unwrap();
        assert_eq!(admission.enter(&tcp("10.0.0.1:2")).unwrap_err(), Refusal::FullForPeer);
        assert_eq!(admission.enter(&tcp("[::ffff:10.0.0.1]:2")).unwrap_err(), Refusal::FullForPeer);
        let _other = admission.enter(&tcp("10.0.0.2:1")).unwrap();
        drop(first);
        assert!(admission.enter(&tcp("10.0.0.1:3")).is_ok());
        assert_eq!(admission.open(), 1, "a refused peer takes no place");
    }
}
