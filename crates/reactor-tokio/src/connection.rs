//! One connection: its socket, and the task that waits for it.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use tokio::net::TcpStream;
use volo_js_io_threads::Shard;
use volo_js_sockets::Handle;
use volo_js_transport::{ConnectionId, Interest};

use crate::{reading::Read, thread::Thread};

/// What a connection does in a row before others have their turn.
const STEPS: u32 = 4;

/// Waits until a socket is in error.
type Breaking = Pin<Box<dyn Future<Output = ()>>>;

/// A connection's socket, held by its task and by the thread's table.
pub(crate) struct Connection {
    id: ConnectionId,
    /// Unix sockets too: the system's calls are the same.
    stream: TcpStream,
    interest: Cell<Interest>,
    connecting: Cell<bool>,
    closed: Cell<bool>,
    /// Of its task.
    waker: RefCell<Option<Waker>>,
}

impl Connection {
    /// Lets a socket live on this thread from now on.
    ///
    /// # Errors
    /// The system's, if it cannot be watched.
    pub fn start(thread: &Rc<Thread>, id: ConnectionId, socket: Handle, connecting: bool) -> io::Result<()> {
        let connection = Rc::new(Self {
            id,
            stream: TcpStream::from_std(socket.into())?,
            interest: Cell::new(thread.shard.borrow_mut().engine().interest(id)),
            connecting: Cell::new(connecting),
            closed: Cell::new(false),
            waker: RefCell::default(),
        });
        thread.put_connection(id, connection.clone());
        thread.spawn(connection.live(thread.clone()));
        Ok(())
    }

    /// The engine has let go of it.
    pub fn close(&self) {
        self.closed.set(true);
        self.wake();
    }

    /// Lets the peer see a reset when the socket is closed.
    pub fn reset(&self) {
        // Where it fails the peer sees an orderly end, as any Thrift client's.
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// What to wait for from now on.
    pub fn set_interest(&self, interest: Interest) {
        if self.interest.replace(interest) != interest {
            self.wake();
        }
    }

    /// Writes what is to be written, as far as the socket takes it.
    pub fn write(&self, shard: &mut Shard) {
        loop {
            let engine = shard.engine();
            let output = engine.output(self.id);
            if output.is_empty() {
                return;
            }
            match self.stream.try_write(output) {
                Ok(count) => engine.wrote(self.id, count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => engine.wrote(self.id, 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => engine.closed(self.id, &error.to_string()),
            }
            return;
        }
    }

    /// Reads once more what is about to be closed.
    pub fn look(&self, thread: &Thread) {
        let read = thread.reading.look(&self.stream);
        let mut shard = thread.shard.borrow_mut();
        shard.want_turn();
        match read {
            Ok(Read::Bytes(bytes)) => shard.receive(self.id, bytes),
            Ok(Read::Nothing) => shard.engine().looked(self.id),
            Ok(Read::End) => shard.engine().ended(self.id),
            Err(error) => shard.engine().closed(self.id, &error.to_string()),
        }
    }

    /// A descriptor of its own of the same socket: this one closes with its task.
    pub fn duplicate(&self) -> io::Result<Handle> {
        Ok(socket2::SockRef::from(&self.stream).try_clone()?.into())
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    async fn live(self: Rc<Self>, thread: Rc<Thread>) {
        let mut breaking = None;
        poll_fn(|cx| self.poll(&thread, &mut breaking, cx)).await;
    }

    /// Ready when it is over.
    fn poll(self: &Rc<Self>, thread: &Rc<Thread>, breaking: &mut Option<Breaking>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self.waker.borrow_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        for _ in 0..STEPS {
            if self.closed.get() {
                return Poll::Ready(());
            }
            let step = if self.connecting.get() {
                self.poll_connected(thread, cx)
            } else {
                self.poll_ready(thread, breaking, cx)
            };
            if step.is_pending() && !self.closed.get() {
                return Poll::Pending;
            }
        }
        // Behind those that are ready too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Ready when the attempt to connect is over.
    fn poll_connected(&self, thread: &Rc<Thread>, cx: &mut Context<'_>) -> Poll<()> {
        let outcome = ready!(self.stream.poll_write_ready(cx)).and_then(|()| self.stream.take_error());
        thread.with_engine(|engine| match outcome {
            Ok(None) => {
                self.connecting.set(false);
                engine.connected(self.id);
            }
            Ok(Some(error)) | Err(error) => {
                let why = engine.cannot_connect(self.id, &error.to_string());
                engine.closed(self.id, &why);
            }
        });
        Poll::Ready(())
    }

    /// Ready if something was done, and more may be.
    fn poll_ready(
        self: &Rc<Self>,
        thread: &Rc<Thread>,
        breaking: &mut Option<Breaking>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut progress = Poll::Pending;
        let interest = self.interest.get();
        if interest.write && self.stream.poll_write_ready(cx).is_ready() {
            let mut shard = thread.shard.borrow_mut();
            shard.want_turn();
            self.write(&mut shard);
            drop(shard);
            thread.carry_out();
            progress = Poll::Ready(());
        }
        if interest.read {
            *breaking = None;
            if !self.closed.get() && self.stream.poll_read_ready(cx).is_ready() {
                self.read(thread);
                progress = Poll::Ready(());
            }
        } else if self.poll_broken(breaking, cx).is_ready() {
            thread.with_engine(|engine| engine.closed(self.id, "the peer is gone"));
        }
        if self.interest.get() == interest { progress } else { Poll::Ready(()) }
    }

    fn read(&self, thread: &Rc<Thread>) {
        match thread.reading.read(&self.stream) {
            Ok(Read::Bytes(bytes)) => {
                thread.shard.borrow_mut().receive(self.id, bytes);
                thread.carry_out();
            }
            Ok(Read::Nothing) => {}
            Ok(Read::End) => thread.with_engine(|engine| engine.ended(self.id)),
            Err(error) => thread.with_engine(|engine| engine.closed(self.id, &error.to_string())),
        }
    }

    /// Ready when the connection is broken. Asked while nothing is read, for reading would tell.
    fn poll_broken(self: &Rc<Self>, breaking: &mut Option<Breaking>, cx: &mut Context<'_>) -> Poll<()> {
        let waiting = breaking.get_or_insert_with(|| {
            let connection = self.clone();
            Box::pin(async move {
                // Fails only while the thread ends.
                let _ = connection.stream.ready(tokio::io::Interest::ERROR).await;
            })
        });
        let broken = waiting.as_mut().poll(cx);
        if broken.is_ready() {
            *breaking = None;
        }
        broken
    }
}
