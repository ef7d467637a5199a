//! Which driver a thread gets, and its life from there.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
    time::Duration,
};

use monoio::{LegacyDriver, Runtime, RuntimeBuilder, time::sleep};
use volo_js_io_threads::{Driver, Place, Shard};

use crate::{
    reactor::Reactor,
    turn::{end, turn_until_stopped},
};

/// How long the operations of a task that has panicked get to give their buffers back: they are cancelled when it is dropped, and nobody
/// waits for them.
const AFTER_PANIC: Duration = Duration::from_millis(50);

/// One I/O thread: says through `ready` what moves its bytes (or why it cannot begin), then serves until it is told to stop.
///
/// `io_uring` is tried by setting one up, with the flags that make it fastest first. Where the kernel has none, or refuses one (a seccomp
/// filter, `kernel.io_uring_disabled`), epoll serves instead. `MONOIO_FORCE_LEGACY_DRIVER=1` in the environment asks for that too.
///
/// # Panics
/// If a task on it has, with all sockets closed.
pub fn run(place: Place, ready: &mut dyn FnMut(io::Result<Driver>)) {
    #[cfg(target_os = "linux")]
    if let Some(runtime) = ring::build() {
        return serve(runtime, place, Driver::IoUring, ready);
    }
    match RuntimeBuilder::<LegacyDriver>::new().enable_timer().build() {
        Ok(runtime) => serve(runtime, place, Driver::of_this_system(), ready),
        Err(error) => ready(Err(error)),
    }
}

fn serve<D: monoio::Driver>(
    mut runtime: Runtime<D>,
    place: Place,
    driver: Driver,
    ready: &mut dyn FnMut(io::Result<Driver>),
) {
    let reactor = Rc::new(Reactor::new(Shard::new(place), driver));
    ready(Ok(driver));
    let life = catch_unwind(AssertUnwindSafe(|| runtime.block_on(turn_until_stopped(&reactor))));
    // Behind a panic too: Monoio drops no task but those that could run, and the others would keep their sockets open for good.
    runtime.block_on(end(&reactor));
    if let Err(panic) = life {
        runtime.block_on(sleep(AFTER_PANIC));
        resume_unwind(panic);
    }
}

#[cfg(target_os = "linux")]
mod ring {
    use io_uring::{Builder, IoUring};
    use monoio::{IoUringDriver, Runtime, RuntimeBuilder, time::TimeDriver};

    /// Operations that one system call can hand over.
    const SUBMISSIONS: u32 = 1024;
    /// Results that wait in the ring, rather than in an overflow list of the kernel.
    const COMPLETIONS: u32 = 8 * SUBMISSIONS;

    /// Ways to set a ring up, the best first. The kernel refuses flags it does not know.
    ///
    /// `DEFER_TASKRUN` is none of them: it looks at twenty completions a wait, and several hundred connections then take a dozen turns where
    /// they could take one.
    const WAYS: [fn(&mut Builder); 2] = [
        // Linux 5.19: nothing interrupts this thread, which looks by itself.
        |ring| {
            ring.setup_coop_taskrun();
        },
        |_| {},
    ];

    pub(super) fn build() -> Option<Runtime<TimeDriver<IoUringDriver>>> {
        // Kernels before 5.6 have rings without the operations on sockets.
        if !monoio::utils::detect_uring() {
            return None;
        }
        WAYS.iter().find_map(|way| {
            let mut ring = IoUring::builder();
            ring.setup_cqsize(COMPLETIONS);
            way(&mut ring);
            RuntimeBuilder::<IoUringDriver>::new()
                .with_entries(SUBMISSIONS)
                .uring_builder(ring)
                .enable_timer()
                .build()
                .ok()
        })
    }
}
