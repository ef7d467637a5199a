//! Frames of any bytes: in one piece or many the result is the same, and where the scanner says a message ends, the decoder
//! agrees.
//!
//! The first byte chooses the transport, the limits and the size of the pieces; the rest is what the peer sends.

#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use volo_js_schema::{Schema, Struct, StructKind};
use volo_js_tape::{Header, InState, InTape, Kind};
use volo_js_thrift::{
    Frame, FrameError, FrameReader, Limits, Program, Transport, decode_exception, decode_struct, read_head,
};

/// One struct without fields, to which all is unknown.
static EMPTY: LazyLock<Program> = LazyLock::new(|| {
    let structure = Struct {
        name: "Empty".into(),
        file: 0,
        kind: StructKind::Struct,
        fields: vec![],
        oneofs: vec![],
        annotations: [].into(),
        doc: String::new(),
    };
    Program::compile(&Schema { structs: vec![structure], ..Schema::default() }).expect("a sound schema")
});

fuzz_target!(|data: &[u8]| {
    let Some((&choice, stream)) = data.split_first() else { return };
    let limits = Limits {
        frame: if choice & 4 == 0 { 1 << 12 } else { 64 },
        depth: if choice & 8 == 0 { 64 } else { 3 },
        ..Limits::default()
    };
    let step = usize::from(choice >> 4) + 1;
    let reader = || match choice & 3 {
        0 => FrameReader::fixed(Transport::Framed, limits),
        1 => FrameReader::fixed(Transport::Buffered, limits),
        _ => FrameReader::detect(limits),
    };
    let (mut whole, mut pieces) = (reader(), reader());
    let mut rest = stream;
    loop {
        let frame = whole.next(rest);
        assert_eq!(in_pieces(&mut pieces, rest, step), frame);
        let Ok(Some(frame)) = frame else { return };
        assert!(frame.total() <= rest.len() && frame.len <= limits.frame);
        decode(&rest[frame.header..frame.total()], whole.transport(), &limits);
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

fn decode(message: &[u8], transport: Option<Transport>, limits: &Limits) {
    let head = read_head(message);
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
    let decoded = decode_struct(&EMPTY, 0, &mut left, limits, &mut to);
    if transport == Some(Transport::Buffered) {
        assert_eq!(decoded, Ok(()));
        assert!(left.is_empty());
    }
    let mut left = body;
    let exception = decode_exception(&mut left, limits);
    assert!(decoded.is_err() || exception.is_ok());
}
