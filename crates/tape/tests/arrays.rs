//! Binaries that lie beside the tape.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use volo_js_tape::testing::{InReader, OutWriter};
use volo_js_tape::{Array, Gap, Header, InState, InTape, Kind, LARGE, OutTape, VIEWED};

const HEADER: Header = Header { kind: Kind::Call, call: 7, generation: 1, method: 3, owner: 9 };

fn memory(seed: u8) -> Bytes {
    (0..LARGE).map(|n| (n as u8).wrapping_mul(seed)).collect()
}

#[test]
fn large_binaries_of_a_message_are_views_and_the_others_copies() {
    let (mut slots, mut bytes, mut state) = (vec![0; 64], vec![0; 4096], InState::new());
    let memories = [memory(3), memory(5)];
    let mut tape = InTape::new(&mut slots, &mut [], &mut bytes, &mut state);
    for (n, whole) in memories.iter().enumerate() {
        let mut message = tape.begin(&HEADER, 64).unwrap();
        message.lies_in(Array { bytes: whole.clone(), number: Some(n as u32) });
        let body = message.alloc(4).unwrap();
        message.put_bytes(body, &whole[100..][..VIEWED]).unwrap();
        message.put_bytes(body + 1, &whole[..VIEWED - 1]).unwrap();
        message.put_bytes(body + 2, &whole[..]).unwrap();
        // As large, but not of this memory.
        message.put_bytes(body + 3, &memories[1 - n][..VIEWED]).unwrap();
        message.commit();
    }
    assert_eq!(tape.array_bytes(), 2 * LARGE);
    let arrays = state.take_arrays();
    assert_eq!(arrays.iter().map(|array| array.number).collect::<Vec<_>>(), [Some(0), Some(1)]);
    assert_eq!(state.bytes_used(), 2 * (2 * VIEWED - 1), "views take no bytes");
    let reader = InReader::new(&slots, &[], &bytes).with_arrays(&arrays);
    for (n, message) in reader.messages().iter().enumerate() {
        let whole = &memories[n];
        assert_eq!(reader.binary(message.body), &whole[100..][..VIEWED]);
        assert_eq!(reader.binary(message.body + 1), &whole[..VIEWED - 1]);
        assert_eq!(reader.binary(message.body + 2), &whole[..]);
        assert_eq!(reader.binary(message.body + 3), &memories[1 - n][..VIEWED]);
    }
    state.reset();
    assert_eq!(state, InState::new());
}

#[test]
fn memory_that_nothing_is_a_view_of_is_not_kept() {
    let (mut slots, mut bytes, mut state) = (vec![0; 64], vec![0; 4096], InState::new());
    let mut tape = InTape::new(&mut slots, &mut [], &mut bytes, &mut state);
    let whole = memory(3);
    for commits in [true, false] {
        let mut message = tape.begin(&HEADER, 64).unwrap();
        message.lies_in(Array { bytes: whole.clone(), number: None });
        let body = message.alloc(1).unwrap();
        if commits {
            message.put_bytes(body, &whole[..10]).unwrap();
            message.commit();
        } else {
            message.put_bytes(body, &whole[..]).unwrap();
        }
    }
    assert_eq!(tape.array_bytes(), 0);
    assert!(state.take_arrays().is_empty());
    assert!(whole.is_unique());
}

#[test]
fn a_view_needs_a_slot_of_its_own() {
    let (mut slots, mut state) = (vec![0; 6], InState::new());
    let mut tape = InTape::new(&mut slots, &mut [], &mut [], &mut state);
    let whole = memory(3);
    let mut message = tape.begin(&HEADER, 64).unwrap();
    message.lies_in(Array { bytes: whole.clone(), number: None });
    let body = message.alloc(1).unwrap();
    assert!(message.put_bytes(body, &whole[..]).is_err());
}

fn sent(arrays: u32) -> (OutWriter, usize) {
    let mut writer = OutWriter::new();
    let body = writer.begin(&HEADER);
    writer.alloc(3);
    writer.put_array(body, 0, 3);
    writer.put_array(body + 1, arrays, 3);
    writer.put_bytes(body + 2, b"plain");
    writer.commit();
    writer.finish();
    (writer, body)
}

#[test]
fn binaries_going_out_may_be_arrays() {
    let (writer, body) = sent(1);
    let arrays = [&b"one"[..], b"two"];
    let tape = writer.tape().with_arrays(&arrays);
    assert_eq!(tape.bytes(body), Ok(arrays[0]));
    assert_eq!(tape.bytes(body + 1), Ok(arrays[1]));
    assert_eq!(tape.bytes(body + 2), Ok(&b"plain"[..]));
    assert_eq!(tape.lent(body), None, "nobody has said that it may be");
    tape.lend(true);
    assert_eq!(
        (tape.lent(body), tape.lent(body + 1), tape.lent(body + 2), tape.lent(999)),
        (Some(0), Some(1), None, None)
    );
    let gap = Gap { at: 5, array: 1, len: 3 };
    tape.leave_gap(gap);
    assert_eq!(tape.take_gaps(), [gap]);
    assert_eq!(tape.take_gaps(), []);
    assert_eq!(tape.with_slots(&writer.slots).bytes(body + 1), Ok(arrays[1]));
}

#[test]
fn refuses_arrays_that_are_not_what_the_tape_says() {
    let (writer, body) = sent(2);
    let read = |arrays: &[&[u8]], slot| {
        OutTape::new(&writer.slots, &[], &writer.bytes).with_arrays(arrays).bytes(slot).is_ok()
    };
    assert!(read(&[b"one"], body));
    assert!(!read(&[b"four"], body), "of another length");
    assert!(!read(&[], body), "that is not there");
    assert!(!read(&[b"one", b"two"], body + 1));
}
