//! Schemas, values as a tree, wire bytes by hand, and both tapes as JavaScript sees them.

#![allow(dead_code, reason = "every test uses its part")]

pub mod random;

use volo_js_protobuf::{DecodeError, EncodeError, Limits, Program, Sizes, decode_message, encode_message, message_len};
use volo_js_schema::{Enum, EnumMember, Field, Method, Requiredness, Schema, Service, Struct, StructKind, Type};
use volo_js_tape::testing::{InMessage, InReader, OutWriter};
use volo_js_tape::{Header, InState, InTape, Kind, presence_slots};

/// A value of any type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Bool(bool),
    /// 32 bits of any meaning.
    Word(u32),
    /// 64 bits of any meaning; of floats and doubles the bits of the double.
    Long(u64),
    String(Vec<u8>),
    Binary(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// A field each, in the order of the schema, and what it does not know.
    Message(Vec<Option<Value>>, Vec<u8>),
}

impl Value {
    /// A message without unknown fields.
    pub fn of(fields: impl IntoIterator<Item = Option<Self>>) -> Self {
        Self::Message(fields.into_iter().collect(), vec![])
    }

    pub fn text(text: &str) -> Self {
        Self::String(text.as_bytes().to_vec())
    }

    pub fn words(words: &[u32]) -> Self {
        Self::List(words.iter().map(|word| Self::Word(*word)).collect())
    }
}

pub fn list(of: Type) -> Type {
    Type::List(Box::new(of))
}

pub fn map(key: Type, value: Type) -> Type {
    Type::Map(Box::new(key), Box::new(value))
}

pub fn optional(field: Field) -> Field {
    Field { requiredness: Requiredness::Optional, ..field }
}

pub fn required(field: Field) -> Field {
    Field { requiredness: Requiredness::Required, ..field }
}

pub fn packed(field: Field) -> Field {
    Field { packed: true, ..field }
}

pub fn delimited(field: Field) -> Field {
    Field { delimited: true, ..optional(field) }
}

pub fn member(oneof: u32, field: Field) -> Field {
    Field { oneof: Some(oneof), ..optional(field) }
}

/// A message type; it has one oneof if a field refers to one.
pub fn message(name: &str, fields: Vec<Field>) -> Struct {
    let oneofs = fields.iter().filter_map(|field| field.oneof).max().map_or(0, |last| last + 1);
    Struct {
        name: name.into(),
        file: 0,
        kind: StructKind::Message,
        fields,
        keep_unknown: false,
        oneofs: (0..oneofs).map(|n| format!("oneof{n}")).collect(),
        annotations: [].into(),
        doc: String::new(),
    }
}

pub fn enumeration(name: &str, closed: bool, numbers: &[i32]) -> Enum {
    let member =
        |value: &i32| EnumMember { name: format!("N{}", value.unsigned_abs()), value: *value, doc: String::new() };
    Enum {
        name: name.into(),
        file: 0,
        members: numbers.iter().map(member).collect(),
        closed,
        annotations: [].into(),
        doc: String::new(),
    }
}

/// A schema of these messages.
pub fn schema(structs: Vec<Struct>) -> Schema {
    Schema { structs, ..Schema::default() }
}

/// `Every`, a message with a field of every kind, and `Part`, which has required ones.
pub fn every_kind() -> Schema {
    let scalars = [
        Type::Bool,
        Type::I32,
        Type::I64,
        Type::Uint32,
        Type::Uint64,
        Type::Sint32,
        Type::Sint64,
        Type::Fixed32,
        Type::Fixed64,
        Type::Sfixed32,
        Type::Sfixed64,
        Type::Float,
        Type::Double,
        Type::String,
        Type::Binary,
        Type::Enum(0),
        Type::Enum(1),
    ];
    let mut fields = Vec::new();
    for (id, ty) in (1..).zip(&scalars) {
        fields.push(optional(Field::new(id, format!("one{id}"), ty.clone())));
        fields.push(Field::new(20 + id, format!("many{id}"), list(ty.clone())));
        fields.push(packed(Field::new(40 + id, format!("packed{id}"), list(ty.clone()))));
        let keys = !matches!(ty, Type::Float | Type::Double | Type::Binary | Type::Enum(_));
        let (key, value) = if keys { (ty.clone(), Type::Struct(1)) } else { (Type::String, ty.clone()) };
        fields.push(Field::new(60 + id, format!("map{id}"), map(key, value)));
        fields.push(member(0, Field::new(80 + id, format!("member{id}"), ty.clone())));
    }
    fields.extend([
        Field { unchecked_utf8: true, ..Field::new(100, "text", Type::String) },
        optional(Field::new(101, "every", Type::Struct(0))),
        Field::new(102, "all", list(Type::Struct(0))),
        delimited(Field::new(103, "group", Type::Struct(0))),
        Field { requiredness: Requiredness::Default, ..delimited(Field::new(104, "groups", list(Type::Struct(1)))) },
        member(0, Field::new(105, "one", Type::Struct(0))),
        member(0, delimited(Field::new(106, "other", Type::Struct(1)))),
        Field::new((1 << 29) - 1, "part", Type::Struct(1)),
    ]);
    let part = vec![
        required(Field::new(1, "number", Type::I64)),
        Field::new(2, "parts", list(Type::Struct(1))),
        optional(Field::new(3, "every", Type::Struct(0))),
    ];
    Schema {
        enums: vec![enumeration("Open", false, &[0, 1]), enumeration("Closed", true, &[1, 2, 5])],
        ..schema(vec![message("Every", fields), message("Part", part)])
    }
}

