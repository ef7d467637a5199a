//! What reading asks of a protocol. Code that reads is written once and compiled for each.

use crate::error::Fail;
use crate::wire;

/// Size and element types of a container: of a list or set `key` is the element type and `value` the same.
pub(crate) struct Container {
    pub(crate) key: u8,
    pub(crate) value: u8,
    pub(crate) count: usize,
}

/// The body of a message, being read. Whatever the protocol, types are told by the binary protocol's codes, and every length and count has
/// been compared with what is there when it is returned. After an error it is of no use. Most protocols have nothing between the elements of a
/// container.
pub(crate) trait Input {
    /// What is remembered between the fields of one struct.
    type Scope: Default;

    /// Type code and id of the next field of a struct; [`wire::STOP`] where the struct ends.
    fn field(&mut self, scope: &mut Self::Scope) -> Result<(u8, i16), Fail>;

    fn bool(&mut self) -> Result<bool, Fail>;
    fn i8(&mut self) -> Result<i8, Fail>;
    fn i16(&mut self) -> Result<i16, Fail>;
    fn i32(&mut self) -> Result<i32, Fail>;
    fn i64(&mut self) -> Result<i64, Fail>;
    /// The bits of a double: through a float register the payload of a NaN may change.
    fn double(&mut self) -> Result<u64, Fail>;
    fn uuid(&mut self) -> Result<[u8; 16], Fail>;
    /// Lends the bytes of a string to `take`.
    fn string<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail>;
    /// Lends a binary to `take`.
    fn binary<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail>;

    /// Lends a string or a binary to `take`, where no schema tells which. Bytes of which another protocol, asked to write them back, would make
    /// something else are an error.
    fn opaque<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail> {
        self.string(take)
    }

    /// Head of a list or set. Before each element follows [`item`](Self::item), behind the last one [`end_list`](Self::end_list).
    fn list(&mut self) -> Result<Container, Fail>;
    #[inline]
    fn item(&mut self) -> Result<(), Fail> {
        Ok(())
    }
    #[inline]
    fn end_list(&mut self) -> Result<(), Fail> {
        Ok(())
    }
    /// Head of a map. Before each key follows [`key`](Self::key), before each value [`value`](Self::value), behind the last one
    /// [`end_map`](Self::end_map).
    fn map(&mut self) -> Result<Container, Fail>;
    /// `_first`: of the map.
    #[inline]
    fn key(&mut self, _first: bool) -> Result<(), Fail> {
        Ok(())
    }
    #[inline]
    fn value(&mut self) -> Result<(), Fail> {
        Ok(())
    }
    #[inline]
    fn end_map(&mut self) -> Result<(), Fail> {
        Ok(())
    }

    /// Reads the elements of a list of scalars with this type code into slots, all at once.
    fn run(&mut self, code: u8, slots: &mut [u64]) -> Result<(), Fail> {
        for slot in slots {
            self.item()?;
            *slot = match code {
                wire::BOOL => u64::from(self.bool()?),
                wire::I8 => low(self.i8()?),
                wire::I16 => low(self.i16()?),
                wire::I32 => low(self.i32()?),
                wire::I64 => self.i64()? as u64,
                wire::DOUBLE => self.double()?,
                _ => return Err(Fail::Malformed(&"an element is no scalar")),
            };
        }
        Ok(())
    }

    /// Passes a value that is neither struct nor container.
    fn pass(&mut self, code: u8) -> Result<(), Fail>;
    /// Passes the elements of a list or set at once, if the protocol can tell where they end. False if it cannot; then nothing has
    /// been passed.
    fn pass_items(&mut self, _list: &Container) -> Result<bool, Fail> {
        Ok(false)
    }
    /// The same for the pairs of a map.
    fn pass_pairs(&mut self, _map: &Container) -> Result<bool, Fail> {
        Ok(false)
    }
}

/// A slot with this number in its low half.
#[inline]
pub(crate) fn low(value: impl Into<i32>) -> u64 {
    u64::from(value.into() as u32)
}
