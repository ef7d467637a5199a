//! What gRPC needs to know of a server or client.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use volo_js_grpc::{Encoding, Http2Options};
use volo_js_protobuf::{Limits, Program};

use crate::{BackoffOptions, Health, Reflection};

/// How gRPC treats its calls; sizes in bytes.
#[derive(Debug, Clone)]
pub struct GrpcOptions {
    /// HTTP/2.
    pub http2: Http2Options,
    /// Largest message to receive, before and after decompression. Default 4 MiB.
    pub max_receive_message: usize,
    /// Limits of one message on the tape.
    pub limits: Limits,
    /// How messages are compressed, where the peer can read it and the message does not say otherwise. Default not at all.
    pub encoding: Option<Encoding>,
    /// A server's connection that is this old is told to go, so that clients spread anew; a tenth more or less. Default never.
    pub max_connection_age: Option<Duration>,
    /// How long calls of a connection that was told to go may go on, and how long one without calls may take to go. Default 30 s.
    pub max_connection_age_grace: Duration,
}

impl Default for GrpcOptions {
    fn default() -> Self {
        Self {
            http2: Http2Options::default(),
            max_receive_message: 4 << 20,
            limits: Limits::default(),
            encoding: None,
            max_connection_age: None,
            max_connection_age_grace: Duration::from_secs(30),
        }
    }
}

/// The gRPC of a server.
#[derive(Debug, Clone)]
pub struct GrpcServerSetup {
    /// What its messages are.
    pub program: Arc<Program>,
    /// What it answers, by the program's methods.
    pub served: Arc<[bool]>,
    /// How it treats its calls.
    pub options: GrpcOptions,
    /// Statuses of its services, if it answers health checks.
    pub health: Option<Health>,
    /// What it tells of itself, if it does.
    pub reflection: Option<Arc<Reflection>>,
}

impl GrpcServerSetup {
    /// A server of the given methods (indexes into the program's).
    pub fn new(program: Arc<Program>, methods: &[u32], options: GrpcOptions) -> Self {
        let served = (0..program.methods().len() as u32).map(|index| methods.contains(&index)).collect();
        Self { program, served, options, health: None, reflection: None }
    }

    /// The same server, answering `grpc.health.v1.Health`, too: all its services are served at first.
    #[must_use]
    pub fn with_health(mut self) -> Self {
        self.health = Some(Health::of_services(self.services()));
        self
    }

    /// The same server, answering `grpc.reflection.v1.ServerReflection` and `v1alpha`, too.
    ///
    /// # Arguments
    /// * `descriptors` - the program's: a `FileDescriptorSet` in base64.
    ///
    /// # Errors
    /// What is wrong with the descriptors.
    pub fn with_reflection(mut self, descriptors: &str) -> Result<Self, String> {
        let reflection = Reflection::new(descriptors, self.services(), self.health.is_some())?;
        self.reflection = Some(Arc::new(reflection));
        Ok(self)
    }

    /// Full names of its services.
    fn services(&self) -> BTreeSet<String> {
        let served = self.program.methods().iter().zip(&*self.served).filter(|(_, served)| **served);
        let service = |path: &str| Some(path.strip_prefix('/')?.rsplit_once('/')?.0.to_owned());
        served.filter_map(|(method, _)| service(&method.path)).collect()
    }

    /// Index of the method that is called by this path.
    pub(crate) fn find(&self, path: &[u8]) -> Option<u32> {
        self.program.find(path).filter(|index| self.served[*index as usize])
    }
}

/// The gRPC of a client.
#[derive(Debug, Clone)]
pub struct GrpcClientSetup {
    /// What its messages are.
    pub program: Arc<Program>,
    /// How it treats its calls.
    pub options: GrpcOptions,
    /// `:authority` of its requests: host and port, or the name a certificate has to carry.
    pub authority: String,
    /// Are its connections encrypted? Says `:scheme`.
    pub secure: bool,
    /// Connections it spreads its calls over. Default 1.
    pub connections: usize,
    /// `user-agent` of its requests.
    pub user_agent: String,
    /// How long it waits before it tries to connect again.
    pub backoff: BackoffOptions,
}

impl GrpcClientSetup {
    /// A client of this authority.
    pub fn new(program: Arc<Program>, authority: &str) -> Self {
        Self {
            program,
            options: GrpcOptions::default(),
            authority: authority.to_owned(),
            secure: false,
            connections: 1,
            user_agent: concat!("volo-js/", env!("CARGO_PKG_VERSION")).to_owned(),
            backoff: BackoffOptions::default(),
        }
    }
}
