//! The I/O threads of one runtime of one isolate.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread::{Builder, JoinHandle},
};

use crate::{Command, Link, TapeSize, Wake};

/// What tells a thread that sockets are ready, or moves their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Linux's epoll.
    Epoll,
    /// Linux's `io_uring`.
    IoUring,
    /// kqueue of macOS and BSD.
    Kqueue,
    /// I/O completion ports of Windows.
    Iocp,
}

impl Driver {
    /// What the portable runtimes use on this system.
    pub const fn of_this_system() -> Self {
        if cfg!(windows) {
            Self::Iocp
        } else if cfg!(any(target_os = "linux", target_os = "android")) {
            Self::Epoll
        } else {
            Self::Kqueue
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Epoll => "epoll",
            Self::IoUring => "io_uring",
            Self::Kqueue => "kqueue",
            Self::Iocp => "iocp",
        }
    }
}

/// A thread's place among those it works with.
#[derive(Debug, Clone)]
pub struct Place {
    /// Which one it is.
    pub index: usize,
    /// All of them, in order.
    pub links: Arc<[Arc<Link>]>,
}

impl Place {
    /// This thread's link.
    pub fn link(&self) -> &Arc<Link> {
        &self.links[self.index]
    }

    /// The first thread from this number on that has not failed; this one, if it is the last.
    pub fn sound_from(&self, number: usize) -> usize {
        let count = self.links.len();
        let mut all = (number..number + count).map(|number| number % count);
        all.find(|index| !self.links[*index].has_failed()).unwrap_or(self.index)
    }

    /// Bits of a call's name that say which thread it is on.
    pub fn shift(&self) -> u32 {
        shift(self.links.len())
    }
}

fn shift(threads: usize) -> u32 {
    threads.next_power_of_two().trailing_zeros()
}

/// A reactor's whole life on its thread: say `ready` (or why not), then serve until [`Arrival::Stop`](crate::Arrival::Stop).
pub type Run = fn(Place, &mut dyn FnMut(io::Result<Driver>));

/// The I/O threads of one runtime of one isolate. Dropping it ends and joins them.
#[derive(Debug)]
pub struct IoThreads {
    links: Arc<[Arc<Link>]>,
    joins: Vec<JoinHandle<()>>,
    driver: Driver,
    next_client: usize,
}

impl IoThreads {
    /// Starts `count` threads (at least one) and waits until all of them are ready.
    ///
    /// # Errors
    /// If a thread or its reactor cannot be made; then none is left.
    pub fn start(name: &str, count: usize, tape: TapeSize, wake: &Wake, run: Run) -> io::Result<Self> {
        let count = count.max(1);
        let links: Arc<[Arc<Link>]> = (0..count).map(|_| Arc::new(Link::new(wake.clone(), tape))).collect();
        let mut threads = Self { links, joins: Vec::new(), driver: Driver::of_this_system(), next_client: 0 };
        let (told, tells) = mpsc::channel();
        for index in 0..count {
            let place = Place { index, links: threads.links.clone() };
            let told = told.clone();
            let link = place.link().clone();
            let body = move || {
                // Dropped with its one word: if all who have not spoken are gone, there is nothing to wait for.
                let mut told = Some(told);
                let mut ready = |outcome| {
                    if let Some(told) = told.take() {
                        // Nobody listens any more if another thread could not be made.
                        let _ = told.send(outcome);
                    }
                };
                if catch_unwind(AssertUnwindSafe(|| run(place, &mut ready))).is_err() {
                    link.fail();
                }
            };
            threads.joins.push(Builder::new().name(format!("volo-{name}-{index}")).spawn(body)?);
        }
        drop(told);
        for _ in 0..count {
            // A thread that ends without a word has panicked.
            let outcome = tells.recv().unwrap_or_else(|_| Err(io::Error::other("an I/O thread ended as it began")));
            threads.driver = outcome?;
        }
        Ok(threads)
    }

    /// What moves the bytes.
    pub fn driver(&self) -> Driver {
        self.driver
    }

    /// The threads.
    pub fn links(&self) -> &[Arc<Link>] {
        &self.links
    }

    /// The thread that a server's call lives on, by the call's slot.
    pub fn of_call(&self, slot: u32) -> usize {
        (slot as usize) & ((1 << shift(self.links.len())) - 1)
    }

    /// The thread for one more client: each in its turn.
    pub fn for_client(&mut self) -> usize {
        let index = self.next_client % self.links.len();
        self.next_client = index + 1;
        index
    }

    /// Does any of them keep the process alive?
    pub fn is_busy(&self) -> bool {
        self.links.iter().any(|link| link.is_busy())
    }
}

impl Drop for IoThreads {
    fn drop(&mut self) {
        for link in self.links.iter() {
            link.send(Command::Stop);
        }
        for join in self.joins.drain(..) {
            // A panic has been noted on the link.
            let _ = join.join();
        }
    }
}

#[cfg(all(test, not(volo_loom)))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{task::Waker, time::Duration};

    use super::*;

    const TAPE: TapeSize = TapeSize { slots: 16, text: 0, bytes: 0 };

    /// Lives until it is told to stop, without a reactor.
    fn idle(place: &Place) {
        let mut letters = Vec::new();
        while !letters.iter().any(|letter| matches!(letter, Command::Stop)) {
            letters.clear();
            let _ = place.link().mailbox().poll_take(&mut letters, &mut std::task::Context::from_waker(Waker::noop()));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "threads are started with functions of this shape")]
    fn second_one_panics(place: Place, ready: &mut dyn FnMut(io::Result<Driver>)) {
        assert!(place.index != 1, "on purpose");
        ready(Ok(Driver::Epoll));
        idle(&place);
    }

    #[test]
    fn a_thread_that_panics_before_it_is_ready_fails_the_start_of_all() {
        let (told, tells) = mpsc::channel();
        std::thread::spawn(move || {
            let wake: Wake = Arc::new(|| ());
            let started = IoThreads::start("test", 3, TAPE, &wake, second_one_panics);
            told.send(started.map(drop).unwrap_err().to_string()).unwrap();
        });
        let error = tells.recv_timeout(Duration::from_secs(20)).expect("the start comes to an end");
        assert_eq!(error, "an I/O thread ended as it began");
    }

    #[test]
    fn a_failed_thread_is_passed_over() {
        let wake: Wake = Arc::new(|| ());
        let links: Arc<[Arc<Link>]> = (0..3).map(|_| Arc::new(Link::new(wake.clone(), TAPE))).collect();
        let place = Place { index: 0, links };
        let turns = |place: &Place| (0..4).map(|number| place.sound_from(number)).collect::<Vec<_>>();
        assert_eq!(turns(&place), [0, 1, 2, 0]);
        place.links[1].fail();
        assert_eq!(turns(&place), [0, 2, 2, 0]);
        place.links[2].fail();
        assert_eq!(turns(&place), [0, 0, 0, 0]);
    }
}
