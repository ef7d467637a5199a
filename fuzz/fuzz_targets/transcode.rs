//! Structs of any bytes from one protocol to another: what can be transcoded can be read, means the same, and comes back as it went.
//!
//! The first byte chooses the protocols; the rest is what the peer sends.

#![no_main]

use std::cell::RefCell;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use support::{Tape, Value, every_type};
use volo_js_schema::Schema;
use volo_js_thrift::{DecodeError, Limits, Program, Protocol, decode_struct, transcode_struct};

#[path = "../../crates/thrift/tests/support/mod.rs"]
mod support;

/// A struct of every type.
const EVERY: u32 = 0;
/// A struct without fields, to which all is unknown.
const EMPTY: u32 = 3;

const PROTOCOLS: [Protocol; 4] = [Protocol::Binary, Protocol::BinaryNonStrict, Protocol::Compact, Protocol::Json];

static SCHEMA: LazyLock<Schema> = LazyLock::new(every_type);
static PROGRAM: LazyLock<Program> = LazyLock::new(|| Program::compile(&SCHEMA).expect("a sound schema"));

thread_local! {
    static TAPE: RefCell<Tape> = RefCell::new(Tape::new(1 << 16, 1 << 16, 1 << 16));
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, wire)) = data.split_first() else { return };
    let (from, to) = (PROTOCOLS[usize::from(choice & 3)], PROTOCOLS[usize::from(choice >> 2 & 3)]);
    let Ok(there) = transcode(from, wire, to) else { return };
    assert!(read(from, EMPTY, wire).is_ok(), "what is transcoded can be passed over");
    assert!(read(to, EMPTY, &there).is_ok());
    let back = transcode(to, &there, from).expect("it has been written here");
    assert_eq!(transcode(from, &back, to).as_ref(), Ok(&there));
    // Without a schema JSON's text and binary's bytes are one, so in JSON a binary means something else.
    if from != Protocol::Json && to != Protocol::Json {
        match (read(from, EVERY, wire), read(to, EVERY, &there)) {
            // Places and sizes differ.
            (Err(DecodeError::Full(_)), _) | (_, Err(DecodeError::Full(_))) => {}
            (before, after) => assert_eq!(before, after),
        }
    }
});

/// The struct in another protocol.
fn transcode(from: Protocol, wire: &[u8], to: Protocol) -> Result<Vec<u8>, DecodeError> {
    let mut out = BytesMut::new();
    let mut body = Bytes::copy_from_slice(wire);
    transcode_struct(from, &mut body, to, &mut out, &Limits::default())?;
    Ok(out.to_vec())
}

/// What the bytes are as a struct.
fn read(protocol: Protocol, index: u32, wire: &[u8]) -> Result<Value, DecodeError> {
    TAPE.with_borrow_mut(|tape| {
        tape.state.reset();
        let mut body = Bytes::copy_from_slice(wire);
        tape.message(|message| decode_struct(&PROGRAM, protocol, index, &mut body, &Limits::default(), message))?;
        Ok(tape.read(&SCHEMA, index).remove(0))
    })
}
