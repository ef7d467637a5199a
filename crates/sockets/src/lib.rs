//! Listening and connecting sockets, for every reactor: how they are made, the options they take, and how they change hands.
//!
//! All sockets are non-blocking and closed on `exec`. Unix sockets exist where `cfg(unix)` holds; elsewhere their addresses are refused.

mod connect;
pub mod held;
mod listener;
mod options;
#[cfg(unix)]
pub mod passage;
#[cfg(unix)]
mod path;

pub use connect::{Connecting, connect};
pub use listener::{Listener, peer_of};
pub use options::{ListenOptions, SocketOptions};

/// An owned socket of the system.
#[cfg(unix)]
pub type Handle = std::os::fd::OwnedFd;
/// An owned socket of the system.
#[cfg(windows)]
pub type Handle = std::os::windows::io::OwnedSocket;
