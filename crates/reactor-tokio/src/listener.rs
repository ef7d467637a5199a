//! One listener: the task that accepts.

use std::{io, rc::Rc, time::Duration};

use socket2::SockRef;
use tokio::{io::Interest, net::TcpStream, task::AbortHandle};
use volo_js_sockets::{Handle, Listener};
use volo_js_transport::{ConnectionId, Peer};

use crate::{connection::Connection, thread::Thread};

/// How long accepting rests after it failed: for lack of descriptors most likely, and the queue stays as it is.
const REST: Duration = Duration::from_millis(100);

/// A server's listener, and the task that accepts.
pub(crate) struct Accepting {
    pub owner: u32,
    listener: Rc<Listener>,
    task: AbortHandle,
}

impl Accepting {
    pub fn start(thread: &Rc<Thread>, owner: u32, listener: Listener) -> Self {
        let listener = Rc::new(listener);
        let task = thread.spawn(accept(thread.clone(), owner, listener.clone()));
        Self { owner, listener, task }
    }

    /// Accepts no more. Who has connected already is to be served: closing a listener resets what waits in its queue.
    pub fn stop(self) -> Vec<(Handle, Peer)> {
        self.task.abort();
        let mut late = Vec::new();
        while let Ok(Some(accepted)) = self.listener.accept() {
            late.push(accepted);
        }
        late
    }
}

/// Accepts for a server until it is aborted.
async fn accept(thread: Rc<Thread>, owner: u32, listener: Rc<Listener>) {
    let mut watch = None;
    loop {
        match next(&listener, &mut watch).await {
            Ok((socket, peer)) => {
                thread.place(owner, socket, peer);
                thread.carry_out();
            }
            Err(error) => {
                thread.with_engine(|engine| engine.accept_failed(owner, &error.to_string()));
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// The next connection.
async fn next(listener: &Listener, watch: &mut Option<TcpStream>) -> io::Result<(Handle, Peer)> {
    let watch = match watch {
        Some(watch) => watch,
        // Tokio has a type for each kind of listener, and none takes the system's call for accepting from us. All that is wanted is a socket that
        // it watches; a second descriptor of this one is.
        none => none.insert(TcpStream::from_std(SockRef::from(listener).try_clone()?.into())?),
    };
    loop {
        // Lets others have their turn every hundred connections or so.
        watch.readable().await?;
        let accepted =
            watch.try_io(Interest::READABLE, || listener.accept()?.ok_or_else(|| io::ErrorKind::WouldBlock.into()));
        match accepted {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return outcome,
        }
    }
}

impl Thread {
    /// Serves a connection that was accepted here, or passes it on to another thread. The engine's actions must have been carried out.
    pub fn place(self: &Rc<Self>, owner: u32, socket: Handle, peer: Peer) {
        // What another thread gets has been sent to it; what is refused is closed by being dropped.
        let placed = self.shard.borrow_mut().place(owner, socket, peer);
        if let Some((id, socket)) = placed {
            self.start_connection(id, socket);
        }
    }

    /// Lets a connection of a server live here.
    pub fn start_connection(self: &Rc<Self>, id: ConnectionId, socket: Handle) {
        if let Err(error) = Connection::start(self, id, socket, false) {
            self.with_engine(|engine| engine.closed(id, &error.to_string()));
        }
    }
}
