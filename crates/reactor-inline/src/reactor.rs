//! Sockets and readiness around an [`Engine`].

use std::{
    io::{self, IoSliceMut},
    os::fd::{OwnedFd, RawFd},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags, recv, recvmsg, send, sendmsg};
use slab::Slab;
use volo_js_sockets::{
    Connecting, Handle, ListenOptions, Listener, SocketOptions,
    held::{self, Held},
};
use volo_js_tape::{InTape, Malformed, OutTape};
use volo_js_transport::{Action, Address, ConnectionId, Engine, Interest, Peer};

use crate::poller::{Event, Poller, Trigger};

/// A peer that is gone is an error, not a signal. Apple's systems have no such flag; Node ignores the signal everywhere.
#[cfg(not(target_vendor = "apple"))]
const QUIETLY: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const QUIETLY: SendFlags = SendFlags::empty();

/// Bytes received with one system call.
const CHUNK: usize = 64 << 10;
/// Below this much room the receive buffer is renewed.
const LEAST: usize = 16 << 10;
/// Marks a poller key as a listener's.
const LISTENER: u64 = 1 << 32;
/// Where the serial number stands in a connection's poller key, above its id and the mark of listeners, and its bits.
const SERIAL: u32 = 33;
const SERIAL_BITS: u32 = 30;
/// How often timeouts are looked for, and how long accepting rests after it failed.
const TICK: Duration = Duration::from_millis(100);

struct Connection {
    fd: OwnedFd,
    /// Tells events of this socket from those of the one that had its id before, which may still wait to be looked at.
    key: u64,
    interest: Interest,
    connecting: bool,
}

struct Listening {
    listener: Listener,
    owner: u32,
    /// Accepting failed and rests.
    resting: bool,
}

/// The loop of one isolate.
pub struct Reactor {
    engine: Engine,
    poller: Poller,
    /// By the engine's connection id.
    connections: Vec<Option<Connection>>,
    /// Of the last connection.
    serial: u64,
    listeners: Slab<Listening>,
    events: Vec<Event>,
    next_event: usize,
    /// Where bytes are received. What a message takes is split off and comes back once the message is decoded.
    chunk: BytesMut,
    dirty: Vec<ConnectionId>,
    /// Connections whose socket may hold more than was read.
    unread: Vec<Event>,
    client_sockets: Vec<(u32, SocketOptions)>,
    /// Connections about to be closed that are to be read once more.
    looks: Vec<ConnectionId>,
}

impl Reactor {
    /// A loop with nothing in it.
    pub fn new() -> io::Result<Self> {
        let mut engine = Engine::new(Instant::now());
        engine.set_lends(true);
        Ok(Self {
            engine,
            poller: Poller::new()?,
            connections: Vec::new(),
            serial: 0,
            listeners: Slab::new(),
            events: Vec::new(),
            next_event: 0,
            chunk: BytesMut::zeroed(CHUNK),
            dirty: Vec::new(),
            unread: Vec::new(),
            client_sockets: Vec::new(),
            looks: Vec::new(),
        })
    }

    /// The descriptor to wait on: readable when [`Reactor::poll`] has something to do.
    pub fn descriptor(&self) -> RawFd {
        self.poller.descriptor()
    }

    /// Servers, clients and calls.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Listens for a server of the engine; tells the bound address.
    pub fn listen(&mut self, owner: u32, address: &Address, options: &ListenOptions) -> io::Result<Address> {
        if let Address::Memory(name) = address {
            return self.engine.listen_memory(owner, name);
        }
        let (listener, bound) = Listener::bind(address, options)?;
        let entry = self.listeners.vacant_entry();
        self.poller.add(
            &listener,
            LISTENER | entry.key() as u64,
            Interest { read: true, write: false },
            Trigger::Level,
        )?;
        entry.insert(Listening { listener, owner, resting: false });
        Ok(bound)
    }

    /// Lets an owner's calls finish for `grace`, then closes what is left.
    pub fn close_owner(&mut self, owner: u32, grace: Duration) {
        self.engine.set_now(Instant::now());
        // Who has connected already is served: closing a listener resets what waits in its queue.
        let listening = self.listeners.iter().filter(|(_, listening)| listening.owner == owner);
        for key in listening.map(|(key, _)| key).collect::<Vec<_>>() {
            self.accept(key);
        }
        self.engine.close_owner(owner, grace);
        self.client_sockets.retain(|(other, _)| *other != owner);
        self.carry_out();
    }

    /// Hands a server's connections over to another one, see [`Engine::hand_over`]. Their sockets are held for the process then, under the
    /// numbers that messages for JavaScript tell. Who waits in the listener's queue is left to whoever else has that socket.
    pub fn hand_over(&mut self, owner: u32, grace: Duration) {
        self.engine.set_now(Instant::now());
        self.engine.hand_over(owner, grace);
        self.carry_out();
    }

