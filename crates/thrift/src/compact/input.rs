//! Reading the compact protocol.

use super::types::{self, TRUE};
use crate::error::Fail;
use crate::input::{Container, Input};
use crate::wire;

const CUT_SHORT: Fail = Fail::Malformed(&"it is cut short");
const LONG_VARINT: Fail = Fail::Malformed(&"a number is longer than its type");

/// A message body in the compact protocol.
pub(crate) struct CompactInput<'b> {
    rest: &'b [u8],
    /// Value of a bool whose field has just been read.
    bool: Option<bool>,
}

impl<'b> CompactInput<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, bool: None }
    }

    /// Bytes that have not been read.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Fail> {
        let (first, rest) = self.rest.split_first().ok_or(CUT_SHORT)?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    pub(super) fn take(&mut self, n: usize) -> Result<&'b [u8], Fail> {
        let (taken, rest) =
            self.rest.split_at_checked(n).ok_or(Fail::Malformed(&"a value is longer than the message"))?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Fail> {
        let (taken, rest) =
            self.rest.split_first_chunk().ok_or(Fail::Malformed(&"a value is longer than the message"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// An unsigned number (ULEB128).
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Fail> {
        let first = self.byte()?;
        if first < 0x80 { Ok(u64::from(first)) } else { self.long_varint(u64::from(first & 0x7F)) }
    }

    /// The rest of a number of more than seven bits.
    fn long_varint(&mut self, low: u64) -> Result<u64, Fail> {
        let mut value = low;
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            // One bit of the tenth byte is left.
            if shift == 63 && byte > 1 {
                return Err(LONG_VARINT);
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(LONG_VARINT)
    }

    /// A signed number: its sign is the lowest bit.
    #[inline]
    fn zigzag(&mut self) -> Result<i64, Fail> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    #[inline]
    pub(super) fn size(&mut self) -> Result<usize, Fail> {
        let size = self.varint()?;
        u32::try_from(size).map(|size| size as usize).map_err(|_| Fail::Malformed(&"a size is negative or too large"))
    }

    /// Checks that the rest of the message can hold so many elements. An empty container may name any type.
    fn hold(&self, key: u8, value: u8, count: usize, pairs: bool) -> Result<Container, Fail> {
        if count > 0 {
            let (Some(first), Some(second)) = (types::least(key), types::least(value)) else {
                return Err(Fail::Malformed(&"a container's elements are of no known type"));
            };
            if self.rest.len() < count.saturating_mul(if pairs { first + second } else { first }) {
                return Err(Fail::Malformed(&"a container is longer than the message"));
            }
        }
        Ok(Container { key, value, count })
    }
}

impl Input for CompactInput<'_> {
    /// Id of the field before.
    type Scope = i16;

    #[inline]
    fn field(&mut self, last: &mut i16) -> Result<(u8, i16), Fail> {
        let head = self.byte()?;
        if head == wire::STOP {
            return Ok((wire::STOP, 0));
        }
        let code = types::to_wire(head);
        if code == wire::STOP {
            return Err(Fail::Malformed(&"a field is of no known type"));
        }
        let distance = i16::from(head >> 4);
        let id = if distance == 0 {
            self.i16()?
        } else {
            last.checked_add(distance).ok_or(Fail::Malformed(&"the id of a field is too large"))?
        };
        *last = id;
        if code == wire::BOOL {
            self.bool = Some(head & 15 == TRUE);
        }
        Ok((code, id))
    }

    #[inline]
    fn bool(&mut self) -> Result<bool, Fail> {
        match self.bool.take() {
            Some(value) => Ok(value),
            // In a container it is a byte; 0 and 2 both are false, as in Apache's readers.
            None => Ok(self.byte()? == TRUE),
        }
    }

    #[inline]
    fn i8(&mut self) -> Result<i8, Fail> {
        self.byte().map(|byte| byte as i8)
    }

    #[inline]
    fn i16(&mut self) -> Result<i16, Fail> {
        self.zigzag()?.try_into().map_err(|_| LONG_VARINT)
    }

    #[inline]
    fn i32(&mut self) -> Result<i32, Fail> {
        self.zigzag()?.try_into().map_err(|_| LONG_VARINT)
    }

    #[inline]
    fn i64(&mut self) -> Result<i64, Fail> {
        self.zigzag()
    }

    #[inline]
    fn double(&mut self) -> Result<u64, Fail> {
        self.chunk().map(u64::from_le_bytes)
    }

    #[inline]
    fn uuid(&mut self) -> Result<[u8; 16], Fail> {
        self.chunk()
    }

    #[inline]
    fn string<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail> {
        self.binary(take)
    }

    #[inline]
    fn binary<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail> {
        let length = self.size()?;
        self.take(length).map(take)
    }

    #[inline]
    fn list(&mut self) -> Result<Container, Fail> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.size()? } else { usize::from(head >> 4) };
        let item = types::to_wire(head);
        self.hold(item, item, count, false)
    }

    #[inline]
    fn map(&mut self) -> Result<Container, Fail> {
        let count = self.size()?;
        // An empty map is its size alone.
        let types = if count == 0 { 0 } else { self.byte()? };
        self.hold(types::to_wire(types >> 4), types::to_wire(types), count, true)
    }

    #[inline]
    fn pass(&mut self, code: u8) -> Result<(), Fail> {
        match code {
            wire::BOOL => self.bool().map(drop),
            wire::I8 => self.byte().map(drop),
            wire::I16 | wire::I32 | wire::I64 => self.varint().map(drop),
            wire::DOUBLE => self.take(8).map(drop),
            wire::UUID => self.take(16).map(drop),
            wire::BINARY => self.binary(|_| ()),
            _ => Err(Fail::Malformed(&"a value is of no known type")),
        }
    }
}
