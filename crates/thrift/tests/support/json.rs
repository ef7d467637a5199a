//! The JSON protocol, written without regard to speed.

use volo_js_schema::{Schema, Type};

use super::{Entropy, Value, any_type, any_value, unknown_id};

/// Writes a struct. With `noise`, also what a reader has to see through: unknown fields, fields of other types, white space, escapes, base64 without padding.
pub fn write_struct(
    schema: &Schema,
    index: u32,
    value: &Value,
    mut noise: Option<&mut Entropy<'_>>,
    out: &mut Vec<u8>,
) {
    let (Value::Struct(values), structure) = (value, &schema.structs[index as usize]) else { panic!("a struct") };
    put("{", &mut noise, out);
    let mut first = true;
    for (field, value) in structure.fields.iter().zip(values) {
        if let Some(noise) = noise.as_deref_mut()
            && noise.once_in(6)
        {
            let ty = any_type(schema, noise, 2);
            let id = if name(&ty) != name(&field.ty) && noise.once_in(2) { field.id } else { unknown_id(structure) };
            let value = any_value(schema, &ty, 3, noise);
            write_field(schema, (id, &mut first), &ty, &value, Some(noise), out);
        }
        if let Some(value) = value {
            write_field(schema, (field.id, &mut first), &field.ty, value, noise.as_deref_mut(), out);
        }
    }
    put("}", &mut noise, out);
}

fn write_field(
    schema: &Schema,
    (id, first): (i32, &mut bool),
    ty: &Type,
    value: &Value,
    mut noise: Option<&mut Entropy<'_>>,
    out: &mut Vec<u8>,
) {
    if !std::mem::take(first) {
        put(",", &mut noise, out);
    }
    put(&format!("\"{id}\""), &mut noise, out);
    put(":", &mut noise, out);
    put("{", &mut noise, out);
    put(&format!("\"{}\"", name(ty)), &mut noise, out);
    put(":", &mut noise, out);
    write_value(schema, ty, value, false, noise.as_deref_mut(), out);
    put("}", &mut noise, out);
}

/// A token, and perhaps white space.
fn put(token: &str, noise: &mut Option<&mut Entropy<'_>>, out: &mut Vec<u8>) {
    if let Some(noise) = noise
        && noise.once_in(16)
    {
        out.extend([" ", "\n\t", "\r\n"][noise.below(3)].bytes());
    }
    out.extend(token.bytes());
}

/// Name of a type on the wire.
pub fn name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "tf",
        Type::I8 => "i8",
        Type::I16 => "i16",
        Type::I32 | Type::Enum(_) => "i32",
        Type::I64 => "i64",
        Type::Double => "dbl",
        Type::String | Type::Binary => "str",
        Type::List(_) => "lst",
        Type::Set(_) => "set",
        Type::Map(..) => "map",
        Type::Struct(_) => "rec",
        Type::Uuid => "uid",
        other => panic!("{other:?} is of Protobuf"),
    }
}

fn write_value(
    schema: &Schema,
    ty: &Type,
    value: &Value,
    key: bool,
    mut noise: Option<&mut Entropy<'_>>,
    out: &mut Vec<u8>,
) {
    let number = |number: String| if key { format!("\"{number}\"") } else { number };
    let token = match (ty, value) {
        (Type::Bool, Value::Bool(v)) => number(i32::from(*v).to_string()),
        (Type::I8, Value::I8(v)) => number(v.to_string()),
        (Type::I16, Value::I16(v)) => number(v.to_string()),
        (Type::I32 | Type::Enum(_), Value::I32(v)) => number(v.to_string()),
        (Type::I64, Value::I64(v)) => number(v.to_string()),
        (Type::Double, Value::Double(bits)) => match f64::from_bits(*bits) {
            v if v.is_nan() => "\"NaN\"".to_owned(),
            f64::INFINITY => "\"Infinity\"".to_owned(),
            f64::NEG_INFINITY => "\"-Infinity\"".to_owned(),
            v => number(format!("{v:?}")),
        },
        (Type::String, Value::String(v)) => string(v, noise.as_deref_mut()),
        (Type::Binary, Value::Binary(v)) => {
            let padded = base64(v);
            let strange = noise.as_deref_mut().is_some_and(|noise| noise.once_in(3));
            format!("\"{}\"", if strange { padded.trim_end_matches('=') } else { &padded })
        }
        (Type::Uuid, Value::Uuid(v)) => format!("\"{}\"", super::uuid_text(v)),
        (Type::Struct(index), value) => return write_struct(schema, *index, value, noise, out),
        (Type::List(item) | Type::Set(item), Value::List(items)) => {
            put(&format!("[\"{}\",{}", name(item), items.len()), &mut noise, out);
            for value in items {
                put(",", &mut noise, out);
                write_value(schema, item, value, false, noise.as_deref_mut(), out);
            }
            return put("]", &mut noise, out);
        }
        (Type::Map(key, value), Value::Map(pairs)) => {
            put(&format!("[\"{}\",\"{}\",{},{{", name(key), name(value), pairs.len()), &mut noise, out);
            for (n, (k, v)) in pairs.iter().enumerate() {
                if n > 0 {
                    put(",", &mut noise, out);
                }
                write_value(schema, key, k, true, noise.as_deref_mut(), out);
                put(":", &mut noise, out);
                write_value(schema, value, v, false, noise.as_deref_mut(), out);
            }
            put("}", &mut noise, out);
            return put("]", &mut noise, out);
        }
        (ty, value) => panic!("{value:?} is no {ty:?}"),
    };
    put(&token, &mut noise, out);
}

fn string(value: &str, mut noise: Option<&mut Entropy<'_>>) -> String {
    let mut out = String::from("\"");
    for character in value.chars() {
        match character {
            _ if noise.as_deref_mut().is_some_and(|noise| noise.once_in(8)) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.extend(format!("\\u{unit:04X}").chars());
                }
            }
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{C}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' => out.extend(format!("\\u{:04x}", character as u32).chars()),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// Base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            out.push(if digit <= three.len() { DIGITS[value as usize] as char } else { '=' });
        }
    }
    out
}

/// Head of a message.
pub fn head(name: &str, kind: u8, sequence: i32) -> Vec<u8> {
    format!("[1,{},{kind},{sequence},", string(name, None)).into_bytes()
}
