//! Sockets between two hands: one part of the process has let go of them, another will take them.
//!
//! They are held for the whole process, so that isolates of it can pass sockets on by number, without ever naming a raw descriptor: a number
//! that was taken already, or never existed, is an error and not somebody else's file.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use slab::Slab;
use volo_js_transport::Peer;

use crate::{Handle, Listener};

/// Names a held socket in this process. Numbers are used again once they are free.
pub type HeldId = u32;

/// A socket that is held.
#[derive(Debug)]
pub enum Held {
    /// One that listens. Its duplicates serve; it keeps the queue alive meanwhile.
    Listener(Listener),
    /// A connection.
    Connection(Handle),
}

static HELD: Mutex<Slab<Held>> = Mutex::new(Slab::new());

fn held() -> MutexGuard<'static, Slab<Held>> {
    // Nothing is left half done by a panic: each operation below is one call of the slab.
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gone(id: HeldId) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no held socket {id}: it was taken or closed already"))
}

/// Holds a socket until somebody takes it.
pub fn hold(socket: Held) -> HeldId {
    held().insert(socket) as HeldId
}

/// Takes a socket, which is held no longer. Dropping it closes it.
///
/// # Errors
/// `NotFound` if no such socket is held.
pub fn take(id: HeldId) -> io::Result<Held> {
    held().try_remove(id as usize).ok_or_else(|| gone(id))
}

/// Takes a connection.
///
/// # Errors
/// `NotFound` if no such connection is held.
pub fn take_connection(id: HeldId) -> io::Result<Handle> {
    let mut held = held();
    match held.get(id as usize) {
        Some(Held::Connection(_)) => match held.remove(id as usize) {
            Held::Connection(handle) => Ok(handle),
            Held::Listener(_) => Err(gone(id)),
        },
        _ => Err(gone(id)),
    }
}

/// A second descriptor of a held listener, which stays held. See [`Listener::try_clone`].
///
/// # Errors
/// `NotFound` if no such listener is held, or the system's.
pub fn duplicate(id: HeldId) -> io::Result<Listener> {
    match held().get(id as usize) {
        Some(Held::Listener(listener)) => listener.try_clone(),
        _ => Err(gone(id)),
    }
}

/// Takes what waits in a held listener's queue; each connection is held then. For a listener that is about to close: closing it resets
/// whatever still waits.
///
/// # Errors
/// `NotFound` if no such listener is held, or the system's.
pub fn accept_waiting(id: HeldId) -> io::Result<Vec<(HeldId, Peer)>> {
    let listener = duplicate(id)?;
    let mut accepted = Vec::new();
    while let Some((handle, peer)) = listener.accept()? {
        accepted.push((hold(Held::Connection(handle)), peer));
    }
    Ok(accepted)
}

/// How many sockets are held now.
pub fn count() -> usize {
    held().len()
}
