//! A message under construction on the in tape.

use crate::array::{Array, VIEWED};
use crate::input::{Full, InState};
use crate::layout::{
    ASCII, CHUNK, ELSEWHERE, HEADER_SLOTS, Header, IN_BYTES, LENGTH, STRING_IN_TEXT, halves, presence_slots,
};
use crate::short;

/// Why slots were not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AllocError {
    /// The tape has no room: deliver it, or use a larger one.
    #[error(transparent)]
    Full(#[from] Full),
    /// The message wants more slots than one message may have; a larger tape does not help.
    #[error(
        "the message needs more tape slots than one message may have: raise the limit on slots, or send less at once"
    )]
    SlotLimit,
}

/// Where a message may lie.
pub(crate) struct Room {
    pub(crate) start: usize,
    pub(crate) max_slots: usize,
    pub(crate) fresh_chunk: bool,
}

/// A message under construction. Nothing of it counts before [`commit`](Self::commit): the positions are its own until then.
///
/// Methods that take a slot panic if it was not allocated; slots come from [`body`](Self::body) and [`alloc`](Self::alloc),
/// never from a peer.
#[derive(Debug)]
pub struct Message<'m> {
    slots: &'m mut [u64],
    text: &'m mut [u8],
    bytes: &'m mut [u8],
    state: &'m mut InState,
    header: Header,
    start: usize,
    max_slots: usize,
    end: usize,
    /// End of the slots this message may use.
    limit: usize,
    text_start: usize,
    text_end: usize,
    bytes_end: usize,
    chunk: usize,
    /// The memory that the message was received in, if that is JavaScript's as well.
    array: Option<Array>,
    /// Some binary is a view of it.
    viewed: bool,
}

impl<'m> Message<'m> {
    #[inline]
    pub(crate) fn new(
        slots: &'m mut [u64],
        text: &'m mut [u8],
        bytes: &'m mut [u8],
        state: &'m mut InState,
        header: Header,
        room: &Room,
    ) -> Self {
        let &Room { start, max_slots, fresh_chunk } = room;
        let limit = slots.len().min(i32::MAX as usize).min(start.saturating_add(max_slots));
        let (text_end, bytes_end) = (state.text, state.bytes);
        let chunk = if fresh_chunk { text_end } else { state.chunk };
        Self {
            slots,
            text,
            bytes,
            state,
            header,
            start,
            max_slots,
            end: start + HEADER_SLOTS,
            limit,
            text_start: text_end,
            text_end,
            bytes_end,
            chunk,
            array: None,
            viewed: false,
        }
    }

    /// What is put from here on may lie in this memory: binaries that do are views of it instead of copies.
    pub fn lies_in(&mut self, array: Array) {
        self.array = Some(array);
    }

    /// First slot of the body.
    #[inline]
    pub fn body(&self) -> usize {
        self.start + HEADER_SLOTS
    }

    /// `n` more slots; their content is whatever was there. Returns the first.
    #[inline]
    pub fn alloc(&mut self, n: usize) -> Result<usize, AllocError> {
        let at = self.end;
        if n > self.limit.saturating_sub(at) {
            return Err(self.refuse(n));
        }
        self.end = at + n;
        Ok(at)
    }

    #[cold]
    fn refuse(&self, n: usize) -> AllocError {
        let wanted = (self.end - self.start).saturating_add(n);
        if wanted > self.max_slots { AllocError::SlotLimit } else { AllocError::Full(Full) }
    }

    /// Slots of a struct with this many fields, none of them present. Returns its base, the first presence slot.
    #[inline]
    pub fn alloc_struct(&mut self, fields: usize) -> Result<usize, AllocError> {
        let presence = presence_slots(fields);
        let base = self.alloc(presence + fields)?;
        self.slots[base..base + presence].fill(0);
        Ok(base)
    }

    /// Sets a slot's 64 bits.
    #[inline]
    pub fn set(&mut self, slot: usize, value: u64) {
        self.slots[slot] = value;
    }

    /// A slot's 64 bits, as they were last set.
    #[inline]
    pub fn get(&self, slot: usize) -> u64 {
        self.slots[slot]
    }

    /// Where a slot points that [`point`](Self::point) has set, and its high half.
    #[inline]
    pub fn target(&self, slot: usize) -> (usize, u32) {
        let word = self.slots[slot];
        ((slot as i32).wrapping_add(word as i32) as usize, (word >> 32) as u32)
    }

    /// `n` slots from `first`, to be set at once.
    #[inline]
    pub fn slots_mut(&mut self, first: usize, n: usize) -> &mut [u64] {
        &mut self.slots[first..first + n]
    }

    /// Sets both halves of a slot.
    #[inline]
    pub fn set_i32(&mut self, slot: usize, low: i32, high: i32) {
        self.slots[slot] = halves(low as u32, high as u32);
    }

    /// Sets a slot to a 64-bit float. The bits of a NaN are kept.
    #[inline]
    pub fn set_f64(&mut self, slot: usize, value: f64) {
        self.slots[slot] = value.to_bits();
    }

    /// Makes `slot` point at `target`, with `high` (a count, or 0) beside it.
    #[inline]
    pub fn point(&mut self, slot: usize, target: usize, high: u32) {
        self.slots[slot] = halves((target as i32).wrapping_sub(slot as i32) as u32, high);
    }

