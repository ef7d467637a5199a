//! The addon: the only code that knows N-API and libuv.
//!
//! [`core::Core`] is what JavaScript asks; [`event_loop`] is one isolate's reactor, turned by [`uv`]; [`memory`] is the tape JavaScript owns, [`arrays`] what is too
//! large for it, [`host`] calls JavaScript.

// N-API hands arguments over by value.
#![allow(clippy::needless_pass_by_value)]

mod arrays;
pub mod core;
mod event_loop;
mod host;
pub mod idl;
mod memory;
pub mod message_codec;
mod options;
#[cfg(unix)]
pub mod passage;
mod runtimes;
pub mod sockets;
mod tls;
mod uv;
mod wake;

/// Version of the tape's layout this binary speaks; generated code carries the one it was made for.
#[napi_derive::napi]
pub fn layout_version() -> u32 {
    volo_js_tape::LAYOUT_VERSION
}
