//! Where messages end: which wire a connection has, by its first bytes, lengths, and what is no message at all.

mod support;

use proptest::prelude::*;
use support::{BUFFERED, Entropy, any_struct, every_type, head, write_struct};
use volo_js_thrift::{Frame, FrameError, FrameReader, Limits, Protocol, Transport, Wire};

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

/// `echo("hi \"there\" \\ {[é")`, sequence number 7, as Apache's Go library writes it.
const BINARY: &[u8] = b"\x80\x01\0\x01\0\0\0\x04echo\0\0\0\x07\x0B\0\x01\0\0\0\x11hi \"there\" \\ {[\xC3\xA9\0";
const NON_STRICT: &[u8] = b"\0\0\0\x04echo\x01\0\0\0\x07\x0B\0\x01\0\0\0\x11hi \"there\" \\ {[\xC3\xA9\0";
const COMPACT: &[u8] = b"\x82\x21\x07\x04echo\x18\x11hi \"there\" \\ {[\xC3\xA9\0";
const JSON: &[u8] = r#"[1,"echo",1,7,{"1":{"str":"hi \"there\" \\ {[é"}}]"#.as_bytes();

/// A frame with headers that hold nothing but the protocol's number.
fn with_header(magic: u16, protocol: u8, message: &[u8]) -> Vec<u8> {
    let mut out = (message.len() as i32 + 14).to_be_bytes().to_vec();
    out.extend(magic.to_be_bytes());
    out.extend([0, 0, 0, 0, 0, 7, 0, 1, protocol, 0, 0, 0]);
    out.extend(message);
    out
}

fn tt_header(protocol: u8, message: &[u8]) -> Vec<u8> {
    with_header(0x1000, protocol, message)
}

fn t_header(protocol: u8, message: &[u8]) -> Vec<u8> {
    with_header(0x0FFF, protocol, message)
}

