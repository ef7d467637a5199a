//! A plain oracle: values as a tree, a codec written without regard to speed, and both tapes as JavaScript sees them.

#![allow(dead_code, reason = "every test uses its part")]

pub mod compact;
pub mod json;

use bytes::BytesMut;
use volo_js_schema::{Field, Schema, Struct, StructKind, Type};
use volo_js_tape::testing::{InMessage, InReader, OutWriter};
use volo_js_tape::{Header, InState, InTape, Kind, Message, presence_slots};
use volo_js_thrift::{Program, Protocol, Transport, Wire, encode_call};

/// The binary protocol without frames.
pub const BUFFERED: Wire = Wire::new(Transport::Buffered, Protocol::Binary);

/// A value of any type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    /// Its bits, so that NaN equals itself.
    Double(u64),
    String(String),
    Binary(Vec<u8>),
    Uuid([u8; 16]),
    /// List or set.
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// A field each, in the order of the schema; where unknown fields are kept, they as a binary.
    Struct(Vec<Option<Value>>),
}

pub fn every_type() -> Schema {
    serde_json::from_str(include_str!("../fixtures/every_type.json")).expect("the fixture is a schema")
}

/// A schema of one struct of these fields.
pub fn one(fields: &[(i16, Type)]) -> Schema {
    let mut schema = every_type();
    let template = schema.structs[0].fields[0].clone();
    schema.structs[0].fields = fields
        .iter()
        .map(|(id, ty)| Field { id: i32::from(*id), name: format!("f{id}"), ty: ty.clone(), ..template.clone() })
        .collect();
    schema
}

pub fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

pub fn map(key: Type, value: Type) -> Type {
    Type::Map(Box::new(key), Box::new(value))
}

/// A call named `echo`, with sequence id 1, whose arguments are a struct of the first one's fields: all that the encoder writes.
pub fn call_of(protocol: Protocol, schema: &Schema, value: &Value) -> Vec<u8> {
    let mut schema = schema.clone();
    let fields = schema.structs[0].fields.clone();
    schema.structs[4].fields = fields;
    let program = Program::compile(&schema).expect("a sound schema");
    let mut writer = OutWriter::new();
    let body = put_message(&schema, 4, value, &mut writer);
    writer.finish();
    let mut out = BytesMut::new();
    encode_call(&program, 0, 1, &writer.tape(), body, Wire::new(Transport::Buffered, protocol), &mut out)
        .expect("a value of the schema");
    out.to_vec()
}

/// The same schema, all of whose structs keep what they do not know.
pub fn keeping(mut schema: Schema) -> Schema {
    for structure in &mut schema.structs {
        structure.keep_unknown = true;
    }
    schema
}

pub fn item_schema() -> Schema {
    serde_json::from_str(include_str!("../fixtures/item.json")).expect("the fixture is a schema")
}

/// Bytes as choices; zeros when they run out, so that shorter means simpler.
#[derive(Debug)]
pub struct Entropy<'a>(&'a [u8]);

impl<'a> Entropy<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.byte() as usize % n
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    pub fn bits(&mut self) -> u64 {
        u64::from_be_bytes(std::array::from_fn(|_| self.byte()))
    }

    fn string(&mut self) -> String {
        match self.below(16) {
            14 => "żółw €😀 ".repeat(self.below(80)),
            15 => "long ascii ".repeat(self.byte() as usize),
            n => (0..n).map(|_| ['a', 'Z', '\0', '~', 'é', '€', '😀', ' '][self.below(8)]).collect(),
        }
    }

    fn binary(&mut self) -> Vec<u8> {
        (0..self.below(20)).map(|_| self.byte()).collect()
    }

    fn empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A value of a type, nested at most `depth` levels of structs and containers further.
