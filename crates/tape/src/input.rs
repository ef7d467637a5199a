//! The tape from Rust to JavaScript.

use crate::array::Array;
use crate::layout::{CHUNK, HEADER_SLOTS, Header, IN_PROLOGUE, halves};
use crate::message::{Message, Room};

/// The tape has no room for the message: deliver what it holds, or, if it holds nothing, use a larger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tape has no room for this message: deliver it, or use a larger one")]
pub struct Full;

/// How far a tape is filled. It outlives the borrows of the buffers, so a tape can be filled over several turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InState {
    /// First unused slot.
    pub(crate) end: usize,
    /// First unused byte of *text*.
    pub(crate) text: usize,
    /// First unused byte of *bytes*.
    pub(crate) bytes: usize,
    /// Where the current text chunk begins.
    pub(crate) chunk: usize,
    /// Header of the first message of the current chunk: it carries the length of the whole chunk.
    pub(crate) chunk_head: usize,
    /// Messages on the tape.
    pub(crate) messages: u32,
    /// Memory that binaries of messages are views of.
    pub(crate) arrays: Vec<Array>,
    /// Bytes of them.
    pub(crate) array_bytes: usize,
}

impl Default for InState {
    fn default() -> Self {
        Self {
            end: IN_PROLOGUE,
            text: 0,
            bytes: 0,
            chunk: 0,
            chunk_head: 0,
            messages: 0,
            arrays: Vec::new(),
            array_bytes: 0,
        }
    }
}

impl InState {
    /// An empty tape's.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all messages: they have been delivered.
    #[inline]
    pub fn reset(&mut self) {
        let mut arrays = std::mem::take(&mut self.arrays);
        arrays.clear();
        *self = Self { arrays, ..Self::default() };
    }

    /// Takes out what binaries on the tape are views of, by index: whoever reads the tape needs it, whatever becomes of the tape.
    #[inline]
    pub fn take_arrays(&mut self) -> Vec<Array> {
        std::mem::take(&mut self.arrays)
    }

    /// Messages on the tape.
    #[inline]
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// True if no message is on the tape.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.messages == 0
    }

    /// Slots in use, those before the first message included.
    #[inline]
    pub fn slots_used(&self) -> usize {
        self.end
    }

    /// Bytes of *text* in use.
    #[inline]
    pub fn text_used(&self) -> usize {
        self.text
    }

    /// Bytes of *bytes* in use.
    #[inline]
    pub fn bytes_used(&self) -> usize {
        self.bytes
    }
}

/// The tape from Rust to JavaScript, for as long as its buffers are borrowed.
#[derive(Debug)]
pub struct InTape<'a> {
    slots: &'a mut [u64],
    text: &'a mut [u8],
    bytes: &'a mut [u8],
    state: &'a mut InState,
}

impl<'a> InTape<'a> {
    /// A tape over these buffers, filled as far as `state` says. Buffers may hold up to 2³¹−1 slots or bytes; the rest is
    /// not used.
    #[inline]
    pub fn new(slots: &'a mut [u64], text: &'a mut [u8], bytes: &'a mut [u8], state: &'a mut InState) -> Self {
        if let Some(first) = slots.first_mut() {
            *first = halves(state.end as u32, 0);
        }
        Self { slots, text, bytes, state }
    }

    /// True if no message is on the tape.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.state.is_empty()
    }

    /// Messages on the tape.
    #[inline]
    pub fn messages(&self) -> u32 {
        self.state.messages
    }

    /// Bytes of the memory that binaries on the tape are views of.
    #[inline]
    pub fn array_bytes(&self) -> usize {
        self.state.array_bytes
    }

    /// Starts a message of at most `max_slots` slots, header included. It is on the tape once [committed](Message::commit);
    /// dropped before, it leaves no trace.
    #[inline]
    pub fn begin(&mut self, header: &Header, max_slots: usize) -> Result<Message<'_>, Full> {
        let start = self.state.end;
        if start + HEADER_SLOTS > self.slots.len().min(i32::MAX as usize) {
            return Err(Full);
        }
        let fresh = self.state.messages == 0 || self.state.text - self.state.chunk > CHUNK;
        let room = Room { start, max_slots, fresh_chunk: fresh };
        Ok(Message::new(self.slots, self.text, self.bytes, self.state, *header, &room))
    }
}
