//! Pilota's binary protocol, with every length compared to what is there before it is acted on.

use bytes::{Buf, Bytes};
use pilota::thrift::binary::TBinaryProtocol;
use pilota::thrift::{TInputProtocol, ThriftException};

use crate::error::Fail;
use crate::input::{Container, Input, low};
use crate::wire;

/// A message body in the binary protocol.
pub(crate) struct BinaryInput<'b>(TBinaryProtocol<&'b mut Bytes>);

#[cold]
fn truncated(_: ThriftException) -> Fail {
    Fail::Malformed(&"it is cut short")
}

#[cold]
fn unreadable(_: ThriftException) -> Fail {
    Fail::Malformed(&"a field is cut short or of no known type")
}

impl<'b> BinaryInput<'b> {
    pub(crate) fn new(bytes: &'b mut Bytes) -> Self {
        Self(TBinaryProtocol::new(bytes, false))
    }

    /// Whether all has been read.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.0.buf().is_empty()
    }

    /// Reads a run of values of `N` bytes into slots, all at once.
    #[inline]
    fn fixed<const N: usize>(&mut self, slots: &mut [u64], value: impl Fn([u8; N]) -> u64) -> Result<(), Fail> {
        let buf = self.0.buf();
        let bytes = buf.get(..N * slots.len()).ok_or(Fail::Malformed(&"a value is longer than the message"))?;
        for (slot, bytes) in slots.iter_mut().zip(bytes.as_chunks::<N>().0) {
            *slot = value(*bytes);
        }
        buf.advance(N * slots.len());
        Ok(())
    }

    #[inline]
    fn count(&mut self) -> Result<usize, Fail> {
        usize::try_from(self.i32()?).map_err(|_| Fail::Malformed(&"a container has a negative size"))
    }

    /// Checks that the rest of the message can hold so many elements. An empty container may name any type.
    #[inline]
    fn hold(&mut self, key: u8, value: u8, count: usize, each: usize) -> Result<Container, Fail> {
        if count > 0 {
            let (Some(first), Some(second)) = (wire::least(key), wire::least(value)) else {
                return Err(Fail::Malformed(&"a container's elements are of no known type"));
            };
            self.need(count.saturating_mul(if each == 2 { first + second } else { first }))?;
        }
        Ok(Container { key, value, count })
    }

    #[inline]
    fn need(&mut self, n: usize) -> Result<(), Fail> {
        if self.0.buf().len() < n { Err(Fail::Malformed(&"a value is longer than the message")) } else { Ok(()) }
    }

    /// Passes `n` bytes.
    #[inline]
    fn advance(&mut self, n: usize) -> Result<(), Fail> {
        self.need(n)?;
        self.0.buf().advance(n);
        Ok(())
    }
}

impl Input for BinaryInput<'_> {
    type Scope = ();

    #[inline]
    fn field(&mut self, (): &mut ()) -> Result<(u8, i16), Fail> {
        let field = self.0.read_field_begin().map_err(unreadable)?;
        Ok((field.field_type as u8, field.id.unwrap_or(0)))
    }

    #[inline]
    fn bool(&mut self) -> Result<bool, Fail> {
        self.0.read_bool().map_err(truncated)
    }

    #[inline]
    fn i8(&mut self) -> Result<i8, Fail> {
        self.0.read_i8().map_err(truncated)
    }

    #[inline]
    fn i16(&mut self) -> Result<i16, Fail> {
        self.0.read_i16().map_err(truncated)
    }

    #[inline]
    fn i32(&mut self) -> Result<i32, Fail> {
        self.0.read_i32().map_err(truncated)
    }

    #[inline]
    fn i64(&mut self) -> Result<i64, Fail> {
        self.0.read_i64().map_err(truncated)
    }

    #[inline]
    fn double(&mut self) -> Result<u64, Fail> {
        self.i64().map(|bits| bits as u64)
    }

    #[inline]
    fn uuid(&mut self) -> Result<[u8; 16], Fail> {
        self.need(16)?;
        self.0.read_uuid().map_err(truncated)
    }

    #[inline]
    fn string<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail> {
        self.binary(take)
    }

    /// Reading it through Pilota would count a reference, and panic on a length that is not there.
    #[inline]
    fn binary<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail> {
        let buf = self.0.buf();
        let (length, rest) = buf.split_first_chunk::<4>().ok_or(Fail::Malformed(&"it is cut short"))?;
        // A negative length is larger than any message.
        let length = u32::from_be_bytes(*length) as usize;
        let bytes = rest.get(..length).ok_or(Fail::Malformed(&"a string or binary is longer than the message"))?;
        let taken = take(bytes);
        buf.advance(4 + length);
        Ok(taken)
    }

    #[inline]
    fn list(&mut self) -> Result<Container, Fail> {
        let item = self.0.read_byte().map_err(truncated)?;
        let count = self.count()?;
        self.hold(item, item, count, 1)
    }

    #[inline]
    fn map(&mut self) -> Result<Container, Fail> {
        let key = self.0.read_byte().map_err(truncated)?;
        let value = self.0.read_byte().map_err(truncated)?;
        let count = self.count()?;
        self.hold(key, value, count, 2)
    }

    #[inline]
    fn run(&mut self, code: u8, slots: &mut [u64]) -> Result<(), Fail> {
        match code {
            wire::BOOL => self.fixed(slots, |[byte]| u64::from(byte != 0)),
            wire::I8 => self.fixed(slots, |byte| low(i8::from_be_bytes(byte))),
            wire::I16 => self.fixed(slots, |bytes| low(i16::from_be_bytes(bytes))),
            wire::I32 => self.fixed(slots, |bytes| low(i32::from_be_bytes(bytes))),
            wire::I64 | wire::DOUBLE => self.fixed(slots, u64::from_be_bytes),
            _ => Err(Fail::Malformed(&"an element is no scalar")),
        }
    }

    #[inline]
    fn pass(&mut self, code: u8) -> Result<(), Fail> {
        match wire::fixed(code) {
            Some(size) => self.advance(size),
            None if code == wire::BINARY => self.binary(|_| ()),
            None => Err(Fail::Malformed(&"a value is of no known type")),
        }
    }

    #[inline]
    fn pass_items(&mut self, list: &Container) -> Result<bool, Fail> {
        let Some(size) = wire::fixed(list.key) else { return Ok(false) };
        self.advance(list.count.saturating_mul(size))?;
        Ok(true)
    }

    #[inline]
    fn pass_pairs(&mut self, map: &Container) -> Result<bool, Fail> {
        let (Some(key), Some(value)) = (wire::fixed(map.key), wire::fixed(map.value)) else { return Ok(false) };
        self.advance(map.count.saturating_mul(key + value))?;
        Ok(true)
    }
}
