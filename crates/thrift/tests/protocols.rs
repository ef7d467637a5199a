//! Every protocol against its oracle, over random values of every type: onto the tape and back, cut short, mistaken, and from one protocol to
//! another.

mod support;

use bytes::{Buf, Bytes, BytesMut};
use proptest::prelude::*;
use support::{
    Entropy, Tape, Value, any_struct, any_value, every_type, keeping, message_of, put_message, through, wire_of,
};
use volo_js_schema::{Schema, Type};
use volo_js_tape::testing::OutWriter;
use volo_js_thrift::{
    DecodeError, Limits, MessageKind, Program, Protocol, Transport, Wire, decode_exception, decode_struct, encode_call,
    encode_exception, encode_raw, encode_reply, end_message, read_head, transcode_struct,
};

const EVERY: u32 = 0;
const ARGS: u32 = 4;
const RESULT: u32 = 5;
const ECHO: u32 = 0;

const PROTOCOLS: [Protocol; 4] = [Protocol::Binary, Protocol::BinaryNonStrict, Protocol::Compact, Protocol::Json];

fn large() -> Tape {
    Tape::new(1 << 16, 1 << 18, 1 << 18)
}

fn decode(
    program: &Program,
    protocol: Protocol,
    index: u32,
    wire: &[u8],
    tape: &mut Tape,
) -> Result<usize, DecodeError> {
    let mut body = Bytes::copy_from_slice(wire);
    tape.message(|message| decode_struct(program, protocol, index, &mut body, &Limits::default(), message))?;
    Ok(wire.len() - body.len())
}

fn transcode(from: Protocol, wire: &[u8], to: Protocol, limits: &Limits) -> Result<Vec<u8>, DecodeError> {
    let mut body = Bytes::copy_from_slice(wire);
    let mut out = BytesMut::from(&b"before"[..]);
    let result = transcode_struct(from, &mut body, to, &mut out, limits);
    assert_eq!(&out[..6], b"before");
    assert!(result.is_ok() || out.len() == 6, "what failed leaves nothing");
    result.map(|()| out[6..].to_vec())
}

/// A value without binaries, which JSON's text and binary's bytes would not tell from strings.
fn without_binaries(value: Value) -> Value {
    match value {
        Value::Binary(_) => Value::Binary(Vec::new()),
        Value::List(items) => Value::List(items.into_iter().map(without_binaries).collect()),
        Value::Map(pairs) => {
            Value::Map(pairs.into_iter().map(|(k, v)| (without_binaries(k), without_binaries(v))).collect())
        }
        Value::Struct(fields) => Value::Struct(fields.into_iter().map(|f| f.map(without_binaries)).collect()),
        other => other,
    }
}

/// The arguments of `echo`, on the out tape.
fn args_tape(schema: &Schema, args: &Value) -> (OutWriter, usize) {
    let mut writer = OutWriter::new();
    let body = put_message(schema, ARGS, args, &mut writer);
    writer.finish();
    (writer, body)
}

