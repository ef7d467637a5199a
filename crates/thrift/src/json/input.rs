//! Reading the JSON protocol.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::lexer::Lexer;
use super::{INFINITY, NAN, NEGATIVE_INFINITY, types};
use crate::error::Fail;
use crate::input::{Container, Input};
use crate::{uuid, wire};

/// Some of Apache's writers pad, others do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A message body in the JSON protocol.
pub(crate) struct JsonInput<'b> {
    text: Lexer<'b>,
    /// The next scalar is a key, so a number stands in quotes.
    key: bool,
    decoded: Vec<u8>,
}

impl<'b> JsonInput<'b> {
    pub(crate) fn new(text: &'b [u8]) -> Self {
        Self { text: Lexer::new(text), key: false, decoded: Vec::new() }
    }

    /// Bytes that have not been read.
    pub(crate) fn left(&self) -> usize {
        self.text.left()
    }

    fn integer<T: TryFrom<i64>>(&mut self) -> Result<T, Fail> {
        let value = if std::mem::take(&mut self.key) { self.text.quoted_integer() } else { self.text.integer() }?;
        T::try_from(value).map_err(|_| Fail::Malformed(&"a number does not fit its type"))
    }

    /// The name of a type.
    fn type_code(&mut self) -> Result<u8, Fail> {
        types::code(self.text.raw_string()?.0).ok_or(Fail::Malformed(&"a value is of no known type"))
    }

    /// The number of elements, compared with what is there.
    fn count(&mut self, least: Option<usize>) -> Result<usize, Fail> {
        self.text.expect(b',')?;
        let count =
            usize::try_from(self.text.integer()?).map_err(|_| Fail::Malformed(&"a container has a negative size"))?;
        if count > self.text.left() / least.unwrap_or(1) || u32::try_from(count).is_err() {
            return Err(Fail::Malformed(&"a container is longer than the message"));
        }
        Ok(count)
    }
}

/// Whether a struct has begun: what comes before a field depends on it.
#[derive(Default)]
pub(crate) struct Scope {
    begun: bool,
}

impl Input for JsonInput<'_> {
    type Scope = Scope;

    fn field(&mut self, scope: &mut Scope) -> Result<(u8, i16), Fail> {
        if scope.begun {
            // The field before.
            self.text.expect(b'}')?;
            if self.text.passes(b'}')? {
                return Ok((wire::STOP, 0));
            }
            self.text.expect(b',')?;
        } else {
            self.key = false;
            self.text.expect(b'{')?;
            if self.text.passes(b'}')? {
                return Ok((wire::STOP, 0));
            }
            scope.begun = true;
        }
        let id = self.text.quoted_integer()?;
        let id = i16::try_from(id).map_err(|_| Fail::Malformed(&"the id of a field is too large"))?;
        self.text.expect(b':')?;
        self.text.expect(b'{')?;
        let code = self.type_code()?;
        self.text.expect(b':')?;
        Ok((code, id))
    }

    fn bool(&mut self) -> Result<bool, Fail> {
        self.integer::<i64>().map(|value| value != 0)
    }

    fn i8(&mut self) -> Result<i8, Fail> {
        self.integer()
    }

    fn i16(&mut self) -> Result<i16, Fail> {
        self.integer()
    }

    fn i32(&mut self) -> Result<i32, Fail> {
        self.integer()
    }

    fn i64(&mut self) -> Result<i64, Fail> {
        self.integer()
    }

    fn double(&mut self) -> Result<u64, Fail> {
        let key = std::mem::take(&mut self.key);
        if self.text.peek()? != b'"' {
            if key {
                return Err(Fail::Malformed(&"a number is a key, but stands in no quotes"));
            }
            return self.text.number().map(f64::to_bits);
        }
        let string = self.text.raw_string()?.0;
        let special = match std::str::from_utf8(string).unwrap_or("") {
            NAN => f64::NAN,
            INFINITY => f64::INFINITY,
            NEGATIVE_INFINITY => f64::NEG_INFINITY,
            _ if key => {
                let mut number = Lexer::new(string);
                let value = number.number()?;
                if number.left() > 0 {
                    return Err(Fail::Malformed(&"a number is out of range or none"));
                }
                value
            }
            _ => return Err(Fail::Malformed(&"a number stands in quotes, but is no key")),
        };
        Ok(special.to_bits())
    }

    fn uuid(&mut self) -> Result<[u8; 16], Fail> {
        self.key = false;
        uuid::from_text(self.text.string()?).ok_or(Fail::Malformed(&"a uuid is not of its form"))
    }

    fn string<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail> {
        self.key = false;
        self.text.string().map(take)
    }

    fn binary<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail> {
        self.key = false;
        self.decoded.clear();
        BASE64
            .decode_vec(self.text.string()?, &mut self.decoded)
            .map_err(|_| Fail::Malformed(&"a binary is not base64"))?;
        Ok(take(&self.decoded))
    }

    fn opaque<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<R, Fail> {
        self.string(|text| std::str::from_utf8(text).is_ok().then(|| take(text)))?
            .ok_or(Fail::Malformed(&"JSON is not UTF-8"))
    }

    fn list(&mut self) -> Result<Container, Fail> {
        self.key = false;
        self.text.expect(b'[')?;
        let item = self.type_code()?;
        let count = self.count(types::least(item))?;
        Ok(Container { key: item, value: item, count })
    }

    fn item(&mut self) -> Result<(), Fail> {
        self.text.expect(b',')
    }

    fn end_list(&mut self) -> Result<(), Fail> {
        self.text.expect(b']')
    }

    fn map(&mut self) -> Result<Container, Fail> {
        self.key = false;
        self.text.expect(b'[')?;
        let key = self.type_code()?;
        self.text.expect(b',')?;
        let value = self.type_code()?;
        let count = self.count(types::least(key).zip(types::least(value)).map(|(key, value)| key + value))?;
        self.text.expect(b',')?;
        self.text.expect(b'{')?;
        Ok(Container { key, value, count })
    }

    fn key(&mut self, first: bool) -> Result<(), Fail> {
        if !first {
            self.text.expect(b',')?;
        }
        self.key = true;
        Ok(())
    }

    fn value(&mut self) -> Result<(), Fail> {
        self.text.expect(b':')
    }

    fn end_map(&mut self) -> Result<(), Fail> {
        self.text.expect(b'}')?;
        self.text.expect(b']')
    }

    fn pass(&mut self, code: u8) -> Result<(), Fail> {
        match code {
            wire::BOOL | wire::I64 => self.i64().map(drop),
            wire::I8 => self.i8().map(drop),
            wire::I16 => self.i16().map(drop),
            wire::I32 => self.i32().map(drop),
            wire::DOUBLE => self.double().map(drop),
            wire::UUID => self.uuid().map(drop),
            wire::BINARY => {
                self.key = false;
                self.text.pass_string()
            }
            _ => Err(Fail::Malformed(&"a value is of no known type")),
        }
    }
}
