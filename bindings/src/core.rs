//! One isolate's core as JavaScript sees it: programs, servers, clients.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc, time::Duration};

use napi::{
    Env, Error, JsValue, Result,
    bindgen_prelude::{Object, Uint8Array, Unknown},
};
use napi_derive::napi;
use volo_js_io_threads::{Command, Driver, Link, TapeSize};
use volo_js_reactor_inline::{Reactor, SocketOptions};
use volo_js_schema::Schema;
use volo_js_sockets::{Listener, held, peer_of};
use volo_js_thrift::Program;
use volo_js_tls::ClientTls;
use volo_js_transport::{
    Address, ClientCounters, ClientOptions, ClientSetup, ClientStats, ConnectionKey, GrpcServerSetup, Methods,
    PoolStats, Served, ServerSetup, ServerStats, ServingStatus,
};

use crate::{
    arrays::lent_by,
    event_loop::Inner,
    options::{NativeClientOptions, NativeListenOptions, NativeUpstream, address},
    runtimes::{Home, INLINE, RuntimeKind, Started, invalid},
    tls::{KnownTls, NativeClientTls, NativePeerTls, NativeServerTls},
};

/// A compiled schema, and the methods of each of its services.
pub(crate) struct KnownProgram {
    id: u32,
    program: AnyProgram,
    services: Vec<KnownService>,
    /// Of Protobuf: what reflection tells, a `FileDescriptorSet` in base64.
    descriptors: String,
}

/// A service of a compiled schema.
#[derive(Clone)]
struct KnownService {
    name: String,
    /// Indexes into the program's methods.
    methods: Vec<u32>,
}

/// A program of either IDL.
#[derive(Clone)]
enum AnyProgram {
    Thrift(Arc<Program>),
    Protobuf(Arc<volo_js_protobuf::Program>),
}

impl AnyProgram {
    /// How many methods it has.
    fn methods(&self) -> usize {
        match self {
            Self::Thrift(program) => program.methods().len(),
            Self::Protobuf(program) => program.methods().len(),
        }
    }

    fn compile(schema: &Schema) -> std::result::Result<Self, String> {
        if schema.is_protobuf() {
            let program = volo_js_protobuf::Program::compile(schema).map_err(|error| error.to_string())?;
            return Ok(Self::Protobuf(Arc::new(program)));
        }
        Ok(Self::Thrift(Arc::new(Program::compile(schema).map_err(|error| error.to_string())?)))
    }
}

/// One isolate's reactor and engine. See `Core` in `js/core/addon.ts`.
#[napi]
pub struct Core {
    inner: Rc<Inner>,
    /// What can be reloaded.
    tls: RefCell<HashMap<u32, KnownTls>>,
}

/// Services of a program that a server answers for. See `NativeServices` in `js/core/addon.ts`.
#[napi(object)]
pub struct NativeServices {
    /// Its id, see [`Core::load_schema`].
    pub program: u32,
    /// Indexes into the schema's services.
    pub services: Vec<u32>,
}

/// What [`Core::listen`] did.
#[napi(object)]
pub struct NativeListening {
    /// The bound address.
    pub address: String,
    /// What tells that sockets are ready, or moves their bytes.
    pub driver: String,
    /// I/O threads beside the isolate's.
    pub threads: u32,
}

pub(crate) fn coded(code: &str, message: impl Into<String>) -> Error<String> {
    Error::new(code.to_owned(), message.into())
}

#[napi]
impl Core {
    /// A reactor on this isolate's event loop.
    #[napi(constructor)]
    pub fn new(env: Env, hooks: Object) -> Result<Self> {
        Ok(Self { inner: Inner::start(&env, &hooks)?, tls: RefCell::default() })
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
        let invalid = |error: String| invalid(format!("the schema is not valid: {error}"));
        let schema = Schema::from_json(&json).map_err(|error| invalid(error.to_string()))?;
        let hash = schema.hash();
        if let Some(known) = self.inner.programs.borrow().get(&hash) {
            return Ok(known.id);
        }
        schema.validate().map_err(invalid)?;
        let program = AnyProgram::compile(&schema).map_err(invalid)?;
        let mut programs = self.inner.programs.borrow_mut();
        let id = programs.len() as u32;
        let services = schema.services.iter().map(|service| {
            let known = |method: &u32| (*method as usize) < program.methods();
            KnownService {
                name: service.name.clone(),
                methods: service.methods.iter().copied().filter(known).collect(),
            }
        });
        let services = services.collect();
        programs.insert(hash, KnownProgram { id, program, services, descriptors: schema.descriptors });
        Ok(id)
    }

