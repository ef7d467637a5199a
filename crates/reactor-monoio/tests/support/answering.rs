//! A server that answers every call with its own text.
#![allow(dead_code)]

use std::net::SocketAddr;

use volo_js_io_threads::{Driver, Run};
use volo_js_reactor_tests::{Harness, Message, Threads};
use volo_js_tape::Kind;
use volo_js_transport::ServerOptions;

pub struct Answering {
    pub harness: Harness<Threads>,
    pub owner: u32,
    pub address: SocketAddr,
}

impl Answering {
    pub fn start(threads: usize, run: Run) -> Self {
        let mut harness = Harness::new(Box::new(Threads::start("monoio", threads, run)));
        let (owner, address) = harness.listen(ServerOptions::default());
        Self { harness, owner, address }
    }

    pub fn driver(&self) -> Driver {
        self.harness.subject.threads().driver()
    }

    /// Waits for so many calls and answers them.
    pub fn answer(&mut self, count: usize) {
        let calls = self.harness.kinds(Kind::Call, count);
        self.reply(&calls);
    }

    /// Answers what has come by now; how many calls that were.
    pub fn answer_some(&mut self) -> usize {
        let calls = self.harness.turn();
        self.reply(&calls);
        calls.len()
    }

    fn reply(&mut self, calls: &[Message]) {
        for call in calls {
            self.harness.reply(call, &call.text);
        }
        self.harness.send();
    }
}
