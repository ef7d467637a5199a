//! What crosses between threads: tapes in memory of their own.

use std::sync::Arc;

use volo_js_tape::{Array, InState, InTape, OutTape};

/// Sizes of a tape's three buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapeSize {
    /// Slots of 8 bytes.
    pub slots: usize,
    /// Bytes of text.
    pub text: usize,
    /// Bytes of bytes.
    pub bytes: usize,
}

/// A tape in, filled by an I/O thread for the isolate.
#[derive(Debug)]
pub struct Batch {
    slots: Vec<u64>,
    text: Vec<u8>,
    bytes: Vec<u8>,
    state: InState,
}

impl Batch {
    /// An empty one.
    pub fn new(size: TapeSize) -> Self {
        // Zeroed memory comes from the system untouched, so only what is used is ever there.
        Self { slots: vec![0; size.slots], text: vec![0; size.text], bytes: vec![0; size.bytes], state: InState::new() }
    }

    /// The sizes of its buffers.
    pub fn size(&self) -> TapeSize {
        TapeSize { slots: self.slots.len(), text: self.text.len(), bytes: self.bytes.len() }
    }

    /// What is used of them: what a tape must have that the batch is copied to.
    pub fn used(&self) -> TapeSize {
        TapeSize { slots: self.state.slots_used(), text: self.state.text_used(), bytes: self.state.bytes_used() }
    }

    /// True if no message is on it.
    pub fn is_empty(&self) -> bool {
        self.state.is_empty()
    }

    /// Forgets its messages.
    pub fn clear(&mut self) {
        self.state.reset();
    }

    /// Messages on it.
    pub fn messages(&self) -> u32 {
        self.state.messages()
    }

    /// The tape, to be filled further.
    pub fn tape(&mut self) -> InTape<'_> {
        InTape::new(&mut self.slots, &mut self.text, &mut self.bytes, &mut self.state)
    }

    /// Takes out what binaries on it are views of.
    pub fn take_arrays(&mut self) -> Vec<Array> {
        self.state.take_arrays()
    }

    /// Copies it to another tape. False, and nothing is copied, if that is smaller than what is [used](Self::used).
    pub fn copy_to(&self, slots: &mut [u64], text: &mut [u8], bytes: &mut [u8]) -> bool {
        let used = self.used();
        let (Some(to_slots), Some(to_text), Some(to_bytes)) =
            (slots.get_mut(..used.slots), text.get_mut(..used.text), bytes.get_mut(..used.bytes))
        else {
            return false;
        };
        to_slots.copy_from_slice(&self.slots[..used.slots]);
        to_text.copy_from_slice(&self.text[..used.text]);
        to_bytes.copy_from_slice(&self.bytes[..used.bytes]);
        true
    }
}

/// What messages of a tape out refer to.
#[derive(Debug)]
pub struct Content {
    /// The rope, encoded.
    pub text: Vec<u8>,
    /// The bytes in use.
    pub bytes: Vec<u8>,
    /// What was too large for them.
    pub arrays: Vec<Vec<u8>>,
}

/// Messages of the tape out for one I/O thread. What they refer to is that of the whole tape, shared by all threads that get a part of it.
#[derive(Debug)]
pub struct Submission {
    /// The messages, with the two slots before them that every tape out has.
    pub slots: Vec<u64>,
    /// What they refer to.
    pub content: Arc<Content>,
}

impl Submission {
    /// Lets `take` read the tape.
    pub fn read<T>(&self, take: impl FnOnce(&OutTape<'_>) -> T) -> T {
        let Content { text, bytes, arrays } = &*self.content;
        let arrays: Vec<&[u8]> = arrays.iter().map(Vec::as_slice).collect();
        take(&OutTape::new(&self.slots, text, bytes).with_arrays(&arrays))
    }
}
