//! A uuid on the wire is 16 bytes, on the tape the 36 characters of its canonical text (RFC 9562, section 4).

use volo_js_tape::Str;

/// Length of the text.
const TEXT: usize = 36;
/// Where the hyphens stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Text of a uuid, in lower case.
pub(crate) fn to_text(uuid: [u8; 16]) -> [u8; TEXT] {
    let mut text = [b'-'; TEXT];
    let mut digits = uuid.iter().flat_map(|byte| [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]);
    for (at, character) in text.iter_mut().enumerate() {
        if !HYPHENS.contains(&at)
            && let Some(digit) = digits.next()
        {
            *character = digit;
        }
    }
    text
}

/// A uuid of its text, in upper or lower case; none if it is not of that form.
pub(crate) fn from_text(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != TEXT || HYPHENS.iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let mut uuid = [0; 16];
    let digits = text.iter().enumerate().filter(|(at, _)| !HYPHENS.contains(at));
    for (number, (_, character)) in digits.enumerate() {
        let digit = (*character as char).to_digit(16)? as u8;
        uuid[number / 2] = uuid[number / 2] << 4 | digit;
    }
    Some(uuid)
}

/// A uuid of a string of the out tape.
pub(crate) fn of_str(text: &Str<'_>) -> Option<[u8; 16]> {
    if text.lead || text.trail { None } else { from_text(text.middle) }
}

#[cfg(test)]
mod tests {
    use super::{from_text, to_text};

    const TEXT: &[u8; 36] = b"00112233-4455-6677-8899-aabbccddeeff";
    const UUID: [u8; 16] =
        [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF];

    #[test]
    fn both_ways() {
        assert_eq!(&to_text(UUID), TEXT);
        assert_eq!(from_text(TEXT), Some(UUID));
        assert_eq!(from_text(&TEXT.to_ascii_uppercase()), Some(UUID));
    }

    #[test]
    fn refuses_other_forms() {
        assert_eq!(from_text(b""), None);
        assert_eq!(from_text(&TEXT[..35]), None);
        assert_eq!(from_text(b"00112233-4455-6677-8899-aabbccddeefg"), None);
        assert_eq!(from_text(b"001122334-455-6677-8899-aabbccddeeff"), None);
        assert_eq!(from_text(b"00112233445566778899aabbccddeeff0000"), None);
    }
}
