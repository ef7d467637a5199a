//! A connection of a server or a client.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use h2::{Reason, client, server};
use http::{HeaderMap, Request, Response};

use crate::{
    Event, GoAway, Gone, Http2Options, StreamKey,
    closing::{Ended, put_go_away},
    header_list::request_size,
    pipe::{Pipe, PipeEnd, pipe},
    scan::{PREFACE, Scanner},
    sent::Sent,
    stream::{Finish, Stream},
    streams::Streams,
};

/// Bytes `h2` reads before streams are looked after, so that many small frames never pile up in it.
const SLICE: usize = 16 << 10;
/// Room for the first bytes of a connection, however full its output is.
const GREETING: usize = 1 << 10;

type ClientHandshake =
    dyn Future<Output = Result<(client::SendRequest<Bytes>, client::Connection<Pipe, Bytes>), h2::Error>> + Send;

enum State {
    ServerHandshake(Box<server::Handshake<Pipe, Bytes>>),
    Server(Box<server::Connection<Pipe, Bytes>>),
    ClientHandshake(Pin<Box<ClientHandshake>>),
    Client { connection: Box<client::Connection<Pipe, Bytes>>, requests: Option<client::SendRequest<Bytes>> },
    Closed,
}

/// Whether this side takes part in new streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goodbye {
    /// It does.
    None,
    /// It is to say that it does not, once hands are shaken.
    Wanted,
    Said,
}

/// One HTTP/2 connection whose streams carry messages.
///
/// 1. [`feed`](Self::feed) it what arrives;
/// 2. [`turn`](Self::turn) it while it [has input](Self::has_input) and room for output, taking what [happened](Self::next_event) after each turn;
/// 3. do something with its streams, and [`turn`](Self::turn) it once more if it is [touched](Self::is_touched): what is to be written then lies
///    in the output.
pub struct Connection {
    state: State,
    pipe: PipeEnd,
    scanner: Scanner,
    streams: Streams,
    options: Http2Options,
    max_message: usize,
    touched: bool,
    blocked: bool,
    /// While new requests wait until there is less output: bytes read meanwhile, which `h2` may hold.
    withheld: Option<usize>,
    ended: Option<Ended>,
    goodbye: Goodbye,
    /// Bytes have come.
    has_begun: bool,
    sent: Sent,
    pings: Option<h2::PingPong>,
    /// When the last bytes came.
    heard: Instant,
    /// When a PING was sent that is not answered.
    pinged: Option<Instant>,
}

impl Connection {
    /// A connection that a server has accepted; messages it receives may have `max_message` bytes.
    pub fn server(options: Http2Options, max_message: usize, now: Instant) -> Self {
        let (inside, outside) = pipe();
        let handshake = server::Builder::new()
            .max_concurrent_streams(options.max_concurrent_streams)
            .initial_window_size(options.stream_window)
            .initial_connection_window_size(options.connection_window)
            .max_frame_size(options.max_frame_size)
            .max_header_list_size(options.max_header_list_size)
            .max_send_buffer_size(options.max_send_buffer)
            .max_pending_accept_reset_streams(options.max_pending_resets)
            .max_local_error_reset_streams(Some(options.max_local_error_resets))
            .data_frame_budget(options.data_frame_budget)
            .handshake(inside);
        let scanner = Scanner::of_client(options.floods, now);
        Self::new(State::ServerHandshake(Box::new(handshake)), outside, scanner, options, max_message, now)
    }

    /// A connection that a client makes; messages it receives may have `max_message` bytes.
    pub fn client(options: Http2Options, max_message: usize, now: Instant) -> Self {
        let (inside, outside) = pipe();
        let mut builder = client::Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(options.stream_window)
            .initial_connection_window_size(options.connection_window)
            .max_frame_size(options.max_frame_size)
            .max_header_list_size(options.max_header_list_size)
            .max_send_buffer_size(options.max_send_buffer)
            .max_local_error_reset_streams(Some(options.max_local_error_resets))
            .data_frame_budget(options.data_frame_budget);
        let handshake = Box::pin(async move { builder.handshake(inside).await });
        let scanner = Scanner::of_server(options.floods, now);
        Self::new(State::ClientHandshake(handshake), outside, scanner, options, max_message, now)
    }

