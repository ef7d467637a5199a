//! Binaries that are left out of the output: with them in their places it is what it would have been.
#![allow(clippy::unwrap_used)]

mod support;

use bytes::BytesMut;
use support::every_type;
use volo_js_schema::{Field, Schema, Type};
use volo_js_tape::testing::OutWriter;
use volo_js_tape::{Gap, OutTape};
use volo_js_thrift::{EncodeError, Headers, Program, Protocol, Transport, Wire, begin_frame, encode_call, end_frame};

/// One struct of a number, a binary, a list of binaries and a number.
fn schema() -> Schema {
    let mut schema = every_type();
    let template = schema.structs[0].fields[0].clone();
    let types = [Type::I32, Type::Binary, Type::List(Box::new(Type::Binary)), Type::I32];
    let field = |(n, ty): (usize, Type)| Field { id: n as i32 + 1, name: format!("f{n}"), ty, ..template.clone() };
    schema.structs[0].fields = types.into_iter().enumerate().map(field).collect();
    schema
}

fn write() -> (OutWriter, usize) {
    let mut writer = OutWriter::new();
    let body = writer.begin(&support::HEADER);
    let args = writer.alloc_struct(1);
    writer.mark_present(args, 0);
    let every = writer.alloc_struct(4);
    writer.point(args + 1, every, 0);
    (0..4).for_each(|field| writer.mark_present(every, field));
    writer.set_i32(every + 1, 7, 0);
    writer.put_array(every + 2, 0, ARRAYS[0].len());
    let items = writer.alloc(3);
    writer.point(every + 3, items, 3);
    writer.put_array(items, 1, ARRAYS[1].len());
    writer.put_bytes(items + 1, b"between");
    writer.put_array(items + 2, 0, ARRAYS[0].len());
    writer.set_i32(every + 4, 8, 0);
    writer.commit();
    writer.finish();
    (writer, body)
}

const ARRAYS: [&[u8]; 2] = [&[0xAA; 300], &[0xBB; 5]];

fn encode(tape: &OutTape<'_>, body: usize, wire: Wire, out: &mut BytesMut) -> Result<usize, EncodeError> {
    let program = Program::compile(&schema()).unwrap();
    if !wire.has_headers() {
        return encode_call(&program, 0, 1, tape, body, wire, out);
    }
    let mark = begin_frame(wire, &Headers { sequence: 1, ..Headers::default() }, out)?;
    let lent = encode_call(&program, 0, 1, tape, body, wire.inner(), out)?;
    end_frame(mark, lent, out)?;
    Ok(lent)
}

fn fill(out: &[u8], gaps: &[Gap]) -> Vec<u8> {
    let (mut whole, mut from) = (Vec::new(), 0);
    for gap in gaps {
        whole.extend_from_slice(&out[from..gap.at]);
        assert_eq!(ARRAYS[gap.array as usize].len(), gap.len);
        whole.extend_from_slice(ARRAYS[gap.array as usize]);
        from = gap.at;
    }
    whole.extend_from_slice(&out[from..]);
    whole
}

#[test]
fn gaps_are_where_the_bytes_would_be() {
    use Protocol::{Binary, BinaryNonStrict, Compact, Json};
    use Transport::{Buffered, Framed, Header, HeaderFramed, TtHeader, TtHeaderFramed};
    let (writer, body) = write();
    for (transport, protocol) in [
        (Buffered, Binary),
        (Framed, Binary),
        (Framed, BinaryNonStrict),
        (Buffered, Compact),
        (Framed, Compact),
        (Framed, Json),
        (TtHeader, Binary),
        (TtHeaderFramed, Compact),
        (Header, Compact),
        (HeaderFramed, Binary),
    ] {
        let wire = Wire::new(transport, protocol);
        let tape = writer.tape().with_arrays(&ARRAYS);
        let mut copied = BytesMut::from(&b"before"[..]);
        assert_eq!(encode(&tape, body, wire, &mut copied), Ok(0), "{wire:?}");
        assert_eq!(tape.take_gaps(), []);
        tape.lend(true);
        let mut out = BytesMut::from(&b"before"[..]);
        let lent = encode(&tape, body, wire, &mut out).unwrap();
        let gaps = tape.take_gaps();
        assert_eq!(lent, gaps.iter().map(|gap| gap.len).sum::<usize>());
        assert_eq!(gaps.len(), if protocol == Json { 0 } else { 3 }, "{wire:?}");
        assert_eq!(out.len() + lent, copied.len(), "{wire:?}");
        assert_eq!(fill(&out, &gaps), copied, "{wire:?}");
    }
}
