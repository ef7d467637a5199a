//! What the codec costs, for who changes it: `cargo test -p volo-js-protobuf --profile fast --test speed -- --ignored --nocapture`.

mod support;

use std::hint::black_box;
use std::time::Instant;

use bytes::BytesMut;
use support::{
    Tape, Value, Wire, encode, item_response, item_schema, list, message, optional, out_tape, packed, schema,
};
use volo_js_protobuf::{Limits, Program, Sizes, encode_message};
use volo_js_schema::{Field, Schema, Type};

/// The best of several rounds, in nanoseconds a piece of work.
fn best(mut work: impl FnMut()) -> f64 {
    let round = |work: &mut dyn FnMut()| {
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed().as_millis() < 5 {
            for _ in 0..100 {
                work();
            }
            count += 100;
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
    };
    (0..60).map(|_| round(&mut work)).fold(f64::INFINITY, f64::min)
}

fn measure(name: &str, schema: &Schema, index: u32, value: &Value) {
    let program = Program::compile(schema).expect("a sound schema");
    let wire = encode(schema, index, value).expect("a value");
    let mut tape = Tape::large();
    let decoding = best(|| {
        tape.state.reset();
        tape.decode(&program, index, black_box(&wire), &Limits::default()).expect("a message");
    });
    let (writer, base) = out_tape(schema, index, value);
    let (tape, mut sizes, mut out) = (writer.tape(), Sizes::new(), BytesMut::with_capacity(wire.len()));
    let encoding = best(|| {
        out.clear();
        encode_message(&program, index, &tape, black_box(base), &mut sizes, &mut out).expect("a value");
    });
    println!("{name:32} {:8} bytes  decode {decoding:10.1} ns  encode {encoding:10.1} ns", wire.len());
}

#[test]
#[ignore = "it measures, it does not check"]
fn how_long_it_takes() {
    let ascii = ["a", "b", "c"].map(|key| (Value::text(key), Value::text("value"))).to_vec();
    let ascii = [Value::Long(1), Value::text("Hello gRPC"), Value::text("Powered by Volo"), Value::Map(ascii)];
    measure("GetItemResponse", &item_schema(), 1, &Value::of([Some(Value::of(ascii.map(Some)))]));
    let item = item_response();
    measure("GetItemResponse, not ASCII", &item_schema(), 1, &item);
    measure("GetItemRequest", &item_schema(), 0, &Value::of([Some(Value::Long(1))]));
    let items = schema(vec![
        message("Items", vec![Field::new(1, "items", list(Type::Struct(1)))]),
        message("Item", vec![Field::new(1, "id", Type::I64), Field::new(2, "title", Type::String)]),
    ]);
    let one = |n| Value::of([Some(Value::Long(n)), Some(Value::text("title of an item"))]);
    measure("1000 items", &items, 0, &Value::of([Some(Value::List((0..1000).map(one).collect()))]));
    let numbers = |ty| schema(vec![message("Numbers", vec![packed(Field::new(1, "n", list(ty)))])]);
    let small = Value::of([Some(Value::words(&[1, 2, 300, 70_000].repeat(250)))]);
    measure("1000 packed varints", &numbers(Type::Uint32), 0, &small);
    measure("1000 packed fixed32", &numbers(Type::Fixed32), 0, &small);
    let chain = schema(vec![message("Chain", vec![optional(Field::new(1, "next", Type::Struct(0)))])]);
    for depth in [10, 100] {
        let value = (0..depth).fold(Value::of([None]), |inner, _| Value::of([Some(inner)]));
        measure(&format!("{depth} levels"), &chain, 0, &value);
    }
    let mixed = schema(vec![message(
        "Mixed",
        vec![
            Field::new(1, "r", list(Type::Struct(0))),
            Field::new(2, "s", list(Type::String)),
            Field::new(3, "e", support::map(Type::I32, Type::Struct(0))),
        ],
    )]);
    for count in [1_000_u32, 10_000] {
        let wire =
            (0..count).fold(Wire::new(), |wire, n| wire.len(1, &[]).len(2, b"x").len(3, &[]).int(8, u64::from(n)));
        let program = Program::compile(&mixed).unwrap();
        let mut tape = Tape::new(1 << 20, 1 << 20, 1 << 20);
        let decoding = best(|| {
            tape.state.reset();
            tape.decode(&program, 0, black_box(&wire.0), &Limits::default()).expect("a message");
        });
        println!(
            "{count} times four alternating fields: decode {decoding:.0} ns, {:.1} ns a field",
            decoding / f64::from(4 * count)
        );
    }
}
