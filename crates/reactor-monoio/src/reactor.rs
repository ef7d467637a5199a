//! What the tasks of one thread share, and the actions of its engine.

use std::{
    cell::{Cell, RefCell},
    net::TcpStream as StdStream,
    rc::Rc,
};

use bytes::Bytes;
use monoio::net::TcpStream;
use nix::poll::{PollFd, PollFlags, poll};
use volo_js_io_threads::{Arrival, Driver, Shard};
use volo_js_sockets::{Connecting, Handle};
use volo_js_transport::{Action, Address, ConnectionId, Engine, Peer};

use crate::{
    buffers::Buffers,
    connection::{self, Connection},
    listener::{self, Accepting},
    tasks::Tasks,
};

/// One thread.
///
/// No borrow of it outlives the call that makes it, let alone an `await`.
pub(crate) struct Reactor {
    pub shard: RefCell<Shard>,
    pub buffers: Buffers,
    pub tasks: Rc<Tasks>,
    /// What moves the bytes.
    pub driver: Driver,
    /// Ticks so far: a clock coarse enough to cost nothing.
    pub ticks: Cell<u32>,
    /// By the engine's connection id.
    connections: RefCell<Vec<Option<Rc<Connection>>>>,
    listeners: RefCell<Vec<Rc<Accepting>>>,
    /// Connections that waited in the queue of a listener when it was closed.
    late: RefCell<Vec<(u32, Handle, Peer)>>,
}

impl Reactor {
    pub(crate) fn new(shard: Shard, driver: Driver) -> Self {
        Self {
            shard: RefCell::new(shard),
            buffers: Buffers::default(),
            tasks: Rc::default(),
            driver,
            ticks: Cell::new(0),
            connections: RefCell::default(),
            listeners: RefCell::default(),
            late: RefCell::default(),
        }
    }

    /// Does what a letter asks of the reactor. False if the thread is to end.
    pub(crate) fn arrive(self: &Rc<Self>, arrival: Arrival) -> bool {
        match arrival {
            Arrival::Listen { owner, listener } => match listener::begin(self, owner, listener) {
                Ok(accepting) => self.listeners.borrow_mut().push(accepting),
                Err(error) => self.shard.borrow_mut().engine().accept_failed(owner, &error.to_string()),
            },
            Arrival::Connection { id, socket } => self.adopt(id, socket),
            Arrival::Stop => return false,
        }
        true
    }

    /// Serves a connection that was accepted here, or passes it on to another thread.
    ///
    /// None of the engine's actions may wait: whoever tells it something carries them out.
    pub(crate) fn accept(self: &Rc<Self>, owner: u32, socket: Handle, peer: Peer) {
        let placed = self.shard.borrow_mut().place(owner, socket, peer);
        if let Some((id, socket)) = placed {
            self.adopt(id, socket);
        }
    }

    /// Serves a connection.
    fn adopt(self: &Rc<Self>, id: ConnectionId, socket: Handle) {
        if let Err(error) = self.register(id, socket, true) {
            self.tell(|engine| engine.closed(id, &error.to_string()));
        }
    }

    /// Tells the engine something. What it wants done is done at once: it gives the id of a connection it has forgotten to another one, and
    /// the forgotten one must know before its task runs again.
    pub(crate) fn tell(self: &Rc<Self>, what: impl FnOnce(&mut Engine)) {
        {
            let mut shard = self.shard.borrow_mut();
            shard.want_turn();
            what(shard.engine());
        }
        self.carry_out();
    }

    /// Bytes have arrived.
    pub(crate) fn receive(self: &Rc<Self>, id: ConnectionId, bytes: Bytes) {
        self.shard.borrow_mut().receive(id, bytes);
        self.carry_out();
    }

    /// Does what the engine wants done.
    pub(crate) fn carry_out(self: &Rc<Self>) {
        loop {
            let action = self.shard.borrow_mut().engine().next_action();
            if let Some(action) = action {
                self.act(action);
                continue;
            }
            // Behind all actions, for one of them may close the connection whose id a new one gets.
            let Some((owner, socket, peer)) = self.late.borrow_mut().pop() else { return };
            self.accept(owner, socket, peer);
        }
    }

