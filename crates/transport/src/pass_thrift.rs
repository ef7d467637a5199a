//! Calls of Thrift that a server passes on: arguments and results go through undecoded, sequence ids and headers are each side's own.

use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes, BytesMut};
use volo_js_thrift::{
    DecodeError, EncodeError, Headers, Ints, Limits, MessageKind, Protocol, Strings, Transport, Wire, check_whole,
    encode_raw, end_message, transcode_struct,
};

use crate::{
    ClientOptions, Engine, FailureCode, Mode, Route,
    calls::CallId,
    client::Client,
    exception::{INTERNAL_ERROR, PROTOCOL_ERROR, put_exception},
    header_text::{IDL_SERVICE, OUT_OF_ORDER, int, is_leave, message_type, millis},
    mirror::put_with_headers,
    owners::Owner,
    raw_thrift::bare,
    serve_thrift::Asked,
};

/// What there is of a message that is passed on: its struct, and how that came.
struct Struct<'a> {
    /// How the message was written and framed.
    wire: Wire,
    /// All of the message.
    message: &'a Bytes,
    /// Bytes of its head.
    head: usize,
    limits: &'a Limits,
}

/// A call as a server got it.
pub(crate) struct Passed<'a> {
    /// Name of the method, without its service where one stands in front of it.
    pub name: &'a [u8],
    pub wire: Wire,
    pub headers: Option<&'a Headers<'a>>,
    pub message: &'a Bytes,
    /// Bytes of the message's head.
    pub head: usize,
    pub limits: Limits,
    pub oneway: bool,
    /// How long its caller waits.
    pub time: Option<Duration>,
    /// When it came.
    pub received: Instant,
}

/// An answer as a client got it.
pub(crate) struct Answer<'a> {
    pub kind: MessageKind,
    pub wire: Wire,
    pub headers: Option<&'a Headers<'a>>,
    pub message: Bytes,
    /// Bytes of the message's head.
    pub head: usize,
    pub limits: Limits,
}

impl Struct<'_> {
    /// The struct as `to` wants it; `scratch` is where it is written if it is another one there.
    ///
    /// # Errors
    /// What is wrong with the message. In the same protocol, and from frame to frame, nobody looks at it.
    fn translated<'s>(&'s self, to: Wire, scratch: &'s mut BytesMut) -> Result<&'s [u8], String> {
        let Self { wire, message, head, limits } = self;
        if has_same_structs(wire.protocol, to.protocol) {
            // Where nothing but the content marks a message off, what follows it would be taken for the next one.
            if to.transport == Transport::Buffered && wire.transport != Transport::Buffered {
                check_whole(wire.protocol, message, limits).map_err(|error| error.to_string())?;
            }
            return Ok(bare(wire.protocol, &message[*head..]));
        }
        let mut body = message.slice(*head..);
        let translated = transcode_struct(wire.protocol, &mut body, to.protocol, scratch, limits)
            .and_then(|()| end_message(wire.protocol, &mut body))
            .and_then(|()| {
                let is_whole = !body.has_remaining();
                if is_whole { Ok(()) } else { Err(DecodeError::Malformed("bytes follow the message in its frame")) }
            });
        translated.map_err(|error| error.to_string())?;
        Ok(scratch)
    }
}

/// Does a struct look the same in both?
fn has_same_structs(one: Protocol, other: Protocol) -> bool {
    let plain = |protocol| if protocol == Protocol::BinaryNonStrict { Protocol::Binary } else { protocol };
    plain(one) == plain(other)
}

/// Values by number that are about the connection a message comes by, or about that message itself.
fn is_of_one_hop(key: u16) -> bool {
    const TRANSPORT_TYPE: u16 = 1;
    const DESTINATION: u16 = 11;
    const READ_TIMEOUT: u16 = 13;
    const MESH_HEADER: u16 = 16;
    const CONNECT_TIMEOUT: u16 = 17;
    const SHORT_CONNECTION: u16 = 19;
    matches!(
        key,
        TRANSPORT_TYPE
            | DESTINATION
            | int::RPC_TIMEOUT
            | READ_TIMEOUT
            | MESH_HEADER
            | CONNECT_TIMEOUT
            | SHORT_CONNECTION
            | int::MESSAGE_TYPE
    )
}

