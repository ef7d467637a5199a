//! A Unix socket that carries messages, and with each of them a descriptor if it has one: how sockets get from one process to another.
//!
//! A message is its length in four bytes (little-endian), one byte that tells whether a descriptor comes with it, and that many bytes. The
//! descriptor travels beside the first byte (`SCM_RIGHTS`), so however the stream is cut, descriptors keep the order of their messages.
//! Everything here blocks; it is for a thread of its own.

use std::{
    collections::VecDeque,
    fs::Permissions,
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::PermissionsExt as _,
    },
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, Shutdown, recvmsg, sendmsg, shutdown,
};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::{Listener, SocketOptions};

/// A peer that is gone is an error, not a signal. Apple's systems have no such flag; Node ignores the signal everywhere.
#[cfg(not(target_vendor = "apple"))]
const QUIETLY: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const QUIETLY: SendFlags = SendFlags::empty();

/// Largest message in bytes: a longer one is a peer that does not speak this.
pub const LARGEST_MESSAGE: usize = 1 << 30;
/// Bytes of a message that are made room for before any has arrived.
const FIRST_PART: usize = 64 << 10;
/// Length and flag.
const HEADER: usize = 5;
/// Descriptors received with one call at most; a sender sends one a message.
const DESCRIPTORS: usize = 16;

/// A message, and what came with it.
#[derive(Debug)]
pub struct Message {
    /// What was sent.
    pub body: Vec<u8>,
    /// The descriptor beside it.
    pub socket: Option<OwnedFd>,
}

/// One end. A thread may receive while another sends.
#[derive(Debug)]
pub struct Passage {
    socket: OwnedFd,
    /// Descriptors whose message is not complete yet.
    arrived: Mutex<VecDeque<OwnedFd>>,
}

impl Passage {
    /// Connects to whoever listens on `path`, see [`listen_private`].
    ///
    /// # Errors
    /// The system's: `NotFound` or `ConnectionRefused` if nobody listens, `WouldBlock` if who listens has not answered many others.
    /// `PermissionDenied` if who listens is neither this user nor root.
    pub fn connect(path: &Path) -> io::Result<Self> {
        Self::new(OwnedFd::from(crate::path::connect_at_once(path)?))
    }

    /// Over a connected Unix socket.
    ///
    /// # Errors
    /// `PermissionDenied` if the other end is neither this user nor root, or the system's.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        check_peer(socket.as_fd())?;
        rustix::io::ioctl_fionbio(&socket, false)?;
        Ok(Self { socket, arrived: Mutex::new(VecDeque::new()) })
    }

    /// Two ends of one passage.
    ///
    /// # Errors
    /// The system's.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = Socket::pair(Domain::UNIX, Type::STREAM, None)?;
        Ok((Self::new(OwnedFd::from(one))?, Self::new(OwnedFd::from(other))?))
    }

    /// Sends a message. The descriptor stays the caller's; the system keeps its socket open until the other end has it.
    ///
    /// # Errors
    /// `InvalidInput` for a message that is too long, or the system's: `BrokenPipe` if the other end is gone.
    pub fn send(&self, body: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if body.len() > LARGEST_MESSAGE {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a message to another process is at most 1 GiB"));
        }
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&(body.len() as u32).to_le_bytes());
        header[4] = u8::from(descriptor.is_some());
        let descriptors = descriptor.map(|descriptor| [descriptor]);
        let mut sent = 0;
        while sent < HEADER + body.len() {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if let (0, Some(descriptors)) = (sent, &descriptors) {
                control.push(SendAncillaryMessage::ScmRights(descriptors));
            }
            let parts = [
                IoSlice::new(&header[sent.min(HEADER)..]),
                IoSlice::new(&body[sent.saturating_sub(HEADER).min(body.len())..]),
            ];
            match sendmsg(&self.socket, &parts, &mut control, QUIETLY) {
                Ok(count) => sent += count,
                Err(rustix::io::Errno::INTR) => {}
                // The system limits descriptors that are under way; the other end is taking them.
                Err(rustix::io::Errno::TOOMANYREFS) => std::thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for the next message; None once the other end has closed.
    ///
    /// # Errors
    /// `InvalidData` for what is no message, or for a descriptor that found no room in this process; or the system's.
    pub fn receive(&self) -> io::Result<Option<Message>> {
        let mut header = [0; HEADER];
        if !self.fill(&mut header)? {
            return Ok(None);
        }
        let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        if length > LARGEST_MESSAGE || header[4] > 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the other end speaks something else"));
        }
        let mut body = Vec::new();
        // Memory grows with what has arrived, not with what is announced.
        while body.len() < length {
            let filled = body.len();
            body.resize(length.min((2 * filled).max(FIRST_PART)), 0);
            if !self.fill(&mut body[filled..])? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let socket = if header[4] == 1 { self.arrived().pop_front() } else { None };
        if header[4] == 1 && socket.is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a socket was lost on its way; this process may have too few descriptors (ulimit -n)",
            ));
        }
        Ok(Some(Message { body, socket }))
    }

    /// Ends both directions: whoever waits in [`Passage::receive`], on either side, is told the end.
    pub fn close(&self) {
        // Fails if the other end was first.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }

    fn arrived(&self) -> std::sync::MutexGuard<'_, VecDeque<OwnedFd>> {
        self.arrived.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// False if the stream ended before the first byte.
    fn fill(&self, buffer: &mut [u8]) -> io::Result<bool> {
        let mut filled = 0;
        while filled < buffer.len() {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let received =
                recvmsg(&self.socket, &mut [IoSliceMut::new(&mut buffer[filled..])], &mut control, RECEIVE_FLAGS);
            let received = match received {
                Ok(received) => received,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for message in control.drain() {
                if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                    self.arrived().extend(descriptors);
                }
            }
            if received.flags.contains(ReturnFlags::CTRUNC) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "this process has too few descriptors for the sockets it is handed; raise ulimit -n",
                ));
            }
            if received.bytes == 0 {
                return if filled == 0 { Ok(false) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            filled += received.bytes;
        }
        Ok(true)
    }
}

