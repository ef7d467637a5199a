//! Types of values: what is on the wire and what is in the slot.

use crate::wire;

/// Type of one value. Types that differ neither on the wire nor on the tape are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ty {
    Bool,
    /// `int32` and open enums.
    Int32,
    Uint32,
    Sint32,
    /// `int64` and `uint64`.
    Int64,
    Sint64,
    /// `fixed32` and `sfixed32`.
    Fixed32,
    Float,
    /// `fixed64`, `sfixed64` and `double`.
    Fixed64,
    String,
    /// A string that need not be UTF-8.
    Text,
    Bytes,
    /// An enum that has the numbers it names and no others, by index into the program's.
    Closed(u32),
    Message(u32),
    /// A message marked off by tags.
    Group(u32),
}

impl Ty {
    /// Wire type of one value by itself.
    pub(crate) const fn wire(self) -> u8 {
        match self {
            Self::Fixed32 | Self::Float => wire::FIXED32,
            Self::Fixed64 => wire::FIXED64,
            Self::String | Self::Text | Self::Bytes | Self::Message(_) => wire::LEN,
            Self::Group(_) => wire::GROUP,
            _ => wire::VARINT,
        }
    }

    /// Whether several values can lie behind one key.
    pub(crate) const fn packable(self) -> bool {
        !matches!(self.wire(), wire::LEN | wire::GROUP)
    }

    /// Whether the slot is a pointer.
    #[inline]
    pub(crate) const fn points(self) -> bool {
        matches!(self, Self::Message(_) | Self::Group(_))
    }

    /// The slot of a value that came as this varint.
    #[inline]
    pub(crate) const fn slot(self, varint: u64) -> u64 {
        match self {
            Self::Bool => (varint != 0) as u64,
            Self::Sint32 => wire::unzigzag32(varint as u32) as u32 as u64,
            Self::Int64 => varint,
            Self::Sint64 => wire::unzigzag64(varint) as u64,
            _ => varint as u32 as u64,
        }
    }

    /// The varint of the value in this slot.
    #[inline]
    pub(crate) const fn varint(self, slot: u64) -> u64 {
        match self {
            Self::Bool => (slot as u32 != 0) as u64,
            Self::Uint32 => slot as u32 as u64,
            Self::Sint32 => wire::zigzag32(slot as i32) as u64,
            Self::Int64 => slot,
            Self::Sint64 => wire::zigzag64(slot as i64),
            _ => slot as i32 as i64 as u64,
        }
    }
}
