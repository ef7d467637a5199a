//! Writing the compact protocol.

use bytes::{BufMut, BytesMut};
use pilota::thrift::TType;
use volo_js_tape::Str;

use super::types::{FALSE, TRUE, from_wire};
use super::{PROTOCOL_ID, VERSION};
use crate::error::Fail;
use crate::head::MessageKind;
use crate::output::{Output, Written};
use crate::transcode::write_kept;

/// A message in the compact protocol.
pub(crate) struct CompactOutput<'o> {
    out: &'o mut BytesMut,
    /// Ids of the field before and of a bool whose head is to be written with its value.
    bool: Option<(i16, i16)>,
}

impl<'o> CompactOutput<'o> {
    pub(crate) fn new(out: &'o mut BytesMut) -> Self {
        Self { out, bool: None }
    }

    #[inline]
    fn varint(&mut self, value: u64) {
        if value < 0x80 {
            return self.out.put_u8(value as u8);
        }
        let (mut bytes, mut length, mut rest) = ([0; 10], 0, value);
        while rest >= 0x80 {
            bytes[length] = rest as u8 | 0x80;
            rest >>= 7;
            length += 1;
        }
        bytes[length] = rest as u8;
        self.out.put_slice(&bytes[..=length]);
    }

    #[inline]
    fn zigzag(&mut self, value: i64) {
        self.varint((value << 1 ^ value >> 63) as u64);
    }

    fn head(&mut self, code: u8, last: i16, id: i16) {
        match id.checked_sub(last) {
            Some(distance @ 1..=15) => self.out.put_u8((distance as u8) << 4 | code),
            _ => {
                self.out.put_u8(code);
                self.zigzag(i64::from(id));
            }
        }
    }
}

impl Output for CompactOutput<'_> {
    /// Id of the field before.
    type Scope = i16;

    const SIZED: bool = false;
    const LENDS: bool = true;

    fn len(&mut self) -> usize {
        self.out.len()
    }

    fn begin_message(&mut self, name: &[u8], kind: MessageKind, sequence: i32) -> Written {
        self.out.put_slice(&[PROTOCOL_ID, (kind as u8) << 5 | VERSION]);
        self.varint(u64::from(sequence as u32));
        self.binary(name)
    }

    fn raw(&mut self, encoded: &[u8]) {
        self.out.put_slice(encoded);
    }

    fn kept(&mut self, scope: &mut i16, fields: &[u8], depth: usize) -> Result<(), Fail> {
        write_kept(self, scope, fields, depth)
    }

    #[inline]
    fn field(&mut self, last: &mut i16, ty: TType, id: i16) -> Written {
        if ty == TType::Bool {
            self.bool = Some((*last, id));
        } else {
            self.head(from_wire(ty as u8), *last, id);
        }
        *last = id;
        Ok(())
    }

    #[inline]
    fn stop(&mut self, _: &mut i16) -> Written {
        self.out.put_u8(0);
        Ok(())
    }

    #[inline]
    fn bool(&mut self, value: bool) -> Written {
        let code = if value { TRUE } else { FALSE };
        match self.bool.take() {
            Some((last, id)) => self.head(code, last, id),
            None => self.out.put_u8(code),
        }
        Ok(())
    }

    #[inline]
    fn i8(&mut self, value: i8) -> Written {
        self.out.put_i8(value);
        Ok(())
    }

    #[inline]
    fn i16(&mut self, value: i16) -> Written {
        self.zigzag(i64::from(value));
        Ok(())
    }

    #[inline]
    fn i32(&mut self, value: i32) -> Written {
        self.zigzag(i64::from(value));
        Ok(())
    }

    #[inline]
    fn i64(&mut self, value: i64) -> Written {
        self.zigzag(value);
        Ok(())
    }

    #[inline]
    fn double(&mut self, bits: u64) -> Written {
        self.out.put_u64_le(bits);
        Ok(())
    }

    #[inline]
    fn uuid(&mut self, value: [u8; 16]) -> Written {
        self.out.put_slice(&value);
        Ok(())
    }

    #[inline]
    fn string(&mut self, value: Str<'_>) -> Written {
        self.varint(value.len() as u64);
        value.write_to(|piece| self.out.put_slice(piece));
        Ok(())
    }

    #[inline]
    fn binary(&mut self, value: &[u8]) -> Written {
        self.varint(value.len() as u64);
        self.out.put_slice(value);
        Ok(())
    }

    fn length(&mut self, len: usize) -> Written {
        self.varint(len as u64);
        Ok(())
    }

    fn list(&mut self, item: TType, count: usize) -> Written {
        let code = from_wire(item as u8);
        if count < 15 {
            self.out.put_u8((count as u8) << 4 | code);
        } else {
            self.out.put_u8(0xF0 | code);
            self.varint(count as u64);
        }
        Ok(())
    }

    fn map(&mut self, key: TType, value: TType, count: usize) -> Written {
        self.varint(count as u64);
        if count > 0 {
            self.out.put_u8(from_wire(key as u8) << 4 | from_wire(value as u8));
        }
        Ok(())
    }
}
