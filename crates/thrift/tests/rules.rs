//! What counts, what is passed over, what is refused: the rules of reading and writing, one by one.

mod support;

use bytes::{Bytes, BytesMut};
use support::{BUFFERED, Tape, Value, every_type, head, item_schema, list, one, put_message};
use volo_js_schema::{Requiredness, Schema, StructKind, Type};
use volo_js_tape::OutTape;
use volo_js_tape::testing::OutWriter;
use volo_js_thrift::{
    ApplicationException, DecodeError, EncodeError, Limits, MAX_DEPTH, MessageKind, Program, ProgramError, Protocol,
    Transport, Wire, decode_exception, decode_struct, encode_call, encode_exception, encode_reply, read_head,
};

/// `Choice` (a union) and `Strict` (two required fields) of the fixture.
const CHOICE: u32 = 1;
const STRICT: u32 = 2;

fn read(schema: &Schema, index: u32, wire: &[u8]) -> Result<Value, DecodeError> {
    read_within(schema, index, wire, &Limits::default())
}

fn read_within(schema: &Schema, index: u32, wire: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    let program = Program::compile(schema).expect("a sound schema");
    let mut tape = Tape::new(4096, 4096, 4096);
    let mut body = Bytes::copy_from_slice(wire);
    tape.message(|message| decode_struct(&program, Protocol::Binary, index, &mut body, limits, message))?;
    Ok(tape.read(schema, index).remove(0))
}

#[test]
fn a_missing_required_field_is_named() {
    let error = read(&every_type(), STRICT, &[10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]).unwrap_err();
    assert_eq!(error, DecodeError::MissingRequired { structure: "Strict".into(), field: "title".into() });
    assert_eq!(error.to_string(), "required field title of Strict is missing");
}

#[test]
fn a_required_field_behind_the_first_64_is_missed_too() {
    let mut schema = one(&(0..100).map(|id| (id, Type::Bool)).collect::<Vec<_>>());
    schema.structs[0].fields[99].requiredness = Requiredness::Required;
    let error = read(&schema, 0, &[2, 0, 1, 1, 0]).unwrap_err();
    assert_eq!(error, DecodeError::MissingRequired { structure: "Every".into(), field: "f99".into() });
    let Value::Struct(fields) = read(&schema, 0, &[2, 0, 99, 1, 0]).unwrap() else { panic!() };
    assert!(fields[99].is_some() && fields[..99].iter().all(Option::is_none));
}

#[test]
fn of_several_members_of_a_union_the_last_counts() {
    let wire = [10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 11, 0, 2, 0, 0, 0, 1, b'b', 0];
    let expected = Value::Struct(vec![None, Some(Value::String("b".into())), None]);
    assert_eq!(read(&every_type(), CHOICE, &wire), Ok(expected));
    assert_eq!(read(&every_type(), CHOICE, &[0]), Ok(Value::Struct(vec![None; 3])), "no known member");
}

#[test]
fn a_union_of_many_members_has_one() {
    let mut schema = one(&(0..100).map(|id| (id, Type::Bool)).collect::<Vec<_>>());
    schema.structs[0].kind = StructKind::Union;
    for (wire, last) in [([2, 0, 90, 1, 2, 0, 3, 1, 0], 3), ([2, 0, 3, 1, 2, 0, 90, 1, 0], 90)] {
        let Value::Struct(fields) = read(&schema, 0, &wire).unwrap() else { panic!() };
        assert_eq!(fields.iter().flatten().count(), 1);
        assert!(fields[last].is_some());
    }
}

#[test]
fn of_a_field_that_comes_twice_the_last_counts() {
    let schema = one(&[(1, Type::I8)]);
    assert_eq!(read(&schema, 0, &[3, 0, 1, 5, 3, 0, 1, 0xFF, 0]), Ok(Value::Struct(vec![Some(Value::I8(-1))])));
}

