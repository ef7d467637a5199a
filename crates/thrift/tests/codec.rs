//! Decoder and encoder against the oracle, over random values of every type.

mod support;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use support::{
    BUFFERED, Entropy, HEADER, Tape, Value, any_struct, any_value, every_type, head, put_message, write_struct,
};
use volo_js_schema::{Requiredness, Schema, StructKind};
use volo_js_tape::testing::OutWriter;
use volo_js_thrift::{
    DecodeError, FrameReader, Limits, MessageKind, Program, Protocol, Wire, decode_struct, encode_call, encode_reply,
    read_head,
};

/// Struct `Every` of the fixture, and the arguments and result of its method `echo`.
const EVERY: u32 = 0;
const ARGS: u32 = 4;
const RESULT: u32 = 5;
const ECHO: u32 = 0;

fn large() -> Tape {
    Tape::new(1 << 16, 1 << 18, 1 << 18)
}

fn decode(program: &Program, index: u32, wire: &[u8], tape: &mut Tape) -> Result<usize, DecodeError> {
    let mut body = Bytes::copy_from_slice(wire);
    tape.message(|message| decode_struct(program, Protocol::Binary, index, &mut body, &Limits::default(), message))?;
    Ok(wire.len() - body.len())
}

/// A value's bytes on the wire.
fn wire(schema: &Schema, index: u32, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_struct(schema, index, value, None, &mut out);
    out
}

/// A schema of random structs, some of them with many or far-apart fields.
fn any_schema(from: &mut Entropy<'_>) -> Schema {
    let mut schema = every_type();
    for structure in &mut schema.structs {
        if structure.kind != StructKind::Struct {
            continue;
        }
        structure.fields.truncate(3);
        let spread = [1, 1, 3, 200][from.below(4)];
        let template = structure.fields.first().cloned();
        let count = if from.once_in(4) { 60 + from.below(80) } else { from.below(12) };
        let Some(template) = template else { continue };
        structure.fields = (0..count)
            .map(|n| volo_js_schema::Field {
                id: (n as i32 - 3) * spread,
                name: format!("f{n}"),
                requiredness: Requiredness::Default,
                ty: support::any_type(&every_type(), from, 3),
                ..template.clone()
            })
            .collect();
        // Members of the IDL come in any order.
        if from.once_in(2) {
            structure.fields.reverse();
        }
    }
    schema
}