    /// Serves services of Thrift, of gRPC, or of both, under an id that no other server or client of this isolate has.
    #[napi]
    pub fn listen(
        &self,
        id: u32,
        thrift: Option<NativeServices>,
        grpc: Option<NativeServices>,
        options: NativeListenOptions,
    ) -> Result<NativeListening, String> {
        let wrong = |error: Error| coded("ERR_INVALID_ARG_VALUE", error.reason.clone());
        let address = options.address().map_err(wrong)?;
        let speaks_grpc = grpc.is_some();
        let tls = options.tls.as_ref().map(|tls| tls.make(speaks_grpc)).transpose()?;
        let setup = ServerSetup { tls: tls.clone(), ..self.setup(thrift, grpc, &options)? };
        let upstreams = options.upstreams.iter().flatten().map(Upstream::new).collect::<Result<Vec<_>, _>>()?;
        let secured = |upstream: &Upstream| Some((upstream.id, KnownTls::Client(upstream.tls.clone()?, false)));
        let upstreams_tls: Vec<_> = upstreams.iter().filter_map(secured).collect();
        let failed = |error: std::io::Error| coded(error_code(&error), format!("cannot listen on {address}: {error}"));
        let listening = match self.threads(&address, options.runtime.as_deref(), options.threads)? {
            None => {
                let counters = vec![setup.counters.clone()];
                let mut reactor = self.inner.reactor.borrow_mut();
                reactor.engine().add_server(id, setup);
                let bound = match reactor.listen(id, &address, &options.listen()) {
                    Ok(bound) => bound,
                    Err(error) => {
                        reactor.engine().remove_server(id);
                        return Err(failed(error));
                    }
                };
                for upstream in upstreams {
                    let setup = upstream.setup();
                    let home = Home::Upstream { runtime: None, counters: vec![setup.counters.clone()] };
                    reactor.engine().add_client(upstream.id, setup);
                    reactor.set_client_socket(upstream.id, upstream.socket);
                    self.inner.runtimes.borrow_mut().settle_in(upstream.id, home);
                }
                self.inner.runtimes.borrow_mut().settle_in(id, Home::Server { runtime: None, counters });
                NativeListening {
                    address: bound.to_string(),
                    driver: Driver::of_this_system().name().to_owned(),
                    threads: 0,
                }
            }
            Some(Started { index, driver, threads }) => {
                let (listener, bound) = Listener::bind(&address, &options.listen()).map_err(failed)?;
                let mut runtimes = self.inner.runtimes.borrow_mut();
                for upstream in upstreams {
                    let mut counters = Vec::new();
                    for link in runtimes.links_of(index) {
                        let setup = upstream.setup();
                        counters.push(setup.counters.clone());
                        link.send(Command::Client { owner: upstream.id, setup, socket: upstream.socket });
                    }
                    runtimes.settle_in(upstream.id, Home::Upstream { runtime: Some(index), counters });
                }
                let mut counters = Vec::new();
                let links = runtimes.links_of(index);
                for link in links {
                    let mut setup = setup.in_another_engine();
                    setup.options.max_calls = setup.options.max_calls.div_ceil(threads);
                    counters.push(setup.counters.clone());
                    link.send(Command::Server { owner: id, setup });
                }
                // Behind its servers, for connections go to all of them.
                if let Some(link) = accepting(links, id) {
                    link.send(Command::Listen { owner: id, listener });
                }
                runtimes.settle_in(id, Home::Server { runtime: Some(index), counters });
                NativeListening {
                    address: bound.to_string(),
                    driver: driver.name().to_owned(),
                    threads: threads as u32,
                }
            }
        };
        if let Some(tls) = tls {
            self.tls.borrow_mut().insert(id, KnownTls::Server(tls, speaks_grpc));
        }
        self.tls.borrow_mut().extend(upstreams_tls);
        self.inner.settle();
        Ok(listening)
    }