    fn new(
        state: State,
        pipe: PipeEnd,
        scanner: Scanner,
        options: Http2Options,
        max_message: usize,
        now: Instant,
    ) -> Self {
        let sent = Sent::new(if matches!(state, State::ClientHandshake(_)) { PREFACE } else { 0 });
        Self {
            state,
            pipe,
            scanner,
            streams: Streams::default(),
            options,
            max_message,
            touched: true,
            blocked: false,
            withheld: None,
            ended: None,
            goodbye: Goodbye::None,
            has_begun: false,
            sent,
            pings: None,
            heard: now,
            pinged: None,
        }
    }

    /// Bytes have arrived.
    pub fn feed(&mut self, bytes: Bytes, now: Instant) {
        if self.ended.is_some() {
            return;
        }
        self.heard = now;
        self.has_begun = true;
        self.scanner.has_calls = self.streams.len() > 0;
        if let Err(flood) = self.scanner.scan(&bytes, now) {
            self.ended = Some(Ended::Flood(flood));
            self.touched = true;
            return;
        }
        self.pipe.feed(bytes);
    }

    /// The peer sends no more bytes.
    pub fn end(&mut self) {
        self.pipe.end();
    }

    /// Is there anything to read that was fed?
    pub fn has_input(&self) -> bool {
        !matches!(self.state, State::Closed) && self.pipe.has_input()
    }

    /// Has something been done that a turn has to carry out?
    pub fn is_touched(&self) -> bool {
        self.touched
    }

    /// Has the peer sent anything?
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Does anything wait for room in the output?
    pub fn is_blocked(&self) -> bool {
        self.blocked || self.withheld.is_some()
    }

    /// Output has left: what waits for room goes on in the next turn.
    pub fn made_room(&mut self) {
        self.touched |= self.is_blocked();
    }

    /// Is so much output little enough to read again after reading has stopped?
    pub fn is_light(&self, unwritten: usize) -> bool {
        unwritten <= self.options.max_output / 2
    }

    /// Streams that are not over.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Memory that messages take which are incomplete, not wanted yet, or have not left, requests that are not looked at, and the records of
    /// streams.
    pub fn memory(&self) -> usize {
        self.streams.memory() + self.streams.records() + self.withheld.unwrap_or(0)
    }

    /// Gives back what streams have needed, if there is none now.
    pub fn shrink(&mut self) {
        self.streams.shrink();
        self.pipe.shrink();
    }

    /// The most headers the peer takes, if it has said so, as [`header_list_size`](crate::header_list_size) counts them.
    pub fn max_header_list(&self) -> Option<u32> {
        self.scanner.max_header_list
    }

    /// How the connection ended, once it has: close it when the output is written.
    pub fn ended(&self) -> Option<&Ended> {
        match self.state {
            State::Closed => self.ended.as_ref(),
            _ => None,
        }
    }

