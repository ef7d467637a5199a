//! gRPC's calling side: calls from the tape to streams, responses to the tape.

use std::{
    mem,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use volo_js_grpc::{
    ACCEPT_ENCODING, CONTENT_TYPE, Code, Encoding, Event, FrameError, GoAway, Gone, KeepAlive, NotOpened, RawMessage,
    Reason, StreamKey, code_of_http, code_of_reset, encoding_of,
    http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, header},
    is_grpc, read_metadata, status_of, write_metadata, write_timeout,
};
use volo_js_protobuf::DecodeError;
use volo_js_tape::{Full, InTape, Kind, Malformed, OutMessage, OutTape};

use crate::{
    Address, ConnectionId, Connectivity, Engine, FailureCode, GrpcClientSetup, Sent,
    backoff::Backoff,
    calls::CallId,
    client::State,
    credit::Credit,
    grpc_message::{self, FLAG_CREDIT, encoding_of_flags, plain, put_encoding, put_message_of_stream},
    grpc_server::header,
    owners::Owner,
};

/// A flag of a REQUEST: rather wait than fail while there is no connection.
const FLAG_WAIT_FOR_READY: u32 = 4;
/// A flag of a REQUEST: the initial metadata are wanted as soon as they come, also where one response follows.
const FLAG_HEADERS_EARLY: u32 = 64;
/// Bytes of a call's messages that are kept, so that it can be made again if the server has not looked at it.
const REPEATABLE: usize = 64 << 10;
/// What a server says that gets more PINGs than it takes. gRPC proposal A8.
const TOO_MANY_PINGS: &[u8] = b"too_many_pings";

/// The gRPC of a client.
#[derive(Debug)]
pub(crate) struct GrpcClient {
    pub setup: GrpcClientSetup,
    /// Where each method is called, or why no request can be made.
    targets: Result<Vec<Uri>, String>,
    user_agent: HeaderValue,
    pub backoff: Backoff,
    /// How the next connections find out that their peer is gone.
    pub keep_alive: Option<KeepAlive>,
    /// Why the last connection could not be made.
    pub trouble: String,
}

impl GrpcClient {
    pub(crate) fn new(setup: GrpcClientSetup) -> Self {
        let scheme = if setup.secure { "https" } else { "http" };
        let target =
            |path: &str| Uri::builder().scheme(scheme).authority(setup.authority.as_str()).path_and_query(path).build();
        let targets = setup.program.methods().iter().map(|method| target(&method.path)).collect::<Result<_, _>>();
        Self {
            targets: targets.map_err(|error| format!("{:?} is no authority: {error}", setup.authority)),
            user_agent: HeaderValue::from_str(&setup.user_agent).unwrap_or(HeaderValue::from_static("volo-js")),
            backoff: Backoff::new(setup.backoff),
            keep_alive: setup.options.http2.keep_alive,
            trouble: String::new(),
            setup,
        }
    }
}

/// A call of a client, from REQUEST to its end.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct ClientStream {
    pub call: CallId,
    method: u32,
    /// What the stream began with, framed. Kept, for a peer may refuse the stream without having looked at it.
    first: Bytes,
    /// Further messages: all while there is no stream, then as many as are kept.
    more: BytesMut,
    /// What went to the stream is not kept (any more): it cannot be made again.
    is_committed: bool,
    half_closed: bool,
    /// Bytes its connection had to write before its first.
    begins_at: u64,
    wants_headers: bool,
    metadata: Vec<u8>,
    /// How its requests are compressed.
    encoding: Option<Encoding>,
    deadline: Option<Instant>,
    pub waits_for_ready: bool,
    was_retried: bool,
    /// Messages since the last that was marked.
    unmarked: u32,
    /// Marked messages of which JavaScript was not told that they have left.
    marked: u32,
    credit: Credit,
    /// Initial metadata, once it has come; empty again when it was told.
    headers: Option<Vec<u8>>,
    /// How its responses are compressed.
    received_encoding: Option<Encoding>,
    /// The status of a response that is nothing else.
    status: Option<(i32, String)>,
    /// The one message of a call that streams no responses.
    message: Option<Bytes>,
}

impl ClientStream {
    /// Keeps a message that went to the stream, while that is worth while.
    fn keep(&mut self, message: &[u8]) {
        if self.is_committed {
            return;
        }
        if self.first.len() + self.more.len() + message.len() > REPEATABLE {
            self.commit();
        } else {
            self.more.extend_from_slice(message);
        }
    }

