//! When to try to connect again. "gRPC Connection Backoff Protocol".

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    time::{Duration, Instant},
};

/// How long a client waits between attempts to connect. The time is counted from the failure of the attempt before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackoffOptions {
    /// After the first failure. Default 1 s.
    pub initial: Duration,
    /// At most, before jitter. Default 120 s.
    pub max: Duration,
    /// How many times longer each time. Default 1.6.
    pub multiplier: f64,
    /// So much of it more or less, at random. Default 0.2.
    pub jitter: f64,
}

impl Default for BackoffOptions {
    fn default() -> Self {
        Self { initial: Duration::from_secs(1), max: Duration::from_secs(120), multiplier: 1.6, jitter: 0.2 }
    }
}

/// How one target has behaved.
#[derive(Debug)]
pub(crate) struct Backoff {
    options: BackoffOptions,
    failures: i32,
    until: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new(options: BackoffOptions) -> Self {
        Self { options, failures: 0, until: None }
    }

    /// May it be tried now?
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until)
    }

    /// The next attempt may be made at once, and if it fails the one after it soon.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.options);
    }

    pub(crate) fn failed(&mut self, now: Instant) {
        let BackoffOptions { initial, max, multiplier, jitter } = self.options;
        let base = (initial.as_secs_f64() * multiplier.powi(self.failures)).min(max.as_secs_f64());
        self.failures = self.failures.saturating_add(1);
        // The keys of a new hasher are random enough to keep clients apart.
        let random = f64::from(RandomState::new().hash_one(self.failures) as u32) / f64::from(u32::MAX);
        let time = base * (1.0 - jitter + 2.0 * jitter * random);
        // A time that is none, or past all ends, is as good as the longest.
        self.until = now.checked_add(Duration::try_from_secs_f64(time).unwrap_or(max));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_longer_each_time_and_begins_anew() {
        let now = Instant::now();
        let mut backoff = Backoff::new(BackoffOptions::default());
        assert!(backoff.is_over(now));
        for base in [1.0, 1.6, 2.56] {
            backoff.failed(now);
            assert!(!backoff.is_over(now + Duration::from_secs_f64(base * 0.79)));
            assert!(backoff.is_over(now + Duration::from_secs_f64(base * 1.21)));
        }
        for _ in 0..100 {
            backoff.failed(now);
        }
        assert!(!backoff.is_over(now + Duration::from_secs(95)));
        assert!(backoff.is_over(now + Duration::from_secs(145)));
        backoff.reset();
        assert!(backoff.is_over(now));
    }

    #[test]
    fn it_takes_as_long_as_it_is_told() {
        let now = Instant::now();
        let ms = Duration::from_millis;
        let options = BackoffOptions { initial: ms(10), max: ms(50), multiplier: 3.0, jitter: 0.0 };
        let mut backoff = Backoff::new(options);
        for time in [10, 30, 50, 50] {
            backoff.failed(now);
            assert!(!backoff.is_over(now + ms(time - 1)));
            assert!(backoff.is_over(now + ms(time)));
        }
    }
}
