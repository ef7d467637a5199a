//! What crosses between threads, so that [loom](https://docs.rs/loom) can stand in for it: `--cfg volo_loom`.

#[cfg(volo_loom)]
pub(crate) use loom::sync::{Mutex, atomic};

#[cfg(not(volo_loom))]
pub(crate) use std::sync::{Mutex, atomic};
