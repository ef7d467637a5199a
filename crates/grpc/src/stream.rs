//! One stream: what has come of it and was not told yet, what is to go and has not gone.

use std::{
    collections::VecDeque,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use h2::{Reason, RecvStream, SendStream, client::ResponseFuture, server::SendResponse};
use http::{HeaderMap, Request, Response};

use crate::{Assembler, FrameError, RawMessage};

/// A message up to this size is handed to `h2` whether or not the peer takes it now.
const AT_ONCE: usize = 16 << 10;

/// Names a stream of one connection until it is over. Keys are used again.
pub type StreamKey = u32;

/// Why a stream ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Code of the `RST_STREAM`; none if the connection was lost, or either side gave it up.
    pub reason: Option<Reason>,
    /// Its number on the wire.
    pub stream: u32,
    /// The peer says that it has not looked at the request.
    pub unprocessed: bool,
    /// In words.
    pub text: String,
}

impl Gone {
    pub(crate) fn of(error: &h2::Error) -> Self {
        let reason = if error.is_io() || error.is_go_away() { None } else { error.reason() };
        let unprocessed = error.is_remote() && error.is_reset() && reason == Some(Reason::REFUSED_STREAM);
        Self { reason, stream: 0, unprocessed, text: error.to_string() }
    }

    pub(crate) fn lost(why: &str) -> Self {
        Self { reason: None, stream: 0, unprocessed: false, text: why.to_owned() }
    }
}

/// What happened on a connection.
#[derive(Debug)]
pub enum Event {
    /// A stream has begun: a server's.
    Request(StreamKey, Request<()>),
    /// The response has begun: a client's.
    Response(StreamKey, Response<()>),
    /// A message.
    Message(StreamKey, RawMessage),
    /// The peer has sent all; with its trailers, empty if there were none.
    End(StreamKey, HeaderMap),
    /// What the peer sends cannot be cut into messages; nothing more of it comes.
    Failed(StreamKey, FrameError),
    /// So many messages have left since this was last told, see [`mark`](crate::Connection::mark).
    Left(StreamKey, u32),
    /// The stream is over, and its key free.
    Gone(StreamKey, Gone),
}

#[derive(Debug)]
enum Incoming {
    Open,
    /// All has come; the trailers are still to be told.
    Ended(HeaderMap),
    /// All is told.
    Over,
}

/// How this side's part ends.
#[derive(Debug)]
pub(crate) enum Finish {
    Trailers(HeaderMap),
    EndStream,
}

pub(crate) enum Head {
    None,
    Request(Request<()>),
    Response(Response<()>),
}

pub(crate) struct Stream {
    id: u32,
    /// Of a server's, until the head is sent.
    respond: Option<SendResponse<Bytes>>,
    /// Of a client's, until the head has come.
    response: Option<ResponseFuture>,
    send: Option<SendStream<Bytes>>,
    recv: Option<RecvStream>,
    head: Head,
    assembler: Assembler,
    /// Received bytes that the peer was not told it may send again.
    held: usize,
    incoming: Incoming,
    gone: Option<Gone>,
    /// Bytes that go before `out`.
    first: Bytes,
    /// Framed messages that have not left.
    out: BytesMut,
    finish: Option<Finish>,
    /// Bytes that have left.
    handed: u64,
    /// Where messages to be told of end, and how many.
    marks: VecDeque<(u64, u32)>,
    left: u32,
    pub(crate) paused: bool,
    /// What it was counted for.
    pub(crate) counted: usize,
    /// It stands in the list of those with something to tell.
    pub(crate) listed: bool,
}

impl Stream {
    fn new(limit: usize) -> Self {
        Self {
            id: 0,
            respond: None,
            response: None,
            send: None,
            recv: None,
            head: Head::None,
            assembler: Assembler::new(limit),
            held: 0,
            incoming: Incoming::Open,
            gone: None,
            first: Bytes::new(),
            out: BytesMut::new(),
            finish: None,
            handed: 0,
            marks: VecDeque::new(),
            left: 0,
            paused: false,
            counted: 0,
            listed: false,
        }
    }

    pub(crate) fn of_server(limit: usize, request: Request<RecvStream>, respond: SendResponse<Bytes>) -> Self {
        let (head, recv) = request.into_parts();
        let mut stream = Self::new(limit);
        stream.id = respond.stream_id().as_u32();
        stream.respond = Some(respond);
        stream.recv = Some(recv);
        stream.head = Head::Request(Request::from_parts(head, ()));
        stream
    }

    pub(crate) fn of_client(limit: usize, response: ResponseFuture, send: SendStream<Bytes>) -> Self {
        let mut stream = Self::new(limit);
        stream.id = response.stream_id().as_u32();
        stream.response = Some(response);
        stream.send = Some(send);
        stream
    }

