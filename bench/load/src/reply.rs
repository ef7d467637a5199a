//! Checks a reply by parsing all of it, in any field order, without allocating.

use crate::request::{METHOD, id_of};

/// What every reply must say, apart from the id.
pub struct Expected {
    pub content: Vec<u8>,
}

impl Expected {
    /// `content` is `size` times the letter `x`, or the example's sentence.
    pub fn new(size: Option<usize>) -> Self {
        Self { content: size.map_or_else(|| b"This is a Volo example".to_vec(), |n| vec![b'x'; n]) }
    }

    /// Whether `frame`, without its length prefix, is the right reply to call `seq`. The error says what is wrong.
    pub fn check(&self, frame: &[u8], seq: u32) -> Result<(), Wrong> {
        let mut r = Reader { bytes: frame };
        let version = r.u32()?;
        if version >> 16 != 0x8001 {
            return Err(Wrong::Said("the message is not strict binary, version 1"));
        }
        let name = r.string()?;
        let got = r.u32()?;
        if got != seq {
            return Err(Wrong::Sequence { got, expected: seq });
        }
        if name != METHOD {
            return Err(Wrong::Said("the reply's method name is not GetItem"));
        }
        match version as u8 {
            2 => {}
            3 => return Err(application_exception(&mut r)),
            _ => return Err(Wrong::Said("the message is neither a reply nor an exception")),
        }
        // GetItem_result { 0: GetItemResponse success }
        let mut answered = false;
        while let Some(field) = r.field()? {
            match field {
                (12, 0) if !answered => self.response(&mut r, id_of(seq))?,
                _ => return Err(Wrong::Said("the result has a field other than one `success`")),
            }
            answered = true;
        }
        if !answered {
            return Err(Wrong::Said("the result is empty"));
        }
        if r.bytes.is_empty() { Ok(()) } else { Err(Wrong::Said("bytes follow the message in its frame")) }
    }

    fn response(&self, r: &mut Reader<'_>, id: i64) -> Result<(), Wrong> {
        let mut answered = false;
        while let Some(field) = r.field()? {
            match field {
                (12, 1) if !answered => self.item(r, id)?,
                _ => return Err(Wrong::Said("the response has a field other than one `item`")),
            }
            answered = true;
        }
        if answered { Ok(()) } else { Err(Wrong::Said("the response has no item")) }
    }

    fn item(&self, r: &mut Reader<'_>, id: i64) -> Result<(), Wrong> {
        let mut seen = 0u8;
        while let Some((kind, number)) = r.field()? {
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
                    if r.string()? != self.content {
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
        while let Some(field) = r.field()? {
            match field {
                (11, 1) => message = String::from_utf8_lossy(r.string()?).into_owned(),
                (8, 2) => kind = r.u32()? as i32,
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
}

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

    fn i64(&mut self) -> Result<i64, Wrong> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn string(&mut self) -> Result<&'a [u8], Wrong> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    /// The next field's wire type and number, or `None` at the end of the struct.
    fn field(&mut self) -> Result<Option<(u8, i16)>, Wrong> {
        let [kind] = self.array()?;
        if kind == 0 {
            return Ok(None);
        }
        Ok(Some((kind, i16::from_be_bytes(self.array()?))))
    }

    fn string_map(&mut self) -> Result<(), Wrong> {
        let types: [u8; 2] = self.array()?;
        let entries = self.u32()?;
        if types != [11, 11] && entries > 0 {
            return Err(Wrong::Said("item.extra is not a map of strings"));
        }
        for _ in 0..u64::from(entries) * 2 {
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
        let expected = Expected::new(None);
        assert_eq!(expected.check(&reply(7, &good(7)), 7), Ok(()));
        let mut reversed = good(7);
        reversed.reverse();
        assert_eq!(expected.check(&reply(7, &reversed), 7), Ok(()));
        let big = [id(7), string(2, b"Hello Volo"), string(3, b"xxx")];
        assert_eq!(Expected::new(Some(3)).check(&reply(7, &big), 7), Ok(()));
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
        assert_eq!(Expected::new(None).check(&of(with), with), Ok(()));
        assert!(Expected::new(None).check(&of(without), without).is_err());
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_wrong() {
        let expected = Expected::new(None);
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
    fn reports_the_servers_exception() {
        let mut out =
            [&0x8001_0003u32.to_be_bytes()[..], &7u32.to_be_bytes(), b"GetItem", &1u32.to_be_bytes()].concat();
        out.extend(string(1, b"no"));
        out.extend([8, 0, 2, 0, 0, 0, 6, 0]);
        let wrong = Expected::new(None).check(&out, 1).expect_err("an exception");
        assert_eq!(wrong, Wrong::Exception { kind: 6, message: "no".into() });
    }
}
