//! What JavaScript does to the tapes, in Rust, for tests and fuzzers: they panic where a tape breaks the layout.

use crate::array::Array;
use crate::layout::{
    ASCII, ELSEWHERE, HEADER_SLOTS, Header, IN_BYTES, IN_PROLOGUE, Kind, LENGTH, OUT_PROLOGUE, halves, presence_slots,
};
use crate::output::OutTape;

/// Strings of more UTF-16 units than this go into *bytes*, as the generated writers do it.
const ROPE_STRING: usize = 256;

/// Reads the in tape as the generated readers do.
#[derive(Debug)]
pub struct InReader<'a> {
    slots: &'a [u64],
    text: &'a [u8],
    bytes: &'a [u8],
    arrays: &'a [Array],
}

/// A message of the in tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InMessage {
    /// Who it is about.
    pub header: Header,
    /// First slot of the body.
    pub body: usize,
    /// First slot behind the message.
    pub end: usize,
    /// Where its text chunk begins.
    pub chunk: usize,
    /// Length of the chunk when it was sliced, which is when its first message was read.
    pub chunk_len: usize,
}

impl<'a> InReader<'a> {
    /// A reader of these buffers.
    pub fn new(slots: &'a [u64], text: &'a [u8], bytes: &'a [u8]) -> Self {
        Self { slots, text, bytes, arrays: &[] }
    }

    /// The same with what binaries may be views of.
    #[must_use]
    pub fn with_arrays(self, arrays: &'a [Array]) -> Self {
        Self { arrays, ..self }
    }

    /// All messages.
    ///
    /// # Panics
    /// If the tape breaks the layout.
    pub fn messages(&self) -> Vec<InMessage> {
        let end = self.low(0) as usize;
        let (mut at, mut all) = (IN_PROLOGUE, Vec::<InMessage>::new());
        while at < end {
            let (kind, size) = (Kind::try_from(self.low(at) as i32).expect("a kind"), self.high(at) as usize);
            assert!(size >= HEADER_SLOTS && at + size <= end, "the message at {at} has {size} slots of {end}");
            let header = Header {
                kind,
                call: self.low(at + 1),
                generation: self.high(at + 1),
                method: self.low(at + 2),
                owner: self.high(at + 2),
            };
            let (chunk, mut chunk_len) = (self.low(at + 3) as usize, self.high(at + 3) as usize);
            assert!(self.text[chunk..chunk + chunk_len].is_ascii(), "a chunk is ASCII");
            if let Some(previous) = all.last().filter(|m| m.chunk == chunk) {
                assert!(chunk_len <= previous.chunk_len, "the first message of a chunk knows its whole length");
                chunk_len = previous.chunk_len;
            }
            all.push(InMessage { header, body: at + HEADER_SLOTS, end: at + size, chunk, chunk_len });
            at += size;
        }
        assert_eq!(at, end, "messages end where the tape does");
        all
    }

    /// The low half of a slot.
    ///
    /// # Panics
    /// If there is no such slot, as all that follow.
    pub fn low(&self, slot: usize) -> u32 {
        self.slots[slot] as u32
    }

    /// The high half of a slot.
    pub fn high(&self, slot: usize) -> u32 {
        (self.slots[slot] >> 32) as u32
    }

    /// All of a slot.
    pub fn u64(&self, slot: usize) -> u64 {
        self.slots[slot]
    }

    /// Whether a field is present.
    pub fn presence(&self, base: usize, field: usize) -> bool {
        self.slots[base + field / 64] >> (field % 64) & 1 == 1
    }

    /// Where a slot points, and its high half.
    ///
    /// # Panics
    /// If that is before the tape.
    pub fn pointer(&self, slot: usize) -> (usize, usize) {
        let target = slot as i64 + i64::from(self.low(slot) as i32);
        (usize::try_from(target).expect("a target"), self.high(slot) as usize)
    }

    /// The bytes of a string.
    ///
    /// # Panics
    /// If it is flagged wrongly or leaves its buffer.
    pub fn string(&self, message: &InMessage, slot: usize) -> &'a [u8] {
        let (offset, high) = (self.low(slot) as usize, self.high(slot));
        let length = (high & LENGTH) as usize;
        if high & IN_BYTES == 0 {
            assert_eq!(high & ASCII, 0);
            return &self.text[message.chunk..message.chunk + message.chunk_len][offset..offset + length];
        }
        let string = &self.bytes[offset..offset + length];
        assert_eq!(high & ASCII != 0, string.is_ascii());
        string
    }

    /// A binary.
    ///
    /// # Panics
    /// If it leaves what it lies in.
    pub fn binary(&self, slot: usize) -> &'a [u8] {
        let low = self.low(slot);
        if low & ELSEWHERE != 0 {
            let at = slot + (low & !ELSEWHERE) as usize;
            let array = &self.arrays[self.low(at) as usize].bytes;
            return &array[self.high(at) as usize..][..self.high(slot) as usize];
        }
        &self.bytes[self.low(slot) as usize..][..self.high(slot) as usize]
    }
}