    /// Reads a slice of what was fed, if `read`, and appends what is to be written to `output`, of which `taken` bytes are under way elsewhere.
    /// False if it did not read although it was to: too much output waits.
    ///
    /// Reading goes on while output waits, or two ends that both have much to send would wait for each other. What is read then makes no output
    /// but acknowledgements: windows are not opened again, and new requests are not looked at.
    pub fn turn(&mut self, read: bool, output: &mut BytesMut, taken: usize) -> bool {
        self.touched = false;
        if let (Some(Ended::Flood(flood)), false) = (&self.ended, matches!(self.state, State::Closed)) {
            if !self.blocked {
                put_go_away(output, Reason::ENHANCE_YOUR_CALM, &flood.to_string());
            }
            let gone = Gone::lost(&flood.to_string());
            self.close(&gone);
            return true;
        }
        let greets = matches!(self.state, State::ServerHandshake(_) | State::ClientHandshake(_));
        let max_output = self.options.max_output;
        let room = max_output.saturating_sub(taken).max(if greets { GREETING } else { 0 });
        let allowed = if read { SLICE } else { 0 };
        let before = output.len();
        let accepts = before < room;
        let Self { state, pipe, streams, max_message, .. } = self;
        let mut pass = |output: &mut BytesMut, room| {
            pipe.with(allowed, output, room, || drive(state, streams, *max_message, accepts))
        };
        let (mut over, mut passed) = pass(output, room);
        if read && over.is_none() && passed.read == 0 && passed.blocked && output.len() + taken < 2 * max_output {
            // `h2` reads nothing more before it has acknowledged what it read. One write more makes room for that.
            let room = output.len() + 1;
            (over, passed) = pass(output, room);
        }
        self.blocked = passed.blocked;
        let withholds = !accepts && matches!(self.state, State::Server(_));
        self.withheld = withholds.then(|| self.withheld.unwrap_or(0) + passed.read);
        if self.goodbye == Goodbye::Wanted {
            self.go();
        }
        if self.sent.wrote(&output[before..]) {
            self.scanner.sent();
        }
        if let Some(error) = over {
            self.ended.get_or_insert_with(|| Ended::of(error.as_ref()));
            let gone = error.map_or_else(|| Gone::lost("the connection was closed"), |error| Gone::of(&error));
            self.close(&gone);
            return true;
        }
        if self.streams.pump_woken() {
            self.touched = true;
        }
        !read || passed.read > 0 || !self.pipe.has_input()
    }

    fn close(&mut self, gone: &Gone) {
        self.state = State::Closed;
        self.streams.lose(gone);
    }

    /// What has happened, in the order of each stream.
    pub fn next_event(&mut self) -> Option<Event> {
        let mut event = self.streams.next_event();
        // Told messages let the peer send more.
        self.touched |= event.is_some();
        if let (Some(Event::Gone(_, gone)), Some(goodbye)) = (&mut event, &self.scanner.go_away) {
            gone.unprocessed |= gone.stream > goodbye.last_stream;
            if gone.reason.is_none() {
                gone.text = format!("{}: {goodbye}", gone.text);
            }
        }
        event
    }

    /// Is there anything to tell?
    pub fn has_event(&self) -> bool {
        self.streams.has_event()
    }

    /// Sends a PING where the peer has been silent for long. False if it does not answer: the connection is lost. To be called now and then.
    ///
    /// # Arguments
    /// * `listens` - whether an answer would have been read. The time in which it would not does not count.
    pub fn keep_alive(&mut self, now: Instant, listens: bool) -> bool {
        let Some(keep_alive) = self.options.keep_alive else { return true };
        if let Some(since) = self.pinged {
            if !listens {
                self.pinged = Some(now);
                return true;
            }
            if self.heard < since {
                return now.duration_since(since) < keep_alive.timeout;
            }
            self.pinged = None;
            if let Some(pings) = &mut self.pings {
                // Makes room for the next one.
                let _ = pings.poll_pong(&mut Context::from_waker(Waker::noop()));
            }
        }
        let is_idle = self.streams.len() == 0 && !keep_alive.without_calls;
        if is_idle || now.duration_since(self.heard) < keep_alive.time.max(Duration::from_secs(1)) {
            return true;
        }
        if self.pings.is_none() {
            self.pings = match &mut self.state {
                State::Server(connection) => connection.ping_pong(),
                State::Client { connection, .. } => connection.ping_pong(),
                _ => None,
            };
        }
        if let Some(pings) = &mut self.pings {
            // It fails where an earlier one is still to be answered, which will do as well.
            let _ = pings.send_ping(h2::Ping::opaque());
            self.pinged = Some(now);
            self.touched = true;
        }
        true
    }

    fn change<T>(&mut self, stream: StreamKey, change: impl FnOnce(&mut Stream) -> T) -> Option<T> {
        self.touched = true;
        let result = change(self.streams.get_mut(stream)?);
        self.streams.settle(stream);
        Some(result)
    }

    /// Sends the head of the response; with `end` it is all of it. False if the stream has one already.
    pub fn respond(&mut self, stream: StreamKey, head: Response<()>, end: bool) -> bool {
        self.change(stream, |stream| stream.respond(head, end)).unwrap_or(false)
    }

