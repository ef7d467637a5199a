//! Where bytes are received.

use std::{
    cell::{RefCell, RefMut},
    io::{self, Read as _},
};

use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tokio::{io::Interest, net::TcpStream};

/// Bytes received with one system call.
const CHUNK: usize = 64 << 10;
/// Below this much room the chunk is renewed.
const LEAST: usize = 16 << 10;

/// What one attempt to read brought.
pub(crate) enum Read {
    /// What was there, or as much of it as there was room for.
    Bytes(Bytes),
    /// The peer has sent all it will.
    End,
    /// Nothing for now.
    Nothing,
}

/// A chunk that all connections of a thread receive into, so that none holds a buffer while it is idle. What a message takes is split off and
/// comes back once the message is decoded.
pub(crate) struct Reading(RefCell<BytesMut>);

impl Reading {
    pub fn new() -> Self {
        Self(RefCell::new(BytesMut::zeroed(CHUNK)))
    }

    fn chunk(&self) -> RefMut<'_, BytesMut> {
        let mut chunk = self.0.borrow_mut();
        if chunk.len() < LEAST {
            // Reclaims what decoded messages gave back, without allocating, unless a message still waits.
            let missing = CHUNK - chunk.len();
            chunk.reserve(missing);
            chunk.resize(CHUNK, 0);
        }
        chunk
    }

    /// Reads what is there, whether or not Tokio knows of it yet.
    ///
    /// # Errors
    /// The system's: the connection is broken.
    pub fn look(&self, stream: &TcpStream) -> io::Result<Read> {
        let mut chunk = self.chunk();
        match (&*SockRef::from(stream)).read(&mut chunk[..]) {
            Ok(0) => Ok(Read::End),
            Ok(count) => Ok(Read::Bytes(chunk.split_to(count).freeze())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Reads what is there, with one system call.
    ///
    /// # Errors
    /// The system's: the connection is broken.
    pub fn read(&self, stream: &TcpStream) -> io::Result<Read> {
        let mut chunk = self.chunk();
        let mut count = 0;
        let outcome = stream.try_io(Interest::READABLE, || {
            count = (&*SockRef::from(stream)).read(&mut chunk[..])?;
            if 0 < count && count < chunk.len() {
                // The socket is empty now, so Tokio may wait for the next bytes without another attempt to read. That there is no more than
                // an end is told by its own flag, which this does not clear.
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(())
        });
        match outcome {
            Ok(()) if count == 0 => Ok(Read::End),
            Ok(()) => Ok(Read::Bytes(chunk.split_to(count).freeze())),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock if count > 0 => Ok(Read::Bytes(chunk.split_to(count).freeze())),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(Read::Nothing),
                _ => Err(error),
            },
        }
    }
}
