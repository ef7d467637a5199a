//! One isolate's reactor on libuv's loop: what turns it, and what a turn does.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ffi::c_void,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use napi::{Env, Error, JsValue, Result, Status, bindgen_prelude::Object, sys};
use volo_js_io_threads::{Batch, Content, Link, Submission, TapeSize, Wake, split};
use volo_js_reactor_inline::Reactor;
use volo_js_tape::{InState, InTape, MOST_SLOTS, Malformed, OutTape};

use crate::{
    arrays::Arrays,
    core::KnownProgram,
    host::Host,
    memory::Buffers,
    runtimes::{INLINE, Runtimes},
    uv::{Handle, Uv, uv},
    wake::wake,
};
#[cfg(unix)]
use {crate::uv::READABLE, std::ffi::c_int};

/// First slot of the out tape's messages: where `end` stands when it is empty.
const OUT_EMPTY: u64 = 2;

/// One isolate's reactor, its tapes, and the handles that turn it. Nothing of it stays borrowed while JavaScript runs.
pub(crate) struct Inner {
    uv: &'static Uv,
    host: Host,
    pub(crate) reactor: RefCell<Reactor>,
    pub(crate) input: RefCell<Buffers>,
    input_state: RefCell<InState>,
    pub(crate) output: RefCell<Buffers>,
    arrays: Rc<Arrays>,
    pub(crate) programs: RefCell<HashMap<u64, KnownProgram>>,
    pub(crate) runtimes: RefCell<Runtimes>,
    /// The out tape dealt out: the isolate's own part, then one a thread.
    parts: RefCell<Vec<Vec<u64>>>,
    pub(crate) wake: Wake,
    /// By [`PREPARE`] and the others. Freed in their close callbacks.
    handles: [*mut Handle; HANDLES],
    open_handles: Cell<u32>,
    cleanup: Cell<sys::napi_async_cleanup_hook_handle>,
    /// A turn is under way: JavaScript called from it must not start another.
    pub(crate) turning: Cell<bool>,
    closing: Cell<bool>,
    idling: Cell<bool>,
    ticking: Cell<bool>,
    /// When the timer rings, where that is sooner than it usually does.
    rings_at: Cell<Option<Instant>>,
    referenced: Cell<bool>,
    /// The end of an I/O thread has been reported.
    failed: Cell<bool>,
}

/// How often timeouts are looked for, in milliseconds.
const TICK: u64 = 100;
const PREPARE: usize = 0;
const IDLE: usize = 1;
const TIMER: usize = 2;
/// Rung by other threads. Its reference keeps the loop alive, for every system has it.
const ASYNC: usize = 3;
/// Waits for the reactor's descriptor, where it has one.
#[cfg(unix)]
const POLL: usize = 4;
const HANDLES: usize = if cfg!(unix) { 5 } else { 4 };

