//! The walk that the binary and the compact protocol share: fields, values and containers one behind the other.

use std::marker::PhantomData;

use crate::error::FrameError;
use crate::limits::Limits;

/// How a protocol writes what the walk passes. All are given the bytes at the walk's place, as many as are there, and return
/// none where more of them are needed.
pub(crate) trait Format {
    /// Bytes of the head of a message, name included.
    fn head(bytes: &[u8]) -> Result<Option<usize>, FrameError>;
    /// The next field of a struct.
    fn field(bytes: &[u8]) -> Result<Option<Field>, FrameError>;
    /// A value of a type that is not [fixed](Self::fixed).
    fn value(code: u8, bytes: &[u8]) -> Result<Option<Value>, FrameError>;
    /// Bytes of every value of this type, if they all take the same.
    fn fixed(code: u8) -> Option<usize>;
    /// Bytes of this type's smallest value; none if it has no values.
    fn least(code: u8) -> Option<usize>;
}

/// What stands where a field may.
pub(crate) enum Field {
    /// The struct's end, one byte.
    Stop,
    /// A field of so many bytes without a value behind it.
    Whole(usize),
    /// A field whose value, of type `code`, follows after `len` bytes.
    Value { len: usize, code: u8 },
}

/// What a value begins with.
pub(crate) enum Value {
    /// All of it is so many bytes.
    Whole(usize),
    Struct,
    /// A list or set whose elements follow after `len` bytes.
    List {
        len: usize,
        item: u8,
        count: usize,
    },
    /// A map whose pairs follow after `len` bytes.
    Map {
        len: usize,
        key: u8,
        value: u8,
        count: usize,
    },
}

/// State of a walk.
#[derive(Debug)]
pub(crate) struct Walk<F> {
    /// Bytes known to belong to the message; may lie beyond what has arrived.
    at: usize,
    /// Structs and containers that are open, the innermost last.
    open: Vec<Level>,
    /// Type of a value that is to be passed next.
    due: Option<u8>,
    stage: Stage,
    /// Steps made since it was new, each as much work as any other.
    #[cfg(test)]
    pub(super) steps: usize,
    format: PhantomData<F>,
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

// Derived, it would ask the same of the format.
impl<F> Default for Walk<F> {
    fn default() -> Self {
        Self {
            at: 0,
            open: Vec::new(),
            due: None,
            stage: Stage::Head,
            #[cfg(test)]
            steps: 0,
            format: PhantomData,
        }
    }
}

impl<F: Format> Walk<F> {
    #[inline]
    pub(crate) fn restart(&mut self) {
        self.at = 0;
        self.open.clear();
        self.due = None;
        self.stage = Stage::Head;
    }

    pub(crate) fn scan(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, FrameError> {
        let mut step = Step { bytes, limit: limits.allowed_frame(), depth: limits.allowed_depth(), walk: self };
        let done = step.run()?;
        Ok(done.then_some(self.at))
    }
}

/// A walk over the bytes that are there.
struct Step<'w, 'b, F> {
    bytes: &'b [u8],
    limit: usize,
    depth: usize,
    walk: &'w mut Walk<F>,
}

impl<F: Format> Step<'_, '_, F> {
    /// True when the message has ended, false when bytes are missing.
    fn run(&mut self) -> Result<bool, FrameError> {
        match self.walk.stage {
            Stage::Done => return Ok(true),
            Stage::Head => {
                let Some(len) = F::head(self.bytes)? else { return Ok(false) };
                self.advance(len)?;
                self.open(Level::Struct)?;
                self.walk.stage = Stage::Body;
            }
            Stage::Body => {}
        }
        loop {
            #[cfg(test)]
            {
                self.walk.steps += 1;
            }
            if let Some(code) = self.walk.due {
                if !self.value(code)? {
                    return Ok(false);
                }
                self.walk.due = None;
            }
            match self.walk.open.last_mut() {
                None => {
                    self.walk.stage = Stage::Done;
                    return Ok(true);
                }
                Some(Level::Items { left: 0, .. }) => {
                    self.walk.open.pop();
                }
                Some(Level::Items { even, odd, left }) => {
                    self.walk.due = Some(if *left % 2 == 0 { *even } else { *odd });
                    *left -= 1;
                }
                Some(Level::Struct) => match F::field(self.rest())? {
                    None => return Ok(false),
                    Some(Field::Stop) => {
                        self.advance(1)?;
                        self.walk.open.pop();
                    }
                    Some(Field::Whole(len)) => self.advance(len)?,
                    Some(Field::Value { len, code }) => {
                        self.advance(len)?;
                        self.walk.due = Some(code);
                    }
                },
            }
        }
    }

    /// Passes a value, or opens it; false if what it begins with has not arrived.
    #[inline]
    fn value(&mut self, code: u8) -> Result<bool, FrameError> {
        if let Some(size) = F::fixed(code) {
            self.advance(size)?;
            return Ok(true);
        }
        match F::value(code, self.rest())? {
            None => return Ok(false),
            Some(Value::Whole(len)) => self.advance(len)?,
            Some(Value::Struct) => self.open(Level::Struct)?,
            Some(Value::List { len, item, count }) => {
                self.advance(len)?;
                self.items(item, item, count, 1)?;
            }
            Some(Value::Map { len, key, value, count }) => {
                self.advance(len)?;
                self.items(key, value, count, 2)?;
            }
        }
        Ok(true)
    }

    /// Passes a container's content, or opens it.
    fn items(&mut self, even: u8, odd: u8, count: usize, each: usize) -> Result<(), FrameError> {
        if count == 0 {
            return self.check_depth();
        }
        let (Some(key), Some(value)) = (F::least(even), F::least(odd)) else {
            return Err(FrameError::Malformed("a container's elements are of no known type"));
        };
        let one = if each == 2 { key + value } else { key };
        let least = count.saturating_mul(one);
        if F::fixed(even).is_some() && F::fixed(odd).is_some() {
            self.check_depth()?;
            return self.advance(least);
        }
        let size = self.walk.at.saturating_add(least);
        if size > self.limit {
            return Err(FrameError::TooLarge { size, limit: self.limit });
        }
        self.open(Level::Items { even, odd, left: count as u64 * each as u64 })
    }

    fn open(&mut self, level: Level) -> Result<(), FrameError> {
        self.check_depth()?;
        self.walk.open.push(level);
        Ok(())
    }

    #[inline]
    fn check_depth(&self) -> Result<(), FrameError> {
        if self.walk.open.len() >= self.depth { Err(FrameError::DepthLimit(self.depth)) } else { Ok(()) }
    }

    /// What has arrived from the walk's place on.
    #[inline]
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.walk.at..).unwrap_or_default()
    }

    #[inline]
    fn advance(&mut self, n: usize) -> Result<(), FrameError> {
        let at = self.walk.at.saturating_add(n);
        if at > self.limit {
            return Err(FrameError::TooLarge { size: at, limit: self.limit });
        }
        self.walk.at = at;
        Ok(())
    }
}
