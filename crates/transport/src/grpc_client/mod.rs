//! gRPC's calling side: calls from the tape to streams, responses to the tape.

mod calls;
mod responses;
mod streams;

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use volo_js_grpc::{
    Code, Encoding, KeepAlive,
    http::{HeaderValue, Uri},
};

use crate::{FailureCode, GrpcClientSetup, backoff::Backoff, calls::CallId, credit::Credit};

/// Bytes of a call's messages that are kept, so that it can be made again if the server has not looked at it.
const REPEATABLE: usize = 64 << 10;

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
