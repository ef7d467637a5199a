//! The in tape, read back as JavaScript reads it.

use volo_js_tape::testing::InReader;
use volo_js_tape::{AllocError, CHUNK, Full, HEADER_SLOTS, Header, InState, InTape, Kind, ONEWAY, STRING_IN_TEXT};

/// The three buffers of a tape, dirty as after many turns.
struct Buffers {
    slots: Vec<u64>,
    text: Vec<u8>,
    bytes: Vec<u8>,
    state: InState,
}

impl Buffers {
    fn new(slots: usize, text: usize, bytes: usize) -> Self {
        Self { slots: vec![u64::MAX; slots], text: vec![0xFF; text], bytes: vec![0xFF; bytes], state: InState::new() }
    }

    fn tape(&mut self) -> InTape<'_> {
        InTape::new(&mut self.slots, &mut self.text, &mut self.bytes, &mut self.state)
    }

    fn reader(&self) -> InReader<'_> {
        InReader::new(&self.slots, &self.text, &self.bytes)
    }

    /// Commits a message whose body is these strings.
    fn strings(&mut self, strings: &[&[u8]]) -> Result<(), Full> {
        let mut tape = self.tape();
        let mut message = tape.begin(&HEADER, 1000)?;
        let first = message.alloc(strings.len()).map_err(|_| Full)?;
        for (n, string) in strings.iter().enumerate() {
            message.put_string(first + n, string)?;
        }
        message.commit();
        Ok(())
    }

    fn read(&self) -> Vec<Vec<Vec<u8>>> {
        let reader = self.reader();
        let strings = |m: &_| -> Vec<Vec<u8>> {
            let m: &volo_js_tape::testing::InMessage = m;
            (m.body..m.end).map(|slot| reader.string(m, slot).to_vec()).collect()
        };
        reader.messages().iter().map(strings).collect()
    }
}

const HEADER: Header = Header { kind: Kind::Call, call: 7, generation: 0xFFFF_FFFE, method: 3 | ONEWAY, owner: 9 };

#[test]
fn a_message_of_every_slot_kind() {
    let mut buffers = Buffers::new(64, 64, 64);
    let mut tape = buffers.tape();
    assert!(tape.is_empty());
    let mut message = tape.begin(&HEADER, 64).unwrap();
    let base = message.alloc_struct(70).unwrap_err();
    assert_eq!(base, AllocError::SlotLimit);
    let base = message.alloc_struct(40).unwrap();
    assert_eq!(base, message.body());
    message.set(base + 1, 0x0123_4567_89AB_CDEF);
    message.set_i32(base + 2, -5, 6);
    message.set_f64(base + 3, f64::from_bits(0x7FF0_0000_0000_0001));
    message.put_bytes(base + 4, &[0, 0xFF]).unwrap();
    let list = message.alloc(2).unwrap();
    message.point(base + 5, list, 2);
    message.set(list, 1);
    message.set(list + 1, 2);
    message.mark_present(base, 0);
    message.mark_present(base, 39);
    let used = message.slots_used();
    message.commit();
    assert_eq!(tape.messages(), 1);

    let reader = buffers.reader();
    let messages = reader.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].header, HEADER);
    assert_eq!(messages[0].end - messages[0].body + HEADER_SLOTS, used);
    assert_eq!(reader.u64(base), 1 | 1 << 39, "presence bits do not depend on what was there");
    assert_eq!(reader.u64(base + 1), 0x0123_4567_89AB_CDEF);
    assert_eq!((reader.low(base + 2) as i32, reader.high(base + 2)), (-5, 6));
    assert_eq!(reader.u64(base + 3), 0x7FF0_0000_0000_0001, "a signalling NaN keeps its bits");
    assert_eq!(reader.binary(base + 4), &[0, 0xFF]);
    assert_eq!(reader.pointer(base + 5), (list, 2));
}

#[test]
fn the_prologue_is_written_before_the_first_message() {
    let mut buffers = Buffers::new(8, 0, 0);
    assert_eq!(buffers.tape().messages(), 0);
    assert_eq!(buffers.slots[0], 1);
    assert!(buffers.reader().messages().is_empty());
}

