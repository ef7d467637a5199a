//! The rules of the wire format, one by one.

mod support;

use support::{
    Value, Wire, decode, decode_with, delimited, encode, enumeration, item_response, item_schema, list, map, member,
    message, optional, packed, required, schema,
};
use volo_js_protobuf::{DecodeError, EncodeError, Limits, Program, ProgramError};
use volo_js_schema::{Field, Schema, StructKind, Type};

fn one(fields: Vec<Field>) -> Schema {
    schema(vec![message("p.M", fields)])
}

fn malformed(schema: &Schema, wire: &Wire) {
    assert!(
        matches!(decode(schema, 0, &wire.0), Err(DecodeError::Malformed(_))),
        "{:02x?}: {:?}",
        wire.0,
        decode(schema, 0, &wire.0)
    );
}

#[test]
fn methods_are_found_by_their_paths() {
    let program = Program::compile(&item_schema()).unwrap();
    for (n, method) in program.methods().iter().enumerate() {
        assert_eq!(program.find(method.path.as_bytes()), Some(n as u32));
    }
    assert_eq!(program.method(1).path, "/volo.example.ItemService/StreamItems");
    assert!(program.method(1).server_streaming && !program.method(1).client_streaming);
    assert_eq!((program.method(0).args, program.method(0).result), (0, 1));
    for stranger in ["", "/", "/volo.example.ItemService/getItem", "/volo.example.ItemService/GetItem/"] {
        assert_eq!(program.find(stranger.as_bytes()), None);
    }
}

#[test]
fn an_item_both_ways() {
    let (schema, value) = (item_schema(), item_response());
    let entry = |key: &str| Wire::new().len(1, key.as_bytes()).len(2, b"value");
    let item = Wire::new()
        .int(1, 1)
        .len(2, b"Hello gRPC")
        .len(3, b"Powered by Volo")
        .len(10, &entry("a").0)
        .len(10, &entry("b").0)
        .len(10, &entry("ż").0);
    let wire = Wire::new().len(1, &item.0);
    assert_eq!(decode(&schema, 1, &wire.0), Ok(value.clone()));
    assert_eq!(encode(&schema, 1, &value), Ok(wire.0));
}

#[test]
fn every_scalar() {
    let minus = |n: i64| n as u64;
    let float = |n: f32| Value::Long(f64::from(n).to_bits());
    let cases: Vec<(Type, Wire, Value)> = vec![
        (Type::Bool, Wire::new().key(1, 0).raw(&[1]), Value::Bool(true)),
        (Type::I32, Wire::new().int(1, minus(-2)), Value::Word(-2_i32 as u32)),
        (Type::I64, Wire::new().int(1, minus(i64::MIN)), Value::Long(minus(i64::MIN))),
        (Type::Uint32, Wire::new().int(1, u64::from(u32::MAX)), Value::Word(u32::MAX)),
        (Type::Uint64, Wire::new().int(1, u64::MAX), Value::Long(u64::MAX)),
        (Type::Sint32, Wire::new().int(1, 3), Value::Word(-2_i32 as u32)),
        (Type::Sint32, Wire::new().int(1, u64::from(u32::MAX)), Value::Word(i32::MIN as u32)),
        (Type::Sint64, Wire::new().int(1, u64::MAX), Value::Long(minus(i64::MIN))),
        (Type::Fixed32, Wire::new().key(1, 5).raw(&[1, 2, 3, 0x84]), Value::Word(0x8403_0201)),
        (Type::Sfixed32, Wire::new().key(1, 5).raw(&[0xFE, 0xFF, 0xFF, 0xFF]), Value::Word(-2_i32 as u32)),
        (Type::Fixed64, Wire::new().key(1, 1).raw(&[1, 2, 3, 4, 5, 6, 7, 0x88]), Value::Long(0x8807_0605_0403_0201)),
        (Type::Sfixed64, Wire::new().key(1, 1).raw(&[0xFF; 8]), Value::Long(u64::MAX)),
        (Type::Float, Wire::new().key(1, 5).raw(&1.5_f32.to_le_bytes()), float(1.5)),
        (Type::Float, Wire::new().key(1, 5).raw(&(-0.0_f32).to_le_bytes()), float(-0.0)),
        (Type::Double, Wire::new().key(1, 1).raw(&(-0.0_f64).to_le_bytes()), float(-0.0)),
        (Type::Float, Wire::new().key(1, 5).raw(&f32::NEG_INFINITY.to_le_bytes()), float(f32::NEG_INFINITY)),
        (
            Type::Double,
            Wire::new().key(1, 1).raw(&0x7FF0_0000_0000_0001_u64.to_le_bytes()),
            Value::Long(0x7FF0_0000_0000_0001),
        ),
        (Type::String, Wire::new().len(1, "żółw".as_bytes()), Value::text("żółw")),
        (Type::Binary, Wire::new().len(1, &[0xFF, 0]), Value::Binary(vec![0xFF, 0])),
        (Type::Enum(0), Wire::new().int(1, minus(-7)), Value::Word(-7_i32 as u32)),
    ];
    for (ty, wire, value) in cases {
        let schema = Schema {
            enums: vec![enumeration("p.E", false, &[0])],
            ..one(vec![optional(Field::new(1, "a", ty.clone()))])
        };
        let value = Value::of([Some(value)]);
        assert_eq!(decode(&schema, 0, &wire.0), Ok(value.clone()), "{ty:?}");
        assert_eq!(encode(&schema, 0, &value), Ok(wire.0), "{ty:?}");
    }
}

