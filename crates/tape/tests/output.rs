//! The out tape: what JavaScript writes is read, what makes no sense is refused.

use proptest::prelude::*;
use volo_js_tape::testing::OutWriter;
use volo_js_tape::{Header, Kind, Malformed, OutTape};

const HEADER: Header = Header { kind: Kind::Reply, call: 1, generation: 2, method: 3, owner: 4 };

/// A tape of one message whose body is these strings.
fn strings(strings: &[Vec<u16>]) -> (OutWriter, usize) {
    let mut writer = OutWriter::new();
    let body = writer.begin(&HEADER);
    writer.alloc(strings.len());
    for (n, string) in strings.iter().enumerate() {
        writer.put_units(body + n, string);
    }
    writer.commit();
    writer.finish();
    (writer, body)
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[test]
fn messages_in_order() {
    let mut writer = OutWriter::new();
    for kind in [Kind::Reply, Kind::Done] {
        let body = writer.begin(&Header { kind, ..HEADER });
        let base = writer.alloc_struct(2);
        assert_eq!(base, body);
        writer.mark_present(base, 1);
        writer.set_i32(base + 2, -1, 0);
        writer.commit();
    }
    writer.finish();
    let tape = writer.tape();
    let messages: Vec<_> = tape.messages().collect::<Result<_, _>>().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1].header, Header { kind: Kind::Done, ..HEADER });
    assert_eq!(messages[0].end + 4, messages[1].body);
    assert_eq!(messages[1].end, tape.end());
    let base = messages[1].body;
    assert_eq!((tape.presence(base, 0), tape.presence(base, 1)), (Ok(false), Ok(true)));
    assert_eq!((tape.i32(base + 2), tape.high(base + 2)), (Ok(-1), Ok(0)));
}

#[test]
fn an_ascii_rope_is_lent() {
    let (writer, body) = strings(&[units("hello"), units(""), units("world")]);
    let tape = writer.tape();
    let all: Vec<_> = (0..3).map(|n| tape.str(body + n).unwrap()).collect();
    assert_eq!(all.iter().map(|s| s.middle).collect::<Vec<_>>(), [&b"hello"[..], b"", b"world"]);
    assert!(all.iter().all(|s| !s.lead && !s.trail));
}

#[test]
fn a_pair_between_two_strings_is_split_again() {
    let (high, low) = (0xD83D, 0xDE00);
    let (writer, body) = strings(&[vec![0x61, high], vec![low, 0x62], vec![high], vec![low], units("😀")]);
    let tape = writer.tape();
    let read = |n: usize| String::from_utf8(tape.str(body + n).unwrap().to_bytes().into_owned()).unwrap();
    assert_eq!([0, 1, 2, 3, 4].map(read), ["a\u{FFFD}", "\u{FFFD}b", "\u{FFFD}", "\u{FFFD}", "😀"]);
}

#[test]
fn a_long_string_lies_in_bytes() {
    let long = "ł".repeat(300);
    let (writer, body) = strings(&[units("ł"), units(&long)]);
    let tape = writer.tape();
    assert_eq!(tape.str(body + 1).unwrap().middle, long.as_bytes());
    assert_eq!(tape.str(body).unwrap().middle, "ł".as_bytes());
}

fn first_error(slots: &[u64]) -> Option<Malformed> {
    OutTape::new(slots, &[], &[]).messages().take(9).find_map(Result::err)
}

#[test]
fn refuses_broken_frames() {
    let head = |kind: u64, size: u64| kind | size << 32;
    assert!(first_error(&[]).is_some());
    assert!(first_error(&[1, 0]).is_some(), "an end before the first message");
    assert!(first_error(&[2, 0]).is_none(), "an empty tape");
    assert!(first_error(&[9, 0]).is_some(), "an end outside of the slots");
    assert!(first_error(&[2, 1]).is_some(), "text that is not there");
    assert!(first_error(&[6, 0, head(2, 4), 0, 0, 0]).is_none());
    assert!(first_error(&[6, 0, head(2, 3), 0, 0, 0]).is_some(), "a size below the header's");
    assert!(first_error(&[6, 0, head(2, 0), 0, 0, 0]).is_some());
    assert!(first_error(&[6, 0, head(2, 5), 0, 0, 0]).is_some(), "a size over the end");
    assert!(first_error(&[6, 0, head(2, u64::from(u32::MAX)), 0, 0, 0]).is_some());
    assert!(first_error(&[6, 0, head(0, 4), 0, 0, 0]).is_some(), "no kind");
    assert!(first_error(&[6, 0, head(15, 4), 0, 0, 0]).is_some(), "a kind that is none");
    assert!(first_error(&[5, 0, head(2, 4), 0, 0]).is_some(), "half a header");
}

