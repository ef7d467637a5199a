//! Listening sockets.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use socket2::{Domain, SockAddr, Socket, Type};
use volo_js_transport::{Address, Peer};

use crate::{Handle, ListenOptions, SocketOptions, held};

/// A listening socket. The file of a Unix socket goes when the listener is dropped, unless it was told to [leave](Listener::leave_path) it.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    options: SocketOptions,
    /// Removed when the listener is dropped.
    path: Option<PathBuf>,
}

impl Listener {
    /// Binds and listens, or takes a duplicate of a held socket where the options name one. Gives the bound address, which tells the port where 0 was asked for.
    ///
    /// # Errors
    /// The system's; `InvalidInput` for an address that has no socket here.
    pub fn bind(address: &Address, options: &ListenOptions) -> io::Result<(Self, Address)> {
        if let Some(id) = options.held {
            let mut listener = held::duplicate(id)?;
            listener.options = options.socket;
            let bound = listener.address()?;
            return Ok((listener, bound));
        }
        let (socket, path) = match address {
            Address::Tcp(address) => match bind_tcp(*address, options) {
                // As Node does: every interface means every one there is, also where IPv6 is switched off.
                Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && is_without_ipv6(&error) => {
                    (bind_tcp(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())), options)?, None)
                }
                bound => (bound?, None),
            },
            #[cfg(unix)]
            Address::Unix(path) => {
                crate::path::remove_stale(path)?;
                let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
                socket.bind(&SockAddr::unix(path)?)?;
                (socket, Some(path.clone()))
            }
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "this system has no socket for such an address",
                ));
            }
        };
        socket.set_nonblocking(true)?;
        socket.listen(options.backlog.unwrap_or(1024))?;
        let bound = match socket.local_addr()?.as_socket() {
            Some(bound) => Address::Tcp(bound),
            None => address.clone(),
        };
        Ok((Self { socket, options: options.socket, path }, bound))
    }

    /// Takes over a socket that listens already, made by another process or isolate.
    ///
    /// # Arguments
    /// * `path` - the file of a Unix socket that goes with this listener; None leaves the file to whoever has it.
    ///
    /// # Errors
    /// `InvalidInput` if the socket does not listen, or the system's.
    pub fn from_handle(handle: Handle, path: Option<PathBuf>, options: SocketOptions) -> io::Result<Self> {
        let socket = Socket::from(handle);
        #[cfg(unix)]
        if !listens(&socket)? {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this socket does not listen"));
        }
        socket.set_nonblocking(true)?;
        Ok(Self { socket, options, path })
    }

    /// Where it listens. A Unix socket's path is as it was bound, relative to the directory of that process then.
    ///
    /// # Errors
    /// The system's; `InvalidInput` for a socket without a name.
    pub fn address(&self) -> io::Result<Address> {
        let address = self.socket.local_addr()?;
        if let Some(address) = address.as_socket() {
            return Ok(Address::Tcp(address));
        }
        #[cfg(unix)]
        if let Some(path) = address.as_pathname() {
            return Ok(Address::Unix(path.to_path_buf()));
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "this socket has no address"))
    }

    /// A second descriptor of the same socket: both take from one queue, which lives until the last of them is closed. The file of a
    /// Unix socket stays this listener's.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()?, options: self.options, path: None })
    }

    /// The next connection, or None if no other waits.
    pub fn accept(&self) -> io::Result<Option<(Handle, Peer)>> {
        loop {
            let (handle, peer) = match accept(&self.socket) {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(peer) = peer else { return Ok(Some((handle, Peer::Unix))) };
            match self.options.apply(&handle) {
                Ok(()) => return Ok(Some((handle, Peer::Tcp(peer)))),
                // A peer that reset at once leaves a socket that takes no options; it is dropped here.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes charge of the file of a Unix socket. Nothing happens to other sockets.
    ///
    /// # Errors
    /// The system's.
    pub fn own_path(&mut self) -> io::Result<()> {
        if let Address::Unix(path) = self.address()? {
            self.path = Some(path);
        }
        Ok(())
    }

    /// Leaves the file of a Unix socket to somebody else.
    pub fn leave_path(&mut self) {
        self.path = None;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Another process may have taken the path over; nothing is lost if it is gone already.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for Listener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for Listener {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(windows)]
impl std::os::windows::io::AsSocket for Listener {
    fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
        self.socket.as_socket()
    }
}

/// Who is at the other end of a connected socket.
///
/// # Errors
/// The system's; `NotConnected` if the peer has reset it.
pub fn peer_of(socket: &Handle) -> io::Result<Peer> {
    Ok(socket2::SockRef::from(socket).peer_addr()?.as_socket().map_or(Peer::Unix, Peer::Tcp))
}

/// One system call where the system has one for it; no address for a peer without one.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn accept(socket: &Socket) -> io::Result<(Handle, Option<SocketAddr>)> {
    use rustix::net::{SocketFlags, acceptfrom_with};
    let (handle, peer) = acceptfrom_with(socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    Ok((handle, peer.and_then(|peer| SocketAddr::try_from(peer).ok())))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn accept(socket: &Socket) -> io::Result<(Handle, Option<SocketAddr>)> {
    let (accepted, peer) = socket.accept()?;
    accepted.set_nonblocking(true)?;
    Ok((Handle::from(accepted), peer.as_socket()))
}

fn bind_tcp(address: SocketAddr, options: &ListenOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        // As Node does: `[::]` takes IPv4 peers too.
        socket.set_only_v6(false)?;
    }
    #[cfg(unix)]
    {
        // On Windows this would let others take the port.
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(options.reuse_port)?;
    }
    #[cfg(windows)]
    let _ = options;
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

#[cfg(unix)]
fn is_without_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(windows)]
fn is_without_ipv6(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
}

/// Whether a socket listens. Apple's systems do not tell: there one without a peer is taken for a listener.
#[cfg(unix)]
pub(crate) fn listens(socket: impl std::os::fd::AsFd) -> io::Result<bool> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::net::sockopt::socket_acceptconn(socket)?);
    #[cfg(target_vendor = "apple")]
    match rustix::net::getpeername(socket) {
        Ok(_) => Ok(false),
        Err(rustix::io::Errno::NOTCONN | rustix::io::Errno::INVAL) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
