//! Types: names become indexes, typedefs what they stand for.

use pilota_thrift_parser::{Item, Ty, Type as TreeType};

use super::Build;
use super::declare::{What, dotted};
use super::positions::{Body, PathPlace, TypePlace};
use super::tokens::{Fault, Spot};
use crate::model::{Type, Typedef};
use crate::validate::MAX_TYPE_DEPTH;

/// How far something that refers to others has been followed.
#[derive(Debug, Clone)]
pub(crate) enum Progress<T> {
    /// On the way: meeting it again is a circle.
    Begun,
    /// Followed to its end; nothing if it has a mistake, which has been told.
    Done(Option<T>),
}

/// How many typedefs or constants may refer to one another in a row: each costs stack.
pub(crate) const MAX_CHAIN: usize = 128;
/// Parts of one type: a guard against typedefs that double with each level.
const MAX_TYPE_PARTS: usize = 1024;

const BUILTIN: [&str; 13] =
    ["bool", "byte", "i8", "i16", "i32", "i64", "double", "string", "binary", "uuid", "list", "set", "map"];
/// Names other languages have for the builtin types.
const FOREIGN: [(&str, &str); 10] = [
    ("int", "i32"),
    ("int32", "i32"),
    ("int64", "i64"),
    ("long", "i64"),
    ("short", "i16"),
    ("float", "double"),
    ("boolean", "bool"),
    ("bytes", "binary"),
    ("number", "double"),
    ("str", "string"),
];