#[test]
fn a_field_of_another_type_is_passed_over() {
    let schema = one(&[(1, Type::I8), (2, Type::Bool)]);
    let expected = Value::Struct(vec![None, Some(Value::Bool(true))]);
    assert_eq!(read(&schema, 0, &[6, 0, 1, 9, 9, 2, 0, 2, 0x80, 0]), Ok(expected));
}

#[test]
fn a_container_of_other_elements_is_passed_over_at_any_level() {
    let schema = one(&[(1, list(list(Type::I8))), (2, Type::Map(Box::new(Type::I8), Box::new(Type::I8)))]);
    let good = [15, 0, 1, 15, 0, 0, 0, 1, 3, 0, 0, 0, 1, 7];
    let outer = [15, 0, 1, 3, 0, 0, 0, 2, 1, 2];
    let inner = [15, 0, 1, 15, 0, 0, 0, 2, 3, 0, 0, 0, 1, 7, 6, 0, 0, 0, 1, 0, 9];
    let map = [13, 0, 2, 3, 6, 0, 0, 0, 1, 1, 0, 2];
    let value = Some(Value::List(vec![Value::List(vec![Value::I8(7)])]));
    for other in [&outer[..], &inner, &map] {
        let alone = [other, &[0]].concat();
        assert_eq!(read(&schema, 0, &alone), Ok(Value::Struct(vec![None, None])));
        let after = [&good, other, &[0]].concat();
        assert_eq!(read(&schema, 0, &after), Ok(Value::Struct(vec![value.clone(), None])), "what came before stays");
    }
}

#[test]
fn an_empty_container_may_name_any_type() {
    let schema = one(&[(1, list(Type::I8)), (2, Type::Map(Box::new(Type::I8), Box::new(Type::I8)))]);
    let wire = [15, 0, 1, 0x63, 0, 0, 0, 0, 13, 0, 2, 0, 0, 0, 0, 0, 0, 0];
    let expected = Value::Struct(vec![Some(Value::List(vec![])), Some(Value::Map(vec![]))]);
    assert_eq!(read(&schema, 0, &wire), Ok(expected));
}

#[test]
fn ids_may_be_negative_or_far_apart() {
    let schema = one(&[(i16::MIN, Type::I8), (i16::MAX, Type::I8), (-1, Type::I8)]);
    let wire = [3, 0x80, 0, 1, 3, 0x7F, 0xFF, 2, 3, 0xFF, 0xFF, 3, 3, 0, 0, 4, 0];
    let expected = [1, 2, 3].map(|n| Some(Value::I8(n))).to_vec();
    assert_eq!(read(&schema, 0, &wire), Ok(Value::Struct(expected)));
}

#[test]
fn lengths_and_counts_are_compared_with_what_is_there() {
    let schema = one(&[(1, Type::String), (2, list(Type::I64)), (3, list(Type::Struct(3))), (4, Type::Binary)]);
    let malformed = |wire: &[u8]| matches!(read(&schema, 0, wire), Err(DecodeError::Malformed(_)));
    for field in [1, 4] {
        assert!(malformed(&[11, 0, field, 0xFF, 0xFF, 0xFF, 0xFF, 0]));
        assert!(malformed(&[11, 0, field, 0x7F, 0xFF, 0xFF, 0xFF, 0]));
        assert!(malformed(&[11, 0, field, 0, 0, 0, 2, 0]));
    }
    assert!(malformed(&[15, 0, 2, 10, 0xFF, 0xFF, 0xFF, 0xFF, 0]));
    assert!(malformed(&[15, 0, 2, 10, 0x7F, 0xFF, 0xFF, 0xFF, 0]));
    assert!(malformed(&[15, 0, 3, 12, 0, 0, 0, 3, 0, 0]));
    // The same where nobody wants the field.
    assert!(malformed(&[11, 0, 9, 0xFF, 0xFF, 0xFF, 0xFF, 0]));
    assert!(malformed(&[13, 0, 9, 12, 12, 0x7F, 0xFF, 0xFF, 0xFF, 0]));
}