    /// It will not be made again.
    fn commit(&mut self) {
        self.is_committed = true;
        self.first = Bytes::new();
        self.more = BytesMut::new();
    }
}

/// How a call ended without a status of the peer's.
struct Failed(Code, String);

impl Engine {
    // ---- from JavaScript ----

    /// A call from JavaScript.
    pub(crate) fn call_grpc(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) -> Result<(), Malformed> {
        let (owner, method, body) = (message.header.owner, message.header.method, message.body);
        self.client_calls.begin(id, owner, method);
        let client = match self.owners.get_mut(owner as usize) {
            Some(Owner::Client(client)) if client.closing.is_none() => client,
            _ => {
                self.fail(id, owner, FailureCode::Unavailable, Sent::No, "the client is closed".to_owned());
                return Ok(());
            }
        };
        client.counters.calls.add(1);
        client.counters.in_flight.add(1);
        let Some(grpc) = &client.grpc else {
            self.fail_before(id, owner, "a call of gRPC on a client of another protocol".to_owned());
            return Ok(());
        };
        let Some(signature) = grpc.setup.program.methods().get(method as usize) else {
            self.fail_before(id, owner, format!("there is no method number {method}"));
            return Ok(());
        };
        let (flags, timeout) = (tape.high(body)? as u32, tape.f64(body + 1)?);
        let encoding = encoding_of_flags(flags, grpc.setup.options.encoding);
        let metadata = tape.str(body + 2)?.to_bytes().into_owned();
        let brings_message = !signature.client_streaming || tape.i32(body)? != 0;
        let first = if brings_message {
            match self.encoder.encode(&grpc.setup.program, signature.args, tape, body, encoding) {
                Ok(first) => first,
                Err(error) => {
                    self.fail_before(id, owner, error);
                    return Ok(());
                }
            }
        } else {
            Bytes::new()
        };
        let is_marked = brings_message && flags & FLAG_CREDIT != 0;
        let record = ClientStream {
            call: id,
            method,
            first,
            more: BytesMut::new(),
            is_committed: false,
            begins_at: 0,
            wants_headers: flags & FLAG_HEADERS_EARLY != 0,
            half_closed: !signature.client_streaming,
            metadata,
            encoding,
            deadline: Duration::try_from_secs_f64(timeout / 1e3)
                .ok()
                .filter(|time| !time.is_zero())
                .and_then(|time| self.now.checked_add(time)),
            waits_for_ready: flags & FLAG_WAIT_FOR_READY != 0,
            was_retried: false,
            unmarked: u32::from(brings_message && !is_marked),
            marked: u32::from(is_marked),
            credit: Credit::default(),
            headers: None,
            received_encoding: None,
            status: None,
            message: None,
        };
        self.client_calls.hold(id, Box::new(record));
        client.waiting.push_back(id.slot);
        self.pump(owner);
        Ok(())
    }

    /// A call that cannot be made.
    fn fail_before(&mut self, id: CallId, owner: u32, why: String) {
        self.fail_unsent(id, owner, FailureCode::Internal, why);
    }

    fn fail_unsent(&mut self, id: CallId, owner: u32, code: FailureCode, why: String) {
        self.count_failure(owner);
        self.fail(id, owner, code, Sent::No, why);
    }

