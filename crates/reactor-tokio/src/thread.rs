//! One I/O thread: its runtime, and what the tasks on it share.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use tokio::{
    runtime::{Builder, LocalOptions, LocalRuntime},
    task::{AbortHandle, spawn_local},
};
use volo_js_io_threads::{Driver, Place, Shard};
use volo_js_sockets::Handle;
use volo_js_transport::{ConnectionId, Engine, Peer};

use crate::{connection::Connection, listener::Accepting, reading::Reading, turn::turns};

/// Tasks run between two looks at the sockets. A look costs a system call, so there are more of them than Tokio's 61; yet a connection that
/// becomes ready waits for no more than this many others.
const TASKS_A_LOOK: u32 = 256;

/// How a thread's life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was told to.
    Stopped,
    /// A task has panicked.
    Panicked,
}

/// What the tasks of a thread share. Nothing of it stays borrowed while a task waits.
pub(crate) struct Thread {
    pub shard: RefCell<Shard>,
    /// By the engine's connection id.
    pub connections: RefCell<Vec<Option<Rc<Connection>>>>,
    /// The tasks that accept, by server.
    pub listeners: RefCell<Vec<Accepting>>,
    /// Connections that waited in the queue of a listener when it was closed, with its server.
    pub late: RefCell<Vec<(u32, Handle, Peer)>>,
    pub reading: Reading,
    end: Cell<Option<End>>,
    /// Of the task that waits for the end.
    waker: Cell<Option<Waker>>,
}

impl Thread {
    /// The end of this thread, if it has come.
    fn poll_end(&self, cx: &mut Context<'_>) -> Poll<End> {
        if let Some(end) = self.end.get() {
            return Poll::Ready(end);
        }
        self.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }

    /// Ends the thread.
    pub fn end(&self, end: End) {
        self.end.set(Some(end));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Does something with the engine, and carries out what it wants then. An id is used again as soon as the engine has let go of it, so its
    /// socket must be gone by then: whoever changes something ends like this.
    pub fn with_engine<T>(self: &Rc<Self>, change: impl FnOnce(&mut Engine) -> T) -> T {
        let result = {
            let mut shard = self.shard.borrow_mut();
            shard.want_turn();
            change(shard.engine())
        };
        self.carry_out();
        result
    }

    /// Lists a connection.
    pub fn put_connection(&self, id: ConnectionId, connection: Rc<Connection>) {
        let mut connections = self.connections.borrow_mut();
        let index = id as usize;
        if index >= connections.len() {
            connections.resize_with(index + 1, || None);
        }
        connections[index] = Some(connection);
    }

    /// Runs a task on this thread. Its panic is the thread's end: what it left half done is shared by all.
    pub fn spawn(self: &Rc<Self>, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        let guard = Guard(self.clone());
        spawn_local(async move {
            let _guard = guard;
            task.await;
        })
        .abort_handle()
    }
}

/// Tells of a panic while it unwinds.
struct Guard(Rc<Thread>);

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end(End::Panicked);
        }
    }
}

/// A thread's whole life: says `ready` (or why not), then serves until it is stopped.
///
/// # Panics
/// If a task on it has, so that its [link](volo_js_io_threads::Link) is marked as failed.
pub fn run(place: Place, ready: &mut dyn FnMut(io::Result<Driver>)) {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return ready(Err(error)),
    };
    let thread = Rc::new(Thread {
        shard: RefCell::new(Shard::new(place)),
        connections: RefCell::default(),
        listeners: RefCell::default(),
        late: RefCell::default(),
        reading: Reading::new(),
        end: Cell::new(None),
        waker: Cell::new(None),
    });
    ready(Ok(Driver::of_this_system()));
    let end = runtime.block_on(async {
        thread.spawn(turns(thread.clone()));
        std::future::poll_fn(|cx| thread.poll_end(cx)).await
    });
    // Ends the tasks and, with them, their sockets.
    drop(runtime);
    assert!(end == End::Stopped, "a task of this I/O thread has panicked");
}

fn runtime() -> io::Result<LocalRuntime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .event_interval(TASKS_A_LOOK)
        .build_local(LocalOptions::default())
}
