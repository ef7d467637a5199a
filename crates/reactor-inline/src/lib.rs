//! The event loop that runs on the isolate's own thread: a small loop that somebody else turns.
//!
//! libuv (or a test) waits on [`Reactor::descriptor`] and calls [`Reactor::poll`] when it is readable. The reactor never blocks.

mod poller;
mod reactor;

pub use reactor::Reactor;
pub use volo_js_sockets::{ListenOptions, SocketOptions};
