//! The loop of an isolate where libuv has no descriptor to wait on: in-process connections, and no sockets. Those are served by the runtime
//! `tokio` there.

use std::{
    io,
    time::{Duration, Instant},
};

use volo_js_sockets::{Handle, ListenOptions, SocketOptions};
use volo_js_tape::{InTape, Malformed, OutTape};
use volo_js_transport::{Action, Address, ConnectionId, Engine, Level, Peer};

/// How often timeouts are looked for.
const TICK: Duration = Duration::from_millis(100);
/// Why there is no socket, and what to do.
const NO_SOCKETS: &str = "the runtime inline has no sockets on this system; use the runtime tokio";

/// The loop of one isolate. There is nothing to wait on: it is turned while [`Reactor::has_backlog`], and every [`Reactor::tick_after`].
pub struct Reactor {
    engine: Engine,
    dirty: Vec<ConnectionId>,
}

// The signatures are those of the reactor with sockets.
#[allow(clippy::unnecessary_wraps, clippy::unused_self)]
impl Reactor {
    /// A loop with nothing in it.
    ///
    /// # Errors
    /// None here; where there are sockets, the system's.
    pub fn new() -> io::Result<Self> {
        Ok(Self { engine: Engine::new(Instant::now()), dirty: Vec::new() })
    }

    /// Servers, clients and calls.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Listens for a server of the engine; tells the address.
    ///
    /// # Errors
    /// `AddrInUse` if another server of this isolate has the name; `Unsupported` for an address that needs a socket.
    pub fn listen(&mut self, owner: u32, address: &Address, _: &ListenOptions) -> io::Result<Address> {
        match address {
            Address::Memory(name) => self.engine.listen_memory(owner, name),
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, NO_SOCKETS)),
        }
    }

    /// Lets an owner's calls finish for `grace`, then closes what is left.
    pub fn close_owner(&mut self, owner: u32, grace: Duration) {
        self.engine.set_now(Instant::now());
        self.engine.close_owner(owner, grace);
        self.carry_out();
    }

    /// As [`Reactor::close_owner`]: in-process connections stay in their process.
    pub fn hand_over(&mut self, owner: u32, grace: Duration) {
        self.engine.set_now(Instant::now());
        self.engine.hand_over(owner, grace);
        self.carry_out();
    }

    /// Closes the connection, and reports that: it needs a runtime with sockets.
    pub fn adopt(&mut self, _: u32, socket: Handle, _: Peer, _: &[u8]) {
        drop(socket);
        self.engine.report(Level::Error, &format!("a connection was closed instead of taken over: {NO_SOCKETS}"));
    }

    /// Nothing: a client here makes no sockets.
    pub fn set_client_socket(&mut self, _: u32, _: SocketOptions) {}

    /// Must the loop be turned again without waiting?
    pub fn has_backlog(&self) -> bool {
        self.engine.has_backlog()
    }

    /// How long to wait for the next [`Reactor::tick`]; None if nothing depends on time.
    pub fn tick_after(&self) -> Option<Duration> {
        self.engine.needs_tick().then(|| self.engine.tick_within(TICK))
    }

    /// Looks for what has run out of time.
    pub fn tick(&mut self) {
        self.engine.set_now(Instant::now());
        self.engine.tick();
        self.carry_out();
    }

    /// Carries bytes between the ends of connections, as far as the tape has room. Never blocks.
    ///
    /// # Errors
    /// None here; where there are sockets, the system's.
    pub fn poll(&mut self, tape: &mut InTape<'_>) -> io::Result<()> {
        self.engine.set_now(Instant::now());
        self.engine.work_off(tape);
        self.carry_out();
        Ok(())
    }

    /// Takes what JavaScript wrote.
    ///
    /// # Errors
    /// [`Malformed`] if the tape is damaged.
    pub fn submit(&mut self, tape: &OutTape<'_>) -> Result<(), Malformed> {
        self.engine.set_now(Instant::now());
        let result = self.engine.submit(tape);
        self.carry_out();
        result
    }

    /// Forgets what would go to sockets; the rest is carried by [`Reactor::poll`].
    pub fn flush(&mut self) {
        self.engine.take_dirty(&mut self.dirty);
        self.dirty.clear();
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(action) = self.engine.next_action() {
            match action {
                Action::Connect(id, _) => {
                    let why = self.engine.cannot_connect(id, NO_SOCKETS);
                    self.engine.closed(id, &why);
                }
                Action::Look(id) => self.engine.looked(id),
                Action::HandOver { owner, .. } => self.engine.not_handed_over(owner, NO_SOCKETS),
                // What is done with sockets only.
                Action::Close(_) | Action::Reset(_) | Action::Interest(_) | Action::StopListening(_) => {}
            }
        }
    }
}
