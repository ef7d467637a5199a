//! `prost-reflect` as an implementation to compare with.

use std::collections::BTreeMap;

use prost_reflect::prost::{DecodeError, Message};
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type as ProtoType};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FieldOptions,
    FileDescriptorProto, MessageOptions, OneofDescriptorProto,
};
use prost_reflect::{DescriptorPool, DynamicMessage, MapKey, MessageDescriptor, ReflectMessage, Value as Dynamic};
use volo_js_schema::{Field, Requiredness, Schema, StructKind, Type};

use crate::support::{Value, Wire};

/// The schema as the oracle reads it.
pub struct Oracle {
    pool: DescriptorPool,
}

impl Oracle {
    /// # Panics
    /// If the oracle does not take the schema.
    pub fn new(schema: &Schema, proto3: bool) -> Self {
        let members = schema.enums[0].members.iter().enumerate();
        let members = members.map(|(n, member)| EnumValueDescriptorProto {
            name: Some(format!("V{n}")),
            number: Some(member.value),
            options: None,
        });
        let file = FileDescriptorProto {
            name: Some("any.proto".into()),
            syntax: proto3.then(|| "proto3".into()),
            message_type: schema.structs.iter().map(|structure| describe(structure, proto3)).collect(),
            enum_type: vec![EnumDescriptorProto {
                name: Some("E".into()),
                value: members.collect(),
                ..EnumDescriptorProto::default()
            }],
            ..FileDescriptorProto::default()
        };
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_proto(file).expect("a schema for the oracle");
        Self { pool }
    }

    fn descriptor(&self, index: u32) -> MessageDescriptor {
        self.pool.get_message_by_name(&format!("M{index}")).expect("a message")
    }

    pub fn decode(&self, schema: &Schema, index: u32, wire: &[u8]) -> Result<Value, DecodeError> {
        DynamicMessage::decode(self.descriptor(index), wire).map(|message| from_dynamic(schema, index, &message))
    }

    pub fn encode(&self, schema: &Schema, index: u32, value: &Value) -> Vec<u8> {
        to_dynamic(schema, index, value, &self.descriptor(index)).encode_to_vec()
    }
}

fn describe(structure: &volo_js_schema::Struct, proto3: bool) -> DescriptorProto {
    let mut message = DescriptorProto { name: Some(structure.name.clone()), ..DescriptorProto::default() };
    let mut used: Vec<u32> = structure.fields.iter().filter_map(|field| field.oneof).collect();
    used.sort_unstable();
    used.dedup();
    let oneof = |name: String| OneofDescriptorProto { name: Some(name), options: None };
    message.oneof_decl = used.iter().map(|n| oneof(format!("oneof{n}"))).collect();
    for field in &structure.fields {
        let mut described = describe_field(field, field.id, &field.name);
        if let Some(index) = field.oneof {
            described.oneof_index = used.iter().position(|used| *used == index).map(|n| n as i32);
        } else if proto3 && field.requiredness == Requiredness::Optional && !matches!(field.ty, Type::Struct(_)) {
            described.proto3_optional = Some(true);
            described.oneof_index = Some(message.oneof_decl.len() as i32);
            message.oneof_decl.push(oneof(format!("_{}", field.name)));
        }
        if let Type::Map(key, value) = &field.ty {
            let name = format!("{}Entry", field.name.to_uppercase());
            let inner = |id, name, ty: &Type| describe_field(&Field::new(id, name, ty.clone()), id, name);
            message.nested_type.push(DescriptorProto {
                name: Some(name.clone()),
                field: vec![inner(1, "key", key), inner(2, "value", value)],
                options: Some(MessageOptions { map_entry: Some(true), ..MessageOptions::default() }),
                ..DescriptorProto::default()
            });
            described.set_type(ProtoType::Message);
            described.type_name = Some(format!(".{}.{name}", structure.name));
        }
        message.field.push(described);
    }
    message
}

fn describe_field(field: &Field, id: i32, name: &str) -> FieldDescriptorProto {
    let (ty, repeated) = match &field.ty {
        Type::List(item) => (&**item, true),
        other => (other, matches!(other, Type::Map(..))),
    };
    let mut described =
        FieldDescriptorProto { name: Some(name.into()), number: Some(id), ..FieldDescriptorProto::default() };
    described.set_label(if repeated { Label::Repeated } else { Label::Optional });
    described.set_type(match ty {
        Type::Bool => ProtoType::Bool,
        Type::I32 => ProtoType::Int32,
        Type::I64 => ProtoType::Int64,
        Type::Uint32 => ProtoType::Uint32,
        Type::Uint64 => ProtoType::Uint64,
        Type::Sint32 => ProtoType::Sint32,
        Type::Sint64 => ProtoType::Sint64,
        Type::Fixed32 => ProtoType::Fixed32,
        Type::Fixed64 => ProtoType::Fixed64,
        Type::Sfixed32 => ProtoType::Sfixed32,
        Type::Sfixed64 => ProtoType::Sfixed64,
        Type::Float => ProtoType::Float,
        Type::Double => ProtoType::Double,
        Type::String => ProtoType::String,
        Type::Binary => ProtoType::Bytes,
        Type::Enum(_) => ProtoType::Enum,
        _ if field.delimited => ProtoType::Group,
        _ => ProtoType::Message,
    });
    described.type_name = match ty {
        Type::Enum(_) => Some(".E".into()),
        Type::Struct(index) => Some(format!(".M{index}")),
        _ => None,
    };
    if repeated && !matches!(ty, Type::String | Type::Binary | Type::Struct(_) | Type::Map(..)) {
        described.options = Some(FieldOptions { packed: Some(field.packed), ..FieldOptions::default() });
    }
    described
}

