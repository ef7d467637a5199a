//! Frames of any bytes: in one piece or many the result is the same, and where the scanner says a message ends, the decoder
//! agrees.
//!
//! The first byte chooses the wire, the second the limits and the size of the pieces; the rest is what the peer sends.

#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use volo_js_schema::{Schema, Struct, StructKind};
use volo_js_tape::{Header, InState, InTape, Kind};
use volo_js_thrift::{
    Frame, FrameError, FrameReader, Limits, Program, Protocol, Transport, Wire, decode_exception, decode_struct,
    end_message, read_head, read_headers, untransform,
};

const TRANSPORTS: [Transport; 6] = [
    Transport::Buffered,
    Transport::Framed,
    Transport::TtHeader,
    Transport::TtHeaderFramed,
    Transport::Header,
    Transport::HeaderFramed,
];
const PROTOCOLS: [Protocol; 4] = [Protocol::Binary, Protocol::BinaryNonStrict, Protocol::Compact, Protocol::Json];

/// One struct without fields, to which all is unknown.
static EMPTY: LazyLock<Program> = LazyLock::new(|| {
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
    Program::compile(&Schema { structs: vec![structure], ..Schema::default() }).expect("a sound schema")
});

fuzz_target!(|data: &[u8]| {
    let Some(([wire, choice], stream)) = data.split_first_chunk() else { return };
    let limits = Limits {
        frame: if choice & 1 == 0 { 1 << 12 } else { 64 },
        depth: if choice & 2 == 0 { 64 } else { 3 },
        ..Limits::default()
    };
    let step = usize::from(choice >> 4) + 1;
    // Three bits of transport, where some are of none, two of protocol.
    let fixed = TRANSPORTS
        .get(usize::from(wire & 7))
        .map(|transport| Wire::new(*transport, PROTOCOLS[usize::from(wire >> 3 & 3)]));
    let reader = || fixed.map_or_else(|| FrameReader::detect(limits), |wire| FrameReader::fixed(wire, limits));
    let (mut whole, mut pieces) = (reader(), reader());
    let mut rest = stream;
    loop {
        let frame = whole.next(rest);
        assert_eq!(in_pieces(&mut pieces, rest, step), frame);
        let Ok(Some(frame)) = frame else { return };
        assert!(frame.total() <= rest.len() && frame.total() <= limits.frame + 4);
        assert_eq!(whole.wire(), Some(frame.wire));
        assert!(fixed.is_none_or(|fixed| fixed.protocol == frame.wire.protocol));
        if let Ok(headers) = read_headers(frame.wire, &rest[..frame.header]) {
            let message = Bytes::copy_from_slice(&rest[frame.header..frame.total()]);
            if let Ok(message) = untransform(&headers, message, &limits) {
                assert!(message.len() <= limits.frame);
                decode(&message, frame.wire, &limits);
            }
        }
        rest = &rest[frame.total()..];
        whole.consumed();
        pieces.consumed();
    }
});

fn in_pieces(reader: &mut FrameReader, rest: &[u8], step: usize) -> Result<Option<Frame>, FrameError> {
    let mut end = 0;
    loop {
        match reader.next(&rest[..end]) {
            Ok(None) if end < rest.len() => end = (end + step).min(rest.len()),
            result => return result,
        }
    }
}

fn decode(message: &[u8], wire: Wire, limits: &Limits) {
    let head = read_head(wire.protocol, message);
    let Ok(head) = head else {
        // A buffered message ends where its content does, so its struct has been walked; its kind has not been looked at.
        return;
    };
    let mut state = InState::new();
    let mut slots = [0; 16];
    let mut tape = InTape::new(&mut slots, &mut [], &mut [], &mut state);
    let header = Header { kind: Kind::Call, call: 0, generation: 0, method: 0, owner: 0 };
    let mut to = tape.begin(&header, 16).expect("room for a header");
    let body = Bytes::copy_from_slice(&message[head.len..]);
    let mut left = body.clone();
    let decoded = decode_struct(&EMPTY, wire.protocol, 0, &mut left, limits, &mut to);
    if wire.transport == Transport::Buffered {
        match wire.protocol {
            Protocol::Binary | Protocol::BinaryNonStrict => {
                assert_eq!(decoded, Ok(()));
                assert!(left.is_empty());
            }
            // Whether ids and numbers fit their types, and what stands between brackets, only the decoder looks at.
            Protocol::Compact | Protocol::Json => {
                if decoded.is_ok() && end_message(wire.protocol, &mut left).is_ok() {
                    assert!(left.is_empty());
                }
            }
        }
    }
    let mut left = body;
    let exception = decode_exception(wire.protocol, &mut left, limits);
    if matches!(wire.protocol, Protocol::Binary | Protocol::BinaryNonStrict) {
        assert!(decoded.is_err() || exception.is_ok());
    }
}