impl Build<'_> {
    /// The place of a name with dots.
    pub(crate) fn path_spot(&self, file: usize, path: PathPlace) -> Spot {
        let first = self.files[file].spot(path.first);
        let last = self.files[file].spot(path.last);
        if first.line != last.line {
            return first;
        }
        Spot { width: last.column + last.width - first.column, ..first }
    }

    /// Resolves all typedefs of all files.
    pub(crate) fn typedefs(&mut self) {
        let files = self.files;
        for (file, idl) in files.iter().enumerate() {
            for (item, (tree, place)) in idl.tree.items.iter().zip(&idl.outline.items).enumerate() {
                let Item::Typedef(tree) = tree else { continue };
                if let Some(ty) = self.typedef(file, item) {
                    let doc = idl.tokens.doc(place.first, place.last);
                    self.schema.typedefs.push(Typedef { name: tree.alias.to_string(), file: file as u32, ty, doc });
                }
            }
        }
    }

    fn typedef(&mut self, file: usize, item: usize) -> Option<Type> {
        let idl = &self.files[file];
        let place = &idl.outline.items[item];
        let (Item::Typedef(tree), Body::Typedef(ty_place)) = (&idl.tree.items[item], &place.body) else { return None };
        match self.typedef_progress.get(&(file, item)) {
            Some(Progress::Done(ty)) => return ty.clone(),
            Some(Progress::Begun) => {
                let begin = self.typedef_way.iter().position(|step| *step == (file, item)).unwrap_or(0);
                let chain: Vec<String> = self.typedef_way[begin..]
                    .iter()
                    .chain([&(file, item)])
                    .map(|(file, item)| {
                        let idl = &self.files[*file];
                        format!("`{}`", idl.tokens.word(idl.outline.items[*item].name))
                    })
                    .collect();
                let fault =
                    Fault::new(idl.spot(place.name), format!("typedef `{}` stands for itself", tree.alias.as_str()))
                        .hint(format!("{}; a type that contains itself has to be a struct", chain.join(" is ")));
                self.fault(file, fault);
                return None;
            }
            None => {}
        }
        if self.typedef_way.len() >= MAX_CHAIN {
            let fault = Fault::new(idl.spot(place.name), format!("more than {MAX_CHAIN} typedefs in a row"))
                .hint("declare the ones that others stand on first");
            self.fault(file, fault);
            return None;
        }
        self.typedef_progress.insert((file, item), Progress::Begun);
        self.typedef_way.push((file, item));
        let ty = self.ty(file, &tree.r#type, ty_place);
        self.typedef_way.pop();
        self.typedef_progress.insert((file, item), Progress::Done(ty.clone()));
        ty
    }

    /// Resolves a type; tells what is wrong with it, or gives nothing if that has been told elsewhere.
    pub(crate) fn ty(&mut self, file: usize, tree: &TreeType, place: &TypePlace) -> Option<Type> {
        self.type_depth += 1;
        let is_deep = self.type_depth > MAX_TYPE_DEPTH + MAX_CHAIN;
        let ty = if is_deep { Some(Type::Bool) } else { self.inner_ty(file, tree, place) };
        self.type_depth -= 1;
        let ty = ty?;
        let (depth, parts) = measure(&ty);
        if is_deep || depth > MAX_TYPE_DEPTH || parts > MAX_TYPE_PARTS {
            let fault = Fault::new(self.path_spot(file, place.path), "this type is too large")
                .hint(format!("a type has at most {MAX_TYPE_DEPTH} levels and {MAX_TYPE_PARTS} parts; use a struct"));
            self.fault(file, fault);
            return None;
        }
        Some(ty)
    }

    fn inner_ty(&mut self, file: usize, tree: &TreeType, place: &TypePlace) -> Option<Type> {
        let inner = |build: &mut Self, tree: &TreeType, index: usize| {
            build.ty(file, tree, place.inner.get(index).unwrap_or(place)).map(Box::new)
        };
        Some(match &tree.0 {
            Ty::Bool => Type::Bool,
            Ty::Byte | Ty::I8 => Type::I8,
            Ty::I16 => Type::I16,
            Ty::I32 => Type::I32,
            Ty::I64 => Type::I64,
            Ty::Double => Type::Double,
            Ty::String => Type::String,
            Ty::Binary => Type::Binary,
            // Files older than the builtin type may declare a type of this name.
            Ty::Uuid if self.names[file].contains_key("uuid") => return self.named(file, "uuid", place),
            Ty::Uuid => Type::Uuid,
            Ty::List { value, .. } => Type::List(inner(self, value, 0)?),
            Ty::Set { value, .. } => Type::Set(inner(self, value, 0)?),
            Ty::Map { key, value, .. } => {
                // Both are looked at, so that mistakes in both are told.
                let key = inner(self, key, 0);
                let value = inner(self, value, 1);
                Type::Map(key?, value?)
            }
            Ty::Path(path) => return self.named(file, &dotted(path), place),
            Ty::Void => {
                let fault = Fault::new(self.path_spot(file, place.path), "`void` is no type of a value")
                    .hint("only the result of a method can be `void`");
                self.fault(file, fault);
                return None;
            }
        })
    }

    fn named(&mut self, file: usize, name: &str, place: &TypePlace) -> Option<Type> {
        match self.lookup(file, name) {
            Some((home, entry)) => match entry.what {
                What::Typedef => return self.typedef(home, entry.item),
                What::Enum(index) => return Some(Type::Enum(index)),
                What::Struct(index) => return Some(Type::Struct(index)),
                What::Const | What::Service(_) => {
                    let fault = Fault::new(
                        self.path_spot(file, place.path),
                        format!("`{name}` is {}, no type", entry.what.noun()),
                    );
                    self.fault(file, fault);
                }
            },
            None => {
                let foreign = FOREIGN.iter().find(|(foreign, _)| *foreign == name);
                let hint = match foreign {
                    Some((_, own)) => format!("in Thrift this is `{own}`"),
                    None => self.missing_hint(file, name, &BUILTIN, |what| {
                        matches!(what, What::Typedef | What::Enum(_) | What::Struct(_))
                    }),
                };
                let fault = Fault::new(self.path_spot(file, place.path), format!("unknown type `{name}`")).hint(hint);
                self.fault(file, fault);
            }
        }
        None
    }

    /// A type as the IDL writes it.
    pub(crate) fn type_name(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "bool".into(),
            Type::I8 => "i8".into(),
            Type::I16 => "i16".into(),
            Type::I32 => "i32".into(),
            Type::I64 => "i64".into(),
            Type::Double => "double".into(),
            Type::String => "string".into(),
            Type::Binary => "binary".into(),
            Type::Uuid => "uuid".into(),
            Type::Enum(index) => self.schema.enums[*index as usize].name.clone(),
            Type::Struct(index) => self.schema.structs[*index as usize].name.clone(),
            Type::List(element) => format!("list<{}>", self.type_name(element)),
            Type::Set(element) => format!("set<{}>", self.type_name(element)),
            Type::Map(key, value) => format!("map<{}, {}>", self.type_name(key), self.type_name(value)),
            // No Thrift IDL names a type of Protobuf.
            other => format!("{other:?}").to_lowercase(),
        }
    }
}

/// Levels of containers and number of parts.
fn measure(ty: &Type) -> (usize, usize) {
    match ty {
        Type::List(element) | Type::Set(element) => {
            let (depth, parts) = measure(element);
            (depth + 1, parts + 1)
        }
        Type::Map(key, value) => {
            let (key, value) = (measure(key), measure(value));
            (key.0.max(value.0) + 1, key.1 + value.1 + 1)
        }
        _ => (0, 1),
    }
}
