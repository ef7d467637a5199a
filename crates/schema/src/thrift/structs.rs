//! Fields of structs, unions and exceptions, and of methods' arguments and results.

use std::collections::HashMap;

use pilota_thrift_parser::Field as TreeField;

use super::Build;
use super::declare::struct_like;
use super::positions::{Body, FieldPlace};
use super::tokens::Fault;
use crate::model::{Field, Requiredness, StructKind, Type};
use crate::validate::MAX_FIELDS;

/// A default value that waits until all types are known.
pub(crate) struct Pending<'a> {
    pub file: usize,
    pub structure: u32,
    /// Index of the field in the schema's struct.
    pub field: usize,
    pub tree: &'a TreeField,
    pub place: &'a FieldPlace,
}

impl<'a> Build<'a> {
    /// Fills in the fields of all declared structs.
    pub(crate) fn structs(&mut self) {
        let files = self.files;
        let mut next = 0;
        for (file, idl) in files.iter().enumerate() {
            for (item, place) in idl.tree.items.iter().zip(&idl.outline.items) {
                let (Some((tree, kind)), Body::Struct(places)) = (struct_like(item), &place.body) else { continue };
                // Structs were declared in this very order.
                let index = next;
                next += 1;
                if places.len() > MAX_FIELDS {
                    let fault = Fault::new(idl.spot(place.name), format!("more than {MAX_FIELDS} fields"))
                        .hint("group fields in structs of their own");
                    self.fault(file, fault);
                    continue;
                }
                let fields = self.fields(file, index, &tree.fields, places, kind);
                self.schema.structs[index as usize].fields = fields;
            }
        }
    }

    /// Makes fields. `structure` is the index they will be found under.
    pub(crate) fn fields(
        &mut self,
        file: usize,
        structure: u32,
        trees: &'a [TreeField],
        places: &'a [FieldPlace],
        kind: StructKind,
    ) -> Vec<Field> {
        let idl = &self.files[file];
        let noun = if kind == StructKind::Args { "argument" } else { "field" };
        let mut fields: Vec<Field> = Vec::with_capacity(trees.len());
        let mut ids: HashMap<i16, &str> = HashMap::new();
        let mut names: HashMap<&str, u32> = HashMap::new();
        if kind == StructKind::Result {
            ids.insert(0, "success");
            names.insert("success", 0);
        }
        for (tree, place) in trees.iter().zip(places) {
            let name = tree.name.as_str();
            // The outline has checked the range.
            let id = tree.id as i16;
            if let Some(other) = ids.get(&id) {
                let hint = match kind {
                    StructKind::Result if id == 0 => "0 is the method's result; take another number".to_owned(),
                    StructKind::Args | StructKind::Result => format!("`{other}` has it already; take another number"),
                    _ => format!("`{other}` has it already; take a number that was never used in this struct"),
                };
                self.fault(file, Fault::new(idl.spot(place.first), format!("{noun} id {id} is used twice")).hint(hint));
            }
            ids.entry(id).or_insert(name);
            let line = idl.spot(place.name).line;
            match names.get(name) {
                Some(0) => {
                    let fault = Fault::new(idl.spot(place.name), "`success` is the name of the method's result")
                        .hint("give the exception another name");
                    self.fault(file, fault);
                }
                Some(first) => {
                    let fault = Fault::new(idl.spot(place.name), format!("{noun} `{name}` is declared twice"))
                        .hint(format!("the first one is in line {first}"));
                    self.fault(file, fault);
                }
                None => {
                    names.insert(name, line);
                }
            }
            let Some(ty) = self.ty(file, &tree.ty, &place.ty) else { continue };
            if kind == StructKind::Result && !self.is_exception(&ty) {
                let fault = Fault::new(
                    self.path_spot(file, place.ty.path),
                    format!("`{}` is no exception and cannot be thrown", self.type_name(&ty)),
                );
                self.fault(file, fault.hint("declare it with `exception` in place of `struct`"));
            }
            if tree.default.is_some() {
                self.pending.push(Pending { file, structure, field: fields.len(), tree, place });
            }
            let mut annotations = super::annotations(&tree.ty.1);
            annotations.extend(super::annotations(&tree.annotations));
            fields.push(Field {
                requiredness: self.requiredness(file, tree, place, kind),
                annotations,
                doc: idl.tokens.doc(place.first, place.last),
                ..Field::new(i32::from(id), name, ty)
            });
        }
        fields
    }

    /// How a field may be missing.
    ///
    /// An argument without a word of its own is required, as in Volo: a handler may rely on what its type promises.
    fn requiredness(&mut self, file: usize, tree: &TreeField, place: &FieldPlace, kind: StructKind) -> Requiredness {
        let idl = &self.files[file];
        let written = place.attribute.map(|token| (token, idl.tokens.word(token)));
        match (kind, written) {
            (StructKind::Union, Some((token, "required"))) => {
                let fault = Fault::new(idl.spot(token), "a field of a union cannot be required")
                    .hint("of a union's fields exactly one is present: leave `required` out");
                self.fault(file, fault);
                Requiredness::Optional
            }
            (StructKind::Union | StructKind::Result, _) | (_, Some((_, "optional"))) => Requiredness::Optional,
            (_, Some(_)) => Requiredness::Required,
            (StructKind::Args, None) if tree.default.is_none() => Requiredness::Required,
            (_, None) => Requiredness::Default,
        }
    }

    fn is_exception(&self, ty: &Type) -> bool {
        matches!(ty, Type::Struct(index) if self.schema.structs[*index as usize].kind == StructKind::Exception)
    }
}
