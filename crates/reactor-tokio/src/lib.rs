//! I/O threads on Tokio: a current-thread runtime each, with one [`Shard`](volo_js_io_threads::Shard) and one task a connection.
//!
//! Tokio's queue is first in, first out, and that is what makes a turn: the tasks whose sockets one wait found ready stand in it already when
//! the first of them wakes the turn task, so it comes behind all of them, and one batch serves them all.

mod actions;
mod connection;
mod listener;
mod reading;
mod thread;
mod turn;

pub use thread::run;