    /// What a server is made of.
    fn setup(
        &self,
        thrift: Option<NativeServices>,
        grpc: Option<NativeServices>,
        options: &NativeListenOptions,
    ) -> Result<ServerSetup, String> {
        let wrong = |error: Error| coded("ERR_INVALID_ARG_VALUE", error.reason.clone());
        let grpc = match grpc {
            None => None,
            Some(NativeServices { program: id, services }) => match self.services(id, &services).map_err(wrong)? {
                (AnyProgram::Protobuf(program), services) => {
                    let methods: Vec<u32> = services.into_iter().flat_map(|service| service.methods).collect();
                    let setup = GrpcServerSetup::new(program, &methods, options.grpc());
                    Some(self.with_standard_services(setup, id, options).map_err(wrong)?)
                }
                (AnyProgram::Thrift(_), _) => return Err(wrong(invalid("gRPC has schemas of Protobuf"))),
            },
        };
        let takes_unknown = options.takes_unknown.unwrap_or(false);
        let routes = options.routes();
        let thrift = match thrift {
            None if takes_unknown || routes.unknown.is_some() => {
                let setup = ServerSetup::new(Arc::default(), [], options.server());
                Some(setup.map_err(|name| wrong(invalid(name)))?)
            }
            None => None,
            Some(NativeServices { program, services }) => match self.services(program, &services).map_err(wrong)? {
                (AnyProgram::Thrift(program), services) => {
                    let clash = |name| {
                        coded("ERR_METHOD_CLASH", format!("a service has two methods {name:?}; give one another name"))
                    };
                    let named = services.iter().enumerate().map(|(at, service)| {
                        let served =
                            move |method: &u32| Served { method: *method, route: options.route_of(at, *method) };
                        (service.name.as_str(), service.methods.iter().map(served))
                    });
                    let methods = Arc::new(Methods::new(&program, named).map_err(clash)?);
                    let setup = ServerSetup::new(program, [], options.server()).map_err(clash)?;
                    Some(ServerSetup { methods, ..setup })
                }
                (AnyProgram::Protobuf(_), _) => return Err(wrong(invalid("Thrift has schemas of its own"))),
            },
        };
        let thrift = thrift.map(|setup| ServerSetup { takes_unknown, routes: Arc::new(routes), ..setup });
        match (thrift, grpc) {
            (Some(thrift), Some(grpc)) => Ok(thrift.with_grpc(grpc)),
            (Some(thrift), None) => Ok(thrift),
            (None, Some(grpc)) => Ok(ServerSetup::of_grpc(grpc, options.server())),
            (None, None) => Err(wrong(invalid("a server answers something"))),
        }
    }

    /// Adds what is not switched off, or is switched on.
    fn with_standard_services(
        &self,
        setup: GrpcServerSetup,
        program: u32,
        options: &NativeListenOptions,
    ) -> Result<GrpcServerSetup> {
        let setup = if options.health.unwrap_or(true) { setup.with_health() } else { setup };
        if !options.reflection.unwrap_or(false) {
            return Ok(setup);
        }
        let programs = self.inner.programs.borrow();
        let known = programs.values().find(|known| known.id == program).ok_or_else(|| invalid("no such program"))?;
        setup.with_reflection(&known.descriptors).map_err(invalid)
    }

    /// A program, and some of its services.
    fn services(&self, program: u32, services: &[u32]) -> Result<(AnyProgram, Vec<KnownService>)> {
        let programs = self.inner.programs.borrow();
        let known = programs.values().find(|known| known.id == program).ok_or_else(|| invalid("no such program"))?;
        let listed = services
            .iter()
            .map(|service| known.services.get(*service as usize).cloned().ok_or_else(|| invalid("no such service")));
        Ok((known.program.clone(), listed.collect::<Result<_>>()?))
    }

