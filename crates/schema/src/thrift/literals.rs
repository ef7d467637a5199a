//! Literals of values: numbers, texts, members of enums.

use pilota_thrift_parser::ConstValue;

use super::Build;
use crate::model::{Type, Value};

/// Why a value does not fit: a message and, where there is something to say, a hint.
pub(crate) type Misfit = (String, Option<String>);

impl Build<'_> {
    /// A literal that is no container, as a value of a type.
    pub(crate) fn scalar(&self, file: usize, ty: &Type, tree: &ConstValue) -> Result<Value, Misfit> {
        match tree {
            ConstValue::Bool(value) if *ty == Type::Bool => Ok(Value::Bool(*value)),
            ConstValue::Int(value) => self.integer(file, ty, value.0),
            ConstValue::Double(text) if *ty == Type::Double => match text.0.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Value::Double(value)),
                _ => Err((format!("`{}` does not fit into a double", text.0), None)),
            },
            ConstValue::String(text) => self.string(file, ty, &text.0),
            _ => Err(self.wrong(file, ty, describe(tree))),
        }
    }

    /// A value of another type than expected.
    pub(crate) fn wrong(&self, file: usize, ty: &Type, found: &str) -> Misfit {
        let hint = match ty {
            Type::Bool => "write `true` or `false`".into(),
            Type::I8
            | Type::I16
            | Type::I32
            | Type::I64
            | Type::Uint32
            | Type::Sint32
            | Type::Fixed32
            | Type::Sfixed32
            | Type::Uint64
            | Type::Sint64
            | Type::Fixed64
            | Type::Sfixed64 => "write an integer such as `12`".into(),
            Type::Double | Type::Float => "write a number such as `1.5`".into(),
            Type::String | Type::Binary => "write it in quotes".into(),
            Type::Uuid => UUID_HINT.into(),
            Type::Enum(index) => self.enum_hint(file, *index),
            Type::Struct(_) => "write the fields: `{\"field\": value}`".into(),
            Type::List(_) | Type::Set(_) => "write the elements: `[1, 2]`".into(),
            Type::Map(..) => "write the pairs: `{\"key\": value}`".into(),
        };
        (format!("expected a value of type `{}`, found {found}", self.type_name(ty)), Some(hint))
    }

    /// What to write for a value of an enum.
    pub(crate) fn enum_hint(&self, file: usize, index: u32) -> String {
        let declared = &self.schema.enums[index as usize];
        match declared.members.first() {
            Some(first) => format!("write a member such as `{}.{}`", self.enum_name(file, index), first.name),
            None => format!("enum `{}` has no members", declared.name),
        }
    }

    /// An enum's name as this file has to write it.
    fn enum_name(&self, file: usize, index: u32) -> String {
        let declared = &self.schema.enums[index as usize];
        let stem = self.files[file].includes.iter().find(|(_, home)| *home == declared.file as usize);
        match stem {
            Some((stem, _)) if declared.file as usize != file => format!("{stem}.{}", declared.name),
            _ => declared.name.clone(),
        }
    }

    /// An integer as a value of a type.
    pub(crate) fn integer(&self, file: usize, ty: &Type, value: i64) -> Result<Value, Misfit> {
        let range = match ty {
            Type::Bool if value == 0 || value == 1 => return Ok(Value::Bool(value == 1)),
            // Rounded to the nearest one, as any other literal of a double.
            #[allow(clippy::cast_precision_loss)]
            Type::Double => return Ok(Value::Double(value as f64)),
            Type::I8 => (i64::from(i8::MIN), i64::from(i8::MAX)),
            Type::I16 => (i64::from(i16::MIN), i64::from(i16::MAX)),
            Type::I32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
            Type::I64 => (i64::MIN, i64::MAX),
            Type::Enum(index) => {
                let declared = &self.schema.enums[*index as usize];
                return if declared.members.iter().any(|member| i64::from(member.value) == value) {
                    Ok(Value::Int(value.to_string()))
                } else {
                    Err((format!("enum `{}` has no member {value}", declared.name), Some(self.enum_hint(file, *index))))
                };
            }
            _ => return Err(self.wrong(file, ty, "an integer")),
        };
        if value < range.0 || value > range.1 {
            let name = self.type_name(ty);
            return Err((
                format!("{value} does not fit into `{name}`"),
                Some(format!("`{name}` goes from {} to {}", range.0, range.1)),
            ));
        }
        Ok(Value::Int(value.to_string()))
    }

    /// A text as a value of a type.
    pub(crate) fn string(&self, file: usize, ty: &Type, text: &str) -> Result<Value, Misfit> {
        match ty {
            Type::String | Type::Binary => Ok(Value::String(text.to_owned())),
            Type::Uuid => canonical_uuid(text)
                .map(Value::String)
                .ok_or_else(|| (format!("`{}` is no uuid", text.escape_debug()), Some(UUID_HINT.into()))),
            _ => Err(self.wrong(file, ty, "a string")),
        }
    }

    /// What to write for a name that is no member of an enum.
    pub(crate) fn enum_hint_for(&self, file: usize, index: u32, name: &str) -> String {
        let declared = &self.schema.enums[index as usize];
        let member = name.rsplit('.').next().unwrap_or(name);
        match crate::names::nearest(member, declared.members.iter().map(|member| member.name.as_str())) {
            Some(near) => format!("did you mean `{}.{near}`?", self.enum_name(file, index)),
            None => self.enum_hint(file, index),
        }
    }
}

const UUID_HINT: &str = "write it as `\"00112233-4455-6677-8899-aabbccddeeff\"`";

/// A uuid in lower case and without braces.
fn canonical_uuid(text: &str) -> Option<String> {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let sound = bare.len() == 36
        && bare.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    sound.then(|| bare.to_ascii_lowercase())
}

fn describe(tree: &ConstValue) -> &'static str {
    match tree {
        ConstValue::Bool(_) => "a bool",
        ConstValue::Path(_) => "a name",
        ConstValue::String(_) => "a string",
        ConstValue::Int(_) => "an integer",
        ConstValue::Double(_) => "a double",
        ConstValue::List(_) => "a list",
        ConstValue::Map(_) => "a map",
    }
}
