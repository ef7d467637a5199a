//! A schema compiled for walking: what the codec needs of it, laid out for speed.

use faststr::FastStr;
use volo_js_schema::{Enum, Field, Requiredness, Schema, StructKind, Type};
use volo_js_tape::presence_slots;

use crate::error::ProgramError;
use crate::ty::Ty;
use crate::wire;

/// A compiled schema. Indexes of methods and messages are the schema's.
#[derive(Debug)]
pub struct Program {
    messages: Vec<MessageProgram>,
    closed: Vec<Closed>,
    /// The first number of each enum: what a closed one's is where none came.
    firsts: Vec<i32>,
    methods: Vec<MethodProgram>,
    /// Numbers of the methods, ordered by length of their paths and then by the paths.
    by_path: Vec<u32>,
}

/// A compiled method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodProgram {
    /// Where it is called: `/package.Service/Method`.
    pub path: FastStr,
    /// The client sends any number of requests.
    pub client_streaming: bool,
    /// The server sends any number of responses.
    pub server_streaming: bool,
    /// The request message.
    pub args: u32,
    /// The response message.
    pub result: u32,
}

#[derive(Debug)]
pub(crate) struct MessageProgram {
    pub(crate) name: FastStr,
    /// Whatever its bytes are, they pass as unknown fields.
    pub(crate) opaque: bool,
    pub(crate) fields: Vec<FieldProgram>,
    /// Names of the fields, aside, for they are rarely wanted.
    names: Vec<FastStr>,
    /// Slots before the first field's.
    pub(crate) presence: usize,
    /// Bits of the required fields, 64 a word, as many words as there are presence slots; none if no field is required.
    pub(crate) required: Vec<u64>,
    /// Of each oneof the bits of its members, as many words as there are presence slots.
    pub(crate) oneofs: Vec<Vec<u64>>,
    numbers: Numbers,
}

#[derive(Debug)]
pub(crate) struct FieldProgram {
    /// Number and wire type, as it is written.
    pub(crate) key: u32,
    /// Bytes of the key.
    pub(crate) key_len: u8,
    /// Wire type of one value.
    pub(crate) wire: u8,
    /// The oneof it belongs to, or [`NONE`].
    pub(crate) oneof: u16,
    /// Type of the value, of an element, or of a map's values.
    pub(crate) ty: Ty,
    pub(crate) shape: Shape,
}

/// How many values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    Many,
    /// Many, written behind one key.
    Packed,
    /// Pairs, with keys of this type.
    Map(Ty),
}

/// Numbers of an enum that has no others.
#[derive(Debug)]
enum Closed {
    Range(i32, i32),
    Sorted(Vec<i32>),
}

/// Place of a field by its number.
#[derive(Debug)]
enum Numbers {
    /// By number; [`NONE`] where there is no field.
    Dense(Vec<u16>),
    /// Sorted, for numbers that are far apart.
    Sparse(Vec<(u32, u16)>),
}

/// No field, or no oneof.
pub(crate) const NONE: u16 = u16::MAX;

impl Program {
    /// Compiles a schema.
    pub fn compile(schema: &Schema) -> Result<Self, ProgramError> {
        let messages =
            schema.structs.iter().map(|message| MessageProgram::compile(message, schema)).collect::<Result<_, _>>()?;
        let methods =
            schema.methods.iter().map(|m| MethodProgram::compile(m, schema)).collect::<Result<Vec<_>, _>>()?;
        let mut by_path: Vec<u32> = (0..methods.len() as u32).collect();
        by_path.sort_unstable_by_key(|index| order(methods[*index as usize].path.as_bytes()));
        if let Some(twice) =
            by_path.windows(2).find(|two| methods[two[0] as usize].path == methods[two[1] as usize].path)
        {
            return Err(ProgramError::DuplicatePath(methods[twice[0] as usize].path.to_string()));
        }
        let closed = schema.enums.iter().map(Closed::compile).collect();
        let firsts = schema.enums.iter().map(|e| e.members.first().map_or(0, |first| first.value)).collect();
        Ok(Self { messages, closed, firsts, methods, by_path })
    }

    /// The method with this index.
    ///
    /// # Panics
    /// If there is none; [`methods`](Self::methods) has them all.
    #[inline]
    pub fn method(&self, index: u32) -> &MethodProgram {
        &self.methods[index as usize]
    }

    /// All methods.
    #[inline]
    pub fn methods(&self) -> &[MethodProgram] {
        &self.methods
    }

    /// Index of the method with this path, `/package.Service/Method`.
    #[inline]
    pub fn find(&self, path: &[u8]) -> Option<u32> {
        let wanted = order(path);
        let found = self.by_path.binary_search_by(|index| order(self.method(*index).path.as_bytes()).cmp(&wanted));
        found.ok().map(|at| self.by_path[at])
    }

