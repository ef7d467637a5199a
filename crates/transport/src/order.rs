//! The calls of a server's connection, in the order in which they came.

use std::collections::VecDeque;

/// Calls that are answered out of turn and still listed, before the list is tidied.
const SLACK: usize = 32;

/// Slots of the calls of one connection. Where replies go out in the order of the requests, a call stays until those before it are answered;
/// where they go out as they come, it may stay a while longer than it lasts.
#[derive(Debug, Default)]
pub(crate) struct Order {
    slots: VecDeque<u32>,
    /// Listed calls whose reply has left already.
    left: usize,
}

impl Order {
    /// Calls whose reply has not left.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.left
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn push(&mut self, slot: u32) {
        self.slots.push_back(slot);
    }

    /// Is nothing in front of this call?
    pub(crate) fn is_first(&self, slot: u32) -> bool {
        self.slots.front() == Some(&slot)
    }

    pub(crate) fn first(&self) -> Option<u32> {
        self.slots.front().copied()
    }

    /// Takes the first call off.
    pub(crate) fn pop(&mut self) {
        self.slots.pop_front();
    }

    /// Takes the first call off, whose reply left before its turn.
    pub(crate) fn pop_left(&mut self) {
        self.slots.pop_front();
        self.left -= 1;
    }

    /// The reply of a call that is not the first has left. `over` is told of those that are taken off, and says which are.
    pub(crate) fn leave(&mut self, mut over: impl FnMut(u32) -> bool) {
        self.left += 1;
        if self.left > SLACK && self.left * 2 > self.slots.len() {
            self.slots.retain(|slot| !over(*slot));
            self.left = 0;
        }
    }

    pub(crate) fn into_slots(self) -> VecDeque<u32> {
        self.slots
    }
}
