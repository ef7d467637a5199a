//! Finds the end of a message that has no length in front.
//!
//! The scanner walks the content without a schema and keeps its place between calls: an explicit stack instead of recursion,
//! so bytes that come one at a time cost as much as all at once. It allocates only to grow its stack, which it keeps.

use crate::error::FrameError;
use crate::limits::Limits;
use crate::wire;

/// State of a scan.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// Bytes known to belong to the message; may lie beyond what has arrived.
    at: usize,
    /// Structs and containers that are open, the innermost last.
    open: Vec<Level>,
    /// Type code of a value whose head has not arrived; [`wire::STOP`] if none is due.
    due: u8,
    stage: Stage,
    /// Steps made since it was new, each as much work as any other.
    #[cfg(test)]
    pub(crate) steps: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Head,
    Body,
    Done,
}

/// An open struct or container.
#[derive(Debug, Clone, Copy)]
enum Level {
    Struct,
    /// `left` values to come. Of a map, keys (`even`) when `left` is even, values (`odd`) when it is odd; of a list or set
    /// both are the element type.
    Items {
        even: u8,
        odd: u8,
        left: u64,
    },
}

/// Bytes of version and name length.
const HEAD: usize = 8;
/// Bytes of the sequence number.
const SEQUENCE: usize = 4;

impl Scanner {
    /// Forgets the message.
    #[inline]
    pub(crate) fn restart(&mut self) {
        self.at = 0;
        self.open.clear();
        self.due = wire::STOP;
        self.stage = Stage::Head;
    }

    /// Length of the message `bytes` begins with, if all of it is there.
    pub(crate) fn scan(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, FrameError> {
        let mut scan = Scan { bytes, limit: limits.allowed_frame(), depth: limits.allowed_depth(), state: self };
        let done = scan.run()?;
        Ok(done.then_some(self.at))
    }
}

/// A scan over the bytes that are there.
struct Scan<'s, 'b> {
    bytes: &'b [u8],
    limit: usize,
    depth: usize,
    state: &'s mut Scanner,
}

impl Scan<'_, '_> {
    /// True when the message has ended, false when bytes are missing.
    fn run(&mut self) -> Result<bool, FrameError> {
        if self.state.stage == Stage::Done {
            return Ok(true);
        }
        if self.state.stage == Stage::Head && !self.head()? {
            return Ok(false);
        }
        loop {
            #[cfg(test)]
            {
                self.state.steps += 1;
            }
            if self.state.due != wire::STOP {
                if !self.value(self.state.due)? {
                    return Ok(false);
                }
                self.state.due = wire::STOP;
            }
            match self.state.open.last_mut() {
                None => {
                    self.state.stage = Stage::Done;
                    return Ok(true);
                }
                Some(Level::Items { left: 0, .. }) => {
                    self.state.open.pop();
                }
                Some(Level::Items { even, odd, left }) => {
                    self.state.due = if *left % 2 == 0 { *even } else { *odd };
                    *left -= 1;
                }
                Some(Level::Struct) => match self.bytes.get(self.state.at) {
                    None => return Ok(false),
                    Some(&wire::STOP) => {
                        self.advance(1)?;
                        self.state.open.pop();
                    }
                    Some(&code) => {
                        // The id does not matter, it need not have arrived.
                        self.advance(3)?;
                        self.state.due = code;
                    }
                },
            }
        }
    }

    fn head(&mut self) -> Result<bool, FrameError> {
        let Some(head) = self.bytes.first_chunk::<HEAD>() else { return Ok(false) };
        let [version, length] = [0, 4].map(|i| u32::from_be_bytes([head[i], head[i + 1], head[i + 2], head[i + 3]]));
        if version & 0xFFFF_0000 != wire::VERSION {
            return Err(FrameError::NotThrift("a message does not begin with the strict binary protocol's version"));
        }
        if length > i32::MAX as u32 {
            return Err(FrameError::Malformed("a name has a negative length"));
        }
        self.advance(HEAD + SEQUENCE + length as usize)?;
        self.open(Level::Struct)?;
        self.state.stage = Stage::Body;
        Ok(true)
    }

    /// Passes a value, or opens it; false if its head has not arrived.
    fn value(&mut self, code: u8) -> Result<bool, FrameError> {
        if let Some(size) = wire::fixed(code) {
            self.advance(size)?;
            return Ok(true);
        }
        match code {
            wire::STRUCT => self.open(Level::Struct)?,
            wire::BINARY => {
                let Some([length]) = self.read(0) else { return Ok(false) };
                let length = count(length, "a string or binary has a negative length")?;
                self.advance(4 + length)?;
            }
            wire::LIST | wire::SET => {
                let (Some([size]), Some(&item)) = (self.read(1), self.bytes.get(self.state.at)) else {
                    return Ok(false);
                };
                self.advance(5)?;
                self.items(item, item, count(size, "a container has a negative size")?, 1)?;
            }
            wire::MAP => {
                let Some([size]) = self.read(2) else { return Ok(false) };
                let (key, value) = (self.bytes[self.state.at], self.bytes[self.state.at + 1]);
                self.advance(6)?;
                self.items(key, value, count(size, "a container has a negative size")?, 2)?;
            }
            _ => return Err(FrameError::Malformed("a value is of no known type")),
        }
        Ok(true)
    }

    /// Passes a container's content, or opens it.
    fn items(&mut self, even: u8, odd: u8, count: usize, each: usize) -> Result<(), FrameError> {
        if count == 0 {
            return self.check_depth();
        }
        let (Some(key), Some(value)) = (wire::least(even), wire::least(odd)) else {
            return Err(FrameError::Malformed("a container's elements are of no known type"));
        };
        let one = if each == 2 { key + value } else { key };
        let least = count.saturating_mul(one);
        if wire::fixed(even).is_some() && wire::fixed(odd).is_some() {
            self.check_depth()?;
            return self.advance(least);
        }
        let size = self.state.at.saturating_add(least);
        if size > self.limit {
            return Err(FrameError::TooLarge { size, limit: self.limit });
        }
        self.open(Level::Items { even, odd, left: count as u64 * each as u64 })
    }

    fn open(&mut self, level: Level) -> Result<(), FrameError> {
        self.check_depth()?;
        self.state.open.push(level);
        Ok(())
    }

    #[inline]
    fn check_depth(&self) -> Result<(), FrameError> {
        if self.state.open.len() >= self.depth { Err(FrameError::DepthLimit(self.depth)) } else { Ok(()) }
    }

    /// Four bytes, `skip` behind the current place.
    #[inline]
    fn read(&self, skip: usize) -> Option<[[u8; 4]; 1]> {
        Some([*self.bytes.get(self.state.at.checked_add(skip)?..)?.first_chunk::<4>()?])
    }

    #[inline]
    fn advance(&mut self, n: usize) -> Result<(), FrameError> {
        let at = self.state.at.saturating_add(n);
        if at > self.limit {
            return Err(FrameError::TooLarge { size: at, limit: self.limit });
        }
        self.state.at = at;
        Ok(())
    }
}

#[inline]
fn count(bytes: [u8; 4], negative: &'static str) -> Result<usize, FrameError> {
    usize::try_from(i32::from_be_bytes(bytes)).map_err(|_| FrameError::Malformed(negative))
}