/// What is told beside a call that is passed on: what its caller told, and what this client tells of itself.
fn headers_of<'a>(
    options: &'a ClientOptions,
    passed: &Passed<'a>,
    name: &'a [u8],
    sequence: i32,
    time: Option<&'a [u8]>,
) -> Headers<'a> {
    let names = &options.names;
    let mut headers = Headers { sequence, ..Headers::default() };
    if let Some(came) = passed.headers {
        let service = !names.service.is_empty();
        headers.strings = came.strings.iter().filter(|(key, _)| !service || *key != IDL_SERVICE).copied().collect();
    }
    if matches!(options.wire.transport, Transport::Header | Transport::HeaderFramed) {
        headers.zlib = options.zlib;
        return headers;
    }
    if !names.service.is_empty() {
        headers.strings.push((IDL_SERVICE, &names.service));
    }
    if options.mode == Mode::Pipelined {
        headers.flags |= OUT_OF_ORDER;
    }
    let is_tt_header = matches!(passed.wire.transport, Transport::TtHeader | Transport::TtHeaderFramed);
    let came = passed.headers.filter(|_| is_tt_header);
    headers.token = came.and_then(|came| came.token);
    // By it Kitex is told from Volo, which wants backward values under other names.
    if came.is_none_or(|came| came.int(int::MESSAGE_TYPE).is_some()) {
        headers.ints.push((int::MESSAGE_TYPE, message_type(passed.oneway)));
    }
    for (key, name) in [(int::FROM_SERVICE, &names.caller), (int::TO_SERVICE, &names.callee)] {
        if !name.is_empty() {
            headers.ints.push((key, name));
        }
    }
    headers.ints.push((int::TO_METHOD, name));
    headers.ints.extend(time.map(|time| (int::RPC_TIMEOUT, time)));
    for (key, value) in came.map(|came| &came.ints[..]).unwrap_or_default() {
        if !is_of_one_hop(*key) && headers.int(*key).is_none() {
            headers.ints.push((*key, value));
        }
    }
    headers
}

impl Client {
    /// Writes a call that is passed on.
    fn encode_passed(
        &mut self,
        passed: &Passed<'_>,
        body: &[u8],
        time: Duration,
        out: &mut BytesMut,
    ) -> Result<i32, EncodeError> {
        let sequence = self.take_sequence();
        let options = &self.options;
        let prefixed;
        let name = if options.method_prefix.is_empty() {
            passed.name
        } else {
            prefixed = [&options.method_prefix[..], passed.name].concat();
            &prefixed
        };
        let kind = if passed.oneway { MessageKind::Oneway } else { MessageKind::Call };
        let write = |wire, out: &mut BytesMut| encode_raw(name, kind, sequence, body, wire, out);
        if options.wire.has_headers() {
            let mut digits = itoa::Buffer::new();
            let headers = headers_of(options, passed, name, sequence, millis(time, &mut digits));
            put_with_headers(options.wire, &headers, out, write)?;
        } else {
            write(options.wire, out)?;
        }
        Ok(sequence)
    }
}

impl Engine {
    /// Passes a server's call on. The call is answered when its answer comes, or at once if it cannot be made.
    pub(crate) fn pass_on(&mut self, call: CallId, route: Route, passed: &Passed<'_>) {
        let client = match self.owners.get_mut(route.client as usize) {
            Some(Owner::Client(client)) if client.closing.is_none() => client,
            _ => return self.passing_failed(call, route.client, FailureCode::Unavailable, "the client is closed"),
        };
        let left = passed.time.map(|time| time.saturating_sub(self.now.saturating_duration_since(passed.received)));
        let time = [left, route.timeout].into_iter().flatten().min();
        let to = client.options.wire;
        let (made, record) = self.client_calls.begin_passed(route.client, passed.oneway, call);
        client.counters.calls.add(1);
        client.counters.in_flight.add(1);
        self.buffers.prepare(&mut record.held);
        let mut scratch = BytesMut::new();
        if !has_same_structs(passed.wire.protocol, to.protocol) {
            self.buffers.prepare(&mut scratch);
        }
        let Passed { wire, message, head, limits, .. } = passed;
        let written = Struct { wire: *wire, message, head: *head, limits }
            .translated(to, &mut scratch)
            .map_err(|why| (PROTOCOL_ERROR, why))
            .and_then(|body| {
                client
                    .encode_passed(passed, body, time.unwrap_or_default(), &mut record.held)
                    .map_err(|error| (INTERNAL_ERROR, error.to_string()))
            });
        self.buffers.release(&mut scratch);
        match written {
            Ok(sequence) => {
                record.sequence = sequence;
                client.waiting.push_back(made.slot);
                if let Some(asked) = self.server_calls.get_mut(call) {
                    asked.passed = Some(made);
                }
                if let Some(time) = time {
                    let calls = &self.server_calls;
                    self.deadlines.add(self.now + time, call, |id| calls.is_live(id));
                }
                self.pump(route.client);
            }
            Err((kind, why)) => {
                self.buffers.release(&mut record.held);
                client.counters.failed.add(1);
                client.counters.in_flight.sub(1);
                self.client_calls.end(made);
                self.answer_with(call, kind, |asked| format!("{} {why}", String::from_utf8_lossy(asked.name())));
            }
        }
    }

