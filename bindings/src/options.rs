//! Options as JavaScript passes them: numbers of milliseconds and bytes, all optional.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::tls::{NativeClientTls, NativeServerTls};
use napi::{Error, Result};
use napi_derive::napi;
use volo_js_grpc::{Encoding, FloodLimits, Http2Options, KeepAlive};
use volo_js_protobuf::Program;
use volo_js_reactor_inline::{ListenOptions, SocketOptions};
use volo_js_tape::MOST_SLOTS;
use volo_js_thrift::{Limits, Protocol, Transport, Wire};
use volo_js_transport::{
    Address, BackoffOptions, ClientOptions, GrpcClientSetup, GrpcOptions, Mode, Names, Route, Routes, ServerOptions,
};

/// See `NativeGrpcOptions` in `js/core/addon.ts`.
#[napi(object)]
#[derive(Default)]
pub struct NativeGrpcOptions {
    pub max_receive_message: Option<f64>,
    pub compression: Option<String>,
    pub max_concurrent_streams: Option<u32>,
    pub max_header_list_size: Option<f64>,
    pub stream_window: Option<f64>,
    pub connection_window: Option<f64>,
    pub keepalive: Option<NativeKeepalive>,
    pub backoff: Option<NativeBackoff>,
    pub max_connection_age: Option<f64>,
    pub max_connection_age_grace: Option<f64>,
    pub min_ping_interval: Option<f64>,
    pub pings_without_calls: Option<bool>,
    pub max_resets: Option<u32>,
    pub max_control_frames: Option<u32>,
}

/// See `NativeKeepalive` in `js/core/addon.ts`.
#[napi(object)]
pub struct NativeKeepalive {
    pub interval: f64,
    pub timeout: Option<f64>,
    pub without_calls: bool,
}

/// See `NativeBackoff` in `js/core/addon.ts`.
#[napi(object)]
#[derive(Default)]
pub struct NativeBackoff {
    pub initial: Option<f64>,
    pub max: Option<f64>,
    pub multiplier: Option<f64>,
    pub jitter: Option<f64>,
}

/// See `NativeListenOptions` in `js/core/addon.ts`.
#[napi(object)]
#[derive(Default)]
pub struct NativeListenOptions {
    pub host: Option<String>,
    pub port: Option<u32>,
    pub path: Option<String>,
    pub memory: Option<String>,
    pub backlog: Option<i32>,
    pub reuse_port: Option<bool>,
    pub held: Option<u32>,
    pub no_delay: Option<bool>,
    pub keep_alive: Option<f64>,
    pub max_frame_size: Option<f64>,
    pub max_slots: Option<f64>,
    pub max_depth: Option<u32>,
    pub strict_utf8: Option<bool>,
    pub max_in_flight: Option<u32>,
    pub max_unwritten: Option<f64>,
    pub max_connections: Option<u32>,
    pub memory_budget: Option<f64>,
    pub frame_timeout: Option<f64>,
    pub max_connections_per_peer: Option<u32>,
    pub max_calls: Option<u32>,
    pub idle_timeout: Option<f64>,
    pub write_timeout: Option<f64>,
    pub runtime: Option<String>,
    pub threads: Option<u32>,
    pub grpc: Option<NativeGrpcOptions>,
    pub health: Option<bool>,
    pub reflection: Option<bool>,
    pub multiplex: Option<bool>,
    pub takes_unknown: Option<bool>,
    pub upstreams: Option<Vec<NativeUpstream>>,
    pub routes: Option<Vec<NativeRoute>>,
    pub tls: Option<NativeServerTls>,
}

/// See `NativeUpstream` in `js/core/addon.ts`.
#[napi(object)]
pub struct NativeUpstream {
    pub id: u32,
    pub client: NativeClientOptions,
    pub tells_unreachable: bool,
}

/// See `NativeRoute` in `js/core/addon.ts`.
#[napi(object)]
pub struct NativeRoute {
    pub upstream: u32,
    pub timeout: Option<f64>,
    pub methods: Vec<NativeRoutedMethod>,
    pub unknown: bool,
}

