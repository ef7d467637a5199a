//! HTTP/2 and gRPC without sockets.
//!
//! `h2` does HTTP/2, over a stream in memory: a [`Connection`] is fed bytes and gives bytes, and tells what happened
//! message by message. What they tell is put on the tape elsewhere.

#![forbid(unsafe_code)]

mod closing;
mod compression;
mod connection;
mod frame;
mod head;
mod header_list;
mod metadata;
mod pipe;
mod ready;
mod scan;
mod sent;

mod settings;
mod status;
mod stream;
mod streams;
mod timeout;

pub use closing::Ended;
pub use compression::{CompressionError, compress, decompress};
pub use connection::{Connection, NotOpened};
pub use frame::{Assembler, FrameError, PREFIX, RawMessage, put_prefix};
pub use h2::Reason;
pub use head::{
    ACCEPT_ENCODING, CONTENT_TYPE, CallHead, Encoding, Encodings, encoding_of, is_grpc, read_call, refusal_body,
    response_head, trailers_only,
};
pub use header_list::{fit_trailers, fits, header_list_size};
pub use http;
pub use metadata::{MetadataError, read_metadata, write_metadata};
pub use scan::{Flood, FloodLimits, GoAway};

pub use settings::{Http2Options, KeepAlive};
pub use status::{
    Code, GRPC_MESSAGE, GRPC_STATUS, code_of_http, code_of_reset, decode_message, encode_message, put_status, status_of,
};
pub use stream::{Event, Gone, StreamKey};
pub use timeout::{read_timeout, write_timeout};