    /// The number that an enum names first.
    pub(crate) fn first(&self, named: u32) -> i32 {
        self.firsts[named as usize]
    }

    #[inline]
    pub(crate) fn message(&self, index: u32) -> &MessageProgram {
        &self.messages[index as usize]
    }

    /// The message with this index, which may come from elsewhere.
    #[inline]
    pub(crate) fn known(&self, index: u32) -> Option<&MessageProgram> {
        self.messages.get(index as usize)
    }

    /// Whether a closed enum has this number.
    #[inline]
    pub(crate) fn names(&self, closed: u32, number: i32) -> bool {
        match &self.closed[closed as usize] {
            Closed::Range(first, last) => (*first..=*last).contains(&number),
            Closed::Sorted(numbers) => numbers.binary_search(&number).is_ok(),
        }
    }
}

/// Paths differ in length more often than not.
fn order(path: &[u8]) -> (usize, &[u8]) {
    (path.len(), path)
}

impl MethodProgram {
    fn compile(method: &volo_js_schema::Method, schema: &Schema) -> Result<Self, ProgramError> {
        let place = || format!("method {}", method.name);
        let unknown = |what, index| ProgramError::Unknown { place: place(), what, index };
        let service = schema.services.get(method.service as usize).ok_or_else(|| unknown("service", method.service))?;
        let result = method.result.ok_or(ProgramError::NotProtobuf { place: place(), reason: "it has no response" })?;
        for index in [method.args, result] {
            if index as usize >= schema.structs.len() {
                return Err(unknown("message", index));
            }
        }
        Ok(Self {
            path: format!("/{}/{}", service.name, method.name).into(),
            client_streaming: method.client_streaming,
            server_streaming: method.server_streaming,
            args: method.args,
            result,
        })
    }
}

impl MessageProgram {
    fn compile(source: &volo_js_schema::Struct, schema: &Schema) -> Result<Self, ProgramError> {
        let place = |field: &Field| format!("field {}.{}", source.name, field.name);
        if !source.kind.is_message() {
            let reason = "a struct is no message";
            return Err(ProgramError::NotProtobuf { place: source.name.clone(), reason });
        }
        let count = source.fields.len();
        if count >= NONE as usize {
            return Err(ProgramError::TooManyFields { message: source.name.clone(), fields: count });
        }
        let presence = presence_slots(source.tape_fields());
        let mut required = vec![0; presence];
        let mut oneofs = vec![vec![0; presence]; source.oneofs.len()];
        let mut fields = Vec::with_capacity(count);
        for (n, field) in source.fields.iter().enumerate() {
            fields.push(FieldProgram::compile(field, schema).map_err(|wrong| wrong.at(place(field)))?);
            if field.requiredness == Requiredness::Required {
                required[n / 64] |= 1 << (n % 64);
            }
            if let Some(index) = field.oneof {
                let members = oneofs.get_mut(index as usize).filter(|_| index < u32::from(NONE));
                members.ok_or_else(|| Wrong::Unknown("oneof", index).at(place(field)))?[n / 64] |= 1 << (n % 64);
            }
        }
        if required.iter().all(|word| *word == 0) {
            required.clear();
        }
        let numbers = Numbers::new(&fields)
            .map_err(|number| ProgramError::DuplicateNumber { message: source.name.clone(), number })?;
        let names = source.fields.iter().map(|field| FastStr::new(&field.name)).collect();
        let opaque = source.kind == StructKind::Opaque;
        Ok(Self { name: FastStr::new(&source.name), opaque, fields, names, presence, required, oneofs, numbers })
    }

    /// Place of the field with this number.
    #[inline]
    pub(crate) fn find(&self, number: u32) -> Option<usize> {
        let place = match &self.numbers {
            Numbers::Dense(places) => *places.get(number as usize)?,
            Numbers::Sparse(pairs) => pairs[pairs.binary_search_by_key(&number, |pair| pair.0).ok()?].1,
        };
        (place != NONE).then_some(place as usize)
    }

    /// Fields on the tape: those of the schema, and what it does not know.
    #[inline]
    pub(crate) fn tape_fields(&self) -> usize {
        self.fields.len() + 1
    }

    /// Name of the message and of a field.
    #[cold]
    pub(crate) fn name_of(&self, field: usize) -> (FastStr, FastStr) {
        (self.name.clone(), self.names[field].clone())
    }
}

