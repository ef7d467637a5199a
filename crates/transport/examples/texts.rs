//! A gRPC server without JavaScript: `texts 5001`. It answers `test.Texts/Unary`, `Up`, `Down` and `Both` of the tests, for conformance tools
//! (h2spec), load generators (h2load, ghz) and attacks. What it does with a call is what JavaScript would do with it on the tape.

#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{io::unix::AsyncFd, runtime::Builder, time::timeout};
use volo_js_reactor_inline::Reactor;
use volo_js_sockets::ListenOptions;
use volo_js_tape::{
    InState, InTape, Kind,
    testing::{InReader, OutWriter},
};
use volo_js_transport::{Address, GrpcOptions, GrpcServerSetup, ServerOptions, ServerSetup};

use support::{BOTH, DOWN, Got, SERVER, UNARY};

/// What JavaScript would write.
struct Answers(OutWriter);

impl Answers {
    fn message(&mut self, kind: Kind, to: &Got, text: &str) {
        let header =
            volo_js_tape::Header { kind, call: to.call, generation: to.generation, method: to.method, owner: to.owner };
        let body = self.0.begin(&header);
        self.0.alloc(3);
        let base = self.0.alloc_struct(2);
        self.0.mark_present(base, 0);
        self.0.put_string(base + 1, text);
        self.0.point(body, base, 0);
        self.0.put_string(body + 1, "");
        self.0.put_string(body + 2, "");
        self.0.commit();
    }

    fn number(&mut self, kind: Kind, to: &Got, number: i32) {
        let header =
            volo_js_tape::Header { kind, call: to.call, generation: to.generation, method: to.method, owner: to.owner };
        let body = self.0.begin(&header);
        self.0.alloc(4);
        self.0.set_i32(body, number, 0);
        (1..4).for_each(|n| self.0.put_string(body + n, ""));
        self.0.commit();
    }

    fn answer(&mut self, got: &Got) {
        match (got.kind, got.method) {
            (Kind::Request, UNARY) => self.message(Kind::Response, got, "Powered by Volo"),
            (Kind::Request, DOWN) => {
                (1..=10).for_each(|n| self.message(Kind::StreamMessage, got, &format!("Item {n}")));
                self.number(Kind::StreamEnd, got, 0);
            }
            (Kind::StreamMessage, method) => {
                if method == BOTH {
                    self.message(Kind::StreamMessage, got, got.text.as_deref().unwrap_or_default());
                }
                if got.first.1 & 1 == 1 {
                    self.number(Kind::Credit, got, 1 << 20);
                }
            }
            (Kind::StreamEnd, BOTH) => self.number(Kind::StreamEnd, got, 0),
            (Kind::StreamEnd, _) => self.message(Kind::Response, got, "all"),
            (Kind::Event, _) => eprintln!("{}", got.strings[0]),
            _ => {}
        }
    }
}

fn main() {
    let port: u16 = env::args().nth(1).unwrap().parse().unwrap();
    let mut reactor = Reactor::new().unwrap();
    let options = GrpcOptions::default();
    let setup = ServerSetup::of_grpc(
        GrpcServerSetup::new(support::program(), &[0, 1, 2, 3], options),
        ServerOptions::default(),
    );
    let counters = Arc::clone(&setup.counters);
    reactor.engine().add_server(SERVER, setup);
    let address = Address::Tcp(([127, 0, 0, 1], port).into());
    reactor.listen(SERVER, &address, &ListenOptions::default()).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    #[allow(deprecated)] // its successor wants an owner of the descriptor, which the reactor keeps
    let descriptor = runtime.block_on(async { AsyncFd::new(reactor.descriptor()) }).unwrap();
    let (mut slots, mut text, mut bytes) = (vec![0; 1 << 18], vec![0; 1 << 20], vec![0; 8 << 20]);
    let mut state = InState::new();
    let mut told = Instant::now();
    loop {
        reactor.poll(&mut InTape::new(&mut slots, &mut text, &mut bytes, &mut state)).unwrap();
        if !state.is_empty() {
            let reader = InReader::new(&slots, &text, &bytes);
            let mut answers = Answers(OutWriter::new());
            for message in reader.messages() {
                answers.answer(&support::read(&reader, &message));
            }
            state.reset();
            answers.0.finish();
            reactor.submit(&answers.0.tape()).unwrap();
        }
        reactor.flush();
        if told.elapsed().as_secs() >= 5 {
            told = Instant::now();
            eprintln!("{:?}", counters.read());
        }
        if !reactor.has_backlog() {
            runtime.block_on(async {
                if let Ok(guard) = timeout(Duration::from_millis(100), descriptor.readable()).await {
                    guard.unwrap().clear_ready();
                }
            });
            reactor.tick();
        }
    }
}
