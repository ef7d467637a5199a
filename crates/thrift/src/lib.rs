//! Thrift without sockets: bytes in, tape out, and back.
//!
//! A [`Program`] is a schema compiled for walking. [`FrameReader`] finds where messages end in a stream of bytes, [`read_head`]
//! reads what a message is, [`decode_struct`] lays its body onto the in tape, [`encode_call`], [`encode_reply`] and
//! [`encode_exception`] write messages, [`transcode_struct`] goes from one protocol to another without a schema.
//!
//! In the binary protocol Pilota does the work on the wire; this crate compares every length and count with the bytes that are there
//! before Pilota acts on it. The compact and the JSON protocol are read and written here.

#![forbid(unsafe_code)]

mod binary;
mod compact;
mod decode;
mod detect;
mod encode;
mod error;
mod exception;
mod frame;
mod head;
mod headers;
mod input;
mod json;
mod limits;
mod message;
mod output;
mod program;
mod scan;
mod size;
mod skip;
mod transcode;
mod uuid;
mod wire;
mod wire_format;

pub use decode::decode_struct;
pub use encode::{encode_call, encode_exception, encode_raw, encode_reply};
pub use error::{DecodeError, EncodeError, FrameError, ProgramError};
pub use exception::{ApplicationException, decode_exception};
pub use frame::{Frame, FrameReader};
pub use head::{MessageHead, MessageKind, end_message, read_head};
pub use headers::{Few, FrameMark, Headers, Ints, Strings, begin_frame, end_frame, read_headers, untransform};
pub use limits::{Limits, MAX_DEPTH, MAX_FRAME, MAX_HEADERS};
pub use program::{MethodProgram, Program};
pub use scan::check_whole;
pub use transcode::transcode_struct;
pub use wire_format::{Protocol, Transport, Wire};
