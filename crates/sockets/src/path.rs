//! Files of Unix sockets.

use std::{io, os::unix::fs::FileTypeExt as _, path::Path};

use socket2::{Domain, SockAddr, Socket, Type};

/// Connects, or fails at once: who listens may be stopped with a full queue, and would never let this thread go on.
///
/// # Errors
/// The system's: `WouldBlock` if the queue is full.
pub(crate) fn connect_at_once(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(socket)
}

/// A socket file whose server died is in the way of the next one; one that still answers is not ours to remove.
///
/// # Errors
/// `AddrInUse` if another server listens on the path; the system's if that cannot be found out, and then the file stays.
pub(crate) fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => {}
        // Anything else is for `bind` to complain about.
        _ => return Ok(()),
    }
    match connect_at_once(path).map_err(|error| (error.kind(), error)) {
        // Nothing else says that nobody has it.
        Err((io::ErrorKind::ConnectionRefused, _)) => std::fs::remove_file(path),
        // Its server has removed it in this moment.
        Err((io::ErrorKind::NotFound, _)) => Ok(()),
        Ok(_) | Err((io::ErrorKind::WouldBlock, _)) => {
            Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens on this path"))
        }
        Err((kind, error)) => {
            Err(io::Error::new(kind, format!("whether another server listens on this path is not known: {error}")))
        }
    }
}
