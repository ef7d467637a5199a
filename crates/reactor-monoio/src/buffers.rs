//! Buffers to receive into.

use std::cell::RefCell;

use bytes::BytesMut;

/// What a connection begins with, in bytes.
pub(crate) const SMALLEST: usize = 4 << 10;
/// What a connection whose reads fill their buffer ends with.
pub(crate) const LARGEST: usize = 64 << 10;
/// Spare buffers kept, all of the smallest size.
const SPARE: usize = 256;

/// Buffers of connections that have become idle, for those that become active.
#[derive(Debug, Default)]
pub(crate) struct Buffers(RefCell<Vec<BytesMut>>);

impl Buffers {
    /// Makes `buffer` an empty one with at least `size` bytes of room: itself, if nobody holds on to what it had.
    pub(crate) fn prepare(&self, buffer: &mut BytesMut, size: usize) {
        buffer.clear();
        if buffer.capacity() >= size || buffer.try_reclaim(size) {
            return;
        }
        let spare = if size == SMALLEST { self.0.borrow_mut().pop() } else { None };
        *buffer = spare.unwrap_or_else(|| BytesMut::with_capacity(size));
    }

    /// Takes the memory of a connection that is idle or over.
    pub(crate) fn release(&self, mut buffer: BytesMut) {
        buffer.clear();
        let mut spare = self.0.borrow_mut();
        if spare.len() < SPARE && buffer.try_reclaim(SMALLEST) && buffer.capacity() < 2 * SMALLEST {
            spare.push(buffer);
        }
    }
}
