//! A pool of buffers: a connection holds one only while it has bytes in it, so that idle connections cost next to nothing and busy ones allocate
//! nothing.

use std::sync::Arc;

use bytes::BytesMut;

use crate::PoolCounters;

/// Buffers larger than this are given back to the allocator.
const KEPT: usize = 64 << 10;
/// At most this many are kept.
const COUNT: usize = 256;
/// What a new buffer has room for.
const INITIAL: usize = 2 << 10;

/// Spare buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    spare: Vec<BytesMut>,
    pub counters: Arc<PoolCounters>,
}

impl Buffers {
    /// Gives `buffer` room, if it has none.
    pub(crate) fn prepare(&mut self, buffer: &mut BytesMut) {
        if buffer.capacity() == 0 {
            *buffer = self.take();
        }
    }

    pub(crate) fn take(&mut self) -> BytesMut {
        let Some(spare) = self.spare.pop() else {
            self.counters.buffers_made.add(1);
            return BytesMut::with_capacity(INITIAL);
        };
        self.counters.buffers_reused.add(1);
        self.counters.buffers_spare.set(self.spare.len() as u64);
        spare
    }

    /// Takes an emptied buffer's memory back.
    pub(crate) fn release(&mut self, buffer: &mut BytesMut) {
        let mut buffer = std::mem::take(buffer);
        buffer.clear();
        // What `advance` consumed only comes back through `reserve`.
        if buffer.capacity() < INITIAL && !buffer.try_reclaim(INITIAL) {
            return;
        }
        if buffer.capacity() <= KEPT && self.spare.len() < COUNT {
            self.spare.push(buffer);
            self.counters.buffers_spare.set(self.spare.len() as u64);
        }
    }
}
