//! Readiness of descriptors: edge-triggered for connections where the system can, level-triggered for listeners.
//!
//! A level-triggered epoll looks at every descriptor it reported once more at the next wait, only to find it drained: about 5 % of a small
//! call. So whoever handles an event of a connection reads until the socket has no more, or comes back by itself; changing the interest
//! reports what is ready anew.
//!
//! On Linux this is epoll itself: the `polling` crate re-arms a timer and a notifier at every wait, four system calls that a loop turned by
//! libuv has no use for.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::{
        io,
        os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
    };

    use rustix::{
        buffer::spare_capacity,
        event::{Timespec, epoll},
    };

    use super::{Event, Interest, Trigger};

    /// Descriptors reported by one wait at most.
    const EVENTS: usize = 1024;

    pub(crate) struct Poller {
        epoll: OwnedFd,
        events: Vec<epoll::Event>,
    }

    impl Poller {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?, events: Vec::with_capacity(EVENTS) })
        }

        pub(crate) fn descriptor(&self) -> RawFd {
            self.epoll.as_raw_fd()
        }

        pub(crate) fn add(&self, fd: impl AsFd, key: u64, interest: Interest, trigger: Trigger) -> io::Result<()> {
            Ok(epoll::add(&self.epoll, fd, epoll::EventData::new_u64(key), flags(interest, trigger))?)
        }

        pub(crate) fn modify(&self, fd: impl AsFd, key: u64, interest: Interest, trigger: Trigger) -> io::Result<()> {
            Ok(epoll::modify(&self.epoll, fd, epoll::EventData::new_u64(key), flags(interest, trigger))?)
        }

        pub(crate) fn remove(&self, fd: impl AsFd) -> io::Result<()> {
            Ok(epoll::delete(&self.epoll, fd)?)
        }

        /// What is ready now; never blocks.
        pub(crate) fn ready(&mut self, into: &mut Vec<Event>) -> io::Result<()> {
            self.events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
            into.extend(self.events.drain(..).map(|event| {
                let flags = event.flags;
                Event {
                    key: event.data.u64(),
                    readable: flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::RDHUP),
                    ended: flags.intersects(epoll::EventFlags::RDHUP | epoll::EventFlags::HUP),
                    writable: flags.contains(epoll::EventFlags::OUT),
                    broken: flags.intersects(epoll::EventFlags::HUP | epoll::EventFlags::ERR),
                }
            }));
            Ok(())
        }
    }

    fn flags(interest: Interest, trigger: Trigger) -> epoll::EventFlags {
        let mut flags = match trigger {
            Trigger::Edge => epoll::EventFlags::ET,
            Trigger::Level => epoll::EventFlags::empty(),
        };
        if interest.read {
            flags |= epoll::EventFlags::IN | epoll::EventFlags::RDHUP;
        }
        if interest.write {
            flags |= epoll::EventFlags::OUT;
        }
        // HUP and ERR are always reported, so a paused connection that breaks is noticed.
        flags
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod imp {
    use std::{
        io,
        os::fd::{AsFd, AsRawFd, RawFd},
        time::Duration,
    };

    use polling::{Event as Polled, Events, PollMode};

    use super::{Event, Interest, Trigger};

    pub(crate) struct Poller {
        poller: polling::Poller,
        events: Events,
    }

    impl Poller {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self { poller: polling::Poller::new()?, events: Events::new() })
        }

        pub(crate) fn descriptor(&self) -> RawFd {
            self.poller.as_raw_fd()
        }

        #[allow(unsafe_code)]
        pub(crate) fn add(&self, fd: impl AsFd, key: u64, interest: Interest, _: Trigger) -> io::Result<()> {
            // SAFETY: every descriptor added is removed in `Reactor` before its socket is dropped.
            unsafe { self.poller.add_with_mode(&fd.as_fd(), polled(key, interest), PollMode::Level) }
        }

        pub(crate) fn modify(&self, fd: impl AsFd, key: u64, interest: Interest, _: Trigger) -> io::Result<()> {
            self.poller.modify_with_mode(fd.as_fd(), polled(key, interest), PollMode::Level)
        }

        pub(crate) fn remove(&self, fd: impl AsFd) -> io::Result<()> {
            self.poller.delete(fd.as_fd())
        }

        pub(crate) fn ready(&mut self, into: &mut Vec<Event>) -> io::Result<()> {
            self.events.clear();
            self.poller.wait(&mut self.events, Some(Duration::ZERO))?;
            into.extend(self.events.iter().map(|event| Event {
                key: event.key as u64,
                readable: event.readable,
                // Unknown here; a level-triggered poller reports the end once what is before it was read.
                ended: false,
                writable: event.writable,
                broken: event.is_interrupt() || event.is_err() == Some(true),
            }));
            Ok(())
        }
    }

    fn polled(key: u64, interest: Interest) -> Polled {
        Polled::new(key as usize, interest.read, interest.write)
    }
}

pub(crate) use imp::Poller;
pub(crate) use volo_js_transport::Interest;

/// When a descriptor that is ready is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// Once, when it becomes ready or its interest changes. Level-triggered where the system has no edges.
    Edge,
    /// As long as it is ready.
    Level,
}

/// What a descriptor is ready for.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // they are flags of the system
pub(crate) struct Event {
    pub key: u64,
    pub readable: bool,
    /// The peer has ended: behind the bytes there is nothing more, and no further event.
    pub ended: bool,
    pub writable: bool,
    /// Both directions are closed, or the socket has an error.
    pub broken: bool,
}
