//! Bodies of any bytes for a schema of every type, in every protocol: what can be read is written again, and reads the same.
//!
//! The first byte chooses the struct, the protocol and whether a small tape is tried first; the rest is what the peer sends.

#![no_main]

use std::cell::RefCell;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use support::{Tape, Value, every_type, put_message};
use volo_js_schema::Schema;
use volo_js_tape::Full;
use volo_js_tape::testing::OutWriter;
use volo_js_thrift::{
    DecodeError, FrameReader, Limits, Program, Protocol, Transport, Wire, decode_struct, encode_call, read_head,
};

#[path = "../../crates/thrift/tests/support/mod.rs"]
mod support;

/// The method of the fixture whose arguments are a struct of every type, and the two structs.
const ECHO: u32 = 0;
const ARGS: u32 = 4;
const EVERY: u32 = 0;

/// Levels the peer may send. What is read is sent on as an argument, which is one level more.
const DEPTH: usize = 64;

static SCHEMA: LazyLock<Schema> = LazyLock::new(every_type);
static PROGRAM: LazyLock<Program> = LazyLock::new(|| Program::compile(&SCHEMA).expect("a sound schema"));

thread_local! {
    /// One tape for all runs, so that each finds what others left behind.
    static LARGE: RefCell<Tape> = RefCell::new(Tape::new(1 << 16, 1 << 16, 1 << 16));
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, wire)) = data.split_first() else { return };
    let index = if choice & 1 == 0 { EVERY } else { u32::from(choice >> 1 & 15) % SCHEMA.structs.len() as u32 };
    let protocol =
        [Protocol::Binary, Protocol::BinaryNonStrict, Protocol::Compact, Protocol::Json][usize::from(choice >> 5 & 3)];
    LARGE.with_borrow_mut(|large| {
        if choice & 0x80 != 0 {
            // What does not fit is refused, and does fit the large one.
            let _ = read(protocol, index, wire, DEPTH, &mut Tape::new(300, 64, 64));
        }
        match read(protocol, index, wire, DEPTH, large) {
            Ok(value) if index == EVERY => again(protocol, value, large),
            Ok(_) => {}
            // A byte makes 68 slots at most: an empty struct in a list. In text and bytes it makes less.
            Err(error) => {
                assert!(error != DecodeError::Full(Full) || wire.len() > 900, "{} bytes: {error}", wire.len())
            }
        }
    });
});

/// What the bytes are as a struct.
fn read(protocol: Protocol, index: u32, wire: &[u8], depth: usize, tape: &mut Tape) -> Result<Value, DecodeError> {
    tape.state.reset();
    let limits = Limits { depth, ..Limits::default() };
    let mut body = Bytes::copy_from_slice(wire);
    let decoded = tape.message(|message| decode_struct(&PROGRAM, protocol, index, &mut body, &limits, message));
    assert_eq!(decoded.is_err(), tape.state.is_empty(), "a message that failed is not on the tape");
    decoded.map(|()| tape.read(&SCHEMA, index).remove(0))
}

/// Writes the value and reads it back.
fn again(protocol: Protocol, value: Value, tape: &mut Tape) {
    let args = Value::Struct(vec![Some(value)]);
    let mut writer = OutWriter::new();
    let body = put_message(&SCHEMA, ARGS, &args, &mut writer);
    writer.finish();
    let mut out = BytesMut::new();
    let format = Wire::new(Transport::Buffered, protocol);
    encode_call(&PROGRAM, ECHO, 1, &writer.tape(), body, format, &mut out).expect("it has been read");
    let frame = FrameReader::fixed(format, Limits { depth: DEPTH + 1, ..Limits::default() }).next(&out);
    assert_eq!(frame.map(|frame| frame.map(|frame| frame.len)), Ok(Some(out.len())));
    let head = read_head(protocol, &out).expect("a head");
    assert_eq!(read(protocol, ARGS, &out[head.len..], DEPTH + 1, tape), Ok(args));
}
