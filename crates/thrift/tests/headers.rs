//! Headers: what other libraries write is read, what is written they would have written as well, and nothing else is believed.

use std::iter;

use bytes::{BufMut as _, Bytes, BytesMut};
use proptest::prelude::*;
use volo_js_thrift::{
    EncodeError, Frame, FrameError, FrameReader, Headers, Limits, MAX_HEADERS, Protocol, Transport, Wire, begin_frame,
    end_frame, read_headers, untransform,
};

/// Two digits a byte, spaces ignored.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<_> = digits.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// `echo("hi \"there\" \\ {[é")`, sequence number 7, as Apache's Go library writes it.
const BINARY: &str = "80010001000000046563686f000000070b00010000001168692022746865726522205c207b5bc3a900";
const COMPACT: &str = "822107046563686f181168692022746865726522205c207b5bc3a900";

/// The same behind THeader with the header `caller: shop`, by Apache's Go library 0.25.
const GO_BINARY: &str = "000000430fff0000000000070004000001010663616c6c65720473686f70";
const GO_COMPACT: &str = "000000360fff0000000000070004020001010663616c6c65720473686f70";
const GO_BINARY_ZLIB: &str = "000000500fff000000000007000500010101010663616c6c65720473686f70000000
    789c6a60646064606060494dcec867606060e7067305333215944a32528b5295146214aaa30faf6400040000ffff84000875";
const GO_COMPACT_ZLIB: &str = "000000460fff000000000007000502010101010663616c6c65720473686f70000000
    789c6a526467494dcec89710ccc854502ac9482d4a55528851a88e3ebc9201100000ffff72d308a2";

/// `echo("hi" twenty times)`, the same header, by Apache's Python library 0.25.
const PYTHON_BINARY_ZLIB: &str = "0000003d0fff000000000007000500010101010663616c6c65720473686f70000000
    789c6b60646064606060494dcec807d2ecdc60ae46462671900100e32012b5";
const PYTHON_COMPACT_ZLIB: &str = "000000350fff000000000007000502010101010663616c6c65720473686f70000000
    789c6b526467494dcec897d0c8c8240e320000d5fe12e2";
const HI_BINARY: &str = "80010001000000046563686f000000070b000100000028
    68696869686968696869686968696869686968696869686968696869686968696869686968696869 00";
const HI_COMPACT: &str = "822107046563686f1828
    68696869686968696869686968696869686968696869686968696869686968696869686968696869 00";

/// The Go message behind TTHeader with flags 1 and `isn: Echo`, by `cloudwego/gopkg` 0.1.8.
const KITEX: &str = "00000043100000010000000700040000010001000369736e00044563686f";
const KITEX_FRAMED: &str = "00000047100000010000000700040000010001000369736e00044563686f00000029";
/// With int key 3, `shop`, and an ACL token as well.
const KITEX_INTS: &str =
    "00000057100000010000000700090000110005746f6b656e010001000369736e00044563686f1000010003000473686f7000";
const KITEX_INTS_FRAMED: &str =
    "0000005b100000010000000700090000110005746f6b656e010001000369736e00044563686f1000010003000473686f700000000029";

/// A call that a client of Kitex 0.16 sent, and an answer of its server, which is an error of the application's own.
const KITEX_CALL: &[u8] = b"\0\0\0\x6E\x10\0\0\0\0\0\0\x76\0\x14\0\0\x01\0\x01\0\x03isn\0\x05Annex\
    \x10\0\x07\0\x01\0\x06framed\0\x0C\0\x044321\0\x03\0\x0Ckitex-client\0\x14\0\0\0\x06\0\x05annex\0\x09\0\x03who\
    \0\x16\0\x011\0\0\0\0\x10\x80\x01\0\x01\0\0\0\x03who\0\0\0\x76\0";
const KITEX_ERROR: &[u8] = b"\0\0\0\x72\x10\0\0\0\0\0\0\x6F\0\x15\0\0\x01\0\x03\0\x0Abiz-status\0\x041001\
    \0\x0Bbiz-message\0\x08biz 1001\0\x09biz-extra\0\x11{\"reason\":\"1001\"}\x10\0\x01\0\x16\0\x012\
    \0\0\0\x10\x80\x01\0\x02\0\0\0\x03biz\0\0\0\x6F\0";

