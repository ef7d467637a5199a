//! One connection: bytes in, template replies out.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

use crate::template::{LONGEST, SHORTEST, answer};

/// A connection, the start of a frame that has not arrived whole, and replies the socket did not take yet.
pub struct Connection {
    pub stream: TcpStream,
    rest: Vec<u8>,
    out: Vec<u8>,
    sent: usize,
    /// Whether the caller has this connection registered for writability.
    pub watches_write: bool,
}

/// The peer is gone or broke the framing: drop the connection.
pub struct Closed;

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, rest: Vec::new(), out: Vec::new(), sent: 0, watches_write: false }
    }

    /// Whether replies wait for the socket. While they do, nothing more is read.
    pub fn is_blocked(&self) -> bool {
        self.sent < self.out.len()
    }

    /// Reads once into `buffer`, which all connections share, and answers every whole frame.
    pub fn on_readable(&mut self, buffer: &mut [u8], template: &[u8]) -> Result<(), Closed> {
        if self.is_blocked() {
            return Ok(());
        }
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        let have = match self.stream.read(&mut buffer[kept..]) {
            Ok(0) => return Err(Closed),
            Ok(n) => kept + n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(_) => return Err(Closed),
        };
        let mut at = 0;
        while have - at >= 4 {
            let length = 4 + u32::from_be_bytes([buffer[at], buffer[at + 1], buffer[at + 2], buffer[at + 3]]) as usize;
            if !(SHORTEST..=LONGEST).contains(&length) {
                return Err(Closed);
            }
            if have - at < length {
                break;
            }
            answer(&mut self.out, template, &buffer[at..at + length]);
            at += length;
        }
        self.rest.clear();
        self.rest.extend_from_slice(&buffer[at..have]);
        self.flush()
    }

    /// Writes what it can of the waiting replies.
    pub fn flush(&mut self) -> Result<(), Closed> {
        while self.is_blocked() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(Closed),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }
}
