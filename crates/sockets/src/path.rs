//! Files of Unix sockets.

use std::{
    io,
    os::unix::{fs::FileTypeExt as _, net::UnixStream},
    path::Path,
};

/// A socket file whose server died is in the way of the next one; one that still answers is not ours to remove.
///
/// # Errors
/// `AddrInUse` if another server listens on the path, or the system's.
pub(crate) fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => match UnixStream::connect(path) {
            Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens on this path")),
            Err(_) => std::fs::remove_file(path),
        },
        // Anything else is for `bind` to complain about.
        _ => Ok(()),
    }
}
