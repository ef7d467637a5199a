//! One budget for the whole process: memory that connections hold for requests that are not complete and for replies that their peers do not
//! take, in all isolates together.
//!
//! Only large buffers are counted, so ordinary calls never touch the shared counter.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Buffers up to this size are not counted: what a connection may hold anyway.
const COUNTED_FROM: usize = 64 << 10;

static USED: AtomicUsize = AtomicUsize::new(0);

/// Is more in use than `limit`?
#[inline]
pub(crate) fn exceeds(limit: usize) -> bool {
    USED.load(Ordering::Relaxed) > limit
}

/// What one connection has been counted for. Given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    counted: usize,
}

impl Share {
    /// Counts a buffer of `size` bytes instead of what was counted before, whatever the limit: it is there already.
    #[inline]
    pub(crate) fn note(&mut self, size: usize) {
        if size > COUNTED_FROM || self.counted > 0 {
            self.resize(size, usize::MAX);
        }
    }

    /// Counts a buffer of `size` bytes instead of what was counted before. False if all together exceed `limit`; then nothing more is counted.
    pub(crate) fn resize(&mut self, size: usize, limit: usize) -> bool {
        let size = if size > COUNTED_FROM { size } else { 0 };
        if size > self.counted {
            let more = size - self.counted;
            if USED.fetch_add(more, Ordering::Relaxed).saturating_add(more) > limit {
                USED.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        } else if size < self.counted {
            USED.fetch_sub(self.counted - size, Ordering::Relaxed);
        }
        self.counted = size;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.counted > 0 {
            USED.fetch_sub(self.counted, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_share_the_budget_and_give_it_back() {
        let (mut first, mut second) = (Share::default(), Share::default());
        let limit = 1 << 20;
        assert!(first.resize(COUNTED_FROM, 0), "small buffers are free");
        assert!(first.resize(700 << 10, limit));
        assert!(!second.resize(700 << 10, limit));
        assert!(second.resize(300 << 10, limit));
        drop(first);
        assert!(second.resize(700 << 10, limit));
    }
}
