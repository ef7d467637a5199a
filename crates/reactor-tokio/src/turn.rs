//! The task that turns the shard.

use std::{
    future::poll_fn,
    mem,
    pin::pin,
    rc::Rc,
    task::{Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use volo_js_io_threads::Arrival;
use volo_js_transport::ConnectionId;

use crate::{
    listener::Accepting,
    thread::{End, Thread},
};

/// Turns until the thread is told to stop.
pub(crate) async fn turns(thread: Rc<Thread>) {
    let mut turning = Turning::default();
    let mut tick = pin!(sleep(Duration::ZERO));
    let mut ticking = false;
    loop {
        let mut straight_on = true;
        poll_fn(|cx| {
            if ticking && tick.as_mut().poll(cx).is_ready() {
                ticking = false;
                thread.shard.borrow_mut().tick();
                thread.carry_out();
            }
            let straight_on = mem::take(&mut straight_on);
            ready!(thread.shard.borrow_mut().poll_turn(cx));
            if !straight_on {
                return Poll::Ready(());
            }
            // Turn upon turn would starve the connections: behind those that are ready.
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        if turning.turn(&thread) {
            return thread.end(End::Stopped);
        }
        if !ticking && let Some(after) = thread.shard.borrow().tick_after() {
            tick.as_mut().reset(Instant::now() + after);
            ticking = true;
        }
    }
}

/// Kept from turn to turn, so that a turn allocates nothing.
#[derive(Default)]
struct Turning {
    arrivals: Vec<Arrival>,
    dirty: Vec<ConnectionId>,
}

impl Turning {
    /// One turn. True if the thread is to stop.
    fn turn(&mut self, thread: &Rc<Thread>) -> bool {
        let mut stop = false;
        thread.shard.borrow_mut().begin_turn(&mut self.arrivals);
        for arrival in self.arrivals.drain(..) {
            match arrival {
                Arrival::Listen { owner, listener } => {
                    let accepting = Accepting::start(thread, owner, listener);
                    thread.listeners.borrow_mut().push(accepting);
                }
                Arrival::Connection { id, socket } => thread.start_connection(id, socket),
                Arrival::Stop => stop = true,
            }
        }
        thread.carry_out();
        thread.shard.borrow_mut().engine().take_dirty(&mut self.dirty);
        for id in self.dirty.drain(..) {
            if let Some(Some(connection)) = thread.connections.borrow().get(id as usize) {
                connection.write(&mut thread.shard.borrow_mut());
            }
        }
        thread.carry_out();
        thread.shard.borrow_mut().end_turn();
        stop
    }
}
