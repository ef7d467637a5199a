//! Protobuf without sockets: bytes in, tape out, and back.
//!
//! A [`Program`] is a schema compiled for walking. [`decode_message`] lays a message onto the in tape, [`encode_message`] writes one
//! from the out tape, [`message_len`] says how long it will be. How messages are framed is not known here.
//!
//! Of Pilota's wire primitives (`pilota::pb::encoding`) wire types, bounds of field numbers and the lengths of varints and keys are
//! used. Its readers and writers are not: they read from an owned `Bytes`, which costs a check of its shared storage a varint, allocate an
//! error for every refusal, skip only with a context that owns the message a second time, and write to a `LinkedBytes` alone; keys they
//! take in more bytes than a key may have. Reading from slices and writing to a slice of the known size is done here instead (`reader`, `writer`).

#![forbid(unsafe_code)]

mod decode;
mod encode;
mod error;
mod limits;
mod program;
mod reader;
mod required;
mod runs;
mod size;
mod ty;
mod unknown;
mod wire;
mod writer;

pub use decode::decode_message;
pub use encode::{encode_message, message_len};
pub use error::{DecodeError, EncodeError, ProgramError};
pub use limits::{Limits, MAX_DEPTH, MAX_MESSAGE};
pub use program::{MethodProgram, Program};
pub use size::Sizes;
