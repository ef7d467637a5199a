//! The limit of a proxy on one core: frames of all connections go to the upstream over one connection and come back in order,
//! undecoded. Nothing is looked at but their lengths; who answers in order needs no sequence ids to be told whose an answer is.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    mem,
    net::{SocketAddr, TcpListener, TcpStream},
};

use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, Event, EventData, EventFlags},
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};

use crate::{Closed, LISTENER};

/// Token of the upstream's connection.
const UPSTREAM: u64 = LISTENER - 1;
/// Room for a read, in bytes.
const READ: usize = 64 * 1024;
/// Longest frame, length prefix included.
const LONGEST: usize = 64 * 1024 * 1024;
/// Bytes that wait for the upstream's socket before callers are no longer read.
const WAITING: usize = 1024 * 1024;

/// A socket, and bytes for it that it did not take yet.
struct End {
    stream: TcpStream,
    out: Vec<u8>,
    sent: usize,
    /// The socket took no more; an event tells when it does.
    is_full: bool,
    /// Events come once: there may be more to read, for reading stopped before there was nothing left.
    is_readable: bool,
}

impl End {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, out: Vec::new(), sent: 0, is_full: false, is_readable: false })
    }

    /// Reads once, behind what is in `buffer`. A short read says that there is no more.
    fn read(&mut self, buffer: &mut Vec<u8>) -> Result<(), Closed> {
        buffer.reserve(READ);
        let room = buffer.capacity() - buffer.len();
        match recv(&self.stream, spare_capacity(buffer), RecvFlags::empty()) {
            Ok((0, _)) => Err(Closed),
            Ok((n, _)) => {
                self.is_readable = n == room;
                Ok(())
            }
            Err(Errno::AGAIN) => {
                self.is_readable = false;
                Ok(())
            }
            Err(_) => Err(Closed),
        }
    }

    fn flush(&mut self) -> Result<(), Closed> {
        while self.sent < self.out.len() {
            match send(&self.stream, &self.out[self.sent..], SendFlags::NOSIGNAL) {
                Ok(n) => self.sent += n,
                Err(Errno::AGAIN) => {
                    self.is_full = true;
                    return Ok(());
                }
                Err(_) => return Err(Closed),
            }
        }
        self.out.clear();
        self.sent = 0;
        self.is_full = false;
        Ok(())
    }

    /// Bytes that wait for the socket.
    fn waiting(&self) -> usize {
        self.out.len() - self.sent
    }
}

/// A connection of somebody who calls.
struct Caller {
    end: End,
    /// The beginning of a frame.
    rest: Vec<u8>,
    /// Tells it from others that had its index before.
    number: u32,
    /// Listed in [`Forwarder::answered`].
    is_answered: bool,
}

/// Calls of one caller that stand one behind the other on the upstream's connection.
struct Run {
    index: usize,
    number: u32,
    calls: usize,
}

struct Forwarder {
    upstream: End,
    /// What was read of the upstream: answers, and then the beginning of one.
    answers: Vec<u8>,
    callers: Vec<Option<Caller>>,
    free: Vec<usize>,
    numbers: u32,
    /// Whose answers come next.
    runs: VecDeque<Run>,
    /// Callers with answers that no write has been tried for.
    answered: Vec<usize>,
    /// Callers that were not read, because too much waits for the upstream.
    held: Vec<usize>,
}

/// Listens and forwards until it is killed, or until the upstream ends the connection.
pub fn run(listener: &TcpListener, upstream: SocketAddr) -> io::Result<std::convert::Infallible> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let once = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
    epoll::add(&epoll, listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut forwarder = Forwarder::new(End::new(TcpStream::connect(upstream)?)?);
    epoll::add(&epoll, &forwarder.upstream.stream, EventData::new_u64(UPSTREAM), once)?;
    let mut events: Vec<Event> = Vec::with_capacity(1024);
    loop {
        events.clear();
        match epoll::wait(&epoll, spare_capacity(&mut events), None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            match event.data.u64() {
                LISTENER => {
                    let Ok((stream, _)) = listener.accept() else { continue };
                    let index = forwarder.add(End::new(stream)?);
                    if let Some(caller) = &forwarder.callers[index] {
                        epoll::add(&epoll, &caller.end.stream, EventData::new_u64(index as u64), once)?;
                    }
                }
                UPSTREAM => forwarder.on_upstream(event.flags).map_err(|Closed| ErrorKind::ConnectionReset)?,
                index => forwarder.on_caller(index as usize, event.flags),
            }
        }
        forwarder.end_turn().map_err(|Closed| ErrorKind::ConnectionReset)?;
    }
}