    /// Puts a string: short ASCII into the message's text chunk, everything else into *bytes*. Invalid UTF-8 is stored as it
    /// is; the reader makes it U+FFFD.
    #[inline]
    pub fn put_string(&mut self, slot: usize, string: &[u8]) -> Result<(), Full> {
        if string.len() > STRING_IN_TEXT || self.text_end - self.text_start > CHUNK {
            return self.put_lone_string(slot, string);
        }
        let end = self.text_end + string.len();
        if end > i32::MAX as usize {
            return Err(Full);
        }
        let Some(room) = self.text.get_mut(self.text_end..end) else {
            return if string.is_ascii() { Err(Full) } else { self.put_lone_string(slot, string) };
        };
        let ascii = if string.len() <= short::SHORT {
            short::copy(room, string)
        } else {
            let ascii = string.is_ascii();
            if ascii {
                room.copy_from_slice(string);
            }
            ascii
        };
        if !ascii {
            return self.put_lone_string(slot, string);
        }
        self.slots[slot] = halves((self.text_end - self.chunk) as u32, string.len() as u32);
        self.text_end = end;
        Ok(())
    }

    #[inline(never)]
    fn put_lone_string(&mut self, slot: usize, string: &[u8]) -> Result<(), Full> {
        let at = self.push_bytes(string)?;
        let flags = if string.is_ascii() { IN_BYTES | ASCII } else { IN_BYTES };
        self.slots[slot] = halves(at, string.len() as u32 | flags);
        Ok(())
    }

    /// Puts a binary into *bytes*, or a view of it on the tape if it lies in the [array](Self::lies_in).
    #[inline]
    pub fn put_bytes(&mut self, slot: usize, bytes: &[u8]) -> Result<(), AllocError> {
        if self.array.is_some() && bytes.len() >= VIEWED && self.put_view(slot, bytes)? {
            return Ok(());
        }
        let at = self.push_bytes(bytes)?;
        self.slots[slot] = halves(at, bytes.len() as u32);
        Ok(())
    }

    /// False if it lies elsewhere.
    #[cold]
    fn put_view(&mut self, slot: usize, bytes: &[u8]) -> Result<bool, AllocError> {
        let Some(offset) = self.array.as_ref().and_then(|array| array.place(bytes)) else { return Ok(false) };
        if bytes.len() > LENGTH as usize {
            return Ok(false);
        }
        let at = self.alloc(1)?;
        self.slots[at] = halves(self.state.arrays.len() as u32, offset);
        self.slots[slot] = halves((at - slot) as u32 | ELSEWHERE, bytes.len() as u32);
        self.viewed = true;
        Ok(true)
    }

    /// Adds to a binary that is the last thing put into *bytes*.
    pub fn append_bytes(&mut self, slot: usize, bytes: &[u8]) -> Result<(), Full> {
        let word = self.slots[slot];
        let length = (word >> 32) as usize;
        debug_assert_eq!(word as u32 as usize + length, self.bytes_end, "nothing was put behind it");
        if length + bytes.len() > LENGTH as usize {
            return Err(Full);
        }
        self.push_bytes(bytes)?;
        self.slots[slot] = halves(word as u32, (length + bytes.len()) as u32);
        Ok(())
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> Result<u32, Full> {
        let at = self.bytes_end;
        let end = at + bytes.len();
        if end > i32::MAX as usize || bytes.len() > LENGTH as usize {
            return Err(Full);
        }
        self.bytes.get_mut(at..end).ok_or(Full)?.copy_from_slice(bytes);
        self.bytes_end = end;
        Ok(at as u32)
    }

    /// Marks field number `field` of the struct at `base` as present.
    #[inline]
    pub fn mark_present(&mut self, base: usize, field: usize) {
        self.slots[base + field / 64] |= 1 << (field % 64);
    }

    /// 64 presence bits of the struct at `base`: fields `64 * word` and up.
    #[inline]
    pub fn presence_word(&self, base: usize, word: usize) -> u64 {
        self.slots[base + word]
    }

    /// Sets 64 presence bits of the struct at `base`.
    #[inline]
    pub fn set_presence_word(&mut self, base: usize, word: usize, bits: u64) {
        self.slots[base + word] = bits;
    }

    /// First slot that was not allocated yet.
    #[inline]
    pub fn end(&self) -> usize {
        self.end
    }

    /// Slots used so far, header included.
    #[inline]
    pub fn slots_used(&self) -> usize {
        self.end - self.start
    }

    /// Puts the message on the tape.
    #[inline]
    pub fn commit(self) {
        let Self { slots, state, header, start, end, text_end, bytes_end, chunk, array, viewed, .. } = self;
        let length = (text_end - chunk) as u32;
        slots[start] = halves(header.kind as i32 as u32, (end - start) as u32);
        slots[start + 1] = halves(header.call, header.generation);
        slots[start + 2] = halves(header.method, header.owner);
        slots[start + 3] = halves(chunk as u32, length);
        // JavaScript makes one string of a chunk when it meets its first message, so that message carries the whole length.
        if state.messages == 0 || chunk != state.chunk {
            state.chunk_head = start;
        } else {
            slots[state.chunk_head + 3] = halves(chunk as u32, length);
        }
        slots[0] = halves(end as u32, 0);
        state.end = end;
        state.text = text_end;
        state.bytes = bytes_end;
        state.chunk = chunk;
        state.messages += 1;
        if let Some(array) = array.filter(|_| viewed) {
            state.array_bytes += array.bytes.len();
            state.arrays.push(array);
        }
    }
}
