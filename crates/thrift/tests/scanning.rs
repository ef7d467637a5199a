//! Where messages without a length end: by their content, a byte at a time, within limits, and where the decoder says so, too.

mod support;

use bytes::Bytes;
use proptest::prelude::*;
use support::Tape;
use volo_js_schema::{Schema, Struct, StructKind};
use volo_js_thrift::{
    DecodeError, Frame, FrameError, FrameReader, Limits, Program, Protocol, Transport, Wire, check_whole,
    decode_struct, end_message, read_head,
};

const PROTOCOLS: [Protocol; 4] = [Protocol::Binary, Protocol::BinaryNonStrict, Protocol::Compact, Protocol::Json];

/// Messages of every kind of value, as Apache's Go library 0.25 writes them: a text, a list of i32, a map of string to bool,
/// a struct of bool, double, empty map and set of lists.
const BINARY: &[u8] = b"\x80\x01\0\x01\0\0\0\x04echo\0\0\0\x07\
    \x0B\0\x01\0\0\0\x11hi \"there\" \\ {[\xC3\xA9\
    \x0F\0\x02\x08\0\0\0\x03\0\0\0\x01\xFF\xFF\xFF\xFF\x80\0\0\0\
    \x0D\0\x1E\x0B\x02\0\0\0\x02\0\0\0\x01a\x01\0\0\0\x01b\0\
    \x0C\0\x1F\x02\0\x01\x01\x04\0\x02\x3F\xF8\0\0\0\0\0\0\x0D\0\x03\x0A\x0B\0\0\0\0\
    \x0E\0\x04\x0F\0\0\0\x02\x0A\0\0\0\0\x0A\0\0\0\x01\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0";
const COMPACT: &[u8] = b"\x82\x21\x07\x04echo\
    \x18\x11hi \"there\" \\ {[\xC3\xA9\
    \x19\x35\x02\x01\xFF\xFF\xFF\xFF\x0F\
    \x0B\x3C\x02\x81\x01a\x01\x01b\x02\
    \x1C\x11\x17\0\0\0\0\0\0\xF8\x3F\x1B\0\
    \x1A\x29\x06\x16\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\0\0";
const JSON: &str = concat!(
    r#"[1,"echo",1,7,{"1":{"str":"hi \"there\" \\ {[é"},"2":{"lst":["i32",3,1,-1,-2147483648]},"#,
    r#""30":{"map":["str","tf",2,{"a":1,"b":0}]},"31":{"rec":{"1":{"tf":1},"2":{"dbl":1.5},"#,
    r#""3":{"map":["i64","str",0,{}]},"4":{"set":["lst",2,["i64",0],["i64",1,9223372036854775807]]}}}}]"#,
);

/// The same message in each protocol.
fn vector(protocol: Protocol) -> Vec<u8> {
    match protocol {
        Protocol::Binary => BINARY.to_vec(),
        // Name and kind have changed places.
        Protocol::BinaryNonStrict => [&BINARY[4..12], &[1], &BINARY[12..]].concat(),
        Protocol::Compact => COMPACT.to_vec(),
        Protocol::Json => JSON.into(),
    }
}

/// What stands before the struct of a call of `m`, and behind it.
fn around(protocol: Protocol) -> (&'static [u8], &'static [u8]) {
    match protocol {
        Protocol::Binary => (b"\x80\x01\0\x01\0\0\0\x01m\0\0\0\x01", b""),
        Protocol::BinaryNonStrict => (b"\0\0\0\x01m\x01\0\0\0\x01", b""),
        Protocol::Compact => (b"\x82\x21\x01\x01m", b""),
        Protocol::Json => (b"[1,\"m\",1,1,", b"]"),
    }
}

fn message(protocol: Protocol, body: &[u8]) -> Vec<u8> {
    let (head, end) = around(protocol);
    [head, body, end].concat()
}