/// `GetItemRequest`, `GetItemResponse` and `Item`, with the service.
pub fn item_schema() -> Schema {
    let item = message(
        "volo.example.Item",
        vec![
            Field::new(1, "id", Type::I64),
            Field::new(2, "title", Type::String),
            Field::new(3, "content", Type::String),
            Field::new(10, "extra", map(Type::String, Type::String)),
        ],
    );
    let method = |name: &str, client_streaming, server_streaming| Method {
        name: name.into(),
        service: 0,
        oneway: false,
        client_streaming,
        server_streaming,
        args: 0,
        result: Some(1),
        annotations: [].into(),
        doc: String::new(),
    };
    Schema {
        structs: vec![
            message("volo.example.GetItemRequest", vec![Field::new(1, "id", Type::I64)]),
            message("volo.example.GetItemResponse", vec![optional(Field::new(1, "item", Type::Struct(2)))]),
            item,
        ],
        methods: vec![
            method("GetItem", false, false),
            method("StreamItems", false, true),
            method("ClientStream", true, false),
            method("BidirectionalStream", true, true),
        ],
        services: vec![Service {
            name: "volo.example.ItemService".into(),
            file: 0,
            extends: None,
            methods: vec![0, 1, 2, 3],
            annotations: [].into(),
            doc: String::new(),
        }],
        ..Schema::default()
    }
}

/// A `GetItemResponse` as a handler gives it.
pub fn item_response() -> Value {
    let extra = ["a", "b", "ż"].map(|key| (Value::text(key), Value::text("value"))).to_vec();
    let item = [Value::Long(1), Value::text("Hello gRPC"), Value::text("Powered by Volo"), Value::Map(extra)].map(Some);
    Value::of([Some(Value::of(item))])
}

/// Wire bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wire(pub Vec<u8>);

impl Wire {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    pub fn key(self, number: u32, wire: u8) -> Self {
        self.varint(u64::from(number) << 3 | u64::from(wire))
    }

    /// A field that is a varint.
    pub fn int(self, number: u32, value: u64) -> Self {
        self.key(number, 0).varint(value)
    }

    /// A field with a length.
    pub fn len(self, number: u32, bytes: &[u8]) -> Self {
        self.key(number, 2).varint(bytes.len() as u64).raw(bytes)
    }

    pub fn group(self, number: u32, inner: &Wire) -> Self {
        self.key(number, 3).raw(&inner.0).key(number, 4)
    }
}

pub const HEADER: Header = Header { kind: Kind::Request, call: 1, generation: 2, method: 0, owner: 3 };

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

    pub fn large() -> Self {
        Self::new(1 << 16, 1 << 17, 1 << 17)
    }

    /// Decodes a message behind two slots of something else, and commits it.
    pub fn decode(&mut self, program: &Program, index: u32, wire: &[u8], limits: &Limits) -> Result<(), DecodeError> {
        let mut tape = InTape::new(&mut self.slots, &mut self.text, &mut self.bytes, &mut self.state);
        let mut message = tape.begin(&HEADER, limits.slots).expect("room for a header");
        let first = message.alloc(2)?;
        let base = decode_message(program, index, wire, limits, &mut message)?;
        message.point(first, base, 0);
        message.commit();
        Ok(())
    }

    /// All messages, of this type.
    pub fn read(&self, schema: &Schema, index: u32) -> Vec<Value> {
        let reader = InReader::new(&self.slots, &self.text, &self.bytes);
        let messages = reader.messages();
        let read = |message: &InMessage| {
            let (base, high) = reader.pointer(message.body);
            assert_eq!(high, 0);
            read_message(schema, index, &reader, message, base)
        };
        messages.iter().map(read).collect()
    }
}

/// Decodes one message onto a fresh tape.
pub fn decode(schema: &Schema, index: u32, wire: &[u8]) -> Result<Value, DecodeError> {
    decode_with(schema, index, wire, &Limits::default())
}

pub fn decode_with(schema: &Schema, index: u32, wire: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    let program = Program::compile(schema).expect("a sound schema");
    let mut tape = Tape::large();
    tape.decode(&program, index, wire, limits)?;
    Ok(tape.read(schema, index).remove(0))
}

