//! Options as JavaScript passes them: numbers of milliseconds and bytes, all optional.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use crate::tls::{NativeClientTls, NativeServerTls};
use napi::{Error, Result};
use napi_derive::napi;
use volo_js_grpc::{Encoding, Http2Options};
use volo_js_protobuf::Program;
use volo_js_reactor_inline::{ListenOptions, SocketOptions};
use volo_js_tape::MOST_SLOTS;
use volo_js_thrift::{Limits, Transport};
use volo_js_transport::{Address, ClientOptions, GrpcClientSetup, GrpcOptions, Mode, ServerOptions};

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
    pub tls: Option<NativeServerTls>,
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
        grpc(self.grpc.as_ref(), self.max_slots, self.max_depth)
    }

    pub(crate) fn address(&self) -> Result<Address> {
        address(self.host.as_deref(), self.port, self.path.as_deref(), self.memory.as_deref())
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
        }
    }
}

impl NativeClientOptions {
    pub(crate) fn client(&self) -> Result<ClientOptions> {
        let default =
            ClientOptions::new(address(self.host.as_deref(), self.port, self.path.as_deref(), self.memory.as_deref())?);
        Ok(ClientOptions {
            mode: if self.mode == "pipelined" { Mode::Pipelined } else { Mode::PingPong },
            transport: if self.transport == "buffered" { Transport::Buffered } else { Transport::Framed },
            limits: limits(self.max_frame_size, self.max_slots, self.max_depth, self.strict_utf8),
            pool_size: self.pool_size.map_or(default.pool_size, |size| (size as usize).max(1)),
            idle_timeout: self.idle_timeout.map_or(default.idle_timeout, duration),
            max_lifetime: self.max_lifetime.map_or(default.max_lifetime, duration),
            connect_timeout: self.connect_timeout.map_or(default.connect_timeout, duration),
            address: default.address,
        })
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
        let connections = self.connections.map_or(setup.connections, |count| (count as usize).max(1));
        GrpcClientSetup { options, connections, secure: self.tls.is_some(), ..setup }
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
    let http2 = Http2Options {
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
        http2,
        ..default
    }
}

/// A size of HTTP/2, which has 31 bits for windows.
fn size(given: Option<f64>, default: u32) -> u32 {
    given.map_or(default, |size| size.clamp(0.0, f64::from(i32::MAX)) as u32)
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

fn address(host: Option<&str>, port: Option<u32>, path: Option<&str>, memory: Option<&str>) -> Result<Address> {
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
