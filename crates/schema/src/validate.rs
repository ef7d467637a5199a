//! Checks a schema that came from outside, so that codecs may index into it without a second look.

use std::collections::HashSet;

use crate::model::{Field, Method, Schema, Service, Struct, StructKind, Type};

/// Most fields a struct may have.
pub const MAX_FIELDS: usize = 4096;
/// How deep containers may be nested in a type.
pub const MAX_TYPE_DEPTH: usize = 64;

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
        for Field { name: field, ty, .. } in fields {
            self.check_type(ty, 0).map_err(|e| format!("`{name}.{field}`: {e}"))?;
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
                if matches!(target.kind, StructKind::Args | StructKind::Result) {
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
        self.check_part(method.args, StructKind::Args, name)?;
        match method.result {
            Some(_) if method.oneway => Err(format!("oneway method `{name}` has a result")),
            None if !method.oneway => Err(format!("method `{name}` has no result struct")),
            Some(result) => self.check_part(result, StructKind::Result, name),
            None => Ok(()),
        }
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
