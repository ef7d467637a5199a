//! The event loop.

use std::{
    io,
    net::TcpStream,
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    fd::OwnedFd,
};

use crate::{
    args::Args, connection::Connection, reply::Expected, report::Report, request::Request, schedule::Schedule,
};

/// How long calls in flight at the end are waited for.
const DRAIN: Duration = Duration::from_secs(5);
/// Shared receive buffer, in bytes.
const BUFFER: usize = 256 * 1024;

/// Runs the whole load and gives back what was measured. Fails when the server cannot be reached or hangs up.
pub fn run(args: &Args) -> Result<Report, String> {
    let mut run = Run::start(args)?;
    run.until_done().map_err(|e| format!("{}: {e}", args.address))?;
    Ok(run.report)
}

struct Run<'a> {
    args: &'a Args,
    epoll: OwnedFd,
    connections: Vec<Connection>,
    schedule: Option<Schedule>,
    request: Request,
    expected: Expected,
    report: Report,
    buffer: Vec<u8>,
    /// End of the warm-up.
    from: Instant,
    /// No call starts after this.
    until: Instant,
}

impl<'a> Run<'a> {
    fn start(args: &'a Args) -> Result<Self, String> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(|e| format!("no epoll: {e}"))?;
        let mut connections = Vec::with_capacity(args.connections);
        for index in 0..args.connections {
            let connect = || -> io::Result<TcpStream> {
                let stream = TcpStream::connect(args.address)?;
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                epoll::add(&epoll, &stream, EventData::new_u64(index as u64), EventFlags::IN)?;
                Ok(stream)
            };
            let stream = connect().map_err(|e| format!("connection {} to {}: {e}", index + 1, args.address))?;
            connections.push(Connection::new(stream, index, args.depth));
        }
        let now = Instant::now();
        let from = now + Duration::from_secs_f64(args.warmup);
        Ok(Self {
            args,
            epoll,
            connections,
            schedule: args.rate.map(|rate| Schedule::new(now, rate, args.connections)),
            request: Request::new(args.wire, args.echo),
            expected: Expected::new(args.wire, args.content_size, args.echo),
            report: Report::new()?,
            buffer: vec![0; BUFFER],
            from,
            until: from + Duration::from_secs_f64(args.seconds),
        })
    }

    fn until_done(&mut self) -> io::Result<()> {
        if self.schedule.is_none() {
            let now = Instant::now();
            for index in 0..self.connections.len() {
                for _ in 0..self.args.depth {
                    self.connections[index].call(&self.request, now);
                }
                self.send(index)?;
            }
        }
        let mut events: Vec<Event> = Vec::with_capacity(1024);
        let mut phase = Phase::WarmUp;
        let mut progress = Progress::new(self.args.progress);
        loop {
            let mut now = Instant::now();
            if phase == Phase::WarmUp && now >= self.from {
                phase = Phase::Measure;
                self.report.begin(now);
            }
            if phase == Phase::Measure && now >= self.until {
                phase = Phase::Drain;
                self.report.end(now);
                self.send_due(self.until)?;
                self.give_up_unsent();
            }
            if phase == Phase::Drain {
                let in_flight: usize = self.connections.iter().map(Connection::in_flight).sum();
                if in_flight == 0 || now >= self.until + DRAIN {
                    self.report.unanswered = in_flight as u64;
                    return Ok(());
                }
            } else {
                self.send_due(now)?;
                now = Instant::now();
            }
            let mut wake = match phase {
                Phase::WarmUp => self.from,
                Phase::Measure => self.until,
                Phase::Drain => self.until + DRAIN,
            };
            if let Some(schedule) = self.schedule.as_ref().filter(|_| phase != Phase::Drain) {
                wake = wake.min(schedule.next_due());
            }
            wake = progress.report(&self.report, now).map_or(wake, |at| wake.min(at));
            self.wait(&mut events, wake.saturating_duration_since(now))?;
            for event in &events {
                self.on_event(event.data.u64() as usize, event.flags)?;
            }
        }
    }

    fn wait(&self, events: &mut Vec<Event>, time: Duration) -> io::Result<()> {
        events.clear();
        let timeout = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
        match epoll::wait(&self.epoll, spare_capacity(events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn on_event(&mut self, index: usize, flags: EventFlags) -> io::Result<()> {
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            let (report, expected, from, until) = (&mut self.report, &self.expected, self.from, self.until);
            let now = Instant::now();
            let mut ended = 0;
            self.connections[index].on_readable(&mut self.buffer, |body, seq, since| {
                if let Err(wrong) = expected.check(body, seq) {
                    report.wrong(seq, &wrong);
                }
                if since >= from {
                    report.latency(now - since);
                }
                if now < until {
                    report.replies += 1;
                }
                ended += 1;
            })?;
            if self.schedule.is_some() {
                self.fill(index);
            } else if now < until {
                for _ in 0..ended {
                    self.connections[index].call(&self.request, now);
                }
            }
        }
        self.send(index)
    }

    /// Open loop: sends what has come due.
    fn send_due(&mut self, now: Instant) -> io::Result<()> {
        while let Some(index) = self.schedule.as_mut().and_then(|s| s.advance(now)) {
            if self.fill(index) {
                self.send(index)?;
            }
        }
        Ok(())
    }

    /// Open loop: queues the due calls of a connection up to the depth, with their due times.
    fn fill(&mut self, index: usize) -> bool {
        let Some(schedule) = self.schedule.as_mut() else { return false };
        let connection = &mut self.connections[index];
        let before = connection.in_flight();
        while connection.in_flight() < self.args.depth {
            let Some(due) = schedule.take(index) else { break };
            connection.call(&self.request, due);
        }
        connection.in_flight() > before
    }

    /// Calls that came due and found no room are counted, with the time they have waited as their latency.
    fn give_up_unsent(&mut self) {
        let Some(schedule) = self.schedule.as_mut() else { return };
        for index in 0..self.connections.len() {
            while let Some(due) = schedule.take(index) {
                self.report.unsent += 1;
                if due >= self.from {
                    self.report.latency(self.until.saturating_duration_since(due));
                }
            }
        }
        self.schedule = None;
    }

    fn send(&mut self, index: usize) -> io::Result<()> {
        let connection = &mut self.connections[index];
        connection.flush()?;
        if connection.is_blocked() != connection.watches_write {
            connection.watches_write = connection.is_blocked();
            let interest = if connection.watches_write { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(&self.epoll, &connection.stream, EventData::new_u64(index as u64), interest)?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    WarmUp,
    Measure,
    Drain,
}

/// One line a second on stderr.
struct Progress {
    next: Option<Instant>,
    seen: u64,
}

impl Progress {
    fn new(on: bool) -> Self {
        Self { next: on.then(|| Instant::now() + Duration::from_secs(1)), seen: 0 }
    }

    /// Prints when a second has passed; says when it wants to be called again.
    fn report(&mut self, report: &Report, now: Instant) -> Option<Instant> {
        let next = self.next?;
        if now < next {
            return Some(next);
        }
        // The end of the warm-up sets the count back.
        let since = report.replies.checked_sub(self.seen).unwrap_or(report.replies);
        eprintln!("load: {since} replies in the last second, {} wrong", report.wrong);
        self.seen = report.replies;
        self.next = Some(next + Duration::from_secs(1));
        self.next
    }
}
