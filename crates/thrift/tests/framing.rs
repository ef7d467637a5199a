//! Where messages end: by a length, by their content, a byte at a time, and what is no message at all.

mod support;

use bytes::Bytes;
use proptest::prelude::*;
use support::{Entropy, Tape, any_struct, every_type, head, write_struct};
use volo_js_schema::{Schema, Struct, StructKind};
use volo_js_thrift::{
    DecodeError, Frame, FrameError, FrameReader, Limits, Program, Transport, decode_struct, read_head,
};

fn message(entropy: &[u8]) -> Vec<u8> {
    let schema = every_type();
    let mut from = Entropy::new(entropy);
    let mut out = head("echo", 1, 7);
    let value = any_struct(&schema, 0, 5, &mut from);
    write_struct(&schema, 0, &value, Some(&mut from), &mut out);
    out
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = (message.len() as i32).to_be_bytes().to_vec();
    out.extend(message);
    out
}

fn first(bytes: &[u8]) -> Result<Option<Frame>, FrameError> {
    FrameReader::detect(Limits::default()).next(bytes)
}

/// Feeds a byte more each time, until there is a result.
fn a_byte_at_a_time(reader: &mut FrameReader, bytes: &[u8]) -> (usize, Result<Option<Frame>, FrameError>) {
    for end in 0..=bytes.len() {
        match reader.next(&bytes[..end]) {
            Ok(None) => {}
            other => return (end, other),
        }
    }
    (bytes.len(), Ok(None))
}

#[test]
fn recognises_the_transport() {
    let plain = message(&[]);
    let mut reader = FrameReader::detect(Limits::default());
    assert_eq!(reader.transport(), None);
    assert_eq!(reader.next(&plain), Ok(Some(Frame { header: 0, len: plain.len() })));
    assert_eq!(reader.transport(), Some(Transport::Buffered));

    let mut reader = FrameReader::detect(Limits::default());
    assert_eq!(reader.next(&framed(&plain)), Ok(Some(Frame { header: 4, len: plain.len() })));
    assert_eq!(reader.transport(), Some(Transport::Framed));
}

#[test]
fn says_what_else_it_is() {
    let unsupported = |bytes: &[u8]| matches!(first(bytes), Err(FrameError::Unsupported(_)));
    let foreign = |bytes: &[u8]| matches!(first(bytes), Err(FrameError::NotThrift(_)));
    assert!(unsupported(b"\x82\x21\x01\x04ping\x00"), "compact, buffered");
    assert!(unsupported(b"\0\0\0\x20\x82\x21\x01\x04"), "compact, framed");
    assert!(unsupported(b"\0\0\0\x20\x10\0\0\0"), "TTHeader");
    assert!(foreign(b"GET / HTTP/1.1\r\n"));
    assert!(foreign(b"POST /"));
    assert!(foreign(b"PRI * HTTP/2.0\r\n"));
    assert!(foreign(b"\x16\x03\x01\x02\0\x01\0"), "TLS");
    assert!(foreign(b"[1,\"ping\",1,1,{}]"), "JSON");
    assert!(foreign(b"\x81"), "no length and no version");
    assert!(foreign(b"\x80\x02\0\x01"), "another version");
    assert!(foreign(b"\0\0\0\x20\0\0\0\x04"), "not strict, framed");
    assert!(foreign(b"\0\0\0\x20\x80\x02"));
}

#[test]
fn waits_while_the_bytes_may_be_either() {
    let plain = message(&[]);
    for bytes in [&plain, &framed(&plain)] {
        for end in 0..bytes.len() {
            assert_eq!(first(&bytes[..end]), Ok(None), "after {end} bytes");
        }
        assert!(first(bytes).unwrap().is_some());
    }
}

#[test]
fn refuses_lengths_before_anything_is_stored() {
    let limits = Limits { frame: 100, ..Limits::default() };
    let next = |bytes: &[u8]| FrameReader::fixed(Transport::Framed, limits).next(bytes);
    assert_eq!(next(&[0, 0, 0, 101]), Err(FrameError::TooLarge { size: 101, limit: 100 }));
    assert_eq!(next(&[0, 0, 0, 100]), Ok(None));
    assert_eq!(next(&[0, 0, 0, 12]), Err(FrameError::TooShort(12)));
    assert_eq!(next(&[0, 0, 0, 0]), Err(FrameError::TooShort(0)));
    assert!(matches!(next(&[0xFF; 4]), Err(FrameError::Malformed(_))));
}

#[test]
fn the_scanner_refuses_what_would_exceed_the_limit() {
    let limits = Limits { frame: 100, ..Limits::default() };
    let next = |body: &[u8]| {
        let mut bytes = head("m", 1, 1);
        bytes.extend(body);
        FrameReader::fixed(Transport::Buffered, limits).next(&bytes)
    };
    let too_large = |body: &[u8]| matches!(next(body), Err(FrameError::TooLarge { .. }));
    assert!(too_large(&[11, 0, 1, 0, 0, 1, 0]), "a string of 256 bytes");
    assert!(too_large(&[15, 0, 1, 10, 0, 0, 0, 11]), "eleven i64");
    assert!(too_large(&[15, 0, 1, 12, 0, 0, 0, 99]), "99 structs");
    assert!(too_large(&[13, 0, 1, 11, 11, 0, 0, 0, 12]), "twelve pairs of strings");
    assert!(too_large(&[13, 0, 1, 11, 11, 0x7F, 0xFF, 0xFF, 0xFF]));
    assert_eq!(next(&[15, 0, 1, 10, 0, 0, 0, 9]), Ok(None));
    let malformed = |body: &[u8]| matches!(next(body), Err(FrameError::Malformed(_)));
    assert!(malformed(&[11, 0, 1, 0xFF, 0, 0, 0]), "a negative length");
    assert!(malformed(&[15, 0, 1, 8, 0x80, 0, 0, 0]), "a negative count");
    assert!(malformed(&[1, 0, 1]), "a void value");
    assert!(malformed(&[5, 0, 1]), "no type");
    assert!(malformed(&[15, 0, 1, 1, 0, 0, 0, 1]), "a list of voids");
    assert!(matches!(
        FrameReader::fixed(Transport::Buffered, limits).next(&[0x80, 1, 0, 1, 0, 0, 1, 0]),
        Err(FrameError::TooLarge { .. })
    ));
}