    fn act(self: &Rc<Self>, action: Action) {
        match action {
            Action::Interest(id) => self.with(id, Connection::nudge),
            Action::Close(id) => {
                let connection = self.connections.borrow_mut().get_mut(id as usize).and_then(Option::take);
                if let Some(connection) = connection {
                    connection.close();
                }
            }
            Action::Look(id) => self.with(id, Connection::look),
            Action::HandOver { id, owner, unread } => {
                let connection = self.connections.borrow_mut().get_mut(id as usize).and_then(Option::take);
                match connection {
                    Some(connection) => connection.depart(owner, unread),
                    None => self.shard.borrow_mut().engine().not_handed_over(owner, "it had no socket any more"),
                }
            }
            Action::Reset(id) => self.with(id, Connection::reset_when_closed),
            Action::StopListening(owner) => {
                let mut late = self.late.borrow_mut();
                self.listeners.borrow_mut().retain(|accepting| {
                    if accepting.owner == owner {
                        late.extend(accepting.stop().into_iter().map(|(socket, peer)| (owner, socket, peer)));
                    }
                    accepting.owner != owner
                });
            }
            Action::Connect(id, address) => self.connect(id, &address),
        }
    }

    /// Tells a connection that it has something to write.
    pub(crate) fn write_to(&self, id: ConnectionId) {
        self.with(id, Connection::has_output);
    }

    /// Once a tick: connections that have been silent for long give their buffers back.
    pub(crate) fn rest_silent_connections(&self) {
        let now = self.ticks.get().wrapping_add(1);
        self.ticks.set(now);
        for connection in self.connections.borrow().iter().flatten() {
            connection.rest_if_silent(now);
        }
    }

    /// Once a tick: peers that are gone while nobody reads from them, which is what their calls are to be told.
    pub(crate) fn look_after_unread_connections(self: &Rc<Self>) {
        let (ids, mut sockets): (Vec<_>, Vec<_>) = self
            .connections
            .borrow()
            .iter()
            .flatten()
            .filter_map(|connection| Some((connection.id, PollFd::new(connection.unwatched()?, PollFlags::empty()))))
            .unzip();
        // An interrupted look is made up for by the next one.
        if sockets.is_empty() || poll(&mut sockets, 0).is_err() {
            return;
        }
        for (id, socket) in ids.into_iter().zip(sockets) {
            // Hang-ups and errors, which are reported unasked.
            if socket.any() == Some(true) {
                self.tell(|engine| engine.closed(id, "the peer is gone"));
            }
        }
    }

    /// Closes everything there is.
    pub(crate) fn close_all(&self) {
        for accepting in self.listeners.borrow_mut().drain(..) {
            accepting.stop();
        }
        for connection in self.connections.borrow_mut().drain(..).flatten() {
            connection.close();
        }
    }

    fn with(&self, id: ConnectionId, act: impl FnOnce(&Connection)) {
        if let Some(Some(connection)) = self.connections.borrow().get(id as usize) {
            act(connection);
        }
    }

    fn connect(self: &Rc<Self>, id: ConnectionId, address: &Address) {
        let begun = self.shard.borrow_mut().connect(id, address);
        let begun =
            begun.and_then(|Connecting { socket, connected }| self.register(id, socket, connected).map(|()| connected));
        let mut shard = self.shard.borrow_mut();
        match begun {
            // A Unix socket is connected at once.
            Ok(true) => shard.engine().connected(id),
            Ok(false) => {}
            Err(error) => {
                let why = shard.engine().cannot_connect(id, &error.to_string());
                shard.engine().closed(id, &why);
            }
        }
    }

    /// Gives a connection its task.
    fn register(self: &Rc<Self>, id: ConnectionId, socket: Handle, connected: bool) -> std::io::Result<()> {
        // Monoio asks sockets for nothing that those of Unix do not have as well.
        let socket = StdStream::from(socket);
        // A ring answers for a non-blocking socket at once, with what is there or with an error. Only the ring waits for a blocking one.
        socket.set_nonblocking(self.driver != Driver::IoUring)?;
        let stream = TcpStream::from_std(socket)?;
        let connection = Rc::new(Connection::new(id, &stream));
        {
            let mut connections = self.connections.borrow_mut();
            let index = id as usize;
            if index >= connections.len() {
                connections.resize_with(index + 1, || None);
            }
            connections[index] = Some(connection.clone());
        }
        monoio::spawn(connection::live(self.clone(), connection, stream, connected, self.tasks.begin()));
        Ok(())
    }
}
