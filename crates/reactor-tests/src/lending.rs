//! Memory for large messages, as JavaScript gives it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use volo_js_transport::{Lender, Memory};

/// Gives memory, and knows how much of it there is.
#[derive(Debug, Clone, Default)]
pub struct Lending {
    alive: Arc<AtomicUsize>,
    given: Arc<AtomicUsize>,
}

impl Lending {
    /// What an engine gets its memory by.
    pub fn lender(&self) -> Lender {
        let Self { alive, given } = self.clone();
        Box::new(move |len| {
            alive.fetch_add(1, Ordering::Relaxed);
            given.fetch_add(1, Ordering::Relaxed);
            // As in JavaScript's buffers, what is in it before may be anything.
            Some(Box::new(Lent { bytes: vec![0xA5; len], alive: alive.clone() }))
        })
    }

    /// Pieces of memory that were not given back.
    pub fn alive(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    /// Pieces that were ever given.
    pub fn given(&self) -> usize {
        self.given.load(Ordering::Relaxed)
    }
}

struct Lent {
    bytes: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Lent {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Memory for Lent {
    fn number(&self) -> u32 {
        0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}