pub fn any_value(schema: &Schema, ty: &Type, depth: usize, from: &mut Entropy<'_>) -> Value {
    let count = |from: &mut Entropy<'_>| if depth == 0 { 0 } else { from.below(5) };
    match ty {
        Type::Bool => Value::Bool(from.byte() & 1 == 1),
        Type::I8 => Value::I8(from.byte() as i8),
        Type::I16 => Value::I16(from.bits() as i16),
        Type::I32 | Type::Enum(_) => Value::I32(from.bits() as i32),
        Type::I64 => Value::I64(from.bits() as i64),
        Type::Double => Value::Double(match from.below(4) {
            0 => 0x7FF0_0000_0000_0001,
            1 => 0xFFF8_0000_DEAD_BEEF,
            _ => from.bits(),
        }),
        Type::String => Value::String(from.string()),
        Type::Binary => Value::Binary(from.binary()),
        Type::Uuid => Value::Uuid(std::array::from_fn(|_| from.byte())),
        Type::List(item) | Type::Set(item) => {
            Value::List((0..count(from)).map(|_| any_value(schema, item, depth - 1, from)).collect())
        }
        Type::Map(key, value) => Value::Map(
            (0..count(from))
                .map(|_| (any_value(schema, key, depth - 1, from), any_value(schema, value, depth - 1, from)))
                .collect(),
        ),
        Type::Struct(index) => any_struct(schema, *index, depth.saturating_sub(1), from),
        other => panic!("{other:?} is of Protobuf"),
    }
}

pub fn any_struct(schema: &Schema, index: u32, depth: usize, from: &mut Entropy<'_>) -> Value {
    let structure = &schema.structs[index as usize];
    let only = (structure.kind == StructKind::Union).then(|| from.below(structure.fields.len().max(1)));
    let fields = structure.fields.iter().enumerate().map(|(number, field)| {
        let required = field.requiredness == volo_js_schema::Requiredness::Required;
        let wanted = match only {
            Some(only) => number == only && (depth > 0 || flat(&field.ty)),
            None => required || (!from.empty() && (depth > 0 || flat(&field.ty)) && from.byte() & 1 == 1),
        };
        wanted.then(|| any_value(schema, &field.ty, depth, from))
    });
    Value::Struct(fields.collect())
}

fn flat(ty: &Type) -> bool {
    !matches!(ty, Type::Struct(_) | Type::List(_) | Type::Set(_) | Type::Map(..))
}

/// Type code on the wire.
pub fn code(ty: &Type) -> u8 {
    match ty {
        Type::Bool => 2,
        Type::I8 => 3,
        Type::Double => 4,
        Type::I16 => 6,
        Type::I32 | Type::Enum(_) => 8,
        Type::I64 => 10,
        Type::String | Type::Binary => 11,
        Type::Struct(_) => 12,
        Type::Map(..) => 13,
        Type::Set(_) => 14,
        Type::List(_) => 15,
        Type::Uuid => 16,
        other => panic!("{other:?} is of Protobuf"),
    }
}

/// Writes a struct. With `noise`, also what a reader has to see through: unknown fields, fields of other types, earlier values of
/// the same field, empty containers of other types.
pub fn write_struct(
    schema: &Schema,
    index: u32,
    value: &Value,
    mut noise: Option<&mut Entropy<'_>>,
    out: &mut Vec<u8>,
) {
    let (Value::Struct(values), structure) = (value, &schema.structs[index as usize]) else { panic!("a struct") };
    for (field, value) in structure.fields.iter().zip(values) {
        if let Some(noise) = noise.as_deref_mut() {
            write_noise(schema, structure, field, value.is_some(), noise, out);
        }
        if let Some(value) = value {
            out.push(code(&field.ty));
            out.extend((field.id as i16).to_be_bytes());
            write_value(schema, &field.ty, value, noise.as_deref_mut(), out);
        }
    }
    out.push(0);
}

fn write_noise(
    schema: &Schema,
    structure: &Struct,
    field: &volo_js_schema::Field,
    comes: bool,
    noise: &mut Entropy<'_>,
    out: &mut Vec<u8>,
) {
    let id = match noise.below(12) {
        // An unknown field.
        1 => unknown_id(structure),
        // The field, of another type.
        2 => field.id,
        // The field, of the right type, to be replaced.
        3 if comes => {
            let value = any_value(schema, &field.ty, 2, noise);
            out.push(code(&field.ty));
            out.extend((field.id as i16).to_be_bytes());
            return write_value(schema, &field.ty, &value, Some(noise), out);
        }
        // The field, a container of another element type.
        4 if code(&field.ty) == 15 => {
            let other = if matches!(&field.ty, Type::List(item) if **item == Type::I16) { 10 } else { 6 };
            out.push(15);
            out.extend((field.id as i16).to_be_bytes());
            out.extend([other, 0, 0, 0, 2]);
            return out.extend(vec![7; if other == 10 { 16 } else { 4 }]);
        }
        _ => return,
    };
    let id = id as i16;
    let ty = any_type(schema, noise, 2);
    if i32::from(id) == field.id && code(&ty) == code(&field.ty) {
        return;
    }
    out.push(code(&ty));
    out.extend(id.to_be_bytes());
    write_value(schema, &ty, &any_value(schema, &ty, 3, noise), Some(noise), out);
}