#[test]
fn slots_of_a_message_are_limited() {
    let schema = one(&[(1, list(Type::Struct(0)))]);
    let program = Program::compile(&schema).unwrap();
    let count = 1000_u32;
    let mut wire = vec![15, 0, 1, 12];
    wire.extend(count.to_be_bytes());
    wire.extend(vec![0; count as usize + 1]);
    let decode = |max: usize| {
        let mut buffers = Tape::new(10_000, 0, 0);
        let mut tape =
            volo_js_tape::InTape::new(&mut buffers.slots, &mut buffers.text, &mut buffers.bytes, &mut buffers.state);
        let mut message = tape.begin(&support::HEADER, max).unwrap();
        decode_struct(
            &program,
            Protocol::Binary,
            0,
            &mut Bytes::copy_from_slice(&wire),
            &Limits::default(),
            &mut message,
        )
    };
    let needed = 4 + 2 + 1000 + 2 * 1000;
    assert_eq!(decode(needed), Ok(()));
    assert_eq!(decode(needed - 1), Err(DecodeError::SlotLimit));
    assert!(matches!(decode(20_000), Ok(())));
}

#[test]
fn depth_is_limited_in_what_the_schema_knows() {
    let schema = one(&[(1, Type::Struct(0))]);
    let nested = |levels: usize| [[12, 0, 1].repeat(levels - 1), vec![0; levels]].concat();
    assert!(read(&schema, 0, &nested(64)).is_ok());
    assert_eq!(read(&schema, 0, &nested(65)), Err(DecodeError::DepthLimit(64)));
    let deep = Limits { depth: usize::MAX, ..Limits::default() };
    assert!(read_within(&schema, 0, &nested(MAX_DEPTH), &deep).is_ok());
    assert_eq!(read_within(&schema, 0, &nested(100_000), &deep), Err(DecodeError::DepthLimit(MAX_DEPTH)));
}

#[test]
fn invalid_utf8_is_kept_for_the_reader_to_replace() {
    let schema = one(&[(1, Type::String)]);
    let expected = Value::Struct(vec![Some(Value::String("a\u{FFFD}b".into()))]);
    assert_eq!(read(&schema, 0, &[11, 0, 1, 0, 0, 0, 3, b'a', 0xFF, b'b', 0]), Ok(expected));
}

#[test]
fn invalid_utf8_is_an_error_where_that_is_asked_for() {
    let strict = Limits { strict_utf8: true, ..Limits::default() };
    let text = one(&[(1, Type::String)]);
    let invalid = [11, 0, 1, 0, 0, 0, 3, b'a', 0xFF, b'b', 0];
    assert_eq!(read_within(&text, 0, &invalid, &strict), Err(DecodeError::Utf8));
    let valid = [11, 0, 1, 0, 0, 0, 2, 0xC3, 0xA4, 0];
    assert_eq!(read_within(&text, 0, &valid, &strict), Ok(Value::Struct(vec![Some(Value::String("ä".into()))])));
    // The same bytes are nothing wrong in a binary, or in a field nobody knows.
    assert!(read_within(&one(&[(1, Type::Binary)]), 0, &invalid, &strict).is_ok());
    assert!(read_within(&one(&[(2, Type::String)]), 0, &invalid, &strict).is_ok());
}

#[test]
fn heads() {
    let message = head("GetItem", 4, -2);
    let read = read_head(Protocol::Binary, &message).unwrap();
    assert_eq!((read.name, read.kind, read.sequence), (&b"GetItem"[..], MessageKind::Oneway, -2));
    assert_eq!(read.len, message.len());
    for end in 0..message.len() {
        assert!(read_head(Protocol::Binary, &message[..end]).is_err());
    }
    for (at, byte) in [(0, 0), (1, 2), (3, 0), (3, 5), (4, 0xFF), (4, 0x7F)] {
        let mut wrong = message.clone();
        wrong[at] = byte;
        assert!(matches!(read_head(Protocol::Binary, &wrong), Err(DecodeError::Malformed(_))), "byte {at} is {byte}");
    }
}