/// A message of `levels` structs inside each other.
fn nested(levels: usize) -> Vec<u8> {
    let mut out = head("m", 1, 1);
    for _ in 1..levels {
        out.extend([12, 0, 1]);
    }
    out.extend(vec![0; levels]);
    out
}

#[test]
fn depth_is_the_same_for_scanner_and_decoder() {
    let schema = empty();
    let program = Program::compile(&schema).unwrap();
    for (levels, fine) in [(64, true), (65, false), (10_000, false)] {
        let bytes = nested(levels);
        let frame = FrameReader::detect(Limits::default()).next(&bytes);
        assert_eq!(frame.is_ok(), fine, "{levels} levels: {frame:?}");
        let decoded = skip_all(&program, &bytes, &Limits::default());
        assert_eq!(decoded.is_ok(), fine, "{levels} levels: {decoded:?}");
        if !fine {
            assert_eq!(frame, Err(FrameError::DepthLimit(64)));
            assert_eq!(decoded, Err(DecodeError::DepthLimit(64)));
        }
    }
    // Lists count as well as structs, empty ones too.
    let limits = Limits { depth: 2, ..Limits::default() };
    for (body, fine) in
        [(&[15, 0, 1, 2, 0, 0, 0, 0, 0][..], true), (&[15, 0, 1, 15, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0], false)]
    {
        let mut bytes = head("m", 1, 1);
        bytes.extend(body);
        assert_eq!(FrameReader::detect(limits).next(&bytes).is_ok(), fine);
        assert_eq!(skip_all(&program, &bytes, &limits).is_ok(), fine);
    }
}

/// A schema of one struct without fields, to which all is unknown.
fn empty() -> Schema {
    let structure = Struct {
        name: "Empty".into(),
        file: 0,
        kind: StructKind::Struct,
        fields: vec![],
        oneofs: vec![],
        annotations: [].into(),
        doc: String::new(),
    };
    Schema { structs: vec![structure], ..Schema::default() }
}

/// Length of the message as the decoder sees it.
fn skip_all(program: &Program, bytes: &[u8], limits: &Limits) -> Result<usize, DecodeError> {
    let head = read_head(bytes)?;
    let mut body = Bytes::copy_from_slice(&bytes[head.len..]);
    Tape::new(64, 0, 0).message(|message| decode_struct(program, 0, &mut body, limits, message))?;
    Ok(bytes.len() - body.len())
}

proptest! {
    #[test]
    fn messages_end_where_they_do(
        entropy in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..4),
        buffered in any::<bool>(),
    ) {
        let messages: Vec<_> = entropy.iter().map(|e| message(e)).collect();
        let stream: Vec<u8> = messages.iter().flat_map(|m| if buffered { m.clone() } else { framed(m) }).collect();
        let header = if buffered { 0 } else { 4 };
        // All at once, and a byte at a time.
        let mut at_once = FrameReader::detect(Limits::default());
        let mut slowly = FrameReader::detect(Limits::default());
        let mut rest = &stream[..];
        for message in &messages {
            let frame = Frame { header, len: message.len() };
            prop_assert_eq!(at_once.next(rest), Ok(Some(frame)));
            prop_assert_eq!(at_once.next(rest), Ok(Some(frame)), "asking again changes nothing");
            prop_assert_eq!(a_byte_at_a_time(&mut slowly, rest), (frame.total(), Ok(Some(frame))));
            at_once.consumed();
            slowly.consumed();
            rest = &rest[frame.total()..];
            prop_assert_eq!(at_once.in_frame(rest.len()), !rest.is_empty());
        }
        prop_assert_eq!(at_once.next(rest), Ok(None));
    }

    #[test]
    fn pieces_do_not_matter(
        bytes in prop::collection::vec(prop_oneof![2 => 0..17_u8, 1 => Just(0_u8), 1 => any::<u8>()], 0..200),
        frame in 30..300_usize,
        depth in 1..6_usize,
    ) {
        let mut stream = head("m", 1, 1);
        stream.extend(&bytes);
        let limits = Limits { frame, depth, ..Limits::default() };
        let at_once = FrameReader::detect(limits).next(&stream);
        let (_, slowly) = a_byte_at_a_time(&mut FrameReader::detect(limits), &stream);
        prop_assert_eq!(at_once, slowly);
    }

    #[test]
    fn scanner_and_decoder_agree(
        bytes in prop::collection::vec(prop_oneof![4 => 0..17_u8, 4 => Just(0_u8), 1 => any::<u8>()], 0..120),
        depth in 1..6_usize,
    ) {
        let mut stream = head("m", 1, 1);
        stream.extend(&bytes);
        let limits = Limits { depth, ..Limits::default() };
        let scanned = FrameReader::detect(limits).next(&stream).ok().flatten().map(|frame| frame.len);
        let decoded = skip_all(&Program::compile(&empty()).unwrap(), &stream, &limits).ok();
        prop_assert_eq!(scanned, decoded);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = first(&bytes);
        let _ = FrameReader::fixed(Transport::Buffered, Limits::default()).next(&bytes);
        let _ = FrameReader::fixed(Transport::Framed, Limits::default()).next(&bytes);
    }
}