    /// The I/O threads that serve an address; None if that is the isolate's own thread.
    fn threads(
        &self,
        address: &Address,
        runtime: Option<&str>,
        threads: Option<u32>,
    ) -> Result<Option<Started>, String> {
        let kind = RuntimeKind::named(runtime)?;
        // What has no socket needs no thread that waits for it.
        if kind == RuntimeKind::Inline || matches!(address, Address::Memory(_)) {
            return Ok(None);
        }
        let tape = {
            let mut input = self.inner.input.borrow_mut();
            // SAFETY: the slices live in this block, which calls no JavaScript.
            let (slots, text, bytes) = unsafe { input.slices() };
            TapeSize { slots: slots.len(), text: text.len(), bytes: bytes.len() }
        };
        let threads = threads.unwrap_or(1).max(1) as usize;
        self.inner.runtimes.borrow_mut().start(kind, threads, tape, &self.inner.wake).map(Some)
    }

    /// Sets what health checks of gRPC are told of a service of a server; of the server as a whole if its name is empty.
    #[napi]
    pub fn set_health(&self, id: u32, service: String, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        {
            let runtimes = self.inner.runtimes.borrow();
            let links = runtimes.links_of_owner(id);
            for link in links {
                link.send(Command::Health { owner: id, service: service.clone(), status });
            }
            if links.is_empty() {
                let mut reactor = self.inner.reactor.borrow_mut();
                reactor.engine().set_health(id, &service, status);
                if !self.inner.turning.get() {
                    reactor.flush();
                }
            }
        }
        if !self.inner.turning.get() {
            self.inner.settle();
        }
    }

    /// Stops a server after `grace` milliseconds at most.
    #[napi]
    pub fn close_server(&self, id: u32, grace: f64) {
        self.close_owner(id, grace);
    }

    /// Makes a client, under an id that no other server or client of this isolate has.
    #[napi]
    pub fn connect(&self, id: u32, program: u32, options: NativeClientOptions) -> Result<(), String> {
        let wrong = |error: Error| coded("ERR_INVALID_ARG_VALUE", error.reason.clone());
        let client = options.client().map_err(wrong)?;
        let (program, _) = self.services(program, &[]).map_err(wrong)?;
        let started = self.threads(&client.address, options.runtime.as_deref(), options.threads)?;
        let speaks_grpc = matches!(program, AnyProgram::Protobuf(_));
        let tls = options.tls.as_ref().map(|tls| tls.make(speaks_grpc)).transpose()?;
        let setup = match program {
            AnyProgram::Thrift(program) => {
                let program = match &options.method_prefix {
                    Some(prefix) => Arc::new(program.with_prefix(prefix)),
                    None => program,
                };
                ClientSetup { program, options: client, counters: Arc::default(), grpc: None, tls: tls.clone() }
            }
            AnyProgram::Protobuf(program) => {
                ClientSetup { tls: tls.clone(), ..ClientSetup::of_grpc(options.grpc(program, &client.address), client) }
            }
        };
        if let Some(tls) = tls {
            self.tls.borrow_mut().insert(id, KnownTls::Client(tls, speaks_grpc));
        }
        let counters = setup.counters.clone();
        let mut runtimes = self.inner.runtimes.borrow_mut();
        let part = if let Some(started) = started {
            let (part, link) = runtimes.for_client(started.index);
            link.send(Command::Client { owner: id, setup, socket: options.socket() });
            part
        } else {
            let mut reactor = self.inner.reactor.borrow_mut();
            reactor.engine().add_client(id, setup);
            reactor.set_client_socket(id, options.socket());
            INLINE
        };
        runtimes.settle_in(id, Home::Client { part, counters });
        Ok(())
    }

    /// The name of a client's server stands for another address: its next connections go there.
    #[napi]
    pub fn readdress(&self, id: u32, host: String, port: u32) -> Result<()> {
        let address = address(Some(&host), Some(port), None, None)?;
        {
            let runtimes = self.inner.runtimes.borrow();
            let links = runtimes.links_of_owner(id);
            for link in links {
                link.send(Command::Readdress { owner: id, address: address.clone() });
            }
            if links.is_empty() {
                self.inner.reactor.borrow_mut().engine().readdress(id, address);
            }
        }
        if !self.inner.turning.get() {
            self.inner.settle();
        }
        Ok(())
    }

    /// Stops a client after `grace` milliseconds at most.
    #[napi]
    pub fn close_client(&self, id: u32, grace: f64) {
        self.close_owner(id, grace);
    }

    fn close_owner(&self, id: u32, grace: f64) {
        self.end_owner(id, grace, |owner, grace| Command::Close { owner, grace }, Reactor::close_owner);
    }

