//! Numbers of the wire, as Pilota has them.

use pilota::pb::encoding::WireType;
pub(crate) use pilota::pb::encoding::{MAX_TAG as MAX_NUMBER, encoded_len_varint as varint_len};

pub(crate) const VARINT: u8 = WireType::Varint as u8;
pub(crate) const FIXED64: u8 = WireType::SixtyFourBit as u8;
pub(crate) const LEN: u8 = WireType::LengthDelimited as u8;
pub(crate) const GROUP: u8 = WireType::StartGroup as u8;
pub(crate) const END: u8 = WireType::EndGroup as u8;
pub(crate) const FIXED32: u8 = WireType::ThirtyTwoBit as u8;

/// A field's number and wire type in one, as they are written.
#[inline]
pub(crate) const fn key(number: u32, wire: u8) -> u32 {
    number << 3 | wire as u32
}

/// Zigzag of 32 bits, back to a signed number.
#[inline]
pub(crate) const fn unzigzag32(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// Zigzag of 64 bits, back to a signed number.
#[inline]
pub(crate) const fn unzigzag64(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// A signed number of 32 bits so that small ones stay short.
#[inline]
pub(crate) const fn zigzag32(value: i32) -> u32 {
    (value << 1) as u32 ^ (value >> 31) as u32
}

/// A signed number of 64 bits so that small ones stay short.
#[inline]
pub(crate) const fn zigzag64(value: i64) -> u64 {
    (value << 1) as u64 ^ (value >> 63) as u64
}
