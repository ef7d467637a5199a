//! An I/O thread's part of the work: an engine, the tape it fills, and its end of the link.

use std::{
    collections::HashMap,
    io,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use volo_js_sockets::{Connecting, Handle, SocketOptions};
use volo_js_tape::MOST_SLOTS;
use volo_js_transport::{Address, ConnectionId, Engine, Level, Peer};

use crate::{Arrival, Batch, Command, Link, Place, TapeSize};

/// How often [`Shard::tick`] is to be called while [`Shard::tick_after`] says so.
const TICK: Duration = Duration::from_millis(100);

/// One I/O thread's part. A reactor owns it, feeds its engine from sockets, and turns it:
///
/// 1. wait until [`poll_turn`](Self::poll_turn) is ready;
/// 2. [`begin_turn`](Self::begin_turn), and do what arrived;
/// 3. carry out the engine's actions and write to the dirty connections;
/// 4. [`end_turn`](Self::end_turn).
pub struct Shard {
    engine: Engine,
    /// Being filled.
    batch: Batch,
    place: Place,
    link: Arc<Link>,
    letters: Vec<Command>,
    /// Letters taken since the last report.
    worked_off: u64,
    /// Something has happened that a turn has to see to.
    wanted: bool,
    turner: Option<Waker>,
    /// Servers that this thread accepts for.
    accepts: Vec<u32>,
    /// Options of the sockets that clients make.
    client_sockets: HashMap<u32, SocketOptions>,
    /// Which thread gets the next connection accepted here.
    next: usize,
}

impl Shard {
    /// The part at this place.
    pub fn new(place: Place) -> Self {
        let engine = Engine::beside(Instant::now(), place.index as u32, place.shift());
        let link = place.link().clone();
        link.show(engine.peers().clone(), engine.pools().clone());
        Self {
            engine,
            batch: link.empty_batch(),
            accepts: Vec::new(),
            client_sockets: HashMap::new(),
            next: place.index,
            place,
            link,
            letters: Vec::new(),
            worked_off: 0,
            wanted: false,
            turner: None,
        }
    }

    /// Servers, clients and calls. Whoever changes something there [wants a turn](Self::want_turn).
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Bytes have arrived on a connection.
    pub fn receive(&mut self, id: ConnectionId, bytes: Bytes) {
        self.want_turn();
        self.engine.receive(id, bytes, &mut self.batch.tape());
        self.enlarge_if_needed();
    }

    /// Asks for a turn, which comes after what else is ready now, so that one turn serves many connections.
    pub fn want_turn(&mut self) {
        if self.wanted {
            return;
        }
        self.wanted = true;
        // The first thing since the last turn: the thread may have slept since.
        self.engine.set_now(Instant::now());
        if let Some(turner) = self.turner.take() {
            turner.wake();
        }
    }

    /// Ready when there is something for a turn to do. Only one task may wait for it.
    pub fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.letters.is_empty() {
            return Poll::Ready(());
        }
        let letters = self.link.mailbox().poll_take(&mut self.letters, cx);
        if letters.is_ready() || self.wanted {
            return Poll::Ready(());
        }
        match &mut self.turner {
            Some(turner) => turner.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Reads letters and goes on with what had to wait. What only the reactor can do is appended to `arrivals`.
    pub fn begin_turn(&mut self, arrivals: &mut Vec<Arrival>) {
        self.engine.set_now(Instant::now());
        let mut letters = std::mem::take(&mut self.letters);
        let mut kept = Vec::new();
        for letter in letters.drain(..) {
            // A connection may get the id of one that an earlier letter has closed, whose socket is still there: in the next turn it is not.
            if !kept.is_empty()
                || matches!(letter, Command::Connection { .. } | Command::Adopt { .. }) && self.engine.has_actions()
            {
                kept.push(letter);
                continue;
            }
            self.worked_off += 1;
            self.obey(letter, arrivals);
        }
        letters.append(&mut kept);
        self.letters = letters;
        self.engine.work_off(&mut self.batch.tape());
        self.enlarge_if_needed();
    }

    fn obey(&mut self, letter: Command, arrivals: &mut Vec<Arrival>) {
        match letter {
            Command::Server { owner, setup } => self.engine.add_server(owner, setup),
            Command::Client { owner, setup, socket } => {
                self.engine.add_client(owner, setup);
                // Nobody tells when an owner has gone.
                self.client_sockets.retain(|owner, _| self.engine.has_owner(*owner));
                self.client_sockets.insert(owner, socket);
            }
            Command::Listen { owner, listener } => {
                // Not when they are told to close, for they may be told once more.
                self.accepts.retain(|owner| self.engine.has_owner(*owner));
                self.accepts.push(owner);
                arrivals.push(Arrival::Listen { owner, listener });
            }
            Command::Connection { owner, socket, peer, seat } => {
                if let Some(id) = self.engine.accepted(owner, peer, seat) {
                    arrivals.push(Arrival::Connection { id, socket });
                }
            }
            Command::Adopt { owner, socket, peer, unread } => {
                let seat = self.engine.admit(owner, &peer);
                if let Some(id) = seat.and_then(|seat| self.engine.adopt(owner, peer, seat, &unread)) {
                    arrivals.push(Arrival::Connection { id, socket });
                }
            }
            Command::Submit(submission) => {
                if let Err(damage) = submission.read(|tape| self.engine.submit(tape)) {
                    self.engine.report(
                        Level::Error,
                        &format!(
                            "{damage}. This is a defect of volo-js or of generated code made by another version; run `volo build` again."
                        ),
                    );
                }
            }
            Command::Readdress { owner, address } => self.engine.readdress(owner, address),
            Command::Health { owner, service, status } => self.engine.set_health(owner, &service, status),
            Command::Close { owner, grace } => {
                self.forward(owner, || Command::Close { owner, grace });
                self.engine.close_owner(owner, grace);
            }
            Command::HandOver { owner, grace } => {
                self.forward(owner, || Command::HandOver { owner, grace });
                self.engine.hand_over(owner, grace);
            }
            Command::Stop => arrivals.push(Arrival::Stop),
        }
    }

    /// Tells the other threads of the end of a server that this one accepts for: behind the connections that it has sent them.
    fn forward(&mut self, owner: u32, command: impl Fn() -> Command) {
        if !self.accepts.contains(&owner) {
            return;
        }
        for (index, link) in self.place.links.iter().enumerate() {
            if index != self.place.index {
                link.send(command());
            }
        }
    }

    /// Decides where a connection that was accepted here lives. Its id and socket if that is this thread; None if another one has got it, or it
    /// was refused. The engine's actions must have been carried out: the id may be that of a connection they close.
    pub fn place(&mut self, owner: u32, socket: Handle, peer: Peer) -> Option<(ConnectionId, Handle)> {
        self.want_turn();
        let seat = self.engine.admit(owner, &peer)?;
        // The other threads may have closed theirs already.
        let to = if self.engine.is_closing(owner) { self.place.index } else { self.place.sound_from(self.next) };
        self.next = to + 1;
        if to == self.place.index {
            return Some((self.engine.accepted(owner, peer, seat)?, socket));
        }
        self.place.links[to].send(Command::Connection { owner, socket, peer, seat });
        None
    }

    /// Begins to make a connection of a client.
    ///
    /// # Errors
    /// As [`volo_js_sockets::connect`].
    pub fn connect(&mut self, id: ConnectionId, address: &Address) -> io::Result<Connecting> {
        let options = self.engine.owner_of(id).and_then(|owner| self.client_sockets.get(&owner));
        volo_js_sockets::connect(address, &options.copied().unwrap_or_default())
    }

    /// Hands over what lies on the tape, and asks for another turn if there is more that could be done.
    pub fn end_turn(&mut self) {
        self.wanted = false;
        if !self.batch.is_empty() {
            self.link.put(&mut self.batch);
        }
        if self.batch.is_empty() && self.engine.has_backlog() {
            self.want_turn();
        }
        let worked_off = std::mem::take(&mut self.worked_off);
        self.link.report(self.engine.is_busy() || !self.batch.is_empty(), worked_off);
    }

    /// How long until the next [`Shard::tick`]; None if nothing depends on time.
    pub fn tick_after(&self) -> Option<Duration> {
        self.engine.needs_tick().then(|| self.engine.tick_within(TICK))
    }

    /// Looks for what has run out of time.
    pub fn tick(&mut self) {
        self.want_turn();
        self.engine.set_now(Instant::now());
        self.engine.tick();
    }

    /// A message that does not fit an empty tape gets a larger one.
    fn enlarge_if_needed(&mut self) {
        while let Some(growth) = self.engine.take_growth().filter(|_| self.batch.is_empty()) {
            let size = self.batch.size();
            let size = TapeSize {
                slots: (size.slots * 4).min(MOST_SLOTS),
                text: size.text.max(growth.text),
                bytes: size.bytes.max(growth.bytes),
            };
            self.batch = Batch::new(size);
            self.engine.work_off(&mut self.batch.tape());
        }
    }
}