    /// Hands a server's connections over: each that comes to rest within `grace` milliseconds is held, and a HANDED message tells its number.
    #[napi]
    pub fn hand_over(&self, id: u32, grace: f64) {
        self.end_owner(id, grace, |owner, grace| Command::HandOver { owner, grace }, Reactor::hand_over);
    }

    fn end_owner(
        &self,
        id: u32,
        grace: f64,
        command: fn(u32, Duration) -> Command,
        inline: fn(&mut Reactor, u32, Duration),
    ) {
        let grace = Duration::try_from_secs_f64(grace / 1e3).unwrap_or(Duration::MAX);
        self.inner.submit();
        {
            let runtimes = self.inner.runtimes.borrow();
            let links = runtimes.links_of_owner(id);
            if let Some(link) = accepting(links, id) {
                link.send(command(id, grace));
            } else {
                inline(&mut self.inner.reactor.borrow_mut(), id, grace);
            }
        }
        self.inner.settle();
    }

    /// Goes on with a held connection in a server. `unread` is what was read already of a message that is not complete.
    #[napi]
    pub fn adopt(&self, id: u32, socket: u32, unread: Uint8Array) -> Result<()> {
        let lost = |error: std::io::Error| Error::from_reason(format!("a connection was not taken over: {error}"));
        let connection = held::take_connection(socket).map_err(lost)?;
        let peer = match peer_of(&connection) {
            Ok(peer) => peer,
            // Its peer has reset it meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotConnected => return Ok(()),
            Err(error) => return Err(lost(error)),
        };
        {
            let runtimes = self.inner.runtimes.borrow();
            let links = runtimes.links_of_owner(id);
            if links.is_empty() {
                self.inner.reactor.borrow_mut().adopt(id, connection, peer, &unread);
            } else {
                let unread = unread.to_vec();
                // Numbers of held sockets follow one another, so threads take turns.
                let link = &links[socket as usize % links.len()];
                link.send(Command::Adopt { owner: id, socket: connection, peer, unread });
            }
        }
        self.inner.settle();
        Ok(())
    }

    /// An owner has closed and its id may be given to another one.
    #[napi]
    pub fn forget(&self, id: u32) {
        self.inner.runtimes.borrow_mut().forget(id);
        self.tls.borrow_mut().remove(&id);
    }

    /// Counters of a server as JSON; an empty object once it is forgotten.
    #[napi]
    pub fn server_stats(&self, id: u32) -> Result<String> {
        let runtimes = self.inner.runtimes.borrow();
        let Some(Home::Server { counters, .. }) = runtimes.home(id) else { return Ok("{}".to_owned()) };
        let mut all = ServerStats::default();
        for part in counters {
            all += part.read();
        }
        serde_json::to_string(&all).map_err(|error| Error::from_reason(error.to_string()))
    }

    /// Counters of a client as JSON; an empty object once it is forgotten.
    #[napi]
    pub fn client_stats(&self, id: u32) -> Result<String> {
        let runtimes = self.inner.runtimes.borrow();
        let mut all = ClientStats::default();
        match runtimes.home(id) {
            Some(Home::Client { counters, .. }) => all += counters.read(),
            Some(Home::Upstream { counters, .. }) => counters.iter().for_each(|counters| all += counters.read()),
            _ => return Ok("{}".to_owned()),
        }
        serde_json::to_string(&all).map_err(|error| Error::from_reason(error.to_string()))
    }

    /// What is pooled on this isolate's thread and its I/O threads, as JSON.
    #[napi]
    pub fn pool_stats(&self) -> Result<String> {
        let mut all: PoolStats = self.inner.reactor.borrow_mut().engine().pools().read();
        for link in self.inner.runtimes.borrow().links() {
            all += link.pools();
        }
        serde_json::to_string(&all).map_err(|error| Error::from_reason(error.to_string()))
    }

    /// The peer of a server's call: the connection it came by, as the last slot of its CALL says. Empty if it is gone.
    #[napi]
    pub fn peer(&self, id: u32, call_slot: u32, connection: i32, serial: i32) -> String {
        let key = ConnectionKey { id: connection as u32, serial: serial as u32 };
        let peer = match self.inner.runtimes.borrow().of_call(id, call_slot) {
            Some(link) => link.peer(key),
            None => self.inner.reactor.borrow_mut().engine().peers().get(key),
        };
        peer.map(|peer| peer.to_string()).unwrap_or_default()
    }

