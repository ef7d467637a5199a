//! Runs: slots that lie side by side though what fills them comes bit by bit.
//!
//! The elements of a repeated field may come with anything between them, and a message that comes twice brings more for the first one's
//! fields. A run has one slot before its first, which says how many slots it has. It grows where it lies if nothing lies behind it; otherwise
//! it moves to twice the room, so all moves together copy no more slots than there are in the end.

use crate::decode::Decoder;
use crate::error::Fail;

/// Which slots of a run are pointers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pointers {
    None,
    All,
    /// Values of a map.
    Odd,
}

impl Decoder<'_, '_, '_> {
    /// Finds the next `width` unused slots of the run that `slot` points to, or of a new one if it points to none yet (`begun`). If there are
    /// none, `more` says how many elements to make room for.
    #[inline]
    pub(crate) fn place(
        &mut self,
        slot: usize,
        begun: bool,
        width: usize,
        pointers: Pointers,
        more: impl FnOnce() -> usize,
    ) -> Result<usize, Fail> {
        if begun {
            let (first, count) = self.tape.target(slot);
            let used = count as usize * width;
            if self.tape.get(first - 1) as usize - used >= width {
                return Ok(first + used);
            }
        }
        self.enlarge(slot, begun, width, pointers, more())
    }

    /// Counts `n` elements more.
    #[inline]
    pub(crate) fn count(&mut self, slot: usize, n: usize) {
        let word = self.tape.get(slot);
        self.tape.set(slot, word + ((n as u64) << 32));
    }

    /// Makes room for `more` elements. Returns the first slot of it.
    pub(crate) fn enlarge(
        &mut self,
        slot: usize,
        begun: bool,
        width: usize,
        pointers: Pointers,
        more: usize,
    ) -> Result<usize, Fail> {
        let more = more.saturating_mul(width);
        if !begun {
            let at = self.tape.alloc(more.saturating_add(1))?;
            self.tape.set(at, more as u64);
            self.tape.point(slot, at + 1, 0);
            return Ok(at + 1);
        }
        let (first, count) = self.tape.target(slot);
        let used = count as usize * width;
        let capacity = self.tape.get(first - 1) as usize;
        let wanted = used.saturating_add(more);
        if wanted <= capacity {
            return Ok(first + used);
        }
        if first + capacity == self.tape.end() {
            self.tape.alloc(wanted - capacity)?;
            self.tape.set(first - 1, wanted as u64);
            return Ok(first + used);
        }
        let wanted = wanted.max(2 * capacity);
        let at = self.tape.alloc(wanted.saturating_add(1))? + 1;
        self.tape.set(at - 1, wanted as u64);
        for n in 0..used {
            let (from, to) = (first + n, at + n);
            if pointers == Pointers::All || pointers == Pointers::Odd && n % 2 == 1 {
                let (target, high) = self.tape.target(from);
                self.tape.point(to, target, high);
            } else {
                let word = self.tape.get(from);
                self.tape.set(to, word);
            }
        }
        self.tape.point(slot, at, count);
        Ok(at + used)
    }
}
