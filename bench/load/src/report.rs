//! What was measured, and how it is printed.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};

use crate::{args::Args, reply::Wrong};

/// Longest latency told apart, in nanoseconds (one minute); longer ones count as this.
const LONGEST: u64 = 60_000_000_000;

/// Counters and latencies of the measured time.
pub struct Report {
    latency: Histogram<u64>,
    /// Replies inside the measured time.
    pub replies: u64,
    /// Wrong replies, those of the warm-up and the drain included.
    pub wrong: u64,
    /// Calls of an open loop which came due and were never sent, because the server was too slow.
    pub unsent: u64,
    /// Calls sent and not answered when the run gave up waiting.
    pub unanswered: u64,
    measured: Duration,
    started: Instant,
    cpu_started: Duration,
    cpu: Duration,
}

impl Report {
    pub fn new() -> Result<Self, String> {
        let latency = Histogram::new_with_bounds(1, LONGEST, 3).map_err(|e| format!("no histogram: {e}"))?;
        Ok(Self {
            latency,
            replies: 0,
            wrong: 0,
            unsent: 0,
            unanswered: 0,
            measured: Duration::ZERO,
            started: Instant::now(),
            cpu_started: cpu_time(),
            cpu: Duration::ZERO,
        })
    }

    /// The measured time starts: forget the warm-up's replies, but not its errors.
    pub fn begin(&mut self, now: Instant) {
        self.replies = 0;
        self.started = now;
        self.cpu_started = cpu_time();
    }

    /// The measured time is over; calls still in flight are awaited but no longer counted as throughput.
    pub fn end(&mut self, now: Instant) {
        self.measured = now - self.started;
        self.cpu = cpu_time() - self.cpu_started;
    }

    /// Records the latency of a call that started in the measured time.
    pub fn latency(&mut self, time: Duration) {
        self.latency.saturating_record(time.as_nanos() as u64);
    }

    /// Counts a wrong reply; the first few are explained on stderr.
    pub fn wrong(&mut self, seq: u32, wrong: &Wrong) {
        self.wrong += 1;
        if self.wrong <= 5 {
            eprintln!("load: wrong reply to call {seq}: {wrong}");
        }
    }

    /// Whether every call was answered, and rightly.
    pub fn is_good(&self) -> bool {
        self.wrong == 0 && self.unanswered == 0 && !self.latency.is_empty()
    }

    pub fn qps(&self) -> f64 {
        self.replies as f64 / self.measured.as_secs_f64()
    }

    /// Latency at quantile `q` in µs.
    fn at(&self, q: f64) -> f64 {
        self.latency.value_at_quantile(q) as f64 / 1e3
    }

    fn max(&self) -> f64 {
        self.latency.max() as f64 / 1e3
    }

    /// This process's CPU time per reply in µs: how far the load generator itself is from being the limit.
    fn cpu_per_request(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.replies.max(1) as f64
    }

    /// One line for people.
    pub fn line(&self, args: &Args) -> String {
        let rate = args.rate.map_or(String::new(), |r| format!(" rate={r}"));
        format!(
            "c={} d={}{rate} wrong={} unsent={} unanswered={} qps={:.0} p50={:.1}us p99={:.1}us p99.9={:.1}us max={:.1}us cpu={:.2}us/req",
            args.connections,
            args.depth,
            self.wrong,
            self.unsent,
            self.unanswered,
            self.qps(),
            self.at(0.5),
            self.at(0.99),
            self.at(0.999),
            self.max(),
            self.cpu_per_request(),
        )
    }

    /// The same as one JSON object; latencies in µs, times in s.
    pub fn json(&self, args: &Args) -> String {
        let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".into());
        format!(
            "{{\"connections\":{},\"depth\":{},\"rate\":{},\"contentSize\":{},\"seconds\":{:.3},\"replies\":{},\"wrong\":{},\
             \"unsent\":{},\"unanswered\":{},\"qps\":{:.1},\"p50\":{:.1},\"p99\":{:.1},\"p999\":{:.1},\"max\":{:.1},\"cpuPerRequest\":{:.3}}}",
            args.connections,
            args.depth,
            or_null(args.rate.map(|r| r.to_string())),
            or_null(args.content_size.map(|n| n.to_string())),
            self.measured.as_secs_f64(),
            self.replies,
            self.wrong,
            self.unsent,
            self.unanswered,
            self.qps(),
            self.at(0.5),
            self.at(0.99),
            self.at(0.999),
            self.max(),
            self.cpu_per_request(),
        )
    }
}

fn cpu_time() -> Duration {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}
