//! Accepting connections.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    io,
    net::TcpStream as StdStream,
    os::fd::OwnedFd,
    pin::pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use monoio::net::TcpStream;
use volo_js_sockets::{Handle, Listener};
use volo_js_transport::Peer;

use crate::{
    reactor::Reactor,
    tasks::{Bell, Task},
};

/// Connections accepted in a row before others come first.
const IN_A_ROW: usize = 64;
/// How long accepting rests after it failed.
const REST: Duration = Duration::from_millis(100);

/// A server's accepting at one address.
pub(crate) struct Accepting {
    pub owner: u32,
    /// None once it is over: then the address is free.
    listener: RefCell<Option<Rc<Listener>>>,
    stopped: Cell<bool>,
    bell: Bell,
}

impl Accepting {
    /// Closes the listening socket, at once. Who has connected already is to be served: closing resets what waits in the queue.
    pub(crate) fn stop(&self) -> Vec<(Handle, Peer)> {
        let mut late = Vec::new();
        if let Some(listener) = self.listener.take() {
            while let Ok(Some(accepted)) = listener.accept() {
                late.push(accepted);
            }
        }
        self.stopped.set(true);
        self.bell.ring();
        late
    }

    /// Waits for `what`, or for the end.
    async fn wait<T>(&self, what: impl Future<Output = T>) {
        let mut what = pin!(what);
        poll_fn(|cx| {
            self.bell.listen(cx);
            if self.stopped.get() { Poll::Ready(()) } else { what.as_mut().poll(cx).map(|_| ()) }
        })
        .await;
    }
}

/// Accepts connections for `owner` from now on.
pub(crate) fn begin(reactor: &Rc<Reactor>, owner: u32, listener: Listener) -> io::Result<Rc<Accepting>> {
    let watch = TcpStream::from_std(StdStream::from(watch(&listener)?))?;
    let accepting = Rc::new(Accepting {
        owner,
        listener: RefCell::new(Some(Rc::new(listener))),
        stopped: Cell::new(false),
        bell: Bell::default(),
    });
    monoio::spawn(accept(reactor.clone(), accepting.clone(), watch, reactor.tasks.begin()));
    Ok(accepting)
}

/// A descriptor that is readable when the listener is, and does not keep its socket open: an operation that waits has to be cancelled, and
/// until that is done the address would stay taken.
#[cfg(target_os = "linux")]
fn watch(listener: &Listener) -> io::Result<OwnedFd> {
    use rustix::event::epoll;
    let watch = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&watch, listener, epoll::EventData::new_u64(0), epoll::EventFlags::IN)?;
    Ok(watch)
}

/// Here nothing waits inside the kernel, so a second descriptor is gone as soon as its task has run.
#[cfg(not(target_os = "linux"))]
fn watch(listener: &Listener) -> io::Result<OwnedFd> {
    use std::os::fd::AsFd as _;
    listener.as_fd().try_clone_to_owned()
}

async fn accept(reactor: Rc<Reactor>, accepting: Rc<Accepting>, watch: TcpStream, _task: Task) {
    while !accepting.stopped.get() {
        match accept_some(&reactor, &accepting) {
            Ok(()) => accepting.wait(watch.readable(false)).await,
            Err(error) => {
                reactor.tell(|engine| engine.accept_failed(accepting.owner, &error.to_string()));
                // Out of descriptors, most likely: the listener stays readable, so rest instead of spinning.
                accepting.wait(monoio::time::sleep(REST)).await;
            }
        }
    }
}

fn accept_some(reactor: &Rc<Reactor>, accepting: &Accepting) -> io::Result<()> {
    let listener = accepting.listener.borrow().clone();
    let Some(listener) = listener else { return Ok(()) };
    for _ in 0..IN_A_ROW {
        let Some((socket, peer)) = listener.accept()? else { break };
        reactor.accept(accepting.owner, socket, peer);
    }
    Ok(())
}
