//! Sockets of clients.

use std::io;

use socket2::{Domain, SockAddr, Socket, Type};
use volo_js_transport::Address;

use crate::{Handle, SocketOptions};

/// A connection that is made, or about to be.
#[derive(Debug)]
pub struct Connecting {
    /// The socket.
    pub socket: Handle,
    /// False while the attempt is under way: it is over when the socket becomes writable, and the socket's error tells how it went.
    pub connected: bool,
}

/// Begins to connect; never waits.
///
/// # Errors
/// The system's where the attempt fails at once; `InvalidInput` for an address that has no socket here.
pub fn connect(address: &Address, options: &SocketOptions) -> io::Result<Connecting> {
    let (socket, to) = match address {
        Address::Tcp(address) => {
            (Socket::new(Domain::for_address(*address), Type::STREAM, None)?, SockAddr::from(*address))
        }
        #[cfg(unix)]
        Address::Unix(path) => (Socket::new(Domain::UNIX, Type::STREAM, None)?, SockAddr::unix(path)?),
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "this system has no socket for such an address")),
    };
    socket.set_nonblocking(true)?;
    let connected = match socket.connect(&to) {
        Ok(()) => true,
        Err(error) if is_under_way(&error) => false,
        Err(error) => return Err(error),
    };
    let socket = Handle::from(socket);
    if matches!(address, Address::Tcp(_)) {
        options.apply(&socket)?;
    }
    Ok(Connecting { socket, connected })
}

#[cfg(unix)]
fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

#[cfg(windows)]
fn is_under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
