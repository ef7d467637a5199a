//! A schema compiled for walking: what the codecs need of it, laid out for speed.

use faststr::FastStr;
use pilota::thrift::TType;
use volo_js_schema::{Requiredness, Schema, StructKind, Type};
use volo_js_tape::presence_slots;

use crate::error::ProgramError;

/// A compiled schema. Indexes of methods and structs are the schema's.
#[derive(Debug, Default, Clone)]
pub struct Program {
    structs: Vec<StructProgram>,
    methods: Vec<MethodProgram>,
    keeps_unknown: bool,
}

/// A compiled method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodProgram {
    /// Name on the wire.
    pub name: FastStr,
    /// True if nobody waits for a reply.
    pub oneway: bool,
    /// Arguments struct.
    pub args: u32,
    /// Result struct; none for oneway methods.
    pub result: Option<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct StructProgram {
    pub(crate) name: FastStr,
    /// Exactly one field is present; of several on the wire the last wins.
    pub(crate) union: bool,
    pub(crate) fields: Vec<FieldProgram>,
    /// Slots before the first field's.
    pub(crate) presence: usize,
    /// Slots of fields: one each, and one for what is kept of unknown ones.
    pub(crate) slots: usize,
    /// Whether there is a slot for unknown fields behind those of the fields.
    pub(crate) keeps_unknown: bool,
    /// Bits of the required fields, 64 a word, as many words as there are presence slots.
    pub(crate) required: Vec<u64>,
    ids: Ids,
}

#[derive(Debug, Clone)]
pub(crate) struct FieldProgram {
    pub(crate) id: i16,
    pub(crate) name: FastStr,
    /// Type code on the wire, and Pilota's name for it.
    pub(crate) wire: u8,
    pub(crate) ttype: TType,
    pub(crate) ty: Ty,
}

#[derive(Debug, Clone)]
pub(crate) enum Ty {
    Bool,
    I8,
    I16,
    /// `i32` and enums.
    I32,
    I64,
    Double,
    String,
    Binary,
    Uuid,
    Struct(u32),
    /// Lists and sets; they differ in [`FieldProgram::wire`] and [`Item::wire`] only.
    List(Box<Item>),
    Map(Box<(Item, Item)>),
}

/// Element type of a container.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) wire: u8,
    pub(crate) ttype: TType,
    pub(crate) ty: Ty,
}

/// Number of a field by its id.
#[derive(Debug, Clone)]
enum Ids {
    /// By `id - first`; [`NONE`] where there is no field.
    Dense { first: i16, numbers: Vec<u16> },
    /// Sorted, for ids that are far apart.
    Sparse(Vec<(i16, u16)>),
}

const NONE: u16 = u16::MAX;