/// Does the event say that a read will tell something?
fn says_read(flags: EventFlags) -> bool {
    flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR)
}

impl Forwarder {
    fn new(upstream: End) -> Self {
        Self {
            upstream,
            answers: Vec::new(),
            callers: Vec::new(),
            free: Vec::new(),
            numbers: 0,
            runs: VecDeque::new(),
            answered: Vec::new(),
            held: Vec::new(),
        }
    }

    fn add(&mut self, end: End) -> usize {
        self.numbers = self.numbers.wrapping_add(1);
        let caller = Caller { end, rest: Vec::new(), number: self.numbers, is_answered: false };
        let index = self.free.pop().unwrap_or_else(|| {
            self.callers.push(None);
            self.callers.len() - 1
        });
        self.callers[index] = Some(caller);
        index
    }

    /// Answers to calls that are on their way reach nobody.
    fn remove(&mut self, index: usize) {
        self.callers[index] = None;
        self.free.push(index);
    }

    fn on_caller(&mut self, index: usize, flags: EventFlags) {
        let Some(caller) = self.callers[index].as_mut() else { return };
        if flags.contains(EventFlags::OUT) && caller.end.flush().is_err() {
            return self.remove(index);
        }
        caller.end.is_readable |= says_read(flags);
        self.read_caller(index);
    }

    /// Reads what a caller has to say, unless it takes no answers or the upstream no calls.
    fn read_caller(&mut self, index: usize) {
        loop {
            let Some(caller) = self.callers[index].as_mut() else { return };
            if !caller.end.is_readable || caller.end.is_full {
                return;
            }
            if self.upstream.waiting() > WAITING {
                self.held.push(index);
                return;
            }
            let Ok(calls) = caller.take(&mut self.upstream.out) else { return self.remove(index) };
            let number = caller.number;
            match self.runs.back_mut() {
                _ if calls == 0 => {}
                Some(run) if run.index == index && run.number == number => run.calls += calls,
                _ => self.runs.push_back(Run { index, number, calls }),
            }
        }
    }

    fn on_upstream(&mut self, flags: EventFlags) -> Result<(), Closed> {
        if flags.contains(EventFlags::OUT) {
            self.upstream.flush()?;
        }
        self.upstream.is_readable |= says_read(flags);
        while self.upstream.is_readable {
            self.upstream.read(&mut self.answers)?;
            self.give_answers()?;
        }
        Ok(())
    }

    /// Hands whole frames of the upstream to whom they belong to.
    fn give_answers(&mut self) -> Result<(), Closed> {
        let mut at = 0;
        while let Some(length) = frame(&self.answers[at..])? {
            let run = self.runs.front_mut().ok_or(Closed)?;
            let (index, number) = (run.index, run.number);
            run.calls -= 1;
            if run.calls == 0 {
                self.runs.pop_front();
            }
            if let Some(caller) = self.callers[index].as_mut().filter(|caller| caller.number == number) {
                caller.end.out.extend_from_slice(&self.answers[at..at + length]);
                if !mem::replace(&mut caller.is_answered, true) {
                    self.answered.push(index);
                }
            }
            at += length;
        }
        let rest = self.answers.len() - at;
        self.answers.copy_within(at.., 0);
        self.answers.truncate(rest);
        Ok(())
    }

    /// Writes, once a connection.
    fn end_turn(&mut self) -> Result<(), Closed> {
        self.upstream.flush()?;
        while !self.held.is_empty() && !self.upstream.is_full {
            for index in mem::take(&mut self.held) {
                self.read_caller(index);
            }
            self.upstream.flush()?;
        }
        for index in mem::take(&mut self.answered) {
            let Some(caller) = self.callers[index].as_mut() else { continue };
            caller.is_answered = false;
            if caller.end.flush().is_err() {
                self.remove(index);
            }
        }
        Ok(())
    }
}