impl Numbers {
    fn new(fields: &[FieldProgram]) -> Result<Self, u32> {
        let mut pairs: Vec<_> = fields.iter().enumerate().map(|(place, f)| (f.number(), place as u16)).collect();
        pairs.sort_unstable();
        if let Some(twice) = pairs.windows(2).find(|two| two[0].0 == two[1].0) {
            return Err(twice[0].0);
        }
        let Some(&(last, _)) = pairs.last() else { return Ok(Self::Sparse(pairs)) };
        if last as usize > 256 + 4 * fields.len() {
            return Ok(Self::Sparse(pairs));
        }
        let mut places = vec![NONE; last as usize + 1];
        for (number, place) in pairs {
            places[number as usize] = place;
        }
        Ok(Self::Dense(places))
    }
}

/// Why a field cannot be compiled.
enum Wrong {
    Unknown(&'static str, u32),
    Number(i32),
    NotProtobuf(&'static str),
}

impl Wrong {
    fn at(self, place: String) -> ProgramError {
        match self {
            Self::Unknown(what, index) => ProgramError::Unknown { place, what, index },
            Self::Number(id) => ProgramError::Number { place, id },
            Self::NotProtobuf(reason) => ProgramError::NotProtobuf { place, reason },
        }
    }
}

impl FieldProgram {
    fn compile(field: &Field, schema: &Schema) -> Result<Self, Wrong> {
        let number = u32::try_from(field.id).ok().filter(|number| (1..=wire::MAX_NUMBER).contains(number));
        let number = number.ok_or(Wrong::Number(field.id))?;
        let one = |ty: &Type| self::one(ty, field, schema);
        let (shape, ty) = match &field.ty {
            Type::List(item) => {
                let ty = one(item)?;
                (if field.packed && ty.packable() { Shape::Packed } else { Shape::Many }, ty)
            }
            Type::Map(key, value) => {
                if matches!(**key, Type::Float | Type::Double | Type::Binary | Type::Enum(_) | Type::Struct(_)) {
                    return Err(Wrong::NotProtobuf("keys of a map are integers, bools or strings"));
                }
                // An entry has a length, and so has its value.
                let value = match one(value)? {
                    Ty::Group(index) => Ty::Message(index),
                    other => other,
                };
                (Shape::Map(one(key)?), value)
            }
            other => (Shape::One, one(other)?),
        };
        let written = if matches!(shape, Shape::Packed | Shape::Map(_)) { wire::LEN } else { ty.wire() };
        let key = wire::key(number, written);
        let wire = if matches!(shape, Shape::Map(_)) { wire::LEN } else { ty.wire() };
        let oneof = field.oneof.and_then(|index| u16::try_from(index).ok()).unwrap_or(NONE);
        Ok(Self { key, key_len: wire::varint_len(u64::from(key)) as u8, wire, oneof, ty, shape })
    }

    #[inline]
    pub(crate) fn number(&self) -> u32 {
        self.key >> 3
    }
}

impl Closed {
    fn compile(source: &Enum) -> Self {
        let mut numbers: Vec<i32> = source.members.iter().map(|member| member.value).collect();
        numbers.sort_unstable();
        numbers.dedup();
        match (numbers.first(), numbers.last()) {
            (Some(&first), Some(&last)) if i64::from(last) - i64::from(first) + 1 == numbers.len() as i64 => {
                Self::Range(first, last)
            }
            _ => Self::Sorted(numbers),
        }
    }
}

/// The type of one value of a field.
fn one(ty: &Type, field: &Field, schema: &Schema) -> Result<Ty, Wrong> {
    Ok(match ty {
        Type::Bool => Ty::Bool,
        Type::I32 => Ty::Int32,
        Type::Uint32 => Ty::Uint32,
        Type::Sint32 => Ty::Sint32,
        Type::I64 | Type::Uint64 => Ty::Int64,
        Type::Sint64 => Ty::Sint64,
        Type::Fixed32 | Type::Sfixed32 => Ty::Fixed32,
        Type::Float => Ty::Float,
        Type::Fixed64 | Type::Sfixed64 | Type::Double => Ty::Fixed64,
        Type::String if field.unchecked_utf8 => Ty::Text,
        Type::String => Ty::String,
        Type::Binary => Ty::Bytes,
        Type::Enum(index) => match schema.enums.get(*index as usize) {
            Some(named) if named.closed => Ty::Closed(*index),
            Some(_) => Ty::Int32,
            None => return Err(Wrong::Unknown("enum", *index)),
        },
        Type::Struct(index) if *index as usize >= schema.structs.len() => {
            return Err(Wrong::Unknown("message", *index));
        }
        Type::Struct(index) if field.delimited => Ty::Group(*index),
        Type::Struct(index) => Ty::Message(*index),
        Type::I8 | Type::I16 | Type::Uuid => return Err(Wrong::NotProtobuf("it has no i8, i16 and uuid")),
        Type::List(_) | Type::Set(_) | Type::Map(..) => {
            return Err(Wrong::NotProtobuf("it has no sets, and no lists and maps inside of others"));
        }
    })
}
