//! Type codes of the binary protocol, and what their values take at least. Types of the other protocols are told by these codes, too.

pub(crate) const STOP: u8 = 0;
pub(crate) const BOOL: u8 = 2;
pub(crate) const I8: u8 = 3;
pub(crate) const DOUBLE: u8 = 4;
pub(crate) const I16: u8 = 6;
pub(crate) const I32: u8 = 8;
pub(crate) const I64: u8 = 10;
pub(crate) const BINARY: u8 = 11;
pub(crate) const STRUCT: u8 = 12;
pub(crate) const MAP: u8 = 13;
pub(crate) const SET: u8 = 14;
pub(crate) const LIST: u8 = 15;
pub(crate) const UUID: u8 = 16;

/// First half of a strict message's first word.
pub(crate) const VERSION: u32 = 0x8001_0000;

/// Bytes of a value by type code where all values take the same; 0 elsewhere.
const FIXED: [u8; 17] = [0, 0, 1, 1, 8, 0, 2, 0, 4, 0, 8, 0, 0, 0, 0, 0, 16];
/// Bytes of the smallest value by type code; 0 where no value exists.
const LEAST: [u8; 17] = [0, 0, 1, 1, 8, 0, 2, 0, 4, 0, 8, 4, 1, 6, 5, 5, 16];

/// Bytes of every value of this type, if they all take the same.
#[inline]
pub(crate) fn fixed(code: u8) -> Option<usize> {
    FIXED.get(code as usize).map(|n| *n as usize).filter(|n| *n > 0)
}

/// Bytes of this type's smallest value; none if it has no values (stop, void, or no type at all).
#[inline]
pub(crate) fn least(code: u8) -> Option<usize> {
    LEAST.get(code as usize).map(|n| *n as usize).filter(|n| *n > 0)
}
