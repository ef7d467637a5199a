//! One isolate's core: a reactor that libuv turns.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ffi::{c_int, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use napi::JsValue;
use napi::{
    Env, Error, Result, Status,
    bindgen_prelude::{Object, Unknown},
    sys,
};
use napi_derive::napi;
use volo_js_reactor_inline::Reactor;
use volo_js_schema::Schema;
use volo_js_tape::{InState, InTape, OutTape};
use volo_js_thrift::Program;

use crate::{
    host::Host,
    memory::Buffers,
    options::{MOST_SLOTS, NativeClientOptions, NativeListenOptions},
    uv::{Handle, READABLE, Uv, uv},
};

/// First slot of the out tape's messages: where `end` stands when it is empty.
const OUT_EMPTY: u64 = 2;

struct KnownProgram {
    id: u32,
    program: Arc<Program>,
    services: Vec<Vec<u32>>,
}

struct Inner {
    uv: &'static Uv,
    host: Host,
    reactor: RefCell<Reactor>,
    input: RefCell<Buffers>,
    input_state: RefCell<InState>,
    output: RefCell<Buffers>,
    programs: RefCell<HashMap<u64, KnownProgram>>,
    /// poll, prepare, idle, timer. Freed in their close callbacks.
    handles: [*mut Handle; 4],
    open_handles: Cell<u32>,
    cleanup: Cell<sys::napi_async_cleanup_hook_handle>,
    /// A turn is under way: JavaScript called from it must not start another.
    turning: Cell<bool>,
    closing: Cell<bool>,
    idling: Cell<bool>,
    ticking: Cell<bool>,
    referenced: Cell<bool>,
}

const POLL: usize = 0;
const PREPARE: usize = 1;
const IDLE: usize = 2;
const TIMER: usize = 3;

