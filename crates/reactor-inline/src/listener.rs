//! Listening sockets.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::net::{SocketFlags, acceptfrom_with, sockopt};
use socket2::{Domain, SockAddr, Socket, Type};
use volo_js_transport::{Address, Peer};

use crate::SocketOptions;

/// How to listen.
#[derive(Debug, Clone, Default)]
pub struct ListenOptions {
    /// Connections the kernel may queue. Default 1024.
    pub backlog: Option<i32>,
    /// Lets several processes or isolates share the port. Default off.
    pub reuse_port: bool,
    /// Options of accepted sockets.
    pub socket: SocketOptions,
}

pub(crate) struct Listener {
    pub socket: Socket,
    pub options: SocketOptions,
    /// Removed when the listener is closed.
    path: Option<PathBuf>,
}

impl Listener {
    /// Binds and listens. Gives the bound address, which tells the port where 0 was asked for.
    pub(crate) fn bind(address: &Address, options: &ListenOptions) -> io::Result<(Self, Address)> {
        let (socket, path) = match address {
            Address::Tcp(address) => match bind_tcp(*address, options) {
                // As Node does: every interface means every one there is, also where IPv6 is switched off.
                Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && is_without_ipv6(&error) => {
                    (bind_tcp(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())), options)?, None)
                }
                bound => (bound?, None),
            },
            Address::Unix(path) => {
                remove_stale(path)?;
                let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
                socket.bind(&SockAddr::unix(path)?)?;
                (socket, Some(path.clone()))
            }
            Address::Memory(_) => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "memory endpoints have no socket"));
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

    /// The next connection, or None if no other waits.
    pub(crate) fn accept(&self) -> io::Result<Option<(OwnedFd, Peer)>> {
        loop {
            match acceptfrom_with(&self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok((fd, peer)) => {
                    let Some(peer) = peer.and_then(|peer| SocketAddr::try_from(peer).ok()) else {
                        return Ok(Some((fd, Peer::Unix)));
                    };
                    if let Err(error) = self.options.apply(&fd) {
                        // A peer that reset at once leaves a socket that takes no options; it is dropped here.
                        if error.kind() != io::ErrorKind::InvalidInput {
                            return Err(error);
                        }
                        continue;
                    }
                    return Ok(Some((fd, Peer::Tcp(peer))));
                }
                Err(rustix::io::Errno::AGAIN) => return Ok(None),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNABORTED) => {}
                Err(error) => return Err(error.into()),
            }
        }
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

fn bind_tcp(address: SocketAddr, options: &ListenOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // As Node does: `[::]` takes IPv4 peers too.
        socket.set_only_v6(false)?;
    }
    #[cfg(unix)]
    socket.set_reuse_port(options.reuse_port)?;
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

fn is_without_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// A socket file whose server died is in the way of the next one; one that still answers is not ours to remove.
fn remove_stale(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt as _;
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens on this path")),
            Err(_) => std::fs::remove_file(path),
        },
        // Anything else is for `bind` to complain about.
        _ => Ok(()),
    }
}

impl SocketOptions {
    pub(crate) fn apply(&self, fd: &OwnedFd) -> io::Result<()> {
        sockopt::set_tcp_nodelay(fd, self.no_delay)?;
        if let Some(idle) = self.keep_alive {
            sockopt::set_socket_keepalive(fd, true)?;
            #[cfg(not(any(target_os = "openbsd", target_os = "macos", target_os = "ios")))]
            sockopt::set_tcp_keepidle(fd, idle)?;
        }
        Ok(())
    }
}