fn read_message(schema: &Schema, index: u32, tape: &InReader<'_>, message: &InMessage, base: usize) -> Value {
    let structure = &schema.structs[index as usize];
    let first = base + presence_slots(structure.tape_fields());
    assert!(base >= message.body && first + structure.tape_fields() <= message.end, "a message lies inside of its own");
    let read = |(n, field): (usize, &Field)| {
        tape.presence(base, n).then(|| read_value(schema, &field.ty, tape, message, first + n))
    };
    let fields = structure.fields.iter().enumerate().map(read).collect();
    let last = structure.fields.len();
    let unknown = if tape.presence(base, last) { tape.binary(first + last).to_vec() } else { vec![] };
    // All of an opaque message is there, however little that is.
    let is_opaque = structure.kind == StructKind::Opaque;
    assert_eq!(unknown.is_empty() && !is_opaque, !tape.presence(base, last), "no unknown fields are not present");
    Value::Message(fields, unknown)
}

fn read_value(schema: &Schema, ty: &Type, tape: &InReader<'_>, message: &InMessage, slot: usize) -> Value {
    assert!(slot < message.end, "values lie inside of their message");
    let small = || {
        assert_eq!(tape.high(slot), 0, "the high half of a small value is 0");
        tape.low(slot)
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
        Type::I32 | Type::Uint32 | Type::Sint32 | Type::Fixed32 | Type::Sfixed32 | Type::Enum(_) => {
            Value::Word(small())
        }
        Type::I64 | Type::Uint64 | Type::Sint64 | Type::Fixed64 | Type::Sfixed64 | Type::Float | Type::Double => {
            Value::Long(tape.u64(slot))
        }
        Type::String => Value::String(tape.string(message, slot).to_vec()),
        Type::Binary => Value::Binary(tape.binary(slot).to_vec()),
        Type::Struct(index) => {
            let (base, high) = tape.pointer(slot);
            assert_eq!(high, 0);
            read_message(schema, *index, tape, message, base)
        }
        Type::List(item) => Value::List(items(1).map(|slot| read_value(schema, item, tape, message, slot)).collect()),
        Type::Map(key, value) => Value::Map(
            items(2)
                .map(|slot| {
                    (read_value(schema, key, tape, message, slot), read_value(schema, value, tape, message, slot + 1))
                })
                .collect(),
        ),
        other => panic!("{other:?} is not of Protobuf"),
    }
}

/// The value as it would be written to the out tape, and the base of its struct.
pub fn out_tape(schema: &Schema, index: u32, value: &Value) -> (OutWriter, usize) {
    let mut writer = OutWriter::new();
    writer.begin(&HEADER);
    let base = put_message(schema, index, value, &mut writer);
    writer.commit();
    writer.finish();
    (writer, base)
}

/// Encodes one message, behind bytes that are there already.
pub fn encode(schema: &Schema, index: u32, value: &Value) -> Result<Vec<u8>, EncodeError> {
    let program = Program::compile(schema).expect("a sound schema");
    let (writer, base) = out_tape(schema, index, value);
    let (tape, mut sizes) = (writer.tape(), Sizes::new());
    let mut out = bytes::BytesMut::from(&b"before"[..]);
    let written = encode_message(&program, index, &tape, base, &mut sizes, &mut out);
    assert_eq!(message_len(&program, index, &tape, base, &mut sizes), written);
    assert_eq!(out.len() - 6, *written.as_ref().unwrap_or(&0), "on an error nothing is written");
    assert!(out.starts_with(b"before"));
    written.map(|_| out[6..].to_vec())
}

fn put_message(schema: &Schema, index: u32, value: &Value, tape: &mut OutWriter) -> usize {
    let Value::Message(values, unknown) = value else { panic!("{value:?} is no message") };
    let structure = &schema.structs[index as usize];
    let base = tape.alloc_struct(structure.tape_fields());
    let first = base + presence_slots(structure.tape_fields());
    for (n, (field, value)) in structure.fields.iter().zip(values).enumerate() {
        if let Some(value) = value {
            tape.mark_present(base, n);
            put_value(schema, &field.ty, value, first + n, tape);
        }
    }
    if !unknown.is_empty() {
        tape.mark_present(base, values.len());
        tape.put_bytes(first + values.len(), unknown);
    }
    base
}

fn put_value(schema: &Schema, ty: &Type, value: &Value, slot: usize, tape: &mut OutWriter) {
    match (ty, value) {
        (_, Value::Bool(v)) => tape.set_i32(slot, i32::from(*v), 0),
        (_, Value::Word(v)) => tape.set_i32(slot, *v as i32, 0),
        (_, Value::Long(v)) => tape.set(slot, *v),
        (_, Value::String(v)) => tape.put_string(slot, &String::from_utf8_lossy(v)),
        (_, Value::Binary(v)) => tape.put_bytes(slot, v),
        (Type::Struct(index), value) => {
            let base = put_message(schema, *index, value, tape);
            tape.point(slot, base, 0);
        }
        (Type::List(item), Value::List(items)) => {
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
