//! The few messages of the standard services on the wire: fields one after another, and how they are written.

/// It is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A field's value; fixed ones occur in no message that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

impl<'a> Value<'a> {
    /// The bytes; none of what has no length.
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Varint(_) | Self::Fixed => &[],
        }
    }

    /// The text; what is not UTF-8 in it names nothing.
    pub(crate) fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// The number; 0 of what is none.
    pub(crate) fn int(self) -> i32 {
        match self {
            Self::Varint(number) => number as i32,
            Self::Bytes(_) | Self::Fixed => 0,
        }
    }
}

/// The fields of a message in their order.
pub(crate) struct Fields<'a>(&'a [u8]);

/// The fields of a message in their order; behind one that cannot be read there is none.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Malformed> {
        let count = usize::try_from(count).map_err(|_| Malformed)?;
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), Malformed> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let count = self.varint()?;
                Value::Bytes(self.take(count)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(Malformed),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A field that has a length; an empty one is written, too.
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_varint(out, u64::from(field << 3 | 2));
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// An `int32` or enum.
pub(crate) fn put_int(out: &mut Vec<u8>, field: u32, number: i32) {
    put_varint(out, u64::from(field << 3));
    put_varint(out, i64::from(number) as u64);
}

/// A repeated `int32`, packed.
pub(crate) fn put_ints(out: &mut Vec<u8>, field: u32, numbers: impl Iterator<Item = i32>) {
    let mut packed = Vec::new();
    for number in numbers {
        put_varint(&mut packed, i64::from(number) as u64);
    }
    put_bytes(out, field, &packed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut message = Vec::new();
        put_bytes(&mut message, 1, b"text");
        put_int(&mut message, 300, -2);
        put_ints(&mut message, 2, [1, 300].into_iter());
        message.extend([5 << 3 | 5, 0, 0, 0, 0, 6 << 3 | 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let read: Result<Vec<_>, _> = fields(&message).collect();
        let expected = vec![
            (1, Value::Bytes(b"text")),
            (300, Value::Varint(u64::MAX - 1)),
            (2, Value::Bytes(&[1, 0xac, 2])),
            (5, Value::Fixed),
            (6, Value::Fixed),
        ];
        assert_eq!(read, Ok(expected));
        assert_eq!(Value::Varint(u64::MAX - 1).int(), -2);
    }

    #[test]
    fn what_is_no_message_ends_the_fields() {
        let endless = [0xff; 11];
        for broken in [&[0x0a, 5, 1][..], &[0x08], &[0x0b], &[0x0d, 0], &[0x09, 0], &endless] {
            let read: Vec<_> = fields(broken).collect();
            assert_eq!(read, [Err(Malformed)], "{broken:?}");
        }
    }
}
