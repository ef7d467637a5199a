//! One connection: bytes in, template replies out.

use std::{
    cell::RefCell,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    rc::Rc,
};

use crate::{
    Closed, Serve,
    template::{LONGEST, SHORTEST, answer},
};

/// Receive buffer of all connections, in bytes: room for an incomplete frame and a full read behind it.
const BUFFER: usize = LONGEST + 64 * 1024;

/// What all connections use.
pub struct Shared {
    buffer: RefCell<Vec<u8>>,
    template: Vec<u8>,
}

impl Shared {
    pub fn new(template: Vec<u8>) -> Self {
        Self { buffer: RefCell::new(vec![0; BUFFER]), template }
    }
}

/// A connection, the start of a frame that has not arrived whole, and replies the socket did not take yet.
pub struct Connection {
    stream: TcpStream,
    shared: Rc<Shared>,
    rest: Vec<u8>,
    out: Vec<u8>,
    sent: usize,
    watches_write: bool,
}

impl Connection {
    pub fn new(stream: TcpStream, shared: Rc<Shared>) -> Self {
        Self { stream, shared, rest: Vec::new(), out: Vec::new(), sent: 0, watches_write: false }
    }
}

impl Serve for Connection {
    fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn is_blocked(&self) -> bool {
        self.sent < self.out.len()
    }

    fn watches_write(&mut self) -> &mut bool {
        &mut self.watches_write
    }

    fn on_readable(&mut self) -> Result<(), Closed> {
        if self.is_blocked() {
            return Ok(());
        }
        let shared = Rc::clone(&self.shared);
        let buffer = &mut *shared.buffer.borrow_mut();
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
            answer(&mut self.out, &shared.template, &buffer[at..at + length]);
            at += length;
        }
        self.rest.clear();
        self.rest.extend_from_slice(&buffer[at..have]);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Closed> {
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
