//! Messages as Apache's Python library (thrift 0.25.0) writes them, one with a field of every type: read, written and transcoded.

mod support;

use bytes::{Bytes, BytesMut};
use support::{Tape, Value, every_type, put_message};
use volo_js_schema::{Field, Schema, Type};
use volo_js_tape::testing::OutWriter;
use volo_js_thrift::{
    Limits, MessageKind, Program, Protocol, Transport, Wire, decode_struct, encode_call, end_message, read_head,
    transcode_struct,
};

const ECHO: u32 = 0;
const ARGS: u32 = 4;
const SEQUENCE: i32 = -2;

/// `TBinaryProtocol` with `strictWrite`.
const BINARY: &str = "80010001000000046563686ffffffffe0200010102000200030003f9060014fed40800157fffffff0afffb800000000000000004\
    0006bff80000000000000b00070000000b61225c0ae282acf09f98800b00080000000400ff102010000900112233445566778899aabbccddeeff0f\
    000a02000000030100010e000b0800000010fffffff8fffffff9fffffffafffffffbfffffffcfffffffdfffffffeffffffff00000000000000010000\
    000200000003000000040000000500000006000000070d000c080b00000002000000010000000178ffffffff000000000d000d0b02000000000c00\
    0e08000100000005000f000f0c000000020800010000000500080001000000050000";

/// The same without: the rest is as above.
const NON_STRICT_HEAD: &str = "000000046563686f01fffffffe";

/// `TCompactProtocol`.
const COMPACT: &str = "8221feffffff0f046563686f111213f90428d70415feffffff0f0609ffffffffffffffffff01b7000000000000f8bf180b61225c\
    0ae282acf09f9880180400ff10201d00112233445566778899aabbccddeeff19310102011af5100f0d0b090705030100020406080a0c0e1b02580201\
    7801001b001c150a00192c150a00150a0000";

