//! When to try to connect again. "gRPC Connection Backoff Protocol": 1 s, 1.6 times more each time, up to 120 s, a fifth more or less.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    time::{Duration, Instant},
};

const FIRST: f64 = 1.0;
const FACTOR: f64 = 1.6;
const MOST: f64 = 120.0;
const JITTER: f64 = 0.2;

/// How one target has behaved.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: i32,
    until: Option<Instant>,
}

impl Backoff {
    /// May it be tried now?
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until)
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn failed(&mut self, now: Instant) {
        let base = (FIRST * FACTOR.powi(self.failures)).min(MOST);
        self.failures = (self.failures + 1).min(32);
        // The keys of a new hasher are random enough to keep clients apart.
        let random = f64::from(RandomState::new().hash_one(self.failures) as u32) / f64::from(u32::MAX);
        let time = base * (1.0 - JITTER + 2.0 * JITTER * random);
        self.until = Some(now + Duration::from_secs_f64(time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_longer_each_time_and_begins_anew() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        assert!(backoff.is_over(now));
        for base in [1.0, 1.6, 2.56] {
            backoff.failed(now);
            assert!(!backoff.is_over(now + Duration::from_secs_f64(base * 0.79)));
            assert!(backoff.is_over(now + Duration::from_secs_f64(base * 1.21)));
        }
        for _ in 0..100 {
            backoff.failed(now);
        }
        assert!(backoff.is_over(now + Duration::from_secs(145)));
        backoff.succeeded();
        assert!(backoff.is_over(now));
    }
}
