//! Four bits of type in heads of fields and containers.

use crate::wire;

/// A bool that is true: in the head of a field its value, in a container its type.
pub(super) const TRUE: u8 = 1;
/// A bool that is false.
pub(super) const FALSE: u8 = 2;

/// Type codes of the binary protocol by those of the compact one; [`wire::STOP`] where there is no such type.
const TO_WIRE: [u8; 16] = [
    wire::STOP,
    wire::BOOL,
    wire::BOOL,
    wire::I8,
    wire::I16,
    wire::I32,
    wire::I64,
    wire::DOUBLE,
    wire::BINARY,
    wire::LIST,
    wire::SET,
    wire::MAP,
    wire::STRUCT,
    wire::UUID,
    wire::STOP,
    wire::STOP,
];

/// The other way; 0 where there is no such type.
const FROM_WIRE: [u8; 17] = [0, 0, TRUE, 3, 7, 0, 4, 0, 5, 0, 6, 8, 12, 11, 10, 9, 13];

/// Bytes of the smallest value by type code of the binary protocol: one, but for doubles and uuids.
const LEAST: [u8; 17] = [0, 0, 1, 1, 8, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 16];

/// Code of the binary protocol for the low four bits.
#[inline]
pub(crate) fn to_wire(code: u8) -> u8 {
    TO_WIRE[usize::from(code & 15)]
}

/// Code of the compact protocol.
#[inline]
pub(super) fn from_wire(code: u8) -> u8 {
    FROM_WIRE.get(usize::from(code)).copied().unwrap_or(0)
}

/// Bytes of this type's smallest value; none if it has no values.
#[inline]
pub(crate) fn least(code: u8) -> Option<usize> {
    LEAST.get(usize::from(code)).map(|n| usize::from(*n)).filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::{from_wire, to_wire};
    use crate::wire;

    #[test]
    fn types_are_the_same_both_ways() {
        for code in (0..=255).filter(|code| wire::least(*code).is_some()) {
            assert_eq!(to_wire(from_wire(code)), code);
        }
        assert_eq!([0, 14, 15].map(to_wire), [wire::STOP; 3]);
        assert_eq!(to_wire(super::FALSE), wire::BOOL);
    }
}