#[cfg(not(any(target_os = "macos", target_os = "ios")))]
const RECEIVE_FLAGS: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(any(target_os = "macos", target_os = "ios"))]
const RECEIVE_FLAGS: RecvFlags = RecvFlags::empty();

/// Listens on a Unix socket that only this user can connect to (mode 0600). A file left by a dead process is replaced.
///
/// # Errors
/// `AddrInUse` if somebody listens there, or the system's.
pub fn listen_private(path: &Path) -> io::Result<Listener> {
    crate::path::remove_stale(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let path = PathBuf::from(path);
    // Before it listens: until then nobody can connect.
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    socket.listen(16)?;
    Listener::from_handle(OwnedFd::from(socket), Some(path), SocketOptions::default())
}

/// Sockets are handed to this user and to root only, and taken from them only, whatever the file's permissions say.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn check_peer(socket: BorrowedFd<'_>) -> io::Result<()> {
    let peer = rustix::net::sockopt::socket_peercred(socket)?.uid;
    if peer.is_root() || peer == rustix::process::geteuid() {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("the process at the other end runs as user {}, not as this one", peer.as_raw()),
    ))
}

/// Where the system does not tell who the peer is, the file's permissions do.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[allow(clippy::unnecessary_wraps)]
fn check_peer(_: BorrowedFd<'_>) -> io::Result<()> {
    Ok(())
}

/// Ends a wait in another thread.
#[derive(Debug)]
pub struct Doorbell(OwnedFd);

/// Waits for a listener, until its [`Doorbell`] is rung or dropped.
#[derive(Debug)]
pub struct Rung(OwnedFd);

impl Doorbell {
    /// A bell, and who hears it.
    ///
    /// # Errors
    /// The system's.
    pub fn pair() -> io::Result<(Self, Rung)> {
        let (one, other) = Socket::pair(Domain::UNIX, Type::STREAM, None)?;
        Ok((Self(one.into()), Rung(other.into())))
    }

    /// Ends the wait, and every later one.
    pub fn ring(&self) {
        // Fails if nobody waits any more.
        let _ = shutdown(&self.0, Shutdown::Both);
    }
}

impl Rung {
    /// Waits until somebody connects; false once the bell was rung.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self, listener: &Listener) -> io::Result<bool> {
        loop {
            let mut waits = [PollFd::new(&self.0, PollFlags::IN), PollFd::new(listener, PollFlags::IN)];
            match poll(&mut waits, None) {
                Ok(_) if !waits[0].revents().is_empty() => return Ok(false),
                Ok(_) if !waits[1].revents().is_empty() => return Ok(true),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
