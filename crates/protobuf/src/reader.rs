//! Reading from a slice. Every length is compared with what is there.

use crate::error::Fail;
use crate::wire;

const SHORT: &&str = &"it is cut short";

/// The rest of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'b> {
    pub(crate) rest: &'b [u8],
}

/// A field's number and wire type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key(u32);

impl Key {
    #[inline]
    pub(crate) fn number(self) -> u32 {
        self.0 >> 3
    }

    #[inline]
    pub(crate) fn wire(self) -> u8 {
        self.0 as u8 & 7
    }
}

impl<'b> Reader<'b> {
    #[inline]
    pub(crate) fn new(rest: &'b [u8]) -> Self {
        Self { rest }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Fail> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            [first, second, rest @ ..] if *second < 0x80 => {
                self.rest = rest;
                Ok(u64::from(first & 0x7F) | u64::from(*second) << 7)
            }
            _ => self.long_varint(),
        }
    }

    /// Ten bytes hold 64 bits and six to spare, which have to be 0.
    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Fail> {
        let mut value = 0;
        for (n, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7F) << (7 * n);
            if *byte < 0x80 {
                if n == 9 && *byte > 1 {
                    break;
                }
                self.rest = &self.rest[n + 1..];
                return Ok(value);
            }
        }
        Err(Fail::Malformed(if self.rest.len() < 10 { SHORT } else { &"a varint has more than 64 bits" }))
    }

    /// The next field's key, which has five bytes at most, a number and a known wire type.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Key, Fail> {
        let key = match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                u32::from(*byte)
            }
            _ => self.long_key()?,
        };
        if key < 8 || key & 7 > u32::from(wire::FIXED32) {
            return Err(Fail::Malformed(&"a field has number 0 or no known wire type"));
        }
        Ok(Key(key))
    }

    #[inline(never)]
    fn long_key(&mut self) -> Result<u32, Fail> {
        let before = self.rest.len();
        let key = self.long_varint()?;
        if before - self.rest.len() > 5 {
            return Err(Fail::Malformed(&"a field's key is longer than five bytes"));
        }
        u32::try_from(key).map_err(|_| Fail::Malformed(&"a field's number is larger than 536870911"))
    }

    /// What lies behind a length.
    #[inline]
    pub(crate) fn delimited(&mut self) -> Result<&'b [u8], Fail> {
        let length = self.varint()?;
        let (bytes, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length))
            .ok_or(Fail::Malformed(&"a field is longer than the message"))?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    pub(crate) fn fixed32(&mut self) -> Result<u32, Fail> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Fail::Malformed(SHORT))?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    #[inline]
    pub(crate) fn fixed64(&mut self) -> Result<u64, Fail> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Fail::Malformed(SHORT))?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Passes what this key belongs to. `depth` is the nesting of the message it lies in.
    pub(crate) fn skip(&mut self, key: Key, depth: usize, limit: usize) -> Result<(), Fail> {
        match key.wire() {
            wire::VARINT => self.varint().map(|_| ()),
            wire::FIXED64 => self.fixed64().map(|_| ()),
            wire::FIXED32 => self.fixed32().map(|_| ()),
            wire::LEN => self.delimited().map(|_| ()),
            wire::GROUP => {
                let depth = deeper(depth, limit)?;
                loop {
                    let inner = self.key()?;
                    if inner.wire() == wire::END {
                        return if inner.number() == key.number() { Ok(()) } else { Err(UNBALANCED) };
                    }
                    self.skip(inner, depth, limit)?;
                }
            }
            _ => Err(UNBALANCED),
        }
    }

    /// How many fields with the key `tag` (as it came) follow one another, beginning behind the first one's key. Looks at lengths alone.
    pub(crate) fn stretch(mut self, tag: &[u8]) -> usize {
        let mut count = 1;
        while self.delimited().is_ok() && self.rest.starts_with(tag) {
            self.rest = &self.rest[tag.len()..];
            count += 1;
        }
        count
    }
}

/// The end of a group that did not begin, or of another than the one that did.
pub(crate) const UNBALANCED: Fail = Fail::Malformed(&"a group ends that did not begin");

/// One level down.
#[inline]
pub(crate) fn deeper(depth: usize, limit: usize) -> Result<usize, Fail> {
    if depth >= limit { Err(Fail::Depth) } else { Ok(depth + 1) }
}