impl Inner {
    /// A reactor on this environment's loop, with what calls JavaScript.
    pub(crate) fn start(env: &Env, hooks: &Object) -> Result<Rc<Self>> {
        let Some(uv) = uv() else {
            return Err(Error::new(
                Status::GenericFailure,
                "this runtime has no libuv, which the inline reactor needs; run on Node",
            ));
        };
        let host = Host::new(env.raw(), hooks.raw())?;
        let mut reactor =
            Reactor::new().map_err(|error| Error::from_reason(format!("cannot make a poller: {error}")))?;
        let arrays = Arrays::new(env.raw());
        reactor.engine().set_lender(arrays.lender());
        #[cfg(unix)]
        let descriptor = reactor.descriptor();
        let handles = [(); HANDLES].map(|()| Box::into_raw(Handle::boxed()));
        let inner = Rc::new(Inner {
            uv,
            host,
            reactor: RefCell::new(reactor),
            input: RefCell::new(Buffers::NONE),
            input_state: RefCell::new(InState::default()),
            output: RefCell::new(Buffers::NONE),
            arrays,
            programs: RefCell::default(),
            runtimes: RefCell::default(),
            parts: RefCell::default(),
            // SAFETY: initialised below; `close` ends all threads before it closes the handle.
            wake: unsafe { wake(uv, handles[ASYNC]) },
            handles,
            open_handles: Cell::new(HANDLES as u32),
            cleanup: Cell::new(ptr::null_mut()),
            turning: Cell::new(false),
            closing: Cell::new(false),
            idling: Cell::new(false),
            ticking: Cell::new(false),
            rings_at: Cell::new(None),
            referenced: Cell::new(false),
            failed: Cell::new(false),
        });
        let mut event_loop: *mut sys::uv_loop_s = ptr::null_mut();
        // SAFETY: the loop is this environment's; the handles are boxed and live until their close callbacks, each with a reference to the core
        // as its data. Only async may keep the loop alive, and only while `referenced`.
        unsafe {
            if sys::napi_get_uv_event_loop(env.raw(), &raw mut event_loop) != sys::Status::napi_ok {
                return Err(Error::from_reason("this environment has no event loop"));
            }
            let event_loop = event_loop.cast::<c_void>();
            #[cfg(unix)]
            {
                let made = (uv.poll_init)(event_loop, handles[POLL], descriptor);
                if made != 0 {
                    return Err(Error::from_reason(format!("libuv does not take the poller's descriptor ({made})")));
                }
            }
            (uv.prepare_init)(event_loop, handles[PREPARE]);
            (uv.idle_init)(event_loop, handles[IDLE]);
            (uv.timer_init)(event_loop, handles[TIMER]);
            (uv.async_init)(event_loop, handles[ASYNC], on_async);
            for handle in handles {
                (uv.handle_set_data)(handle, Rc::into_raw(inner.clone()).cast_mut().cast());
                (uv.unref)(handle);
            }
            #[cfg(unix)]
            (uv.poll_start)(handles[POLL], READABLE, on_poll);
            (uv.prepare_start)(handles[PREPARE], on_prepare);
            let mut hook = ptr::null_mut();
            sys::napi_add_async_cleanup_hook(
                env.raw(),
                Some(on_environment_end),
                Rc::into_raw(inner.clone()).cast_mut().cast(),
                &raw mut hook,
            );
            inner.cleanup.set(hook);
        }
        Ok(inner)
    }

