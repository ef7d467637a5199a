//! The event loop that runs on the isolate's own thread: a small loop that somebody else turns.
//!
//! libuv (or a test) waits on `Reactor::descriptor` and calls [`Reactor::poll`] when it is readable. The reactor never blocks. Where libuv cannot
//! wait on a poller (Windows) there is no descriptor, and in-process connections are all there is.

#[cfg(unix)]
mod poller;
#[cfg(unix)]
mod reactor;
#[cfg(not(unix))]
mod without_sockets;

#[cfg(unix)]
pub use reactor::Reactor;
pub use volo_js_sockets::{ListenOptions, SocketOptions};
#[cfg(not(unix))]
pub use without_sockets::Reactor;
