//! The rules of the JSON protocol, one by one.

mod support;

use bytes::{Bytes, BytesMut};
use support::{Tape, Value, call_of, list, map, one};
use volo_js_schema::{Schema, Type};
use volo_js_thrift::{
    DecodeError, Limits, MessageKind, Program, Protocol, Transport, Wire, decode_struct, encode_exception, end_message,
    read_head, transcode_struct,
};

fn read(schema: &Schema, text: &str) -> Result<Value, DecodeError> {
    let program = Program::compile(schema).expect("a sound schema");
    let mut tape = Tape::new(4096, 4096, 4096);
    let mut body = Bytes::copy_from_slice(text.as_bytes());
    tape.message(|message| decode_struct(&program, Protocol::Json, 0, &mut body, &Limits::default(), message))?;
    assert!(body.is_empty(), "all is read");
    Ok(tape.read(schema, 0).remove(0))
}

/// What the encoder writes for a struct of these fields.
fn written(schema: &Schema, value: &Value) -> String {
    let out = call_of(Protocol::Json, schema, value);
    let text = String::from_utf8(out).expect("JSON is UTF-8");
    text.strip_prefix(r#"[1,"echo",1,1,"#).and_then(|text| text.strip_suffix(']')).expect("a message").to_owned()
}

/// A struct of the one field that is asked for, as it is read.
#[expect(clippy::unnecessary_wraps, reason = "it is compared with what reading returns")]
fn only(value: Value) -> Result<Value, DecodeError> {
    Ok(Value::Struct(vec![Some(value)]))
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn double(value: f64) -> Value {
    Value::Double(value.to_bits())
}

fn malformed(schema: &Schema, text: &str) -> bool {
    matches!(read(schema, text), Err(DecodeError::Malformed(_)))
}

#[test]
fn white_space_is_passed_over() {
    let schema = one(&[(1, list(Type::I8)), (2, map(Type::I8, Type::I8))]);
    let wide = " {\n\t\"1\" : { \"lst\" : [ \"i8\" , 2 , 1 , -2 ] } , \"2\" : { \"map\" : [ \"i8\" , \"i8\" , 1 , { \"3\" : 4 } ] } }";
    let value = Value::Struct(vec![
        Some(Value::List(vec![Value::I8(1), Value::I8(-2)])),
        Some(Value::Map(vec![(Value::I8(3), Value::I8(4))])),
    ]);
    assert_eq!(read(&schema, wide), Ok(value.clone()));
    let narrow: String = wide.split_ascii_whitespace().collect();
    assert_eq!(read(&schema, &narrow), Ok(value.clone()));
    assert_eq!(written(&schema, &value), narrow);
}

#[test]
fn strings_have_escapes() {
    let schema = one(&[(1, Type::String)]);
    let field = |string: &str| format!(r#"{{"1":{{"str":"{string}"}}}}"#);
    for (json, expected) in [
        (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"),
        (r"\u0041\u00e9\u20AC\u0000", "Aé€\0"),
        (r"\uD83D\uDE00 \ud83d\ude00", "😀 😀"),
        ("é€😀\u{7F}", "é€😀\u{7F}"),
        ("", ""),
    ] {
        assert_eq!(read(&schema, &field(json)), only(text(expected)), "{json}");
    }
    for json in [
        r"\uD83D",
        r"\uD83Dx",
        r"\uD83D\n",
        r"\uD83D\u0041",
        r"\uDE00",
        r"\uDE00\uD83D",
        r"\u12",
        r"\u12G4",
        r"\x",
        "\n",
        "\0",
    ] {
        assert!(malformed(&schema, &field(json)), "{json}");
        assert!(malformed(&one(&[]), &field(json)), "{json}, passed over");
    }
    let value = Value::Struct(vec![Some(text("\"\\/\u{8}\u{C}\n\r\t\u{1}é😀"))]);
    assert_eq!(written(&schema, &value), field(r#"\"\\/\b\f\n\r\t\u0001é😀"#));
}

#[test]
fn binaries_are_base64() {
    let schema = one(&[(1, Type::Binary)]);
    let field = |string: &str| format!(r#"{{"1":{{"str":"{string}"}}}}"#);
    for (json, expected) in [
        ("", &[][..]),
        ("AA==", &[0]),
        ("AA", &[0]),
        ("AP8=", &[0, 0xFF]),
        ("AP8", &[0, 0xFF]),
        ("++//", &[0xFB, 0xEF, 0xFF]),
        (r"++\/\u002f", &[0xFB, 0xEF, 0xFF]),
    ] {
        assert_eq!(read(&schema, &field(json)), only(Value::Binary(expected.to_vec())), "{json}");
    }
    for json in ["A", "A===", "AA=A", "A-__", "żółw", "AA\u{7F}="] {
        assert!(malformed(&schema, &field(json)), "{json}");
    }
    let value = |bytes: &[u8]| Value::Struct(vec![Some(Value::Binary(bytes.to_vec()))]);
    assert_eq!(written(&schema, &value(&[0xFB])), field("+w=="));
    assert_eq!(written(&schema, &value(&[])), field(""));
}

#[test]
fn integers_fit_their_types() {
    for (ty, name, least, most, value) in [
        (Type::I8, "i8", "-128", "127", [Value::I8(i8::MIN), Value::I8(i8::MAX)]),
        (Type::I16, "i16", "-32768", "32767", [Value::I16(i16::MIN), Value::I16(i16::MAX)]),
        (Type::I32, "i32", "-2147483648", "2147483647", [Value::I32(i32::MIN), Value::I32(i32::MAX)]),
        (Type::I64, "i64", "-9223372036854775808", "9223372036854775807", [Value::I64(i64::MIN), Value::I64(i64::MAX)]),
    ] {
        let schema = one(&[(1, ty)]);
        let field = |number: &str| format!(r#"{{"1":{{"{name}":{number}}}}}"#);
        for (number, value) in [least, most].into_iter().zip(value) {
            assert_eq!(read(&schema, &field(number)), only(value.clone()));
            assert_eq!(written(&schema, &Value::Struct(vec![Some(value)])), field(number));
            let mut beyond = number.to_owned();
            let last = beyond.pop().expect("a digit");
            beyond.push((last as u8 + 1) as char);
            for wrong in
                [&beyond, &format!("{number}0"), &format!("\"{number}\""), "", "-", "+1", "1.0", "1e1", "true", "null"]
            {
                assert!(malformed(&schema, &field(wrong)), "{name} {wrong}");
                assert!(malformed(&one(&[]), &field(wrong)), "{name} {wrong}, passed over");
            }
        }
    }
}

#[test]
fn bools_are_numbers() {
    let schema = one(&[(1, Type::Bool)]);
    for (json, value) in [("1", true), ("0", false), ("-7", true)] {
        assert_eq!(read(&schema, &format!(r#"{{"1":{{"tf":{json}}}}}"#)), only(Value::Bool(value)));
    }
    assert!(malformed(&schema, r#"{"1":{"tf":true}}"#));
}

#[test]
fn doubles_are_numbers_or_three_names() {
    let schema = one(&[(1, Type::Double)]);
    let field = |number: &str| format!(r#"{{"1":{{"dbl":{number}}}}}"#);
    for (json, value) in [
        ("1.5", 1.5),
        ("-0", -0.0),
        ("1E+3", 1000.0),
        ("5e-324", 5e-324),
        ("123456789012345678901234567890", 1.234_567_890_123_456_8e29),
        ("\"NaN\"", f64::NAN),
        ("\"Infinity\"", f64::INFINITY),
        ("\"-Infinity\"", f64::NEG_INFINITY),
    ] {
        assert_eq!(read(&schema, &field(json)), only(double(value)), "{json}");
    }
    for json in ["", "-", "1.5.5", "e", "NaN", "inf", "nan", "\"1.5\"", "\"infinity\"", "\"\"", "true"] {
        assert!(malformed(&schema, &field(json)), "{json}");
    }
    for (value, json) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (1e300, "1e300"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (f64::NAN, "\"NaN\""),
        (f64::INFINITY, "\"Infinity\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
    ] {
        assert_eq!(written(&schema, &Value::Struct(vec![Some(double(value))])), field(json));
    }
}

#[test]
fn keys_stand_in_quotes() {
    let cases = [
        (Type::I32, "i32", Value::I32(-5), "-5"),
        (Type::Bool, "tf", Value::Bool(true), "1"),
        (Type::Double, "dbl", double(0.5), "0.5"),
        (Type::Double, "dbl", double(f64::NAN), "NaN"),
        (Type::Double, "dbl", double(f64::NEG_INFINITY), "-Infinity"),
        (Type::String, "str", text("k"), "k"),
        (Type::Binary, "str", Value::Binary(vec![0]), "AA=="),
    ];
    for (ty, name, key, json) in cases {
        // A number as the value shows that only keys are in quotes.
        let schema = one(&[(1, map(ty, Type::Double))]);
        let whole = format!(r#"{{"1":{{"map":["{name}","dbl",2,{{"{json}":1.0,"{json}":2.0}}]}}}}"#);
        let value = Value::Map(vec![(key.clone(), double(1.0)), (key, double(2.0))]);
        assert_eq!(read(&schema, &whole), only(value.clone()));
        assert_eq!(written(&schema, &Value::Struct(vec![Some(value)])), whole);
        assert!(malformed(&schema, &format!(r#"{{"1":{{"map":["{name}","dbl",1,{{{json}:1.0}}]}}}}"#)), "{json}");
        assert!(malformed(&schema, &format!(r#"{{"1":{{"map":["{name}","dbl",1,{{"{json}":"1.0"}}]}}}}"#)), "{json}");
    }
    for key in ["\"\"", "\"1 \"", "\"0x1\"", "\"1.5.5\""] {
        assert!(malformed(
            &one(&[(1, map(Type::Double, Type::I8))]),
            &format!(r#"{{"1":{{"map":["dbl","i8",1,{{{key}:1}}]}}}}"#)
        ));
    }
}

#[test]
fn structs_and_containers_may_be_keys() {
    // Apache's libraries write this, too, though it is no JSON.
    let schema = one(&[(1, map(list(Type::I8), Type::I8)), (2, map(Type::Struct(0), Type::I8))]);
    let json = r#"{"1":{"map":["lst","i8",1,{["i8",2,1,2]:3}]},"2":{"map":["rec","i8",1,{{}:4}]}}"#;
    let value = Value::Struct(vec![
        Some(Value::Map(vec![(Value::List(vec![Value::I8(1), Value::I8(2)]), Value::I8(3))])),
        Some(Value::Map(vec![(Value::Struct(vec![None, None]), Value::I8(4))])),
    ]);
    assert_eq!(read(&schema, json), Ok(value.clone()));
    assert_eq!(written(&schema, &value), json);
}

#[test]
fn counts_are_those_of_the_elements() {
    let schema = one(&[(1, list(Type::I8)), (2, map(Type::I8, Type::I8)), (3, list(Type::Struct(3)))]);
    for json in [
        r#"{"1":{"lst":["i8",1]}}"#,
        r#"{"1":{"lst":["i8",1,1,2]}}"#,
        r#"{"1":{"lst":["i8",-1]}}"#,
        r#"{"1":{"lst":["i8",2147483647,1]}}"#,
        r#"{"1":{"lst":["i8",9223372036854775807,1]}}"#,
        r#"{"1":{"lst":["i8",1,]}}"#,
        r#"{"1":{"lst":["i9",0]}}"#,
        r#"{"1":{"lst":[]}}"#,
        r#"{"2":{"map":["i8","i8",1,{}]}}"#,
        r#"{"2":{"map":["i8","i8",1,{"1":1,"2":2}]}}"#,
        r#"{"2":{"map":["i8","i8",2147483647,{"1":1}]}}"#,
        r#"{"2":{"map":["i8","i8",0]}}"#,
        r#"{"3":{"lst":["rec",4000000,{}]}}"#,
        r#"{"1":{"i9":1}}"#,
    ] {
        assert!(malformed(&schema, json), "{json}");
        assert!(malformed(&one(&[]), json), "{json}, passed over");
    }
}

#[test]
fn ids_are_16_bits_in_quotes() {
    let schema = one(&[(i16::MIN, Type::I8), (i16::MAX, Type::I8)]);
    let json = r#"{"-32768":{"i8":1},"32767":{"i8":2}}"#;
    let value = Value::Struct(vec![Some(Value::I8(1)), Some(Value::I8(2))]);
    assert_eq!(read(&schema, json), Ok(value.clone()));
    assert_eq!(written(&schema, &value), json);
    for json in [r#"{"32768":{"i8":1}}"#, r#"{1:{"i8":1}}"#, r#"{"x":{"i8":1}}"#, r#"{"":{"i8":1}}"#] {
        assert!(malformed(&schema, json), "{json}");
    }
}

#[test]
fn brackets_commas_and_colons_are_where_they_belong() {
    let schema = one(&[(1, Type::I8), (2, Type::I8)]);
    let good = r#"{"1":{"i8":1},"2":{"i8":2}}"#;
    assert!(read(&schema, good).is_ok());
    for at in 0..good.len() {
        let (before, behind) = good.split_at(at);
        assert!(malformed(&schema, before), "{before}");
        if b"{}:,\"".contains(&good.as_bytes()[at]) {
            assert!(malformed(&schema, &format!("{before}{}", &behind[1..])), "without {at}");
            assert!(malformed(&schema, &format!("{before};{}", &behind[1..])), "another {at}");
        }
    }
}

#[test]
fn of_a_field_that_comes_twice_the_last_counts() {
    let json = r#"{"1":{"i8":1},"1":{"i16":7},"1":{"i8":2}}"#;
    assert_eq!(read(&one(&[(1, Type::I8)]), json), only(Value::I8(2)));
}

#[test]
fn heads_are_the_first_four_elements() {
    let good = " [ 1 , \"m\" , 2 , -5 ,";
    let head = read_head(Protocol::Json, good.as_bytes()).unwrap();
    assert_eq!((head.name, head.kind, head.sequence, head.len), (&b"m"[..], MessageKind::Reply, -5, good.len()));
    for wrong in [
        r#"[2,"m",2,1,"#,
        r#"["1","m",2,1,"#,
        "[1,m,2,1,",
        r#"[1,"m",5,1,"#,
        r#"[1,"m",-1,1,"#,
        r#"[1,"m",257,1,"#,
        r#"[1,"m",2,2147483648,"#,
        r#"[1,"m",2,1]"#,
        r#"{1,"m",2,1,"#,
        r#"[1,"\u006d",2,1,"#,
    ] {
        assert!(matches!(read_head(Protocol::Json, wrong.as_bytes()), Err(DecodeError::Malformed(_))), "{wrong}");
    }
}

#[test]
fn a_bracket_ends_a_message() {
    for (rest, left) in [("]", ""), (" ]\r\n", ""), ("] [", "[")] {
        let mut body = Bytes::from_static(rest.as_bytes());
        assert_eq!(end_message(Protocol::Json, &mut body), Ok(()));
        assert_eq!(body, left);
    }
    for rest in ["", ",", "}", "}]"] {
        assert!(matches!(
            end_message(Protocol::Json, &mut Bytes::from_static(rest.as_bytes())),
            Err(DecodeError::Malformed(_))
        ));
    }
}

#[test]
fn a_name_that_is_not_utf8_is_replaced() {
    let mut out = BytesMut::new();
    encode_exception(b"na\xFF\"me", 5, 1, "no", Wire::new(Transport::Buffered, Protocol::Json), &mut out).unwrap();
    assert_eq!(out, "[1,\"na\u{FFFD}\\\"me\",3,5,{\"1\":{\"str\":\"no\"},\"2\":{\"i32\":1}}]");
}

#[test]
fn text_that_is_not_utf8_does_not_become_another_protocols() {
    for to in [Protocol::Binary, Protocol::Compact, Protocol::Json] {
        let mut out = BytesMut::from("before");
        let mut body = Bytes::from_static(b"{\"7\":{\"str\":\"a\xB1\"}}");
        let result = transcode_struct(Protocol::Json, &mut body, to, &mut out, &Limits::default());
        assert_eq!(result, Err(DecodeError::Malformed("JSON is not UTF-8")), "{to:?}");
        assert_eq!(out, "before");
    }
}