    /// The answer to a call that was passed on has come.
    pub(crate) fn pass_back(&mut self, made: CallId, client: u32, answer: &Answer<'_>) {
        let passes = self.client_calls.get_mut(made).and_then(|call| call.passes);
        self.client_calls.end(made);
        let Some(call) = passes else { return };
        let Some(asked) = self.server_calls.get_mut(call) else { return };
        asked.passed = None;
        let to = asked.mirror.wire;
        if !to.has_headers()
            && let Some(why) = answer.headers.and_then(business_error)
        {
            return self.answer_with(call, INTERNAL_ERROR, |_| why);
        }
        let mut scratch = BytesMut::new();
        if !has_same_structs(answer.wire.protocol, to.protocol) {
            self.buffers.prepare(&mut scratch);
        }
        let (mut ints, mut strings) = (Ints::default(), Strings::default());
        if let Some(came) = answer.headers.filter(|_| to.has_headers()) {
            ints = came.ints.iter().filter(|(key, _)| !is_of_one_hop(*key)).copied().collect();
            strings = came.strings.iter().filter(|(key, _)| !is_leave(key)).copied().collect();
        }
        strings.extend(self.farewell(call));
        let Answer { kind, wire, message, head, limits, .. } = answer;
        let structure = Struct { wire: *wire, message, head: *head, limits };
        let body = structure.translated(to, &mut scratch);
        let mut is_wrong = body.is_err();
        self.answer(call, |asked, out| {
            let mirror = asked.mirror;
            let written = body.and_then(|body| {
                let write = |wire, out: &mut _| encode_raw(asked.name(), *kind, mirror.sequence, body, wire, out);
                mirror.frame_with(ints, strings, out, write).map_err(|error| error.to_string())
            });
            let Err(why) = written else { return *kind == MessageKind::Reply };
            is_wrong = true;
            let text = format!("INTERNAL: the answer of {} {why}", String::from_utf8_lossy(asked.name()));
            put_exception(asked.name(), mirror, INTERNAL_ERROR, &text, &[], out);
            false
        });
        self.buffers.release(&mut scratch);
        if is_wrong && let Some(Owner::Client(client)) = self.owners.get(client as usize) {
            client.counters.failed.add(1);
            client.counters.answered.sub(1);
        }
    }

    /// A call that was passed on gets no answer.
    pub(crate) fn passing_failed(&mut self, call: CallId, client: u32, code: FailureCode, why: &str) {
        let upstream = self.upstream(client);
        if let Some(asked) = self.server_calls.get_mut(call) {
            asked.passed = None;
        }
        self.answer_with(call, INTERNAL_ERROR, |asked| {
            format!("{}: {} on {upstream} failed: {why}", code.name(), String::from_utf8_lossy(asked.name()))
        });
    }

    /// The time of a call that was passed on is over.
    pub(crate) fn passing_took_too_long(&mut self, call: CallId) {
        let made = self.server_calls.get_mut(call).and_then(|asked| asked.passed.take());
        let Some((made, owner)) = made.and_then(|made| Some((made, self.client_calls.get_mut(made)?.owner))) else {
            return;
        };
        let upstream = self.upstream(owner);
        self.cancel(made);
        self.answer_with(call, INTERNAL_ERROR, |asked| {
            format!("DEADLINE_EXCEEDED: no answer to {} from {upstream} in time", String::from_utf8_lossy(asked.name()))
        });
    }

    /// Where calls were passed on to, for people.
    fn upstream(&self, client: u32) -> String {
        let Some(Owner::Client(client)) = self.owners.get(client as usize) else { return "its upstream".to_owned() };
        let ClientOptions { address, names, .. } = &client.options;
        if names.callee.is_empty() {
            return address.to_string();
        }
        format!("{} ({address})", String::from_utf8_lossy(&names.callee))
    }

    /// Answers a call with an exception.
    fn answer_with(&mut self, call: CallId, kind: i32, text: impl FnOnce(&Asked<'_>) -> String) {
        let mut strings = Vec::new();
        self.bid_farewell(call, &mut strings);
        self.answer(call, |asked, out| {
            put_exception(asked.name(), asked.mirror, kind, &text(asked), &strings, out);
            false
        });
    }
}

/// The text of a business error, which has no place in answers without headers.
fn business_error(headers: &Headers<'_>) -> Option<String> {
    let status = std::str::from_utf8(headers.string(b"biz-status")?).ok()?.trim();
    if status.parse().unwrap_or(0) == 0 {
        return None;
    }
    let text = headers.string(b"biz-message").map(|text| String::from_utf8_lossy(text)).unwrap_or_default();
    Some(format!("UNKNOWN: {text}"))
}