#[test]
fn a_dropped_message_leaves_no_trace() {
    let mut buffers = Buffers::new(64, 64, 64);
    buffers.strings(&[b"kept"]).unwrap();
    let before = buffers.state.clone();
    let mut tape = buffers.tape();
    let mut message = tape.begin(&HEADER, 64).unwrap();
    let slot = message.alloc(2).unwrap();
    message.put_string(slot, b"gone").unwrap();
    message.put_bytes(slot + 1, b"gone").unwrap();
    // Never committed.
    assert_eq!(buffers.state, before);
    buffers.strings(&[b"next"]).unwrap();
    assert_eq!(buffers.read(), [[b"kept".to_vec()], [b"next".to_vec()]]);
}

#[test]
fn full_wherever_room_ends() {
    assert_eq!(Buffers::new(4, 0, 0).tape().begin(&HEADER, 99).err(), Some(Full));
    let mut slots = Buffers::new(6, 0, 0);
    let mut tape = slots.tape();
    let mut message = tape.begin(&HEADER, 99).unwrap();
    assert_eq!(message.alloc(2), Err(AllocError::Full(Full)));
    assert_eq!(message.alloc(1), Ok(5));
    assert_eq!(message.alloc(usize::MAX), Err(AllocError::SlotLimit));

    assert_eq!(Buffers::new(9, 3, 9).strings(&[b"four"]), Err(Full));
    assert_eq!(Buffers::new(9, 4, 0).strings(&[b"four"]), Ok(()));
    assert_eq!(Buffers::new(9, 9, 1).strings(&["é".as_bytes()]), Err(Full));
    assert_eq!(Buffers::new(9, 0, 2).strings(&["é".as_bytes()]), Ok(()));
}

#[test]
fn the_slot_limit_counts_the_header() {
    let mut buffers = Buffers::new(64, 0, 0);
    let mut tape = buffers.tape();
    let mut message = tape.begin(&HEADER, HEADER_SLOTS + 2).unwrap();
    assert_eq!(message.alloc(3), Err(AllocError::SlotLimit));
    assert!(message.alloc(2).is_ok());
    assert_eq!(message.alloc(1), Err(AllocError::SlotLimit));
}

#[test]
fn long_and_foreign_strings_stand_alone() {
    let longest = vec![b'a'; STRING_IN_TEXT];
    let long = vec![b'a'; STRING_IN_TEXT + 1];
    let strings: [&[u8]; 6] = [b"", &longest, &long, "żółw".as_bytes(), &[0xFF, b'a'], b"end"];
    let mut buffers = Buffers::new(64, 8192, 8192);
    buffers.strings(&strings).unwrap();
    assert_eq!(buffers.read(), [strings.map(<[u8]>::to_vec)]);
    assert_eq!(buffers.state.text_used(), longest.len() + 3);
}

#[test]
fn a_chunk_is_shared_until_it_is_large() {
    let mut buffers = Buffers::new(4096, 1 << 16, 0);
    let strings: Vec<Vec<u8>> = (0..200).map(|n| format!("{n:0100}").into_bytes()).collect();
    for string in &strings {
        buffers.strings(&[string]).unwrap();
    }
    let read = buffers.read();
    assert!(read.iter().zip(&strings).all(|(read, string)| read[..] == [string.clone()]));
    let messages = buffers.reader().messages();
    let mut chunks: Vec<_> = messages.iter().map(|m| (m.chunk, m.chunk_len)).collect();
    chunks.dedup();
    assert_eq!(chunks.len(), 5, "{chunks:?}");
    assert!(chunks.iter().all(|c| c.1 <= CHUNK + 100));
}

#[test]
fn one_message_adds_a_bounded_piece_to_a_chunk() {
    let string = vec![b'x'; 1000];
    let mut buffers = Buffers::new(64, 1 << 16, 1 << 16);
    buffers.strings(&[&string[..]; 20]).unwrap();
    assert_eq!(buffers.read(), [vec![string.clone(); 20]]);
    assert!(buffers.state.text_used() <= CHUNK + STRING_IN_TEXT);
    assert_eq!(buffers.state.text_used() + buffers.state.bytes_used(), 20_000);
}

#[test]
fn a_delivered_tape_starts_over() {
    let mut buffers = Buffers::new(64, 64, 64);
    buffers.strings(&[b"first"]).unwrap();
    buffers.state.reset();
    buffers.strings(&[b"second", b"third"]).unwrap();
    assert_eq!(buffers.read(), [[b"second".to_vec(), b"third".to_vec()]]);
    assert_eq!(buffers.state.text_used(), 11);
}
