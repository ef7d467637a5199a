//! The compact protocol, written without regard to speed.

use volo_js_schema::{Schema, Type};

use super::{Entropy, Value, any_type, any_value, unknown_id};

/// Writes a struct. With `noise`, also what a reader has to see through: unknown fields, fields of other types, long forms where short ones would
/// do, other codes for false.
pub fn write_struct(
    schema: &Schema,
    index: u32,
    value: &Value,
    mut noise: Option<&mut Entropy<'_>>,
    out: &mut Vec<u8>,
) {
    let (Value::Struct(values), structure) = (value, &schema.structs[index as usize]) else { panic!("a struct") };
    let mut last = 0;
    for (field, value) in structure.fields.iter().zip(values) {
        if let Some(noise) = noise.as_deref_mut()
            && noise.once_in(6)
        {
            let ty = any_type(schema, noise, 2);
            let id = if code(&ty) != code(&field.ty) && noise.once_in(2) { field.id } else { unknown_id(structure) };
            let value = any_value(schema, &ty, 3, noise);
            write_field(schema, (id as i16, &mut last), &ty, &value, Some(noise), out);
        }
        if let Some(value) = value {
            write_field(schema, (field.id as i16, &mut last), &field.ty, value, noise.as_deref_mut(), out);
        }
    }
    out.push(0);
}

fn write_field(
    schema: &Schema,
    (id, last): (i16, &mut i16),
    ty: &Type,
    value: &Value,
    mut noise: Option<&mut Entropy<'_>>,
    out: &mut Vec<u8>,
) {
    let code = match value {
        Value::Bool(true) => 1,
        Value::Bool(false) => 2,
        _ => code(ty),
    };
    let distance = i32::from(id) - i32::from(*last);
    let long = noise.as_deref_mut().is_some_and(|noise| noise.once_in(4));
    if (1..16).contains(&distance) && !long {
        out.push((distance as u8) << 4 | code);
    } else {
        out.push(code);
        varint(zigzag(i64::from(id)), out);
    }
    *last = id;
    if !matches!(value, Value::Bool(_)) {
        write_value(schema, ty, value, noise, out);
    }
}

/// Type code on the wire.
pub fn code(ty: &Type) -> u8 {
    match ty {
        Type::Bool => 1,
        Type::I8 => 3,
        Type::I16 => 4,
        Type::I32 | Type::Enum(_) => 5,
        Type::I64 => 6,
        Type::Double => 7,
        Type::String | Type::Binary => 8,
        Type::List(_) => 9,
        Type::Set(_) => 10,
        Type::Map(..) => 11,
        Type::Struct(_) => 12,
        Type::Uuid => 13,
        other => panic!("{other:?} is of Protobuf"),
    }
}

fn write_value(schema: &Schema, ty: &Type, value: &Value, mut noise: Option<&mut Entropy<'_>>, out: &mut Vec<u8>) {
    let strange = noise.as_deref_mut().is_some_and(|noise| noise.once_in(4));
    // Bools have two codes, either may stand for the type of a container's.
    let item_code = |ty: &Type| if *ty == Type::Bool && strange { 2 } else { code(ty) };
    match (ty, value) {
        (Type::Bool, Value::Bool(true)) => out.push(1),
        (Type::Bool, Value::Bool(false)) => out.push(if strange { 0 } else { 2 }),
        (Type::I8, Value::I8(v)) => out.extend(v.to_be_bytes()),
        (Type::I16, Value::I16(v)) => varint(zigzag(i64::from(*v)), out),
        (Type::I32 | Type::Enum(_), Value::I32(v)) => varint(zigzag(i64::from(*v)), out),
        (Type::I64, Value::I64(v)) => varint(zigzag(*v), out),
        (Type::Double, Value::Double(v)) => out.extend(v.to_le_bytes()),
        (Type::String, Value::String(v)) => binary(v.as_bytes(), out),
        (Type::Binary, Value::Binary(v)) => binary(v, out),
        (Type::Uuid, Value::Uuid(v)) => out.extend(v),
        (Type::Struct(index), value) => write_struct(schema, *index, value, noise, out),
        (Type::List(item) | Type::Set(item), Value::List(items)) => {
            if items.len() < 15 && !strange {
                out.push((items.len() as u8) << 4 | item_code(item));
            } else {
                out.push(0xF0 | item_code(item));
                varint(items.len() as u64, out);
            }
            for value in items {
                write_value(schema, item, value, noise.as_deref_mut(), out);
            }
        }
        (Type::Map(_, _), Value::Map(pairs)) if pairs.is_empty() => out.push(0),
        (Type::Map(key, value), Value::Map(pairs)) => {
            varint(pairs.len() as u64, out);
            out.push(item_code(key) << 4 | item_code(value));
            for (k, v) in pairs {
                write_value(schema, key, k, noise.as_deref_mut(), out);
                write_value(schema, value, v, noise.as_deref_mut(), out);
            }
        }
        (ty, value) => panic!("{value:?} is no {ty:?}"),
    }
}

fn binary(bytes: &[u8], out: &mut Vec<u8>) {
    varint(bytes.len() as u64, out);
    out.extend(bytes);
}

fn zigzag(value: i64) -> u64 {
    if value < 0 { (value as u64).wrapping_neg().wrapping_mul(2).wrapping_sub(1) } else { value as u64 * 2 }
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 127 {
        out.push((value % 128) as u8 + 128);
        value /= 128;
    }
    out.push(value as u8);
}

/// Head of a message.
pub fn head(name: &str, kind: u8, sequence: i32) -> Vec<u8> {
    let mut out = vec![0x82, kind << 5 | 1];
    varint(u64::from(sequence as u32), &mut out);
    binary(name.as_bytes(), &mut out);
    out
}
