//! Strings out of the rope.
//!
//! JavaScript gathers strings in one rope and has it encoded at once; offsets and lengths count the rope's UTF-16 units. In
//! an ASCII rope units are bytes. In any other the place of a unit has to be found, walking from the last place that was:
//! strings are written and read in the same order, so all walks together pass the rope about once.

use std::cell::Cell;

/// UTF-8 of U+FFFD.
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// A string of the out tape, to be sent as UTF-8.
///
/// Neighbouring strings of the rope may have formed a surrogate pair that none of them contains. Such a pair is split again,
/// and each half is what a lone surrogate becomes: U+FFFD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Str<'a> {
    /// The string begins with the second half of a pair: U+FFFD.
    pub lead: bool,
    /// UTF-8 between the halves; all of it in nearly every string.
    pub middle: &'a [u8],
    /// The string ends with the first half of a pair: U+FFFD.
    pub trail: bool,
}

impl<'a> Str<'a> {
    /// A string that is these bytes.
    #[inline]
    pub fn plain(bytes: &'a [u8]) -> Self {
        Self { lead: false, middle: bytes, trail: false }
    }

    /// Length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.middle.len() + REPLACEMENT.len() * (usize::from(self.lead) + usize::from(self.trail))
    }

    /// True if there is nothing in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its bytes, in up to three pieces.
    #[inline]
    pub fn write_to(&self, mut write: impl FnMut(&[u8])) {
        if self.lead {
            write(REPLACEMENT);
        }
        write(self.middle);
        if self.trail {
            write(REPLACEMENT);
        }
    }

    /// The bytes as a slice, copied only where a pair was split.
    pub fn to_bytes(&self) -> std::borrow::Cow<'a, [u8]> {
        if !self.lead && !self.trail {
            return self.middle.into();
        }
        let mut all = Vec::with_capacity(self.len());
        self.write_to(|piece| all.extend_from_slice(piece));
        all.into()
    }
}

/// A place in the rope where a character begins.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    unit: usize,
    byte: usize,
}

/// Bytes and UTF-16 units of the character that begins with `lead`.
#[inline]
fn character(lead: u8) -> (usize, usize) {
    match lead {
        0..=0x7F => (1, 1),
        0x80..=0xDF => (2, 1),
        0xE0..=0xEF => (3, 1),
        0xF0.. => (4, 2),
    }
}

/// The last character boundary at or before `unit`, sought from one that is not behind it.
fn seek(text: &[u8], from: Mark, unit: usize) -> Mark {
    let mut at = from;
    while at.unit < unit {
        if let Some(eight) = text.get(at.byte..at.byte + 8)
            && at.unit + 8 <= unit
            && eight.is_ascii()
        {
            at = Mark { unit: at.unit + 8, byte: at.byte + 8 };
            continue;
        }
        let Some(&lead) = text.get(at.byte) else { break };
        let (bytes, units) = character(lead);
        if at.unit + units > unit {
            break;
        }
        at = Mark { unit: at.unit + units, byte: (at.byte + bytes).min(text.len()) };
    }
    at
}

/// Cuts `length` units at `offset` out of a rope, seeking from `cursor` or, where that lies behind, from `marked`.
pub(crate) fn cut<'a>(text: &'a [u8], cursor: &Cell<Mark>, marked: Mark, offset: usize, length: usize) -> Str<'a> {
    if length == 0 {
        return Str::plain(&[]);
    }
    let known = [cursor.get(), marked].into_iter().find(|mark| mark.unit <= offset);
    let mut first = seek(text, known.unwrap_or_default(), offset);
    let lead = first.unit < offset;
    if lead {
        first = Mark { unit: first.unit + 2, byte: (first.byte + 4).min(text.len()) };
    }
    let last = seek(text, first, offset + length);
    cursor.set(last);
    let trail = last.unit < offset + length && last.byte < text.len();
    Str { lead, middle: text.get(first.byte..last.byte).unwrap_or(&[]), trail }
}
