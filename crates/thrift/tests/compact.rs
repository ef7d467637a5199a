//! The rules of the compact protocol, one by one.

mod support;

use bytes::Bytes;
use support::{Tape, Value, call_of, list, map, one};
use volo_js_schema::{Schema, Type};
use volo_js_thrift::{DecodeError, Limits, MessageKind, Program, Protocol, decode_struct, read_head};

fn read(schema: &Schema, wire: &[u8]) -> Result<Value, DecodeError> {
    let program = Program::compile(schema).expect("a sound schema");
    let mut tape = Tape::new(4096, 4096, 4096);
    let mut body = Bytes::copy_from_slice(wire);
    let limits = Limits { strict_utf8: true, ..Limits::default() };
    tape.message(|message| decode_struct(&program, Protocol::Compact, 0, &mut body, &limits, message))?;
    assert!(body.is_empty(), "all is read");
    Ok(tape.read(schema, 0).remove(0))
}

/// What the encoder writes for a struct of these fields.
fn written(schema: &Schema, value: &Value) -> Vec<u8> {
    let out = call_of(Protocol::Compact, schema, value);
    let head = read_head(Protocol::Compact, &out).expect("a head").len;
    out[head..].to_vec()
}

fn fields(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Struct(values.into_iter().map(Some).collect())
}

fn malformed(schema: &Schema, wire: &[u8]) -> bool {
    matches!(read(schema, wire), Err(DecodeError::Malformed(_)))
}

#[test]
fn bools_stand_in_the_head_of_their_field() {
    let schema = one(&[(1, Type::Bool), (2, Type::Bool), (30, Type::Bool)]);
    let value = fields([true, false, true].map(Value::Bool));
    let wire = [0x11, 0x12, 0x01, 60, 0];
    assert_eq!(read(&schema, &wire), Ok(value.clone()));
    assert_eq!(written(&schema, &value), wire);
    // Unknown ones are passed over with their head.
    assert_eq!(read(&one(&[(30, Type::Bool)]), &wire), Ok(fields([Value::Bool(true)])));
}

#[test]
fn bools_in_containers_are_bytes() {
    let schema = one(&[(1, list(Type::Bool)), (2, map(Type::Bool, Type::Bool))]);
    let value = fields([
        Value::List([true, false, false].map(Value::Bool).to_vec()),
        Value::Map(vec![(Value::Bool(true), Value::Bool(false))]),
    ]);
    // False is 2, or 0 as some write; the type is that of either.
    for item in [1, 2] {
        for no in [0, 2] {
            let wire = [0x19, 0x30 | item, 1, no, 2, 0x1B, 1, item << 4 | item, 1, no, 0];
            assert_eq!(read(&schema, &wire), Ok(value.clone()));
        }
    }
    assert_eq!(written(&schema, &value), [0x19, 0x31, 1, 2, 2, 0x1B, 1, 0x11, 1, 2, 0]);
    // A field of one bool does not end up as an element of what follows.
    let schema = one(&[(2, list(Type::Bool))]);
    assert_eq!(read(&schema, &[0x11, 0x19, 0x11, 2, 0]), Ok(fields([Value::List(vec![Value::Bool(false)])])));
}

#[test]
fn ids_are_distances_or_numbers() {
    let ids = [i16::MIN, -1, 0, 15, 31, i16::MAX];
    let schema = one(&ids.map(|id| (id, Type::I8)));
    let value = fields((1..=6).map(Value::I8));
    let wire = [
        &[0x03, 0xFF, 0xFF, 0x03, 1][..],
        &[0x03, 0x01, 2],
        &[0x13, 3],
        &[0xF3, 4],
        &[0x03, 62, 5],
        &[0x03, 0xFE, 0xFF, 0x03, 6],
        &[0],
    ]
    .concat();
    assert_eq!(read(&schema, &wire), Ok(value.clone()));
    assert_eq!(written(&schema, &value), wire);
    // Backwards, and the long form where the short one would do.
    assert_eq!(
        read(&one(&[(1, Type::I8), (2, Type::I8)]), &[0x23, 2, 0x03, 2, 1, 0]),
        Ok(fields([1, 2].map(Value::I8)))
    );
    assert!(malformed(&schema, &[0x03, 0xFE, 0xFF, 0x03, 6, 0x13, 7, 0]), "an id beyond the largest");
    assert!(malformed(&schema, &[0x03, 0x80, 0x80, 0x04, 6, 0]), "an id of more than 16 bits");
}

#[test]
fn distances_begin_anew_in_every_struct() {
    let schema = one(&[(5, Type::Struct(0)), (6, Type::I8), (1, Type::I8)]);
    let wire = [0x5C, 0x13, 9, 0, 0x13, 8, 0];
    let inner = Value::Struct(vec![None, None, Some(Value::I8(9))]);
    assert_eq!(read(&schema, &wire), Ok(Value::Struct(vec![Some(inner), Some(Value::I8(8)), None])));
}