fn to_dynamic(schema: &Schema, index: u32, value: &Value, descriptor: &MessageDescriptor) -> DynamicMessage {
    let Value::Message(values, _) = value else { panic!("{value:?} is no message") };
    let mut message = DynamicMessage::new(descriptor.clone());
    for (field, value) in schema.structs[index as usize].fields.iter().zip(values) {
        if let Some(value) = value {
            let described = descriptor.get_field(field.id as u32).expect("a field");
            message.set_field(&described, one_to(schema, &field.ty, value, descriptor));
        }
    }
    message
}

fn one_to(schema: &Schema, ty: &Type, value: &Value, of: &MessageDescriptor) -> Dynamic {
    match (ty, value) {
        (_, Value::Bool(v)) => Dynamic::Bool(*v),
        (Type::Enum(_), Value::Word(v)) => Dynamic::EnumNumber(*v as i32),
        (Type::Uint32 | Type::Fixed32, Value::Word(v)) => Dynamic::U32(*v),
        (_, Value::Word(v)) => Dynamic::I32(*v as i32),
        (Type::Float, Value::Long(v)) => Dynamic::F32(f64::from_bits(*v) as f32),
        (Type::Double, Value::Long(v)) => Dynamic::F64(f64::from_bits(*v)),
        (Type::Uint64 | Type::Fixed64, Value::Long(v)) => Dynamic::U64(*v),
        (_, Value::Long(v)) => Dynamic::I64(*v as i64),
        (_, Value::String(v)) => Dynamic::String(String::from_utf8(v.clone()).expect("text")),
        (_, Value::Binary(v)) => Dynamic::Bytes(v.clone().into()),
        (Type::List(item), Value::List(items)) => {
            Dynamic::List(items.iter().map(|value| one_to(schema, item, value, of)).collect())
        }
        (Type::Map(key, value), Value::Map(pairs)) => Dynamic::Map(
            pairs
                .iter()
                .map(|(k, v)| {
                    let k = one_to(schema, key, k, of).into_map_key().expect("a key");
                    (k, one_to(schema, value, v, of))
                })
                .collect(),
        ),
        (Type::Struct(index), value) => {
            let inner = of.parent_pool().get_message_by_name(&format!("M{index}")).expect("a message");
            Dynamic::Message(to_dynamic(schema, *index, value, &inner))
        }
        (ty, value) => panic!("{value:?} is no {ty:?}"),
    }
}

fn from_dynamic(schema: &Schema, index: u32, message: &DynamicMessage) -> Value {
    let fields = schema.structs[index as usize].fields.iter().map(|field| {
        let described = message.descriptor().get_field(field.id as u32).expect("a field");
        message.has_field(&described).then(|| one_from(schema, &field.ty, &message.get_field(&described)))
    });
    let mut unknown = Vec::new();
    for field in message.unknown_fields() {
        field.encode(&mut unknown);
    }
    Value::Message(fields.collect(), unknown)
}

fn one_from(schema: &Schema, ty: &Type, value: &Dynamic) -> Value {
    match (ty, value) {
        (_, Dynamic::Bool(v)) => Value::Bool(*v),
        (_, Dynamic::I32(v) | Dynamic::EnumNumber(v)) => Value::Word(*v as u32),
        (_, Dynamic::U32(v)) => Value::Word(*v),
        (_, Dynamic::I64(v)) => Value::Long(*v as u64),
        (_, Dynamic::U64(v)) => Value::Long(*v),
        (_, Dynamic::F32(v)) => Value::Long(f64::from(*v).to_bits()),
        (_, Dynamic::F64(v)) => Value::Long(v.to_bits()),
        (_, Dynamic::String(v)) => Value::text(v),
        (_, Dynamic::Bytes(v)) => Value::Binary(v.to_vec()),
        (Type::List(item), Dynamic::List(items)) => {
            Value::List(items.iter().map(|value| one_from(schema, item, value)).collect())
        }
        (Type::Map(key, value), Dynamic::Map(pairs)) => {
            let key = |k: &MapKey| one_from(schema, key, &k.clone().into());
            Value::Map(pairs.iter().map(|(k, v)| (key(k), one_from(schema, value, v))).collect())
        }
        (Type::Struct(index), Dynamic::Message(message)) => from_dynamic(schema, *index, message),
        (ty, value) => panic!("{value:?} is no {ty:?}"),
    }
}

