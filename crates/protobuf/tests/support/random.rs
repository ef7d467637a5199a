//! Random schemas and values, made of bytes.

use volo_js_schema::{Field, Schema, Type};

use super::{Value, delimited, enumeration, list, map, member, message, optional, packed, schema};

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

    /// Small numbers are likely, and so are those at the ends.
    pub fn bits(&mut self) -> u64 {
        match self.below(6) {
            0 => u64::from(self.byte()),
            1 => u64::from(self.byte()).wrapping_neg(),
            2 => 1 << self.below(64),
            3 => (1_u64 << self.below(64)).wrapping_sub(1),
            _ => u64::from_be_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    fn string(&mut self) -> String {
        match self.below(16) {
            14 => "żółw €😀 ".repeat(self.below(80)),
            15 => "long ascii ".repeat(self.byte() as usize),
            n => (0..n).map(|_| ['a', 'Z', '\0', '~', 'é', '€', '😀', ' '][self.below(8)]).collect(),
        }
    }

    pub fn binary(&mut self) -> Vec<u8> {
        (0..self.below(20)).map(|_| self.byte()).collect()
    }
}

/// Message types of random fields. In proto3 (`proto3`) scalars may be without presence, and there are no groups.
pub fn any_schema(from: &mut Entropy<'_>, proto3: bool) -> Schema {
    let count = 1 + from.below(3);
    let structs = (0..count).map(|n| {
        let fields = if from.once_in(12) { 60 + from.below(80) } else { 1 + from.below(8) };
        let mut number = 0;
        let mut fields: Vec<_> = (0..fields)
            .map(|n| {
                number += [1, 1, 1, 2, 15, 200, 5000, 700_000][from.below(8)];
                // These numbers are the implementations' own.
                number = if (19_000..20_000).contains(&number) { 20_000 } else { number };
                any_field(number, &format!("f{n}"), count, from, proto3)
            })
            .collect();
        if from.once_in(6)
            && let Some(field) = fields.last_mut()
        {
            field.id = (1 << 29) - 1;
        }
        // Fields are declared in any order.
        if from.once_in(3) {
            fields.reverse();
        }
        message(&format!("M{n}"), fields)
    });
    Schema { enums: vec![enumeration("E", false, &[0, 1, 2, 70, -1])], ..schema(structs.collect()) }
}

fn any_field(id: i32, name: &str, count: usize, from: &mut Entropy<'_>, proto3: bool) -> Field {
    let scalar = |from: &mut Entropy<'_>| match from.below(18) {
        0 => Type::Bool,
        1 => Type::I32,
        2 => Type::I64,
        3 => Type::Uint32,
        4 => Type::Uint64,
        5 => Type::Sint32,
        6 => Type::Sint64,
        7 => Type::Fixed32,
        8 => Type::Fixed64,
        9 => Type::Sfixed32,
        10 => Type::Sfixed64,
        11 => Type::Float,
        12 => Type::Double,
        13 => Type::Binary,
        14 => Type::Enum(0),
        _ => Type::String,
    };
    let inner = |from: &mut Entropy<'_>| Type::Struct(from.below(count) as u32);
    let any = |from: &mut Entropy<'_>| if from.once_in(4) { inner(from) } else { scalar(from) };
    let grouped = |field: Field, from: &mut Entropy<'_>| {
        if proto3 || from.below(2) == 0 { field } else { delimited(field) }
    };
    match from.below(10) {
        0 | 1 => {
            let field = Field::new(id, name, scalar(from));
            if proto3 { field } else { optional(field) }
        }
        2 => optional(Field::new(id, name, scalar(from))),
        3 => {
            let field = Field::new(id, name, inner(from));
            grouped(optional(field), from)
        }
        4 => {
            let field = Field::new(id, name, any(from));
            member(from.below(2) as u32, field)
        }
        5 => {
            let field = Field::new(id, name, inner(from));
            Field { requiredness: Default::default(), ..grouped(Field { ty: list(field.ty.clone()), ..field }, from) }
        }
        6 => Field::new(id, name, list(any(from))),
        7 => match scalar(from) {
            ty @ (Type::String | Type::Binary) => Field::new(id, name, list(ty)),
            ty => packed(Field::new(id, name, list(ty))),
        },
        _ => {
            let key = match scalar(from) {
                Type::Float | Type::Double | Type::Binary | Type::Enum(_) => Type::String,
                key => key,
            };
            Field::new(id, name, map(key, any(from)))
        }
    }
}

/// A value of this type, nested at most `depth` levels further.
pub fn any_message(schema: &Schema, index: u32, depth: usize, from: &mut Entropy<'_>) -> Value {
    let structure = &schema.structs[index as usize];
    let mut oneofs = vec![false; structure.oneofs.len()];
    let fields = structure.fields.iter().map(|field| {
        let free = field.oneof.is_none_or(|oneof| !oneofs[oneof as usize]);
        let flat = !matches!(field.ty, Type::Struct(_) | Type::List(_) | Type::Map(..));
        let wanted = free && (depth > 0 || flat) && from.byte() & 1 == 1;
        if let (true, Some(oneof)) = (wanted, field.oneof) {
            oneofs[oneof as usize] = true;
        }
        wanted.then(|| any_value(schema, &field.ty, depth, from))
    });
    Value::of(fields.collect::<Vec<_>>())
}

fn any_value(schema: &Schema, ty: &Type, depth: usize, from: &mut Entropy<'_>) -> Value {
    match ty {
        Type::Bool => Value::Bool(from.byte() & 1 == 1),
        Type::I32 | Type::Uint32 | Type::Sint32 | Type::Fixed32 | Type::Sfixed32 => Value::Word(from.bits() as u32),
        Type::Enum(_) => Value::Word([0, 1, 2, 70, -1_i32 as u32, 99][from.below(6)]),
        Type::Float => Value::Long(f64::from(f32::from_bits(from.bits() as u32)).to_bits()),
        Type::String => Value::String(from.string().into_bytes()),
        Type::Binary => Value::Binary(from.binary()),
        Type::Struct(index) => any_message(schema, *index, depth.saturating_sub(1), from),
        Type::List(item) => Value::List((0..from.below(5)).map(|_| any_value(schema, item, depth, from)).collect()),
        Type::Map(key, value) => Value::Map(
            (0..from.below(4))
                .map(|_| (any_value(schema, key, depth, from), any_value(schema, value, depth, from)))
                .collect(),
        ),
        _ => Value::Long(from.bits()),
    }
}
