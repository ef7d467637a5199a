//! I/O threads beside an isolate's own: sockets, codecs and limits live there, and only batches cross.
//!
//! ```text
//!  isolate's thread                                   I/O thread
//!  IoThreads ── Link::submit ──▶ Mailbox ───────────▶ Shard ── Engine ── sockets of a reactor
//!     ▲                                                  │
//!     └──────── Link::take ◀── shelf (one batch) ◀───────┘ end_turn
//! ```
//!
//! A thread fills a tape of its own. At the end of a turn it lays the batch on the shelf, if the one before has been taken, and wakes the
//! isolate; otherwise it goes on filling. So a busy isolate gets fewer and larger batches, and one that lags stops the reading. Both sides
//! take a lock once a batch, never once a call.
//!
//! Threads write Rust memory only. The isolate copies a batch to its own tape, so that nothing of it is touched after it has ended.

mod batch;
mod command;
mod link;
mod mailbox;
#[cfg(all(test, volo_loom))]
mod model;
mod shard;
mod split;
mod sync;
mod threads;

pub use batch::{Batch, Content, Submission, TapeSize};
pub use command::{Arrival, Command};
pub use link::{Link, Wake};
pub use mailbox::Mailbox;
pub use shard::Shard;
pub use split::split;
pub use threads::{Driver, IoThreads, Place, Run};