#[test]
fn numbers_fit_their_types() {
    let schema = one(&[(1, Type::I16), (2, Type::I32), (3, Type::I64)]);
    let extremes = [
        (fields([Value::I16(i16::MIN), Value::I32(i32::MIN), Value::I64(i64::MIN)]), 0xFF_u8),
        (fields([Value::I16(i16::MAX), Value::I32(i32::MAX), Value::I64(i64::MAX)]), 0xFE),
    ];
    for (value, low) in extremes {
        let wire = [
            &[0x14, low, 0xFF, 0x03][..],
            &[0x15, low, 0xFF, 0xFF, 0xFF, 0x0F],
            &[0x16, low, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            &[0],
        ]
        .concat();
        assert_eq!(read(&schema, &wire), Ok(value.clone()));
        assert_eq!(written(&schema, &value), wire);
    }
    assert!(malformed(&schema, &[0x14, 0x80, 0x80, 0x04, 0]));
    assert!(malformed(&schema, &[0x25, 0x80, 0x80, 0x80, 0x80, 0x10, 0]));
    assert!(malformed(&schema, &[0x36, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0]));
    assert!(malformed(&schema, &[&[0x36][..], &[0x80; 20], &[0]].concat()), "a number without end");
    // Passed over, they are looked at only as far as to find their end.
    assert!(malformed(&one(&[]), &[&[0x36][..], &[0x80; 20], &[0]].concat()));
}

#[test]
fn an_empty_map_is_a_byte() {
    let schema = one(&[(1, map(Type::String, Type::I64)), (2, list(Type::I8))]);
    let value = fields([Value::Map(vec![]), Value::List(vec![])]);
    assert_eq!(read(&schema, &[0x1B, 0, 0x19, 0x03, 0]), Ok(value.clone()));
    assert_eq!(written(&schema, &value), [0x1B, 0, 0x19, 0x03, 0]);
    assert_eq!(read(&schema, &[0x1B, 0, 0x19, 0x0F, 0]), Ok(value), "an empty list may name any type");
}

#[test]
fn sizes_are_compared_with_what_is_there() {
    let schema = one(&[(1, Type::String), (2, list(Type::I64)), (3, list(Type::Double)), (4, map(Type::I8, Type::I8))]);
    let huge = [0xFF, 0xFF, 0xFF, 0xFF, 0x07];
    for field in [0x18, 0x98] {
        assert!(malformed(&schema, &[&[field][..], &huge, &[0]].concat()));
        assert!(malformed(&schema, &[field, 2, b'a']));
    }
    for field in [0x29, 0x99, 0x9A] {
        assert!(malformed(&schema, &[&[field, 0xF6][..], &huge, &[0]].concat()));
        assert!(malformed(&schema, &[field, 0x46, 0, 0, 0]));
    }
    assert!(malformed(&schema, &[&[0x39, 0x27][..], &[0; 15]].concat()), "doubles take eight bytes each");
    for field in [0x4B, 0x9B] {
        assert!(malformed(&schema, &[&[field][..], &huge, &[0x33, 0]].concat()));
        assert!(malformed(&schema, &[field, 2, 0x33, 0, 0, 0]));
    }
    assert!(malformed(&schema, &[&[0x29, 0xF6][..], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], &[0]].concat()));
}

#[test]
fn types_that_do_not_exist_are_refused() {
    let schema = one(&[(1, Type::I8)]);
    for wire in
        [&[0x10, 0][..], &[0x2E, 0], &[0x2F, 0], &[0x29, 0x10, 0, 0], &[0x29, 0x1E, 0, 0], &[0x2B, 1, 0x03, 0, 0, 0]]
    {
        assert!(malformed(&schema, wire), "{wire:02X?}");
    }
}

#[test]
fn strings_that_are_not_utf8_are_errors_where_that_is_asked_for() {
    assert_eq!(read(&one(&[(1, Type::String)]), &[0x18, 1, 0xFF, 0]), Err(DecodeError::Utf8));
}

#[test]
fn of_a_field_that_comes_twice_the_last_counts() {
    let schema = one(&[(1, Type::Bool)]);
    assert_eq!(read(&schema, &[0x11, 0x02, 2, 0]), Ok(fields([Value::Bool(false)])));
}

#[test]
fn heads_have_protocol_and_version() {
    let good = [0x82, 0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, b'm', 0];
    let head = read_head(Protocol::Compact, &good).unwrap();
    assert_eq!((head.name, head.kind, head.sequence, head.len), (&b"m"[..], MessageKind::Reply, -1, 9));
    for (at, byte) in [(0, 0x80), (1, 0x42), (1, 0x01), (1, 0xA1), (6, 0x1F), (7, 9)] {
        let mut wrong = good;
        wrong[at] = byte;
        assert!(matches!(read_head(Protocol::Compact, &wrong), Err(DecodeError::Malformed(_))), "byte {at} is {byte}");
    }
}
