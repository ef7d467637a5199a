//! What the tests need of a reactor.

use std::{io, time::Duration};

use volo_js_sockets::{Handle, ListenOptions, SocketOptions};
use volo_js_transport::{Address, ClientSetup, ServerSetup};

use crate::Message;

/// Makes a reactor with nothing in it.
pub type Make = fn() -> Box<dyn Subject>;

/// A reactor under test, seen from the isolate.
pub trait Subject {
    /// Engines it has, one a thread. Each sends its own CLOSED for a server.
    fn engines(&self) -> usize;

    /// Adds a server, which has a setup for every engine.
    fn add_server(&mut self, owner: u32, setups: Vec<ServerSetup>);

    /// Listens for a server; tells the bound address.
    ///
    /// # Errors
    /// The system's.
    fn listen(&mut self, owner: u32, address: &Address, options: &ListenOptions) -> io::Result<Address>;

    /// Adds a client.
    fn add_client(&mut self, owner: u32, setup: ClientSetup, socket: SocketOptions);

    /// Lets an owner's calls finish for `grace`, then closes what is left.
    fn close_owner(&mut self, owner: u32, grace: Duration);

    /// Lets a server's connections go, each as it comes to rest within `grace`.
    fn hand_over(&mut self, owner: u32, grace: Duration);

    /// Goes on with a connection that another server has let go.
    fn adopt(&mut self, owner: u32, socket: Handle, unread: &[u8]);

    /// Reads what has arrived onto the tape, if nobody else does.
    fn poll(&mut self);

    /// Takes the messages off the tape.
    fn take(&mut self) -> Vec<Message>;

    /// Hands over the messages of a tape out without text.
    fn submit(&mut self, slots: &[u64], bytes: &[u8]);

    /// Writes what is to be written, if nobody else does.
    fn flush(&mut self);

    /// Looks for what has run out of time, if nobody else does.
    fn tick(&mut self);

    /// Does anything keep the process alive?
    fn is_busy(&mut self) -> bool;

    /// Must the loop be turned again without waiting? False where nobody turns it.
    fn has_backlog(&self) -> bool;
}
