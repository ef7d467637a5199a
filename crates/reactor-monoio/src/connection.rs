//! One connection: a task that reads and writes, and what others want of it.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    io,
    net::TcpStream as StdStream,
    os::fd::{AsRawFd as _, RawFd},
    pin::pin,
    rc::Rc,
    task::Poll,
};

use bytes::{Bytes, BytesMut};
use monoio::{
    io::{CancelHandle, Canceller, Splitable as _},
    net::TcpStream,
};
use nix::sys::socket::{MsgFlags, getsockopt, recv, setsockopt, sockopt};
use volo_js_sockets::held::{self, Held, HeldId};
use volo_js_transport::ConnectionId;

use crate::{
    buffers::LARGEST,
    duplicate::duplicate,
    reactor::Reactor,
    reading::read,
    tasks::{Bell, Task},
    writing::write,
};

/// Ticks (of a tenth of a second) without bytes after which a connection is idle.
const SILENT: u32 = 10;

/// What a cancelled operation ends with, on every system.
const CANCELLED: i32 = 125;

/// What a connection's task and the others tell one another.
pub(crate) struct Connection {
    pub id: ConnectionId,
    /// Of the stream that the task owns; the task lasts until `close`.
    descriptor: RawFd,
    closed: Cell<bool>,
    /// Set when the socket is to go to another server instead of being closed.
    departure: RefCell<Option<Departure>>,
    /// The engine wants to know what is there to read.
    look: Cell<bool>,
    output: Cell<bool>,
    /// The tick at which the read under way began, if that has a buffer.
    reading_since: Cell<Option<u32>>,
    /// No read is under way that would notice the end of the peer.
    unwatched: Cell<bool>,
    read: Operation,
    write: Operation,
    bell: Bell,
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, stream: &TcpStream) -> Self {
        Self {
            id,
            descriptor: stream.as_raw_fd(),
            closed: Cell::new(false),
            departure: RefCell::default(),
            look: Cell::new(false),
            output: Cell::new(false),
            reading_since: Cell::new(None),
            unwatched: Cell::new(false),
            read: Operation::default(),
            write: Operation::default(),
            bell: Bell::default(),
        }
    }

    // ---- from others ----

    /// Something may have changed that the task waits for.
    pub(crate) fn nudge(&self) {
        self.bell.ring();
    }

    /// There is something to write.
    pub(crate) fn has_output(&self) {
        self.output.set(true);
        self.bell.ring();
    }

    /// The engine has forgotten the connection: its socket is closed as soon as the kernel is done with its buffers.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.read.cancel();
        self.write.cancel();
        self.bell.ring();
    }

    /// The engine has let go of the connection: its socket goes to another server, with what has been read and what is being read.
    pub(crate) fn depart(&self, owner: u32, unread: Bytes) {
        self.departure.replace(Some(Departure { owner, unread }));
        self.close();
    }

    /// Asks for a look at what is there to read.
    pub(crate) fn look(&self) {
        self.look.set(true);
        self.read.cancel();
        self.bell.ring();
    }

    /// Lets the peer see a reset when the socket is closed.
    pub(crate) fn reset_when_closed(&self) {
        let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        // Where it fails the peer sees an orderly end, as any Thrift client's.
        let _ = setsockopt(self.descriptor, sockopt::Linger, &at_once);
    }

    /// Ends a read that has been waiting for long, so that it gives its buffer back.
    pub(crate) fn rest_if_silent(&self, now: u32) {
        if self.reading_since.get().is_some_and(|since| now.wrapping_sub(since) >= SILENT) {
            self.reading_since.set(None);
            self.read.cancel();
        }
    }

    /// Its socket, if nobody would notice that the peer is gone.
    pub(crate) fn unwatched(&self) -> Option<RawFd> {
        (self.unwatched.get() && !self.is_closed()).then_some(self.descriptor)
    }

    // ---- from its task ----

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(crate) fn wants_look(&self) -> bool {
        self.look.get()
    }

    pub(crate) fn take_look(&self) -> bool {
        self.look.take()
    }

    /// What is there to read now: EAGAIN if nothing is.
    pub(crate) fn read_now(&self) -> io::Result<Bytes> {
        let mut bytes = BytesMut::zeroed(LARGEST);
        let count = recv(self.descriptor, &mut bytes, MsgFlags::MSG_DONTWAIT)?;
        bytes.truncate(count);
        Ok(bytes.freeze())
    }

    /// Bytes that came for an engine which has let go of the connection. They matter if that goes on elsewhere.
    pub(crate) fn came_too_late(&self, bytes: &[u8]) {
        if let Some(departure) = &mut *self.departure.borrow_mut() {
            departure.unread = [&departure.unread, bytes].concat().into();
        }
    }

    pub(crate) fn take_output_mark(&self) -> bool {
        self.output.take()
    }

    pub(crate) fn set_reading_since(&self, tick: Option<u32>) {
        self.reading_since.set(tick);
    }

    pub(crate) fn set_unwatched(&self, unwatched: bool) {
        self.unwatched.set(unwatched);
    }

    pub(crate) fn read_handle(&self) -> CancelHandle {
        self.read.handle()
    }

    pub(crate) fn write_handle(&self) -> CancelHandle {
        self.write.handle()
    }

    /// Waits until `what` holds, which whoever changes it tells by a nudge. False if the connection is closed.
    pub(crate) async fn until(&self, what: impl Fn() -> bool) -> bool {
        poll_fn(|_| {
            if self.is_closed() {
                Poll::Ready(false)
            } else if what() {
                Poll::Ready(true)
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

/// Where a connection goes that is not closed.
struct Departure {
    owner: u32,
    /// Read already.
    unread: Bytes,
}

/// An operation that can be cancelled: it ends with its buffer and whatever had come by then.
#[derive(Default)]
struct Operation(RefCell<Canceller>);

impl Operation {
    fn handle(&self) -> CancelHandle {
        self.0.borrow().handle()
    }

    fn cancel(&self) {
        let canceller = self.0.take();
        self.0.replace(canceller.cancel());
    }
}

/// Did an operation end because it was cancelled?
pub(crate) fn is_cancelled(error: &io::Error) -> bool {
    error.raw_os_error() == Some(CANCELLED)
}

/// A connection's task.
pub(crate) async fn live(
    reactor: Rc<Reactor>,
    connection: Rc<Connection>,
    stream: TcpStream,
    connected: bool,
    _task: Task,
) {
    if let Some(outcome) = establish(&connection, &stream, connected).await {
        reactor.tell(|engine| match outcome {
            Ok(()) => engine.connected(connection.id),
            Err(error) => {
                let why = engine.cannot_connect(connection.id, &error.to_string());
                engine.closed(connection.id, &why);
            }
        });
    }
    let (mut reader, mut writer) = stream.into_split();
    {
        let mut writing = pin!(write(&reactor, &connection, &mut writer));
        let mut reading = pin!(read(&reactor, &connection, &mut reader));
        let (mut written, mut read) = (false, false);
        poll_fn(|cx| {
            connection.bell.listen(cx);
            // What has been written is told before what came after it: the peer may have answered, or closed.
            written = written || writing.as_mut().poll(cx).is_ready();
            read = read || reading.as_mut().poll(cx).is_ready();
            if written && read { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
    // Now that no operation is left that could take bytes from it.
    let departure = connection.departure.take();
    if let Some(Departure { owner, unread }) = departure {
        let held = hold(connection.descriptor);
        reactor.tell(|engine| match held {
            Ok(held) => engine.handed_over(owner, held, unread),
            Err(error) => engine.not_handed_over(owner, &error.to_string()),
        });
    }
    // The writing half alone would shut the socket down first, and a reset would look like an orderly end.
    drop(reader.reunite(writer));
}

/// Holds a duplicate of a socket for whoever is to have it.
fn hold(socket: RawFd) -> io::Result<HeldId> {
    let socket = StdStream::from(duplicate(socket)?);
    socket.set_nonblocking(true)?;
    Ok(held::hold(Held::Connection(socket.into())))
}

/// Waits for a connection to be made. None if there was nothing to wait for, or it was closed meanwhile.
async fn establish(connection: &Connection, stream: &TcpStream, connected: bool) -> Option<io::Result<()>> {
    if connected {
        return None;
    }
    let mut attempt = pin!(stream.writable(false));
    let outcome = poll_fn(|cx| {
        connection.bell.listen(cx);
        if connection.is_closed() {
            return Poll::Ready(None);
        }
        attempt.as_mut().poll(cx).map(Some)
    })
    .await?;
    Some(outcome.and_then(|()| match getsockopt(connection.descriptor, sockopt::SocketError) {
        Ok(0) => Ok(()),
        Ok(error) => Err(io::Error::from_raw_os_error(error)),
        Err(error) => Err(error.into()),
    }))
}
