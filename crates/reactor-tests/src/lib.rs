//! What every reactor does, as tests: the serving side and the calling side over real sockets, driven through a [`Subject`].
//!
//! ```text
//! fn start(threads: usize) -> Box<dyn Subject> { Box::new(Threads::start("tokio", threads, run)) }
//! volo_js_reactor_tests::thread_behaviour_tests!(crate::start);
//! volo_js_reactor_tests::fault_tests!(run);
//! ```

mod harness;
mod lending;
mod message;
mod schema;
mod subject;
mod suite;
mod threads;
mod wire;

pub mod client;
#[cfg(unix)]
pub mod descriptors;
pub mod faults;
pub mod grpc;
pub mod leaving;
pub mod secure;
pub mod server;

pub use harness::Harness;
pub use lending::Lending;
pub use message::{Message, failure, read_messages};
pub use schema::{ECHO, TELL, schema};
pub use subject::{Make, Subject};
pub use threads::{SMALL_TAPE, Threads};
pub use wire::{
    CALL, ONEWAY, PATIENCE, Peer, call_bytes, connect, headed_bytes, read, read_call, read_to_end, reply_bytes,
    send_call,
};
