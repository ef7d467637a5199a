//! Checks a schema that came from outside, so that codecs may index into it without a second look.

use std::collections::HashSet;

use crate::model::{Field, Method, Requiredness, Schema, Service, Struct, StructKind, Type};

/// Most fields a struct may have.
pub const MAX_FIELDS: usize = 4096;
/// Largest number of a field of a Protobuf message.
pub const MAX_FIELD_NUMBER: i32 = (1 << 29) - 1;
/// How deep containers may be nested in a type: as deep as JSON readers follow (128 levels, of which a map takes two).
pub const MAX_TYPE_DEPTH: usize = 48;

impl Schema {
    /// Checks every index and limit: what it accepts, codecs can trust.
    ///
    /// Defaults and constants are not compared with their types: no codec reads them.
    ///
    /// # Errors
    /// One sentence about the first contradiction.
    pub fn validate(&self) -> Result<(), String> {
        // Schemas written by hand may leave the files out; everything is then of file 0.
        let files = self.files.len().max(1);
        let in_file = |file: u32, name: &str| within(file, files, || format!("file of `{name}`"));
        for file in &self.files {
            file.includes.iter().try_for_each(|i| within(*i, files, || format!("include of `{}`", file.path)))?;
        }
        for declared in &self.enums {
            in_file(declared.file, &declared.name)?;
            unique(declared.members.iter().map(|m| &m.name), || format!("member of enum `{}`", declared.name))?;
        }
        for structure in &self.structs {
            in_file(structure.file, &structure.name)?;
            self.check_struct(structure)?;
        }
        for declared in &self.typedefs {
            in_file(declared.file, &declared.name)?;
            self.check_type(&declared.ty, 0).map_err(|e| format!("typedef `{}`: {e}", declared.name))?;
        }
        for declared in &self.consts {
            in_file(declared.file, &declared.name)?;
            self.check_type(&declared.ty, 0).map_err(|e| format!("const `{}`: {e}", declared.name))?;
        }
        self.methods.iter().try_for_each(|method| self.check_method(method))?;
        for service in &self.services {
            in_file(service.file, &service.name)?;
            self.check_service(service)?;
        }
        Ok(())
    }

    fn check_struct(&self, structure: &Struct) -> Result<(), String> {
        let name = &structure.name;
        let fields = &structure.fields;
        if fields.len() > MAX_FIELDS {
            return Err(format!("struct `{name}` has {} fields; {MAX_FIELDS} is the limit", fields.len()));
        }
        unique(fields.iter().map(|f| f.id), || format!("field id of struct `{name}`"))?;
        unique(fields.iter().map(|f| &f.name), || format!("field name of struct `{name}`"))?;
        for Field { name: field, ty, oneof, .. } in fields {
            self.check_type(ty, 0).map_err(|e| format!("`{name}.{field}`: {e}"))?;
            if let Some(oneof) = oneof {
                within(*oneof, structure.oneofs.len(), || format!("oneof of `{name}.{field}`"))?;
            }
        }
        if structure.kind == StructKind::Message {
            fields.iter().try_for_each(|field| {
                check_message_field(field).map_err(|e| format!("`{name}.{}`: {e}", field.name))
            })?;
        }
        if structure.kind == StructKind::Opaque && !fields.is_empty() {
            return Err(format!("`{name}` is opaque and has fields"));
        }
        Ok(())
    }

    fn check_type(&self, ty: &Type, depth: usize) -> Result<(), String> {
        if depth > MAX_TYPE_DEPTH {
            return Err(format!("its type is nested deeper than {MAX_TYPE_DEPTH}"));
        }
        match ty {
            Type::Enum(index) => within(*index, self.enums.len(), || "enum".into()),
            Type::Struct(index) => {
                within(*index, self.structs.len(), || "struct".into())?;
                let target = &self.structs[*index as usize];
                if matches!(target.kind, StructKind::Args | StructKind::Result | StructKind::Opaque) {
                    return Err(format!("`{}` is a method's own struct and cannot be a type", target.name));
                }
                Ok(())
            }
            Type::List(element) | Type::Set(element) => self.check_type(element, depth + 1),
            Type::Map(key, value) => {
                self.check_type(key, depth + 1)?;
                self.check_type(value, depth + 1)
            }
            _ => Ok(()),
        }
    }

    fn check_method(&self, method: &Method) -> Result<(), String> {
        let name = &method.name;
        within(method.service, self.services.len(), || format!("service of method `{name}`"))?;
        if self.message(method.args).is_some() {
            let answers = method.result.is_some_and(|response| self.message(response).is_some());
            return if answers && !method.oneway {
                Ok(())
            } else {
                Err(format!("method `{name}` takes a message and answers with none"))
            };
        }
        self.check_part(method.args, StructKind::Args, name)?;
        match method.result {
            Some(_) if method.oneway => Err(format!("oneway method `{name}` has a result")),
            None if !method.oneway => Err(format!("method `{name}` has no result struct")),
            Some(result) => self.check_part(result, StructKind::Result, name),
            None => Ok(()),
        }
    }