impl Program {
    /// Compiles a schema.
    pub fn compile(schema: &Schema) -> Result<Self, ProgramError> {
        let known = schema.structs.len();
        let structs = schema.structs.iter().map(|s| StructProgram::compile(s, known)).collect::<Result<_, _>>()?;
        let check = |place: &str, index: u32| {
            if (index as usize) < known {
                Ok(index)
            } else {
                Err(ProgramError::UnknownStruct { place: format!("method {place}"), index })
            }
        };
        let methods = schema
            .methods
            .iter()
            .map(|m| {
                Ok(MethodProgram {
                    name: FastStr::new(&m.name),
                    oneway: m.oneway,
                    args: check(&m.name, m.args)?,
                    result: m.result.map(|index| check(&m.name, index)).transpose()?,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { keeps_unknown: schema.structs.iter().any(|s| s.keep_unknown), structs, methods })
    }

    /// The same program with this in front of the names of all methods, as `TMultiplexedProtocol` of Apache Thrift has a service's.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Self {
        let mut program = self.clone();
        for method in &mut program.methods {
            method.name = FastStr::from_string(format!("{prefix}{}", method.name));
        }
        program
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

    /// Whether any struct keeps fields that the schema does not know, so that they are written back.
    #[inline]
    pub fn keeps_unknown(&self) -> bool {
        self.keeps_unknown
    }

    #[inline]
    pub(crate) fn structure(&self, index: u32) -> &StructProgram {
        &self.structs[index as usize]
    }
}

impl StructProgram {
    fn compile(source: &volo_js_schema::Struct, known: usize) -> Result<Self, ProgramError> {
        let count = source.fields.len();
        if count >= NONE as usize {
            return Err(ProgramError::TooManyFields { structure: source.name.clone(), fields: count });
        }
        let slots = count + usize::from(source.keep_unknown);
        let presence = presence_slots(slots);
        let mut required = vec![0; presence];
        let mut fields = Vec::with_capacity(count);
        for (number, field) in source.fields.iter().enumerate() {
            let place = || format!("field {}.{}", source.name, field.name);
            let ty = Ty::compile(&field.ty, known).map_err(|wrong| wrong.at(place()))?;
            let id = i16::try_from(field.id).map_err(|_| ProgramError::NotThrift { place: place() })?;
            if field.requiredness == Requiredness::Required {
                required[number / 64] |= 1 << (number % 64);
            }
            let ttype = ttype(&field.ty);
            fields.push(FieldProgram { id, name: FastStr::new(&field.name), wire: ttype as u8, ttype, ty });
        }
        let ids = Ids::new(&fields).map_err(|id| ProgramError::DuplicateId { structure: source.name.clone(), id })?;
        let union = source.kind == StructKind::Union;
        Ok(Self {
            name: FastStr::new(&source.name),
            union,
            fields,
            presence,
            slots,
            keeps_unknown: source.keep_unknown,
            required,
            ids,
        })
    }

    /// Number of the field with this id.
    #[inline]
    pub(crate) fn find(&self, id: i16) -> Option<usize> {
        let number = match &self.ids {
            Ids::Dense { first, numbers } => *numbers.get(i32::from(id).wrapping_sub(i32::from(*first)) as usize)?,
            Ids::Sparse(pairs) => pairs[pairs.binary_search_by_key(&id, |pair| pair.0).ok()?].1,
        };
        (number != NONE).then_some(number as usize)
    }

    /// Name of the first required field that `absent` (bits of word number `word`) has.
    #[cold]
    pub(crate) fn missing(&self, word: usize, absent: u64) -> (FastStr, FastStr) {
        let number = word * 64 + absent.trailing_zeros() as usize;
        (self.name.clone(), self.fields[number].name.clone())
    }
}

impl Ids {
    fn new(fields: &[FieldProgram]) -> Result<Self, i16> {
        let mut pairs: Vec<_> = fields.iter().enumerate().map(|(number, f)| (f.id, number as u16)).collect();
        pairs.sort_unstable();
        if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(twice[0].0);
        }
        let (Some(&(first, _)), Some(&(last, _))) = (pairs.first(), pairs.last()) else {
            return Ok(Self::Sparse(pairs));
        };
        let span = (i32::from(last) - i32::from(first)) as usize + 1;
        if span > 256 + 4 * fields.len() {
            return Ok(Self::Sparse(pairs));
        }
        let mut numbers = vec![NONE; span];
        for (id, number) in pairs {
            numbers[(i32::from(id) - i32::from(first)) as usize] = number;
        }
        Ok(Self::Dense { first, numbers })
    }
}

/// Why a type cannot be compiled.
enum Wrong {
    Struct(u32),
    NotThrift,
}

impl Wrong {
    fn at(self, place: String) -> ProgramError {
        match self {
            Self::Struct(index) => ProgramError::UnknownStruct { place, index },
            Self::NotThrift => ProgramError::NotThrift { place },
        }
    }
}

impl Ty {
    fn compile(ty: &Type, known: usize) -> Result<Self, Wrong> {
        Ok(match ty {
            Type::Bool => Self::Bool,
            Type::I8 => Self::I8,
            Type::I16 => Self::I16,
            Type::I32 | Type::Enum(_) => Self::I32,
            Type::I64 => Self::I64,
            Type::Double => Self::Double,
            Type::String => Self::String,
            Type::Binary => Self::Binary,
            Type::Uuid => Self::Uuid,
            Type::Struct(index) if (*index as usize) < known => Self::Struct(*index),
            Type::Struct(index) => return Err(Wrong::Struct(*index)),
            Type::List(item) | Type::Set(item) => Self::List(Box::new(Item::compile(item, known)?)),
            Type::Map(key, value) => Self::Map(Box::new((Item::compile(key, known)?, Item::compile(value, known)?))),
            Type::Uint32
            | Type::Sint32
            | Type::Fixed32
            | Type::Sfixed32
            | Type::Uint64
            | Type::Sint64
            | Type::Fixed64
            | Type::Sfixed64
            | Type::Float => return Err(Wrong::NotThrift),
        })
    }
}

impl Item {
    fn compile(ty: &Type, known: usize) -> Result<Self, Wrong> {
        let ttype = ttype(ty);
        Ok(Self { wire: ttype as u8, ttype, ty: Ty::compile(ty, known)? })
    }
}

/// Type on the wire.
fn ttype(ty: &Type) -> TType {
    match ty {
        Type::Bool => TType::Bool,
        Type::I8 => TType::I8,
        Type::I16 => TType::I16,
        Type::I32 | Type::Enum(_) => TType::I32,
        Type::I64 => TType::I64,
        Type::Double => TType::Double,
        Type::String | Type::Binary => TType::Binary,
        Type::Uuid => TType::Uuid,
        Type::Struct(_) => TType::Struct,
        Type::List(_) => TType::List,
        Type::Set(_) => TType::Set,
        Type::Map(..) => TType::Map,
        // `Ty::compile` has refused them.
        Type::Uint32
        | Type::Sint32
        | Type::Fixed32
        | Type::Sfixed32
        | Type::Uint64
        | Type::Sint64
        | Type::Fixed64
        | Type::Sfixed64
        | Type::Float => TType::Void,
    }
}
