//! What a message costs: `cargo run --release -p volo-js-thrift --example codec_bench [SECONDS]`.
//!
//! The message is an item service's `GetItemResponse` with a map of three; each line is the best of many short runs, so that
//! whatever else the machine does is left out. Also three shapes that stress one thing each.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use volo_js_schema::{Schema, Type};
use volo_js_tape::testing::OutWriter;
use volo_js_tape::{Header, InState, InTape, Kind};
use volo_js_thrift::{
    FrameReader, Limits, MessageKind, Program, Protocol, Transport, Wire, decode_struct, encode_reply, read_head,
};

/// Messages a run, as a busy turn brings them.
const BATCH: u32 = 64;
const HEADER: Header = Header { kind: Kind::Reply, call: 1, generation: 1, method: 0, owner: 0 };
/// `GetItem_result` of the fixture.
const RESULT: u32 = 4;

fn main() {
    let seconds = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(1.0);
    let duration = Duration::from_secs_f64(seconds);
    let schema: Schema = serde_json::from_str(include_str!("../tests/fixtures/item.json")).expect("a schema");
    item(&schema, duration);

    for (name, ty) in [("list<i64>", Type::I64), ("list<string>", Type::String), ("list<struct>", Type::Struct(1))] {
        let mut shaped = schema.clone();
        shaped.structs[2].fields[0].ty = Type::List(Box::new(ty.clone()));
        list(name, &shaped, &ty, duration);
    }
}

fn item(schema: &Schema, duration: Duration) {
    let program = Program::compile(schema).expect("a program");
    let mut writer = OutWriter::new();
    let mut bodies = Vec::new();
    for _ in 0..BATCH {
        bodies.push(put_item(&mut writer, "Hello Volo"));
    }
    writer.finish();
    report(&program, "GetItemResponse", &writer, &bodies, duration);

    let mut writer = OutWriter::new();
    let bodies: Vec<_> = (0..BATCH).map(|_| put_item(&mut writer, "Zażółć gęślą")).collect();
    writer.finish();
    report(&program, "GetItemResponse, not ASCII", &writer, &bodies, duration);
}

/// An item with two strings and a map of three. Returns the base of the result.
fn put_item(writer: &mut OutWriter, title: &str) -> usize {
    let body = writer.begin(&HEADER);
    let result = writer.alloc_struct(1);
    let response = writer.alloc_struct(1);
    let item = writer.alloc_struct(4);
    for (base, target) in [(result, response), (response, item)] {
        writer.mark_present(base, 0);
        writer.point(base + 1, target, 0);
    }
    (0..4).for_each(|field| writer.mark_present(item, field));
    writer.set(item + 1, 1024);
    writer.put_string(item + 2, title);
    writer.put_string(item + 3, "This is a Volo example");
    let map = writer.alloc(6);
    writer.point(item + 4, map, 3);
    for (slot, string) in ["color", "red", "size", "large", "origin", "somewhere"].iter().enumerate() {
        writer.put_string(map + slot, string);
    }
    writer.commit();
    body
}

fn list(name: &str, schema: &Schema, ty: &Type, duration: Duration) {
    const COUNT: usize = 100;
    let program = Program::compile(schema).expect("a program");
    let mut writer = OutWriter::new();
    let mut bodies = Vec::new();
    for _ in 0..BATCH {
        bodies.push(writer.begin(&HEADER));
        let result = writer.alloc_struct(1);
        let response = writer.alloc_struct(1);
        writer.mark_present(result, 0);
        writer.point(result + 1, response, 0);
        writer.mark_present(response, 0);
        let first = writer.alloc(COUNT);
        writer.point(response + 1, first, COUNT as u32);
        for n in 0..COUNT {
            match ty {
                Type::String => writer.put_string(first + n, "a short string"),
                Type::Struct(_) => {
                    let base = writer.alloc_struct(1);
                    writer.point(first + n, base, 0);
                    writer.mark_present(base, 0);
                    writer.set(base + 1, n as u64);
                }
                _ => writer.set(first + n, n as u64),
            }
        }
        writer.commit();
    }
    writer.finish();
    report(&program, &format!("{COUNT} × {name}"), &writer, &bodies, duration);
}

/// Encodes the messages, decodes and scans what came out, and prints what each costs.
fn report(program: &Program, name: &str, writer: &OutWriter, bodies: &[usize], duration: Duration) {
    let (tape, buffered) = (writer.tape(), Wire::new(Transport::Buffered, Protocol::Binary));
    let mut out = BytesMut::with_capacity(1 << 20);
    let encode = best(duration, || {
        out.clear();
        let tape = writer.tape();
        for body in bodies {
            encode_reply(program, 0, MessageKind::Reply, 7, &tape, *body, Wire::default(), &mut out).expect("bytes");
        }
    });
    out.clear();
    encode_reply(program, 0, MessageKind::Reply, 7, &tape, bodies[0], buffered, &mut out).expect("bytes");
    let message = out.split().freeze();
    let (mut slots, mut text, mut bytes) = (vec![0; 1 << 16], vec![0; 1 << 18], vec![0; 1 << 18]);
    let mut state = InState::new();
    let limits = Limits::default();
    let decode = best(duration, || {
        state.reset();
        let mut tape = InTape::new(&mut slots, &mut text, &mut bytes, &mut state);
        for _ in 0..BATCH {
            let head = read_head(Protocol::Binary, &message).expect("a head");
            let mut body: Bytes = message.slice(head.len..);
            let mut to = tape.begin(&HEADER, limits.slots).expect("room");
            decode_struct(program, Protocol::Binary, RESULT, &mut body, &limits, &mut to).expect("a struct");
            to.commit();
        }
    });
    let mut reader = FrameReader::fixed(buffered, limits);
    let scan = best(duration, || {
        for _ in 0..BATCH {
            black_box(reader.next(black_box(&message)).expect("a stream").expect("a message"));
            reader.consumed();
        }
    });
    println!(
        "{name:<28} {:>5} bytes   decode {decode:>7.1} ns   encode {encode:>7.1} ns   scan {scan:>7.1} ns",
        message.len()
    );
}

/// Nanoseconds a message, in the best of the runs that fit the time.
fn best(duration: Duration, mut run: impl FnMut()) -> f64 {
    let (end, mut best) = (Instant::now() + duration, f64::MAX);
    while Instant::now() < end {
        let started = Instant::now();
        run();
        best = best.min(started.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH));
    }
    best
}
