//! Checks a reply by parsing all of it, in any field order, without allocating.

use crate::{
    request::{ECHO, METHOD, echoed, id_of},
    wire::{Protocol, Transport, Wire, behind_headers},
};

/// What every reply must say, apart from the id.
pub struct Expected {
    wire: Wire,
    answer: Answer,
}

enum Answer {
    /// An item with this content.
    Item { content: Vec<u8> },
    /// These bytes, of which the first four are the call's own.
    Echo(Vec<u8>),
}

impl Expected {
    /// `content` is `size` times the letter `x`, or the example's sentence; with `echo` so many bytes are given back instead.
    pub fn new(wire: Wire, size: Option<usize>, echo: Option<usize>) -> Self {
        let content = || size.map_or_else(|| b"This is a Volo example".to_vec(), |n| vec![b'x'; n]);
        let answer = echo.map_or_else(|| Answer::Item { content: content() }, |size| Answer::Echo(echoed(size)));
        Self { wire, answer }
    }

    /// Whether `frame`, without its length prefix, is the right reply to call `seq`. The error says what is wrong.
    pub fn check(&self, frame: &[u8], seq: u32) -> Result<(), Wrong> {
        let bytes = match self.wire.transport {
            Transport::Framed => frame,
            Transport::TtHeader => behind_headers(frame).ok_or(Wrong::Said("the reply has no TTHeader"))?,
        };
        let mut r = Reader { bytes, protocol: self.wire.protocol };
        let (kind, name, got) = r.head()?;
        if got != seq {
            return Err(Wrong::Sequence { got, expected: seq });
        }
        let method: &[u8] = if matches!(self.answer, Answer::Item { .. }) { METHOD } else { ECHO };
        if name != method {
            return Err(Wrong::Said("the reply's method name is not the call's"));
        }
        match kind {
            2 => {}
            3 => return Err(application_exception(&mut r)),
            _ => return Err(Wrong::Said("the message is neither a reply nor an exception")),
        }
        // GetItem_result { 0: GetItemResponse success } or EchoBinary_result { 0: binary success }
        let (mut answered, mut last) = (false, 0);
        while let Some(field) = r.field(&mut last)? {
            match (field, &self.answer) {
                ((12, 0), Answer::Item { content }) if !answered => response(&mut r, content, id_of(seq))?,
                ((11, 0), Answer::Echo(bytes)) if !answered => {
                    let got = r.string()?;
                    if got.len() != bytes.len() || got[..4] != seq.to_be_bytes() || got[4..] != bytes[4..] {
                        return Err(Wrong::Said("the bytes are not those that were sent"));
                    }
                }
                _ => return Err(Wrong::Said("the result has a field other than one `success`")),
            }
            answered = true;
        }
        if !answered {
            return Err(Wrong::Said("the result is empty"));
        }
        if r.bytes.is_empty() { Ok(()) } else { Err(Wrong::Said("bytes follow the message in its frame")) }
    }
}

fn response(r: &mut Reader<'_>, content: &[u8], id: i64) -> Result<(), Wrong> {
    let (mut answered, mut last) = (false, 0);
    while let Some(field) = r.field(&mut last)? {
        match field {
            (12, 1) if !answered => item(r, content, id)?,
            _ => return Err(Wrong::Said("the response has a field other than one `item`")),
        }
        answered = true;
    }
    if answered { Ok(()) } else { Err(Wrong::Said("the response has no item")) }
}

fn item(r: &mut Reader<'_>, content: &[u8], id: i64) -> Result<(), Wrong> {
    let (mut seen, mut last) = (0u8, 0);
    while let Some((kind, number)) = r.field(&mut last)? {
        let bit = match (kind, number) {
            (10, 1) => {
                if r.i64()? != id {
                    return Err(Wrong::Said("item.id is not the one asked for"));
                }
                1
            }
            (11, 2) => {
                if r.string()? != b"Hello Volo" {
                    return Err(Wrong::Said("item.title is not `Hello Volo`"));
                }
                2
            }
            (11, 3) => {
                if r.string()? != content {
                    return Err(Wrong::Said("item.content differs (is --content-size the server's?)"));
                }
                4
            }
            (13, 10) => {
                if id & 7 != 5 {
                    return Err(Wrong::Said("item.extra is set for an id which has none"));
                }
                r.string_map()?;
                8
            }
            _ => return Err(Wrong::Said("item has a field the IDL does not have")),
        };
        if seen & bit != 0 {
            return Err(Wrong::Said("a field of item occurs twice"));
        }
        seen |= bit;
    }
    if seen & 7 == 7 { Ok(()) } else { Err(Wrong::Said("item lacks id, title or content")) }
}

/// Why a reply is wrong.
#[derive(Debug, PartialEq)]
pub enum Wrong {
    Said(&'static str),
    /// Replies of one connection must come in the order of its requests.
    Sequence {
        got: u32,
        expected: u32,
    },
    /// The server answered with a TApplicationException.
    Exception {
        kind: i32,
        message: String,
    },
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Said(what) => f.write_str(what),
            Self::Sequence { got, expected } => write!(f, "sequence id {got} where {expected} was next"),
            Self::Exception { kind, message } => write!(f, "the server answered with exception {kind}: {message}"),
        }
    }
}

