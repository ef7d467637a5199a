//! Calls of servers that end when their time is over.

use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

use crate::calls::CallId;

/// Beyond this many entries those of calls that are over are thrown out.
const SLACK: usize = 1024;

/// When which call's time is over; the earliest first.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, u32, u32)>>,
    live_at_most: usize,
}

impl Deadlines {
    pub(crate) fn add(&mut self, at: Instant, call: CallId, is_live: impl Fn(CallId) -> bool) {
        self.heap.push(Reverse((at, call.slot, call.generation)));
        if self.heap.len() > 2 * self.live_at_most + SLACK {
            // Most calls end long before their time does.
            self.heap.retain(|Reverse((_, slot, generation))| is_live(CallId { slot: *slot, generation: *generation }));
            self.live_at_most = self.heap.len();
        }
    }

    /// The next one.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// A call whose time is over.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<CallId> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, slot, generation)) = self.heap.pop()?;
        Some(CallId { slot, generation })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_comes_first_and_the_dead_do_not_pile_up() {
        let now = Instant::now();
        let mut deadlines = Deadlines::default();
        for n in 0..100_000_u32 {
            let id = CallId { slot: n, generation: 1 };
            deadlines.add(now + Duration::from_millis(u64::from(100_000 - n)), id, |id| id.slot + 10 > n);
        }
        assert!(deadlines.heap.len() < 3 * SLACK);
        assert_eq!(deadlines.take_due(now), None);
        let due = deadlines.take_due(now + Duration::from_millis(1));
        assert_eq!(due.map(|id| id.slot), Some(99_999));
    }
}
