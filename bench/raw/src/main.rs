//! The limit of one core: one thread, epoll, `recv`, `send`. Every GetItem request is answered from a template with
//! its sequence id and item id patched in. No decoding, no checks, no framework: a server in any language that answers
//! the same load at a fraction of this rate pays the rest for what it adds. With `--echo` every call's one argument goes back
//! instead, and with `--upstream` frames go to another server and back.
//!
//! `raw [--port P] [--content-size N | --echo | --upstream HOST:PORT]`; prints `listening on 127.0.0.1:PORT` and runs until it is killed.

use std::{
    io,
    net::{TcpListener, TcpStream},
    process::ExitCode,
    rc::Rc,
};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use crate::{
    args::Args,
    connection::{Connection, Shared},
};

mod args;
mod connection;
mod echo;
mod forward;
mod template;

/// Token of the listening socket; connections use their index.
const LISTENER: u64 = u64::MAX;

/// A connection that answers.
trait Serve {
    fn stream(&self) -> &TcpStream;

    /// Whether replies wait for the socket. While they do, nothing more is read.
    fn is_blocked(&self) -> bool;

    /// Whether the loop has this connection registered for writability.
    fn watches_write(&mut self) -> &mut bool;

    /// Reads once and answers every whole frame.
    fn on_readable(&mut self) -> Result<(), Closed>;

    /// Writes what it can of the waiting replies.
    fn flush(&mut self) -> Result<(), Closed>;
}

/// The peer is gone or broke the framing: drop the connection.
struct Closed;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(reason) => {
            eprintln!("raw: {reason}");
            return ExitCode::from(2);
        }
    };
    match listen(&args) {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("raw: {error}");
            ExitCode::FAILURE
        }
    }
}

fn listen(args: &Args) -> io::Result<std::convert::Infallible> {
    let listener = TcpListener::bind(("127.0.0.1", args.port))?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);

    if let Some(upstream) = args.upstream {
        return forward::run(&listener, upstream);
    }
    if args.echo {
        return serve(&listener, echo::Connection::new);
    }
    let template = match args.content_size {
        Some(size) => template::reply(&vec![b'x'; size]),
        None => template::reply(b"This is a Volo example"),
    };
    let shared = Rc::new(Shared::new(template));
    serve(&listener, |stream| Connection::new(stream, Rc::clone(&shared)))
}

fn serve<C: Serve>(listener: &TcpListener, new: impl Fn(TcpStream) -> C) -> io::Result<std::convert::Infallible> {
    let mut connections: Vec<Option<C>> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, listener, EventData::new_u64(LISTENER), EventFlags::IN)?;

    let mut events: Vec<Event> = Vec::with_capacity(1024);
    loop {
        events.clear();
        match epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let (token, flags) = (event.data.u64(), event.flags);
            if token == LISTENER {
                // One a turn is enough: the listener stays readable while others wait.
                let Ok((stream, _)) = listener.accept() else { continue };
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                let index = free.pop().unwrap_or_else(|| {
                    connections.push(None);
                    connections.len() - 1
                });
                epoll::add(&epoll, &stream, EventData::new_u64(index as u64), EventFlags::IN)?;
                connections[index] = Some(new(stream));
                continue;
            }
            let index = token as usize;
            let Some(connection) = connections[index].as_mut() else { continue };
            let mut result = Ok(());
            if flags.contains(EventFlags::OUT) {
                result = connection.flush();
            }
            if result.is_ok() && flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                result = connection.on_readable();
            }
            if result.is_err() {
                connections[index] = None;
                free.push(index);
            } else if connection.is_blocked() != *connection.watches_write() {
                *connection.watches_write() = connection.is_blocked();
                // While replies wait only writability matters, or a readable socket would spin this loop.
                let interest = if connection.is_blocked() { EventFlags::OUT } else { EventFlags::IN };
                epoll::modify(&epoll, connection.stream(), EventData::new_u64(token), interest)?;
            }
        }
    }
}
