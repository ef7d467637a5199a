//! gRPC's serving side: requests to the tape, responses to the streams they came by.

mod requests;
mod responses;

use std::time::Instant;

use bytes::Bytes;
use volo_js_grpc::{Code, Encoding, Encodings};
use volo_js_tape::{Header, Kind};

use crate::{
    Engine, GrpcServerSetup, budget,
    calls::CallId,
    credit::Credit,
    grpc_message::{Outgoing, encoding_of_flags},
    notice::Notice,
    owners::Owner,
    server::Server,
};

/// A call of a server, from its head to its answer.
#[derive(Debug)]
pub(crate) struct ServerStream {
    method: u32,
    /// What JavaScript knows it by, once it does.
    call: Option<CallId>,
    /// The one message of a call that does not stream its requests.
    message: Option<Bytes>,
    /// When its head came.
    since: Instant,
    metadata: Vec<u8>,
    timeout_ms: f64,
    deadline: Option<Instant>,
    /// How its requests are compressed.
    received_encoding: Option<Encoding>,
    /// How its responses are compressed.
    encoding: Option<Encoding>,
    /// How they might be: what the caller reads.
    accepts: Encodings,
    credit: Credit,
    outgoing: Outgoing,
}

impl ServerStream {
    /// The call, if JavaScript knows of it.
    pub(crate) fn known(&self) -> Option<CallId> {
        self.call
    }

    /// Takes what the beginning of its answer says about compression, as far as the caller can read it.
    fn choose_encoding(&mut self, flags: i32) {
        self.encoding = encoding_of_flags(flags as u32, self.encoding).filter(|encoding| self.accepts.has(*encoding));
    }
}

/// A call that ends with a status of this side's making.
struct Refusal(Code, String);

impl Server {
    /// Why no further call of gRPC can be taken, if that is so.
    fn grpc_overload(&self) -> Option<Refusal> {
        if self.counters.in_flight.get() >= self.options.max_calls as u64 {
            self.counters.overloads.add(1);
            let text = format!("the server has {} calls in flight; try again later", self.options.max_calls);
            return Some(Refusal(Code::ResourceExhausted, text));
        }
        if budget::exceeds(self.options.memory_budget) {
            self.counters.memory_refusals.add(1);
            return Some(Refusal(Code::ResourceExhausted, "the server is short of memory; try again later".to_owned()));
        }
        None
    }
}

impl Engine {
    /// The connection of these calls is gone. Their slots are free from now on.
    pub(crate) fn abandon_grpc(&mut self, owner: u32, streams: impl Iterator<Item = ServerStream>) {
        for call in streams.filter_map(|stream| stream.known()) {
            self.notices.push_back(Notice::Gone { call, owner });
            self.server_calls.remove(call.slot);
            if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
                server.counters.in_flight.sub(1);
                server.counters.abandoned.add(1);
            }
        }
    }

    fn grpc_server(&self, owner: u32) -> Option<(&Server, &GrpcServerSetup)> {
        match self.owners.get(owner as usize) {
            Some(Owner::Server(server)) => Some((server, server.grpc.as_ref()?)),
            _ => None,
        }
    }
}

pub(crate) fn header(kind: Kind, call: CallId, method: u32, owner: u32) -> Header {
    Header { kind, call: call.slot, generation: call.generation, method, owner }
}
