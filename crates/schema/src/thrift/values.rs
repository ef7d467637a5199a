//! Constants and defaults: values checked against their types, references followed.

use std::collections::HashMap;

use pilota_thrift_parser::{ConstValue, Item};

use super::Build;
use super::declare::{What, dotted};
use super::positions::{Body, ValuePlace};
use super::resolve::{MAX_CHAIN, Progress};
use super::tokens::{Fault, Spot};
use crate::model::{Const, Field, Requiredness, StructKind, Type, Value};

/// Levels of one value, so that its JSON stays within what JSON readers take.
const MAX_VALUE_DEPTH: usize = 32;
/// Parts of all values together: constants that name constants can double with each line.
const MAX_VALUE_PARTS: usize = 1 << 18;

/// Why a value does not fit: a message and, where there is something to say, a hint.
type Misfit = (String, Option<String>);

impl Build<'_> {
    /// Works out all constants.
    pub(crate) fn consts(&mut self) {
        let files = self.files;
        for (file, idl) in files.iter().enumerate() {
            for (item, (tree, place)) in idl.tree.items.iter().zip(&idl.outline.items).enumerate() {
                let Item::Constant(tree) = tree else { continue };
                if let Some((ty, value)) = self.constant(file, item) {
                    let doc = idl.tokens.doc(place.first, place.last);
                    let name = tree.name.to_string();
                    self.schema.consts.push(Const { name, file: file as u32, ty, value, doc });
                }
            }
        }
    }

    /// Works out the defaults of all fields.
    pub(crate) fn defaults(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let (Some(tree), Some(place)) = (&pending.tree.default, &pending.place.default) else { continue };
            let structure = &self.schema.structs[pending.structure as usize];
            let kind = structure.kind;
            let ty = structure.fields[pending.field].ty.clone();
            if kind == StructKind::Union {
                let fault = Fault::new(self.path_spot(pending.file, place.path), "a field of a union has no default")
                    .hint("of a union's fields exactly one is present: leave the default out");
                self.fault(pending.file, fault);
                continue;
            }
            let value = self.value(pending.file, &ty, tree, place, 0);
            self.schema.structs[pending.structure as usize].fields[pending.field].default = value;
        }
    }

    fn constant(&mut self, file: usize, item: usize) -> Option<(Type, Value)> {
        let idl = &self.files[file];
        let place = &idl.outline.items[item];
        let (Item::Constant(tree), Body::Const(ty_place, value_place)) = (&idl.tree.items[item], &place.body) else {
            return None;
        };
        let circle = match self.const_progress.get(&(file, item)) {
            Some(Progress::Done(done)) => return done.clone(),
            Some(Progress::Begun) => true,
            None => false,
        };
        if circle || self.const_way.len() >= MAX_CHAIN {
            let message = if circle {
                format!("constant `{}` is made of itself", tree.name.as_str())
            } else {
                format!("more than {MAX_CHAIN} constants in a row")
            };
            self.fault(file, Fault::new(idl.spot(place.name), message).hint("write one of the values out"));
            return None;
        }
        self.const_progress.insert((file, item), Progress::Begun);
        self.const_way.push((file, item));
        let done = self
            .ty(file, &tree.r#type, ty_place)
            .and_then(|ty| self.value(file, &ty, &tree.value, value_place, 0).map(|value| (ty, value)));
        self.const_way.pop();
        self.const_progress.insert((file, item), Progress::Done(done.clone()));
        done
    }

    fn misfit(&mut self, file: usize, spot: Spot, (message, hint): Misfit) {
        let fault = Fault { spot, message, hint };
        self.fault(file, fault);
    }

    /// Checks a value against its type; tells what is wrong with it.
    fn value(&mut self, file: usize, ty: &Type, tree: &ConstValue, place: &ValuePlace, depth: usize) -> Option<Value> {
        let spot = self.path_spot(file, place.path);
        self.value_parts += 1;
        if depth > MAX_VALUE_DEPTH {
            self.misfit(file, spot, (format!("this value is nested deeper than {MAX_VALUE_DEPTH}"), None));
            return None;
        }
        let inner = |index: usize| place.inner.get(index).unwrap_or(place);
        match (ty, tree) {
            (_, ConstValue::Path(path)) => self.reference(file, ty, &dotted(path), spot, depth),
            (Type::List(element) | Type::Set(element), ConstValue::List(values)) => {
                let values: Vec<_> = values
                    .iter()
                    .enumerate()
                    .map(|(i, value)| self.value(file, element, value, inner(i), depth + 1))
                    .collect();
                values.into_iter().collect::<Option<Vec<_>>>().map(Value::List)
            }
            (Type::Map(key, value), ConstValue::Map(pairs)) => {
                let pairs: Vec<_> = pairs
                    .iter()
                    .enumerate()
                    .map(|(i, (k, v))| {
                        let k = self.value(file, key, k, inner(2 * i), depth + 1);
                        let v = self.value(file, value, v, inner(2 * i + 1), depth + 1);
                        k.zip(v)
                    })
                    .collect();
                pairs.into_iter().collect::<Option<Vec<_>>>().map(Value::Map)
            }
            (Type::Struct(index), ConstValue::Map(pairs)) => self.struct_value(file, *index, pairs, place, depth),
            _ => {
                let value = self.scalar(file, ty, tree);
                value.map_err(|misfit| self.misfit(file, spot, misfit)).ok()
            }
        }
    }

    fn scalar(&self, file: usize, ty: &Type, tree: &ConstValue) -> Result<Value, Misfit> {
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

    fn wrong(&self, file: usize, ty: &Type, found: &str) -> Misfit {
        let hint = match ty {
            Type::Bool => "write `true` or `false`".into(),
            Type::I8 | Type::I16 | Type::I32 | Type::I64 => "write an integer such as `12`".into(),
            Type::Double => "write a number such as `1.5`".into(),
            Type::String | Type::Binary => "write it in quotes".into(),
            Type::Uuid => UUID_HINT.into(),
            Type::Enum(index) => self.enum_hint(file, *index),
            Type::Struct(_) => "write the fields: `{\"field\": value}`".into(),
            Type::List(_) | Type::Set(_) => "write the elements: `[1, 2]`".into(),
            Type::Map(..) => "write the pairs: `{\"key\": value}`".into(),
        };
        (format!("expected a value of type `{}`, found {found}", self.type_name(ty)), Some(hint))
    }

    fn enum_hint(&self, file: usize, index: u32) -> String {
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

    fn integer(&self, file: usize, ty: &Type, value: i64) -> Result<Value, Misfit> {
        let range = match ty {
            Type::Bool if value == 0 || value == 1 => return Ok(Value::Bool(value == 1)),
            Type::Double => {
                let double = value as f64;
                // 2^63 is the one double that saturates on the way back.
                return if double as i64 == value && double < 9_223_372_036_854_775_808.0 {
                    Ok(Value::Double(double))
                } else {
                    Err((format!("{value} has no exact double"), Some(format!("write `{value}.0` if rounding is fine"))))
                };
            }
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

    fn string(&self, file: usize, ty: &Type, text: &str) -> Result<Value, Misfit> {
        match ty {
            Type::String | Type::Binary => Ok(Value::String(text.to_owned())),
            Type::Uuid if is_uuid(text) => Ok(Value::String(text.to_ascii_lowercase())),
            Type::Uuid => Err((format!("`{}` is no uuid", text.escape_debug()), Some(UUID_HINT.into()))),
            _ => Err(self.wrong(file, ty, "a string")),
        }
    }

    fn struct_value(
        &mut self,
        file: usize,
        index: u32,
        pairs: &[(ConstValue, ConstValue)],
        place: &ValuePlace,
        depth: usize,
    ) -> Option<Value> {
        let inner = |index: usize| place.inner.get(index).unwrap_or(place);
        let structure = &self.schema.structs[index as usize];
        let (name, kind) = (structure.name.clone(), structure.kind);
        let fields: Vec<Field> = structure.fields.clone();
        let mut values: Vec<Option<Value>> = vec![None; fields.len()];
        let mut sound = true;
        let mut given = HashMap::new();
        for (i, (key, value)) in pairs.iter().enumerate() {
            let key_spot = self.path_spot(file, inner(2 * i).path);
            let ConstValue::String(key) = key else {
                self.misfit(file, key_spot, ("expected the name of a field in quotes".into(), None));
                sound = false;
                continue;
            };
            let Some(at) = fields.iter().position(|field| field.name == key.0) else {
                let near = crate::names::nearest(&key.0, fields.iter().map(|field| field.name.as_str()));
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                self.misfit(file, key_spot, (format!("`{name}` has no field `{}`", key.0.escape_debug()), hint));
                sound = false;
                continue;
            };
            if given.insert(at, ()).is_some() {
                self.misfit(file, key_spot, (format!("field `{}` is given twice", key.0), None));
                sound = false;
            }
            values[at] = self.value(file, &fields[at].ty, value, inner(2 * i + 1), depth + 1);
            sound &= values[at].is_some();
        }
        let spot = self.path_spot(file, place.path);
        if kind == StructKind::Union && given.len() != 1 {
            let message = format!("a value of union `{name}` has exactly one field, this has {}", given.len());
            self.misfit(file, spot, (message, None));
            return None;
        }
        for (at, field) in fields.iter().enumerate() {
            let missing = field.requiredness == Requiredness::Required && field.default.is_none();
            if missing && !given.contains_key(&at) && !self.with_default.contains(&(index, at)) {
                let hint = format!("add `\"{}\": …`", field.name);
                self.misfit(file, spot, (format!("required field `{name}.{}` is missing", field.name), Some(hint)));
                sound = false;
            }
        }
        let values = fields.into_iter().zip(values).filter_map(|(field, value)| Some((field.name, value?)));
        sound.then(|| Value::Struct(values.collect()))
    }

    /// A name in place of a value: a constant or a member of an enum.
    fn reference(&mut self, file: usize, ty: &Type, name: &str, spot: Spot, depth: usize) -> Option<Value> {
        let (from, value) = match self.referred(file, name) {
            Some(found) => found?,
            None => {
                let hint = match ty {
                    Type::Enum(index) => self.enum_hint_for(file, *index, name),
                    Type::String => format!("write `\"{name}\"` if this is the text itself"),
                    _ => self.missing_hint(file, name, &["true", "false"], |what| what == What::Const),
                };
                self.misfit(file, spot, (format!("unknown constant `{name}`"), Some(hint)));
                return None;
            }
        };
        let (levels, parts) = measure(&value);
        self.value_parts += parts;
        if depth + levels > MAX_VALUE_DEPTH || self.value_parts > MAX_VALUE_PARTS {
            let hint = format!("values have at most {MAX_VALUE_DEPTH} levels, and {MAX_VALUE_PARTS} parts all together");
            self.misfit(file, spot, ("this value is too large".into(), Some(hint)));
            return None;
        }
        match self.fit(file, &from, ty, value) {
            Ok(value) => Some(value),
            Err((message, hint)) => {
                self.misfit(file, spot, (format!("`{name}` does not fit here: {message}"), hint));
                None
            }
        }
    }

    fn enum_hint_for(&self, file: usize, index: u32, name: &str) -> String {
        let declared = &self.schema.enums[index as usize];
        let member = name.rsplit('.').next().unwrap_or(name);
        match crate::names::nearest(member, declared.members.iter().map(|member| member.name.as_str())) {
            Some(near) => format!("did you mean `{}.{near}`?", self.enum_name(file, index)),
            None => self.enum_hint(file, index),
        }
    }

    /// What a name refers to; the outer none if to nothing, the inner if to something with a mistake of its own.
    fn referred(&mut self, file: usize, name: &str) -> Option<Option<(Type, Value)>> {
        if let Some((home, member)) = name.rsplit_once('.')
            && let Some((_, entry)) = self.lookup(file, home)
            && let What::Enum(index) = entry.what
        {
            let declared = &self.schema.enums[index as usize];
            if let Some(member) = declared.members.iter().find(|other| other.name == member) {
                return Some(Some((Type::Enum(index), Value::Int(member.value.to_string()))));
            }
        }
        let (home, entry) = self.lookup(file, name)?;
        (entry.what == What::Const).then(|| self.constant(home, entry.item))
    }

    /// A checked value of one type as a value of another.
    fn fit(&self, file: usize, from: &Type, to: &Type, value: Value) -> Result<Value, Misfit> {
        if from == to {
            return Ok(value);
        }
        match (from, to, value) {
            // Enums become integers, and integers anything that a literal could become.
            (Type::I8 | Type::I16 | Type::I32 | Type::I64, _, Value::Int(text))
            | (Type::Enum(_), Type::I8 | Type::I16 | Type::I32 | Type::I64, Value::Int(text)) => match text.parse() {
                Ok(number) => self.integer(file, to, number),
                Err(_) => Err(self.wrong(file, to, "an integer")),
            },
            (Type::String | Type::Binary | Type::Uuid, _, Value::String(text)) => self.string(file, to, &text),
            (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to), Value::List(values)) => {
                let values: Result<Vec<_>, _> = values.into_iter().map(|value| self.fit(file, from, to, value)).collect();
                values.map(Value::List)
            }
            (Type::Map(from_key, from), Type::Map(to_key, to), Value::Map(pairs)) => {
                let pairs: Result<Vec<_>, _> =
                    pairs.into_iter().map(|(k, v)| Ok((self.fit(file, from_key, to_key, k)?, self.fit(file, from, to, v)?))).collect();
                pairs.map(Value::Map)
            }
            _ => Err(self.wrong(file, to, &format!("one of type `{}`", self.type_name(from)))),
        }
    }
}

const UUID_HINT: &str = "write it as `\"00112233-4455-6677-8899-aabbccddeeff\"`";

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
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

/// Levels and parts of a value.
fn measure(value: &Value) -> (usize, usize) {
    let all = |values: &mut dyn Iterator<Item = &Value>| {
        let (levels, parts) = values.map(measure).fold((0, 0), |(l, p), (levels, parts)| (l.max(levels), p + parts));
        (levels + 1, parts + 1)
    };
    match value {
        Value::List(values) => all(&mut values.iter()),
        Value::Map(pairs) => all(&mut pairs.iter().flat_map(|(key, value)| [key, value])),
        Value::Struct(fields) => all(&mut fields.iter().map(|(_, value)| value)),
        _ => (0, 1),
    }
}