fn reader(protocol: Protocol, limits: Limits) -> FrameReader {
    FrameReader::fixed(Wire::new(Transport::Buffered, protocol), limits)
}

/// Length of the message these bytes begin with.
fn scan(protocol: Protocol, bytes: &[u8], limits: Limits) -> Result<Option<usize>, FrameError> {
    reader(protocol, limits).next(bytes).map(|frame| frame.map(|frame| frame.total()))
}

/// Feeds a byte more each time, until there is a result.
fn a_byte_at_a_time(protocol: Protocol, bytes: &[u8], limits: Limits) -> Result<Option<usize>, FrameError> {
    let mut reader = reader(protocol, limits);
    for end in 0..=bytes.len() {
        if let Some(frame) = reader.next(&bytes[..end])? {
            return Ok(Some(frame.total()));
        }
    }
    Ok(None)
}

/// Length of the message as the decoder sees it, to which all of it is unknown.
fn skip(protocol: Protocol, bytes: &[u8], limits: &Limits) -> Result<usize, DecodeError> {
    let structure = Struct {
        name: "Empty".into(),
        file: 0,
        kind: StructKind::Struct,
        fields: vec![],
        keep_unknown: false,
        oneofs: vec![],
        annotations: [].into(),
        doc: String::new(),
    };
    let program = Program::compile(&Schema { structs: vec![structure], ..Schema::default() }).expect("a sound schema");
    let head = read_head(protocol, bytes)?;
    let mut body = Bytes::copy_from_slice(&bytes[head.len..]);
    Tape::new(64, 0, 0).message(|message| decode_struct(&program, protocol, 0, &mut body, limits, message))?;
    end_message(protocol, &mut body)?;
    Ok(bytes.len() - body.len())
}

#[test]
fn messages_of_another_library_end_where_they_do() {
    for protocol in PROTOCOLS {
        let bytes = vector(protocol);
        for end in 0..bytes.len() {
            assert_eq!(scan(protocol, &bytes[..end], Limits::default()), Ok(None), "{protocol:?} after {end} bytes");
        }
        assert_eq!(a_byte_at_a_time(protocol, &bytes, Limits::default()), Ok(Some(bytes.len())), "{protocol:?}");
        assert_eq!(skip(protocol, &bytes, &Limits::default()), Ok(bytes.len()), "{protocol:?}");
        let twice = bytes.repeat(2);
        let mut reader = FrameReader::detect(Limits::default());
        for rest in [&twice[..], &bytes] {
            let frame = Frame { header: 0, len: bytes.len(), wire: Wire::new(Transport::Buffered, protocol) };
            assert_eq!(reader.next(rest), Ok(Some(frame)));
            assert_eq!(reader.next(rest), Ok(Some(frame)), "asking again changes nothing");
            reader.consumed();
        }
    }
}

#[test]
fn white_space_goes_with_the_json_behind_it() {
    let bytes = [b"\r\n \t", JSON.as_bytes()].concat();
    assert_eq!(a_byte_at_a_time(Protocol::Json, &bytes, Limits::default()), Ok(Some(bytes.len())));
    assert_eq!(skip(Protocol::Json, &bytes, &Limits::default()), Ok(bytes.len()));
}