#[test]
fn of_a_field_that_comes_twice_the_last_counts() {
    let schema = one(vec![Field::new(1, "a", Type::I32), Field::new(2, "s", Type::String)]);
    let wire = Wire::new().int(1, 1).len(2, b"one").int(1, 2).len(2, "dwą".as_bytes()).int(1, 0);
    assert_eq!(decode(&schema, 0, &wire.0), Ok(Value::of([Some(Value::Word(0)), Some(Value::text("dwą"))])));
}

#[test]
fn numbers_are_cut_to_their_width() {
    let fields = [Type::Bool, Type::I32, Type::Uint32, Type::Sint32];
    let fields = fields.into_iter().zip(1..).map(|(ty, id)| Field::new(id, "f", ty)).collect();
    let large = 0xFFFF_FFF0_0000_0003_u64;
    let wire = (1..=4).fold(Wire::new(), |wire, number| wire.int(number, large));
    let expected = [Value::Bool(true), Value::Word(3), Value::Word(3), Value::Word(-2_i32 as u32)].map(Some);
    assert_eq!(decode(&one(fields), 0, &wire.0), Ok(Value::of(expected)));
    // A bool is true if any of its bits is set, also one that no 32-bit number has.
    let schema = one(vec![Field::new(1, "b", Type::Bool)]);
    assert_eq!(decode(&schema, 0, &Wire::new().int(1, 1 << 40).0), Ok(Value::of([Some(Value::Bool(true))])));
}