/// `TJSONProtocol`.
const JSON: &str = concat!(
    r#"[1,"echo",1,-2,{"1":{"tf":1},"2":{"tf":0},"3":{"i8":-7},"20":{"i16":-300},"21":{"i32":2147483647},"#,
    r#""-5":{"i64":-9223372036854775808},"6":{"dbl":-1.5},"7":{"str":"a\"\\\n€😀"},"8":{"str":"AP8QIA=="},"#,
    r#""9":{"uid":"00112233-4455-6677-8899-aabbccddeeff"},"10":{"lst":["tf",3,1,0,1]},"#,
    r#""11":{"set":["i32",16,-8,-7,-6,-5,-4,-3,-2,-1,0,1,2,3,4,5,6,7]},"12":{"map":["i32","str",2,{"1":"x","-1":""}]},"#,
    r#""13":{"map":["str","tf",0,{}]},"14":{"rec":{"1":{"i32":5}}},"15":{"lst":["rec",2,{"1":{"i32":5}},{"1":{"i32":5}}]}}]"#,
);

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().map(|digit| (digit as char).to_digit(16).expect("a digit") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn messages() -> [(Protocol, Vec<u8>); 4] {
    let non_strict = [hex(NON_STRICT_HEAD), hex(BINARY)[16..].to_vec()].concat();
    [
        (Protocol::Binary, hex(BINARY)),
        (Protocol::BinaryNonStrict, non_strict),
        (Protocol::Compact, hex(COMPACT)),
        (Protocol::Json, JSON.as_bytes().to_vec()),
    ]
}

/// A method whose arguments are the fields, in the order in which they were written.
fn schema() -> Schema {
    let mut schema = every_type();
    let template = schema.structs[0].fields[0].clone();
    let field = |(id, ty): (i32, Type)| Field { id, name: format!("f{id}"), ty, ..template.clone() };
    let map = |key, value| Type::Map(Box::new(key), Box::new(value));
    let inner = 3;
    schema.structs[inner].fields = vec![field((1, Type::I32))];
    let inner = Type::Struct(inner as u32);
    schema.structs[ARGS as usize].fields = [
        (1, Type::Bool),
        (2, Type::Bool),
        (3, Type::I8),
        (20, Type::I16),
        (21, Type::I32),
        (-5, Type::I64),
        (6, Type::Double),
        (7, Type::String),
        (8, Type::Binary),
        (9, Type::Uuid),
        (10, Type::List(Box::new(Type::Bool))),
        (11, Type::Set(Box::new(Type::I32))),
        (12, map(Type::I32, Type::String)),
        (13, map(Type::String, Type::Bool)),
        (14, inner.clone()),
        (15, Type::List(Box::new(inner))),
    ]
    .map(field)
    .to_vec();
    schema
}

fn value() -> Value {
    let inner = || Value::Struct(vec![Some(Value::I32(5))]);
    let text = |text: &str| Value::String(text.into());
    let fields = [
        Value::Bool(true),
        Value::Bool(false),
        Value::I8(-7),
        Value::I16(-300),
        Value::I32(i32::MAX),
        Value::I64(i64::MIN),
        Value::Double((-1.5_f64).to_bits()),
        text("a\"\\\n€😀"),
        Value::Binary(vec![0, 0xFF, 0x10, 0x20]),
        Value::Uuid([0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF]),
        Value::List(vec![Value::Bool(true), Value::Bool(false), Value::Bool(true)]),
        Value::List((-8..8).map(Value::I32).collect()),
        Value::Map(vec![(Value::I32(1), text("x")), (Value::I32(-1), text(""))]),
        Value::Map(vec![]),
        inner(),
        Value::List(vec![inner(), inner()]),
    ];
    Value::Struct(fields.map(Some).to_vec())
}

#[test]
fn what_apache_writes_is_read() {
    let (schema, limits) = (schema(), Limits::default());
    let program = Program::compile(&schema).unwrap();
    for (protocol, message) in messages() {
        let head = read_head(protocol, &message).unwrap();
        assert_eq!((head.name, head.kind, head.sequence), (&b"echo"[..], MessageKind::Call, SEQUENCE));
        let mut body = Bytes::copy_from_slice(&message[head.len..]);
        let mut tape = Tape::new(4096, 4096, 4096);
        tape.message(|to| decode_struct(&program, protocol, ARGS, &mut body, &limits, to)).unwrap();
        end_message(protocol, &mut body).unwrap();
        assert!(body.is_empty());
        assert_eq!(tape.read(&schema, ARGS), vec![value()], "{protocol:?}");
    }
}

#[test]
fn what_apache_writes_is_written() {
    let schema = schema();
    let program = Program::compile(&schema).unwrap();
    let mut writer = OutWriter::new();
    let body = put_message(&schema, ARGS, &value(), &mut writer);
    writer.finish();
    for (protocol, message) in messages() {
        let mut out = BytesMut::new();
        let wire = Wire::new(Transport::Buffered, protocol);
        encode_call(&program, ECHO, SEQUENCE, &writer.tape(), body, wire, &mut out).unwrap();
        assert_eq!(out, message, "{protocol:?}");
    }
}

#[test]
fn what_apache_writes_is_transcoded() {
    let body = |protocol, message: &[u8]| {
        let head = read_head(protocol, message).unwrap();
        Bytes::copy_from_slice(&message[head.len..message.len() - usize::from(protocol == Protocol::Json)])
    };
    for (from, message) in messages() {
        for (to, expected) in messages() {
            let mut out = BytesMut::new();
            transcode_struct(from, &mut body(from, &message), to, &mut out, &Limits::default()).unwrap();
            let mut expected = body(to, &expected).to_vec();
            if from == Protocol::Json && to != Protocol::Json {
                // JSON's text of a binary is text to who has no schema.
                let binary = expected.windows(4).position(|four| four == [0, 0xFF, 0x10, 0x20]).unwrap();
                expected.splice(binary..binary + 4, *b"AP8QIA==");
                expected[binary - 1] = 8;
            }
            if from == Protocol::Compact && to != Protocol::Compact {
                // Compact does not say what an empty map is of.
                let (types, none): (&[u8], &[u8]) = match to {
                    Protocol::Json => (br#"["str","tf",0"#, br#"["i8","i8",0"#),
                    _ => (&[13, 0, 13, 11, 2], &[13, 0, 13, 3, 3]),
                };
                let at = expected.windows(types.len()).position(|part| part == types).unwrap();
                expected.splice(at..at + types.len(), none.iter().copied());
            }
            assert_eq!(out, expected, "{from:?} {to:?}");
        }
    }
}
