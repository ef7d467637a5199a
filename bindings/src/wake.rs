//! Waking the isolate's loop from other threads.

use std::sync::Arc;

use volo_js_io_threads::Wake;

use crate::uv::{Handle, Uv};

/// The handle of `uv_async_send`, the one function of libuv that other threads may call.
struct Bell {
    uv: &'static Uv,
    handle: *mut Handle,
}

// SAFETY: the pointer is only given to `uv_async_send`, which is made for any thread.
unsafe impl Send for Bell {}
// SAFETY: as above; several threads may call it at once.
unsafe impl Sync for Bell {}

impl Bell {
    fn ring(&self) {
        // SAFETY: `wake`'s contract.
        unsafe { (self.uv.async_send)(self.handle) };
    }
}

/// Wakes the loop that `handle` was initialised on.
///
/// # Safety
/// `handle` is an initialised `uv_async_t`, and whoever holds the result has ended before it is closed: the core joins its threads first.
pub(crate) unsafe fn wake(uv: &'static Uv, handle: *mut Handle) -> Wake {
    let bell = Bell { uv, handle };
    Arc::new(move || bell.ring())
}