proptest! {
    // Each case goes through all protocols, some through all pairs of them.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn decode_reads_what_the_oracle_writes(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        noise in prop::collection::vec(any::<u8>(), 0..900),
    ) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let value = any_struct(&schema, EVERY, 5, &mut from);
        for protocol in PROTOCOLS {
            let expected = through(protocol, value.clone());
            for noise in [None, Some(&mut Entropy::new(&noise))] {
                let wire = wire_of(protocol, &schema, EVERY, &value, noise);
                let mut tape = large();
                prop_assert_eq!(decode(&program, protocol, EVERY, &wire, &mut tape), Ok(wire.len()));
                prop_assert_eq!(tape.read(&schema, EVERY), vec![expected.clone()]);
            }
        }
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
            1 => Value::Struct(vec![None, Some(any_value(&schema, &Type::Struct(2), 3, &mut from))]),
            _ => Value::Struct(vec![None, None]),
        };
        let mut writer = OutWriter::new();
        let call = put_message(&schema, ARGS, &args, &mut writer);
        let reply = put_message(&schema, RESULT, &result, &mut writer);
        writer.finish();
        let tape = writer.tape();
        for protocol in PROTOCOLS {
            let wire = Wire::new(if buffered { Transport::Buffered } else { Transport::Framed }, protocol);
            let mut out = BytesMut::from(&b"before"[..]);
            encode_call(&program, ECHO, sequence, &tape, call, wire, &mut out).unwrap();
            encode_reply(&program, ECHO, MessageKind::Reply, sequence, &tape, reply, wire, &mut out).unwrap();
            let mut expected = b"before".to_vec();
            for (kind, index, value) in [(1, ARGS, &args), (2, RESULT, &result)] {
                let body = wire_of(protocol, &schema, index, value, None);
                let message = message_of(protocol, ("echo", kind, sequence), &body);
                if !buffered {
                    expected.extend((message.len() as i32).to_be_bytes());
                }
                expected.extend(message);
            }
            prop_assert_eq!(&out[..], &expected[..], "{:?}", protocol);
        }
    }

    #[test]
    fn a_struct_cut_short_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let value = any_struct(&schema, EVERY, 4, &mut from);
        for protocol in PROTOCOLS {
            let wire = wire_of(protocol, &schema, EVERY, &value, None);
            let cut = &wire[..at.index(wire.len())];
            let mut tape = large();
            prop_assert!(matches!(decode(&program, protocol, EVERY, cut, &mut tape), Err(DecodeError::Malformed(_))));
            prop_assert!(tape.state.is_empty());
            for to in PROTOCOLS {
                let transcoded = transcode(protocol, cut, to, &Limits::default());
                prop_assert!(matches!(transcoded, Err(DecodeError::Malformed(_))));
            }
        }
    }

    #[test]
    fn a_mistaken_byte_does_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..4),
    ) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let value = any_struct(&schema, EVERY, 4, &mut from);
        for protocol in PROTOCOLS {
            let mut message = message_of(protocol, ("echo", 1, 1), &wire_of(protocol, &schema, EVERY, &value, None));
            for (at, bit) in &changes {
                let at = at.index(message.len());
                message[at] ^= 1 << bit;
            }
            let Ok(head) = read_head(protocol, &message) else { continue };
            let mut body = Bytes::copy_from_slice(&message[head.len..]);
            let mut tape = large();
            if decode(&program, protocol, EVERY, &body, &mut tape).is_ok() {
                tape.read(&schema, EVERY);
            }
            for to in PROTOCOLS {
                let _ = transcode(protocol, &body, to, &Limits::default());
            }
            let _ = decode_exception(protocol, &mut body.clone(), &Limits::default());
            let _ = end_message(protocol, &mut body);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0..20_u8, prop::sample::select(br#"{}[]",:0123456789"#.to_vec())], 0..400),
    ) {
        let schema = every_type();
        let program = Program::compile(&schema).unwrap();
        let mut tape = Tape::new(1 << 12, 1 << 12, 1 << 12);
        for protocol in PROTOCOLS {
            let _ = read_head(protocol, &bytes);
            for index in 0..schema.structs.len() as u32 {
                if decode(&program, protocol, index, &bytes, &mut tape).is_ok() {
                    tape.read(&schema, index);
                }
                tape.state.reset();
            }
        }
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
            let encoded = PROTOCOLS.map(|protocol| {
                let mut out = BytesMut::from(&b"before"[..]);
                let wire = Wire::new(Transport::Framed, protocol);
                let written = encode_call(&program, ECHO, 1, &tape, body, wire, &mut out);
                assert!(written.is_ok() || &out[..] == b"before");
                written
            });
            prop_assert!(encoded.iter().all(|written| *written == encoded[0]), "{:?}", encoded);
        }
    }

    #[test]
    fn transcoding_is_what_a_schema_would_write(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let program = Program::compile(&schema).unwrap();
        let value = without_binaries(any_struct(&schema, EVERY, 4, &mut from));
        for from in PROTOCOLS {
            for to in PROTOCOLS {
                let expected = through(to, through(from, value.clone()));
                let wire = wire_of(from, &schema, EVERY, &value, None);
                let transcoded = transcode(from, &wire, to, &Limits::default()).unwrap();
                // Compact does not say what an empty map is of.
                if from != Protocol::Compact {
                    prop_assert_eq!(&transcoded, &wire_of(to, &schema, EVERY, &expected, None), "{:?} {:?}", from, to);
                }
                let mut tape = large();
                prop_assert_eq!(decode(&program, to, EVERY, &transcoded, &mut tape), Ok(transcoded.len()));
                prop_assert_eq!(tape.read(&schema, EVERY), vec![expected.clone()]);
                // Unknown fields come along, and mean nothing to who does not know them. The binary protocol's noise has binaries, too.
                if to == Protocol::Json && matches!(from, Protocol::Binary | Protocol::BinaryNonStrict) {
                    continue;
                }
                let wire = wire_of(from, &schema, EVERY, &value, Some(&mut Entropy::new(&noise)));
                let transcoded = transcode(from, &wire, to, &Limits::default()).unwrap();
                let mut tape = large();
                prop_assert_eq!(decode(&program, to, EVERY, &transcoded, &mut tape), Ok(transcoded.len()));
                prop_assert_eq!(tape.read(&schema, EVERY), vec![expected]);
            }
        }
    }

    #[test]
    fn unknown_fields_are_written_back(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        through_nothing in any::<bool>(),
    ) {
        // One end knows every type, the other one, in the middle, some of the fields or none.
        let (schema, mut from) = (every_type(), Entropy::new(&bytes));
        let value = without_binaries(any_struct(&schema, EVERY, 4, &mut from));
        let args = Value::Struct(vec![Some(value)]);
        let mut middle = keeping(every_type());
        for structure in &mut middle.structs[..3] {
            structure.fields.retain(|field| !through_nothing && field.id % 3 == 0);
        }
        let knows = Program::compile(&schema).unwrap();
        let keeps = Program::compile(&middle).unwrap();
        for from in PROTOCOLS {
            for to in PROTOCOLS {
                let wire = wire_of(from, &schema, ARGS, &args, None);
                let mut tape = large();
                prop_assert_eq!(decode(&keeps, from, ARGS, &wire, &mut tape), Ok(wire.len()));
                let seen = tape.read(&middle, ARGS).remove(0);
                let (writer, body) = args_tape(&middle, &seen);
                let mut out = BytesMut::new();
                let format = Wire::new(Transport::Buffered, to);
                encode_call(&keeps, ECHO, 1, &writer.tape(), body, format, &mut out).unwrap();
                let head = read_head(to, &out).unwrap().len;
                let mut tape = large();
                decode(&knows, to, ARGS, &out[head..], &mut tape).unwrap();
                prop_assert_eq!(tape.read(&schema, ARGS), vec![through(to, through(from, args.clone()))]);
            }
        }
    }
}