/// Writes the out tape as the generated writers do.
#[derive(Debug, Clone)]
pub struct OutWriter {
    /// The slots; complete after [`finish`](Self::finish).
    pub slots: Vec<u64>,
    /// The rope, encoded by [`finish`](Self::finish).
    pub text: Vec<u8>,
    /// Binaries and long strings.
    pub bytes: Vec<u8>,
    rope: Vec<u16>,
    start: usize,
}

impl Default for OutWriter {
    fn default() -> Self {
        Self { slots: vec![0; OUT_PROLOGUE], text: Vec::new(), bytes: Vec::new(), rope: Vec::new(), start: 0 }
    }
}

impl OutWriter {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a message and returns the first slot of its body.
    pub fn begin(&mut self, header: &Header) -> usize {
        self.start = self.slots.len();
        self.slots.extend([
            halves(header.kind as i32 as u32, 0),
            halves(header.call, header.generation),
            halves(header.method, header.owner),
            0,
        ]);
        self.slots.len()
    }

    /// Ends the message.
    pub fn commit(&mut self) {
        let size = self.slots.len() - self.start;
        self.slots[self.start] |= (size as u64) << 32;
    }

    /// `n` slots, filled with what would be wrong to read.
    pub fn alloc(&mut self, n: usize) -> usize {
        let at = self.slots.len();
        self.slots.resize(at + n, 0xDEAD_BEEF_DEAD_BEEF);
        at
    }

    /// Slots of a struct with this many fields, none present.
    pub fn alloc_struct(&mut self, fields: usize) -> usize {
        let presence = presence_slots(fields);
        let base = self.alloc(presence + fields);
        self.slots[base..base + presence].fill(0);
        base
    }

    /// Marks a field as present.
    pub fn mark_present(&mut self, base: usize, field: usize) {
        self.slots[base + field / 64] |= 1 << (field % 64);
    }

    /// Sets a slot.
    pub fn set(&mut self, slot: usize, value: u64) {
        self.slots[slot] = value;
    }

    /// Sets both halves of a slot.
    pub fn set_i32(&mut self, slot: usize, low: i32, high: i32) {
        self.slots[slot] = halves(low as u32, high as u32);
    }

    /// Makes a slot point at `target`.
    pub fn point(&mut self, slot: usize, target: usize, high: u32) {
        self.slots[slot] = halves((target as i64 - slot as i64) as u32, high);
    }

    /// Puts a string of UTF-16 units, which need not be well-formed.
    pub fn put_units(&mut self, slot: usize, units: &[u16]) {
        if units.len() > ROPE_STRING {
            let encoded = String::from_utf16_lossy(units);
            self.slots[slot] = halves(self.bytes.len() as u32, encoded.len() as u32 | IN_BYTES);
            self.bytes.extend_from_slice(encoded.as_bytes());
        } else {
            self.slots[slot] = halves(self.rope.len() as u32, units.len() as u32);
            self.rope.extend_from_slice(units);
        }
    }

    /// Puts a string.
    pub fn put_string(&mut self, slot: usize, string: &str) {
        self.put_units(slot, &string.encode_utf16().collect::<Vec<_>>());
    }

    /// Puts a binary.
    pub fn put_bytes(&mut self, slot: usize, bytes: &[u8]) {
        self.slots[slot] = halves(self.bytes.len() as u32, bytes.len() as u32);
        self.bytes.extend_from_slice(bytes);
    }

    /// Puts a binary of this length that is one of the tape's arrays.
    pub fn put_array(&mut self, slot: usize, index: u32, length: usize) {
        self.slots[slot] = halves(index | ELSEWHERE, length as u32);
    }

    /// Encodes the rope and writes the first slots.
    pub fn finish(&mut self) {
        self.text = String::from_utf16_lossy(&self.rope).into_bytes();
        self.slots[0] = halves(self.slots.len() as u32, 0);
        self.slots[1] = halves(self.rope.len() as u32, self.text.len() as u32);
    }

    /// The tape, once finished.
    pub fn tape(&self) -> OutTape<'_> {
        OutTape::new(&self.slots, &self.text, &self.bytes)
    }
}