    /// Sends a whole response. False if the stream has a head already.
    pub fn answer(&mut self, stream: StreamKey, head: Response<()>, message: Bytes, trailers: HeaderMap) -> bool {
        let answered = self.change(stream, |stream| stream.answer(head, message, trailers)).unwrap_or(false);
        self.streams.pump(stream);
        answered
    }

    /// Has the head of the response been sent?
    pub fn has_responded(&self, stream: StreamKey) -> bool {
        self.streams.get(stream).is_none_or(Stream::has_responded)
    }

    /// Where to append messages, framed, behind the head; none if the stream takes none.
    pub fn output(&mut self, stream: StreamKey) -> Option<&mut BytesMut> {
        self.touched = true;
        self.streams.get_mut(stream).filter(|stream| stream.can_send()).map(Stream::output)
    }

    /// Tells of so many messages, the last ones appended, with [`Event::Left`] when they have left.
    pub fn mark(&mut self, stream: StreamKey, messages: u32) {
        self.change(stream, |stream| stream.mark(messages));
    }

    /// Hands on what was appended, as far as the peer takes it. To be called once a turn for each stream with new messages.
    pub fn flush(&mut self, stream: StreamKey) {
        self.touched = true;
        self.streams.pump(stream);
    }

    /// Ends a response behind its messages.
    pub fn finish(&mut self, stream: StreamKey, trailers: HeaderMap) {
        self.change(stream, |stream| stream.finish(Finish::Trailers(trailers)));
        self.streams.pump(stream);
    }

    /// Throws away what the peer sends on a stream from now on.
    pub fn ignore(&mut self, stream: StreamKey) {
        self.change(stream, Stream::ignore);
    }

    /// Ends a stream at once. Nothing more is told of it.
    pub fn reset(&mut self, stream: StreamKey, reason: Reason) {
        self.change(stream, |stream| stream.reset(reason));
    }

    /// Holds the messages of a stream back, or lets them come again. What is held back is not read from the peer beyond the stream's window.
    pub fn pause(&mut self, stream: StreamKey, paused: bool) {
        self.change(stream, |stream| stream.paused = paused);
    }

    /// Bytes of a stream that have not left.
    pub fn waiting(&self, stream: StreamKey) -> usize {
        self.streams.get(stream).map_or(0, Stream::waiting)
    }

    /// Says goodbye, once hands are shaken: no new streams, and the end when those there are are over.
    pub fn shut_down(&mut self) {
        self.touched = true;
        if self.goodbye == Goodbye::None {
            self.goodbye = Goodbye::Wanted;
            self.go();
        }
    }

    /// Carries a goodbye out, as soon as that is possible.
    fn go(&mut self) {
        match &mut self.state {
            State::Server(connection) => connection.graceful_shutdown(),
            State::Client { requests, .. } => *requests = None,
            // Before hands are shaken there is nothing that a goodbye could end.
            State::ServerHandshake(_) | State::ClientHandshake(_) | State::Closed => return,
        }
        self.goodbye = Goodbye::Said;
        self.touched = true;
    }

    /// Are the peer's settings known?
    pub fn is_ready(&self) -> bool {
        self.scanner.has_settings
    }

    /// Has either side said goodbye, or is the connection over?
    pub fn is_leaving(&self) -> bool {
        self.goodbye != Goodbye::None || self.scanner.go_away.is_some() || self.ended.is_some()
    }

    /// Does this side still send on a stream?
    pub fn is_sending(&self, stream: StreamKey) -> bool {
        self.streams.get(stream).is_some_and(Stream::is_sending)
    }

    /// May a client begin a stream now? It may once the server's settings are known, and as long as there are fewer than the server takes.
    pub fn can_open(&mut self) -> bool {
        match &mut self.state {
            State::Client { connection, requests: Some(requests) } => {
                self.scanner.has_settings
                    && self.scanner.go_away.is_none()
                    && self.streams.len() < connection.max_concurrent_send_streams()
                    // A stream that was reset counts until its RST_STREAM is written: the next one waits in `h2` then, which takes one such.
                    && match requests.poll_ready(&mut Context::from_waker(Waker::noop())) {
                        Poll::Ready(Ok(())) => true,
                        Poll::Pending => false,
                        Poll::Ready(Err(_)) => {
                            // Its numbers for streams are used up, or it is about to end.
                            self.goodbye = Goodbye::Said;
                            false
                        }
                    }
            }
            _ => false,
        }
    }