    fn message(&self, index: u32) -> Option<&Struct> {
        self.structs.get(index as usize).filter(|structure| structure.kind.is_message())
    }

    fn check_part(&self, index: u32, kind: StructKind, method: &str) -> Result<(), String> {
        within(index, self.structs.len(), || format!("struct of method `{method}`"))?;
        let structure = &self.structs[index as usize];
        if structure.kind != kind {
            return Err(format!("method `{method}` uses `{}` as its {kind:?}, which it is not", structure.name));
        }
        Ok(())
    }

    fn check_service(&self, service: &Service) -> Result<(), String> {
        let name = &service.name;
        if let Some(base) = service.extends {
            within(base, self.services.len(), || format!("base of service `{name}`"))?;
        }
        let mut base = service.extends;
        for _ in 0..self.services.len() {
            if base.is_none() {
                break;
            }
            base = base.and_then(|b| self.services.get(b as usize)).and_then(|b| b.extends);
        }
        if base.is_some() {
            return Err(format!("service `{name}` extends itself"));
        }
        for method in &service.methods {
            within(*method, self.methods.len(), || format!("method of service `{name}`"))?;
        }
        let names = service.methods.iter().map(|m| &self.methods[*m as usize].name);
        unique(names, || format!("method of service `{name}`"))
    }
}

/// What Protobuf asks of a field beside what every schema does.
fn check_message_field(field: &Field) -> Result<(), String> {
    if !(1..=MAX_FIELD_NUMBER).contains(&field.id) {
        return Err(format!("its number is {}; numbers are 1 to {MAX_FIELD_NUMBER}", field.id));
    }
    let is_single = |ty: &Type| !matches!(ty, Type::List(_) | Type::Set(_) | Type::Map(..));
    match &field.ty {
        Type::Set(_) => return Err("Protobuf has no sets".into()),
        Type::List(element) if !is_single(element) => return Err("it repeats what is repeated".into()),
        Type::Map(_, value) if !is_single(value) => return Err("the values of its map are repeated".into()),
        Type::Map(key, _) if !is_map_key(key) => {
            return Err("the key of a map is an integer, a bool or a string".into());
        }
        _ => {}
    }
    match field.oneof {
        Some(_) if !is_single(&field.ty) => Err("a member of a oneof is repeated".into()),
        Some(_) if field.requiredness != Requiredness::Optional => Err("a member of a oneof is not optional".into()),
        _ => Ok(()),
    }
}

fn is_map_key(ty: &Type) -> bool {
    use Type::{Bool, Fixed32, Fixed64, I32, I64, Sfixed32, Sfixed64, Sint32, Sint64, String, Uint32, Uint64};
    matches!(
        ty,
        Bool | I32 | I64 | Uint32 | Uint64 | Sint32 | Sint64 | Fixed32 | Fixed64 | Sfixed32 | Sfixed64 | String
    )
}

fn within(index: u32, len: usize, what: impl Fn() -> String) -> Result<(), String> {
    if (index as usize) < len { Ok(()) } else { Err(format!("{}: index {index}, but there are {len}", what())) }
}

