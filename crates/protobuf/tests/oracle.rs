//! Decoder and encoder against another implementation, over random schemas and values, and over bytes of any kind.

#[path = "support/oracle.rs"]
mod oracle;
mod support;

use oracle::{Oracle, mistaken, normal};
use proptest::prelude::*;
use support::random::{Entropy, any_message, any_schema};
use support::{Value, decode, encode};
use volo_js_protobuf::DecodeError;
use volo_js_schema::{Schema, Type};

/// Both decode to the same value, or both refuse. `None` if they refuse, or if they may differ.
fn agree(schema: &Schema, oracle: &Oracle, wire: &[u8]) -> Option<Value> {
    match (decode(schema, 0, wire), oracle.decode(schema, 0, wire)) {
        (Ok(ours), Ok(theirs)) => {
            assert!(!mistaken(schema, 0, &ours), "the oracle refuses what has another wire type");
            assert_eq!(normal(schema, 0, &ours), normal(schema, 0, &theirs));
            Some(ours)
        }
        // The oracle takes keys of up to ten bytes.
        (Err(_), Err(_)) | (Err(DecodeError::Malformed("a field's key is longer than five bytes")), Ok(_)) => None,
        // Here a field of another wire type is unknown. Whatever else the bytes are, the oracle does not see it.
        (Ok(_), Err(error)) if error.to_string().contains("(expected ") => None,
        (Ok(ours), Err(error)) => panic!("{ours:?} for us, but {error} for the oracle"),
        (Err(error), Ok(theirs)) => panic!("{error} for us, but {theirs:?} for the oracle"),
    }
}

/// Writes the value and reads it back.
fn again(schema: &Schema, value: &Value) {
    let written = encode(schema, 0, value).expect("it has been read");
    let read = decode(schema, 0, &written).expect("it has been written");
    assert_eq!(normal(schema, 0, &read), normal(schema, 0, value));
    assert_eq!(encode(schema, 0, &read).expect("as before"), written);
}

fn random(bytes: &[u8], proto3: bool, maps: bool) -> (Schema, Oracle, Vec<Value>) {
    let mut from = Entropy::new(bytes);
    let mut schema = any_schema(&mut from, proto3);
    if !maps {
        // The oracle takes an entry of any wire type for one with a length.
        for structure in &mut schema.structs {
            structure.fields.retain(|field| !matches!(field.ty, Type::Map(..)));
        }
    }
    let oracle = Oracle::new(&schema, proto3);
    let values = (0..3).map(|_| any_message(&schema, 0, 4, &mut from)).collect();
    (schema, oracle, values)
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

/// Fields with small numbers and any wire types.
fn fields() -> impl Strategy<Value = Vec<u8>> {
    let one = (prop_oneof![0..12_u8, any::<u8>()], 0..8_u8, prop::collection::vec(any::<u8>(), 0..6)).prop_map(
        |(number, wire, content)| {
            let mut field = support::Wire::new().key(u32::from(number), wire);
            if wire == 2 {
                field = field.varint(content.len() as u64);
            }
            field.raw(&content).0
        },
    );
    prop::collection::vec(one, 0..40).prop_map(|fields| fields.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_oracle_reads_what_we_write(bytes in bytes(900), proto3 in any::<bool>()) {
        let (schema, oracle, values) = random(&bytes, proto3, true);
        for value in &values {
            let wire = encode(&schema, 0, value).unwrap();
            let theirs = oracle.decode(&schema, 0, &wire).unwrap();
            prop_assert_eq!(normal(&schema, 0, &theirs), normal(&schema, 0, value));
        }
    }

    #[test]
    fn we_read_what_the_oracle_writes(bytes in bytes(900), proto3 in any::<bool>()) {
        let (schema, oracle, values) = random(&bytes, proto3, true);
        for value in &values {
            let wire = oracle.encode(&schema, 0, value);
            let ours = decode(&schema, 0, &wire).unwrap();
            prop_assert_eq!(normal(&schema, 0, &ours), normal(&schema, 0, value));
            again(&schema, &ours);
        }
    }

    #[test]
    fn parts_are_merged_alike(bytes in bytes(900), proto3 in any::<bool>(), more in fields()) {
        let (schema, oracle, values) = random(&bytes, proto3, true);
        let mut wire: Vec<u8> = values.iter().flat_map(|value| encode(&schema, 0, value).unwrap()).collect();
        let whole = agree(&schema, &oracle, &wire).expect("both can read it");
        again(&schema, &whole);
        // Every message is merged twice, and something may follow that is unknown.
        wire.extend_from_within(..);
        agree(&schema, &oracle, &wire).expect("both can read it");
        let (schema, oracle, _) = random(&bytes, proto3, false);
        wire.extend(&more);
        if let Some(value) = agree(&schema, &oracle, &wire) {
            again(&schema, &value);
        }
    }

    #[test]
    fn fields_of_any_kind_are_read_alike(bytes in bytes(100), proto3 in any::<bool>(), wire in fields()) {
        let (schema, oracle, _) = random(&bytes, proto3, false);
        if let Some(value) = agree(&schema, &oracle, &wire) {
            again(&schema, &value);
        }
    }

    #[test]
    fn a_message_cut_short_is_read_alike(bytes in bytes(600), proto3 in any::<bool>(), at in any::<prop::sample::Index>()) {
        let (schema, oracle, values) = random(&bytes, proto3, true);
        let wire = encode(&schema, 0, &values[0]).unwrap();
        agree(&schema, &oracle, &wire[..at.index(wire.len() + 1)]);
    }

    #[test]
    fn mistaken_bytes_are_read_alike(
        bytes in bytes(600),
        proto3 in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (schema, oracle, values) = random(&bytes, proto3, false);
        let mut wire = values.iter().flat_map(|value| encode(&schema, 0, value).unwrap()).collect::<Vec<_>>();
        if wire.is_empty() {
            return Ok(());
        }
        for (at, byte) in &changes {
            let at = at.index(wire.len());
            wire[at] = *byte;
        }
        if let Some(value) = agree(&schema, &oracle, &wire) {
            again(&schema, &value);
        }
    }

    #[test]
    fn bytes_of_any_kind_are_read_and_written_alike(bytes in bytes(200), wire in fields()) {
        let (schema, _, _) = random(&bytes, false, true);
        if let Ok(value) = decode(&schema, 0, &wire) {
            again(&schema, &value);
        }
    }

    #[test]
    fn any_tape_encodes_or_is_refused(
        schema in bytes(100),
        slots in prop::collection::vec(prop_oneof![any::<u64>(), 0..20_u64, (0..20_u64).prop_map(|n| n << 32 | 3)], 8..60),
        text in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let program = volo_js_protobuf::Program::compile(&any_schema(&mut Entropy::new(&schema), false)).unwrap();
        let mut slots = slots;
        slots[0] = slots.len() as u64;
        slots[1] = text.len() as u64 | (text.len() as u64) << 32;
        let tape = volo_js_tape::OutTape::new(&slots, &text, &text);
        let mut sizes = volo_js_protobuf::Sizes::new();
        for base in [2, 6, usize::MAX] {
            let mut out = bytes::BytesMut::from(&b"before"[..]);
            let length = volo_js_protobuf::message_len(&program, 0, &tape, base, &mut sizes);
            if length.as_ref().is_ok_and(|length| *length > 1 << 24) {
                continue;
            }
            let written = volo_js_protobuf::encode_message(&program, 0, &tape, base, &mut sizes, &mut out);
            prop_assert_eq!(&written, &length);
            prop_assert_eq!(out.len(), 6 + written.unwrap_or(0));
        }
    }
}
