//! Protobuf of any bytes for a message with a field of every kind: what can be read is written again, and reads the same; what it takes on
//! the tape is in proportion to its size.
//!
//! The first byte chooses the message and whether a small tape is tried first; the rest is what the peer sends.

#![no_main]

use std::cell::RefCell;
use std::sync::LazyLock;

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use support::{Tape, Value, every_kind, out_tape};
use volo_js_protobuf::{DecodeError, Limits, Program, Sizes, encode_message};
use volo_js_schema::Schema;
use volo_js_tape::{Full, presence_slots};

#[path = "../../crates/protobuf/tests/support/mod.rs"]
mod support;

static SCHEMA: LazyLock<Schema> = LazyLock::new(every_kind);
static PROGRAM: LazyLock<Program> = LazyLock::new(|| Program::compile(&SCHEMA).expect("a sound schema"));

thread_local! {
    /// One tape for all runs, so that each finds what others left behind.
    static LARGE: RefCell<Tape> = RefCell::new(Tape::new(1 << 20, 1 << 17, 1 << 17));
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, wire)) = data.split_first() else { return };
    let index = u32::from(choice & 1);
    LARGE.with_borrow_mut(|large| {
        if choice & 0x80 != 0 {
            // What does not fit is refused, and does fit the large one.
            let _ = read(index, wire, &mut Tape::new(300, 64, 64));
        }
        match read(index, wire, large) {
            Ok(value) => again(index, &value, large),
            Err(error) => assert!(error != DecodeError::Full(Full), "{} bytes: {error}", wire.len()),
        }
    });
});

/// What the bytes are as a message.
fn read(index: u32, wire: &[u8], tape: &mut Tape) -> Result<Value, DecodeError> {
    tape.state.reset();
    let decoded = tape.decode(&PROGRAM, index, wire, &Limits::default());
    assert_eq!(decoded.is_err(), tape.state.is_empty(), "a message that failed is not on the tape");
    decoded?;
    // The shortest field is an empty message: two bytes make a struct, and up to four slots in the lists that hold it.
    let largest = SCHEMA.structs[0].tape_fields();
    let slots = presence_slots(largest) + largest + 8;
    let used = tape.state.slots_used();
    assert!(used <= 8 + slots * (1 + wire.len() / 2), "{} bytes take {used} slots", wire.len());
    Ok(tape.read(&SCHEMA, index).remove(0))
}

/// Writes the value, reads it back, and does so once more: then nothing changes any longer.
fn again(index: u32, value: &Value, tape: &mut Tape) {
    let written = write(index, value);
    let read_back = read(index, &written, tape).expect("it has been written");
    assert_eq!(write(index, &read_back), written);
}

fn write(index: u32, value: &Value) -> Vec<u8> {
    let (writer, base) = out_tape(&SCHEMA, index, value);
    let mut out = BytesMut::new();
    encode_message(&PROGRAM, index, &writer.tape(), base, &mut Sizes::new(), &mut out).expect("it has been read");
    out.to_vec()
}
