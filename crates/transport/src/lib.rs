//! Servers, clients, connections, calls and pools, without sockets.
//!
//! [`Engine`] holds everything of one thread. A reactor tells it what happened on descriptors and carries out its [`Action`]s; the tape brings it what
//! JavaScript wants.

mod address;
mod budget;
mod buffers;
mod calls;
mod client;
mod connection;
mod engine;
mod exception;
mod guard;
mod in_process;
mod notice;
mod options;
mod server;
mod stats;
mod time;

pub use address::{Address, Peer};
pub use connection::ConnectionId;
pub use engine::{Action, Engine, Growth, Interest};
pub use notice::{FailureCode, Level, Sent};
pub use options::{ClientOptions, Mode, ServerOptions};
pub use stats::{ClientStats, ServerStats};
