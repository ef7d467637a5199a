//! Writing the JSON protocol.

use std::fmt::{Display, Write};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, BytesMut};
use pilota::thrift::TType;
use volo_js_tape::Str;

use super::{INFINITY, NAN, NEGATIVE_INFINITY, VERSION, types};
use crate::error::Fail;
use crate::head::MessageKind;
use crate::output::{Output, Written};
use crate::transcode::write_kept;
use crate::uuid;

/// A message in the JSON protocol.
pub(crate) struct JsonOutput<'o> {
    out: &'o mut BytesMut,
    /// The next scalar is a key, so a number stands in quotes.
    key: bool,
}

impl<'o> JsonOutput<'o> {
    pub(crate) fn new(out: &'o mut BytesMut) -> Self {
        Self { out, key: false }
    }

    fn display(&mut self, value: impl Display) {
        let written = write!(self.out, "{value}");
        debug_assert!(written.is_ok(), "a buffer in memory takes all");
    }

    /// A number, in quotes where it is a key.
    fn number(&mut self, value: impl Display) {
        if std::mem::take(&mut self.key) {
            self.display(format_args!("\"{value}\""));
        } else {
            self.display(value);
        }
    }

    /// What is no number in JSON, but is where Thrift has one.
    fn name(&mut self, name: &str) {
        self.key = false;
        self.display(format_args!("\"{name}\""));
    }

    /// A part of a string, with U+FFFD for what is not UTF-8.
    fn text(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            self.escaped(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                self.out.put_slice("\u{FFFD}".as_bytes());
            }
        }
    }

    fn escaped(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
            self.out.put_slice(&rest[..at]);
            match rest[at] {
                byte @ (b'"' | b'\\') => self.out.put_slice(&[b'\\', byte]),
                0x08 => self.out.put_slice(b"\\b"),
                0x0C => self.out.put_slice(b"\\f"),
                b'\n' => self.out.put_slice(b"\\n"),
                b'\r' => self.out.put_slice(b"\\r"),
                b'\t' => self.out.put_slice(b"\\t"),
                byte => self.display(format_args!("\\u{byte:04x}")),
            }
            rest = &rest[at + 1..];
        }
        self.out.put_slice(rest);
    }

    fn quoted(&mut self, bytes: &[u8]) {
        self.key = false;
        self.out.put_u8(b'"');
        self.text(bytes);
        self.out.put_u8(b'"');
    }
}

/// Whether a struct has begun: what comes before a field depends on it.
#[derive(Default)]
pub(crate) struct Scope {
    begun: bool,
}

impl Output for JsonOutput<'_> {
    type Scope = Scope;

    const SIZED: bool = false;
    const LENDS: bool = false;

    fn len(&mut self) -> usize {
        self.out.len()
    }

    fn begin_message(&mut self, name: &[u8], kind: MessageKind, sequence: i32) -> Written {
        self.display(format_args!("[{VERSION},"));
        self.quoted(name);
        self.display(format_args!(",{},{sequence},", kind as u8));
        Ok(())
    }

    fn end_message(&mut self) -> Written {
        self.out.put_u8(b']');
        Ok(())
    }

    fn raw(&mut self, encoded: &[u8]) {
        self.out.put_slice(encoded);
    }

    fn kept(&mut self, scope: &mut Scope, fields: &[u8], depth: usize) -> Result<(), Fail> {
        write_kept(self, scope, fields, depth)
    }

    fn field(&mut self, scope: &mut Scope, ty: TType, id: i16) -> Written {
        self.key = false;
        let before = if std::mem::replace(&mut scope.begun, true) { "}," } else { "{" };
        self.display(format_args!("{before}\"{id}\":{{\"{}\":", types::name(ty as u8)));
        Ok(())
    }

    fn stop(&mut self, scope: &mut Scope) -> Written {
        self.key = false;
        self.out.put_slice(if scope.begun { b"}}" } else { b"{}" });
        Ok(())
    }

    fn bool(&mut self, value: bool) -> Written {
        self.number(u8::from(value));
        Ok(())
    }

    fn i8(&mut self, value: i8) -> Written {
        self.number(value);
        Ok(())
    }

    fn i16(&mut self, value: i16) -> Written {
        self.number(value);
        Ok(())
    }

    fn i32(&mut self, value: i32) -> Written {
        self.number(value);
        Ok(())
    }

    fn i64(&mut self, value: i64) -> Written {
        self.number(value);
        Ok(())
    }

    fn double(&mut self, bits: u64) -> Written {
        match f64::from_bits(bits) {
            value if value.is_nan() => self.name(NAN),
            f64::INFINITY => self.name(INFINITY),
            f64::NEG_INFINITY => self.name(NEGATIVE_INFINITY),
            // The shortest form that reads the same; large and small ones with an exponent.
            value => self.number(format_args!("{value:?}")),
        }
        Ok(())
    }

    fn uuid(&mut self, value: [u8; 16]) -> Written {
        self.quoted(&uuid::to_text(value));
        Ok(())
    }

    fn string(&mut self, value: Str<'_>) -> Written {
        self.key = false;
        self.out.put_u8(b'"');
        value.write_to(|piece| self.text(piece));
        self.out.put_u8(b'"');
        Ok(())
    }

    fn binary(&mut self, value: &[u8]) -> Written {
        self.key = false;
        self.display(format_args!("\"{}\"", Base64Display::new(value, &STANDARD)));
        Ok(())
    }

    fn opaque(&mut self, value: &[u8]) -> Written {
        if std::str::from_utf8(value).is_ok() {
            self.quoted(value);
            Ok(())
        } else {
            self.binary(value)
        }
    }

    fn list(&mut self, item: TType, count: usize) -> Written {
        self.key = false;
        self.display(format_args!("[\"{}\",{count}", types::name(item as u8)));
        Ok(())
    }

    fn item(&mut self) {
        self.out.put_u8(b',');
    }

    fn end_list(&mut self) {
        self.out.put_u8(b']');
    }

    fn map(&mut self, key: TType, value: TType, count: usize) -> Written {
        self.key = false;
        let (key, value) = (types::name(key as u8), types::name(value as u8));
        self.display(format_args!("[\"{key}\",\"{value}\",{count},{{"));
        Ok(())
    }

    fn key(&mut self, first: bool) {
        if !first {
            self.out.put_u8(b',');
        }
        self.key = true;
    }

    fn value(&mut self) {
        self.key = false;
        self.out.put_u8(b':');
    }

    fn end_map(&mut self) {
        self.out.put_slice(b"}]");
    }
}
