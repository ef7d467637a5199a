//! The tape from JavaScript to Rust.

use std::cell::{Cell, RefCell};

use crate::array::Gap;
use crate::layout::{ELSEWHERE, HEADER_SLOTS, Header, IN_BYTES, Kind, LENGTH, OUT_PROLOGUE};
use crate::text::{Mark, Str, cut};

/// The out tape does not follow the layout; nothing of the message is usable. Only a defect of the writer explains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tape from JavaScript is malformed: {0}")]
pub struct Malformed(pub &'static str);

/// The tape from JavaScript to Rust, for as long as its buffers are borrowed.
#[derive(Debug)]
pub struct OutTape<'a> {
    /// Slots in use.
    slots: &'a [u64],
    /// The rope, encoded.
    text: &'a [u8],
    bytes: &'a [u8],
    /// What was too large for *bytes*.
    arrays: &'a [&'a [u8]],
    /// Whoever encodes may leave gaps where arrays are to stand.
    lends: Cell<bool>,
    gaps: RefCell<Vec<Gap>>,
    /// UTF-16 length of the rope; equal to its length in bytes exactly when it is ASCII.
    units: usize,
    malformed: Option<Malformed>,
    /// Last place in the rope whose units and bytes are known, of a rope that is not ASCII.
    cursor: Cell<Mark>,
    /// Such a place to come back to.
    marked: Cell<Mark>,
}

/// A message of the out tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutMessage {
    /// Who it is about.
    pub header: Header,
    /// First slot of the body.
    pub body: usize,
    /// First slot behind the message.
    pub end: usize,
    /// Bytes of *bytes* that it and the messages before it use.
    pub bytes: usize,
}

impl<'a> OutTape<'a> {
    /// A tape over these buffers. *text* has to hold the whole rope, encoded.
    pub fn new(slots: &'a [u64], text: &'a [u8], bytes: &'a [u8]) -> Self {
        let word = |slot: usize| slots.get(slot).copied().unwrap_or(0);
        let end = word(0) as u32 as usize;
        let (units, length) = (word(1) as u32 as usize, (word(1) >> 32) as usize);
        let (used, rope) = (slots.get(..end), text.get(..length));
        let malformed = if end < OUT_PROLOGUE {
            Some(Malformed("its end lies before its first message"))
        } else if used.is_none() {
            Some(Malformed("its end lies outside of the slots"))
        } else if rope.is_none() || units > length {
            Some(Malformed("the lengths of its text do not fit the text"))
        } else {
            None
        };
        let (slots, text) =
            if malformed.is_none() { (used.unwrap_or(&[]), rope.unwrap_or(&[])) } else { (&[][..], &[][..]) };
        Self {
            slots,
            text,
            bytes,
            arrays: &[],
            lends: Cell::new(false),
            gaps: RefCell::default(),
            units,
            malformed,
            cursor: Cell::default(),
            marked: Cell::default(),
        }
    }

