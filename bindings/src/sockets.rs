//! Sockets that are held for the process while they change hands. See `Addon` in `js/core/addon.ts`.

use napi::{Error, Result};
use napi_derive::napi;
use volo_js_sockets::{
    Listener,
    held::{self, Held},
};

use crate::{
    core::{coded, error_code},
    options::NativeListenOptions,
};

/// What [`bind_socket`] made.
#[napi(object)]
pub struct NativeSocket {
    /// Names it in this process.
    pub socket: u32,
    /// The bound address.
    pub address: String,
}

/// Binds and listens; the socket is held, so connections queue up until somebody serves on it.
#[napi]
pub fn bind_socket(options: NativeListenOptions) -> Result<NativeSocket, String> {
    let address = options.address().map_err(|error| coded("ERR_INVALID_ARG_VALUE", error.reason.clone()))?;
    let (listener, bound) = Listener::bind(&address, &options.listen())
        .map_err(|error| coded(error_code(&error), format!("cannot listen on {address}: {error}")))?;
    Ok(NativeSocket { socket: held::hold(Held::Listener(listener)), address: bound.to_string() })
}

/// Closes a held socket; false if it is not held any more.
#[napi]
pub fn close_socket(socket: u32) -> bool {
    held::take(socket).is_ok()
}

/// Takes what waits in a held listener's queue.
#[napi]
pub fn accept_waiting(socket: u32) -> Result<Vec<u32>> {
    held::accept_waiting(socket).map_err(|error| Error::from_reason(error.to_string()))
}

/// How many sockets are held in this process: none, while nothing changes hands.
#[napi]
pub fn held_sockets() -> u32 {
    held::count() as u32
}
