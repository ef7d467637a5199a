//! The inline reactor as a subject, turned by the test: the `Reactor` that the test's root names.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::{io, time::Duration};

use volo_js_reactor_tests::{Lending, Message, Subject, read_messages};
use volo_js_sockets::{Handle, ListenOptions, SocketOptions, peer_of};
use volo_js_tape::{InState, InTape, OutTape};
use volo_js_transport::{Address, ClientSetup, ServerSetup};

use crate::Reactor;

pub struct Inline {
    pub reactor: Reactor,
    slots: Vec<u64>,
    text: Vec<u8>,
    bytes: Vec<u8>,
    state: InState,
}

impl Inline {
    pub fn boxed() -> Box<Self> {
        let mut reactor = Reactor::new().unwrap();
        reactor.engine().set_lender(Lending::default().lender());
        Box::new(Self {
            reactor,
            slots: vec![0; 4096],
            text: vec![0; 64 << 10],
            bytes: vec![0; 64 << 10],
            state: InState::default(),
        })
    }
}

impl Subject for Inline {
    fn engines(&self) -> usize {
        1
    }

    fn add_server(&mut self, owner: u32, mut setups: Vec<ServerSetup>) {
        self.reactor.engine().add_server(owner, setups.remove(0));
    }

    fn listen(&mut self, owner: u32, address: &Address, options: &ListenOptions) -> io::Result<Address> {
        self.reactor.listen(owner, address, options)
    }

    fn add_client(&mut self, owner: u32, setup: ClientSetup, socket: SocketOptions) {
        self.reactor.engine().add_client(owner, setup);
        self.reactor.set_client_socket(owner, socket);
    }

    fn close_owner(&mut self, owner: u32, grace: Duration) {
        self.reactor.close_owner(owner, grace);
    }

    fn hand_over(&mut self, owner: u32, grace: Duration) {
        self.reactor.hand_over(owner, grace);
    }

    fn adopt(&mut self, owner: u32, socket: Handle, unread: &[u8]) {
        let peer = peer_of(&socket).unwrap();
        self.reactor.adopt(owner, socket, peer, unread);
    }

    fn poll(&mut self) {
        loop {
            let mut tape = InTape::new(&mut self.slots, &mut self.text, &mut self.bytes, &mut self.state);
            self.reactor.poll(&mut tape).unwrap();
            let growth = self.reactor.engine().take_growth();
            match growth.filter(|_| self.state.is_empty()) {
                None => break,
                Some(growth) => {
                    self.slots.resize(self.slots.len() * 4, 0);
                    self.text.resize(self.text.len().max(growth.text), 0);
                    self.bytes.resize(self.bytes.len().max(growth.bytes), 0);
                }
            }
        }
    }

    fn take(&mut self) -> Vec<Message> {
        let messages = read_messages(&self.slots, &self.text, &self.bytes);
        self.state.reset();
        messages
    }

    fn submit(&mut self, slots: &[u64], bytes: &[u8]) {
        self.reactor.submit(&OutTape::new(slots, &[], bytes)).unwrap();
    }

    fn flush(&mut self) {
        self.reactor.flush();
    }

    fn tick(&mut self) {
        self.reactor.tick();
    }

    fn is_busy(&mut self) -> bool {
        self.reactor.engine().is_busy()
    }

    fn has_backlog(&self) -> bool {
        self.reactor.has_backlog()
    }
}
