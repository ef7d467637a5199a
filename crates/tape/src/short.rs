//! Copies of short strings. Most strings are short, and then calls to look them through and to copy them cost more than the
//! work.

/// Longest string [`copy`] takes.
pub(crate) const SHORT: usize = 32;

/// Copies a string of at most [`SHORT`] bytes to `to`, which is as long. True if it is ASCII.
///
/// Two loads that may overlap cover any length between one and two of their widths.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) -> bool {
    const HIGH: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;
    macro_rules! ends {
        ($word:ty, $size:literal) => {
            if let (Some(first), Some(last)) = (from.first_chunk::<$size>(), from.last_chunk::<$size>()) {
                if let Some(to) = to.first_chunk_mut::<$size>() {
                    *to = *first;
                }
                if let Some(to) = to.last_chunk_mut::<$size>() {
                    *to = *last;
                }
                let high = HIGH as $word;
                return (<$word>::from_ne_bytes(*first) | <$word>::from_ne_bytes(*last)) & high == 0;
            }
        };
    }
    ends!(u128, 16);
    ends!(u64, 8);
    ends!(u32, 4);
    let mut all = 0;
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
        all |= *from;
    }
    all < 0x80
}

#[cfg(test)]
mod tests {
    use super::{SHORT, copy};

    #[test]
    fn any_length_and_any_place_of_a_foreign_byte() {
        for length in 0..=SHORT {
            for foreign in 0..=length {
                let mut from: Vec<u8> = (0..length as u8).map(|n| b'A' + n).collect();
                if let Some(byte) = from.get_mut(foreign) {
                    *byte = 0x80;
                }
                let mut to = vec![0; length];
                assert_eq!(copy(&mut to, &from), foreign == length, "byte {foreign} of {length}");
                assert_eq!(to, from);
            }
        }
    }
}