    /// Goes on with a connection of another server, see [`Engine::adopt`].
    pub fn adopt(&mut self, owner: u32, socket: Handle, peer: Peer, unread: &[u8]) {
        self.engine.set_now(Instant::now());
        // A refused connection is closed by being dropped.
        let seat = self.engine.admit(owner, &peer);
        if let Some(id) = seat.and_then(|seat| self.engine.adopt(owner, peer, seat, unread)) {
            self.attend(id, socket);
        }
        self.carry_out();
    }

    /// Options of the sockets a client makes.
    pub fn set_client_socket(&mut self, owner: u32, options: SocketOptions) {
        self.client_sockets.retain(|(other, _)| *other != owner);
        self.client_sockets.push((owner, options));
    }

    /// Must the loop be turned again without waiting?
    pub fn has_backlog(&self) -> bool {
        self.next_event < self.events.len()
            || !self.unread.is_empty()
            || !self.looks.is_empty()
            || self.engine.has_backlog()
    }

    /// How long to wait for the next [`Reactor::tick`]; None if nothing depends on time.
    pub fn tick_after(&self) -> Option<Duration> {
        let resting = self.listeners.iter().any(|(_, listening)| listening.resting);
        (self.engine.needs_tick() || resting).then(|| self.engine.tick_within(TICK))
    }

    /// Looks for what has run out of time.
    pub fn tick(&mut self) {
        self.engine.set_now(Instant::now());
        self.engine.tick();
        for (key, listening) in &mut self.listeners {
            if std::mem::take(&mut listening.resting) {
                // Fails only for a descriptor that was never added.
                let _ = self.poller.modify(
                    &listening.listener,
                    LISTENER | key as u64,
                    Interest { read: true, write: false },
                    Trigger::Level,
                );
            }
        }
        self.carry_out();
    }

    /// Reads what has arrived, as far as the tape has room. Never blocks.
    pub fn poll(&mut self, tape: &mut InTape<'_>) -> io::Result<()> {
        self.engine.set_now(Instant::now());
        self.engine.work_off(tape);
        self.carry_out();
        if self.next_event >= self.events.len() {
            self.events.clear();
            self.next_event = 0;
            self.poller.ready(&mut self.events)?;
            // Behind the others, so that one busy connection does not hold them up.
            self.events.append(&mut self.unread);
        }
        while let Some(&event) = self.events.get(self.next_event) {
            if self.engine.is_turn_over(tape) {
                break;
            }
            self.next_event += 1;
            if event.key & LISTENER != 0 {
                self.accept((event.key & !LISTENER) as usize);
            } else {
                self.ready(event.key as ConnectionId, event, tape);
            }
            self.carry_out();
        }
        while !self.engine.is_turn_over(tape) {
            let Some(id) = self.looks.pop() else { break };
            self.look(id, tape);
            self.carry_out();
        }
        Ok(())
    }

    /// Takes what JavaScript wrote.
    ///
    /// # Errors
    /// [`Malformed`] if the tape is damaged.
    pub fn submit(&mut self, tape: &OutTape<'_>) -> Result<(), Malformed> {
        // A handler may have run for long; a connection that is made now is not as old as the turn.
        self.engine.set_now(Instant::now());
        let result = self.engine.submit(tape);
        while let Some(id) = self.engine.next_gapped() {
            self.write_pieces(id, tape.arrays());
        }
        self.carry_out();
        result
    }

