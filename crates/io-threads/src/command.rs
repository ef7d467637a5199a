//! What an I/O thread is told.

use std::time::Duration;

use volo_js_sockets::{Handle, Listener, SocketOptions};
use volo_js_transport::{Address, ClientSetup, Peer, Seat, ServerSetup, ServingStatus};

use crate::Submission;

/// A letter to an I/O thread.
#[derive(Debug)]
pub enum Command {
    /// Serve from now on.
    Server {
        /// Its id.
        owner: u32,
        /// What it is made of.
        setup: ServerSetup,
    },
    /// Call from now on.
    Client {
        /// Its id.
        owner: u32,
        /// What it is made of.
        setup: ClientSetup,
        /// Options of its sockets.
        socket: SocketOptions,
    },
    /// Accept connections for all threads of this server.
    Listen {
        /// The server.
        owner: u32,
        /// Where.
        listener: Listener,
    },
    /// A connection that another thread accepted is to live here.
    Connection {
        /// The server.
        owner: u32,
        /// Its socket.
        socket: Handle,
        /// Who is at its other end.
        peer: Peer,
        /// Its place among the server's connections.
        seat: Seat,
    },
    /// A connection that another server has handed over is to live here.
    Adopt {
        /// The server.
        owner: u32,
        /// Its socket.
        socket: Handle,
        /// Who is at its other end.
        peer: Peer,
        /// What the other server has read of a message that is not complete.
        unread: Vec<u8>,
    },
    /// Messages from the isolate.
    Submit(Submission),
    /// The name of a client's server stands for another address.
    Readdress {
        /// The client.
        owner: u32,
        /// Where its next connections go.
        address: Address,
    },
    /// Set the health of a server's service. To each of its threads.
    Health {
        /// The server.
        owner: u32,
        /// The service's full name; empty for the server as a whole.
        service: String,
        /// What is told of it from now on.
        status: ServingStatus,
    },
    /// Let an owner's calls finish for so long, then close what is left. For a server to the thread that accepts for it, which tells the
    /// others.
    Close {
        /// The server or client.
        owner: u32,
        /// The grace time.
        grace: Duration,
    },
    /// Hand a server's connections over as they come to rest, for so long, then close what is left. To the thread that accepts for it.
    HandOver {
        /// The server.
        owner: u32,
        /// The grace time.
        grace: Duration,
    },
    /// End the thread, at once.
    Stop,
}

/// What of a turn's letters only a reactor can do, in this order.
#[derive(Debug)]
pub enum Arrival {
    /// Accept here from now on; hand what comes to [`Shard::place`](crate::Shard::place).
    Listen {
        /// The server.
        owner: u32,
        /// Where.
        listener: Listener,
    },
    /// A connection lives here from now on, under this id of the engine.
    Connection {
        /// Its id.
        id: volo_js_transport::ConnectionId,
        /// Its socket.
        socket: Handle,
    },
    /// Return.
    Stop,
}
