//! Tokens of JSON (RFC 8259).

use crate::error::Fail;

const CUT_SHORT: Fail = Fail::Malformed(&"it is cut short");
const ESCAPE: Fail = Fail::Malformed(&"a string has an escape that does not exist");
const SURROGATE: Fail = Fail::Malformed(&"an escape is half of a surrogate pair");
const NUMBER: Fail = Fail::Malformed(&"a number is out of range or none");

/// Text, being read. White space between tokens is passed over.
pub(super) struct Lexer<'b> {
    rest: &'b [u8],
    /// A string whose escapes have been replaced.
    unescaped: Vec<u8>,
}

impl<'b> Lexer<'b> {
    pub(super) fn new(text: &'b [u8]) -> Self {
        Self { rest: text, unescaped: Vec::new() }
    }

    /// Bytes that have not been read.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Passes white space.
    #[inline]
    pub(super) fn space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// The byte a token begins with.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Fail> {
        self.space();
        self.rest.first().copied().ok_or(CUT_SHORT)
    }

    /// Passes a byte that is a token of its own if it comes next.
    #[inline]
    pub(super) fn passes(&mut self, byte: u8) -> Result<bool, Fail> {
        let next = self.peek()? == byte;
        if next {
            self.rest = &self.rest[1..];
        }
        Ok(next)
    }

    /// Passes a byte that has to come next.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Fail> {
        if self.passes(byte)? {
            Ok(())
        } else {
            Err(Fail::Malformed(&"a bracket, comma or colon is not where it belongs"))
        }
    }

    /// An integer.
    pub(super) fn integer(&mut self) -> Result<i64, Fail> {
        let negative = self.passes(b'-')?;
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        if number.is_empty() {
            return Err(NUMBER);
        }
        let mut value = 0_i64;
        for digit in number {
            // Towards the negative end, which is further away.
            let digit = i64::from(digit - b'0');
            value = value.checked_mul(10).and_then(|value| value.checked_sub(digit)).ok_or(NUMBER)?;
        }
        self.rest = rest;
        if negative { Ok(value) } else { value.checked_neg().ok_or(NUMBER) }
    }

    /// An integer in quotes.
    pub(super) fn quoted_integer(&mut self) -> Result<i64, Fail> {
        self.expect(b'"')?;
        let value = self.integer()?;
        self.expect(b'"')?;
        Ok(value)
    }

    /// A number of any form.
    pub(super) fn number(&mut self) -> Result<f64, Fail> {
        self.space();
        let of_number = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let (number, rest) = self.rest.split_at(self.rest.iter().take_while(of_number).count());
        self.rest = rest;
        std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()).ok_or(NUMBER)
    }

    /// A string without quotes, its escapes replaced. Bytes that are not UTF-8 are as they came.
    pub(super) fn string(&mut self) -> Result<&[u8], Fail> {
        let (string, escapes) = self.raw_string()?;
        if !escapes {
            return Ok(string);
        }
        self.unescaped.clear();
        let mut rest = string;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            self.unescaped.extend_from_slice(&rest[..at]);
            let (character, behind) = escape(&rest[at + 1..])?;
            self.unescaped.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = behind;
        }
        self.unescaped.extend_from_slice(rest);
        Ok(&self.unescaped)
    }

    /// A string as it stands between its quotes, and whether there are escapes in it.
    pub(super) fn raw_string(&mut self) -> Result<(&'b [u8], bool), Fail> {
        self.expect(b'"')?;
        let (mut end, mut escapes) = (0, false);
        loop {
            match self.rest.get(end).ok_or(CUT_SHORT)? {
                b'"' => break,
                b'\\' => {
                    escapes = true;
                    end += 2;
                }
                0..0x20 => return Err(Fail::Malformed(&"a string has a control character that is not escaped")),
                _ => end += 1,
            }
        }
        let string = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Ok((string, escapes))
    }

    /// Passes a string. Its escapes are looked at, so that what is passed is what could be read.
    pub(super) fn pass_string(&mut self) -> Result<(), Fail> {
        let (mut rest, _) = self.raw_string()?;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            rest = escape(&rest[at + 1..])?.1;
        }
        Ok(())
    }
}

/// The character of an escape whose backslash has been passed, and what follows it.
fn escape(rest: &[u8]) -> Result<(char, &[u8]), Fail> {
    let (&kind, rest) = rest.split_first().ok_or(CUT_SHORT)?;
    let character = match kind {
        b'"' | b'\\' | b'/' => kind as char,
        b'b' => '\u{8}',
        b'f' => '\u{C}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(rest),
        _ => return Err(ESCAPE),
    };
    Ok((character, rest))
}

/// The character of an escape of four hexadecimal digits, or of two that are a surrogate pair.
fn unicode(rest: &[u8]) -> Result<(char, &[u8]), Fail> {
    let (first, rest) = unit(rest)?;
    if !(0xD800..0xE000).contains(&first) {
        return Ok((char::from_u32(first).ok_or(SURROGATE)?, rest));
    }
    let second = rest.strip_prefix(b"\\u").ok_or(SURROGATE)?;
    let (second, rest) = unit(second)?;
    if first >= 0xDC00 || !(0xDC00..0xE000).contains(&second) {
        return Err(SURROGATE);
    }
    let character = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    Ok((char::from_u32(character).ok_or(SURROGATE)?, rest))
}

fn unit(rest: &[u8]) -> Result<(u32, &[u8]), Fail> {
    let (digits, rest) = rest.split_first_chunk::<4>().ok_or(ESCAPE)?;
    let mut unit = 0;
    for digit in digits {
        unit = unit << 4 | (*digit as char).to_digit(16).ok_or(ESCAPE)?;
    }
    Ok((unit, rest))
}