    /// What follows a REQUEST.
    pub(crate) fn go_on_grpc(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) -> Result<(), Malformed> {
        let body = message.body;
        let Some(Owner::Client(client)) = self.owners.get(message.header.owner as usize) else { return Ok(()) };
        let Some(grpc) = &client.grpc else { return Ok(()) };
        let Some(call) = self.client_calls.get_mut(id) else { return Ok(()) };
        let index = grpc.setup.program.method(call.method).args;
        let State::Sent(connection) = call.state else {
            let Some(record) = &mut call.grpc else { return Ok(()) };
            let encoding = record.encoding;
            match message.header.kind {
                Kind::StreamMessage => {
                    match self.encoder.append(&grpc.setup.program, index, tape, body, encoding, &mut record.more) {
                        Ok(flags) => {
                            record.unmarked += 1;
                            if flags & FLAG_CREDIT != 0 {
                                record.marked += mem::take(&mut record.unmarked);
                            }
                        }
                        Err(error) => {
                            let owner = call.owner;
                            self.forget_waiting(id, owner);
                            self.fail_before(id, owner, error);
                        }
                    }
                }
                Kind::StreamEnd => record.half_closed = true,
                _ => {}
            }
            return Ok(());
        };
        let stream = call.stream;
        let Some(http2) =
            self.connections.get_mut(connection as usize).and_then(|connection| connection.http2.as_deref_mut())
        else {
            return Ok(());
        };
        let Some(record) = http2.made.get_mut(stream) else { return Ok(()) };
        match message.header.kind {
            Kind::StreamMessage => {
                if let Some(out) = http2.link.output(stream) {
                    let before = out.len();
                    match self.encoder.append(&grpc.setup.program, index, tape, body, record.encoding, out) {
                        Ok(flags) => {
                            record.keep(&out[before..]);
                            record.unmarked += 1;
                            if flags & FLAG_CREDIT != 0 {
                                record.marked += record.unmarked;
                                http2.link.mark(stream, mem::take(&mut record.unmarked));
                            }
                            http2.unflushed(stream);
                        }
                        Err(error) => self.break_off(connection, stream, Failed(Code::Internal, error), Sent::Maybe),
                    }
                }
            }
            Kind::StreamEnd => {
                record.half_closed = true;
                http2.unflushed(stream);
                http2.link.finish_request(stream);
            }
            _ => {
                record.credit.answered(tape.i32(body)?.max(0) as u32);
                if !record.credit.is_used_up() {
                    http2.link.pause(stream, false);
                    if http2.has_input() {
                        self.enlist(connection);
                    }
                }
            }
        }
        self.touch(connection);
        Ok(())
    }