const NO_INTS: &[(u16, &str)] = &[];

fn wire(transport: Transport, protocol: Protocol) -> Wire {
    Wire::new(transport, protocol)
}

/// Headers with these values.
fn headers<'a>(flags: u16, strings: &[(&'a str, &'a str)], ints: &[(u16, &'a str)], zlib: bool) -> Headers<'a> {
    Headers {
        sequence: 7,
        flags,
        ints: ints.iter().map(|(key, value)| (*key, value.as_bytes())).collect(),
        strings: strings.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect(),
        token: None,
        zlib,
    }
}

/// The one frame that these bytes are, its headers and its message.
fn read(bytes: &[u8]) -> Result<(Frame, Headers<'_>, Bytes), FrameError> {
    let frame = FrameReader::detect(Limits::default()).next(bytes)?.expect("all of it");
    assert_eq!(frame.total(), bytes.len());
    let headers = read_headers(frame.wire, &bytes[..frame.header])?;
    let message = untransform(&headers, Bytes::copy_from_slice(&bytes[frame.header..]), &Limits::default())?;
    Ok((frame, headers, message))
}

fn write(wire: Wire, headers: &Headers<'_>, message: &[u8]) -> Result<BytesMut, EncodeError> {
    let mut out = BytesMut::from(&b"before"[..]);
    let mark = begin_frame(wire, headers, &mut out)?;
    if wire.inner().transport == Transport::Framed {
        out.put_u32(message.len() as u32);
    }
    out.put_slice(message);
    end_frame(mark, 0, &mut out)?;
    assert_eq!(out.split_to(6), &b"before"[..]);
    Ok(out)
}

#[test]
fn reads_and_writes_what_apache_does() {
    let caller = |zlib| headers(0, &[("caller", "shop")], NO_INTS, zlib);
    for (framing, protocol, message, zlib) in [
        (GO_BINARY, Protocol::Binary, BINARY, false),
        (GO_COMPACT, Protocol::Compact, COMPACT, false),
        (GO_BINARY_ZLIB, Protocol::Binary, BINARY, true),
        (GO_COMPACT_ZLIB, Protocol::Compact, COMPACT, true),
        (PYTHON_BINARY_ZLIB, Protocol::Binary, HI_BINARY, true),
        (PYTHON_COMPACT_ZLIB, Protocol::Compact, HI_COMPACT, true),
    ] {
        let (mut bytes, message) = (hex(framing), hex(message));
        if !zlib {
            bytes.extend(&message);
        }
        let wire = wire(Transport::Header, protocol);
        let (frame, read_back, plain) = read(&bytes).unwrap();
        assert_eq!((frame.wire, read_back, &plain[..]), (wire, caller(zlib), &message[..]), "{framing}");
        let written = write(wire, &caller(zlib), &message).unwrap();
        // Compressors differ; what stands before the compressed message does not, but for the length.
        let end = if zlib { frame.header } else { bytes.len() };
        assert_eq!(written[4..end], bytes[4..end]);
        assert_eq!(read(&written).unwrap().1, caller(zlib));
        assert_eq!(read(&written).unwrap().2, message);
        // Their transport of headers over their framed one puts a length in front.
        let in_frame = Wire { transport: Transport::HeaderFramed, ..wire };
        let around = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
        let bytes = around(&bytes);
        let (frame, read_back, plain) = read(&bytes).unwrap();
        assert_eq!((frame.wire, read_back, &plain[..]), (in_frame, caller(zlib), &message[..]), "{framing}");
        assert_eq!(write(in_frame, &caller(zlib), &message).unwrap(), around(&written));
    }
    // The C++ library pads with a word where none is needed.
    let mut padded = hex(GO_BINARY);
    padded.extend([0; 4]);
    padded.extend(hex(BINARY));
    (padded[3], padded[13]) = (padded[3] + 4, padded[13] + 1);
    let (_, read_back, plain) = read(&padded).unwrap();
    assert_eq!((read_back, &plain[..]), (caller(false), &hex(BINARY)[..]));
}