/// The value with what the implementations may tell in different ways told in one: fields without presence are absent if they are zero or empty,
/// of pairs with one key the last is there, pairs are in order, unknown fields too, by number, and every varint of them is as short as it can be.
pub fn normal(schema: &Schema, index: u32, value: &Value) -> Value {
    let Value::Message(values, unknown) = value else { panic!("{value:?} is no message") };
    let structure = &schema.structs[index as usize];
    assert_eq!(structure.kind, StructKind::Message);
    let fields = structure.fields.iter().zip(values).map(|(field, value)| {
        let value = one_normal(schema, &field.ty, value.as_ref()?);
        (field.requiredness != Requiredness::Default || !empty(&value)).then_some(value)
    });
    Value::Message(fields.collect(), ordered(&mut unknown.as_slice()))
}

/// Bits of -0.
const MINUS_ZERO: u64 = 1 << 63;

fn one_normal(schema: &Schema, ty: &Type, value: &Value) -> Value {
    match (ty, value) {
        (Type::Struct(index), value) => normal(schema, *index, value),
        // The oracle leaves -0 out as if it were 0.
        (Type::Float | Type::Double, Value::Long(MINUS_ZERO)) => Value::Long(0),
        (Type::List(item), Value::List(items)) => {
            Value::List(items.iter().map(|value| one_normal(schema, item, value)).collect())
        }
        (Type::Map(_, of), Value::Map(pairs)) => {
            let pairs = pairs.iter().map(|(k, v)| (format!("{k:?}"), (k.clone(), one_normal(schema, of, v))));
            Value::Map(pairs.collect::<BTreeMap<_, _>>().into_values().collect())
        }
        _ => value.clone(),
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Bool(v) => !v,
        Value::Word(v) => *v == 0,
        Value::Long(v) => *v == 0,
        Value::String(v) | Value::Binary(v) => v.is_empty(),
        Value::List(v) => v.is_empty(),
        Value::Map(v) => v.is_empty(),
        Value::Message(..) => false,
    }
}

fn varint(from: &mut &[u8]) -> u64 {
    let length = from.iter().position(|byte| *byte < 0x80).expect("a varint") + 1;
    let (bytes, rest) = from.split_at(length);
    *from = rest;
    bytes.iter().enumerate().fold(0, |value, (n, byte)| value | u64::from(byte & 0x7F) << (7 * n))
}

/// Well-formed fields by number.
fn ordered(from: &mut &[u8]) -> Vec<u8> {
    let mut fields = all(from);
    fields.sort_by_key(|field| field.0);
    fields.into_iter().flat_map(|field| field.1.0).collect()
}

/// Well-formed fields up to the end, or that of the group.
fn all(from: &mut &[u8]) -> Vec<(u32, Wire)> {
    let mut fields = Vec::new();
    while !from.is_empty() {
        let key = varint(from) as u32;
        let (number, wire) = (key >> 3, key as u8 & 7);
        let to = Wire::new().varint(u64::from(key));
        let mut take = |n: usize, to: Wire| {
            let (bytes, rest) = from.split_at(n);
            *from = rest;
            to.raw(bytes)
        };
        let field = match wire {
            0 => to.varint(varint(from)),
            1 => take(8, to),
            5 => take(4, to),
            2 => {
                let length = varint(from);
                let (bytes, rest) = from.split_at(length as usize);
                *from = rest;
                to.varint(length).raw(bytes)
            }
            3 => {
                let inner = all(from).into_iter().flat_map(|field| field.1.0).collect::<Vec<_>>();
                to.raw(&inner).key(number, 4)
            }
            _ => return fields,
        };
        fields.push((number, field));
    }
    fields
}

/// Numbers of all unknown fields that the schema knows, because they came with another wire type.
pub fn mistaken(schema: &Schema, index: u32, value: &Value) -> bool {
    let Value::Message(values, unknown) = value else { panic!("{value:?} is no message") };
    let fields = &schema.structs[index as usize].fields;
    all(&mut unknown.as_slice()).iter().any(|(number, _)| fields.iter().any(|field| field.id as u32 == *number))
        || fields.iter().zip(values).any(|(field, value)| {
            let inner = |ty: &Type, value: &Value| matches!(ty, Type::Struct(index) if mistaken(schema, *index, value));
            match (&field.ty, value) {
                (Type::List(item), Some(Value::List(items))) => items.iter().any(|value| inner(item, value)),
                (Type::Map(_, of), Some(Value::Map(pairs))) => pairs.iter().any(|(_, value)| inner(of, value)),
                (ty, Some(value)) => inner(ty, value),
                _ => false,
            }
        })
}