    fn forget_waiting(&mut self, id: CallId, owner: u32) {
        self.client_calls.take_held(id);
        if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
            client.waiting.retain(|slot| *slot != id.slot);
        }
    }

    /// The caller gives up a call that has a stream.
    pub(crate) fn cancel_stream(&mut self, connection: ConnectionId, stream: StreamKey) {
        let Some(http2) = self.http2(connection) else { return };
        http2.made.remove(stream);
        http2.link.reset(stream, Reason::CANCEL);
        self.touch(connection);
    }

    // ---- connections and streams ----

    /// Gives waiting calls streams, and makes connections for them.
    pub(crate) fn assign_streams(&mut self, owner: u32) {
        loop {
            let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return };
            let Some(grpc) = &mut client.grpc else { return };
            if client.waiting.is_empty() {
                return;
            }
            let (mut usable, mut free) = (0, None);
            for &id in &client.connections {
                let connection = &mut self.connections[id as usize];
                let Some(http2) = &mut connection.http2 else { continue };
                let is_made = http2.link.is_ready();
                if is_made && self.now.duration_since(connection.created) >= client.options.max_lifetime {
                    http2.link.shut_down();
                }
                if http2.link.is_leaving() {
                    continue;
                }
                usable += 1;
                let streams = http2.link.streams();
                if http2.link.can_open() && free.is_none_or(|(_, least)| streams < least) {
                    free = Some((id, streams));
                }
            }
            let wants_more = usable < grpc.setup.connections.max(1) && free.is_none_or(|(_, streams)| streams > 0);
            if wants_more && grpc.backoff.is_over(self.now) {
                let Some(id) = self.open_connection(owner) else { return };
                if free.is_none() {
                    // A peer in memory answers at once, any other later.
                    self.touch(id);
                    return;
                }
                continue;
            }
            let Some((id, _)) = free else {
                if usable == 0 {
                    self.fail_impatient(owner);
                }
                return;
            };
            let Some(slot) = client.waiting.pop_front() else { return };
            if !self.open_stream(owner, slot, id) {
                // The connection has just ended; when that is told there will be another one.
                return;
            }
        }
    }

    /// While no connection can be made, calls fail at once, unless they say that they wait.
    fn fail_impatient(&mut self, owner: u32) {
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return };
        let Some(grpc) = &client.grpc else { return };
        let why = grpc.trouble.clone();
        let waiting = mem::take(&mut client.waiting);
        let (patient, others) = waiting.into_iter().partition(|slot| self.client_calls.waits_for_ready(*slot));
        client.waiting = patient;
        self.fail_waiting(owner, &others, &why);
    }

    /// A connection could not be made.
    pub(crate) fn connecting_failed(&mut self, owner: u32, why: &str) {
        let now = self.now;
        if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize)
            && let Some(grpc) = &mut client.grpc
        {
            grpc.backoff.failed(now);
            why.clone_into(&mut grpc.trouble);
            if client.connections.is_empty() {
                self.fail_impatient(owner);
            }
        }
    }

    /// Gives a waiting call a stream. False if it has to go on waiting, for the connection takes none.
    fn open_stream(&mut self, owner: u32, slot: u32, id: ConnectionId) -> bool {
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return false };
        let Some(grpc) = &client.grpc else { return false };
        let Some((call, mut record)) = self.client_calls.take_held_of_slot(slot) else { return true };
        let head = match request_head(grpc, &record, self.now) {
            Ok(head) => head,
            Err(error) => {
                self.fail_before(call, owner, error);
                return true;
            }
        };
        if !record.more.is_empty() {
            let mut all = BytesMut::from(&record.first[..]);
            all.extend_from_slice(&record.more);
            record.first = all.freeze();
            record.more = BytesMut::new();
        }
        let connection = &mut self.connections[id as usize];
        record.begins_at = connection.handed_on() + connection.out.len() as u64;
        let Some(http2) = connection.http2.as_deref_mut() else { return false };
        match http2.link.open(head, record.first.clone(), record.half_closed) {
            Ok(stream) => {
                if record.marked > 0 {
                    http2.link.mark(stream, record.marked);
                }
                if record.first.len() > REPEATABLE && !record.half_closed {
                    record.commit();
                }
                http2.made.insert(stream, *record);
                self.client_calls.sent(slot, id, stream);
                self.connections[id as usize].idle_since = self.now;
            }
            Err(NotOpened::Closed) => {
                self.hold_again(owner, *record);
                return false;
            }
            Err(error @ NotOpened::TooLarge { .. }) => {
                self.fail_unsent(call, owner, FailureCode::ResourceExhausted, error.to_string());
            }
            Err(error @ NotOpened::Wrong(_)) => self.fail_before(call, owner, error.to_string()),
        }
        self.touch(id);
        true
    }

    /// A call waits once more, before the others.
    fn hold_again(&mut self, owner: u32, record: ClientStream) {
        let call = record.call;
        self.client_calls.hold(call, Box::new(record));
        if let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) {
            client.waiting.push_front(call.slot);
        }
    }

    /// A connection is gone, and these calls with it. What was not written of them was not processed either.
    pub(crate) fn streams_lost(
        &mut self,
        owner: u32,
        calls: Vec<ClientStream>,
        handed_on: u64,
        code: FailureCode,
        why: &str,
    ) {
        for mut record in calls.into_iter().rev() {
            let was_sent = handed_on > record.begins_at;
            if !was_sent && !record.was_retried && !record.is_committed {
                record.was_retried = true;
                self.hold_again(owner, record);
                continue;
            }
            self.count_failure(owner);
            let sent = if was_sent { Sent::Maybe } else { Sent::No };
            self.fail(record.call, owner, code, sent, why.to_owned());
        }
    }

    /// A server that objects to PINGs gets half as many from the next connections. gRPC proposal A8.
    pub(crate) fn note_objection(&mut self, owner: u32, goodbye: Option<&GoAway>) {
        let objects = goodbye.is_some_and(|goodbye| {
            Reason::from(goodbye.code) == Reason::ENHANCE_YOUR_CALM && goodbye.debug_data == TOO_MANY_PINGS
        });
        if objects
            && let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize)
            && let Some(grpc) = &mut client.grpc
            && let Some(keep_alive) = &mut grpc.keep_alive
        {
            keep_alive.time = keep_alive.time.saturating_mul(2);
        }
    }

    /// The name of a client's server stands for another address: the next connections go there, and the next one at once.
    pub fn readdress(&mut self, owner: u32, address: Address) {
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return };
        client.options.address = address;
        if let Some(grpc) = &mut client.grpc {
            grpc.backoff.reset();
        }
        self.pump(owner);
    }

    /// A client's connection has been turned.
    pub(crate) fn client_turned(&mut self, id: ConnectionId) {
        let connection = &self.connections[id as usize];
        let owner = connection.owner;
        let Some(http2) = &connection.http2 else { return };
        let (streams, is_ready) = (http2.link.streams(), http2.link.is_ready());
        let Some(Owner::Client(client)) = self.owners.get_mut(owner as usize) else { return };
        if is_ready && let Some(grpc) = &mut client.grpc {
            grpc.backoff.reset();
        }
        if client.closing.is_some() && client.waiting.is_empty() && streams == 0 {
            return self.fail_connection(id, FailureCode::Unavailable, "the client was closed");
        }
        if client.waiting.is_empty() {
            self.note_connectivity(owner);
        } else {
            self.pump(owner);
        }
    }

    /// Goes on with clients for which the time has come to connect again.
    pub(crate) fn try_again(&mut self) {
        let now = self.now;
        let due: Vec<u32> = self
            .owners
            .iter()
            .filter(|(_, owner)| match owner {
                Owner::Client(client) => client.grpc.as_ref().is_some_and(|grpc| {
                    let has_failed = client.counters.state.get() == Connectivity::TransientFailure as u64;
                    (has_failed || !client.waiting.is_empty()) && grpc.backoff.is_over(now)
                }),
                Owner::Server(_) => false,
            })
            .map(|(id, _)| id)
            .collect();
        for owner in due {
            self.pump(owner);
        }
    }

    // ---- to JavaScript ----

    /// Something happened on a client's connection.
    pub(crate) fn client_event(&mut self, id: ConnectionId, event: &Event, tape: &mut InTape<'_>) -> Result<(), Full> {
        match event {
            Event::Request(..) => Ok(()),
            Event::Response(stream, head) => self.response_began(id, *stream, head, tape),
            Event::Message(stream, message) => self.response_message(id, *stream, message, tape),
            Event::End(stream, trailers) => self.response_ended(id, *stream, trailers, tape),
            Event::Failed(stream, error) => {
                let code = match error {
                    FrameError::TooLarge { .. } => Code::ResourceExhausted,
                    FrameError::Flag(_) | FrameError::Truncated => Code::Internal,
                };
                self.break_off(id, *stream, Failed(code, error.to_string()), Sent::Yes);
                Ok(())
            }
            Event::Left(stream, messages) => {
                let owner = self.connections[id as usize].owner;
                let Some(record) = self.http2(id).and_then(|http2| http2.made.get_mut(*stream)) else { return Ok(()) };
                grpc_message::put_credit(tape, &header(Kind::Credit, record.call, record.method, owner), *messages)?;
                // If the call is made again, nothing is told twice.
                record.marked = record.marked.saturating_sub(*messages);
                Ok(())
            }
            Event::Gone(stream, gone) => {
                self.response_gone(id, *stream, gone);
                Ok(())
            }
        }
    }

    fn response_began(
        &mut self,
        id: ConnectionId,
        stream: StreamKey,
        head: &Response<()>,
        tape: &mut InTape<'_>,
    ) -> Result<(), Full> {
        let owner = self.connections[id as usize].owner;
        let Some(Owner::Client(client)) = self.owners.get(owner as usize) else { return Ok(()) };
        let Some(grpc) = &client.grpc else { return Ok(()) };
        let Some(http2) = self.connections[id as usize].http2.as_deref_mut() else { return Ok(()) };
        let Some(record) = http2.made.get_mut(stream) else { return Ok(()) };
        let headers = head.headers();
        let status = head.status().as_u16();
        record.status = status_of(headers);
        if record.status.is_none() && (status != 200 || !is_grpc(headers)) {
            let failed = if status == 200 {
                let kind = headers.get(header::CONTENT_TYPE).map_or("none", |kind| kind.to_str().unwrap_or("?"));
                Failed(Code::Unknown, format!("the response is not gRPC: its content-type is {kind}"))
            } else {
                Failed(code_of_http(status), format!("the server answered with HTTP status {status}"))
            };
            self.break_off(id, stream, failed, Sent::Yes);
            return Ok(());
        }
        record.received_encoding = match encoding_of(headers) {
            Ok(encoding) => encoding,
            Err(name) => {
                let text = format!("the response has the grpc-encoding {name:?}, which was not offered");
                self.break_off(id, stream, Failed(Code::Internal, text), Sent::Yes);
                return Ok(());
            }
        };
        let mut metadata = Vec::new();
        read_metadata(headers, &mut metadata);
        let is_wanted = record.wants_headers || grpc.setup.program.method(record.method).server_streaming;
        if record.status.is_none() && is_wanted {
            let header = header(Kind::Headers, record.call, record.method, owner);
            if let Err(full) = grpc_message::put_initial(tape, &header, &metadata) {
                self.note_growth(tape.is_empty(), metadata.len());
                return Err(full);
            }
            metadata = Vec::new();
        }
        record.headers = Some(metadata);
        record.commit();
        Ok(())
    }

    fn response_message(
        &mut self,
        id: ConnectionId,
        stream: StreamKey,
        message: &RawMessage,
        tape: &mut InTape<'_>,
    ) -> Result<(), Full> {
        let owner = self.connections[id as usize].owner;
        let Some(Owner::Client(client)) = self.owners.get(owner as usize) else { return Ok(()) };
        let Some(grpc) = &client.grpc else { return Ok(()) };
        let Some(http2) = self.connections[id as usize].http2.as_deref_mut() else { return Ok(()) };
        let Some(record) = http2.made.get_mut(stream) else { return Ok(()) };
        let limits = &grpc.setup.options.limits;
        let bytes = match plain(message, record.received_encoding, grpc.setup.options.max_receive_message) {
            Ok(bytes) => bytes,
            Err((code, text)) => {
                self.break_off(id, stream, Failed(code, text), Sent::Yes);
                return Ok(());
            }
        };
        let signature = grpc.setup.program.method(record.method);
        if !signature.server_streaming {
            if record.message.is_some() {
                let text = "more than one message in the response of a method that has one".to_owned();
                self.break_off(id, stream, Failed(Code::Internal, text), Sent::Yes);
            } else {
                record.message = Some(bytes);
            }
            return Ok(());
        }
        let header = header(Kind::StreamMessage, record.call, record.method, owner);
        let flags = if record.credit.marks(bytes.len()) { FLAG_CREDIT } else { 0 };
        let empty = tape.is_empty();
        let program = &grpc.setup.program;
        match put_message_of_stream(tape, &header, program, signature.result, &bytes, limits, flags) {
            Ok(()) => {
                record.credit.sent(bytes.len());
                if record.credit.is_used_up() {
                    http2.link.pause(stream, true);
                }
                Ok(())
            }
            Err(DecodeError::Full(full)) => {
                self.note_growth(empty, bytes.len());
                Err(full)
            }
            Err(error) => {
                self.break_off(id, stream, failed_of(&error), Sent::Yes);
                Ok(())
            }
        }
    }

    fn response_ended(
        &mut self,
        id: ConnectionId,
        stream: StreamKey,
        trailers: &HeaderMap,
        tape: &mut InTape<'_>,
    ) -> Result<(), Full> {
        let owner = self.connections[id as usize].owner;
        let Some(Owner::Client(client)) = self.owners.get(owner as usize) else { return Ok(()) };
        let Some(grpc) = &client.grpc else { return Ok(()) };
        let Some(http2) = self.connections[id as usize].http2.as_deref_mut() else { return Ok(()) };
        let Some(record) = http2.made.get_mut(stream) else { return Ok(()) };
        let mut trailing = Vec::new();
        read_metadata(trailers, &mut trailing);
        let mut initial = record.headers.clone().unwrap_or_default();
        let (status, text) = match (status_of(trailers), &record.status) {
            (Some(status), _) => status,
            (None, Some(status)) => {
                // The head is all there is, and it is trailers by its meaning.
                trailing = mem::take(&mut initial);
                status.clone()
            }
            (None, None) => {
                let text = "the server ended the stream without a status".to_owned();
                self.break_off(id, stream, Failed(Code::Internal, text), Sent::Yes);
                return Ok(());
            }
        };
        let signature = grpc.setup.program.method(record.method);
        let has_one = !signature.server_streaming;
        if has_one && status == 0 && record.message.is_none() {
            let text = "the response of a method that has one message has none".to_owned();
            self.break_off(id, stream, Failed(Code::Internal, text), Sent::Yes);
            return Ok(());
        }
        let (call, method) = (record.call, record.method);
        let message = record.message.as_ref().filter(|_| has_one && status == 0);
        let size = trailing.len() + initial.len() + text.len() + message.map_or(0, Bytes::len);
        let empty = tape.is_empty();
        let put = match message {
            None => {
                let header = header(Kind::StreamEnd, call, method, owner);
                grpc_message::put_end(tape, &header, status, &text, &trailing, &initial).map_err(DecodeError::Full)
            }
            Some(message) => {
                let header = header(Kind::Response, call, method, owner);
                let limits = &grpc.setup.options.limits;
                let begun = tape.begin(&header, limits.slots.saturating_add(3)).map_err(DecodeError::Full);
                begun.and_then(|mut slot| {
                    let body = slot.alloc(3)?;
                    let program = &grpc.setup.program;
                    let base = grpc_message::decode(program, signature.result, message, limits, &mut slot)?;
                    slot.point(body, base, 0);
                    slot.put_string(body + 1, &initial)?;
                    slot.put_string(body + 2, &trailing)?;
                    slot.commit();
                    Ok(())
                })
            }
        };
        match put {
            Ok(()) => {
                client.counters.answered.add(1);
                client.counters.in_flight.sub(1);
                http2.made.remove(stream);
                if http2.link.is_sending(stream) {
                    // What is still to be sent is not wanted any more.
                    http2.link.reset(stream, Reason::NO_ERROR);
                }
                self.client_calls.end(call);
                self.connections[id as usize].idle_since = self.now;
                Ok(())
            }
            Err(DecodeError::Full(full)) => {
                self.note_growth(empty, size);
                Err(full)
            }
            Err(error) => {
                self.break_off(id, stream, failed_of(&error), Sent::Yes);
                Ok(())
            }
        }
    }

    /// A stream ended before its time.
    fn response_gone(&mut self, id: ConnectionId, stream: StreamKey, gone: &Gone) {
        let owner = self.connections[id as usize].owner;
        let Some(mut record) = self.http2(id).and_then(|http2| http2.made.remove(stream)) else { return };
        let call = record.call;
        let connection = &self.connections[id as usize];
        let unprocessed = gone.unprocessed || connection.handed_on() <= record.begins_at;
        if unprocessed && !record.was_retried && !record.is_committed {
            record.was_retried = true;
            self.hold_again(owner, record);
            self.touch(id);
            return;
        }
        self.count_failure(owner);
        let code = gone.reason.map_or(Code::Unavailable, code_of_reset);
        let sent = if unprocessed { Sent::No } else { Sent::Maybe };
        self.fail(call, owner, failure_code(code), sent, gone.text.clone());
    }

    /// Ends a call for a reason of this side's, and its stream.
    fn break_off(&mut self, id: ConnectionId, stream: StreamKey, Failed(code, text): Failed, sent: Sent) {
        let owner = self.connections[id as usize].owner;
        let Some(http2) = self.http2(id) else { return };
        let Some(record) = http2.made.remove(stream) else { return };
        http2.link.reset(stream, Reason::CANCEL);
        self.touch(id);
        self.count_failure(owner);
        self.fail(record.call, owner, failure_code(code), sent, text);
    }
}