#[test]
fn reads_and_writes_what_kitex_does() {
    let isn = headers(1, &[("isn", "Echo")], NO_INTS, false);
    let ints = Headers { token: Some(b"token"), ..headers(1, &[("isn", "Echo")], &[(3, "shop")], false) };
    for (framing, transport, headers) in [
        (KITEX, Transport::TtHeader, &isn),
        (KITEX_FRAMED, Transport::TtHeaderFramed, &isn),
        (KITEX_INTS, Transport::TtHeader, &ints),
        (KITEX_INTS_FRAMED, Transport::TtHeaderFramed, &ints),
    ] {
        let (mut bytes, message) = (hex(framing), hex(BINARY));
        bytes.extend(&message);
        let wire = wire(transport, Protocol::Binary);
        let (frame, read_back, plain) = read(&bytes).unwrap();
        assert_eq!((frame.wire, &read_back, &plain[..]), (wire, headers, &message[..]), "{framing}");
        let written = write(wire, headers, &message).unwrap();
        assert_eq!(&written[..], &bytes[..], "{framing}");
        assert_eq!(&read(&written).unwrap().1, headers);
    }
    let call: &[_] = &[(1, "framed"), (12, "4321"), (3, "kitex-client"), (20, ""), (6, "annex"), (9, "who"), (22, "1")];
    let error: &[_] = &[("biz-status", "1001"), ("biz-message", "biz 1001"), ("biz-extra", r#"{"reason":"1001"}"#)];
    for (bytes, sequence, strings, ints) in
        [(KITEX_CALL, 118, &[("isn", "Annex")][..], call), (KITEX_ERROR, 111, error, &[(22, "2")])]
    {
        let headers = Headers { sequence, ..headers(0, strings, ints, false) };
        let (frame, read_back, message) = read(bytes).unwrap();
        assert_eq!(frame.wire, wire(Transport::TtHeaderFramed, Protocol::Binary));
        assert_eq!(read_back, headers);
        assert_eq!(write(frame.wire, &headers, &message).unwrap(), bytes);
    }
    assert_eq!(isn.string(b"isn").unwrap(), b"Echo");
    assert_eq!(ints.int(3).unwrap(), b"shop");
    assert_eq!((isn.int(3), isn.string(b"Isn")), (None, None));
}

#[test]
fn an_answer_repeats_what_it_has_to() {
    let asked = headers(9, &[("caller", "shop")], &[(3, "shop")], true);
    assert_eq!(asked.answer(), headers(0, &[], NO_INTS, true));
}

#[test]
fn transports_without_headers_have_none() {
    for transport in [Transport::Buffered, Transport::Framed] {
        let wire = wire(transport, Protocol::Binary);
        assert_eq!(read_headers(wire, &[0, 0, 0, 20]), Ok(Headers::default()));
        let mut out = BytesMut::from(&b"before"[..]);
        let mark = begin_frame(wire, &headers(1, &[("a", "b")], &[(1, "c")], true), &mut out).unwrap();
        out.put_slice(b"message");
        end_frame(mark, 0, &mut out).unwrap();
        assert_eq!(out, &b"beforemessage"[..]);
    }
}

/// A frame of these headers, and the Go message behind it.
fn with_block(magic: u16, block: &[u8]) -> Vec<u8> {
    let words = block.len().div_ceil(4);
    let message = hex(BINARY);
    let mut out = ((10 + 4 * words + message.len()) as u32).to_be_bytes().to_vec();
    out.extend(magic.to_be_bytes());
    out.extend([0, 0, 0, 0, 0, 7]);
    out.extend((words as u16).to_be_bytes());
    out.extend(block);
    out.resize(14 + 4 * words, 0);
    out.extend(message);
    out
}

#[test]
fn refuses_headers_that_are_none() {
    // Whether nothing is in them.
    let is_empty = |headers: Headers<'_>| headers == Headers { sequence: 7, ..Headers::default() };
    let tt_header = |block: &[u8]| read(&with_block(0x1000, block)).map(|(_, headers, _)| is_empty(headers));
    let t_header = |block: &[u8]| read(&with_block(0x0FFF, block)).map(|(_, headers, _)| is_empty(headers));
    let malformed = |read: Result<_, _>| matches!(read, Err(FrameError::Malformed(_)));
    let unsupported = |read: Result<_, _>| matches!(read, Err(FrameError::Unsupported(_)));

    assert_eq!(tt_header(&[0, 0]), Ok(true));
    assert_eq!(tt_header(&[3, 2, 7, 1, 0, 0, 1, 0, 0, 0x10, 0, 0]), Ok(true), "transforms mean nothing");
    assert!(unsupported(tt_header(&[4, 0])), "Protobuf");
    assert!(unsupported(tt_header(&[0x10, 0])), "a protocol of streams");
    assert!(malformed(tt_header(&[0, 7])), "transforms that are not there");
    assert!(malformed(tt_header(&[0, 0, 2])), "an info that is none");
    assert!(malformed(tt_header(&[0, 0, 1, 0])), "no count");
    assert!(malformed(tt_header(&[0, 0, 1, 0xFF, 0xFF, 0, 0])), "entries that are not there");
    assert!(malformed(tt_header(&[0, 0, 0x10, 0, 1, 0, 3, 0, 9])), "a value that is not there");
    assert!(malformed(tt_header(&[0, 0, 0x11, 0, 9])), "a token that is not there");

    assert_eq!(t_header(&[0, 0]), Ok(true));
    assert_eq!(t_header(&[0, 2, 0, 0]), Ok(true), "transforms that are none");
    assert_eq!(t_header(&[0, 0, 2, 9, 9, 9]), Ok(true), "an info that is not known ends them");
    assert!(unsupported(t_header(&[0, 1, 2])), "HMAC");
    assert!(unsupported(t_header(&[0, 1, 3])), "Snappy");
    assert!(unsupported(t_header(&[0, 1, 4])), "an unknown transform");
    assert!(unsupported(t_header(&[0, 2, 1, 1])), "zlib twice");
    assert!(unsupported(t_header(&[3, 0])), "an unknown protocol");
    assert!(malformed(t_header(&[0, 9])), "transforms that are not there");
    assert!(malformed(t_header(&[0, 0, 1, 9])), "entries that are not there");
    assert!(malformed(t_header(&[0, 0, 1, 1, 0, 9])), "a value that is not there");
    assert!(malformed(t_header(&[0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0])), "33 bits");
    assert!(malformed(t_header(&[0x80, 0x80, 0x80, 0x80])), "a number without an end");
    assert!(t_header(&[0x80, 0x80, 0x80, 0x80, 0, 0, 0, 0]).is_ok(), "a number with zeros in front");
}

#[test]
fn headers_are_limited() {
    let xs = vec![b'x'; 1 << 18];
    let strings = |value, count: usize| {
        let strings = iter::repeat_n((&b""[..], value), count).collect();
        Headers { strings, ..Headers::default() }
    };
    let many = |count: usize| strings(b"", count);
    let long = |len: usize| strings(&xs[..len], 1);
    let ints = |count: usize| Headers { ints: iter::repeat_n((1, &b""[..]), count).collect(), ..Headers::default() };
    for (transport, headers, fine) in [
        (Transport::TtHeader, many(MAX_HEADERS), true),
        (Transport::TtHeader, many(MAX_HEADERS + 1), false),
        (Transport::TtHeader, ints(MAX_HEADERS + 1), false),
        (Transport::Header, many(MAX_HEADERS), true),
        (Transport::Header, many(MAX_HEADERS + 1), false),
    ] {
        let written = write(wire(transport, Protocol::Binary), &headers, &hex(BINARY)).unwrap();
        let count = headers.strings.len() + headers.ints.len();
        let expected = if fine { Ok(headers) } else { Err(FrameError::TooManyHeaders(count)) };
        assert_eq!(read(&written).map(|(_, headers, _)| headers), expected);
    }
    for (transport, headers, fine) in [
        // Four bytes each, and five in front of them.
        (Transport::TtHeader, many(0xFFFD), true),
        (Transport::TtHeader, many(0xFFFE), false),
        (Transport::TtHeader, many(0x1_0000), false),
        (Transport::TtHeader, ints(0x1_0000), false),
        (Transport::TtHeader, long(0xFFFF), true),
        (Transport::TtHeader, long(0x1_0000), false),
        (Transport::Header, long(0x1_0000), true),
        // Protocol, transforms, info, count, no name, a length of three bytes.
        (Transport::Header, long(4 * 0xFFFF - 8), true),
        (Transport::Header, long(4 * 0xFFFF - 7), false),
        (Transport::HeaderFramed, long(4 * 0xFFFF - 7), false),
    ] {
        let written = write(wire(transport, Protocol::Binary), &headers, &hex(BINARY));
        assert_eq!(written.is_ok(), fine, "{transport:?}");
        if !fine {
            let mut out = BytesMut::from(&b"before"[..]);
            let error = begin_frame(wire(transport, Protocol::Binary), &headers, &mut out).unwrap_err();
            assert!(matches!(error, EncodeError::Headers(_)), "{error}");
            assert_eq!(out, &b"before"[..], "what was written is gone");
        }
    }
    for protocol in [Protocol::BinaryNonStrict, Protocol::Json] {
        assert!(write(wire(Transport::TtHeader, protocol), &Headers::default(), b"[").is_err());
    }
}

#[test]
fn a_frame_with_its_headers_is_limited() {
    let message = hex(BINARY);
    for transport in [Transport::TtHeader, Transport::Header, Transport::HeaderFramed] {
        let wire = wire(transport, Protocol::Binary);
        let bytes = write(wire, &headers(0, &[("caller", "shop")], NO_INTS, false), &message).unwrap();
        let next = |frame| FrameReader::detect(Limits { frame, ..Limits::default() }).next(&bytes);
        let size = bytes.len() - 4;
        assert!(next(size).is_ok());
        assert_eq!(next(size - 1), Err(FrameError::TooLarge { size, limit: size - 1 }));
    }
    let mut small = write(wire(Transport::TtHeader, Protocol::Binary), &Headers::default(), b"").unwrap();
    assert_eq!(FrameReader::detect(Limits::default()).next(&small), Err(FrameError::TooShort(14)));
    small[3] = 3;
    assert_eq!(FrameReader::detect(Limits::default()).next(&small), Err(FrameError::TooShort(3)));
}

#[test]
fn what_is_decompressed_is_limited() {
    let wire = wire(Transport::Header, Protocol::Compact);
    let zlib = Headers { zlib: true, ..Headers::default() };
    let bytes = write(wire, &zlib, &vec![0; 4 << 20]).unwrap();
    assert!(bytes.len() < 64 << 10, "{}", bytes.len());
    let frame = FrameReader::detect(Limits::default()).next(&bytes).unwrap().unwrap();
    let message = Bytes::copy_from_slice(&bytes[frame.header..]);
    let limited = |frame| untransform(&zlib, message.clone(), &Limits { frame, ..Limits::default() });
    assert_eq!(limited(4 << 20).unwrap().len(), 4 << 20);
    let limit = (4 << 20) - 1;
    assert_eq!(limited(limit), Err(FrameError::TooLarge { size: limit + 1, limit }));
}

#[test]
fn what_is_no_zlib_is_refused() {
    let zlib = Headers { zlib: true, ..Headers::default() };
    let wire = wire(Transport::Header, Protocol::Binary);
    let bytes = write(wire, &zlib, &hex(BINARY)).unwrap();
    let frame = FrameReader::detect(Limits::default()).next(&bytes).unwrap().unwrap();
    let message = &bytes[frame.header..];
    let malformed = |message: &[u8]| {
        let message = untransform(&zlib, Bytes::copy_from_slice(message), &Limits::default());
        matches!(message, Err(FrameError::Malformed(_)))
    };
    assert!(!malformed(message));
    for end in 0..message.len() {
        assert!(malformed(&message[..end]), "cut after {end} bytes");
    }
    assert!(malformed(&[message, &[0]].concat()), "a byte behind it");
    assert!(malformed(&hex(BINARY)), "not compressed");
    // Without the transform it is as it came.
    assert_eq!(untransform(&Headers::default(), bytes.clone().into(), &Limits::default()), Ok(bytes.freeze()));
}

/// What headers are of.
#[derive(Debug)]
struct Content {
    sequence: i32,
    flags: u16,
    strings: Vec<(Vec<u8>, Vec<u8>)>,
    ints: Vec<(u16, Vec<u8>)>,
    token: Option<Vec<u8>>,
    zlib: bool,
}

impl Content {
    fn headers(&self) -> Headers<'_> {
        let &Self { sequence, flags, zlib, .. } = self;
        let ints = self.ints.iter().map(|(key, value)| (*key, &value[..])).collect();
        let strings = self.strings.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        Headers { sequence, flags, ints, strings, token: self.token.as_deref(), zlib }
    }
}

fn any_headers() -> impl Strategy<Value = (Wire, Content)> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let strings = prop::collection::vec((bytes(), bytes()), 0..20);
    let ints = prop::collection::vec((any::<u16>(), bytes()), 0..20);
    let transport = prop_oneof![
        Just(Transport::TtHeader),
        Just(Transport::TtHeaderFramed),
        Just(Transport::Header),
        Just(Transport::HeaderFramed),
    ];
    let protocol = prop_oneof![Just(Protocol::Binary), Just(Protocol::Compact)];
    let token = prop::option::of(bytes());
    (transport, protocol, any::<i32>(), any::<u16>(), strings, ints, token, any::<bool>()).prop_map(
        |(transport, protocol, sequence, flags, strings, ints, token, zlib)| {
            let content = match transport {
                Transport::Header | Transport::HeaderFramed => {
                    Content { sequence, flags, strings, ints: vec![], token: None, zlib }
                }
                // Two is the flag of streams.
                _ => Content { sequence, flags: flags & !2, strings, ints, token, zlib: false },
            };
            (wire(transport, protocol), content)
        },
    )
}