proptest! {
    #[test]
    fn decode_reads_what_was_written(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let value = any_struct(&schema, EVERY, 5, &mut from);
        let wire = wire(&schema, EVERY, &value);
        let mut tape = large();
        prop_assert_eq!(decode(&program, EVERY, &wire, &mut tape), Ok(wire.len()));
        prop_assert_eq!(tape.read(&schema, EVERY), vec![value]);
    }

    #[test]
    fn decode_reads_any_schema(bytes in prop::collection::vec(any::<u8>(), 0..900)) {
        let mut from = Entropy::new(&bytes);
        let schema = any_schema(&mut from);
        let program = Program::compile(&schema).unwrap();
        let value = any_struct(&schema, EVERY, 4, &mut from);
        let wire = wire(&schema, EVERY, &value);
        let mut tape = large();
        prop_assert_eq!(decode(&program, EVERY, &wire, &mut tape), Ok(wire.len()));
        prop_assert_eq!(tape.read(&schema, EVERY), vec![value]);
    }

    #[test]
    fn decode_sees_through_noise(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        noise in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let value = any_struct(&schema, EVERY, 4, &mut from);
        let mut wire = Vec::new();
        write_struct(&schema, EVERY, &value, Some(&mut Entropy::new(&noise)), &mut wire);
        let mut tape = large();
        prop_assert_eq!(decode(&program, EVERY, &wire, &mut tape), Ok(wire.len()));
        prop_assert_eq!(tape.read(&schema, EVERY), vec![value]);
    }

    #[test]
    fn messages_share_a_tape(bytes in prop::collection::vec(any::<u8>(), 0..900)) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let values: Vec<_> = (0..6).map(|_| any_struct(&schema, EVERY, 2, &mut from)).collect();
        let mut tape = Tape::new(2000, 3000, 3000);
        let mut delivered = Vec::new();
        for value in &values {
            let wire = wire(&schema, EVERY, value);
            match decode(&program, EVERY, &wire, &mut tape) {
                Ok(_) => {}
                Err(DecodeError::Full(_)) => {
                    // What was there is as it was; delivered, or onto a larger tape, the message fits.
                    delivered.extend(tape.read(&schema, EVERY));
                    tape = large();
                    prop_assert_eq!(decode(&program, EVERY, &wire, &mut tape), Ok(wire.len()));
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
        delivered.extend(tape.read(&schema, EVERY));
        prop_assert_eq!(delivered, values);
    }

    #[test]
    fn encode_writes_what_the_oracle_writes(
        bytes in prop::collection::vec(any::<u8>(), 0..900),
        buffered in any::<bool>(),
        sequence in any::<i32>(),
    ) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let args = Value::Struct(vec![Some(any_struct(&schema, EVERY, 4, &mut from))]);
        let result = match from.below(3) {
            0 => Value::Struct(vec![Some(any_struct(&schema, EVERY, 3, &mut from)), None]),
            1 => Value::Struct(vec![None, Some(any_value(&schema, &volo_js_schema::Type::Struct(2), 3, &mut from))]),
            _ => Value::Struct(vec![None, None]),
        };
        let mut writer = OutWriter::new();
        let call = put_message(&schema, ARGS, &args, &mut writer);
        let reply = put_message(&schema, RESULT, &result, &mut writer);
        writer.finish();
        let tape = writer.tape();
        let format = if buffered { BUFFERED } else { Wire::default() };
        let mut out = BytesMut::from(&b"before"[..]);
        encode_call(&program, ECHO, sequence, &tape, call, format, &mut out).unwrap();
        encode_reply(&program, ECHO, MessageKind::Reply, sequence, &tape, reply, format, &mut out).unwrap();

        let mut expected = b"before".to_vec();
        for (kind, index, value) in [(1, ARGS, &args), (2, RESULT, &result)] {
            let mut message = head("echo", kind, sequence);
            message.extend(wire(&schema, index, value));
            if !buffered {
                expected.extend((message.len() as i32).to_be_bytes());
            }
            expected.extend(message);
        }
        prop_assert_eq!(&out[..], &expected[..]);
    }

    #[test]
    fn a_message_cut_short_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let wire = wire(&schema, EVERY, &any_struct(&schema, EVERY, 4, &mut from));
        let cut = &wire[..at.index(wire.len())];
        let mut tape = large();
        prop_assert!(matches!(decode(&program, EVERY, cut, &mut tape), Err(DecodeError::Malformed(_))));
        prop_assert!(tape.state.is_empty());
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0..20_u8], 0..400)) {
        let schema = every_type();
        let program = Program::compile(&schema).unwrap();
        let mut tape = Tape::new(1 << 12, 1 << 12, 1 << 12);
        let _ = read_head(Protocol::Binary, &bytes);
        for index in 0..schema.structs.len() as u32 {
            if decode(&program, index, &bytes, &mut tape).is_ok() {
                tape.read(&schema, index);
            }
            tape.state.reset();
        }
    }

    #[test]
    fn a_mistaken_byte_does_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let mut wire = wire(&schema, EVERY, &any_struct(&schema, EVERY, 4, &mut from));
        for (at, byte) in &changes {
            let at = at.index(wire.len());
            wire[at] = *byte;
        }
        let mut tape = large();
        if decode(&program, EVERY, &wire, &mut tape).is_ok() {
            tape.read(&schema, EVERY);
        }
        let mut message = head("echo", 1, 1);
        message.extend(&wire);
        let _ = FrameReader::detect(Limits::default()).next(&message);
    }

    #[test]
    fn any_tape_encodes_or_is_refused(
        slots in prop::collection::vec(prop_oneof![any::<u64>(), 0..20_u64, (0..20_u64).prop_map(|n| n << 32 | 3)], 8..60),
        text in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let program = Program::compile(&every_type()).unwrap();
        let mut slots = slots;
        slots[0] = slots.len() as u64;
        slots[1] = text.len() as u64 | (text.len() as u64) << 32;
        let tape = volo_js_tape::OutTape::new(&slots, &text, &text);
        for body in [2, 6, usize::MAX] {
            let mut out = BytesMut::from(&b"before"[..]);
            let written = encode_call(&program, ECHO, 1, &tape, body, Wire::default(), &mut out);
            prop_assert!(written.is_ok() || &out[..] == b"before");
        }
    }
}

#[test]
fn the_root_lies_first() {
    let schema = every_type();
    let program = Program::compile(&schema).unwrap();
    let mut tape = large();
    decode(&program, EVERY, &[0], &mut tape).unwrap();
    assert_eq!(tape.slots[1], HEADER.kind as u64 | (4 + 2 + schema.structs[0].fields.len() as u64) << 32);
}