#[test]
fn heads_and_ends_of_messages() {
    for protocol in PROTOCOLS {
        for sequence in [0, 1, -1, i32::MIN, i32::MAX] {
            let body = wire_of(protocol, &every_type(), 6, &Value::Struct(vec![]), None);
            let message = message_of(protocol, ("Shop:GetItem", 4, sequence), &body);
            let head = read_head(protocol, &message).unwrap();
            assert_eq!((head.name, head.kind, head.sequence), (&b"Shop:GetItem"[..], MessageKind::Oneway, sequence));
            let mut rest = Bytes::copy_from_slice(&message[head.len + body.len()..]);
            assert_eq!(end_message(protocol, &mut rest), Ok(()));
            assert!(!rest.has_remaining());
            for end in 0..head.len {
                assert!(matches!(read_head(protocol, &message[..end]), Err(DecodeError::Malformed(_))), "{protocol:?}");
            }
            let mut out = BytesMut::from(&b"before"[..]);
            let wire = Wire::new(Transport::Buffered, protocol);
            encode_raw(b"Shop:GetItem", MessageKind::Oneway, sequence, &body, wire, &mut out).unwrap();
            assert_eq!(out[6..], message[..]);
        }
        let wrong_kind = message_of(protocol, ("m", 0, 1), b"");
        assert_eq!(read_head(protocol, &wrong_kind), Err(DecodeError::Malformed("it is of no known kind")));
    }
}