impl Inner {
    /// Runs part of a turn; a panic in it is a defect of the core, reported as an uncaught error instead of ending the process.
    fn guarded(&self, body: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(body)).is_err() {
            self.turning.set(false);
            self.host.fatal("volo-js: a defect in its core was caught; calls in this turn may be lost. Please report it with the trace on stderr.");
        }
    }

    /// Sockets to tape, tape to JavaScript, its answers to sockets.
    fn turn(&self) {
        if self.turning.replace(true) {
            return;
        }
        self.read();
        if !self.input_state.borrow().is_empty() {
            self.host.deliver();
            self.input_state.borrow_mut().reset();
        }
        self.take_output();
        self.settle();
        self.turning.set(false);
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

    fn submit(&self) {
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
            let result = reactor.submit(&OutTape::new(slots, text, bytes));
            slots[0] = OUT_EMPTY;
            slots[1] = 0;
            result.err()
        };
        if let Some(damage) = damage {
            self.host.fatal(&format!("volo-js: {damage}. This is a defect of volo-js or of generated code made by another version; run `volo build` again."));
        }
    }

    /// Before libuv waits: idle while work is left, a timer while time matters, a reference while somebody waits.
    fn settle(&self) {
        if self.closing.get() {
            return;
        }
        let (backlog, tick, busy) = {
            let mut reactor = self.reactor.borrow_mut();
            (reactor.has_backlog(), reactor.tick_after(), reactor.engine().is_busy())
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
                if let Some(every) = tick {
                    let every = every.as_millis() as u64;
                    (self.uv.timer_start)(self.handles[TIMER], on_timer, every, every);
                } else {
                    (self.uv.timer_stop)(self.handles[TIMER]);
                }
            }
            if busy != self.referenced.replace(busy) {
                if busy {
                    (self.uv.r#ref)(self.handles[POLL]);
                } else {
                    (self.uv.unref)(self.handles[POLL]);
                }
            }
        }
    }

    /// Closes the handles; memory goes back in the last close callback.
    fn close(&self) {
        if self.closing.replace(true) {
            return;
        }
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
unsafe extern "C" fn on_poll(handle: *mut Handle, _status: c_int, _events: c_int) {
    // SAFETY: this function's contract is `inner_of`'s.
    if let Some(inner) = unsafe { inner_of(handle) } {
        inner.guarded(|| inner.turn());
    }
}

/// # Safety
/// As [`on_poll`].
unsafe extern "C" fn on_idle(handle: *mut Handle) {
    // SAFETY: this function's contract is `inner_of`'s.
    if let Some(inner) = unsafe { inner_of(handle) } {
        inner.guarded(|| inner.turn());
    }
}

/// # Safety
/// As [`on_poll`].
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
/// As [`on_poll`].
unsafe extern "C" fn on_timer(handle: *mut Handle) {
    // SAFETY: this function's contract is `inner_of`'s.
    if let Some(inner) = unsafe { inner_of(handle) } {
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

/// One isolate's reactor and engine. See `Core` in `js/core/addon.ts`.
#[napi]
pub struct Core {
    inner: Rc<Inner>,
}

/// What [`Core::listen`] did.
#[napi(object)]
pub struct NativeListening {
    /// Stands in the header of every CALL of this server.
    pub id: u32,
    /// The bound address.
    pub address: String,
}

fn coded(code: &str, message: impl Into<String>) -> Error<String> {
    Error::new(code.to_owned(), message.into())
}

#[napi]
impl Core {
    /// A reactor on this isolate's event loop.
    #[napi(constructor)]
    pub fn new(env: Env, hooks: Object) -> Result<Self> {
        let Some(uv) = uv() else {
            return Err(Error::new(
                Status::GenericFailure,
                "this runtime has no libuv, which the inline reactor needs; run on Node",
            ));
        };
        let host = Host::new(env.raw(), hooks.raw())?;
        let reactor = Reactor::new().map_err(|error| Error::from_reason(format!("cannot make a poller: {error}")))?;
        let descriptor = reactor.descriptor();
        let handles = [(); 4].map(|()| Box::into_raw(Handle::boxed()));
        let inner = Rc::new(Inner {
            uv,
            host,
            reactor: RefCell::new(reactor),
            input: RefCell::new(Buffers::NONE),
            input_state: RefCell::new(InState::default()),
            output: RefCell::new(Buffers::NONE),
            programs: RefCell::new(HashMap::new()),
            handles,
            open_handles: Cell::new(4),
            cleanup: Cell::new(ptr::null_mut()),
            turning: Cell::new(false),
            closing: Cell::new(false),
            idling: Cell::new(false),
            ticking: Cell::new(false),
            referenced: Cell::new(false),
        });
        let mut event_loop: *mut sys::uv_loop_s = ptr::null_mut();
        // SAFETY: the loop is this environment's; the handles are boxed and live until their close callbacks, each with a reference to the core
        // as its data. Only poll may keep the loop alive, and only while `referenced`.
        unsafe {
            if sys::napi_get_uv_event_loop(env.raw(), &raw mut event_loop) != sys::Status::napi_ok {
                return Err(Error::from_reason("this environment has no event loop"));
            }
            let event_loop = event_loop.cast::<c_void>();
            let made = (uv.poll_init)(event_loop, handles[POLL], descriptor);
            if made != 0 {
                return Err(Error::from_reason(format!("libuv does not take the poller's descriptor ({made})")));
            }
            (uv.prepare_init)(event_loop, handles[PREPARE]);
            (uv.idle_init)(event_loop, handles[IDLE]);
            (uv.timer_init)(event_loop, handles[TIMER]);
            for handle in handles {
                (uv.handle_set_data)(handle, Rc::into_raw(inner.clone()).cast_mut().cast());
                (uv.unref)(handle);
            }
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
        Ok(Self { inner })
    }

    /// The buffers of the tape to JavaScript.
    #[napi]
    pub fn set_in(&self, env: Env, slots: Unknown, text: Unknown, bytes: Unknown) -> Result<()> {
        self.inner.input.borrow_mut().set(env.raw(), slots.raw(), text.raw(), bytes.raw())
    }

    /// The buffers of the tape from JavaScript.
    #[napi]
    pub fn set_out(&self, env: Env, slots: Unknown, text: Unknown, bytes: Unknown) -> Result<()> {
        self.inner.output.borrow_mut().set(env.raw(), slots.raw(), text.raw(), bytes.raw())
    }

    /// Compiles a schema; the same one gives the same id.
    #[napi]
    pub fn load_schema(&self, json: String) -> Result<u32> {
        let invalid = |error: String| Error::new(Status::InvalidArg, format!("the schema is not valid: {error}"));
        let schema = Schema::from_json(&json).map_err(|error| invalid(error.to_string()))?;
        let hash = schema.hash();
        if let Some(known) = self.inner.programs.borrow().get(&hash) {
            return Ok(known.id);
        }
        schema.validate().map_err(invalid)?;
        let program = Arc::new(Program::compile(&schema).map_err(|error| invalid(error.to_string()))?);
        let id = self.inner.reactor.borrow_mut().engine().add_program(program.clone());
        let services = schema.services.iter().map(|service| service.methods.clone()).collect();
        self.inner.programs.borrow_mut().insert(hash, KnownProgram { id, program, services });
        Ok(id)
    }

    /// Serves services of a program.
    #[napi]
    pub fn listen(
        &self,
        program: u32,
        services: Vec<u32>,
        options: NativeListenOptions,
    ) -> Result<NativeListening, String> {
        let invalid = |error: Error| coded("ERR_INVALID_ARG_VALUE", error.reason.clone());
        let address = options.address().map_err(invalid)?;
        let mut methods = Vec::new();
        {
            let programs = self.inner.programs.borrow();
            let known = programs
                .values()
                .find(|known| known.id == program)
                .ok_or_else(|| coded("ERR_INVALID_ARG_VALUE", "no such program"))?;
            for service in services {
                let listed = known
                    .services
                    .get(service as usize)
                    .ok_or_else(|| coded("ERR_INVALID_ARG_VALUE", "no such service"))?;
                methods
                    .extend(listed.iter().copied().filter(|method| (*method as usize) < known.program.methods().len()));
            }
        }
        let mut reactor = self.inner.reactor.borrow_mut();
        let id = reactor.engine().add_server(program, &methods, options.server()).map_err(|name| {
            coded(
                "ERR_METHOD_CLASH",
                format!("two services on this server have a method {name:?}; give each its own port"),
            )
        })?;
        match reactor.listen(id, &address, &options.listen()) {
            Ok(bound) => {
                drop(reactor);
                self.inner.settle();
                Ok(NativeListening { id, address: bound.to_string() })
            }
            Err(error) => {
                reactor.engine().remove_server(id);
                Err(coded(error_code(&error), format!("cannot listen on {address}: {error}")))
            }
        }
    }

    /// Stops a server after `grace` milliseconds at most.
    #[napi]
    pub fn close_server(&self, id: u32, grace: f64) {
        self.close_owner(id, grace);
    }

    /// Makes a client.
    #[napi]
    pub fn connect(&self, program: u32, options: NativeClientOptions) -> Result<u32> {
        let client = options.client()?;
        if !self.inner.programs.borrow().values().any(|known| known.id == program) {
            return Err(Error::new(Status::InvalidArg, "no such program"));
        }
        let mut reactor = self.inner.reactor.borrow_mut();
        let id = reactor.engine().add_client(program, client);
        reactor.set_client_socket(id, options.socket());
        Ok(id)
    }

    /// Stops a client after `grace` milliseconds at most.
    #[napi]
    pub fn close_client(&self, id: u32, grace: f64) {
        self.close_owner(id, grace);
    }

    fn close_owner(&self, id: u32, grace: f64) {
        let grace = Duration::try_from_secs_f64(grace / 1e3).unwrap_or(Duration::MAX);
        self.inner.submit();
        self.inner.reactor.borrow_mut().close_owner(id, grace);
        self.inner.settle();
    }

    /// Counters of a server as JSON; an empty object once it is gone.
    #[napi]
    pub fn server_stats(&self, id: u32) -> Result<String> {
        let stats = self.inner.reactor.borrow_mut().engine().server_stats(id);
        stats.map_or(Ok("{}".to_owned()), |stats| {
            serde_json::to_string(&stats).map_err(|error| Error::from_reason(error.to_string()))
        })
    }

    /// Counters of a client as JSON; an empty object once it is gone.
    #[napi]
    pub fn client_stats(&self, id: u32) -> Result<String> {
        let stats = self.inner.reactor.borrow_mut().engine().client_stats(id);
        stats.map_or(Ok("{}".to_owned()), |stats| {
            serde_json::to_string(&stats).map_err(|error| Error::from_reason(error.to_string()))
        })
    }

    /// The peer of a server's call; empty if it is gone.
    #[napi]
    pub fn peer(&self, call_slot: u32, generation: u32) -> String {
        self.inner
            .reactor
            .borrow_mut()
            .engine()
            .peer_of(call_slot, generation)
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Takes what is on the out tape now.
    #[napi]
    pub fn flush(&self) {
        self.inner.submit();
        if !self.inner.turning.get() {
            self.inner.reactor.borrow_mut().flush();
            self.inner.settle();
        }
    }

    /// Keeps the event loop alive until nothing is in flight.
    #[napi(js_name = "ref")]
    pub fn reference(&self) {
        if !self.inner.closing.get() && !self.inner.referenced.replace(true) {
            // SAFETY: the handle is open, for the core does not close.
            unsafe { (self.inner.uv.r#ref)(self.inner.handles[POLL]) };
        }
    }

    /// Closes everything at once.
    #[napi]
    pub fn shutdown(&self) {
        self.inner.close();
    }
}

fn error_code(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "EADDRINUSE",
        std::io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        std::io::ErrorKind::PermissionDenied => "EACCES",
        std::io::ErrorKind::NotFound => "ENOENT",
        _ => "ELISTEN",
    }
}