    /// Writes what is to be written.
    pub fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        self.engine.take_dirty(&mut dirty);
        for id in dirty.drain(..) {
            self.write(id);
        }
        self.dirty = dirty;
        self.carry_out();
    }

    fn accept(&mut self, key: usize) {
        // A listener closed by an event before this one.
        loop {
            let Some(listening) = self.listeners.get_mut(key) else { return };
            match listening.listener.accept() {
                Ok(None) => return,
                Ok(Some((fd, peer))) => {
                    // A refused connection is closed by being dropped.
                    let owner = listening.owner;
                    let seat = self.engine.admit(owner, &peer);
                    let Some(id) = seat.and_then(|seat| self.engine.accepted(owner, peer, seat)) else { continue };
                    self.attend(id, fd);
                }
                Err(error) => {
                    // Out of descriptors, most likely: the listener stays readable, so rest instead of spinning.
                    listening.resting = true;
                    // Fails only for a descriptor that was never added.
                    let _ = self.poller.modify(
                        &listening.listener,
                        LISTENER | key as u64,
                        Interest { read: false, write: false },
                        Trigger::Level,
                    );
                    self.engine.accept_failed(listening.owner, &error.to_string());
                    return;
                }
            }
        }
    }

    /// Waits for what an established connection brings.
    fn attend(&mut self, id: ConnectionId, fd: OwnedFd) {
        let interest = Interest { read: true, write: false };
        let key = self.new_key(id);
        if let Err(error) = self.poller.add(&fd, key, interest, Trigger::Edge) {
            return self.engine.closed(id, &error.to_string());
        }
        put(&mut self.connections, id, Connection { fd, key, interest, connecting: false });
    }

    /// A poller key that no other connection has had for long.
    fn new_key(&mut self, id: ConnectionId) -> u64 {
        self.serial = (self.serial + 1) % (1 << SERIAL_BITS);
        u64::from(id) | self.serial << SERIAL
    }

    fn ready(&mut self, id: ConnectionId, event: Event, tape: &mut InTape<'_>) {
        let Some(Some(connection)) = self.connections.get_mut(id as usize) else { return };
        if connection.key != event.key {
            return;
        }
        if connection.connecting {
            if !(event.writable || event.broken) {
                return;
            }
            match rustix::net::sockopt::socket_error(&connection.fd) {
                Ok(Ok(())) if !event.broken => {
                    connection.connecting = false;
                    self.engine.connected(id);
                    // Fast path: write in the turn that sees the connection made.
                }
                Ok(Ok(())) => self.engine.closed(id, "the connection was closed while it was made"),
                Ok(Err(error)) | Err(error) => {
                    let why = self.engine.cannot_connect(id, &error.to_string());
                    self.engine.closed(id, &why);
                }
            }
            return;
        }
        let ended = event.readable && self.read(id, event, tape);
        if event.broken && (ended || !event.readable) {
            return self.engine.closed(id, "the peer is gone");
        }
        if event.writable {
            self.write(id);
        }
    }

    /// True if the peer has sent all it will.
    fn read(&mut self, id: ConnectionId, event: Event, tape: &mut InTape<'_>) -> bool {
        let Some(Some(connection)) = self.connections.get(id as usize) else { return false };
        if !connection.interest.read {
            // Not wanted at the moment; wanting it again reports what is there.
            return false;
        }
        self.receive(id, event, tape)
    }

    /// Reads a connection that closes once more, whatever it waits for.
    fn look(&mut self, id: ConnectionId, tape: &mut InTape<'_>) {
        let Some(Some(connection)) = self.connections.get(id as usize) else { return };
        let event = Event { key: connection.key, readable: true, ended: false, writable: false, broken: false };
        self.receive(id, event, tape);
    }

    /// One system call's worth. True if the peer has sent all it will.
    fn receive(&mut self, id: ConnectionId, event: Event, tape: &mut InTape<'_>) -> bool {
        let Some(Some(connection)) = self.connections.get(id as usize) else { return false };
        if self.chunk.len() < LEAST {
            // Reclaims what decoded messages gave back, without allocating, unless a message still waits.
            self.chunk.reserve(CHUNK - self.chunk.len());
            self.chunk.resize(CHUNK, 0);
        }
        let room = self.chunk.len();
        if let Some(landing) = self.engine.landing(id) {
            let landed = landing.len();
            // What follows a large message goes where small ones go, so that one call tells that there is no more.
            let mut pieces = [IoSliceMut::new(landing), IoSliceMut::new(&mut self.chunk)];
            let nothing = &mut RecvAncillaryBuffer::default();
            let received = recvmsg(&connection.fd, &mut pieces, nothing, RecvFlags::empty()).map(|got| got.bytes);
            let count = received.unwrap_or(0);
            if count == landed + room || (count > 0 && event.ended) {
                self.unread.push(event);
            }
            self.engine.landed(id, count.min(landed), tape);
            if count > landed {
                let behind = self.chunk.split_to(count - landed).freeze();
                self.engine.receive(id, behind, tape);
            }
            return count == 0 && self.received_none(id, event, received.map(drop));
        }
        match recv(&connection.fd, &mut self.chunk[..], RecvFlags::empty()) {
            Ok((count, _)) if count > 0 => {
                if count == room || event.ended {
                    // There is more: bytes, or the end. No further event will tell.
                    self.unread.push(event);
                }
                let received = self.chunk.split_to(count).freeze();
                self.engine.receive(id, received, tape);
                false
            }
            received => self.received_none(id, event, received.map(drop)),
        }
    }

    /// A system call that received nothing. True if the peer has sent all it will.
    fn received_none(&mut self, id: ConnectionId, event: Event, received: rustix::io::Result<()>) -> bool {
        match received {
            Ok(()) => {
                self.engine.ended(id);
                return true;
            }
            // Only a connection that closes has been looked at.
            Err(rustix::io::Errno::AGAIN) => self.engine.looked(id),
            Err(rustix::io::Errno::INTR) => self.unread.push(event),
            Err(error) => self.engine.closed(id, &io::Error::from(error).to_string()),
        }
        false
    }

    fn write(&mut self, id: ConnectionId) {
        let Some(Some(connection)) = self.connections.get(id as usize) else { return };
        let output = self.engine.output(id);
        if output.is_empty() || connection.connecting {
            return;
        }
        match send(&connection.fd, output, QUIETLY) {
            Ok(count) => self.engine.wrote(id, count),
            Err(rustix::io::Errno::AGAIN) => self.engine.wrote(id, 0),
            Err(rustix::io::Errno::INTR) => self.dirty.push(id),
            Err(error) => self.engine.closed(id, &io::Error::from(error).to_string()),
        }
    }

    /// Writes output with arrays of JavaScript's in it, which are lent only until this is over.
    fn write_pieces(&mut self, id: ConnectionId, arrays: &[&[u8]]) {
        let Some(Some(connection)) = self.connections.get(id as usize) else {
            // Nothing is written on it, but what is lent ends here all the same.
            return self.engine.wrote_pieces(id, 0, arrays);
        };
        let pieces = self.engine.pieces(id, arrays);
        match sendmsg(&connection.fd, &pieces, &mut SendAncillaryBuffer::default(), QUIETLY) {
            Ok(count) => self.engine.wrote_pieces(id, count, arrays),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => self.engine.wrote_pieces(id, 0, arrays),
            Err(error) => self.engine.closed(id, &io::Error::from(error).to_string()),
        }
    }

    fn carry_out(&mut self) {
        while let Some(action) = self.engine.next_action() {
            match action {
                Action::Interest(id) => self.update_interest(id),
                Action::Close(id) => {
                    if let Some(connection) = self.connections.get_mut(id as usize).and_then(Option::take) {
                        // Closing the descriptor removes it from epoll; kqueue and `polling` want to be told.
                        let _ = self.poller.remove(&connection.fd);
                    }
                }
                Action::Look(id) => self.looks.push(id),
                Action::HandOver { id, owner, unread } => {
                    if let Some(connection) = self.connections.get_mut(id as usize).and_then(Option::take) {
                        // The descriptor stays open, and with it a registration that is not removed.
                        let _ = self.poller.remove(&connection.fd);
                        let socket = held::hold(Held::Connection(connection.fd));
                        self.engine.handed_over(owner, socket, unread);
                    } else {
                        self.engine.not_handed_over(owner, "it had no socket any more");
                    }
                }
                Action::Reset(id) => {
                    if let Some(Some(connection)) = self.connections.get(id as usize) {
                        // Where it fails the peer sees an orderly end, as any Thrift client's.
                        let _ = rustix::net::sockopt::set_socket_linger(&connection.fd, Some(Duration::ZERO));
                    }
                }
                Action::StopListening(owner) => {
                    let keys: Vec<usize> = self
                        .listeners
                        .iter()
                        .filter(|(_, listening)| listening.owner == owner)
                        .map(|(key, _)| key)
                        .collect();
                    for key in keys {
                        let listening = self.listeners.remove(key);
                        // As above: closing it would be enough for epoll.
                        let _ = self.poller.remove(&listening.listener);
                    }
                }
                Action::Connect(id, address) => {
                    if let Err(error) = self.connect(id, &address) {
                        let why = self.engine.cannot_connect(id, &error.to_string());
                        self.engine.closed(id, &why);
                    }
                }
            }
        }
    }

    fn update_interest(&mut self, id: ConnectionId) {
        let wanted = self.engine.interest(id);
        let Some(Some(connection)) = self.connections.get_mut(id as usize) else { return };
        if connection.connecting || connection.interest == wanted {
            return;
        }
        if self.poller.modify(&connection.fd, connection.key, wanted, Trigger::Edge).is_ok() {
            connection.interest = wanted;
        }
    }

    fn connect(&mut self, id: ConnectionId, address: &Address) -> io::Result<()> {
        let owner = self.engine.owner_of(id);
        let options = self
            .client_sockets
            .iter()
            .find(|(other, _)| Some(*other) == owner)
            .map_or_else(SocketOptions::default, |(_, options)| *options);
        let Connecting { socket: fd, connected } = volo_js_sockets::connect(address, &options)?;
        let interest =
            if connected { Interest { read: true, write: false } } else { Interest { read: false, write: true } };
        let key = self.new_key(id);
        self.poller.add(&fd, key, interest, Trigger::Edge)?;
        put(&mut self.connections, id, Connection { fd, key, interest, connecting: !connected });
        if connected {
            self.engine.connected(id);
        }
        Ok(())
    }
}

fn put(connections: &mut Vec<Option<Connection>>, id: ConnectionId, connection: Connection) {
    let index = id as usize;
    if index >= connections.len() {
        connections.resize_with(index + 1, || None);
    }
    connections[index] = Some(connection);
}
