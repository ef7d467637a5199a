//! What was measured, and how it is printed.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};

use crate::{Failure, args::Args};

/// Longest latency told apart, in nanoseconds (one minute); longer ones count as this.
const LONGEST: u64 = 60_000_000_000;

pub struct Report {
    begin: Instant,
    end: Instant,
    latency: RefCell<Histogram<u64>>,
    calls: Cell<u64>,
    messages: Cell<u64>,
    /// CPU time of this process when the measured time began.
    cpu_at_begin: Cell<Option<Duration>>,
    cpu: Cell<Duration>,
}

impl Report {
    pub fn new(args: &Args) -> Result<Self, Failure> {
        let begin = Instant::now() + Duration::from_secs_f64(args.warmup);
        Ok(Self {
            begin,
            end: begin + Duration::from_secs_f64(args.seconds),
            latency: RefCell::new(Histogram::new_with_bounds(1, LONGEST, 3)?),
            calls: Cell::new(0),
            messages: Cell::new(0),
            cpu_at_begin: Cell::new(None),
            cpu: Cell::new(Duration::ZERO),
        })
    }

    /// When the next call starts, if there is to be one.
    pub fn more(&self, now: Instant) -> Option<Instant> {
        if now < self.end {
            return Some(now);
        }
        None
    }

    /// A call that began at `started` was answered rightly; what ends outside of the measured time does not count.
    pub fn answered(&self, started: Instant, messages: u64) {
        let now = Instant::now();
        if now < self.begin || now >= self.end {
            return;
        }
        let begin = self.cpu_at_begin.get().unwrap_or_else(|| {
            let cpu = cpu_time();
            self.cpu_at_begin.set(Some(cpu));
            cpu
        });
        // The clock of CPU time is a system call: looked at now and then.
        if self.calls.get() % 256 == 0 {
            self.cpu.set(cpu_time().saturating_sub(begin));
        }
        self.calls.set(self.calls.get() + 1);
        self.messages.set(self.messages.get() + messages);
        self.latency.borrow_mut().saturating_record((now - started).as_nanos() as u64);
    }

    /// One object: rates a second, latencies in µs, CPU time of this process a call in µs.
    pub fn json(&self) -> String {
        let seconds = (self.end - self.begin).as_secs_f64();
        let latency = self.latency.borrow();
        let us = |quantile| latency.value_at_quantile(quantile) as f64 / 1000.0;
        let (calls, messages) = (self.calls.get(), self.messages.get());
        format!(
            concat!(
                "{{\"replies\":{},\"qps\":{:.1},\"messages\":{},\"messagesPerSecond\":{:.1},",
                "\"p50\":{:.1},\"p99\":{:.1},\"p999\":{:.1},\"cpuPerRequest\":{:.3}}}"
            ),
            calls,
            calls as f64 / seconds,
            messages,
            messages as f64 / seconds,
            us(0.5),
            us(0.99),
            us(0.999),
            self.cpu.get().as_secs_f64() * 1e6 / (calls.max(1) as f64),
        )
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
