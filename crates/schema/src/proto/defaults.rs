//! Default values of proto2 and editions, from the text that descriptors have them in.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::model::{Enum, Type, Value};

/// The value of a text for a type; none if it is no value of it.
pub(crate) fn default(ty: &Type, text: &str, enums: &[Enum]) -> Option<Value> {
    match ty {
        Type::Bool => text.parse().ok().map(Value::Bool),
        Type::I32 | Type::Sint32 | Type::Sfixed32 => text.parse().ok().map(|n: i32| Value::Int(n.to_string())),
        Type::I64 | Type::Sint64 | Type::Sfixed64 => text.parse().ok().map(|n: i64| Value::Int(n.to_string())),
        Type::Uint32 | Type::Fixed32 => text.parse().ok().map(|n: u32| Value::Int(n.to_string())),
        Type::Uint64 | Type::Fixed64 => text.parse().ok().map(|n: u64| Value::Int(n.to_string())),
        // What a float holds of it.
        Type::Float => text.parse().ok().map(|value: f32| Value::Double(f64::from(value))),
        Type::Double => text.parse().ok().map(Value::Double),
        Type::String => Some(Value::String(text.to_owned())),
        Type::Binary => unescape(text).map(|bytes| Value::Binary(BASE64_STANDARD.encode(bytes))),
        Type::Enum(index) => {
            let member = enums.get(*index as usize)?.members.iter().find(|member| member.name == text)?;
            Some(Value::Int(member.value.to_string()))
        }
        _ => None,
    }
}

/// Bytes from the escapes of C that descriptors write them with.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&escape, behind) = rest.split_first()?;
        rest = behind;
        let digits = |rest: &[u8], most: usize, radix: u32| {
            rest.iter().take(most).take_while(|digit| char::from(**digit).is_digit(radix)).count()
        };
        let (begin, length, radix) = match escape {
            b'n' => (b'\n', 0, 0),
            b'r' => (b'\r', 0, 0),
            b't' => (b'\t', 0, 0),
            b'a' => (7, 0, 0),
            b'b' => (8, 0, 0),
            b'f' => (12, 0, 0),
            b'v' => (11, 0, 0),
            b'\\' | b'\'' | b'"' | b'?' => (escape, 0, 0),
            b'x' | b'X' => (0, digits(rest, 2, 16), 16),
            b'0'..=b'7' => (escape - b'0', digits(rest, 2, 8), 8),
            _ => return None,
        };
        if radix == 16 && length == 0 {
            return None;
        }
        let (number, behind) = rest.split_at(length);
        rest = behind;
        let value = number.iter().try_fold(u32::from(begin), |value, digit| {
            char::from(*digit).to_digit(radix).map(|digit| value * radix + digit)
        })?;
        out.push(u8::try_from(value).ok()?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EnumMember;

    #[test]
    fn bytes_are_unescaped() {
        for (text, bytes) in [
            ("plain", Some(&b"plain"[..])),
            (r#"\001\377\\\'\"\n\r\t"#, Some(&b"\x01\xff\\'\"\n\r\t"[..])),
            (r"\0019", Some(b"\x019")),
            (r"\x41\xfff", Some(b"A\xfff")),
            (r"\7a", Some(b"\x07a")),
            ("ü", Some("ü".as_bytes())),
            (r"\400", None),
            (r"\x", None),
            (r"\q", None),
            ("\\", None),
        ] {
            assert_eq!(unescape(text).as_deref(), bytes, "{text}");
        }
    }

    #[test]
    fn values_fit_their_types() {
        let member = EnumMember { name: "RED".into(), value: -1, doc: String::new() };
        let colour = Enum {
            name: "Colour".into(),
            file: 0,
            members: vec![member],
            closed: true,
            annotations: Default::default(),
            doc: String::new(),
        };
        let value = |ty: Type, text: &str| default(&ty, text, std::slice::from_ref(&colour));
        assert_eq!(value(Type::Bool, "true"), Some(Value::Bool(true)));
        assert_eq!(value(Type::Bool, "1"), None);
        assert_eq!(value(Type::Uint64, "18446744073709551615"), Some(Value::Int("18446744073709551615".into())));
        assert_eq!(value(Type::Uint32, "-1"), None);
        assert_eq!(value(Type::I32, "2147483648"), None);
        assert_eq!(value(Type::Float, "-inf"), Some(Value::Double(f64::NEG_INFINITY)));
        assert_eq!(value(Type::Float, "6.022140857e+23"), value(Type::Float, "6.022141e+23"));
        assert!(matches!(value(Type::Double, "nan"), Some(Value::Double(nan)) if nan.is_nan()));
        assert_eq!(value(Type::Double, "1e-3"), Some(Value::Double(0.001)));
        assert_eq!(value(Type::String, r"a\n"), Some(Value::String(r"a\n".into())));
        assert_eq!(value(Type::Binary, r"\377"), Some(Value::Binary("/w==".into())));
        assert_eq!(value(Type::Enum(0), "RED"), Some(Value::Int("-1".into())));
        assert_eq!(value(Type::Enum(0), "BLUE"), None);
        assert_eq!(value(Type::Enum(7), "RED"), None);
        assert_eq!(value(Type::Struct(0), ""), None);
    }
}
