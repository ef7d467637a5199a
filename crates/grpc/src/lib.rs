//! HTTP/2 and gRPC without sockets.
//!
//! `h2` does HTTP/2, over a stream in memory: a [`Connection`] is fed bytes and gives bytes, and tells what happened
//! message by message. What they tell is put on the tape elsewhere.

#![forbid(unsafe_code)]

mod closing;
mod connection;
mod frame;
mod pipe;
mod ready;
mod scan;

mod settings;
mod stream;
mod streams;

pub use closing::Ended;
pub use connection::Connection;
pub use frame::{Assembler, FrameError, PREFIX, RawMessage, put_prefix};
pub use h2::Reason;
pub use scan::{Flood, FloodLimits, GoAway};

pub use settings::Http2Options;
pub use stream::{Event, Gone, StreamKey};