#[test]
fn varints_have_ten_bytes_and_64_bits() {
    let schema = one(vec![Field::new(1, "a", Type::I64)]);
    let value = |bytes: &[u8]| decode(&schema, 0, &Wire::new().key(1, 0).raw(bytes).0);
    assert_eq!(
        value(&[0x83, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
        Ok(Value::of([Some(Value::Long(3))]))
    );
    malformed(&schema, &Wire::new().key(1, 0).raw(&[0x80; 10]).raw(&[0]));
    malformed(&schema, &Wire::new().key(1, 0).raw(&[0xFF; 9]).raw(&[2]));
    malformed(&schema, &Wire::new().key(1, 0).raw(&[0x80]));
    malformed(&schema, &Wire::new().key(1, 0));
}

#[test]
fn keys_have_five_bytes_a_number_and_a_wire_type() {
    let schema = one(vec![Field::new(1, "a", Type::I64), Field::new(536_870_911, "z", Type::I64)]);
    let last = Wire::new().int(536_870_911, 5);
    assert_eq!(decode(&schema, 0, &last.0), Ok(Value::of([None, Some(Value::Long(5))])));
    // Longer than it need be, but not too long.
    let padded = Wire::new().raw(&[0x88, 0x80, 0x80, 0x80, 0]).varint(7);
    assert_eq!(decode(&schema, 0, &padded.0), Ok(Value::of([Some(Value::Long(7)), None])));
    malformed(&schema, &Wire::new().raw(&[0x88, 0x80, 0x80, 0x80, 0x80, 0]).varint(7));
    malformed(&schema, &Wire::new().raw(&[0x88, 0x80, 0x80, 0x80, 0x10]).varint(7));
    for wire in 0..8 {
        malformed(&schema, &Wire::new().key(0, wire).raw(&[0; 10]));
    }
    for wire in [6, 7] {
        malformed(&schema, &Wire::new().key(1, wire).raw(&[0; 10]));
        malformed(&schema, &Wire::new().key(9, wire).raw(&[0; 10]));
    }
}

#[test]
fn lengths_end_where_the_message_does() {
    let inner = message("p.Inner", vec![Field::new(1, "s", Type::String)]);
    let fields = vec![
        Field::new(1, "s", Type::String),
        optional(Field::new(2, "m", Type::Struct(1))),
        packed(Field::new(3, "f", list(Type::Fixed32))),
        packed(Field::new(4, "v", list(Type::I64))),
        Field::new(5, "e", map(Type::I32, Type::I32)),
    ];
    let schema = schema(vec![message("p.M", fields), inner]);
    for number in 1..=6 {
        malformed(&schema, &Wire::new().key(number, 2).varint(3).raw(&[0x08, 0]));
        malformed(&schema, &Wire::new().key(number, 2).varint(u64::MAX));
        malformed(&schema, &Wire::new().key(number, 2).varint(1 << 31));
    }
    // The inner string is as long as the outer message, but longer than its own.
    malformed(&schema, &Wire::new().len(2, &[0x0A, 4]).raw(b"abcd"));
    malformed(&schema, &Wire::new().len(3, &[1, 2, 3, 4, 5]));
    malformed(&schema, &Wire::new().len(4, &[1, 0x82]));
    malformed(&schema, &Wire::new().len(5, &[0x08]));
    for short in [&[0x0D, 1, 2, 3][..], &[0x09, 1, 2, 3, 4, 5, 6, 7]] {
        malformed(&schema, &Wire::new().raw(short));
    }
}

#[test]
fn another_wire_type_than_the_schema_says_is_unknown() {
    let inner = message("p.Inner", vec![]);
    let fields = vec![
        Field::new(1, "a", Type::I32),
        Field::new(2, "s", Type::String),
        Field::new(3, "l", list(Type::Fixed64)),
        Field::new(4, "e", map(Type::I32, Type::I32)),
        optional(Field::new(5, "m", Type::Struct(1))),
        delimited(Field::new(6, "g", Type::Struct(1))),
        Field::new(7, "t", list(Type::String)),
    ];
    let schema = schema(vec![message("p.M", fields), inner]);
    let nothing = Wire::new();
    let wire = Wire::new()
        .len(1, b"x")
        .int(2, 1)
        .int(3, 1)
        .int(4, 1)
        .group(5, &Wire::new().int(9, 9))
        .len(6, &[])
        .key(7, 5)
        .raw(&[1, 2, 3, 4])
        .group(1, &nothing);
    let expected = Value::Message(vec![None; 7], wire.0.clone());
    assert_eq!(decode(&schema, 0, &wire.0), Ok(expected.clone()));
    assert_eq!(encode(&schema, 0, &expected), Ok(wire.0));
}

#[test]
fn unknown_fields_are_kept_in_order() {
    let inner = message("p.Inner", vec![Field::new(1, "b", Type::Binary)]);
    let schema = schema(vec![
        message("p.M", vec![optional(Field::new(1, "m", Type::Struct(1))), Field::new(2, "s", Type::String)]),
        inner,
    ]);
    let (one, two, three) = (Wire::new().int(9, 1), Wire::new().len(8, b"two"), Wire::new().key(7, 5).raw(b"four"));
    // Of the outer message first and last, of the inner one in two parts, with binaries between.
    let wire = Wire::new()
        .raw(&one.0)
        .len(1, &two.clone().len(1, b"a").raw(&three.0).0)
        .len(2, b"s")
        .len(1, &Wire::new().len(1, b"bc").raw(&one.0).0)
        .raw(&two.0)
        .raw(&three.0);
    let inner = Value::Message(vec![Some(Value::Binary(b"bc".to_vec()))], [&two.0[..], &three.0, &one.0].concat());
    let outer = Value::Message(vec![Some(inner), Some(Value::text("s"))], [&one.0[..], &two.0, &three.0].concat());
    assert_eq!(decode(&schema, 0, &wire.0), Ok(outer));
}

#[test]
fn messages_that_come_twice_are_merged() {
    let inner = message(
        "p.Inner",
        vec![
            Field::new(1, "a", Type::I32),
            Field::new(2, "b", Type::I32),
            packed(Field::new(3, "l", list(Type::I32))),
            optional(Field::new(4, "m", Type::Struct(1))),
            Field::new(5, "r", list(Type::Struct(1))),
            Field::new(6, "e", map(Type::String, Type::Struct(1))),
        ],
    );
    let outer = message(
        "p.M",
        vec![
            optional(Field::new(1, "m", Type::Struct(1))),
            member(0, Field::new(2, "x", Type::Struct(1))),
            member(0, Field::new(3, "y", Type::Struct(1))),
            member(0, Field::new(4, "z", Type::I32)),
        ],
    );
    let schema = schema(vec![outer, inner]);
    let leaf = |a: Option<u32>| Value::of([a.map(Value::Word), None, None, None, None, None]);
    let first = Wire::new().int(1, 1).int(2, 2).int(3, 1).len(4, &[0x08, 1]).len(5, &[0x08, 1]).len(6, &[0x0A, 0]);
    let second = Wire::new().int(1, 3).len(3, &[2, 3]).len(4, &[0x10, 2]).len(5, &[]).len(6, &[0x12, 2, 8, 9]);
    let merged = Value::of([
        Some(Value::Word(3)),
        Some(Value::Word(2)),
        Some(Value::words(&[1, 2, 3])),
        Some(Value::of([Some(Value::Word(1)), Some(Value::Word(2)), None, None, None, None])),
        Some(Value::List(vec![leaf(Some(1)), leaf(None)])),
        Some(Value::Map(vec![(Value::text(""), leaf(None)), (Value::text(""), leaf(Some(9)))])),
    ]);
    let wire = Wire::new().len(1, &first.0).len(1, &second.0);
    assert_eq!(decode(&schema, 0, &wire.0), Ok(Value::of([Some(merged.clone()), None, None, None])));
    // Members of a oneof are merged with themselves and replaced by each other.
    let wire = Wire::new().len(2, &first.0).len(2, &second.0);
    assert_eq!(decode(&schema, 0, &wire.0), Ok(Value::of([None, Some(merged), None, None])));
    let wire = Wire::new().len(2, &first.0).len(3, &[0x10, 2]).len(2, &[0x08, 1]);
    assert_eq!(decode(&schema, 0, &wire.0), Ok(Value::of([None, Some(leaf(Some(1))), None, None])));
    let wire = Wire::new().len(2, &first.0).int(4, 0);
    assert_eq!(decode(&schema, 0, &wire.0), Ok(Value::of([None, None, None, Some(Value::Word(0))])));
}

#[test]
fn repeated_fields_are_read_packed_and_not() {
    for ty in [Type::I32, Type::Fixed32, Type::Enum(0), Type::Enum(1)] {
        let put = |wire: Wire, value: u32| match ty {
            Type::Fixed32 => wire.raw(&value.to_le_bytes()),
            _ => wire.varint(u64::from(value)),
        };
        let (code, value) = (if ty == Type::Fixed32 { 5 } else { 0 }, Value::words(&[1, 2, 3, 1]));
        let single = |wire: Wire, value| put(wire.key(1, code), value);
        let many = |wire: Wire, values: &[u32]| wire.len(1, &values.iter().fold(Wire::new(), |w, v| put(w, *v)).0);
        let apart = [1, 2, 3, 1].into_iter().fold(Wire::new(), single);
        let together = many(Wire::new(), &[1, 2, 3, 1]);
        let mixed = single(many(single(Wire::new(), 1).int(2, 4), &[2, 3]).len(1, &[]), 1);
        for packed in [false, true] {
            let field = Field { packed, ..Field::new(1, "l", list(ty.clone())) };
            let schema = Schema {
                enums: vec![enumeration("p.O", false, &[0]), enumeration("p.C", true, &[1, 2, 3])],
                ..one(vec![field, Field::new(2, "i", Type::I32)])
            };
            let expected = Value::of([Some(value.clone()), None]);
            for wire in [&apart, &together] {
                assert_eq!(decode(&schema, 0, &wire.0).as_ref(), Ok(&expected));
            }
            let with = Value::of([Some(value.clone()), Some(Value::Word(4))]);
            assert_eq!(decode(&schema, 0, &mixed.0), Ok(with));
            assert_eq!(encode(&schema, 0, &expected).as_ref(), Ok(if packed { &together.0 } else { &apart.0 }));
            assert_eq!(decode(&schema, 0, &[0x0A, 0]), Ok(Value::of([None, None])), "nothing came");
            assert_eq!(encode(&schema, 0, &Value::of([Some(Value::List(vec![])), None])), Ok(vec![]));
        }
    }
}

#[test]
fn numbers_a_closed_enum_does_not_name_are_unknown() {
    let fields = vec![
        optional(Field::new(1, "a", Type::Enum(0))),
        Field::new(2, "l", list(Type::Enum(0))),
        Field::new(3, "e", map(Type::I32, Type::Enum(0))),
        member(0, Field::new(4, "x", Type::Enum(0))),
        member(0, Field::new(5, "y", Type::I32)),
    ];
    for numbers in [&[1, 2, 3][..], &[-5, 1, 2, 3, 70]] {
        let schema = Schema { enums: vec![enumeration("p.E", true, numbers)], ..one(fields.clone()) };
        let wire = Wire::new()
            .int(1, 2)
            .int(1, 9)
            .int(2, 1)
            .int(2, 8)
            .len(2, &Wire::new().varint(3).varint(-4_i64 as u64).varint(2).0)
            .len(3, &[0x08, 1, 0x10, 1])
            .len(3, &[0x08, 2, 0x10, 9])
            .int(5, 1)
            .int(4, 7);
        let unknown = Wire::new().int(1, 9).int(2, 8).int(2, -4_i64 as u64).len(3, &[0x08, 2, 0x10, 9]).int(4, 7);
        let fields = vec![
            Some(Value::Word(2)),
            Some(Value::words(&[1, 3, 2])),
            Some(Value::Map(vec![(Value::Word(1), Value::Word(1))])),
            None,
            Some(Value::Word(1)),
        ];
        assert_eq!(decode(&schema, 0, &wire.0), Ok(Value::Message(fields, unknown.0)));
        // Only unknown ones: the list has no element.
        let alone = decode(&schema, 0, &Wire::new().len(2, &[9]).0);
        assert_eq!(alone, Ok(Value::Message(vec![None; 5], Wire::new().int(2, 9).0)));
    }
}

#[test]
fn what_an_entry_lacks_is_the_default() {
    let inner = message("p.Inner", vec![Field::new(1, "a", Type::I32), Field::new(2, "b", Type::I32)]);
    let fields = vec![
        Field::new(1, "s", map(Type::String, Type::Binary)),
        Field::new(2, "m", map(Type::Sint64, Type::Struct(1))),
    ];
    let schema = schema(vec![message("p.M", fields), inner]);
    let wire = Wire::new()
        .len(1, &[])
        .len(1, &Wire::new().len(2, b"v").len(1, b"k").len(2, b"w").int(3, 1).0)
        .len(2, &[0x08, 3])
        // A value in two parts, of which the first is not a message on the wire.
        .len(2, &Wire::new().int(2, 1).len(2, &[0x08, 1]).len(2, &[0x10, 2]).0);
    let pairs = [
        Value::Map(vec![(Value::text(""), Value::Binary(vec![])), (Value::text("k"), Value::Binary(b"w".to_vec()))]),
        Value::Map(vec![
            (Value::Long(-2_i64 as u64), Value::of([None, None])),
            (Value::Long(0), Value::of([Some(Value::Word(1)), Some(Value::Word(2))])),
        ]),
    ];
    let value = Value::of(pairs.map(Some));
    assert_eq!(decode(&schema, 0, &wire.0), Ok(value.clone()));
    let written = Wire::new()
        .len(1, &[0x0A, 0, 0x12, 0])
        .len(1, &[0x0A, 1, b'k', 0x12, 1, b'w'])
        .len(2, &[0x08, 3, 0x12, 0])
        .len(2, &[0x08, 0, 0x12, 4, 8, 1, 0x10, 2]);
    assert_eq!(encode(&schema, 0, &value), Ok(written.0));
}

#[test]
fn an_entry_without_a_value_has_the_first_number_of_a_closed_enum() {
    let fields = vec![Field::new(1, "e", map(Type::I32, Type::Enum(0)))];
    for (closed, numbers, expected) in [
        (true, &[3, 1, 2][..], 3),
        (true, &[-5, 70], -5),
        (true, &[1, 0], 1),
        // The first of an open one is zero.
        (false, &[0, 1], 0),
    ] {
        let schema = Schema { enums: vec![enumeration("p.E", closed, numbers)], ..one(fields.clone()) };
        let value = Value::of([Some(Value::Map(vec![(Value::Word(7), Value::Word(expected as u32))]))]);
        assert_eq!(decode(&schema, 0, &Wire::new().len(1, &[0x08, 7]).0), Ok(value.clone()), "{numbers:?}");
        let written = Wire::new().len(1, &Wire::new().int(1, 7).int(2, i64::from(expected) as u64).0);
        assert_eq!(encode(&schema, 0, &value), Ok(written.0.clone()), "{numbers:?}");
        assert_eq!(decode(&schema, 0, &written.0), Ok(value), "{numbers:?}");
    }
}

#[test]
fn groups_end_where_their_tag_says() {
    let inner = message("p.Inner", vec![Field::new(1, "a", Type::I32), delimited(Field::new(2, "g", Type::Struct(1)))]);
    let fields = vec![
        delimited(Field::new(1, "g", Type::Struct(1))),
        delimited(Field::new(300, "r", list(Type::Struct(1)))),
        Field::new(3, "a", Type::I32),
    ];
    let schema = schema(vec![message("p.M", fields), inner]);
    let leaf = |a| Value::of([Some(Value::Word(a)), None]);
    let wire = Wire::new()
        .group(1, &Wire::new().int(1, 1).group(2, &Wire::new().int(1, 2)))
        .group(300, &Wire::new().int(1, 3))
        .group(300, &Wire::new())
        .int(3, 4);
    let value = Value::of([
        Some(Value::of([Some(Value::Word(1)), Some(leaf(2))])),
        Some(Value::List(vec![leaf(3), Value::of([None, None])])),
        Some(Value::Word(4)),
    ]);
    assert_eq!(decode(&schema, 0, &wire.0), Ok(value.clone()));
    assert_eq!(encode(&schema, 0, &value), Ok(wire.0));
    let wrong = [
        Wire::new().key(1, 3),
        Wire::new().key(1, 4),
        Wire::new().key(1, 3).key(3, 4),
        Wire::new().key(1, 3).key(2, 3).key(1, 4).key(2, 4),
        Wire::new().key(9, 3).key(8, 4),
        Wire::new().key(9, 3).key(8, 3).key(8, 4),
        Wire::new().int(3, 1).key(9, 4),
        // A length ends within a group.
        Wire::new().len(9, b"").key(1, 3).len(2, &[0x0C]),
    ];
    for wire in &wrong {
        malformed(&schema, wire);
    }
}

#[test]
fn strings_are_utf8_unless_that_is_not_checked() {
    let field = |unchecked_utf8| Field { unchecked_utf8, ..Field::new(1, "s", Type::String) };
    for bad in [&b"\xFF"[..], b"abc\xC3", &[b"x".repeat(2000), b"\x80".to_vec()].concat()] {
        let wire = Wire::new().len(1, bad).0;
        let refused = DecodeError::Utf8 { message: "p.M".into(), field: "s".into() };
        assert_eq!(decode(&one(vec![field(false)]), 0, &wire), Err(refused));
        let taken = Value::of([Some(Value::String(bad.to_vec()))]);
        assert_eq!(decode(&one(vec![field(true)]), 0, &wire), Ok(taken));
    }
    // The innermost field is named, whatever holds it.
    let schema = schema(vec![
        message("p.M", vec![Field::new(1, "r", list(Type::Struct(1)))]),
        message("p.Inner", vec![Field::new(1, "keys", map(Type::String, Type::I32))]),
    ]);
    let wire = Wire::new().len(1, &Wire::new().len(1, &[0x0A, 1, 0xFF]).0);
    let refused = DecodeError::Utf8 { message: "p.Inner".into(), field: "keys".into() };
    assert_eq!(decode(&schema, 0, &wire.0), Err(refused));
}

#[test]
fn required_fields_have_to_come_in_some_part() {
    let fields = vec![
        optional(Field::new(1, "m", Type::Struct(1))),
        Field::new(2, "r", list(Type::Struct(1))),
        Field::new(3, "e", map(Type::I32, Type::Struct(1))),
        member(0, Field::new(4, "x", Type::Struct(1))),
        member(0, Field::new(5, "y", Type::I32)),
    ];
    let inner = vec![required(Field::new(1, "a", Type::I32)), required(Field::new(2, "b", Type::I32))];
    let schema = schema(vec![message("p.M", fields), message("p.Inner", inner)]);
    let missing =
        |field: &str| DecodeError::MissingRequired { message: "p.Inner".into(), field: field.to_owned().into() };
    let (a, b, both) = (&[0x08, 1][..], &[0x10, 1][..], &[0x08, 1, 0x10, 1][..]);
    let full = Value::of([Some(Value::Word(1)), Some(Value::Word(1))]);
    let apart = Wire::new().len(1, a).len(1, b);
    assert_eq!(decode(&schema, 0, &apart.0), Ok(Value::of([Some(full), None, None, None, None])));
    for (wire, field) in [
        (Wire::new().len(1, a), "b"),
        (Wire::new().len(1, &[]), "a"),
        (Wire::new().len(2, both).len(2, b), "a"),
        (Wire::new().len(3, &Wire::new().int(1, 1).0), "a"),
        (Wire::new().len(3, &Wire::new().len(2, both).0).len(3, &Wire::new().len(2, a).0), "b"),
        (Wire::new().int(5, 1).len(4, a), "b"),
    ] {
        assert_eq!(decode(&schema, 0, &wire.0), Err(missing(field)), "{wire:?}");
    }
    // What has been replaced is not missed.
    assert!(decode(&schema, 0, &Wire::new().len(4, a).int(5, 1).0).is_ok());
    let partial = Value::of([Some(Value::of([Some(Value::Word(1)), None])), None, None, None, None]);
    let refused = EncodeError::MissingRequired { message: "p.Inner".into(), field: "b".into() };
    assert_eq!(encode(&schema, 0, &partial), Err(refused));
}

#[test]
fn nesting_is_limited() {
    let fields = vec![
        optional(Field::new(1, "m", Type::Struct(0))),
        delimited(Field::new(2, "g", Type::Struct(0))),
        Field::new(3, "e", map(Type::I32, Type::Struct(0))),
    ];
    let schema = one(fields);
    let nest = |levels: usize, level: &dyn Fn(&Wire) -> Wire| (0..levels).fold(Wire::new(), |inner, _| level(&inner));
    let message = |inner: &Wire| Wire::new().len(1, &inner.0);
    let group = |inner: &Wire| Wire::new().group(2, inner);
    let entry = |inner: &Wire| Wire::new().len(3, &Wire::new().len(2, &inner.0).0);
    let unknown = |inner: &Wire| Wire::new().group(9, inner);
    let levels: [&dyn Fn(&Wire) -> Wire; 4] = [&message, &group, &unknown, &entry];
    for (level, each) in levels.into_iter().zip([1, 1, 1, 2]) {
        for depth in [6, 100] {
            let limits = Limits { depth, ..Limits::default() };
            assert!(decode_with(&schema, 0, &nest(depth / each, level).0, &limits).is_ok());
            let deeper = decode_with(&schema, 0, &nest(depth / each + 1, level).0, &limits);
            assert_eq!(deeper, Err(DecodeError::DepthLimit(depth)));
        }
    }
    let value =
        |levels| (0..levels).fold(Value::of([None, None, None]), |inner, _| Value::of([Some(inner), None, None]));
    assert_eq!(encode(&schema, 0, &value(512)).map(|bytes| bytes.len() > 1000), Ok(true));
    assert_eq!(encode(&schema, 0, &value(513)), Err(EncodeError::DepthLimit(512)));
}

#[test]
fn slots_are_limited() {
    let schema = one(vec![Field::new(1, "r", list(Type::Struct(0)))]);
    let wire = (0..1000).fold(Wire::new(), |wire, _| wire.len(1, &[]));
    let limit = |slots| decode_with(&schema, 0, &wire.0, &Limits { slots, ..Limits::default() }).map(|_| ());
    assert_eq!(limit(4 + 2 + 3 + 1 + 1000 + 3000), Ok(()));
    assert_eq!(limit(4 + 2 + 3 + 1 + 1000 + 2999), Err(DecodeError::SlotLimit));
}

#[test]
fn alternating_fields_take_slots_in_proportion() {
    let schema = one(vec![
        Field::new(1, "r", list(Type::Struct(0))),
        Field::new(2, "s", list(Type::String)),
        Field::new(3, "e", map(Type::I32, Type::Struct(0))),
    ]);
    let count = 10_000;
    let wire =
        (0..count).fold(Wire::new(), |wire, n| wire.len(1, &[]).len(2, b"x").len(3, &[]).int(8 + n % 3, u64::from(n)));
    let limits = Limits { slots: 40 * count as usize, ..Limits::default() };
    let program = Program::compile(&schema).unwrap();
    let mut tape = support::Tape::new(limits.slots + 8, 1 << 20, 1 << 20);
    tape.decode(&program, 0, &wire.0, &limits).unwrap();
    let Value::Message(fields, unknown) = tape.read(&schema, 0).remove(0) else { panic!("a message") };
    for field in fields {
        match field {
            Some(Value::List(items)) => assert_eq!(items.len(), count as usize),
            Some(Value::Map(pairs)) => assert_eq!(pairs.len(), count as usize),
            other => panic!("{other:?}"),
        }
    }
    let kept = (0..count).fold(Wire::new(), |wire, n| wire.int(8 + n % 3, u64::from(n)));
    assert_eq!(unknown, kept.0);
}

#[test]
fn messages_of_many_fields_have_more_presence_words() {
    for count in [62, 63, 64, 65, 127, 128, 200] {
        let mut fields: Vec<_> = (1..=count).map(|id| Field::new(id, format!("f{id}"), Type::I32)).collect();
        for field in fields.iter_mut().step_by(7) {
            *field = member(0, field.clone());
        }
        let schema = one(fields);
        let wire = (1..=count as u32 + 1).fold(Wire::new(), |wire, number| wire.int(number, u64::from(number)));
        let last = (0..count).step_by(7).next_back();
        let fields = (0..count).map(|n| (n % 7 != 0 || Some(n) == last).then(|| Value::Word(n as u32 + 1))).collect();
        let value = Value::Message(fields, Wire::new().int(count as u32 + 1, count as u64 + 1).0);
        assert_eq!(decode(&schema, 0, &wire.0), Ok(value.clone()), "{count} fields");
        assert_eq!(decode(&schema, 0, &encode(&schema, 0, &value).unwrap()), Ok(value));
    }
}

#[test]
fn unknown_fields_that_are_none_are_not_sent() {
    let schema = one(vec![]);
    for bad in [&[0x08][..], &[0x0B], &[0x0C], &[0x0A, 5, 1], &[0x00, 0], &[0x0E, 1], &[0x80, 0x80]] {
        let written = encode(&schema, 0, &Value::Message(vec![], bad.to_vec()));
        assert!(matches!(written, Err(EncodeError::UnknownFields { .. })), "{bad:?}: {written:?}");
    }
}

#[test]
fn opaque_messages_pass_whatever_their_bytes_are() {
    let mut schema = one(vec![]);
    schema.structs[0].kind = StructKind::Opaque;
    for bytes in [&[][..], &[0x08], &[0x0B, 0x0C, 0xFF], &Wire::new().int(1, 7).0, &[0; 5000]] {
        let value = Value::Message(vec![], bytes.to_vec());
        assert_eq!(decode(&schema, 0, bytes), Ok(value.clone()));
        assert_eq!(encode(&schema, 0, &value), Ok(bytes.to_vec()));
    }
    let holder = message("p.Holder", vec![Field::new(1, "opaque", Type::Struct(0))]);
    schema.structs.push(holder);
    assert!(schema.validate().unwrap_err().contains("cannot be a type"));
    schema.structs.pop();
    schema.structs[0].fields.push(Field::new(1, "a", Type::I32));
    assert!(schema.validate().unwrap_err().contains("is opaque and has fields"));
}

#[test]
fn schemas_that_are_not_of_protobuf_are_refused() {
    let field = |ty| Program::compile(&one(vec![Field::new(1, "a", ty)])).map(|_| ());
    for ty in [
        Type::I8,
        Type::I16,
        Type::Uuid,
        Type::Set(Box::new(Type::I32)),
        list(list(Type::I32)),
        map(Type::Double, Type::I32),
        map(Type::Struct(0), Type::I32),
        map(Type::I32, list(Type::I32)),
    ] {
        assert!(matches!(field(ty.clone()), Err(ProgramError::NotProtobuf { .. })), "{ty:?}");
    }
    for ty in [Type::Struct(1), Type::Enum(0), list(Type::Struct(7))] {
        assert!(matches!(field(ty.clone()), Err(ProgramError::Unknown { .. })), "{ty:?}");
    }
    for id in [0, -1, i32::MAX, 1 << 29] {
        let refused = Program::compile(&one(vec![Field::new(id, "a", Type::I32)])).map(|_| ());
        assert_eq!(refused, Err(ProgramError::Number { place: "field p.M.a".into(), id }));
    }
    let twice = Program::compile(&one(vec![Field::new(1, "a", Type::I32), Field::new(1, "b", Type::I32)]));
    assert!(matches!(twice, Err(ProgramError::DuplicateNumber { number: 1, .. })));
    let mut thrift = one(vec![]);
    thrift.structs[0].kind = volo_js_schema::StructKind::Struct;
    assert!(matches!(Program::compile(&thrift), Err(ProgramError::NotProtobuf { .. })));
    let mut methods = item_schema();
    methods.methods[1].name = "GetItem".into();
    let refused = ProgramError::DuplicatePath("/volo.example.ItemService/GetItem".into());
    assert_eq!(Program::compile(&methods).map(|_| ()), Err(refused));
}
