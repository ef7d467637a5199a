//! What writing asks of a protocol. Code that writes is written once and compiled for each.

use pilota::thrift::{TType, ThriftException};
use volo_js_tape::Str;

use crate::error::Fail;
use crate::head::MessageKind;

/// Only Pilota's writers have errors.
pub(crate) type Written = Result<(), ThriftException>;

/// A message, being written. Most protocols have nothing behind its struct, and nothing between the elements of a container.
pub(crate) trait Output {
    /// What is remembered between the fields of one struct.
    type Scope: Default;

    /// Whether a body is sized, and so checked, before it is written.
    const SIZED: bool;

    /// Whether a binary stands in it as it is, so that it need not be copied.
    const LENDS: bool;

    /// Bytes written, and those before the message.
    fn len(&mut self) -> usize;

    /// The head of a message. Its struct follows, and [`end_message`](Self::end_message).
    fn begin_message(&mut self, name: &[u8], kind: MessageKind, sequence: i32) -> Written;
    #[inline]
    fn end_message(&mut self) -> Written {
        Ok(())
    }
    /// A struct that is encoded already.
    fn raw(&mut self, encoded: &[u8]);
    /// Fields of a struct that are encoded in the binary protocol, and where that matters checked. `depth` is the struct's.
    fn kept(&mut self, scope: &mut Self::Scope, fields: &[u8], depth: usize) -> Result<(), Fail>;

    /// The head of a field; its value follows.
    fn field(&mut self, scope: &mut Self::Scope, ty: TType, id: i16) -> Written;
    /// The end of a struct.
    fn stop(&mut self, scope: &mut Self::Scope) -> Written;

    fn bool(&mut self, value: bool) -> Written;
    fn i8(&mut self, value: i8) -> Written;
    fn i16(&mut self, value: i16) -> Written;
    fn i32(&mut self, value: i32) -> Written;
    fn i64(&mut self, value: i64) -> Written;
    /// The bits of a double.
    fn double(&mut self, bits: u64) -> Written;
    fn uuid(&mut self, value: [u8; 16]) -> Written;
    fn string(&mut self, value: Str<'_>) -> Written;
    fn binary(&mut self, value: &[u8]) -> Written;
    /// What stands before the bytes of a binary, where it [lends](Self::LENDS).
    fn length(&mut self, _len: usize) -> Written {
        Ok(())
    }
    /// A string or a binary: which of them, nobody knows.
    fn opaque(&mut self, value: &[u8]) -> Written {
        self.binary(value)
    }

    /// Head of a list or set. Before each element follows [`item`](Self::item), behind the last one [`end_list`](Self::end_list).
    fn list(&mut self, item: TType, count: usize) -> Written;
    #[inline]
    fn item(&mut self) {}
    #[inline]
    fn end_list(&mut self) {}
    /// Head of a map. Before each key follows [`key`](Self::key), before each value [`value`](Self::value), behind the last one
    /// [`end_map`](Self::end_map).
    fn map(&mut self, key: TType, value: TType, count: usize) -> Written;
    /// `_first`: of the map.
    #[inline]
    fn key(&mut self, _first: bool) {}
    #[inline]
    fn value(&mut self) {}
    #[inline]
    fn end_map(&mut self) {}

    /// The elements of a list of bools, i32s, i64s or doubles.
    fn run(&mut self, item: TType, slots: &[u64]) -> Written {
        for slot in slots {
            self.item();
            match item {
                TType::Bool => self.bool(*slot as u32 != 0)?,
                TType::I32 => self.i32(*slot as i32)?,
                TType::I64 => self.i64(*slot as i64)?,
                _ => self.double(*slot)?,
            }
        }
        Ok(())
    }
}
