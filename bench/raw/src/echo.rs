//! One connection whose messages go back as they came: bytes are copied by the system alone, in and out of one buffer.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

use crate::{Closed, Serve};

/// Longest frame this loop takes, length prefix included; a peer that announces more is disconnected.
const LONGEST: usize = 64 * 1024 * 1024;
/// Least room for a read, in bytes.
const READ: usize = 64 * 1024;

/// A connection, and a frame on its way in or out.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that were read.
    have: usize,
    /// The frame that is being answered: its length, and what of it was sent.
    answer: Option<(usize, usize)>,
    watches_write: bool,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: vec![0; READ], have: 0, answer: None, watches_write: false }
    }

    /// Length of the frame that `buffer` begins with, once its prefix is there.
    fn length(&self) -> Option<usize> {
        let prefix = self.buffer[..self.have].first_chunk::<4>()?;
        Some(4 + u32::from_be_bytes(*prefix) as usize)
    }
}

impl Serve for Connection {
    fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn is_blocked(&self) -> bool {
        self.answer.is_some()
    }

    fn watches_write(&mut self) -> &mut bool {
        &mut self.watches_write
    }

    fn on_readable(&mut self) -> Result<(), Closed> {
        if self.is_blocked() {
            return Ok(());
        }
        match self.stream.read(&mut self.buffer[self.have..]) {
            Ok(0) => return Err(Closed),
            Ok(n) => self.have += n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(_) => return Err(Closed),
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Closed> {
        loop {
            if let Some((length, sent)) = &mut self.answer {
                while sent < length {
                    match self.stream.write(&self.buffer[*sent..*length]) {
                        Ok(n) => *sent += n,
                        Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                        Err(_) => return Err(Closed),
                    }
                }
                self.buffer.copy_within(*length..self.have, 0);
                self.have -= *length;
                self.answer = None;
            }
            let Some(length) = self.length() else { return Ok(()) };
            if length > LONGEST {
                return Err(Closed);
            }
            if self.have < length {
                if self.buffer.len() < length {
                    self.buffer.resize(length + READ, 0);
                }
                return Ok(());
            }
            make_reply(&mut self.buffer[..length]).ok_or(Closed)?;
            self.answer = Some((length, 0));
        }
    }
}

/// Makes the frame of a call with one argument that of a reply with it: another kind of message, another number of the field.
fn make_reply(frame: &mut [u8]) -> Option<()> {
    let name = u32::from_be_bytes(*frame.get(8..)?.first_chunk()?) as usize;
    *frame.get_mut(7)? = 2;
    // Behind prefix, version, name with its length and sequence id come the type of the field and its number.
    *frame.get_mut(name.checked_add(4 + 4 + 4 + 4 + 2)?)? = 0;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_becomes_its_reply() {
        let message = |kind: u8, field: u8| {
            let mut frame = vec![0, 0, 0, 25, 0x80, 1, 0, kind, 0, 0, 0, 4];
            frame.extend(b"Echo");
            frame.extend([0, 0, 0, 9, 11, 0, field, 0, 0, 0, 1, b'x', 0]);
            frame
        };
        let mut frame = message(1, 1);
        assert_eq!(make_reply(&mut frame), Some(()));
        assert_eq!(frame, message(2, 0));
        assert_eq!(make_reply(&mut [0; 9]), None);
        assert_eq!(make_reply(&mut [0xFF; 30]), None);
    }
}
