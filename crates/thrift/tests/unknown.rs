//! Fields the schema does not know, where it asks for them to be kept.

mod support;

use bytes::{Bytes, BytesMut};
use support::{BUFFERED, Tape, Value, every_type, put_message};
use volo_js_schema::{Field, Schema, Struct, Type};
use volo_js_tape::testing::OutWriter;
use volo_js_thrift::{
    EncodeError, Limits, MAX_DEPTH, Program, Protocol, Transport, Wire, decode_struct, encode_call, read_head,
};

const ARGS: u32 = 4;

/// A schema that keeps, whose method `echo` takes so many bools, with even ids.
fn keeping(fields: usize) -> Schema {
    let mut schema = support::keeping(every_type());
    let template = schema.structs[0].fields[0].clone();
    schema.structs[ARGS as usize].fields = (0..fields)
        .map(|n| Field { id: 2 * n as i32, name: format!("f{n}"), ty: Type::Bool, ..template.clone() })
        .collect();
    schema
}

fn read(schema: &Schema, wire: &[u8]) -> Value {
    let program = Program::compile(schema).expect("a sound schema");
    let mut tape = Tape::new(4096, 4096, 4096);
    let mut body = Bytes::copy_from_slice(wire);
    tape.message(|to| decode_struct(&program, Protocol::Binary, ARGS, &mut body, &Limits::default(), to))
        .expect("a struct");
    tape.read(schema, ARGS).remove(0)
}

fn write(schema: &Schema, value: &Value, wire: Wire) -> Result<Vec<u8>, EncodeError> {
    let program = Program::compile(schema).expect("a sound schema");
    let mut writer = OutWriter::new();
    let body = put_message(schema, ARGS, value, &mut writer);
    writer.finish();
    let mut out = BytesMut::new();
    encode_call(&program, 0, 1, &writer.tape(), body, wire, &mut out)?;
    let head = read_head(wire.protocol, &out).expect("a head").len;
    Ok(out[head..].to_vec())
}

/// A struct with this kept, and no field.
fn kept(schema: &Schema, bytes: &[u8]) -> Value {
    let mut values = vec![None; schema.structs[ARGS as usize].fields.len()];
    values.push(Some(Value::Binary(bytes.to_vec())));
    Value::Struct(values)
}

#[test]
fn they_come_as_one_binary_in_their_order() {
    let schema = keeping(2);
    let (first, second) = ([3, 0, 1, 7], [11, 0, 7, 0, 0, 0, 1, b'x']);
    let wire = [&first[..], &[2, 0, 2, 1], &second, &[0]].concat();
    let expected =
        Value::Struct(vec![None, Some(Value::Bool(true)), Some(Value::Binary([&first[..], &second].concat()))]);
    assert_eq!(read(&schema, &wire), expected);
    // Behind the fields that are known they go back.
    assert_eq!(write(&schema, &expected, BUFFERED), Ok([&[2, 0, 2, 1], &first[..], &second, &[0]].concat()));
    assert_eq!(read(&schema, &[0]), Value::Struct(vec![None; 3]), "there is nothing to keep");
}

#[test]
fn a_field_of_another_type_is_kept() {
    let schema = keeping(1);
    assert_eq!(read(&schema, &[3, 0, 0, 7, 0]), kept(&schema, &[3, 0, 0, 7]));
}

#[test]
fn the_slot_is_behind_any_number_of_fields() {
    for fields in [0, 1, 63, 64, 65, 128] {
        let schema = keeping(fields);
        let field = [3, 0, 1, 7];
        let value = kept(&schema, &field);
        let wire = [&field[..], &[0]].concat();
        assert_eq!(read(&schema, &wire), value, "{fields} fields");
        assert_eq!(write(&schema, &value, BUFFERED), Ok(wire), "{fields} fields");
    }
}

#[test]
fn a_struct_that_does_not_keep_may_stand_in_one_that_does() {
    let mut schema = keeping(1);
    let plain = schema.structs.len() as u32;
    schema.structs.push(Struct { keep_unknown: false, fields: Vec::new(), ..schema.structs[0].clone() });
    schema.structs[ARGS as usize].fields[0].ty = Type::Struct(plain);
    let wire = [12, 0, 0, 3, 0, 9, 1, 0, 3, 0, 9, 2, 0];
    let value = Value::Struct(vec![Some(Value::Struct(Vec::new())), Some(Value::Binary(vec![3, 0, 9, 2]))]);
    assert_eq!(read(&schema, &wire), value);
    assert_eq!(write(&schema, &value, BUFFERED), Ok(vec![12, 0, 0, 0, 3, 0, 9, 2, 0]));
}

#[test]
fn structs_inside_of_each_other_keep_their_own() {
    let mut schema = keeping(1);
    schema.structs[ARGS as usize].fields[0].ty = Type::Struct(ARGS);
    let wire = [3, 0, 9, 1, 12, 0, 0, 3, 0, 9, 2, 12, 0, 0, 0, 3, 0, 9, 3, 0, 3, 0, 9, 4, 0];
    let bytes = |bytes: &[u8]| Some(Value::Binary(bytes.to_vec()));
    let innermost = Value::Struct(vec![None, None]);
    let middle = Value::Struct(vec![Some(innermost), bytes(&[3, 0, 9, 2, 3, 0, 9, 3])]);
    assert_eq!(read(&schema, &wire), Value::Struct(vec![Some(middle), bytes(&[3, 0, 9, 1, 3, 0, 9, 4])]));
}

#[test]
fn what_was_not_read_is_not_written() {
    let schema = keeping(0);
    for protocol in [Protocol::Binary, Protocol::BinaryNonStrict, Protocol::Compact, Protocol::Json] {
        let wire = Wire::new(Transport::Buffered, protocol);
        for wrong in
            [&[0][..], &[3, 0, 1], &[3, 0, 1, 7, 0], &[5, 0, 1, 7], &[11, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF], &[12, 0, 1]]
        {
            let error = write(&schema, &kept(&schema, wrong), wire).unwrap_err();
            assert!(matches!(error, EncodeError::Kept(_)), "{protocol:?} {wrong:?}: {error}");
        }
        let deep = |levels: usize| [[12, 0, 1].repeat(levels), vec![0; levels]].concat();
        assert!(write(&schema, &kept(&schema, &deep(MAX_DEPTH - 1)), wire).is_ok());
        let error = write(&schema, &kept(&schema, &deep(MAX_DEPTH)), wire).unwrap_err();
        assert_eq!(error, EncodeError::DepthLimit(MAX_DEPTH));
    }
}