    /// Is there anything to tell?
    pub(crate) fn has_event(&self) -> bool {
        !matches!(self.head, Head::None)
            || self.gone.is_some()
            || self.left > 0
            || match &self.incoming {
                Incoming::Over => false,
                Incoming::Open => !self.paused && !matches!(self.assembler.complete(), Ok(None)),
                Incoming::Ended(_) => !self.paused || self.assembler.is_empty(),
            }
    }

    /// Nothing more will happen: all is told, and all has left.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.incoming, Incoming::Over)
            && matches!(self.head, Head::None)
            && self.respond.is_none()
            && self.send.is_none()
            && self.gone.is_none()
            && self.left == 0
    }

    /// The next thing to tell.
    pub(crate) fn next_event(&mut self, key: StreamKey) -> Option<Event> {
        match mem::replace(&mut self.head, Head::None) {
            Head::None => {}
            Head::Request(head) => return Some(Event::Request(key, head)),
            Head::Response(head) => return Some(Event::Response(key, head)),
        }
        if self.left > 0 && self.gone.is_none() {
            return Some(Event::Left(key, mem::take(&mut self.left)));
        }
        if self.gone.as_ref().is_some_and(|_| !self.can_still_be_read()) {
            return self.gone.take().map(|gone| Event::Gone(key, gone));
        }
        if matches!(self.incoming, Incoming::Over) || self.paused {
            return None;
        }
        match self.assembler.take() {
            Ok(Some(message)) => {
                self.release((message.body.len() + crate::PREFIX).min(self.held));
                return Some(Event::Message(key, message));
            }
            Ok(None) => {}
            Err(error) => {
                self.stop_reading();
                return Some(Event::Failed(key, error));
            }
        }
        match mem::replace(&mut self.incoming, Incoming::Over) {
            Incoming::Ended(_) if !self.assembler.is_empty() => {
                self.assembler.clear();
                Some(Event::Failed(key, FrameError::Truncated))
            }
            Incoming::Ended(trailers) => Some(Event::End(key, trailers)),
            Incoming::Open => {
                self.incoming = Incoming::Open;
                None
            }
            Incoming::Over => None,
        }
    }

    /// A client's stream that was reset after all of the response had come has been answered.
    fn can_still_be_read(&self) -> bool {
        matches!(self.incoming, Incoming::Ended(_))
    }

    fn stop_reading(&mut self) {
        self.incoming = Incoming::Over;
        self.assembler.clear();
        self.recv = None;
    }

    fn release(&mut self, count: usize) {
        self.held -= count;
        if count > 0
            && let Some(recv) = &mut self.recv
        {
            // Fails only where more is released than was received.
            let _ = recv.flow_control().release_capacity(count);
        }
    }

    /// Sees what `h2` has for this stream, and gives it what it takes.
    pub(crate) fn pump(&mut self, waker: &Waker) {
        let mut cx = Context::from_waker(waker);
        self.pump_in(&mut cx);
        if self.gone.is_none() {
            self.pump_out(&mut cx);
        }
    }

    fn pump_in(&mut self, cx: &mut Context<'_>) {
        if let Some(response) = &mut self.response {
            match Pin::new(response).poll(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(head)) => {
                    let (head, recv) = head.into_parts();
                    self.head = Head::Response(Response::from_parts(head, ()));
                    self.recv = Some(recv);
                    self.response = None;
                }
                Poll::Ready(Err(error)) => {
                    self.response = None;
                    return self.lose(Gone::of(&error));
                }
            }
        }
        if !matches!(self.incoming, Incoming::Open) {
            return;
        }
        let Some(recv) = &mut self.recv else { return };
        let end = loop {
            match recv.poll_data(cx) {
                Poll::Ready(Some(Ok(data))) => {
                    self.held += data.len();
                    self.assembler.push(data);
                }
                Poll::Ready(Some(Err(error))) => break Some(Err(error)),
                Poll::Ready(None) => match recv.poll_trailers(cx) {
                    Poll::Ready(Ok(trailers)) => break Some(Ok(trailers.unwrap_or_default())),
                    Poll::Ready(Err(error)) => break Some(Err(error)),
                    Poll::Pending => break None,
                },
                Poll::Pending => break None,
            }
        };
        match end {
            None => {
                // A message may be larger than the window: what is incomplete must not stop its own rest.
                if self.held > 0 && matches!(self.assembler.complete(), Ok(None)) {
                    self.release(self.held);
                }
            }
            Some(Ok(trailers)) => {
                self.incoming = Incoming::Ended(trailers);
                self.release(self.held);
                self.recv = None;
            }
            Some(Err(error)) => self.lose(Gone::of(&error)),
        }
    }

    fn pump_out(&mut self, cx: &mut Context<'_>) {
        let reset = match (&mut self.send, &mut self.respond) {
            (Some(send), _) => send.poll_reset(cx),
            (None, Some(respond)) => respond.poll_reset(cx),
            (None, None) => return,
        };
        match reset {
            Poll::Pending => {}
            Poll::Ready(Ok(reason)) => return self.lose(Gone::of(&reason.into())),
            Poll::Ready(Err(error)) => return self.lose(Gone::of(&error)),
        }
        let Some(send) = &mut self.send else { return };
        while !self.first.is_empty() || !self.out.is_empty() {
            if self.first.is_empty() {
                self.first = mem::take(&mut self.out).freeze();
            }
            send.reserve_capacity(self.first.len());
            let count = send.capacity().min(self.first.len());
            if count == 0 {
                break;
            }
            let data = self.first.split_to(count);
            let all = self.first.is_empty() && self.out.is_empty();
            let last = all && matches!(self.finish, Some(Finish::EndStream));
            if let Err(error) = send.send_data(data, last) {
                return self.lose(Gone::of(&error));
            }
            self.handed += count as u64;
            if last {
                self.finish = None;
                self.send = None;
                break;
            }
        }
        while let Some(&(_, messages)) = self.marks.front().filter(|(at, _)| *at <= self.handed) {
            self.left += messages;
            self.marks.pop_front();
        }
        if self.waiting() > 0 {
            return;
        }
        let Some(send) = &mut self.send else { return };
        let sent = match self.finish.take() {
            None => return,
            Some(Finish::Trailers(trailers)) => send.send_trailers(trailers),
            Some(Finish::EndStream) => send.send_data(Bytes::new(), true),
        };
        self.send = None;
        if let Err(error) = sent {
            self.lose(Gone::of(&error));
        }
    }

    /// The stream is over for this side, too.
    pub(crate) fn lose(&mut self, gone: Gone) {
        self.respond = None;
        self.response = None;
        self.send = None;
        self.recv = None;
        self.first = Bytes::new();
        self.out = BytesMut::new();
        self.finish = None;
        self.marks.clear();
        if !self.can_still_be_read() {
            self.assembler.clear();
            self.incoming = Incoming::Over;
        }
        if self.gone.is_none() {
            self.gone = Some(Gone { stream: self.id, ..gone });
        }
    }

    /// Ends it with `RST_STREAM`. Nothing more is told of it.
    pub(crate) fn reset(&mut self, reason: Reason) {
        if let Some(respond) = &mut self.respond {
            respond.send_reset(reason);
        } else if let Some(send) = &mut self.send {
            send.send_reset(reason);
        }
        self.respond = None;
        self.response = None;
        self.send = None;
        self.recv = None;
        self.head = Head::None;
        self.assembler.clear();
        self.incoming = Incoming::Over;
        self.gone = None;
        self.left = 0;
    }

    /// Sends a server's head. False if that is not possible (any more).
    pub(crate) fn respond(&mut self, head: Response<()>, end: bool) -> bool {
        let Some(mut respond) = self.respond.take() else { return false };
        match respond.send_response(head, end) {
            Ok(send) => {
                self.send = (!end).then_some(send);
                true
            }
            Err(error) => {
                self.lose(Gone::of(&error));
                false
            }
        }
    }

    /// The whole of an answer, at once.
    pub(crate) fn answer(&mut self, head: Response<()>, message: Bytes, trailers: HeaderMap) -> bool {
        if !self.respond(head, false) {
            return false;
        }
        if message.len() > AT_ONCE {
            // What the peer does not take yet stays here, where it is counted.
            self.first = message;
            self.finish = Some(Finish::Trailers(trailers));
            return true;
        }
        let Some(mut send) = self.send.take() else { return false };
        let sent = send.send_data(message, false).and_then(|()| send.send_trailers(trailers));
        if let Err(error) = &sent {
            self.lose(Gone::of(error));
        }
        sent.is_ok()
    }

    /// Bytes that go first, before anything was appended.
    pub(crate) fn begin(&mut self, body: Bytes, end: bool) {
        self.first = body;
        self.finish = end.then_some(Finish::EndStream);
    }

    /// Where messages are to be appended, framed.
    pub(crate) fn output(&mut self) -> &mut BytesMut {
        &mut self.out
    }

    /// `messages` messages have been appended since the last mark; to be told when they have left.
    pub(crate) fn mark(&mut self, messages: u32) {
        let end = self.handed + self.waiting() as u64;
        self.marks.push_back((end, messages));
    }

    pub(crate) fn finish(&mut self, finish: Finish) {
        self.finish = Some(finish);
    }

    pub(crate) fn can_send(&self) -> bool {
        self.send.is_some() && self.finish.is_none()
    }

    pub(crate) fn is_sending(&self) -> bool {
        self.send.is_some()
    }

    pub(crate) fn has_responded(&self) -> bool {
        self.respond.is_none()
    }

    /// Memory its messages take.
    pub(crate) fn memory(&self) -> usize {
        self.assembler.memory() + self.out.capacity() + self.first.len()
    }

    /// Bytes that wait here to be sent.
    pub(crate) fn waiting(&self) -> usize {
        self.first.len() + self.out.len()
    }

    /// Stops listening to the peer: what it still sends is thrown away.
    pub(crate) fn ignore(&mut self) {
        self.stop_reading();
    }
}
