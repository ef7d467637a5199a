//! Names of types.

use crate::wire;

/// Names by type code of the binary protocol; empty where there is no such type.
const NAMES: [&str; 17] =
    ["", "", "tf", "i8", "dbl", "", "i16", "", "i32", "", "i64", "str", "rec", "map", "set", "lst", "uid"];

/// Bytes of the smallest value by type code of the binary protocol, what parts it from the one before included.
const LEAST: [u8; 17] = [0, 0, 2, 2, 2, 0, 2, 0, 2, 0, 2, 3, 3, 12, 8, 8, 39];

/// Name of a type; empty if it has none.
#[inline]
pub(super) fn name(code: u8) -> &'static str {
    NAMES.get(usize::from(code)).copied().unwrap_or("")
}

/// Type code of a name.
pub(super) fn code(name: &[u8]) -> Option<u8> {
    Some(match name {
        b"tf" => wire::BOOL,
        b"i8" => wire::I8,
        b"i16" => wire::I16,
        b"i32" => wire::I32,
        b"i64" => wire::I64,
        b"dbl" => wire::DOUBLE,
        b"str" => wire::BINARY,
        b"rec" => wire::STRUCT,
        b"map" => wire::MAP,
        b"lst" => wire::LIST,
        b"set" => wire::SET,
        b"uid" => wire::UUID,
        _ => return None,
    })
}

/// Bytes of this type's smallest value with the comma or colon before it; none if it has no values.
#[inline]
pub(super) fn least(code: u8) -> Option<usize> {
    LEAST.get(usize::from(code)).map(|n| usize::from(*n)).filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::{code, least, name};
    use crate::wire;

    #[test]
    fn names_are_the_same_both_ways() {
        for type_code in 0..=255 {
            let known = wire::least(type_code).is_some();
            assert_eq!(code(name(type_code).as_bytes()), known.then_some(type_code));
            assert_eq!(least(type_code).is_some(), known);
        }
    }
}