#[test]
fn exceptions_are_read_and_written() {
    for protocol in PROTOCOLS {
        let mut out = BytesMut::new();
        let wire = Wire::new(Transport::Buffered, protocol);
        encode_exception(b"echo", 7, 6, "it \"failed\"", wire, &mut out).unwrap();
        let head = read_head(protocol, &out).unwrap();
        assert_eq!((head.name, head.kind, head.sequence), (&b"echo"[..], MessageKind::Exception, 7));
        let mut body = Bytes::copy_from_slice(&out[head.len..]);
        let exception = decode_exception(protocol, &mut body, &Limits::default()).unwrap();
        assert_eq!((exception.kind, &exception.message[..]), (6, &b"it \"failed\""[..]));
        end_message(protocol, &mut body).unwrap();
        assert!(!body.has_remaining());
    }
}

#[test]
fn depth_is_limited_in_every_protocol() {
    let schema = every_type();
    let program = Program::compile(&schema).unwrap();
    let fields = schema.structs[0].fields.len();
    let inner = schema.structs[0].fields.iter().position(|field| field.id == 11).unwrap();
    let nested = |levels: usize| {
        (1..levels).fold(Value::Struct(vec![None; fields]), |value, _| {
            let mut outer = vec![None; fields];
            outer[inner] = Some(value);
            Value::Struct(outer)
        })
    };
    for protocol in PROTOCOLS {
        for (levels, expected) in [(64, Ok(())), (65, Err(DecodeError::DepthLimit(64)))] {
            let wire = wire_of(protocol, &schema, EVERY, &nested(levels), None);
            assert_eq!(decode(&program, protocol, EVERY, &wire, &mut large()).map(drop), expected, "{protocol:?}");
            // The same where all of it is unknown, passed over or kept.
            for keep_unknown in [false, true] {
                let mut schema = if keep_unknown { keeping(every_type()) } else { every_type() };
                schema.structs[0].fields.clear();
                let ignorant = Program::compile(&schema).unwrap();
                assert_eq!(decode(&ignorant, protocol, EVERY, &wire, &mut large()).map(drop), expected);
            }
            for to in PROTOCOLS {
                assert_eq!(transcode(protocol, &wire, to, &Limits::default()).map(drop), expected);
            }
        }
    }
}

#[test]
fn what_grows_from_protocol_to_protocol_is_limited() {
    // A list of small i64s: a byte each in the compact protocol, eight in the binary one.
    let wire = [&[0x19, 0xF6, 0xE8, 0x07][..], &[2; 1000], &[0]].concat();
    let limits = Limits { frame: 4096, ..Limits::default() };
    assert_eq!(transcode(Protocol::Compact, &wire, Protocol::Binary, &limits), Err(DecodeError::TooLarge(4096)));
    assert_eq!(transcode(Protocol::Compact, &wire, Protocol::Compact, &limits).as_deref(), Ok(&wire[..]));

    let mut schema = keeping(every_type());
    schema.structs[0].fields.clear();
    let program = Program::compile(&schema).unwrap();
    let mut body = Bytes::from(wire);
    let kept = large().message(|to| decode_struct(&program, Protocol::Compact, EVERY, &mut body, &limits, to));
    assert_eq!(kept, Err(DecodeError::TooLarge(4096)));
}
