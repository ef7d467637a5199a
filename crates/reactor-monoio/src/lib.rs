//! I/O threads on Monoio: `io_uring` where the kernel lets us have one, epoll or kqueue elsewhere.
//!
//! A thread is one Monoio runtime. Its main task [turns](turn) the shard; every connection and every listener has a task of its own.
//! Operations own their buffers until the kernel has given them back: whoever wants to be rid of one cancels it and waits for its end, so a
//! task that is over has nothing in the kernel's hands.
//!
//! What is not here: Windows, which Monoio does not serve.
#![cfg(unix)]

mod buffers;
mod connection;
mod duplicate;
mod listener;
mod reactor;
mod reading;
mod runtime;
mod tasks;
mod turn;
mod writing;

pub use runtime::run;