    /// The same tape with what binaries too large for *bytes* lie in.
    #[must_use]
    pub fn with_arrays(mut self, arrays: &'a [&'a [u8]]) -> Self {
        self.arrays = arrays;
        self
    }

    /// What binaries too large for *bytes* lie in.
    pub fn arrays(&self) -> &'a [&'a [u8]] {
        self.arrays
    }

    /// Whether whoever encodes what follows may leave [gaps](Gap) where arrays are to stand. Not to begin with.
    #[inline]
    pub fn lend(&self, lends: bool) {
        self.lends.set(lends);
    }

    /// The array that the binary of a slot is, if a gap may be left for it.
    #[inline]
    pub fn lent(&self, slot: usize) -> Option<u32> {
        if !self.lends.get() {
            return None;
        }
        self.slots.get(slot).map(|word| *word as u32).filter(|low| low & ELSEWHERE != 0).map(|low| low & !ELSEWHERE)
    }

    /// Notes a gap in the output.
    pub fn leave_gap(&self, gap: Gap) {
        self.gaps.borrow_mut().push(gap);
    }

    /// The gaps that were left since this was last asked.
    pub fn take_gaps(&self) -> Vec<Gap> {
        self.gaps.take()
    }

    /// The messages, in order. After an error there are no more.
    pub fn messages(&self) -> Messages<'_, 'a> {
        Messages { tape: self, at: OUT_PROLOGUE, malformed: self.malformed }
    }

    /// First unused slot.
    #[inline]
    pub fn end(&self) -> usize {
        self.slots.len()
    }

    /// Another tape that shares everything with this one but the slots.
    #[must_use]
    pub fn with_slots<'b>(&self, slots: &'b [u64]) -> OutTape<'b>
    where
        'a: 'b,
    {
        OutTape::new(slots, self.text, self.bytes).with_arrays(self.arrays)
    }

    /// All of *bytes*.
    pub fn all_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The slots in use.
    pub fn slots(&self) -> &'a [u64] {
        self.slots
    }

    /// The rope, encoded.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Remembers how far strings have been read: reading them again from here costs nothing extra. To be called before the
    /// strings of a message are read for the first of two times.
    #[inline]
    pub fn mark(&self) {
        self.marked.set(self.cursor.get());
    }

    #[inline]
    fn slot(&self, slot: usize) -> Result<u64, Malformed> {
        self.slots.get(slot).copied().ok_or(Malformed("a slot lies outside of the tape"))
    }

    /// Whether field number `field` of the struct at `base` is present.
    #[inline]
    pub fn presence(&self, base: usize, field: usize) -> Result<bool, Malformed> {
        Ok(self.presence_word(base, field / 64)? & 1 << (field % 64) != 0)
    }

    /// 64 presence bits of the struct at `base`: fields `64 * word` and up.
    #[inline]
    pub fn presence_word(&self, base: usize, word: usize) -> Result<u64, Malformed> {
        self.slot(base.saturating_add(word))
    }

    /// The low half of a slot.
    #[inline]
    pub fn i32(&self, slot: usize) -> Result<i32, Malformed> {
        Ok(self.slot(slot)? as i32)
    }

    /// The high half of a slot.
    #[inline]
    pub fn high(&self, slot: usize) -> Result<i32, Malformed> {
        Ok((self.slot(slot)? >> 32) as i32)
    }

    /// All 64 bits of a slot.
    #[inline]
    pub fn u64(&self, slot: usize) -> Result<u64, Malformed> {
        self.slot(slot)
    }

    /// A slot as a 64-bit float, the bits of a NaN kept.
    #[inline]
    pub fn f64(&self, slot: usize) -> Result<f64, Malformed> {
        Ok(f64::from_bits(self.slot(slot)?))
    }

    /// Where a slot points, and its high half. The target lies on the tape; what lies there is not known yet.
    #[inline]
    pub fn pointer(&self, slot: usize) -> Result<(usize, usize), Malformed> {
        let word = self.slot(slot)?;
        let target = (slot as i64 + i64::from(word as i32)) as usize;
        let count = (word >> 32) as usize;
        // An empty container may point right behind the last slot.
        if target < OUT_PROLOGUE || target > self.slots.len() {
            return Err(Malformed("a pointer leaves the tape"));
        }
        Ok((target, count))
    }

    /// `n` slots from `at`.
    #[inline]
    pub fn run(&self, at: usize, n: usize) -> Result<&'a [u64], Malformed> {
        at.checked_add(n).and_then(|end| self.slots.get(at..end)).ok_or(Malformed("a container leaves the tape"))
    }

    /// The string of a slot.
    #[inline]
    pub fn str(&self, slot: usize) -> Result<Str<'a>, Malformed> {
        let word = self.slot(slot)?;
        let (offset, high) = (word as u32 as usize, (word >> 32) as u32);
        let length = (high & LENGTH) as usize;
        if high & IN_BYTES != 0 {
            let string = self.bytes.get(offset..offset + length);
            return string.map(Str::plain).ok_or(Malformed("a string leaves the bytes"));
        }
        if offset + length > self.units {
            return Err(Malformed("a string leaves the text"));
        }
        if self.units == self.text.len() {
            return Ok(Str::plain(&self.text[offset..offset + length]));
        }
        Ok(cut(self.text, &self.cursor, self.marked.get(), offset, length))
    }

    /// The binary of a slot.
    #[inline]
    pub fn bytes(&self, slot: usize) -> Result<&'a [u8], Malformed> {
        let word = self.slot(slot)?;
        let (offset, length) = (word as u32 as usize, (word >> 32) as usize);
        if word as u32 & ELSEWHERE != 0 {
            return self.array(word as u32 & !ELSEWHERE, length);
        }
        self.bytes.get(offset..offset + length).ok_or(Malformed("a binary leaves the bytes"))
    }

    #[cold]
    fn array(&self, index: u32, length: usize) -> Result<&'a [u8], Malformed> {
        let array = self.arrays.get(index as usize).filter(|array| array.len() == length);
        array.copied().ok_or(Malformed("a binary is not the array it is said to be"))
    }

    fn message(&self, at: usize) -> Result<OutMessage, Malformed> {
        let head = self.run(at, HEADER_SLOTS).map_err(|_| Malformed("a message's header leaves the tape"))?;
        let kind = Kind::try_from(head[0] as i32).map_err(|_| Malformed("a message is of no known kind"))?;
        let size = (head[0] >> 32) as usize;
        let end = at + size;
        if size < HEADER_SLOTS || end > self.slots.len() {
            return Err(Malformed("a message's size does not fit the tape"));
        }
        let header = Header {
            kind,
            call: head[1] as u32,
            generation: (head[1] >> 32) as u32,
            method: head[2] as u32,
            owner: (head[2] >> 32) as u32,
        };
        Ok(OutMessage { header, body: at + HEADER_SLOTS, end, bytes: head[3] as u32 as usize })
    }
}

/// Iterator over an out tape's messages.
#[derive(Debug)]
pub struct Messages<'t, 'a> {
    tape: &'t OutTape<'a>,
    at: usize,
    malformed: Option<Malformed>,
}

impl Iterator for Messages<'_, '_> {
    type Item = Result<OutMessage, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(malformed) = self.malformed.take() {
            return Some(Err(malformed));
        }
        if self.at >= self.tape.slots.len() {
            return None;
        }
        let message = self.tape.message(self.at);
        self.at = message.as_ref().map_or(usize::MAX, |m| m.end);
        Some(message)
    }
}

impl std::iter::FusedIterator for Messages<'_, '_> {}
