//! How much of a stream may lie between Rust and JavaScript: a sender marks a message now and then, and stops when two marks are not answered.

use std::collections::VecDeque;

/// Messages and bytes after which one is marked.
const MESSAGES: u32 = 32;
const BYTES: usize = 32 << 10;
/// Marks that may be unanswered.
const MARKS: usize = 2;

/// The sending side of one direction of a stream.
#[derive(Debug, Default)]
pub(crate) struct Credit {
    messages: u32,
    bytes: usize,
    sent: u64,
    answered: u64,
    /// Messages sent up to each mark.
    marks: VecDeque<u64>,
}

impl Credit {
    /// Would a message of so many bytes be marked?
    pub(crate) fn marks(&self, bytes: usize) -> bool {
        self.messages + 1 >= MESSAGES || self.bytes + bytes >= BYTES
    }

    /// A message was sent.
    pub(crate) fn sent(&mut self, bytes: usize) {
        let marks = self.marks(bytes);
        self.sent += 1;
        self.messages += 1;
        self.bytes += bytes;
        if marks {
            self.marks.push_back(self.sent);
            self.messages = 0;
            self.bytes = 0;
        }
    }

    /// So many messages are used up.
    pub(crate) fn answered(&mut self, messages: u32) {
        self.answered += u64::from(messages);
        while self.marks.front().is_some_and(|mark| *mark <= self.answered) {
            self.marks.pop_front();
        }
    }

    /// Must the next message wait?
    pub(crate) fn is_used_up(&self) -> bool {
        self.marks.len() >= MARKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_unanswered_marks_stop_the_sender() {
        let mut credit = Credit::default();
        for n in 0..64 {
            assert!(!credit.is_used_up(), "after {n}");
            assert_eq!(credit.marks(10), n % 32 == 31);
            credit.sent(10);
        }
        assert!(credit.is_used_up());
        credit.answered(31);
        assert!(credit.is_used_up());
        credit.answered(1);
        assert!(!credit.is_used_up());
        credit.sent(BYTES);
        assert!(credit.is_used_up(), "a large message is marked by itself");
    }
}
