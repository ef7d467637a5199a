//! Memory beside the tape: what is too large to be copied into it.

use std::ops::Range;

use bytes::Bytes;

/// Bytes from which a binary going out is lent, and from which a message coming in has memory of its own.
pub const LARGE: usize = 64 << 10;
/// Bytes from which a binary of such a message is a view of its memory. A view keeps the whole message alive, so shorter ones are copied.
pub const VIEWED: usize = 1 << 10;

/// The memory of one large message on the in tape; binaries of the message are views of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// The message and what frames it.
    pub bytes: Bytes,
    /// Which memory of JavaScript's that is. None where it is Rust's, of which JavaScript gets a copy.
    pub number: Option<u32>,
}

impl Array {
    /// Where a piece of it lies in it; None if it lies elsewhere.
    pub(crate) fn place(&self, piece: &[u8]) -> Option<u32> {
        let Range { start, end } = self.bytes.as_ptr_range();
        let from = piece.as_ptr().addr();
        let lies_in = from >= start.addr() && from + piece.len() <= end.addr();
        lies_in.then(|| from - start.addr()).and_then(|at| u32::try_from(at).ok())
    }
}

/// A place in encoded output where bytes of an array are to stand, which were not copied there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Bytes of output before it.
    pub at: usize,
    /// Index of the array.
    pub array: u32,
    /// Bytes of it.
    pub len: usize,
}
