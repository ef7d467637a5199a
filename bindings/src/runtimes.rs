//! Which servers and clients live where: on the isolate's own thread, or on I/O threads, of whichever runtimes were asked for.

use std::{collections::HashMap, sync::Arc};

use napi::{Error, Status};
use volo_js_io_threads::{Driver, IoThreads, Link, Run, TapeSize, Wake};
use volo_js_tape::{Header, Kind};
use volo_js_transport::{ClientCounters, ServerCounters};

/// Part of the out tape that is for the isolate's own thread; the threads' parts follow.
pub(crate) const INLINE: usize = 0;

/// What moves the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuntimeKind {
    Inline,
    Tokio,
    Monoio,
}

impl RuntimeKind {
    pub(crate) fn named(name: Option<&str>) -> Result<Self, Error<String>> {
        match name {
            None | Some("inline") => Ok(Self::Inline),
            Some("tokio") => Ok(Self::Tokio),
            Some("monoio") => Ok(Self::Monoio),
            Some(other) => Err(Error::new(
                "ERR_INVALID_ARG_VALUE".to_owned(),
                format!("there is no runtime {other:?}; there are inline, tokio and monoio"),
            )),
        }
    }

    fn run(self) -> Option<(&'static str, Run)> {
        match self {
            Self::Inline => None,
            Self::Tokio => Some(("tokio", volo_js_reactor_tokio::run)),
            #[cfg(unix)]
            Self::Monoio => Some(("monoio", volo_js_reactor_monoio::run)),
            #[cfg(not(unix))]
            Self::Monoio => None,
        }
    }
}

/// The threads of one runtime.
struct Runtime {
    kind: RuntimeKind,
    threads: IoThreads,
    /// Its first thread's part of the out tape.
    first: usize,
}

/// Where a server or client lives, and what it counts.
pub(crate) enum Home {
    Server {
        runtime: Option<usize>,
        counters: Vec<Arc<ServerCounters>>,
    },
    Client {
        part: usize,
        counters: Arc<ClientCounters>,
    },
    /// A client that a server passes calls on to: it lives where the server does, and JavaScript does not call by it.
    Upstream {
        runtime: Option<usize>,
        counters: Vec<Arc<ClientCounters>>,
    },
}

/// The runtimes of an isolate, and its servers and clients.
#[derive(Default)]
pub(crate) struct Runtimes {
    started: Vec<Runtime>,
    /// All threads, in the order of their parts.
    links: Vec<Arc<Link>>,
    homes: HashMap<u32, Home>,
}

/// A runtime that was asked for and is there.
pub(crate) struct Started {
    pub index: usize,
    pub driver: Driver,
    pub threads: usize,
}

impl Runtimes {
    /// The runtime of this kind with so many threads, started if it is not there yet.
    pub(crate) fn start(
        &mut self,
        kind: RuntimeKind,
        threads: usize,
        tape: TapeSize,
        wake: &Wake,
    ) -> Result<Started, Error<String>> {
        let found = self.started.iter().position(|other| other.kind == kind && other.threads.links().len() == threads);
        let index = match found {
            Some(index) => index,
            None => {
                let (name, run) = kind.run().ok_or_else(|| {
                    Error::new("ERR_RUNTIME".to_owned(), "this system has no runtime monoio; use tokio".to_owned())
                })?;
                let threads = IoThreads::start(name, threads, tape, wake, run).map_err(|error| {
                    Error::new("ERR_RUNTIME".to_owned(), format!("the runtime {name} cannot be started: {error}"))
                })?;
                self.links.extend(threads.links().iter().cloned());
                let first = INLINE + 1 + self.links.len() - threads.links().len();
                self.started.push(Runtime { kind, threads, first });
                self.started.len() - 1
            }
        };
        let threads = &self.started[index].threads;
        Ok(Started { index, driver: threads.driver(), threads: threads.links().len() })
    }

    /// The threads of a runtime.
    pub(crate) fn links_of(&self, runtime: usize) -> &[Arc<Link>] {
        self.started[runtime].threads.links()
    }

    /// All threads.
    pub(crate) fn links(&self) -> &[Arc<Link>] {
        &self.links
    }

    /// The thread that gets one more client of a runtime: its part, and the way to it.
    pub(crate) fn for_client(&mut self, runtime: usize) -> (usize, Arc<Link>) {
        let runtime = &mut self.started[runtime];
        let index = runtime.threads.for_client();
        (runtime.first + index, runtime.threads.links()[index].clone())
    }

    pub(crate) fn settle_in(&mut self, owner: u32, home: Home) {
        self.homes.insert(owner, home);
    }

    pub(crate) fn home(&self, owner: u32) -> Option<&Home> {
        self.homes.get(&owner)
    }

    pub(crate) fn forget(&mut self, owner: u32) {
        self.homes.remove(&owner);
    }

    /// Whom a message of the out tape is for; None if nobody waits for it any more.
    pub(crate) fn part_of(&self, header: &Header) -> Option<usize> {
        match (header.kind, self.homes.get(&header.owner)) {
            (_, Some(Home::Client { part, .. })) => Some(*part),
            (_, Some(Home::Server { runtime: Some(runtime), .. })) => {
                let runtime = &self.started[*runtime];
                let index = runtime.threads.of_call(header.call);
                (index < runtime.threads.links().len()).then_some(runtime.first + index)
            }
            // An engine without the client of a call says that it is closed.
            (Kind::Call | Kind::Request | Kind::Cancel | Kind::Connect, _)
            | (_, Some(Home::Server { runtime: None, .. })) => Some(INLINE),
            // Calls are named by their engine: any other one may have a call of the same name.
            _ => None,
        }
    }

    /// The thread that a server's call came by; None if that is the isolate's own.
    pub(crate) fn of_call(&self, owner: u32, slot: u32) -> Option<&Arc<Link>> {
        match self.homes.get(&owner)? {
            Home::Server { runtime: Some(runtime), .. } => {
                let threads = &self.started[*runtime].threads;
                threads.links().get(threads.of_call(slot))
            }
            _ => None,
        }
    }

    /// Where messages about an owner go: its threads, none if it lives on the isolate's own.
    pub(crate) fn links_of_owner(&self, owner: u32) -> &[Arc<Link>] {
        match self.homes.get(&owner) {
            Some(Home::Server { runtime: Some(runtime), .. } | Home::Upstream { runtime: Some(runtime), .. }) => {
                self.links_of(*runtime)
            }
            Some(Home::Client { part, .. }) if *part != INLINE => &self.links[part - 1..*part],
            _ => &[],
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.started.iter().any(|runtime| runtime.threads.is_busy())
    }

    /// Ends and joins all threads.
    pub(crate) fn end(&mut self) {
        self.links.clear();
        self.started.clear();
    }
}

/// The error of a call into the core, for what a user passed.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(Status::InvalidArg, message.into())
}
