//! When calls start: as soon as one ends (closed loop) or at fixed times (open loop).

use std::time::{Duration, Instant};

/// The fixed timetable of an open loop. Call `k` of the whole run is due at `start + k / rate` and belongs to
/// connection `k mod connections`, whether or not earlier calls have been answered; a call that cannot be sent in
/// time, because its connection has `depth` in flight, keeps its due time as the start of its latency. So a server
/// that stalls is charged for every call that the stall delayed, not only for the one it held (coordinated omission).
pub struct Schedule {
    start: Instant,
    period: f64,
    connections: usize,
    /// Calls of the run which have come due.
    due: u64,
    /// Calls each connection has sent.
    sent: Vec<u64>,
}

impl Schedule {
    pub fn new(start: Instant, rate: f64, connections: usize) -> Self {
        Self { start, period: 1.0 / rate, connections, due: 0, sent: vec![0; connections] }
    }

    fn time_of(&self, call: u64) -> Instant {
        self.start + Duration::from_secs_f64(call as f64 * self.period)
    }

    /// When the next call comes due.
    pub fn next_due(&self) -> Instant {
        self.time_of(self.due)
    }

    /// Marks the next call due if its time has come, and names its connection.
    pub fn advance(&mut self, now: Instant) -> Option<usize> {
        if self.next_due() > now {
            return None;
        }
        let connection = (self.due % self.connections as u64) as usize;
        self.due += 1;
        Some(connection)
    }

    /// Takes the oldest due call of `connection` that has not been sent, and gives its due time.
    pub fn take(&mut self, connection: usize) -> Option<Instant> {
        let call = self.sent[connection] * self.connections as u64 + connection as u64;
        if call >= self.due {
            return None;
        }
        self.sent[connection] += 1;
        Some(self.time_of(call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_due_times_whatever_the_delay() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut schedule = Schedule::new(start, 1000.0, 2);
        assert_eq!(schedule.advance(start), Some(0));
        assert_eq!(schedule.advance(start), None);
        // Nothing was sent for 3 ms: all calls since then are due, each at its own time.
        while schedule.advance(at(3)).is_some() {}
        assert_eq!(schedule.take(0), Some(at(0)));
        assert_eq!(schedule.take(0), Some(at(2)));
        assert_eq!(schedule.take(0), None);
        assert_eq!(schedule.take(1), Some(at(1)));
        assert_eq!(schedule.take(1), Some(at(3)));
        assert_eq!(schedule.next_due(), at(4));
    }
}