fn t_header_framed(protocol: u8, message: &[u8]) -> Vec<u8> {
    framed(&t_header(protocol, message))
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
fn recognises_the_wire() {
    use Protocol::{Binary, BinaryNonStrict, Compact, Json};
    use Transport::{Buffered, Framed, Header, HeaderFramed, TtHeader, TtHeaderFramed};
    for (bytes, header, wire) in [
        (BINARY.to_vec(), 0, Wire::new(Buffered, Binary)),
        (NON_STRICT.to_vec(), 0, Wire::new(Buffered, BinaryNonStrict)),
        (COMPACT.to_vec(), 0, Wire::new(Buffered, Compact)),
        (JSON.to_vec(), 0, Wire::new(Buffered, Json)),
        (framed(BINARY), 4, Wire::new(Framed, Binary)),
        (framed(NON_STRICT), 4, Wire::new(Framed, BinaryNonStrict)),
        (framed(COMPACT), 4, Wire::new(Framed, Compact)),
        (framed(JSON), 4, Wire::new(Framed, Json)),
        (tt_header(0, BINARY), 18, Wire::new(TtHeader, Binary)),
        (tt_header(2, COMPACT), 18, Wire::new(TtHeader, Compact)),
        // Whatever the header says: Volo says 0 for compact, too.
        (tt_header(0, COMPACT), 18, Wire::new(TtHeader, Compact)),
        (tt_header(0, &framed(BINARY)), 22, Wire::new(TtHeaderFramed, Binary)),
        (tt_header(2, &framed(COMPACT)), 22, Wire::new(TtHeaderFramed, Compact)),
        (t_header(0, BINARY), 18, Wire::new(Header, Binary)),
        (t_header(1, JSON), 18, Wire::new(Header, Json)),
        (t_header(2, COMPACT), 18, Wire::new(Header, Compact)),
        (t_header_framed(0, BINARY), 22, Wire::new(HeaderFramed, Binary)),
        (t_header_framed(1, JSON), 22, Wire::new(HeaderFramed, Json)),
        (t_header_framed(2, COMPACT), 22, Wire::new(HeaderFramed, Compact)),
    ] {
        let frame = Frame { header, len: bytes.len() - header, wire };
        for end in 0..bytes.len() {
            assert_eq!(first(&bytes[..end]), Ok(None), "{wire:?} after {end} bytes");
            // A length tells where the message will end, once the wire is known.
            let mut reader = FrameReader::fixed(wire, Limits::default());
            assert_eq!(reader.next(&bytes[..end]), Ok(None));
            let told = (wire.transport != Buffered && end >= 4).then_some(bytes.len());
            assert_eq!(reader.announced(&bytes[..end]), told, "{wire:?} after {end} bytes");
        }
        // What comes behind it does not matter.
        let twice = [bytes.clone(), bytes.clone()].concat();
        let mut reader = FrameReader::detect(Limits::default());
        assert_eq!(reader.wire(), None);
        for rest in [&twice[..], &bytes] {
            assert_eq!(reader.next(rest), Ok(Some(frame)));
            assert_eq!(reader.wire(), Some(wire));
            reader.consumed();
        }
        let mut reader = FrameReader::detect(Limits::default());
        assert_eq!(a_byte_at_a_time(&mut reader, &bytes), (bytes.len(), Ok(Some(frame))));
        let mut reader = FrameReader::fixed(wire, Limits::default());
        assert_eq!(a_byte_at_a_time(&mut reader, &bytes), (bytes.len(), Ok(Some(frame))));
    }
}

#[test]
fn headers_say_what_each_message_is() {
    let mut reader = FrameReader::detect(Limits::default());
    for (bytes, wire) in [
        (tt_header(0, BINARY), Wire::new(Transport::TtHeader, Protocol::Binary)),
        (tt_header(0, &framed(COMPACT)), Wire::new(Transport::TtHeaderFramed, Protocol::Compact)),
        (tt_header(2, COMPACT), Wire::new(Transport::TtHeader, Protocol::Compact)),
    ] {
        assert_eq!(reader.next(&bytes).map(|frame| frame.map(|frame| frame.wire)), Ok(Some(wire)));
        assert_eq!(reader.wire(), Some(wire));
        reader.consumed();
    }
    assert!(matches!(reader.next(&framed(BINARY)), Err(FrameError::NotThrift(_))), "no header");
}

#[test]
fn a_client_gets_the_protocol_it_speaks() {
    use Transport::{Header, TtHeader, TtHeaderFramed};
    let next = |transport, protocol, bytes: &[u8]| {
        let wire = FrameReader::fixed(Wire::new(transport, protocol), Limits::default()).next(bytes);
        wire.map(|frame| frame.expect("all of it").wire)
    };
    // Framed or not behind a TTHeader is the server's choice.
    for asked in [TtHeader, TtHeaderFramed] {
        for (bytes, got) in [(tt_header(0, BINARY), TtHeader), (tt_header(0, &framed(BINARY)), TtHeaderFramed)] {
            assert_eq!(next(asked, Protocol::Binary, &bytes), Ok(Wire::new(got, Protocol::Binary)));
        }
    }
    let other = |expected, found| Err(FrameError::OtherProtocol { expected, found });
    let compact = tt_header(2, COMPACT);
    assert_eq!(next(TtHeader, Protocol::Binary, &compact), other(Protocol::Binary, Protocol::Compact));
    let json = t_header(1, JSON);
    assert_eq!(next(Header, Protocol::Compact, &json), other(Protocol::Compact, Protocol::Json));
    // Apache's number of the binary protocol is that of both heads.
    let old = Wire::new(Header, Protocol::BinaryNonStrict);
    assert_eq!(next(Header, Protocol::BinaryNonStrict, &t_header(0, NON_STRICT)), Ok(old));
}

#[test]
fn says_what_else_it_is() {
    let unsupported = |bytes: &[u8]| matches!(first(bytes), Err(FrameError::Unsupported(_)));
    let foreign = |bytes: &[u8]| matches!(first(bytes), Err(FrameError::NotThrift(_)));
    let malformed = |bytes: &[u8]| matches!(first(bytes), Err(FrameError::Malformed(_)));
    assert!(unsupported(b"\xFF\xAF\0\x20"), "mesh header");
    assert!(unsupported(b"\0\0\0\x20\x90\x01"), "Kitex's Protobuf");
    assert!(unsupported(&tt_header(0, &framed(b"\x90\x01\0\x01\0\0\0\x01m\0\0\0\x01"))), "the same behind TTHeader");
    assert!(unsupported(&t_header(5, BINARY)), "a protocol of THeader");
    let mut stream = tt_header(0, BINARY);
    stream[7] = 2;
    assert!(unsupported(&stream), "a stream of TTHeader");
    assert!(foreign(b"GET / HTTP/1.1\r\n"));
    assert!(foreign(b"POST /"));
    assert!(foreign(b"PRI * HTTP/2.0\r\n"));
    assert!(foreign(b"\x16\x03\x01\x02\0\x01\0"), "TLS");
    assert!(foreign(b"\x81"), "no length and no version");
    assert!(foreign(b"\x80\x02\0\x01"), "another version");
    assert!(foreign(b"\x82\x22\x01\x04"), "another version of compact");
    assert!(foreign(b"\0\0\0\x20\x80\x02"));
    assert!(foreign(b"\0\0\0\x20\x10\x01"));
    assert!(foreign(b"\0\0\0\x20\0\0\0\x04\0"), "no name");
    assert!(foreign(b"\0\0\0\x20{"));
    assert!(malformed(&tt_header(0, JSON)), "TTHeader has no JSON");
    assert!(malformed(&tt_header(0, NON_STRICT)), "and no old binary");
    assert!(malformed(&tt_header(0, &[framed(BINARY), vec![0]].concat())), "a frame that ends early");
    assert!(malformed(&tt_header(0, &framed(BINARY)[..44])), "a frame that ends late");
    // A client is told as well what answers it.
    let client = |bytes: &[u8]| FrameReader::fixed(Wire::default(), Limits::default()).next(bytes);
    assert!(matches!(client(b"HTTP/1.1 400 Bad Request"), Err(FrameError::NotThrift(_))));
    assert!(matches!(client(b"\x15\x03\x03\0\x02\x02\x32"), Err(FrameError::NotThrift(_))));
}

#[test]
fn headers_fit_their_frame() {
    let malformed = |bytes: &[u8]| matches!(first(bytes), Err(FrameError::Malformed(_)));
    for mut bytes in [tt_header(0, BINARY), t_header(0, BINARY)] {
        for words in [(bytes.len() - 14).div_ceil(4), 0x4000, 0xFFFF] {
            bytes[12..14].copy_from_slice(&(words as u16).to_be_bytes());
            assert!(malformed(&bytes), "{words} words");
        }
    }
    let mut bytes = t_header(0, BINARY);
    bytes[12..14].fill(0);
    assert!(malformed(&bytes), "no word of headers");
}

#[test]
fn a_frame_of_headers_fills_the_frame_around_it() {
    let good = t_header_framed(0, BINARY);
    let mut loose = good.clone();
    loose.push(0);
    loose[3] += 1;
    assert!(matches!(first(&loose), Err(FrameError::NotThrift(_))), "it is not even recognised");
    let mut reader = FrameReader::detect(Limits::default());
    assert!(reader.next(&good).unwrap().is_some());
    reader.consumed();
    assert!(matches!(reader.next(&loose), Err(FrameError::Malformed(_))));
    // One that stands in no other is none either.
    assert!(reader.next(&t_header(0, BINARY)).is_err());
}

#[test]
fn a_frame_of_headers_in_a_frame_may_be_large() {
    let limits = Limits { frame: 32 << 20, ..Limits::default() };
    let mut message = BINARY.to_vec();
    message.resize(17 << 20, 0);
    let bytes = t_header_framed(0, &message);
    let frame = Frame { header: 22, len: message.len(), wire: Wire::new(Transport::HeaderFramed, Protocol::Binary) };
    for end in 0..24 {
        assert_eq!(FrameReader::detect(limits).next(&bytes[..end]), Ok(None), "after {end} bytes");
    }
    assert_eq!(FrameReader::detect(limits).next(&bytes), Ok(Some(frame)));
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
    let next = |bytes: &[u8]| FrameReader::fixed(Wire::default(), limits).next(bytes);
    assert_eq!(next(&[0, 0, 0, 101]), Err(FrameError::TooLarge { size: 101, limit: 100 }));
    assert_eq!(next(&[0, 0, 0, 100]), Ok(None));
    assert_eq!(next(&[0, 0, 0, 12]), Err(FrameError::TooShort(12)));
    assert_eq!(next(&[0, 0, 0, 0]), Err(FrameError::TooShort(0)));
    assert!(matches!(next(&[0xFF; 4]), Err(FrameError::Malformed(_))));
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
            let wire = if header == 0 { BUFFERED } else { Wire::default() };
            let frame = Frame { header, len: message.len(), wire };
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
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = first(&bytes);
        for transport in [
            Transport::Buffered,
            Transport::Framed,
            Transport::TtHeader,
            Transport::Header,
            Transport::HeaderFramed,
        ] {
            for protocol in [Protocol::Binary, Protocol::BinaryNonStrict, Protocol::Compact, Protocol::Json] {
                let _ = FrameReader::fixed(Wire::new(transport, protocol), Limits::default()).next(&bytes);
            }
        }
    }
}