#[test]
fn what_would_exceed_the_limit_is_refused_before_it_comes() {
    let limits = Limits { frame: 100, ..Limits::default() };
    let too_large = |protocol, body: &[u8]| {
        let bytes = [around(protocol).0, body].concat();
        matches!(scan(protocol, &bytes, limits), Err(FrameError::TooLarge { .. }))
    };
    for protocol in [Protocol::Binary, Protocol::BinaryNonStrict] {
        assert!(too_large(protocol, &[11, 0, 1, 0, 0, 1, 0]), "a string of 256 bytes");
        assert!(too_large(protocol, &[15, 0, 1, 10, 0, 0, 0, 11]), "eleven i64");
        assert!(too_large(protocol, &[15, 0, 1, 12, 0, 0, 0, 99]), "99 structs");
        assert!(too_large(protocol, &[13, 0, 1, 11, 11, 0, 0, 0, 12]), "twelve pairs of strings");
        assert!(too_large(protocol, &[13, 0, 1, 11, 11, 0x7F, 0xFF, 0xFF, 0xFF]));
        assert!(!too_large(protocol, &[15, 0, 1, 10, 0, 0, 0, 9]));
    }
    let compact = |body: &[u8]| too_large(Protocol::Compact, body);
    assert!(compact(&[0x18, 0x80, 2]), "a string of 256 bytes");
    assert!(compact(&[0x19, 0xC7]), "twelve doubles");
    assert!(compact(&[0x19, 0xFC, 99]), "99 structs");
    assert!(compact(&[0x1B, 48, 0x88]), "48 pairs of strings");
    assert!(compact(&[0x1B, 0xFF, 0xFF, 0xFF, 0xFF, 7, 0x88]));
    assert!(!compact(&[0x19, 0xB7]));
    let names: [(Protocol, &[u8]); 3] = [
        (Protocol::Binary, b"\x80\x01\0\x01\0\0\x01\0"),
        (Protocol::BinaryNonStrict, b"\0\0\x01\0"),
        (Protocol::Compact, b"\x82\x21\x01\x80\x02"),
    ];
    for (protocol, name) in names {
        assert!(matches!(scan(protocol, name, limits), Err(FrameError::TooLarge { .. })), "{protocol:?}: a long name");
    }
    // JSON announces nothing.
    let json = |spaces| scan(Protocol::Json, &[&b"["[..], &b" ".repeat(spaces)].concat(), limits);
    assert_eq!(json(99), Ok(None));
    assert_eq!(json(100), Err(FrameError::TooLarge { size: 101, limit: 100 }));
}

#[test]
fn what_no_protocol_writes_is_malformed() {
    let malformed = |protocol, body: &[u8]| {
        let bytes = [around(protocol).0, body].concat();
        let scanned = scan(protocol, &bytes, Limits::default());
        assert_eq!(a_byte_at_a_time(protocol, &bytes, Limits::default()), scanned);
        matches!(scanned, Err(FrameError::Malformed(_)))
    };
    for protocol in [Protocol::Binary, Protocol::BinaryNonStrict] {
        assert!(malformed(protocol, &[11, 0, 1, 0xFF, 0, 0, 0]), "a negative length");
        assert!(malformed(protocol, &[15, 0, 1, 8, 0x80, 0, 0, 0]), "a negative count");
        assert!(malformed(protocol, &[1, 0, 1]), "a void value");
        assert!(malformed(protocol, &[5, 0, 1]), "no type");
        assert!(malformed(protocol, &[15, 0, 1, 1, 0, 0, 0, 1]), "a list of voids");
    }
    let compact = |body: &[u8]| malformed(Protocol::Compact, body);
    assert!(compact(&[0x18, 0x80, 0x80, 0x80, 0x80, 8]), "a negative length");
    assert!(compact(&[0x18, 0x80, 0x80, 0x80, 0x80, 0x10]), "a length of 33 bits");
    assert!(compact(&[0x1E]), "no type");
    assert!(compact(&[0x10]), "no end of a struct either");
    assert!(compact(&[0x19, 0x10]), "a list of no type");
    assert!(compact(&[0x1B, 1, 0x8F]), "a map of no type");
    assert!(compact(&[0x16, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]), "a number of 65 bits");
    assert!(compact(&[0x16, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]), "a number without an end");
    assert!(!compact(&[0x19, 0x00, 0x1B, 0]), "empty containers of no type are fine");
    for body in [
        "[",
        "{\"1\":[",
        "{\"1\":{\"rec\":{}]",
        "{]",
        "{\"1\":{\"lst\":[{",
        "{\"1\":{\"lst\":[\"i32\",{",
        "{\"1\":{\"map\":[\"str\",\"str\",[",
        "{\"1\":{\"map\":[\"str\",\"str\",1,{{]",
        "{\"1\":{\"tf\":true",
        "'",
    ] {
        assert!(malformed(Protocol::Json, body.as_bytes()), "{body}");
    }
}