/// See `NativeRoutedMethod` in `js/core/addon.ts`.
#[napi(object)]
pub struct NativeRoutedMethod {
    pub service: u32,
    pub method: u32,
}

/// See `NativeClientOptions` in `js/core/addon.ts`.
#[napi(object)]
pub struct NativeClientOptions {
    pub host: Option<String>,
    pub port: Option<u32>,
    pub path: Option<String>,
    pub memory: Option<String>,
    pub mode: String,
    pub transport: String,
    pub protocol: String,
    pub caller: Option<String>,
    pub callee: Option<String>,
    pub service: Option<String>,
    pub method_prefix: Option<String>,
    pub zlib: Option<bool>,
    pub pool_size: Option<u32>,
    pub idle_timeout: Option<f64>,
    pub max_lifetime: Option<f64>,
    pub connect_timeout: Option<f64>,
    pub no_delay: Option<bool>,
    pub keep_alive: Option<f64>,
    pub max_frame_size: Option<f64>,
    pub max_slots: Option<f64>,
    pub max_depth: Option<u32>,
    pub strict_utf8: Option<bool>,
    pub runtime: Option<String>,
    pub threads: Option<u32>,
    pub grpc: Option<NativeGrpcOptions>,
    pub authority: Option<String>,
    pub connections: Option<u32>,
    pub tls: Option<NativeClientTls>,
}

impl NativeListenOptions {
    pub(crate) fn grpc(&self) -> GrpcOptions {
        let options = grpc(self.grpc.as_ref(), self.max_slots, self.max_depth);
        let given = self.grpc.as_ref().and_then(|given| given.keepalive.as_ref());
        let keep_alive = Some(keep_alive(given, KeepAlive::of_servers())).filter(|given| !given.time.is_zero());
        GrpcOptions { http2: Http2Options { keep_alive, ..options.http2 }, ..options }
    }

    pub(crate) fn address(&self) -> Result<Address> {
        address(self.host.as_deref(), self.port, self.path.as_deref(), self.memory.as_deref())
    }

    /// Where calls go that are passed on.
    pub(crate) fn routes(&self) -> Routes {
        let given = self.routes.as_deref().unwrap_or_default();
        let way = |route: &NativeRoute| Route { client: route.upstream, timeout: route.timeout.map(duration) };
        Routes { all: given.iter().map(way).collect(), unknown: given.iter().position(|route| route.unknown) }
    }

    /// The route of a method, as an index: that of a service, as an index into those that are served.
    pub(crate) fn route_of(&self, service: usize, method: u32) -> Option<u32> {
        let is_it = |one: &NativeRoutedMethod| one.service as usize == service && one.method == method;
        let mut given = self.routes.as_deref().unwrap_or_default().iter();
        given.position(|route| route.methods.iter().any(is_it)).map(|index| index as u32)
    }

    pub(crate) fn listen(&self) -> ListenOptions {
        ListenOptions {
            backlog: self.backlog,
            reuse_port: self.reuse_port.unwrap_or(false),
            held: self.held,
            socket: socket(self.no_delay, self.keep_alive),
        }
    }

    pub(crate) fn server(&self) -> ServerOptions {
        let default = ServerOptions::default();
        ServerOptions {
            limits: limits(self.max_frame_size, self.max_slots, self.max_depth, self.strict_utf8),
            max_in_flight: self.max_in_flight.map_or(default.max_in_flight, |count| count as usize),
            max_unwritten: self.max_unwritten.map_or(default.max_unwritten, |size| size as usize),
            max_connections: self.max_connections.map_or(default.max_connections, |count| count as usize),
            max_calls: self.max_calls.map_or(default.max_calls, |count| count as usize),
            idle_timeout: self.idle_timeout.filter(|time| *time > 0.0).map(duration),
            write_timeout: self.write_timeout.map_or(default.write_timeout, duration),
            max_connections_per_peer: self.max_connections_per_peer.map(|count| count as usize),
            memory_budget: self.memory_budget.map_or(default.memory_budget, |size| size as usize),
            frame_timeout: self.frame_timeout.map_or(default.frame_timeout, duration),
            multiplex: self.multiplex.unwrap_or(default.multiplex),
        }
    }
}

