//! A second descriptor of a socket that Monoio has.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsRawFd as _, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

/// Duplicates a socket that is open for sure.
///
/// Monoio lends its sockets as numbers, and who owns a number cannot be said in safe Rust. But the system can say it: a descriptor sent to
/// oneself arrives as one of its own.
pub(crate) fn duplicate(socket: RawFd) -> io::Result<OwnedFd> {
    let (from, to) = UnixStream::pair()?;
    sendmsg::<()>(
        from.as_raw_fd(),
        &[IoSlice::new(&[0])],
        &[ControlMessage::ScmRights(&[socket])],
        MsgFlags::empty(),
        None,
    )?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    // On Linux nobody else can start a program in between; elsewhere the flag does not exist.
    #[cfg(target_os = "linux")]
    let flags = RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = RecvFlags::empty();
    recvmsg(&to, &mut [IoSliceMut::new(&mut [0])], &mut control, flags)?;
    control
        .drain()
        .find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        })
        // Out of descriptors: then the system drops what was sent.
        .ok_or_else(|| io::Error::other("no descriptor is left for it"))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn a_duplicate_outlives_its_socket() {
        let (socket, mut peer) = UnixStream::pair().unwrap();
        let duplicate = duplicate(socket.as_raw_fd()).unwrap();
        drop(socket);
        UnixStream::from(duplicate).write_all(b"still here").unwrap();
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        assert_eq!(text, "still here");
    }
}