#[test]
fn exceptions_both_ways() {
    for wire in [Wire::default(), BUFFERED] {
        let mut out = BytesMut::new();
        encode_exception(b"na\xFFme", 5, 1, "unknown method", wire, &mut out).unwrap();
        let message = match wire.transport {
            Transport::Framed => {
                assert_eq!(out[..4], ((out.len() - 4) as i32).to_be_bytes());
                &out[4..]
            }
            _ => &out[..],
        };
        let head = read_head(Protocol::Binary, message).unwrap();
        assert_eq!((head.name, head.kind, head.sequence), (&b"na\xFFme"[..], MessageKind::Exception, 5));
        let mut body = Bytes::copy_from_slice(&message[head.len..]);
        let expected = ApplicationException { kind: 1, message: Bytes::from_static(b"unknown method") };
        assert_eq!(decode_exception(Protocol::Binary, &mut body, &Limits::default()), Ok(expected));
        assert!(body.is_empty());
    }
}

#[test]
fn an_exception_may_say_nothing_or_too_much() {
    let read =
        |wire: &'static [u8]| decode_exception(Protocol::Binary, &mut Bytes::from_static(wire), &Limits::default());
    assert_eq!(read(&[0]), Ok(ApplicationException { kind: 0, message: Bytes::new() }));
    assert_eq!(
        read(&[8, 0, 1, 0, 0, 0, 9, 2, 0, 7, 1, 0]),
        Ok(ApplicationException { kind: 0, message: Bytes::new() })
    );
    assert!(matches!(read(&[11, 0, 1, 0, 0, 0, 9, 0]), Err(DecodeError::Malformed(_))));
    assert!(matches!(read(&[]), Err(DecodeError::Malformed(_))));
}

/// Encodes an `echo` call of a struct with this one field.
fn write(ty: &Type, put: impl FnOnce(&mut OutWriter, usize)) -> Result<BytesMut, EncodeError> {
    let program = Program::compile(&one(&[(1, ty.clone())])).expect("a sound schema");
    let mut writer = OutWriter::new();
    let body = writer.begin(&support::HEADER);
    let args = writer.alloc_struct(1);
    writer.mark_present(args, 0);
    let every = writer.alloc_struct(1);
    writer.point(args + 1, every, 0);
    writer.mark_present(every, 0);
    put(&mut writer, every + 1);
    writer.commit();
    writer.finish();
    let mut out = BytesMut::from(&b"before"[..]);
    let written = encode_call(&program, 0, 1, &writer.tape(), body, Wire::default(), &mut out);
    if written.is_err() {
        assert_eq!(&out[..], b"before");
    }
    written.map(|_| out)
}

#[test]
fn refuses_numbers_that_do_not_fit() {
    for (ty, fits, over) in [(Type::I8, -128, 128), (Type::I16, 32767, -32769)] {
        assert!(write(&ty, |tape, slot| tape.set_i32(slot, fits, 0)).is_ok());
        let error = write(&ty, |tape, slot| tape.set_i32(slot, over, 0)).unwrap_err();
        assert!(matches!(error, EncodeError::OutOfRange { value, .. } if value == over));
        let in_list = |tape: &mut OutWriter, slot: usize| {
            let first = tape.alloc(1);
            tape.point(slot, first, 1);
            tape.set_i32(first, over, 0);
        };
        assert!(matches!(write(&list(ty), in_list), Err(EncodeError::OutOfRange { .. })));
    }
}