    /// Begins a stream of a client with these bytes; with `end` they are all that is sent. Nothing of it is sent on an error.
    ///
    /// # Errors
    /// See [`NotOpened`].
    pub fn open(&mut self, head: Request<()>, body: Bytes, end: bool) -> Result<StreamKey, NotOpened> {
        if let Some(most) = self.scanner.max_header_list {
            let size = request_size(&head);
            if size > most as usize {
                return Err(NotOpened::TooLarge { size, most });
            }
        }
        let State::Client { requests: Some(requests), .. } = &mut self.state else { return Err(NotOpened::Closed) };
        let (response, send) = requests.send_request(head, false).map_err(|error| {
            if error.is_io() || error.reason().is_some() {
                NotOpened::Closed
            } else {
                NotOpened::Wrong(error.to_string())
            }
        })?;
        self.touched = true;
        let mut stream = Stream::of_client(self.max_message, response, send);
        stream.begin(body, end);
        Ok(self.streams.insert(stream))
    }

    /// Ends what this side sends behind what was appended, without trailers: a client's request.
    pub fn finish_request(&mut self, stream: StreamKey) {
        self.change(stream, |stream| stream.finish(Finish::EndStream));
        self.streams.pump(stream);
    }

    /// What the peer said when it said goodbye.
    pub fn go_away(&self) -> Option<&GoAway> {
        self.scanner.go_away.as_ref()
    }
}

/// Why a stream was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The connection takes no more streams; another one may.
    #[error("the connection is closed")]
    Closed,
    /// The peer does not take so many headers.
    #[error("the metadata of the request take {size} bytes as HTTP/2 counts them, the server takes {most}")]
    TooLarge {
        /// Bytes there are.
        size: usize,
        /// Bytes the peer takes.
        most: u32,
    },
    /// It is no request of HTTP/2.
    #[error("{0}")]
    Wrong(String),
}

#[allow(clippy::option_option)] // the end may have no error
/// Turns `h2`. The end of the connection, with its error, if that has come. Requests that it does not accept stay in `h2`.
fn drive(state: &mut State, streams: &mut Streams, max_message: usize, accepts: bool) -> Option<Option<h2::Error>> {
    // The connection is turned whenever there is a reason to; nobody has to wake it.
    let mut cx = Context::from_waker(Waker::noop());
    match state {
        State::ServerHandshake(handshake) => match Pin::new(&mut **handshake).poll(&mut cx) {
            Poll::Pending => return None,
            Poll::Ready(Ok(connection)) => *state = State::Server(Box::new(connection)),
            Poll::Ready(Err(error)) => return Some(Some(error)),
        },
        State::ClientHandshake(handshake) => match handshake.as_mut().poll(&mut cx) {
            Poll::Pending => return None,
            Poll::Ready(Ok((requests, connection))) => {
                *state = State::Client { connection: Box::new(connection), requests: Some(requests) };
            }
            Poll::Ready(Err(error)) => return Some(Some(error)),
        },
        _ => {}
    }
    match state {
        State::Server(connection) if !accepts => match connection.poll_closed(&mut cx) {
            Poll::Pending => None,
            Poll::Ready(Ok(())) => Some(None),
            Poll::Ready(Err(error)) => Some(Some(error)),
        },
        State::Server(connection) => loop {
            match connection.poll_accept(&mut cx) {
                Poll::Pending => return None,
                Poll::Ready(None) => return Some(None),
                Poll::Ready(Some(Err(error))) => return Some(Some(error)),
                Poll::Ready(Some(Ok((request, respond)))) => {
                    streams.insert(Stream::of_server(max_message, request, respond));
                }
            }
        },
        State::Client { connection, .. } => match Pin::new(&mut **connection).poll(&mut cx) {
            Poll::Pending => None,
            Poll::Ready(Ok(())) => Some(None),
            Poll::Ready(Err(error)) => Some(Some(error)),
        },
        _ => Some(None),
    }
}