    /// What TLS has agreed on with the peer of a server's call; None without TLS, or once it is gone.
    #[napi]
    pub fn peer_tls(&self, id: u32, call_slot: u32, connection: i32, serial: i32) -> Option<NativePeerTls> {
        let key = ConnectionKey { id: connection as u32, serial: serial as u32 };
        let summary = match self.inner.runtimes.borrow().of_call(id, call_slot) {
            Some(link) => link.peer_tls(key),
            None => self.inner.reactor.borrow_mut().engine().peers().tls(key),
        };
        summary.map(Into::into)
    }

    /// Connections that come to a server from now on get these certificates; on an error all is as before.
    #[napi]
    pub fn reload_server_tls(&self, id: u32, tls: NativeServerTls) -> Result<(), String> {
        match self.tls.borrow().get(&id) {
            Some(KnownTls::Server(known, grpc)) => tls.replace(known, *grpc),
            _ => Err(coded("ERR_NO_TLS", "the server began without TLS")),
        }
    }

    /// Connections that a client makes from now on use these; on an error all is as before.
    #[napi]
    pub fn reload_client_tls(&self, id: u32, tls: NativeClientTls) -> Result<(), String> {
        match self.tls.borrow().get(&id) {
            Some(KnownTls::Client(known, grpc)) => tls.replace(known, *grpc),
            _ => Err(coded("ERR_NO_TLS", "the client began without TLS")),
        }
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

    /// Takes what is on the out tape now, with the arrays that it refers to. They are lent only while this lasts: what cannot be written at once is
    /// copied.
    #[napi]
    pub fn submit_with(&self, env: Env, arrays: Unknown) {
        // SAFETY: this is the N-API call that got the array, and `Inner` asks for the slices when no JavaScript runs.
        self.inner.submit_with(|| unsafe { lent_by(env.raw(), arrays.raw()) });
        if !self.inner.turning.get() {
            self.inner.reactor.borrow_mut().flush();
            self.inner.settle();
        }
    }

    /// Keeps the event loop alive until nothing is in flight.
    #[napi(js_name = "ref")]
    pub fn reference(&self) {
        self.inner.reference();
    }

    /// Closes everything at once.
    #[napi]
    pub fn shutdown(&self) {
        self.inner.close();
    }
}

/// A client that servers pass calls on to, in every engine of theirs.
struct Upstream {
    id: u32,
    options: ClientOptions,
    socket: SocketOptions,
    tls: Option<Arc<ClientTls>>,
}

impl Upstream {
    fn new(given: &NativeUpstream) -> Result<Self, String> {
        let options = given.client.client().map_err(|error| coded("ERR_INVALID_ARG_VALUE", error.reason.clone()))?;
        Ok(Self {
            id: given.id,
            options: ClientOptions { tells_unreachable: given.tells_unreachable, ..options },
            socket: given.client.socket(),
            tls: given.client.tls.as_ref().map(|tls| tls.make(false)).transpose()?,
        })
    }

    /// What it is made of in one engine. Nobody looks into its messages, so it needs no program.
    fn setup(&self) -> ClientSetup {
        ClientSetup {
            program: Arc::default(),
            options: self.options.clone(),
            counters: Arc::<ClientCounters>::default(),
            grpc: None,
            tls: self.tls.clone(),
        }
    }
}

/// The thread that accepts for a server: servers take turns in who does. For a client its only one.
fn accepting(links: &[Arc<Link>], owner: u32) -> Option<&Arc<Link>> {
    links.get((owner as usize).checked_rem(links.len())?)
}

pub(crate) fn error_code(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "EADDRINUSE",
        std::io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        std::io::ErrorKind::PermissionDenied => "EACCES",
        std::io::ErrorKind::ConnectionRefused => "ECONNREFUSED",
        std::io::ErrorKind::NotFound => "ENOENT",
        _ => "ELISTEN",
    }
}

/// Tells early what is wrong with a client's TLS: it connects late.
#[napi]
pub fn check_client_tls(tls: NativeClientTls) -> Result<(), String> {
    tls.make(false).map(drop)
}