fn application_exception(r: &mut Reader<'_>) -> Wrong {
    let (mut kind, mut message) = (0, String::new());
    let mut read = || -> Result<(), Wrong> {
        let mut last = 0;
        while let Some(field) = r.field(&mut last)? {
            match field {
                (11, 1) => message = String::from_utf8_lossy(r.string()?).into_owned(),
                (8, 2) => kind = r.i32()?,
                _ => return Err(Wrong::Said("the server's exception has an unknown field")),
            }
        }
        Ok(())
    };
    match read() {
        Ok(()) => Wrong::Exception { kind, message },
        Err(wrong) => wrong,
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    protocol: Protocol,
}

/// The binary protocol's types of fields by the compact protocol's, for those that are read here.
const COMPACT_TYPES: [u8; 13] = [0, 2, 2, 3, 6, 8, 10, 4, 11, 15, 14, 13, 12];

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Wrong> {
        let (head, tail) = self.bytes.split_at_checked(n).ok_or(Wrong::Said("the frame ends inside the message"))?;
        self.bytes = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let (head, tail) = self.bytes.split_first_chunk().ok_or(Wrong::Said("the frame ends inside the message"))?;
        self.bytes = tail;
        Ok(*head)
    }

    fn u32(&mut self) -> Result<u32, Wrong> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn varint(&mut self) -> Result<u64, Wrong> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Wrong::Said("a varint has more than ten bytes"))
    }

    fn zigzag(&mut self) -> Result<i64, Wrong> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The message's kind, name and sequence number.
    fn head(&mut self) -> Result<(u8, &'a [u8], u32), Wrong> {
        match self.protocol {
            Protocol::Binary => {
                let version = self.u32()?;
                if version >> 16 != 0x8001 {
                    return Err(Wrong::Said("the message is not strict binary, version 1"));
                }
                let name = self.string()?;
                Ok((version as u8, name, self.u32()?))
            }
            Protocol::Compact => {
                let [id, kind] = self.array()?;
                if id != 0x82 || kind & 0x1F != 1 {
                    return Err(Wrong::Said("the message is not compact, version 1"));
                }
                let seq = self.varint()? as u32;
                Ok((kind >> 5, self.string()?, seq))
            }
        }
    }

    fn i32(&mut self) -> Result<i32, Wrong> {
        match self.protocol {
            Protocol::Binary => Ok(self.u32()? as i32),
            Protocol::Compact => Ok(self.zigzag()? as i32),
        }
    }

    fn i64(&mut self) -> Result<i64, Wrong> {
        match self.protocol {
            Protocol::Binary => Ok(i64::from_be_bytes(self.array()?)),
            Protocol::Compact => self.zigzag(),
        }
    }

    fn string(&mut self) -> Result<&'a [u8], Wrong> {
        let length = match self.protocol {
            Protocol::Binary => self.u32()? as usize,
            Protocol::Compact => self.varint()? as usize,
        };
        self.take(length)
    }

    /// The next field's type, as the binary protocol numbers it, and number, or `None` at the end of the struct. `last` is
    /// the number of the field before, at first 0.
    fn field(&mut self, last: &mut i16) -> Result<Option<(u8, i16)>, Wrong> {
        let [head] = self.array()?;
        if head == 0 {
            return Ok(None);
        }
        if self.protocol == Protocol::Binary {
            return Ok(Some((head, i16::from_be_bytes(self.array()?))));
        }
        *last = match head >> 4 {
            0 => self.zigzag()? as i16,
            delta => last.wrapping_add(delta.into()),
        };
        let kind = COMPACT_TYPES.get(usize::from(head & 0xF)).copied();
        Ok(Some((kind.ok_or(Wrong::Said("a field has an unknown type"))?, *last)))
    }

    fn string_map(&mut self) -> Result<(), Wrong> {
        let (types, entries) = match self.protocol {
            Protocol::Binary => (self.array()?, u64::from(self.u32()?)),
            Protocol::Compact => match self.varint()? {
                0 => ([11, 11], 0),
                entries => {
                    let [types] = self.array()?;
                    ([types >> 4, types & 0xF].map(|kind| if kind == 8 { 11 } else { 0 }), entries)
                }
            },
        };
        if types != [11, 11] && entries > 0 {
            return Err(Wrong::Said("item.extra is not a map of strings"));
        }
        for _ in 0..entries.saturating_mul(2) {
            if std::str::from_utf8(self.string()?).is_err() {
                return Err(Wrong::Said("item.extra holds invalid UTF-8"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: Wire = Wire { transport: Transport::Framed, protocol: Protocol::Binary };

    fn item(size: Option<usize>) -> Expected {
        Expected::new(WIRE, size, None)
    }

    fn string(id: u8, text: &[u8]) -> Vec<u8> {
        [&[11, 0, id][..], &(text.len() as u32).to_be_bytes(), text].concat()
    }

    fn reply(seq: u32, fields: &[Vec<u8>]) -> Vec<u8> {
        let mut out = [&0x8001_0002u32.to_be_bytes()[..], &7u32.to_be_bytes(), b"GetItem", &seq.to_be_bytes()].concat();
        out.extend([12, 0, 0, 12, 0, 1]);
        out.extend(fields.concat());
        out.extend([0, 0, 0]);
        out
    }

    fn id(seq: u32) -> Vec<u8> {
        [&[10, 0, 1][..], &id_of(seq).to_be_bytes()].concat()
    }

    fn good(seq: u32) -> [Vec<u8>; 3] {
        [id(seq), string(2, b"Hello Volo"), string(3, b"This is a Volo example")]
    }

    #[test]
    fn accepts_the_right_reply_in_any_field_order() {
        let expected = item(None);
        assert_eq!(expected.check(&reply(7, &good(7)), 7), Ok(()));
        let mut reversed = good(7);
        reversed.reverse();
        assert_eq!(expected.check(&reply(7, &reversed), 7), Ok(()));
        let big = [id(7), string(2, b"Hello Volo"), string(3, b"xxx")];
        assert_eq!(item(Some(3)).check(&reply(7, &big), 7), Ok(()));
    }

    #[test]
    fn extra_is_accepted_only_where_it_belongs() {
        let extra =
            [&[13, 0, 10, 11, 11, 0, 0, 0, 1][..], &1u32.to_be_bytes(), b"k", &1u32.to_be_bytes(), b"v"].concat();
        let of = |seq: u32| {
            let mut fields = good(seq).to_vec();
            fields.push(extra.clone());
            reply(seq, &fields)
        };
        let with = (10..1000).find(|&s| id_of(s) & 7 == 5).expect("one in eight");
        let without = (10..1000).find(|&s| id_of(s) & 7 != 5).expect("seven in eight");
        assert_eq!(item(None).check(&of(with), with), Ok(()));
        assert!(item(None).check(&of(without), without).is_err());
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_wrong() {
        let expected = item(None);
        let right = reply(9, &good(9));
        for n in 0..right.len() {
            assert!(expected.check(&right[..n], 9).is_err(), "cut to {n}");
            let mut changed = right.clone();
            changed[n] ^= 1;
            // The third byte of the header is unused by the protocol.
            assert!(expected.check(&changed, 9).is_err() || n == 2, "byte {n} changed");
        }
        let mut longer = right;
        longer.push(0);
        assert!(expected.check(&longer, 9).is_err());
    }

    #[test]
    fn compact_replies_are_read_whole() {
        let mut right = vec![0x82, 0x41, 9, 7];
        right.extend(b"GetItem");
        // success at 0, whose number does not follow from the one before.
        right.extend([0x0C, 0, 0x1C, 0x16]);
        let id = id_of(9);
        crate::wire::write_varint(&mut right, ((id << 1) ^ (id >> 63)) as u64);
        right.extend([0x18, 10]);
        right.extend(b"Hello Volo");
        right.extend([0x18, 3]);
        right.extend(b"xxx");
        right.extend([0, 0, 0]);
        let compact = Expected::new(Wire { protocol: Protocol::Compact, ..WIRE }, Some(3), None);
        assert_eq!(compact.check(&right, 9), Ok(()));
        for n in 0..right.len() {
            assert!(compact.check(&right[..n], 9).is_err(), "cut to {n}");
            let mut changed = right.clone();
            changed[n] ^= 1;
            assert!(compact.check(&changed, 9).is_err(), "byte {n} changed");
        }
    }

    #[test]
    fn echoes_are_compared() {
        let bytes = echoed(11);
        let mut right = [&0x8001_0002u32.to_be_bytes()[..], &10u32.to_be_bytes(), ECHO, &7u32.to_be_bytes()].concat();
        right.extend([11, 0, 0, 0, 0, 0, 11]);
        right.extend(7u32.to_be_bytes());
        right.extend(&bytes[4..]);
        right.push(0);
        let expected = Expected::new(WIRE, None, Some(11));
        assert_eq!(expected.check(&right, 7), Ok(()));
        for n in 0..right.len() {
            let mut changed = right.clone();
            changed[n] ^= 1;
            assert!(expected.check(&changed, 7).is_err() || n == 2, "byte {n} changed");
        }
    }

    #[test]
    fn reports_the_servers_exception() {
        let mut out =
            [&0x8001_0003u32.to_be_bytes()[..], &7u32.to_be_bytes(), b"GetItem", &1u32.to_be_bytes()].concat();
        out.extend(string(1, b"no"));
        out.extend([8, 0, 2, 0, 0, 0, 6, 0]);
        let wrong = item(None).check(&out, 1).expect_err("an exception");
        assert_eq!(wrong, Wrong::Exception { kind: 6, message: "no".into() });
    }
}
