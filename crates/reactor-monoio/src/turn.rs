//! A thread's main task: it turns the shard.

use std::{
    future::{Future as _, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
    time::Duration,
};

use monoio::time::{Sleep, sleep};
use volo_js_io_threads::Arrival;

use crate::{reactor::Reactor, tasks::let_others_run};

/// How long the end of a thread waits for the kernel to give the last buffers back. It does so at once, unless something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(2);

enum Due {
    Turn,
    Tick,
}

/// Turns the shard until a letter says stop.
pub(crate) async fn turn_until_stopped(reactor: &Rc<Reactor>) {
    let mut tick = pin!(None);
    let mut arrivals = Vec::new();
    let mut dirty = Vec::new();
    loop {
        let (due, waited) = next(reactor, tick.as_mut()).await;
        match due {
            Due::Tick => {
                tick.set(None);
                reactor.rest_silent_connections();
                reactor.look_after_unread_connections();
                reactor.shard.borrow_mut().tick();
                reactor.carry_out();
            }
            Due::Turn => {
                if !waited {
                    // More of the same, right after a turn: what has become ready comes first.
                    let_others_run().await;
                }
                if !turn(reactor, &mut arrivals, &mut dirty) {
                    break;
                }
            }
        }
        if tick.is_none() {
            let after = reactor.shard.borrow().tick_after();
            tick.set(after.map(sleep));
        }
    }
}

/// Closes everything, and waits until the kernel has no buffer any more.
pub(crate) async fn end(reactor: &Rc<Reactor>) {
    reactor.close_all();
    let mut patience = pin!(sleep(PATIENCE));
    poll_fn(|cx| {
        // A task that does not end keeps its buffers, and the ring, for good.
        if reactor.tasks.are_over(cx) { Poll::Ready(()) } else { patience.as_mut().poll(cx) }
    })
    .await;
}

/// What is due next, and whether that had to be waited for.
async fn next(reactor: &Reactor, mut tick: Pin<&mut Option<Sleep>>) -> (Due, bool) {
    let mut waited = false;
    poll_fn(|cx| {
        if tick.as_mut().as_pin_mut().is_some_and(|tick| tick.poll(cx).is_ready()) {
            return Poll::Ready((Due::Tick, waited));
        }
        if reactor.shard.borrow_mut().poll_turn(cx).is_ready() {
            return Poll::Ready((Due::Turn, waited));
        }
        waited = true;
        Poll::Pending
    })
    .await
}

/// False if the thread is to end.
fn turn(reactor: &Rc<Reactor>, arrivals: &mut Vec<Arrival>, dirty: &mut Vec<u32>) -> bool {
    reactor.shard.borrow_mut().begin_turn(arrivals);
    for arrival in arrivals.drain(..) {
        if !reactor.arrive(arrival) {
            return false;
        }
    }
    reactor.carry_out();
    reactor.shard.borrow_mut().engine().take_dirty(dirty);
    for id in dirty.drain(..) {
        reactor.write_to(id);
    }
    reactor.carry_out();
    reactor.shard.borrow_mut().end_turn();
    true
}
