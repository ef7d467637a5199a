//! Pilota's binary protocol, with every length compared to what is there before it is acted on.

use bytes::{Buf, Bytes};
use pilota::thrift::binary::TBinaryProtocol;
use pilota::thrift::{TInputProtocol, ThriftException};

use crate::error::Fail;
use crate::wire;

/// A message body being read.
pub(crate) struct Reader<'b>(TBinaryProtocol<&'b mut Bytes>);

/// Size and element types of a container: of a list or set `key` is the element type and `value` the same.
pub(crate) struct Container {
    pub(crate) key: u8,
    pub(crate) value: u8,
    pub(crate) count: usize,
}

#[cold]
fn truncated(_: ThriftException) -> Fail {
    Fail::Malformed(&"it is cut short")
}

#[cold]
fn unreadable(_: ThriftException) -> Fail {
    Fail::Malformed(&"a field is cut short or of no known type")
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b mut Bytes) -> Self {
        Self(TBinaryProtocol::new(bytes, false))
    }

    /// Type code and id of the next field; [`wire::STOP`] where the struct ends.
    #[inline]
    pub(crate) fn field(&mut self) -> Result<(u8, i16), Fail> {
        let field = self.0.read_field_begin().map_err(unreadable)?;
        Ok((field.field_type as u8, field.id.unwrap_or(0)))
    }

    #[inline]
    pub(crate) fn bool(&mut self) -> Result<bool, Fail> {
        self.0.read_bool().map_err(truncated)
    }

    #[inline]
    pub(crate) fn i8(&mut self) -> Result<i8, Fail> {
        self.0.read_i8().map_err(truncated)
    }

    #[inline]
    pub(crate) fn i16(&mut self) -> Result<i16, Fail> {
        self.0.read_i16().map_err(truncated)
    }

    #[inline]
    pub(crate) fn i32(&mut self) -> Result<i32, Fail> {
        self.0.read_i32().map_err(truncated)
    }

    #[inline]
    pub(crate) fn i64(&mut self) -> Result<i64, Fail> {
        self.0.read_i64().map_err(truncated)
    }

    #[inline]
    pub(crate) fn uuid(&mut self) -> Result<[u8; 16], Fail> {
        self.need(16)?;
        self.0.read_uuid().map_err(truncated)
    }

    /// Lends the next string or binary to `take`. Reading it through Pilota would count a reference, and panic on a length
    /// that is not there.
    #[inline]
    pub(crate) fn binary<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail> {
        let buf = self.0.buf();
        let (length, rest) = buf.split_first_chunk::<4>().ok_or(Fail::Malformed(&"it is cut short"))?;
        // A negative length is larger than any message.
        let length = u32::from_be_bytes(*length) as usize;
        let bytes = rest.get(..length).ok_or(Fail::Malformed(&"a string or binary is longer than the message"))?;
        let taken = take(bytes);
        buf.advance(4 + length);
        Ok(taken)
    }

    /// Reads a run of values of `N` bytes into slots, all at once.
    #[inline]
    pub(crate) fn run<const N: usize>(
        &mut self,
        slots: &mut [u64],
        value: impl Fn([u8; N]) -> u64,
    ) -> Result<(), Fail> {
        let buf = self.0.buf();
        let bytes = buf.get(..N * slots.len()).ok_or(Fail::Malformed(&"a value is longer than the message"))?;
        for (slot, bytes) in slots.iter_mut().zip(bytes.as_chunks::<N>().0) {
            *slot = value(*bytes);
        }
        buf.advance(N * slots.len());
        Ok(())
    }

    /// Head of a list or set.
    #[inline]
    pub(crate) fn list(&mut self) -> Result<Container, Fail> {
        let item = self.0.read_byte().map_err(truncated)?;
        let count = self.count()?;
        self.hold(item, item, count, 1)
    }

    /// Head of a map.
    #[inline]
    pub(crate) fn map(&mut self) -> Result<Container, Fail> {
        let key = self.0.read_byte().map_err(truncated)?;
        let value = self.0.read_byte().map_err(truncated)?;
        let count = self.count()?;
        self.hold(key, value, count, 2)
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
    pub(crate) fn pass(&mut self, n: usize) -> Result<(), Fail> {
        self.need(n)?;
        self.0.buf().advance(n);
        Ok(())
    }
}