#[test]
fn what_begins_otherwise_is_no_message() {
    for (protocol, bytes) in [
        (Protocol::Binary, &b"\x80\x02\0\x01"[..]),
        (Protocol::Compact, b"\x82\x22"),
        (Protocol::Compact, b"\x83\x21"),
        (Protocol::Json, b"{"),
    ] {
        assert!(matches!(scan(protocol, bytes, Limits::default()), Err(FrameError::NotThrift(_))), "{protocol:?}");
    }
}

/// A message of structs, lists or maps inside each other, so many levels of them.
fn nested(protocol: Protocol, levels: usize, container: &str) -> Vec<u8> {
    let (open, close): (&[u8], &[u8]) = match (protocol, container) {
        (Protocol::Binary | Protocol::BinaryNonStrict, "struct") => (&[12, 0, 1], &[0]),
        (Protocol::Binary | Protocol::BinaryNonStrict, "list") => (&[15, 0, 0, 0, 1], &[]),
        (Protocol::Binary | Protocol::BinaryNonStrict, _) => (&[8, 13, 0, 0, 0, 1, 0, 0, 0, 0], &[]),
        (Protocol::Compact, "struct") => (&[0x1C], &[0]),
        (Protocol::Compact, "list") => (&[0x19], &[]),
        (Protocol::Compact, _) => (&[1, 0x5B, 0], &[]),
        (Protocol::Json, "struct") => (b"\"1\":{\"rec\":{", b"}}"),
        (Protocol::Json, "list") => (b"[\"lst\",1,", b"]"),
        (Protocol::Json, _) => (b"[\"i32\",\"map\",1,{\"0\":", b"}]"),
    };
    // What stands around the containers in the outermost struct, and the innermost one, which is empty.
    let (first, innermost, last): (&[u8], &[u8], &[u8]) = match (protocol, container) {
        (Protocol::Json, "struct") => (b"{", b"", b"}"),
        (Protocol::Json, "list") => (b"{\"1\":{\"lst\":", b"[\"i32\",0]", b"}}"),
        (Protocol::Json, _) => (b"{\"1\":{\"map\":", b"[\"i32\",\"i32\",0,{}]", b"}}"),
        (_, "struct") => (b"", b"", &[0]),
        (Protocol::Compact, "list") => (&[0x19], &[0x05], &[0]),
        (Protocol::Compact, _) => (&[0x1B], &[0], &[0]),
        (_, "list") => (&[15, 0, 1], &[8, 0, 0, 0, 0], &[0]),
        _ => (&[13, 0, 1], &[8, 8, 0, 0, 0, 0], &[0]),
    };
    let between = levels - if container == "struct" { 1 } else { 2 };
    message(protocol, &[first, &open.repeat(between), innermost, &close.repeat(between), last].concat())
}

#[test]
fn depth_is_the_same_for_scanner_and_decoder() {
    for protocol in PROTOCOLS {
        for container in ["struct", "list", "map"] {
            for depth in [2, 3, 64] {
                let limits = Limits { depth, ..Limits::default() };
                let fine = nested(protocol, depth, container);
                assert_eq!(scan(protocol, &fine, limits), Ok(Some(fine.len())), "{protocol:?} {container} {depth}");
                assert_eq!(skip(protocol, &fine, &limits), Ok(fine.len()), "{protocol:?} {container} {depth}");
                for levels in [depth + 1, 10_000] {
                    let deeper = nested(protocol, levels, container);
                    assert_eq!(scan(protocol, &deeper, limits), Err(FrameError::DepthLimit(depth)));
                    assert_eq!(skip(protocol, &deeper, &limits), Err(DecodeError::DepthLimit(depth)));
                }
            }
        }
    }
}

