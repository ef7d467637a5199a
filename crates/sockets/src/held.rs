//! Sockets between two hands: one part of the process has let go of them, another will take them.
//!
//! They are held for the whole process, so that isolates of it can pass sockets on by number, without ever naming a raw descriptor: a number
//! that was taken already, or never existed, is an error and not somebody else's file.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

#[cfg(unix)]
use crate::SocketOptions;
use crate::{Handle, Listener};

/// Names a held socket in this process. A number is not used again before four billion others, so who still has an old one does no harm.
pub type HeldId = u32;

/// A socket that is held.
#[derive(Debug)]
pub enum Held {
    /// One that listens. Its duplicates serve; it keeps the queue alive meanwhile.
    Listener(Listener),
    /// A connection.
    Connection(Handle),
}

impl Held {
    /// What a descriptor from another process is. A Unix listener's file is not its own yet, see [`own_path`].
    ///
    /// # Errors
    /// The system's; for a descriptor that is no socket, for example.
    #[cfg(unix)]
    pub fn from_descriptor(descriptor: Handle) -> io::Result<Self> {
        if crate::listener::listens(&descriptor)? {
            Ok(Self::Listener(Listener::from_handle(descriptor, None, SocketOptions::default())?))
        } else {
            Ok(Self::Connection(descriptor))
        }
    }
}

struct Holding {
    sockets: BTreeMap<HeldId, Held>,
    last: HeldId,
}

static HELD: Mutex<Holding> = Mutex::new(Holding { sockets: BTreeMap::new(), last: 0 });

fn held() -> MutexGuard<'static, Holding> {
    // Nothing is left half done by a panic: each operation below changes the map once.
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gone(id: HeldId) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no held socket {id}: it was taken or closed already"))
}

/// Holds a socket until somebody takes it.
pub fn hold(socket: Held) -> HeldId {
    let mut held = held();
    loop {
        held.last = held.last.wrapping_add(1);
        let id = held.last;
        if let Entry::Vacant(entry) = held.sockets.entry(id) {
            entry.insert(socket);
            return id;
        }
    }
}

/// Takes a socket, which is held no longer. Dropping it closes it.
///
/// # Errors
/// `NotFound` if no such socket is held.
pub fn take(id: HeldId) -> io::Result<Held> {
    held().sockets.remove(&id).ok_or_else(|| gone(id))
}

/// Takes a connection.
///
/// # Errors
/// `NotFound` if no such connection is held.
pub fn take_connection(id: HeldId) -> io::Result<Handle> {
    let mut held = held();
    match held.sockets.entry(id) {
        Entry::Occupied(entry) if matches!(entry.get(), Held::Connection(_)) => match entry.remove() {
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
    match held().sockets.get(&id) {
        Some(Held::Listener(listener)) => listener.try_clone(),
        _ => Err(gone(id)),
    }
}

/// Whether the file of a held Unix listener goes when it is closed. Nothing happens to other listeners.
///
/// # Errors
/// `NotFound` if no such listener is held, or the system's.
pub fn own_path(id: HeldId, owned: bool) -> io::Result<()> {
    match held().sockets.get_mut(&id) {
        Some(Held::Listener(listener)) if owned => listener.own_path(),
        Some(Held::Listener(listener)) => {
            listener.leave_path();
            Ok(())
        }
        _ => Err(gone(id)),
    }
}

/// Takes what waits in a held listener's queue; each connection is held then. For a listener that is about to close: closing it resets
/// whatever still waits. One that cannot be accepted, for want of descriptors above all, leaves itself and those behind it there.
///
/// # Errors
/// `NotFound` if no such listener is held, or the system's if it cannot be looked at.
pub fn accept_waiting(id: HeldId) -> io::Result<Vec<HeldId>> {
    let listener = duplicate(id)?;
    let mut accepted = Vec::new();
    while let Ok(Some((handle, _))) = listener.accept() {
        accepted.push(hold(Held::Connection(handle)));
    }
    Ok(accepted)
}

/// How many sockets are held now.
pub fn count() -> usize {
    held().sockets.len()
}
