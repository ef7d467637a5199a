//! Streams for calls that wait, and connections for them.

use std::{
    mem,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use volo_js_grpc::{
    ACCEPT_ENCODING, CONTENT_TYPE, GoAway, NotOpened, Reason,
    http::{HeaderValue, Method, Request, Version, header},
    write_metadata, write_timeout,
};

use super::{ClientStream, GrpcClient, REPEATABLE};
use crate::{
    Address, ConnectionId, Connectivity, Engine, FailureCode, Sent, grpc_message::put_encoding, owners::Owner,
};

/// What a server says that gets more PINGs than it takes. gRPC proposal A8.
const TOO_MANY_PINGS: &[u8] = b"too_many_pings";

impl Engine {
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
    pub(super) fn hold_again(&mut self, owner: u32, record: ClientStream) {
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
