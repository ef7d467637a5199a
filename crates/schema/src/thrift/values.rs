//! Constants and defaults: values checked against their types, references followed.

use std::collections::HashSet;

use pilota_thrift_parser::{ConstValue, Item};

use super::Build;
use super::declare::{What, dotted};
use super::literals::Misfit;
use super::positions::{Body, ValuePlace};
use super::resolve::{MAX_CHAIN, Progress};
use super::tokens::{Fault, Spot};
use crate::model::{Const, Field, Requiredness, StructKind, Type, Value};

/// Levels of one value, so that its JSON stays within what JSON readers take.
const MAX_VALUE_DEPTH: usize = 32;
/// Parts of all values together: constants that name constants can double with each line.
const MAX_VALUE_PARTS: usize = 1 << 18;

/// A name that refers to nothing.
struct Unknown;

impl Build<'_> {
    /// Works out all constants.
    pub(crate) fn consts(&mut self) {
        let files = self.files;
        for (file, idl) in files.iter().enumerate() {
            for (item, (tree, place)) in idl.tree.items.iter().zip(&idl.outline.items).enumerate() {
                let Item::Constant(tree) = tree else { continue };
                if let Some((ty, value)) = self.constant(file, item, 0) {
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
            let value = self.value(pending.file, &ty, tree, place, 0);
            if kind == StructKind::Union {
                // In other languages this is what a new, empty union holds. A union of ours always names its case.
                continue;
            }
            self.schema.structs[pending.structure as usize].fields[pending.field].default = value;
        }
    }

    fn constant(&mut self, file: usize, item: usize, depth: usize) -> Option<(Type, Value)> {
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
        // The depth goes on from where the constant is named: it bounds the stack, and the value would be as deep.
        self.const_way.push((file, item));
        let done = self
            .ty(file, &tree.r#type, ty_place)
            .and_then(|ty| self.value(file, &ty, &tree.value, value_place, depth).map(|value| (ty, value)));
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
            // Apache's compiler takes either pair of brackets where there is nothing between them.
            (Type::List(_) | Type::Set(_), ConstValue::Map(pairs)) if pairs.is_empty() => Some(Value::List(Vec::new())),
            (Type::Map(..), ConstValue::List(values)) if values.is_empty() => Some(Value::Map(Vec::new())),
            (Type::Struct(index), ConstValue::Map(pairs)) => self.struct_value(file, *index, pairs, place, depth),
            _ => {
                let value = self.scalar(file, ty, tree);
                value.map_err(|misfit| self.misfit(file, spot, misfit)).ok()
            }
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
        let mut given = HashSet::new();
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
            if !given.insert(at) {
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
            if missing && !given.contains(&at) && !self.with_default.contains(&(index, at)) {
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
        let (from, value) = match self.referred(file, ty, name, depth) {
            Ok(found) => found?,
            Err(Unknown) => {
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
            let hint =
                format!("values have at most {MAX_VALUE_DEPTH} levels, and {MAX_VALUE_PARTS} parts all together");
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

    /// What a name refers to; none if to something with a mistake of its own, which has been told.
    fn referred(&mut self, file: usize, ty: &Type, name: &str, depth: usize) -> Result<Option<(Type, Value)>, Unknown> {
        let named = match name.rsplit_once('.').map(|(home, _)| self.lookup(file, home)) {
            Some(Some((_, entry))) => match entry.what {
                What::Enum(index) => self.member(index, name),
                _ => None,
            },
            _ => None,
        };
        if let Some(found) = named {
            return Ok(Some(found));
        }
        if let Some((home, entry)) = self.lookup(file, name) {
            return if entry.what == What::Const { Ok(self.constant(home, entry.item, depth)) } else { Err(Unknown) };
        }
        // Where an enum is expected, its name or the way to it may be left out: `RED`, `Color.RED`, `base.RED`.
        let Type::Enum(index) = ty else { return Err(Unknown) };
        let declared = &self.schema.enums[*index as usize];
        let plain = name.rsplit_once('.').is_none_or(|(home, _)| {
            home == declared.name || self.files[file].included(home) == Some(declared.file as usize)
        });
        let member = if plain { self.member(*index, name) } else { None };
        member.map(Some).ok_or(Unknown)
    }

    /// The member of an enum that the last part of a name names.
    fn member(&self, index: u32, name: &str) -> Option<(Type, Value)> {
        let name = name.rsplit('.').next()?;
        let member = self.schema.enums[index as usize].members.iter().find(|member| member.name == name)?;
        Some((Type::Enum(index), Value::Int(member.value.to_string())))
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
                let values: Result<Vec<_>, _> =
                    values.into_iter().map(|value| self.fit(file, from, to, value)).collect();
                values.map(Value::List)
            }
            (Type::Map(from_key, from), Type::Map(to_key, to), Value::Map(pairs)) => {
                let pairs: Result<Vec<_>, _> = pairs
                    .into_iter()
                    .map(|(k, v)| Ok((self.fit(file, from_key, to_key, k)?, self.fit(file, from, to, v)?)))
                    .collect();
                pairs.map(Value::Map)
            }
            _ => Err(self.wrong(file, to, &format!("one of type `{}`", self.type_name(from)))),
        }
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
