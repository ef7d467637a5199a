//! Thrift without sockets: bytes in, tape out, and back.
//!
//! A [`Program`] is a schema compiled for walking. [`FrameReader`] finds where messages end in a stream of bytes, [`read_head`]
//! reads what a message is, [`decode_struct`] lays its body onto the in tape, [`encode_call`], [`encode_reply`] and
//! [`encode_exception`] write messages. Pilota's binary protocol does the work on the wire; this crate compares every length
//! and count with the bytes that are there before Pilota acts on it.
//!
//! Strict binary protocol only, framed or buffered.

#![forbid(unsafe_code)]

mod decode;
mod encode;
mod error;
mod frame;
mod head;
mod limits;
mod program;
mod reader;
mod scan;
mod size;
mod skip;
mod uuid;
mod wire;

pub use decode::{ApplicationException, decode_exception, decode_struct};
pub use encode::{encode_call, encode_exception, encode_reply, reply_len};
pub use error::{DecodeError, EncodeError, FrameError, ProgramError};
pub use frame::{Frame, FrameReader, Transport};
pub use head::{MessageHead, MessageKind, read_head};
pub use limits::{Limits, MAX_DEPTH, MAX_FRAME};
pub use program::{MethodProgram, Program};