    /// Runs part of a turn; a panic in it is a defect of the core, reported as an uncaught error instead of ending the process.
    fn guarded(&self, body: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(body)).is_err() {
            self.turning.set(false);
            self.host.fatal("volo-js: a defect in its core was caught; calls in this turn may be lost. Please report it with the trace on stderr.");
        }
    }

    /// Sockets to tape, tape to JavaScript, its answers to sockets.
    fn turn(&self) {
        self.turn_with(|| {
            self.read();
            if !self.input_state.borrow().is_empty() {
                // Nothing stays borrowed: a handler may make a core do anything.
                let viewed = self.input_state.borrow_mut().take_arrays();
                self.host.deliver(&self.arrays, &viewed);
                self.input_state.borrow_mut().reset();
                if !viewed.is_empty() {
                    drop(viewed);
                    self.arrays.collect();
                }
            }
            self.read_threads();
        });
    }

    /// The same for the I/O threads' sockets only: a look at the isolate's own costs a system call, and libuv tells of them by itself.
    fn turn_for_threads(&self) {
        self.turn_with(|| self.read_threads());
    }

    fn turn_with(&self, read: impl FnOnce()) {
        if self.turning.replace(true) {
            return;
        }
        read();
        self.take_output();
        self.settle();
        self.turning.set(false);
    }

    /// What the I/O threads have for JavaScript: at most one batch each, so that none of them holds the others up.
    fn read_threads(&self) {
        let count = self.runtimes.borrow().links().len();
        for index in 0..count {
            // Nothing stays borrowed: a handler may start or close servers.
            let Some(link) = self.runtimes.borrow().links().get(index).cloned() else { return };
            if link.has_failed() && !self.failed.replace(true) {
                // Before the error, which may be the last thing that happens here.
                self.host.thread_failed();
                self.host.fatal("volo-js: an I/O thread has ended because of a defect in the core; its connections are lost. Please report it with the trace on stderr.");
            }
            if let Some(batch) = link.take() {
                self.deliver(batch, &link);
            }
        }
    }

    /// Copies a batch to the tape and hands it over.
    fn deliver(&self, mut batch: Batch, link: &Link) {
        if !self.host.alive.get() {
            return;
        }
        if !self.copy(&batch) {
            let TapeSize { slots, text, bytes } = batch.used();
            self.host.grow_in(slots, text, bytes);
            if !self.copy(&batch) {
                // Only an isolate that is out of memory, or ends, does not make the tape it is asked for.
                self.host
                    .fatal("volo-js: there is no memory for a message as large as one that has arrived; it is lost");
                return;
            }
        }
        // Before the handlers run: the thread can fill it meanwhile.
        let viewed = batch.take_arrays();
        link.give_back(batch);
        self.host.deliver(&self.arrays, &viewed);
    }

    fn copy(&self, batch: &Batch) -> bool {
        let mut input = self.input.borrow_mut();
        // SAFETY: the slices live in this block, which calls no JavaScript.
        let (slots, text, bytes) = unsafe { input.slices() };
        batch.copy_to(slots, text, bytes)
    }

    fn read(&self) {
        loop {
            if !self.host.alive.get() {
                return;
            }
            let growth = {
                let (mut reactor, mut state, mut input) =
                    (self.reactor.borrow_mut(), self.input_state.borrow_mut(), self.input.borrow_mut());
                let current = input.slot_count();
                // SAFETY: the slices live in this block, which calls no JavaScript.
                let (slots, text, bytes) = unsafe { input.slices() };
                let mut tape = InTape::new(slots, text, bytes, &mut state);
                if let Err(error) = reactor.poll(&mut tape) {
                    drop((reactor, state));
                    self.host.fatal(&format!("volo-js: cannot wait for sockets: {error}"));
                    return;
                }
                let growth = reactor.engine().take_growth();
                growth
                    .filter(|_| state.is_empty())
                    .map(|growth| ((current * 4).min(MOST_SLOTS), growth.text, growth.bytes))
            };
            let Some((slots, text, bytes)) = growth else { return };
            self.host.grow_in(slots, text, bytes);
        }
    }

    /// Takes what JavaScript wrote and sends it.
    fn take_output(&self) {
        self.submit();
        self.reactor.borrow_mut().flush();
    }

    pub(crate) fn submit(&self) {
        self.submit_with(Vec::new);
    }

    /// Takes what JavaScript wrote, with arrays that it lends while this lasts; they are asked for when no JavaScript runs any more.
    pub(crate) fn submit_with<'a>(&self, lent: impl FnOnce() -> Vec<&'a [u8]>) {
        let pending = {
            let mut output = self.output.borrow_mut();
            // SAFETY: the slices live in this block, which calls no JavaScript.
            let (slots, _, _) = unsafe { output.slices() };
            let first = slots.first().copied().unwrap_or(OUT_EMPTY);
            (first as u32 as u64 > OUT_EMPTY).then_some(first >> 32 != 0)
        };
        let Some(text) = pending else { return };
        if text {
            self.host.encode_text();
        }
        let damage = {
            let (mut reactor, mut output) = (self.reactor.borrow_mut(), self.output.borrow_mut());
            // SAFETY: the slices live in this block, which calls no JavaScript.
            let (slots, text, bytes) = unsafe { output.slices() };
            let runtimes = self.runtimes.borrow();
            let lent = lent();
            let tape = OutTape::new(slots, text, bytes).with_arrays(&lent);
            let result = if runtimes.links().is_empty() {
                reactor.submit(&tape)
            } else {
                self.deal(&mut reactor, &runtimes, &tape)
            };
            slots[0] = OUT_EMPTY;
            slots[1] = 0;
            result.err()
        };
        if let Some(damage) = damage {
            self.host.fatal(&format!("volo-js: {damage}. This is a defect of volo-js or of generated code made by another version; run `volo build` again."));
        }
    }

    /// Gives every thread the messages that are for it.
    fn deal(
        &self,
        reactor: &mut Reactor,
        runtimes: &Runtimes,
        tape: &OutTape<'_>,
    ) -> std::result::Result<(), Malformed> {
        let mut parts = self.parts.borrow_mut();
        parts.resize_with(INLINE + 1 + runtimes.links().len(), Vec::new);
        let mut result = split(tape, &mut parts, |header| runtimes.part_of(header));
        let used = result.unwrap_or(usize::MAX);
        let mut content = None;
        for (part, slots) in parts.iter_mut().enumerate().filter(|(_, slots)| !slots.is_empty()) {
            if part == INLINE {
                // Every part is worked off and emptied, whatever is wrong with one.
                let damage = reactor.submit(&tape.with_slots(slots)).err();
                result = damage.map_or(result, Err);
                slots.clear();
                continue;
            }
            let content = content.get_or_insert_with(|| {
                let bytes = tape.all_bytes();
                Arc::new(Content {
                    text: tape.text().to_vec(),
                    bytes: bytes[..used.min(bytes.len())].to_vec(),
                    arrays: tape.arrays().iter().map(|array| array.to_vec()).collect(),
                })
            });
            let slots = std::mem::take(slots);
            runtimes.links()[part - 1].submit(Submission { slots, content: content.clone() });
        }
        result.map(|_| ())
    }

    /// Before libuv waits: idle while work is left, a timer while time matters, a reference while somebody waits.
    pub(crate) fn settle(&self) {
        if self.closing.get() {
            return;
        }
        let (backlog, tick, busy) = {
            let mut reactor = self.reactor.borrow_mut();
            let busy = reactor.engine().is_busy() || self.runtimes.borrow().is_busy();
            (reactor.has_backlog(), reactor.tick_after(), busy)
        };
        // SAFETY: the handles are open until `close`, which sets `closing`; this is the loop's thread.
        unsafe {
            if backlog != self.idling.replace(backlog) {
                if backlog {
                    (self.uv.idle_start)(self.handles[IDLE], on_idle);
                } else {
                    (self.uv.idle_stop)(self.handles[IDLE]);
                }
            }
            if tick.is_some() != self.ticking.replace(tick.is_some()) {
                if tick.is_some() {
                    (self.uv.timer_start)(self.handles[TIMER], on_timer, TICK, TICK);
                } else {
                    (self.uv.timer_stop)(self.handles[TIMER]);
                }
                self.rings_at.set(None);
            }
            if let Some(after) = tick.filter(|after| after.as_millis() < u128::from(TICK)) {
                // A call's time is over before the timer would ring.
                let at = Instant::now() + after;
                if self.rings_at.get().is_none_or(|rings_at| at < rings_at) {
                    self.rings_at.set(Some(at));
                    // It rings late rather than early: what has not run out yet would only be looked at again.
                    (self.uv.timer_start)(self.handles[TIMER], on_timer, after.as_millis() as u64 + 1, TICK);
                }
            }
            if busy != self.referenced.replace(busy) {
                if busy {
                    (self.uv.r#ref)(self.handles[ASYNC]);
                } else {
                    (self.uv.unref)(self.handles[ASYNC]);
                }
            }
        }
    }

    /// Keeps the loop alive until [`Inner::settle`] finds that nobody waits.
    pub(crate) fn reference(&self) {
        if !self.closing.get() && !self.referenced.replace(true) {
            // SAFETY: the handle is open, for the core does not close.
            unsafe { (self.uv.r#ref)(self.handles[ASYNC]) };
        }
    }

    /// Closes the handles; memory goes back in the last close callback.
    pub(crate) fn close(&self) {
        if self.closing.replace(true) {
            return;
        }
        // Its threads first: they may still ring.
        self.runtimes.borrow_mut().end();
        for handle in self.handles {
            // SAFETY: initialised in `Core::new`, closed once; libuv calls back when it has let go of it.
            unsafe { (self.uv.close)(handle, on_closed) };
        }
    }
}

/// The core behind a handle.
///
/// # Safety
/// `handle` is one of a core's handles, between its initialisation and its close callback: its data is the core's leaked reference.
unsafe fn inner_of(handle: *mut Handle) -> Option<Rc<Inner>> {
    let uv = uv()?;
    // SAFETY: see above; the count goes up for the clone that is returned, so the leaked one stays.
    unsafe {
        let data = (uv.handle_get_data)(handle).cast::<Inner>().cast_const();
        Rc::increment_strong_count(data);
        Some(Rc::from_raw(data))
    }
}

/// # Safety
/// libuv calls it with a core's own handle.
#[cfg(unix)]
unsafe extern "C" fn on_poll(handle: *mut Handle, _status: c_int, _events: c_int) {
    // SAFETY: this function's contract is `inner_of`'s.
    if let Some(inner) = unsafe { inner_of(handle) } {
        inner.guarded(|| inner.turn());
    }
}

/// # Safety
/// libuv calls it with a core's own handle.
unsafe extern "C" fn on_async(handle: *mut Handle) {
    // SAFETY: this function's contract is `inner_of`'s.
    if let Some(inner) = unsafe { inner_of(handle) } {
        inner.guarded(|| inner.turn_for_threads());
    }
}

/// # Safety
/// libuv calls it with a core's own handle.
unsafe extern "C" fn on_idle(handle: *mut Handle) {
    // SAFETY: this function's contract is `inner_of`'s.
    if let Some(inner) = unsafe { inner_of(handle) } {
        inner.guarded(|| inner.turn());
    }
}

/// # Safety
/// libuv calls it with a core's own handle.
unsafe extern "C" fn on_prepare(handle: *mut Handle) {
    // SAFETY: this function's contract is `inner_of`'s.
    if let Some(inner) = unsafe { inner_of(handle) } {
        inner.guarded(|| {
            if !inner.turning.get() && inner.host.alive.get() {
                inner.take_output();
                inner.settle();
            }
        });
    }
}

/// # Safety
/// libuv calls it with a core's own handle.
unsafe extern "C" fn on_timer(handle: *mut Handle) {
    // SAFETY: this function's contract is `inner_of`'s.
    if let Some(inner) = unsafe { inner_of(handle) } {
        inner.rings_at.set(None);
        inner.guarded(|| {
            // First what has arrived: where the loop was held up, it may only look late.
            inner.turn();
            inner.reactor.borrow_mut().tick();
            inner.settle();
        });
    }
}

/// # Safety
/// libuv calls it once for each of a core's handles, after it has let go of it.
unsafe extern "C" fn on_closed(handle: *mut Handle) {
    // SAFETY: libuv has let go of the handle; each handle owns one leaked reference to the core and its own memory.
    let inner = unsafe {
        let Some(uv) = uv() else { return };
        let inner = Rc::from_raw((uv.handle_get_data)(handle).cast::<Inner>().cast_const());
        drop(Box::from_raw(handle));
        inner
    };
    inner.open_handles.set(inner.open_handles.get() - 1);
    if inner.open_handles.get() == 0 {
        inner.input.borrow_mut().release(inner.host.env);
        inner.output.borrow_mut().release(inner.host.env);
        inner.arrays.release();
        inner.host.release();
        let hook = inner.cleanup.replace(ptr::null_mut());
        if !hook.is_null() {
            // SAFETY: added in `Core::new`, removed once. From here on the environment may end.
            unsafe { sys::napi_remove_async_cleanup_hook(hook) };
        }
    }
}

/// The environment ends (a worker is terminated, the process exits): JavaScript is never called again.
///
/// # Safety
/// Node calls it once, with the reference leaked for it.
unsafe extern "C" fn on_environment_end(_hook: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    // SAFETY: the data is the reference leaked for this hook; the hook runs once.
    let inner = unsafe { Rc::from_raw(data.cast::<Inner>().cast_const()) };
    inner.host.alive.set(false);
    inner.close();
}