impl NativeClientOptions {
    pub(crate) fn client(&self) -> Result<ClientOptions> {
        let default =
            ClientOptions::new(address(self.host.as_deref(), self.port, self.path.as_deref(), self.memory.as_deref())?);
        Ok(ClientOptions {
            mode: if self.mode == "pipelined" { Mode::Pipelined } else { Mode::PingPong },
            wire: wire(&self.transport, &self.protocol)?,
            names: self.names(),
            method_prefix: self.method_prefix.clone().map(Bytes::from).unwrap_or_default(),
            zlib: self.zlib.unwrap_or(false),
            connections: self.connections.map_or(default.connections, |count| (count as usize).max(1)),
            limits: limits(self.max_frame_size, self.max_slots, self.max_depth, self.strict_utf8),
            pool_size: self.pool_size.map_or(default.pool_size, |size| (size as usize).max(1)),
            idle_timeout: self.idle_timeout.map_or(default.idle_timeout, duration),
            max_lifetime: self.max_lifetime.map_or(default.max_lifetime, duration),
            connect_timeout: self.connect_timeout.map_or(default.connect_timeout, duration),
            tells_unreachable: default.tells_unreachable,
            address: default.address,
        })
    }

    /// Who calls whom, as headers tell it.
    fn names(&self) -> Names {
        let bytes = |name: &Option<String>| name.as_ref().map(|name| Bytes::from(name.clone())).unwrap_or_default();
        Names { caller: bytes(&self.caller), callee: bytes(&self.callee), service: bytes(&self.service) }
    }

    /// What a client of gRPC is made of, beside the rest.
    pub(crate) fn grpc(&self, program: Arc<Program>, address: &Address) -> GrpcClientSetup {
        let authority = self.authority.clone().unwrap_or_else(|| match address {
            Address::Tcp(address) => address.to_string(),
            // What has no host calls itself so, as other clients do.
            Address::Unix(_) | Address::Memory(_) => "localhost".to_owned(),
        });
        let options = grpc(self.grpc.as_ref(), self.max_slots, self.max_depth);
        let setup = GrpcClientSetup::new(program, &authority);
        let backoff = self.grpc.as_ref().and_then(|given| given.backoff.as_ref());
        let backoff = backoff.map_or(setup.backoff, |given| BackoffOptions {
            initial: given.initial.map_or(setup.backoff.initial, duration),
            max: given.max.map_or(setup.backoff.max, duration),
            multiplier: given.multiplier.unwrap_or(setup.backoff.multiplier),
            jitter: given.jitter.unwrap_or(setup.backoff.jitter),
        });
        let connections = self.connections.map_or(setup.connections, |count| (count as usize).max(1));
        GrpcClientSetup { options, connections, backoff, secure: self.tls.is_some(), ..setup }
    }

    pub(crate) fn socket(&self) -> SocketOptions {
        socket(self.no_delay, self.keep_alive)
    }
}

/// What both ends of gRPC have.
fn grpc(given: Option<&NativeGrpcOptions>, max_slots: Option<f64>, max_depth: Option<u32>) -> GrpcOptions {
    let default = GrpcOptions::default();
    let limits = volo_js_protobuf::Limits {
        slots: max_slots.map_or(default.limits.slots, |count| (count as usize).min(MOST_SLOTS - 64)),
        depth: max_depth.map_or(default.limits.depth, |depth| depth as usize),
    };
    let Some(given) = given else { return GrpcOptions { limits, ..default } };
    let floods = &default.http2.floods;
    let http2 = Http2Options {
        floods: FloodLimits {
            resets: given.max_resets.unwrap_or(floods.resets),
            control_frames: given.max_control_frames.unwrap_or(floods.control_frames),
            ping_interval: given.min_ping_interval.map_or(floods.ping_interval, duration),
            pings_without_calls: given.pings_without_calls.unwrap_or(floods.pings_without_calls),
        },
        keep_alive: given.keepalive.as_ref().map(|given| keep_alive(Some(given), KeepAlive::of_servers())),
        max_concurrent_streams: given.max_concurrent_streams.unwrap_or(default.http2.max_concurrent_streams),
        max_header_list_size: size(given.max_header_list_size, default.http2.max_header_list_size),
        stream_window: size(given.stream_window, default.http2.stream_window),
        connection_window: size(given.connection_window, default.http2.connection_window),
        ..default.http2
    };
    GrpcOptions {
        max_receive_message: given.max_receive_message.map_or(default.max_receive_message, |size| size as usize),
        limits,
        encoding: given.compression.as_deref().and_then(|name| Encoding::of_name(name.as_bytes())),
        max_connection_age: given.max_connection_age.filter(|time| *time > 0.0).map(duration),
        max_connection_age_grace: given.max_connection_age_grace.map_or(default.max_connection_age_grace, duration),
        http2,
    }
}

