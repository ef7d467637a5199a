//! Servers, clients, connections, calls and pools, without sockets.
//!
//! [`Engine`] holds everything of one thread. A reactor tells it what happened on descriptors and carries out its [`Action`]s; the tape brings it what
//! JavaScript wants.

mod address;
mod admission;
mod backoff;
mod budget;
mod buffers;
mod call_thrift;
mod calls;
mod client;
mod connection;
mod connectivity;
mod credit;
mod deadlines;
mod engine;
mod exception;
mod gaps;
mod grpc_client;
mod grpc_message;
mod grpc_server;
mod grpc_setup;
mod guard;
mod header_text;
mod http2;
mod in_flight;
mod in_process;
mod incoming;
mod landing;
mod leaving;
mod methods;
mod mirror;
mod notice;
mod options;
mod order;
mod output;
mod owners;
mod pass_thrift;
mod peers;
mod raw_thrift;
mod route;
mod secure;
mod serve_thrift;
mod server;
mod standard;
mod stats;
mod time;
mod warm_up;

pub use address::{Address, Peer};
pub use admission::{Admission, Refusal, Seat};
pub use backoff::BackoffOptions;
pub use client::ClientSetup;
pub use connection::ConnectionId;
pub use connectivity::Connectivity;
pub use engine::{Action, Engine, Growth, Interest};
pub use grpc_setup::{GrpcClientSetup, GrpcOptions, GrpcServerSetup};
pub use landing::{Lender, Memory};
pub use methods::{Methods, Served};
pub use notice::{FailureCode, Level, Sent};
pub use options::{ClientOptions, Mode, Names, ServerOptions};
pub use peers::{ConnectionKey, Peers};
pub use route::{Route, Routes};
pub use server::ServerSetup;
pub use standard::{Health, Reflection, ServingStatus};
pub use stats::{ClientCounters, ClientStats, PoolCounters, PoolStats, ServerCounters, ServerStats};
pub use volo_js_tls::Summary as TlsSummary;
