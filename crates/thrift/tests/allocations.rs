//! The codec does not allocate in steady state, and little when it is fed nonsense.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use support::{Entropy, Tape, Value, any_struct, every_type, head, item_schema, put_message, wire_of, write_struct};
use volo_js_schema::Schema;
use volo_js_tape::testing::OutWriter;
use volo_js_thrift::{
    FrameReader, Limits, MessageKind, Program, Protocol, Transport, Wire, decode_struct, encode_reply, read_head,
};

thread_local! {
    /// Allocations of this thread: how many, and how many bytes.
    static COUNTED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

struct Counting;

fn count(bytes: usize) {
    // A thread that is ending has nothing left to count with.
    let _ = COUNTED.try_with(|counted| counted.set((counted.get().0 + 1, counted.get().1 + bytes)));
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps to the contract of `alloc`, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `alloc` above, so from the system.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: `at` came from `alloc` above, so from the system.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations that `work` makes, and their bytes.
fn allocations(work: impl FnOnce()) -> (usize, usize) {
    let before = COUNTED.get();
    work();
    let after = COUNTED.get();
    (after.0 - before.0, after.1 - before.1)
}

fn item_result() -> Value {
    let text = |text: &str| Value::String(text.into());
    let extra = ["a", "b", "ż"].map(|key| (text(key), text("value"))).to_vec();
    let item = vec![Some(Value::I64(1)), Some(text("title")), Some(text("content, żółw")), Some(Value::Map(extra))];
    Value::Struct(vec![Some(Value::Struct(vec![Some(Value::Struct(item))]))])
}

/// A message of this struct, and a program for it.
fn message(schema: &Schema, index: u32, value: &Value) -> Bytes {
    let mut wire = head("GetItem", 2, 1);
    write_struct(schema, index, value, None, &mut wire);
    Bytes::from(wire)
}

fn round(program: &Program, index: u32, message: &Bytes, reader: &mut FrameReader, tape: &mut Tape) {
    let frame = reader.next(message).expect("a stream").expect("a message");
    let head = read_head(Protocol::Binary, &message[frame.header..]).expect("a head");
    let mut body = message.slice(frame.header + head.len..frame.total());
    tape.message(|message| decode_struct(program, Protocol::Binary, index, &mut body, &Limits::default(), message))
        .expect("a struct");
    assert!(body.is_empty());
    tape.state.reset();
    reader.consumed();
}

#[test]
fn decoding_and_scanning_allocate_nothing() {
    let every = every_type();
    let mut from = [0; 700];
    for (n, byte) in from.iter_mut().enumerate() {
        *byte = (n * 151 + 7) as u8;
    }
    let large = any_struct(&every, 0, 5, &mut Entropy::new(&from));
    for (schema, index, value) in [(item_schema(), 4, item_result()), (every, 0, large)] {
        let program = Program::compile(&schema).unwrap();
        let message = message(&schema, index, &value);
        let mut reader = FrameReader::detect(Limits::default());
        let mut tape = Tape::new(1 << 15, 1 << 16, 1 << 16);
        // The scanner's stack grows once, and the bytes become shared once.
        round(&program, index, &message, &mut reader, &mut tape);
        let made = allocations(|| {
            for _ in 0..100 {
                round(&program, index, &message, &mut reader, &mut tape);
            }
        });
        assert_eq!(made, (0, 0));
    }
}

#[test]
fn other_protocols_allocate_little() {
    let every = every_type();
    let mut from = [0; 700];
    for (n, byte) in from.iter_mut().enumerate() {
        *byte = (n * 151 + 7) as u8;
    }
    let program = Program::compile(&every).unwrap();
    let value = any_struct(&every, 0, 5, &mut Entropy::new(&from));
    let limits = Limits::default();
    let mut tape = Tape::new(1 << 15, 1 << 16, 1 << 16);
    // In JSON a buffer for strings with escapes and one for binaries; each grows to the longest.
    for (protocol, most) in [(Protocol::BinaryNonStrict, 0), (Protocol::Compact, 0), (Protocol::Json, 12)] {
        let wire = Bytes::from(wire_of(protocol, &every, 0, &value, None));
        let mut decode = || {
            let mut body = wire.clone();
            tape.message(|message| decode_struct(&program, protocol, 0, &mut body, &limits, message)).unwrap();
            tape.state.reset();
        };
        // The bytes become shared once.
        decode();
        let (count, bytes) = allocations(decode);
        assert!(count <= most && bytes <= 4 * wire.len(), "{protocol:?}: {count} allocations of {bytes} bytes");
    }
}

#[test]
fn encoding_allocates_nothing() {
    let schema = item_schema();
    let program = Program::compile(&schema).unwrap();
    let mut writer = OutWriter::new();
    let body = put_message(&schema, 4, &item_result(), &mut writer);
    writer.finish();
    let tape = writer.tape();
    let mut out = BytesMut::with_capacity(4096);
    for protocol in [Protocol::Binary, Protocol::BinaryNonStrict, Protocol::Compact, Protocol::Json] {
        let wire = Wire::new(Transport::Framed, protocol);
        let made = allocations(|| {
            for sequence in 0..100 {
                out.clear();
                encode_reply(&program, 0, MessageKind::Reply, sequence, &tape, body, wire, &mut out).unwrap();
            }
        });
        assert_eq!(made, (0, 0), "{protocol:?}");
    }
}

#[test]
fn nonsense_allocates_little() {
    let schema = every_type();
    let program = Program::compile(&schema).unwrap();
    let mut tape = Tape::new(1 << 12, 1 << 12, 1 << 12);
    let mut seed = 1_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as u8
    };
    for _ in 0..2000 {
        // Types and small numbers are likely, and so are containers that claim to be huge.
        let body: Vec<u8> =
            (0..200).map(|_| random()).map(|byte| if byte & 1 == 0 { byte >> 4 } else { byte }).collect();
        for protocol in [Protocol::Binary, Protocol::Compact, Protocol::Json] {
            let mut bytes = Bytes::from([head("m", 1, 1), body.clone()].concat());
            let (_, allocated) = allocations(|| {
                let _ = FrameReader::detect(Limits::default()).next(&bytes);
                bytes = bytes.slice(13..);
                let _ = tape
                    .message(|message| decode_struct(&program, protocol, 0, &mut bytes, &Limits::default(), message));
            });
            tape.state.reset();
            assert!(allocated < 16 << 10, "{allocated} bytes");
        }
    }
}