fn keep_alive(given: Option<&NativeKeepalive>, default: KeepAlive) -> KeepAlive {
    given.map_or(default, |given| KeepAlive {
        time: duration(given.interval),
        timeout: given.timeout.map_or(default.timeout, duration),
        without_calls: given.without_calls,
    })
}

/// A size of HTTP/2, which has 31 bits for windows.
fn size(given: Option<f64>, default: u32) -> u32 {
    given.map_or(default, |size| size.clamp(0.0, f64::from(i32::MAX)) as u32)
}

/// What a client of Thrift speaks.
fn wire(transport: &str, protocol: &str) -> Result<Wire> {
    let transport = match transport {
        "framed" => Transport::Framed,
        "buffered" => Transport::Buffered,
        "ttheader" => Transport::TtHeader,
        "ttheader-framed" => Transport::TtHeaderFramed,
        "header" => Transport::Header,
        "header-framed" => Transport::HeaderFramed,
        other => return Err(Error::from_reason(format!("{other} is no transport of Thrift"))),
    };
    let protocol = match protocol {
        "binary" => Protocol::Binary,
        "compact" => Protocol::Compact,
        "json" => Protocol::Json,
        other => return Err(Error::from_reason(format!("{other} is no protocol of Thrift"))),
    };
    Ok(Wire::new(transport, protocol))
}

/// Milliseconds without traffic after which TCP probes a connection.
const KEEP_ALIVE: f64 = 60_000.0;

fn duration(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or(Duration::MAX)
}

fn limits(frame: Option<f64>, slots: Option<f64>, depth: Option<u32>, strict_utf8: Option<bool>) -> Limits {
    let default = Limits::default();
    Limits {
        frame: frame.map_or(default.frame, |size| size as usize),
        slots: slots.map_or(default.slots, |count| (count as usize).min(MOST_SLOTS - 64)),
        depth: depth.map_or(default.depth, |depth| depth as usize),
        strict_utf8: strict_utf8.unwrap_or(default.strict_utf8),
    }
}

fn socket(no_delay: Option<bool>, keep_alive: Option<f64>) -> SocketOptions {
    let keep_alive = keep_alive.unwrap_or(KEEP_ALIVE);
    SocketOptions { no_delay: no_delay.unwrap_or(true), keep_alive: (keep_alive > 0.0).then(|| duration(keep_alive)) }
}

pub(crate) fn address(
    host: Option<&str>,
    port: Option<u32>,
    path: Option<&str>,
    memory: Option<&str>,
) -> Result<Address> {
    if let Some(name) = memory {
        return Ok(Address::Memory(name.to_owned()));
    }
    if let Some(path) = path {
        return Ok(Address::Unix(PathBuf::from(path)));
    }
    let host = host.unwrap_or("127.0.0.1");
    let ip =
        host.parse().map_err(|_| Error::from_reason(format!("{host} is not an IP address; resolve names first")))?;
    let port = u16::try_from(port.unwrap_or(0)).map_err(|_| Error::from_reason("a port is at most 65535"))?;
    Ok(Address::Tcp(SocketAddr::new(ip, port)))
}
