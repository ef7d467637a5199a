//! I/O threads as a subject.
#![allow(clippy::unwrap_used)]

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use volo_js_io_threads::{Command, Content, IoThreads, Run, Submission, TapeSize, Wake, split};
use volo_js_sockets::{Handle, ListenOptions, Listener, SocketOptions, peer_of};
use volo_js_tape::{Kind, OutTape};
use volo_js_transport::{Address, ClientSetup, ServerSetup};

use crate::{Message, Subject, read_messages};

/// The tape of a thread, smaller than any real one.
pub const SMALL_TAPE: TapeSize = TapeSize { slots: 4096, text: 64 << 10, bytes: 64 << 10 };

/// I/O threads, with this thread as their isolate.
pub struct Threads {
    io: IoThreads,
    /// The thread of every client.
    clients: HashMap<u32, usize>,
    /// The thread that accepts for each server.
    listeners: HashMap<u32, usize>,
}

impl Threads {
    /// `count` threads of a reactor, with [small tapes](SMALL_TAPE).
    pub fn start(name: &str, count: usize, run: Run) -> Self {
        Self::with_tape(name, count, SMALL_TAPE, run)
    }

    /// `count` threads of a reactor, with tapes of this size.
    pub fn with_tape(name: &str, count: usize, tape: TapeSize, run: Run) -> Self {
        // The tests look for themselves.
        let wake: Wake = Arc::new(|| {});
        Self::with_wake(name, count, tape, &wake, run)
    }

    /// `count` threads of a reactor, with tapes of this size, that wake their isolate like this.
    pub fn with_wake(name: &str, count: usize, tape: TapeSize, wake: &Wake, run: Run) -> Self {
        let io = IoThreads::start(name, count, tape, wake, run).unwrap();
        Self { io, clients: HashMap::new(), listeners: HashMap::new() }
    }

    /// The threads themselves.
    pub fn threads(&self) -> &IoThreads {
        &self.io
    }
}

impl Subject for Threads {
    fn engines(&self) -> usize {
        self.io.links().len()
    }

    fn add_server(&mut self, owner: u32, setups: Vec<ServerSetup>) {
        for (link, setup) in self.io.links().iter().zip(setups) {
            link.send(Command::Server { owner, setup });
        }
    }

    fn listen(&mut self, owner: u32, address: &Address, options: &ListenOptions) -> io::Result<Address> {
        let (listener, bound) = Listener::bind(address, options)?;
        let links = self.io.links();
        let accepting = self.listeners.len() % links.len();
        links[accepting].send(Command::Listen { owner, listener });
        self.listeners.insert(owner, accepting);
        Ok(bound)
    }

    fn add_client(&mut self, owner: u32, setup: ClientSetup, socket: SocketOptions) {
        let thread = self.io.for_client();
        self.clients.insert(owner, thread);
        self.io.links()[thread].send(Command::Client { owner, setup, socket });
    }

    fn close_owner(&mut self, owner: u32, grace: Duration) {
        let thread = self.clients.get(&owner).or_else(|| self.listeners.get(&owner)).unwrap();
        self.io.links()[*thread].send(Command::Close { owner, grace });
    }

    fn hand_over(&mut self, owner: u32, grace: Duration) {
        self.io.links()[self.listeners[&owner]].send(Command::HandOver { owner, grace });
    }

    fn adopt(&mut self, owner: u32, socket: Handle, unread: &[u8]) {
        let peer = peer_of(&socket).unwrap();
        self.io.links()[0].send(Command::Adopt { owner, socket, peer, unread: unread.to_vec() });
    }

    fn poll(&mut self) {}

    fn take(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        for link in self.io.links() {
            assert!(!link.has_failed(), "an I/O thread has panicked");
            let Some(batch) = link.take() else { continue };
            let used = batch.used();
            let (mut slots, mut text, mut bytes) = (vec![0; used.slots], vec![0; used.text], vec![0; used.bytes]);
            assert!(batch.copy_to(&mut slots, &mut text, &mut bytes));
            messages.extend(read_messages(&slots, &text, &bytes));
            link.give_back(batch);
        }
        messages
    }

    fn submit(&mut self, slots: &[u64], bytes: &[u8]) {
        let mut parts = vec![Vec::new(); self.engines()];
        split(&OutTape::new(slots, &[], bytes), &mut parts, |header| match header.kind {
            Kind::Call | Kind::Request | Kind::Cancel | Kind::Connect => self.clients.get(&header.owner).copied(),
            _ => Some(self.io.of_call(header.call)),
        })
        .unwrap();
        let content = Arc::new(Content { text: Vec::new(), bytes: bytes.to_vec(), arrays: Vec::new() });
        for (link, slots) in self.io.links().iter().zip(parts) {
            if !slots.is_empty() {
                link.submit(Submission { slots, content: content.clone() });
            }
        }
    }

    fn flush(&mut self) {}

    fn tick(&mut self) {}

    fn is_busy(&mut self) -> bool {
        self.io.is_busy()
    }

    fn has_backlog(&self) -> bool {
        false
    }
}