proptest! {
    #[test]
    fn headers_come_back((wire, content) in any_headers(), text in prop::collection::vec(any::<u8>(), 0..200)) {
        let headers = content.headers();
        let mut message = hex(if wire.protocol == Protocol::Binary { BINARY } else { COMPACT });
        message.extend(text);
        let bytes = write(wire, &headers, &message).unwrap();
        let (frame, read_back, plain) = read(&bytes).unwrap();
        prop_assert_eq!((frame.wire, read_back, &plain[..]), (wire, headers, &message[..]));
        for end in 0..bytes.len() {
            prop_assert_eq!(FrameReader::detect(Limits::default()).next(&bytes[..end]), Ok(None));
            prop_assert_eq!(FrameReader::fixed(wire, Limits::default()).next(&bytes[..end]), Ok(None));
        }
    }

    #[test]
    fn damaged_bytes_do_not_panic(
        (wire, content) in any_headers(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let message = hex(if wire.protocol == Protocol::Binary { BINARY } else { COMPACT });
        let mut bytes = write(wire, &content.headers(), &message).unwrap();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] ^= byte;
        }
        for mut reader in [FrameReader::detect(Limits::default()), FrameReader::fixed(wire, Limits::default())] {
            let Ok(Some(frame)) = reader.next(&bytes) else { continue };
            prop_assert!(frame.total() <= bytes.len());
            if let Ok(headers) = read_headers(frame.wire, &bytes[..frame.header]) {
                let message = Bytes::copy_from_slice(&bytes[frame.header..frame.total()]);
                let _ = untransform(&headers, message, &Limits { frame: 1 << 16, ..Limits::default() });
            }
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), magic in any::<bool>()) {
        for transport in
            [Transport::TtHeader, Transport::TtHeaderFramed, Transport::Header, Transport::HeaderFramed]
        {
            let _ = read_headers(wire(transport, Protocol::Binary), &bytes);
        }
        let mut bytes = bytes;
        if bytes.len() >= 6 {
            let len = bytes.len() as u32 - 4;
            bytes[..4].copy_from_slice(&len.to_be_bytes());
            bytes[4..6].copy_from_slice(if magic { &[0x10, 0] } else { &[0x0F, 0xFF] });
        }
        let _ = FrameReader::detect(Limits::default()).next(&bytes);
    }
}