fn failure_code(code: Code) -> FailureCode {
    match code {
        Code::Cancelled => FailureCode::Cancelled,
        Code::PermissionDenied => FailureCode::PermissionDenied,
        Code::Unauthenticated => FailureCode::Unauthenticated,
        Code::ResourceExhausted => FailureCode::ResourceExhausted,
        Code::Unimplemented => FailureCode::Unimplemented,
        Code::Internal => FailureCode::Internal,
        Code::Unavailable => FailureCode::Unavailable,
        Code::Ok | Code::Unknown | Code::NotFound | Code::DeadlineExceeded => FailureCode::Unknown,
    }
}

fn failed_of(error: &DecodeError) -> Failed {
    let code = match error {
        DecodeError::SlotLimit | DecodeError::TooLarge(_) => Code::ResourceExhausted,
        _ => Code::Internal,
    };
    Failed(code, format!("the response cannot be read: {error}"))
}

fn request_head(grpc: &GrpcClient, record: &ClientStream, now: Instant) -> Result<Request<()>, String> {
    let targets = grpc.targets.as_ref().map_err(Clone::clone)?;
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = targets[record.method as usize].clone();
    let headers = request.headers_mut();
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    headers.insert("grpc-accept-encoding", ACCEPT_ENCODING);
    if let Some(deadline) = record.deadline {
        let left = deadline.saturating_duration_since(now).max(Duration::from_nanos(1));
        let value = HeaderValue::from_str(&write_timeout(left)).map_err(|error| error.to_string())?;
        headers.insert("grpc-timeout", value);
    }
    put_encoding(headers, record.encoding);
    write_metadata(&record.metadata, headers).map_err(|error| error.to_string())?;
    headers.entry(header::USER_AGENT).or_insert_with(|| grpc.user_agent.clone());
    Ok(request)
}