/// Bytes that are something in this protocol more often than any are.
fn likely(protocol: Protocol) -> BoxedStrategy<Vec<u8>> {
    let bytes = prop_oneof![4 => 0..17_u8, 4 => Just(0_u8), 1 => any::<u8>()];
    let compact = prop_oneof![4 => (0..14_u8, 0..3_u8).prop_map(|(code, high)| code | high << 4), 4 => Just(0_u8), 1 => any::<u8>()];
    let signs = prop::sample::select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"0",
        b"1",
        b"\"1\":{\"rec\":{",
        b"\"2\":{\"lst\":[\"i32\",1,5]}",
        b"{\"3\":{\"str\":\"x\"}}",
        b"[\"str\",\"tf\",1,{\"a\":1}]",
        b"\"",
        b"\\",
        b"\"\\\"\"",
        b" ",
        b"x",
    ]);
    match protocol {
        Protocol::Binary | Protocol::BinaryNonStrict => prop::collection::vec(bytes, 0..200).boxed(),
        Protocol::Compact => prop::collection::vec(compact, 0..200).boxed(),
        Protocol::Json => prop::collection::vec(signs, 0..30).prop_map(|signs| signs.concat()).boxed(),
    }
}

fn any_protocol() -> impl Strategy<Value = (Protocol, Vec<u8>)> {
    prop::sample::select(&PROTOCOLS[..]).prop_flat_map(|protocol| (Just(protocol), likely(protocol)))
}

proptest! {
    #[test]
    fn pieces_do_not_matter((protocol, body) in any_protocol(), frame in 30..300_usize, depth in 1..6_usize) {
        let bytes = message(protocol, &body);
        let limits = Limits { frame, depth, ..Limits::default() };
        prop_assert_eq!(scan(protocol, &bytes, limits), a_byte_at_a_time(protocol, &bytes, limits));
    }

    #[test]
    fn scanner_and_decoder_agree((protocol, body) in any_protocol(), depth in 1..6_usize) {
        let bytes = message(protocol, &body);
        let limits = Limits { depth, ..Limits::default() };
        let scanned = scan(protocol, &bytes, limits).ok().flatten();
        let decoded = skip(protocol, &bytes, &limits).ok();
        // Whether compact ids fit, and what stands between brackets of JSON, only the decoder looks at.
        let lenient = matches!(protocol, Protocol::Compact | Protocol::Json);
        prop_assert!(scanned == decoded || lenient && decoded.is_none(), "{scanned:?} {decoded:?}");
    }

    #[test]
    fn damaged_messages_do_not_panic(
        protocol in prop::sample::select(&PROTOCOLS[..]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = vector(protocol);
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] ^= byte;
        }
        let scanned = scan(protocol, &bytes, Limits::default());
        prop_assert_eq!(a_byte_at_a_time(protocol, &bytes, Limits::default()), scanned);
    }
}

#[test]
fn a_whole_message_is_told_from_one_with_something_behind_it_and_from_a_part() {
    for protocol in PROTOCOLS {
        let message = vector(protocol);
        let limits = Limits::default();
        check_whole(protocol, &message, &limits).unwrap();
        let twice = [&message[..], &message].concat();
        let malformed = |message: &[u8]| {
            let error = check_whole(protocol, message, &limits).unwrap_err();
            assert!(matches!(error, FrameError::Malformed(_)), "{protocol:?}: {error}");
        };
        malformed(&twice);
        malformed(&message[..message.len() - 1]);
        let shallow = Limits { depth: 2, ..limits };
        assert_eq!(check_whole(protocol, &message, &shallow), Err(FrameError::DepthLimit(2)), "{protocol:?}");
    }
}