/// An id that no field has.
pub fn unknown_id(structure: &Struct) -> i32 {
    (0..=i32::from(i16::MAX)).find(|id| structure.fields.iter().all(|field| field.id != *id)).expect("a free id")
}

/// The canonical text of a uuid.
pub fn uuid_text(uuid: &[u8; 16]) -> String {
    let text = format!("{:032x}", u128::from_be_bytes(*uuid));
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

/// A struct's bytes on the wire.
pub fn wire_of(
    protocol: Protocol,
    schema: &Schema,
    index: u32,
    value: &Value,
    noise: Option<&mut Entropy<'_>>,
) -> Vec<u8> {
    let mut out = Vec::new();
    match protocol {
        Protocol::Binary | Protocol::BinaryNonStrict => write_struct(schema, index, value, noise, &mut out),
        Protocol::Compact => compact::write_struct(schema, index, value, noise, &mut out),
        Protocol::Json => json::write_struct(schema, index, value, noise, &mut out),
    }
    out
}

/// A whole message.
pub fn message_of(protocol: Protocol, (name, kind, sequence): (&str, u8, i32), body: &[u8]) -> Vec<u8> {
    let head = match protocol {
        Protocol::Binary => head(name, kind, sequence),
        Protocol::BinaryNonStrict => {
            let name_len = (name.len() as i32).to_be_bytes();
            [&name_len[..], name.as_bytes(), &[kind], &sequence.to_be_bytes()].concat()
        }
        Protocol::Compact => compact::head(name, kind, sequence),
        Protocol::Json => json::head(name, kind, sequence),
    };
    let end: &[u8] = if protocol == Protocol::Json { b"]" } else { b"" };
    [&head, body, end].concat()
}

/// What a protocol makes of a value: JSON has one NaN only.
pub fn through(protocol: Protocol, value: Value) -> Value {
    let again = |value| through(protocol, value);
    match value {
        Value::Double(bits) if protocol == Protocol::Json && f64::from_bits(bits).is_nan() => {
            Value::Double(f64::NAN.to_bits())
        }
        Value::List(items) => Value::List(items.into_iter().map(again).collect()),
        Value::Map(pairs) => Value::Map(pairs.into_iter().map(|(k, v)| (again(k), again(v))).collect()),
        Value::Struct(fields) => Value::Struct(fields.into_iter().map(|field| field.map(again)).collect()),
        other => other,
    }
}

pub fn any_type(schema: &Schema, from: &mut Entropy<'_>, depth: usize) -> Type {
    let inner = |from: &mut Entropy<'_>| Box::new(any_type(schema, from, depth - 1));
    match from.below(if depth == 0 { 10 } else { 14 }) {
        0 => Type::Bool,
        1 => Type::I8,
        2 => Type::I16,
        3 => Type::I32,
        4 => Type::I64,
        5 => Type::Double,
        6 => Type::String,
        7 => Type::Binary,
        8 => Type::Uuid,
        9 => Type::Enum(0),
        10 => Type::List(inner(from)),
        11 => Type::Set(inner(from)),
        12 => Type::Map(inner(from), inner(from)),
        _ => Type::Struct(from.below(schema.structs.len()) as u32),
    }
}

pub fn write_value(schema: &Schema, ty: &Type, value: &Value, mut noise: Option<&mut Entropy<'_>>, out: &mut Vec<u8>) {
    let binary = |bytes: &[u8], out: &mut Vec<u8>| {
        out.extend((bytes.len() as i32).to_be_bytes());
        out.extend(bytes);
    };
    // An empty container's element types mean nothing.
    let strange = noise.as_deref_mut().is_some_and(|noise| noise.once_in(4));
    match (ty, value) {
        (Type::Bool, Value::Bool(v)) => out.push(if *v && strange { 0xFF } else { u8::from(*v) }),
        (Type::I8, Value::I8(v)) => out.extend(v.to_be_bytes()),
        (Type::I16, Value::I16(v)) => out.extend(v.to_be_bytes()),
        (Type::I32 | Type::Enum(_), Value::I32(v)) => out.extend(v.to_be_bytes()),
        (Type::I64, Value::I64(v)) => out.extend(v.to_be_bytes()),
        (Type::Double, Value::Double(v)) => out.extend(v.to_be_bytes()),
        (Type::String, Value::String(v)) => binary(v.as_bytes(), out),
        (Type::Binary, Value::Binary(v)) => binary(v, out),
        (Type::Uuid, Value::Uuid(v)) => out.extend(v),
        (Type::Struct(index), value) => write_struct(schema, *index, value, noise, out),
        (Type::List(item) | Type::Set(item), Value::List(items)) => {
            out.push(if items.is_empty() && strange { 0x7F } else { code(item) });
            out.extend((items.len() as i32).to_be_bytes());
            for value in items {
                write_value(schema, item, value, noise.as_deref_mut(), out);
            }
        }
        (Type::Map(key, value), Value::Map(pairs)) => {
            let codes = if pairs.is_empty() && strange { [0, 0] } else { [code(key), code(value)] };
            out.extend(codes);
            out.extend((pairs.len() as i32).to_be_bytes());
            for (k, v) in pairs {
                write_value(schema, key, k, noise.as_deref_mut(), out);
                write_value(schema, value, v, noise.as_deref_mut(), out);
            }
        }
        (ty, value) => panic!("{value:?} is no {ty:?}"),
    }
}

/// Head of a strict message.
pub fn head(name: &str, kind: u8, sequence: i32) -> Vec<u8> {
    let mut out = vec![0x80, 1, 0, kind];
    out.extend((name.len() as i32).to_be_bytes());
    out.extend(name.as_bytes());
    out.extend(sequence.to_be_bytes());
    out
}

pub const HEADER: Header = Header { kind: Kind::Call, call: 1, generation: 2, method: 0, owner: 3 };

/// An in tape with its buffers.
#[derive(Debug)]
pub struct Tape {
    pub slots: Vec<u64>,
    pub text: Vec<u8>,
    pub bytes: Vec<u8>,
    pub state: InState,
}

impl Tape {
    /// So many slots, bytes of text and bytes.
    pub fn new(slots: usize, text: usize, bytes: usize) -> Self {
        Self { slots: vec![u64::MAX; slots], text: vec![b'?'; text], bytes: vec![b'?'; bytes], state: InState::new() }
    }

    /// Builds a message, and commits it if `build` succeeds.
    pub fn message<E>(&mut self, build: impl FnOnce(&mut Message<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut tape = InTape::new(&mut self.slots, &mut self.text, &mut self.bytes, &mut self.state);
        let mut message = tape.begin(&HEADER, 1 << 20).expect("room for a header");
        build(&mut message)?;
        message.commit();
        Ok(())
    }

    /// The structs of all messages.
    pub fn read(&self, schema: &Schema, index: u32) -> Vec<Value> {
        let reader = InReader::new(&self.slots, &self.text, &self.bytes);
        let messages = reader.messages();
        messages.iter().map(|message| read_struct(schema, index, &reader, message, message.body)).collect()
    }
}

fn read_struct(schema: &Schema, index: u32, tape: &InReader<'_>, message: &InMessage, base: usize) -> Value {
    let structure = &schema.structs[index as usize];
    let fields = &structure.fields;
    let kept = structure.keep_unknown.then_some(Type::Binary);
    let first = base + presence_slots(structure.tape_fields());
    let read = |(number, ty): (usize, &Type)| {
        tape.presence(base, number).then(|| read_value(schema, ty, tape, message, first + number))
    };
    Value::Struct(fields.iter().map(|field| &field.ty).chain(&kept).enumerate().map(read).collect())
}

fn read_value(schema: &Schema, ty: &Type, tape: &InReader<'_>, message: &InMessage, slot: usize) -> Value {
    assert!(slot < message.end, "values lie inside of their message");
    let small = || {
        assert_eq!(tape.high(slot), 0, "the high half of a small value is 0");
        tape.low(slot) as i32
    };
    let items = |step: usize| {
        let (first, count) = tape.pointer(slot);
        assert!(first >= message.body && first + count * step <= message.end, "a container lies inside of its message");
        (0..count).map(move |n| first + n * step)
    };
    match ty {
        Type::Bool => Value::Bool(match small() {
            0 => false,
            1 => true,
            other => panic!("{other} is no bool"),
        }),
        Type::I8 => Value::I8(small().try_into().expect("an i8")),
        Type::I16 => Value::I16(small().try_into().expect("an i16")),
        Type::I32 | Type::Enum(_) => Value::I32(small()),
        Type::I64 => Value::I64(tape.u64(slot) as i64),
        Type::Double => Value::Double(tape.u64(slot)),
        Type::String => Value::String(String::from_utf8_lossy(tape.string(message, slot)).into_owned()),
        Type::Binary => Value::Binary(tape.binary(slot).to_vec()),
        Type::Uuid => {
            let text = String::from_utf8(tape.string(message, slot).to_vec()).expect("text");
            let digits = text.replace('-', "");
            Value::Uuid(std::array::from_fn(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).expect("hex")))
        }
        Type::Struct(index) => {
            let (base, high) = tape.pointer(slot);
            assert_eq!(high, 0);
            read_struct(schema, *index, tape, message, base)
        }
        Type::List(item) | Type::Set(item) => {
            Value::List(items(1).map(|slot| read_value(schema, item, tape, message, slot)).collect())
        }
        Type::Map(key, value) => Value::Map(
            items(2)
                .map(|slot| {
                    (read_value(schema, key, tape, message, slot), read_value(schema, value, tape, message, slot + 1))
                })
                .collect(),
        ),
        other => panic!("{other:?} is of Protobuf"),
    }
}

/// Writes a message whose body is this struct onto the out tape. Returns the base of the struct.
pub fn put_message(schema: &Schema, index: u32, value: &Value, tape: &mut OutWriter) -> usize {
    let body = tape.begin(&HEADER);
    let base = put_struct(schema, index, value, tape);
    assert_eq!(base, body);
    tape.commit();
    base
}

fn put_struct(schema: &Schema, index: u32, value: &Value, tape: &mut OutWriter) -> usize {
    let structure = &schema.structs[index as usize];
    let (Value::Struct(values), fields) = (value, &structure.fields) else { panic!("a struct") };
    let kept = structure.keep_unknown.then_some(Type::Binary);
    let slots = structure.tape_fields();
    let base = tape.alloc_struct(slots);
    let first = base + presence_slots(slots);
    for (number, (ty, value)) in fields.iter().map(|field| &field.ty).chain(&kept).zip(values).enumerate() {
        if let Some(value) = value {
            tape.mark_present(base, number);
            put_value(schema, ty, value, first + number, tape);
        }
    }
    base
}

fn put_value(schema: &Schema, ty: &Type, value: &Value, slot: usize, tape: &mut OutWriter) {
    match (ty, value) {
        (_, Value::Bool(v)) => tape.set_i32(slot, i32::from(*v), 0),
        (_, Value::I8(v)) => tape.set_i32(slot, i32::from(*v), 0),
        (_, Value::I16(v)) => tape.set_i32(slot, i32::from(*v), 0),
        (_, Value::I32(v)) => tape.set_i32(slot, *v, 0),
        (_, Value::I64(v)) => tape.set(slot, *v as u64),
        (_, Value::Double(v)) => tape.set(slot, *v),
        (_, Value::String(v)) => tape.put_string(slot, v),
        (_, Value::Binary(v)) => tape.put_bytes(slot, v),
        (_, Value::Uuid(v)) => {
            tape.put_string(slot, &uuid_text(v));
        }
        (Type::Struct(index), value) => {
            let base = put_struct(schema, *index, value, tape);
            tape.point(slot, base, 0);
        }
        (Type::List(item) | Type::Set(item), Value::List(items)) => {
            let first = tape.alloc(items.len());
            tape.point(slot, first, items.len() as u32);
            for (n, value) in items.iter().enumerate() {
                put_value(schema, item, value, first + n, tape);
            }
        }
        (Type::Map(key, value), Value::Map(pairs)) => {
            let first = tape.alloc(2 * pairs.len());
            tape.point(slot, first, pairs.len() as u32);
            for (n, (k, v)) in pairs.iter().enumerate() {
                put_value(schema, key, k, first + 2 * n, tape);
                put_value(schema, value, v, first + 2 * n + 1, tape);
            }
        }
        (ty, value) => panic!("{value:?} is no {ty:?}"),
    }
}