#[test]
fn refuses_uuids_that_are_none() {
    assert!(write(&Type::Uuid, |tape, slot| tape.put_string(slot, "00112233-4455-6677-8899-AABBCCDDEEFF")).is_ok());
    let wrong = write(&Type::Uuid, |tape, slot| tape.put_string(slot, "00112233-4455-6677-8899-aabbccddeef"));
    assert_eq!(wrong, Err(EncodeError::Uuid));
    let halves = [&[0xDE00][..], &"0".repeat(35).encode_utf16().collect::<Vec<_>>()].concat();
    assert_eq!(write(&Type::Uuid, |tape, slot| tape.put_units(slot, &halves)), Err(EncodeError::Uuid));
}

#[test]
fn refuses_values_that_contain_themselves() {
    let error = write(&Type::Struct(0), |tape, slot| tape.point(slot, slot - 1, 0)).unwrap_err();
    assert_eq!(error, EncodeError::DepthLimit(MAX_DEPTH));
}

#[test]
fn refuses_containers_that_leave_the_tape() {
    for count in [3, u32::MAX, 1 << 31] {
        let list = write(&list(Type::I32), |tape, slot| tape.point(slot, slot, count));
        assert!(matches!(list, Err(EncodeError::Tape(_))), "{list:?}");
        let map = Type::Map(Box::new(Type::I32), Box::new(Type::I32));
        let map = write(&map, |tape, slot| tape.point(slot, slot, count));
        assert!(matches!(map, Err(EncodeError::Tape(_))), "{map:?}");
    }
}

#[test]
fn refuses_a_missing_required_field() {
    let schema = item_schema();
    let program = Program::compile(&schema).unwrap();
    let item = Value::Struct(vec![Some(Value::I64(1)), Some(Value::String("t".into())), None, None]);
    let result = Value::Struct(vec![Some(Value::Struct(vec![Some(item)]))]);
    let mut writer = OutWriter::new();
    let body = put_message(&schema, 4, &result, &mut writer);
    writer.finish();
    let mut out = BytesMut::new();
    let error =
        encode_reply(&program, 0, MessageKind::Reply, 1, &writer.tape(), body, Wire::default(), &mut out).unwrap_err();
    assert_eq!(error, EncodeError::MissingRequired { structure: "Item".into(), field: "content".into() });
    assert!(out.is_empty());
}

#[test]
fn methods_that_cannot_be_written() {
    let program = Program::compile(&every_type()).unwrap();
    let tape = OutTape::new(&[3, 0, 0], &[], &[]);
    let mut out = BytesMut::new();
    let reply =
        |method, out: &mut BytesMut| encode_reply(&program, method, MessageKind::Reply, 1, &tape, 2, BUFFERED, out);
    assert_eq!(reply(1, &mut out), Err(EncodeError::NoReply("notify".into())));
    assert_eq!(reply(9, &mut out), Err(EncodeError::UnknownMethod(9)));
    encode_call(&program, 1, 6, &tape, 2, BUFFERED, &mut out).unwrap();
    assert_eq!(out, [&head("notify", 4, 6)[..], &[0]].concat(), "a oneway method is called oneway");
}

#[test]
fn schemas_that_cannot_be_compiled() {
    let unknown = |error: ProgramError| matches!(error, ProgramError::UnknownStruct { index: 99, .. });
    for ty in [Type::Struct(99), list(Type::Struct(99)), Type::Map(Box::new(Type::I8), Box::new(Type::Struct(99)))] {
        assert!(unknown(Program::compile(&one(&[(1, ty)])).unwrap_err()));
    }
    let mut schema = every_type();
    schema.methods[0].args = 99;
    assert!(unknown(Program::compile(&schema).unwrap_err()));
    let mut schema = every_type();
    schema.methods[0].result = Some(99);
    assert!(unknown(Program::compile(&schema).unwrap_err()));
    let twice = Program::compile(&one(&[(7, Type::I8), (7, Type::I16)])).unwrap_err();
    assert_eq!(twice, ProgramError::DuplicateId { structure: "Every".into(), id: 7 });
}