#[test]
fn refuses_what_leaves_the_tape() {
    let mut writer = OutWriter::new();
    let body = writer.begin(&HEADER);
    writer.alloc(6);
    writer.set_i32(body, -100, 1);
    writer.set_i32(body + 1, 100, 1);
    writer.set_i32(body + 2, 0, i32::MAX);
    writer.set_i32(body + 3, 0, 4);
    writer.set_i32(body + 4, 0, -1);
    writer.set_i32(body + 5, -1, 1);
    writer.commit();
    writer.finish();
    let tape = writer.tape();
    assert!(tape.pointer(body).is_err());
    assert!(tape.pointer(body + 1).is_err());
    assert_eq!(tape.pointer(body + 2), Ok((body + 2, i32::MAX as usize)));
    assert!(tape.run(body + 2, i32::MAX as usize).is_err());
    assert!(tape.run(usize::MAX, 2).is_err());
    assert_eq!(tape.run(body, 6).map(<[u64]>::len), Ok(6));
    assert!((3..6).all(|n| tape.str(body + n).is_err()));
    assert!((3..6).all(|n| tape.bytes(body + n).is_err()));
    assert!(tape.u64(body + 6).is_err());
    assert!(tape.presence(usize::MAX, 64).is_err());
}

/// Units that make pairs, halves of pairs and characters of every length likely.
fn any_units() -> impl Strategy<Value = Vec<u16>> {
    let unit = prop_oneof![
        3 => 0x20..0x7F_u16,
        1 => Just(0xE9),
        1 => Just(0x20AC),
        2 => 0xD800..0xD803_u16,
        2 => 0xDC00..0xDC03_u16,
    ];
    prop::collection::vec(unit, 0..12)
}

/// Miri takes a thousand times as long, and has neither a seed file nor a folder to keep one in.
fn config() -> ProptestConfig {
    if cfg!(miri) {
        ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() }
    } else {
        ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn strings_come_out_as_they_would_alone(
        all in prop::collection::vec(any_units(), 0..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let (writer, body) = strings(&all);
        let tape = writer.tape();
        let in_order = 0..all.len();
        let twice = in_order.clone().chain(in_order);
        let anyhow = order.iter().filter(|_| !all.is_empty()).map(|index| index.index(all.len()));
        for n in twice.chain(anyhow) {
            let string = tape.str(body + n).unwrap();
            let expected = String::from_utf16_lossy(&all[n]);
            prop_assert_eq!(&string.to_bytes()[..], expected.as_bytes());
            prop_assert_eq!(string.len(), expected.len());
        }
    }

    #[test]
    fn no_tape_panics(
        slots in prop::collection::vec(prop_oneof![any::<u64>(), 0..20_u64, (0..20_u64).prop_map(|n| n << 32 | 3)], 0..24),
        text in prop::collection::vec(any::<u8>(), 0..24),
        units in 0..30_u32,
    ) {
        let mut slots = slots;
        if slots.len() > 2 {
            slots[0] = slots.len() as u64;
            slots[1] = u64::from(units) | (text.len() as u64) << 32;
        }
        let tape = OutTape::new(&slots, &text, &text);
        let _ = tape.messages().filter_map(Result::ok).count();
        for _ in 0..2 {
            for slot in 0..=slots.len() {
                let _ = (tape.presence(slot, slot), tape.f64(slot), tape.pointer(slot), tape.bytes(slot));
                if let Ok(string) = tape.str(slot) {
                    prop_assert!(string.to_bytes().len() == string.len());
                }
            }
        }
    }
}
