//! Servers, clients, connections, calls and pools, without sockets.
//!
//! [`Engine`] holds everything of one thread. A reactor tells it what happened on descriptors and carries out its [`Action`]s; the tape brings it what
//! JavaScript wants.

mod address;
mod admission;
mod backoff;
mod budget;
mod buffers;
mod calls;
mod client;
mod connection;
mod credit;
mod deadlines;
mod engine;
mod exception;
mod grpc_client;
mod grpc_message;
mod grpc_server;
mod grpc_setup;
mod guard;
mod http2;
mod in_process;
mod leaving;
mod methods;
mod notice;
mod options;
mod output;
mod owners;
mod peers;
mod secure;
mod server;
mod standard;
mod stats;
mod time;

pub use address::{Address, Peer};
pub use admission::{Admission, Refusal, Seat};
pub use client::ClientSetup;
pub use connection::ConnectionId;
pub use engine::{Action, Engine, Growth, Interest};
pub use grpc_setup::{GrpcClientSetup, GrpcOptions, GrpcServerSetup};
pub use methods::Methods;
pub use notice::{FailureCode, Level, Sent};
pub use options::{ClientOptions, Mode, ServerOptions};
pub use peers::{ConnectionKey, Peers};
pub use server::ServerSetup;
pub use standard::{Health, Reflection, ServingStatus};
pub use stats::{ClientCounters, ClientStats, PoolCounters, PoolStats, ServerCounters, ServerStats};
pub use volo_js_tls::Summary as TlsSummary;