impl Caller {
    /// Reads once and puts whole frames behind `out`; says how many there were.
    fn take(&mut self, out: &mut Vec<u8>) -> Result<usize, Closed> {
        if !self.rest.is_empty() {
            self.end.read(&mut self.rest)?;
            let (length, calls) = whole(&self.rest)?;
            out.extend(self.rest.drain(..length));
            return Ok(calls);
        }
        // Straight to where it is sent from: as a rule frames arrive whole.
        let start = out.len();
        self.end.read(out)?;
        let (length, calls) = whole(&out[start..])?;
        self.rest.extend_from_slice(&out[start + length..]);
        out.truncate(start + length);
        Ok(calls)
    }
}

/// Length of the frame that `bytes` begins with, prefix included, once all of it is there.
fn frame(bytes: &[u8]) -> Result<Option<usize>, Closed> {
    let Some(prefix) = bytes.first_chunk::<4>() else { return Ok(None) };
    let length = 4 + u32::from_be_bytes(*prefix) as usize;
    if length > LONGEST {
        return Err(Closed);
    }
    Ok((bytes.len() >= length).then_some(length))
}

/// Length and number of the whole frames that `bytes` begins with.
fn whole(bytes: &[u8]) -> Result<(usize, usize), Closed> {
    let (mut at, mut count) = (0, 0);
    while let Some(length) = frame(&bytes[at..])? {
        at += length;
        count += 1;
    }
    Ok((at, count))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        thread,
    };

    use super::*;

    fn of(text: &[u8]) -> Vec<u8> {
        [&(text.len() as u32).to_be_bytes()[..], text].concat()
    }

    #[test]
    fn frames() {
        let two = [of(b"ab"), of(b"")].concat();
        assert_eq!(whole(&two).ok(), Some((10, 2)));
        assert_eq!(whole(&two[..9]).ok(), Some((6, 1)));
        assert_eq!(whole(&[0, 0]).ok(), Some((0, 0)));
        assert!(whole(&[0xFF; 4]).is_err());
    }

    /// An upstream that gives back what comes, in pieces.
    fn upstream() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 1000];
            while let Ok(n) = stream.read(&mut buffer) {
                if n == 0 || stream.write_all(&buffer[..n]).is_err() {
                    return;
                }
            }
        });
        address
    }

    /// A forwarder, and where it listens.
    fn forwarder() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = upstream();
        thread::spawn(move || run(&listener, upstream));
        address
    }

    #[test]
    fn everybody_gets_what_belongs_to_it() {
        let address = forwarder();
        let callers: Vec<_> = (0..8u8)
            .map(|caller| {
                thread::spawn(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    for n in 0..50 {
                        let size = [0, 1, 100, 5000, 300_000][n % 5];
                        let sent = [of(&vec![caller; size]), of(&[caller])].concat();
                        // Broken off in the middle of a prefix.
                        stream.write_all(&sent[..3]).unwrap();
                        thread::yield_now();
                        stream.write_all(&sent[3..]).unwrap();
                        let mut back = vec![0; sent.len()];
                        stream.read_exact(&mut back).unwrap();
                        assert!(back == sent);
                    }
                    // The last one is not waited for.
                    stream.write_all(&of(&[caller])).unwrap();
                })
            })
            .collect();
        for caller in callers {
            caller.join().unwrap();
        }
    }

    #[test]
    fn more_than_sockets_take() {
        let address = forwarder();
        let callers: Vec<_> = (0..4u8)
            .map(|caller| {
                thread::spawn(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    let mut reader = stream.try_clone().unwrap();
                    let sent = of(&vec![caller; 100_000]).repeat(200);
                    let expected = sent.clone();
                    let reading = thread::spawn(move || {
                        let mut back = vec![0; expected.len()];
                        reader.read_exact(&mut back).unwrap();
                        assert!(back == expected);
                    });
                    stream.write_all(&sent).unwrap();
                    reading.join().unwrap();
                })
            })
            .collect();
        for caller in callers {
            caller.join().unwrap();
        }
    }
}