fn unique<T: std::hash::Hash + Eq + std::fmt::Display>(
    names: impl Iterator<Item = T>,
    what: impl Fn() -> String,
) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        let text = name.to_string();
        if !seen.insert(name) {
            return Err(format!("{} `{text}` is there twice", what()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EnumMember;
    use crate::thrift::testing::load_one;

    const IDL: &str = "
        enum Color { RED, GREEN }
        struct Item { 1: Color color, 2: list<Item> more }
        typedef Item Thing
        const i32 ONE = 1
        service Base { void ping() }
        service Shop extends Base { Item get(1: i64 id), oneway void log(1: string line) }";

    /// A change, and what is told of it.
    type Case<'a> = (&'a dyn Fn(&mut Schema), &'a str);

    fn broken(change: impl Fn(&mut Schema)) -> String {
        let mut schema = load_one(IDL);
        schema.validate().expect("sound before the change");
        change(&mut schema);
        schema.validate().expect_err("broken by the change")
    }

    fn nested(depth: usize) -> Type {
        (0..depth).fold(Type::I32, |ty, _| Type::List(Box::new(ty)))
    }

    #[test]
    fn indexes_have_to_be_in_range() {
        let cases: [Case<'_>; 14] = [
            (&|s| s.structs[0].file = 9, "file of `Item`: index 9, but there are 1"),
            (&|s| s.files[0].includes.push(4), "include of `a.thrift`: index 4, but there are 1"),
            (&|s| s.structs[0].fields[0].ty = Type::Enum(1), "`Item.color`: enum: index 1, but there are 1"),
            (&|s| s.structs[0].fields[1].ty = Type::Set(Box::new(Type::Struct(99))), "`Item.more`: struct: index 99"),
            (&|s| s.typedefs[0].ty = Type::Struct(99), "typedef `Thing`: struct: index 99"),
            (&|s| s.consts[0].ty = Type::Enum(99), "const `ONE`: enum: index 99"),
            (&|s| s.structs[0].fields[1].ty = Type::Struct(1), "is a method's own struct and cannot be a type"),
            (&|s| s.methods[0].service = 5, "service of method `ping`: index 5"),
            (&|s| s.methods[0].args = 77, "struct of method `ping`: index 77"),
            (&|s| s.methods[0].args = 0, "method `ping` uses `Item` as its Args, which it is not"),
            (&|s| s.methods[0].result = Some(s.methods[0].args), "as its Result, which it is not"),
            (&|s| s.services[1].methods.push(8), "method of service `Shop`: index 8"),
            (&|s| s.services[1].extends = Some(8), "base of service `Shop`: index 8"),
            (&|s| s.enums[0].file = 2, "file of `Color`: index 2"),
        ];
        for (change, message) in cases {
            let told = broken(change);
            assert!(told.contains(message), "expected {message}, told {told}");
        }
    }

    #[test]
    fn names_and_ids_have_to_be_unique() {
        assert_eq!(broken(|s| s.structs[0].fields[1].id = 1), "field id of struct `Item` `1` is there twice");
        let twice = |s: &mut Schema| s.structs[0].fields[1].name = "color".into();
        assert_eq!(broken(twice), "field name of struct `Item` `color` is there twice");
        let red = EnumMember { name: "RED".into(), value: 9, doc: String::new() };
        assert!(broken(|s| s.enums[0].members.push(red.clone())).contains("`RED` is there twice"));
        assert!(broken(|s| s.services[1].methods.push(0)).contains("`ping` is there twice"));
    }

    #[test]
    fn methods_have_results_unless_they_are_oneway() {
        assert_eq!(broken(|s| s.methods[0].result = None), "method `ping` has no result struct");
        assert_eq!(broken(|s| s.methods[0].oneway = true), "oneway method `ping` has a result");
    }

    #[test]
    fn services_do_not_extend_themselves() {
        assert_eq!(broken(|s| s.services[0].extends = Some(1)), "service `Base` extends itself");
    }

    #[test]
    fn messages_have_to_be_protobufs() {
        const IDL: &str = "syntax = \"proto3\"; message A { int32 a = 1; repeated A b = 2; map<string, A> c = 3; oneof d { int32 e = 4; } }
            service S { rpc M(A) returns (A); }";
        let cases: [Case<'_>; 10] = [
            (&|s| s.structs[0].fields[0].id = 0, "`A.a`: its number is 0; numbers are 1 to 536870911"),
            (&|s| s.structs[0].fields[0].id = 1 << 29, "`A.a`: its number is 536870912"),
            (&|s| s.structs[0].fields[0].id = 2, "field id of struct `A` `2` is there twice"),
            (&|s| s.structs[0].fields[1].ty = nested(2), "`A.b`: it repeats what is repeated"),
            (&|s| s.structs[0].fields[1].ty = Type::Set(Box::new(Type::I32)), "`A.b`: Protobuf has no sets"),
            (
                &|s| s.structs[0].fields[2].ty = Type::Map(Box::new(Type::Float), Box::new(Type::I32)),
                "`A.c`: the key of a map",
            ),
            (
                &|s| s.structs[0].fields[2].ty = Type::Map(Box::new(Type::I32), Box::new(nested(1))),
                "`A.c`: the values of its map",
            ),
            (&|s| s.structs[0].fields[3].ty = nested(1), "`A.e`: a member of a oneof is repeated"),
            (
                &|s| s.structs[0].fields[3].requiredness = Requiredness::Default,
                "`A.e`: a member of a oneof is not optional",
            ),
            (&|s| s.methods[0].result = None, "method `M` takes a message and answers with none"),
        ];
        for (change, message) in cases {
            let mut schema = crate::proto::testing::load_one(IDL);
            change(&mut schema);
            let told = schema.validate().expect_err("broken by the change");
            assert!(told.contains(message), "expected {message}, told {told}");
        }
    }

    #[test]
    fn sizes_are_limited() {
        let mut schema = load_one(IDL);
        schema.structs[0].fields[0].ty = nested(MAX_TYPE_DEPTH);
        schema.validate().expect("just deep enough");
        assert!(broken(|s| s.structs[0].fields[0].ty = nested(MAX_TYPE_DEPTH + 1)).contains("nested deeper"));
        let field = |id: i32| Field::new(id, format!("f{id}"), Type::Bool);
        schema.structs[0].fields = (0..MAX_FIELDS as i32).map(field).collect();
        schema.validate().expect("just small enough");
        schema.structs[0].fields.push(field(-1));
        assert_eq!(schema.validate(), Err("struct `Item` has 4097 fields; 4096 is the limit".into()));
    }

    #[test]
    fn a_schema_without_files_is_of_one_file() {
        let mut schema = load_one(IDL);
        schema.files.clear();
        assert_eq!(schema.validate(), Ok(()));
    }
}
