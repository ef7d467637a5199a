//! One connection: requests out in batches, replies in and checked in order.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    time::Instant,
};

use crate::request::Request;

/// A call in flight.
struct Call {
    seq: u32,
    /// When it was sent, or in an open loop when it should have been.
    since: Instant,
}

/// A socket, the calls in flight on it, and bytes on their way in either direction.
pub struct Connection {
    pub stream: TcpStream,
    next_seq: u32,
    in_flight: VecDeque<Call>,
    out: Vec<u8>,
    sent: usize,
    /// A reply frame of which only the start has arrived, length prefix included.
    partial: Vec<u8>,
    /// Whether the event loop watches for writability.
    pub watches_write: bool,
}

/// Longest reply frame taken, in bytes: `--content-size` at its largest and room for the rest. A longer one means that
/// the server does not speak framed Thrift.
const LONGEST_FRAME: usize = (1 << 30) + 64 * 1024;

impl Connection {
    /// `index` sets where the sequence ids start, so that connections ask for different items.
    pub fn new(stream: TcpStream, index: usize, depth: usize) -> Self {
        Self {
            stream,
            next_seq: (index as u32) << 20,
            in_flight: VecDeque::with_capacity(depth),
            out: Vec::with_capacity(depth.min(1024) * 64),
            sent: 0,
            partial: Vec::new(),
            watches_write: false,
        }
    }

    /// Calls sent, or waiting to be, without a reply yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether requests wait for the socket.
    pub fn is_blocked(&self) -> bool {
        self.sent < self.out.len()
    }

    /// Queues one call; `since` is where its latency starts. [`Connection::flush`] sends it.
    pub fn call(&mut self, request: &Request, since: Instant) {
        let seq = self.next_seq;
        self.next_seq = seq.wrapping_add(1);
        request.write(&mut self.out, seq);
        self.in_flight.push_back(Call { seq, since });
    }

    /// Writes what it can of the queued requests.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.is_blocked() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }

    /// Reads once into the shared `buffer` and hands each whole reply, without its length prefix, to `reply` with the
    /// sequence id and the start of the call it must belong to. Fails when the server closed or broke the framing.
    pub fn on_readable(&mut self, buffer: &mut [u8], mut reply: impl FnMut(&[u8], u32, Instant)) -> io::Result<()> {
        let n = match self.stream.read(buffer) {
            Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")),
            Ok(n) => n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            Err(e) => return Err(e),
        };
        let mut bytes = &buffer[..n];
        let in_flight = &mut self.in_flight;
        let mut frame = |body: &[u8]| {
            let call = in_flight.pop_front().ok_or_else(|| invalid("a reply nobody asked for"))?;
            reply(body, call.seq, call.since);
            Ok::<_, io::Error>(())
        };
        if !self.partial.is_empty() {
            // Complete the frame that the last read cut, first its prefix and then its body.
            bytes = top_up(&mut self.partial, bytes, 4);
            if let Some(length) = frame_length(&self.partial)? {
                bytes = top_up(&mut self.partial, bytes, 4 + length);
                if self.partial.len() == 4 + length {
                    frame(&self.partial[4..])?;
                    self.partial.clear();
                }
            }
        }
        while let Some(length) = frame_length(bytes)? {
            let Some((whole, rest)) = bytes.split_at_checked(4 + length) else { break };
            frame(&whole[4..])?;
            bytes = rest;
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }
}

/// Moves bytes into `partial` until it holds `wanted`; gives back the rest.
fn top_up<'a>(partial: &mut Vec<u8>, bytes: &'a [u8], wanted: usize) -> &'a [u8] {
    let missing = wanted.saturating_sub(partial.len()).min(bytes.len());
    let (head, rest) = bytes.split_at(missing);
    partial.extend_from_slice(head);
    rest
}

/// The body length of the frame that starts `bytes`, once its prefix is there.
fn frame_length(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(prefix) = bytes.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes(*prefix) as usize;
    if length > LONGEST_FRAME {
        return Err(invalid("a reply does not start with a sane frame length; is the server framed?"));
    }
    Ok(Some(length))
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        request::Call as Method,
        wire::{Protocol, Transport, Wire},
    };
    use std::net::TcpListener;

    #[test]
    fn frames_cut_anywhere_come_out_whole() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let stream = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
        let (mut server, _) = listener.accept().expect("accept");
        server.set_nodelay(true).expect("nodelay");
        let mut bytes = Vec::new();
        let bodies: [&[u8]; 4] = [b"one", b"", b"three, longer than the shared buffer", b"4"];
        for body in bodies {
            bytes.extend((body.len() as u32).to_be_bytes());
            bytes.extend(body);
        }
        let wire = Wire { transport: Transport::Framed, protocol: Protocol::Binary };
        let request = Request { wire, call: Method::GetItem };
        for step in 1..bytes.len() {
            let mut connection = Connection::new(stream.try_clone().expect("clone"), 0, 4);
            bodies.iter().for_each(|_| connection.call(&request, Instant::now()));
            let mut got = Vec::new();
            for part in bytes.chunks(step) {
                server.write_all(part).expect("write");
                let mut left = part.len();
                while left > 0 {
                    let mut buffer = vec![0; left.min(9)];
                    left -= buffer.len();
                    // A read may come up short; the part is small enough that loopback hands it over at once.
                    connection.on_readable(&mut buffer, |body, _, _| got.push(body.to_vec())).expect("well framed");
                }
            }
            assert_eq!(got, bodies, "in steps of {step}");
            assert_eq!(connection.in_flight(), 0);
        }
    }
}
