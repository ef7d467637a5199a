//! Services and their methods.

use std::collections::HashMap;

use pilota_thrift_parser::{Function, Item, Service as TreeService, Ty};

use super::Build;
use super::declare::{What, dotted};
use super::positions::{Body, FunctionPlace};
use super::tokens::Fault;
use crate::model::{Annotations, Field, Method, Requiredness, Struct, StructKind, Type};
use crate::names::camel_case;
use crate::validate::MAX_FIELDS;

/// A service where it is declared.
#[derive(Clone, Copy)]
struct Declared<'a> {
    file: usize,
    item: usize,
    tree: &'a TreeService,
    functions: &'a [FunctionPlace],
}

impl<'a> Build<'a> {
    /// Fills in all services.
    pub(crate) fn services(&mut self) {
        let files = self.files;
        let mut all = Vec::new();
        for (file, idl) in files.iter().enumerate() {
            for (item, (tree, place)) in idl.tree.items.iter().zip(&idl.outline.items).enumerate() {
                let (Item::Service(tree), Body::Service { functions, .. }) = (tree, &place.body) else { continue };
                all.push(Declared { file, item, tree, functions });
            }
        }
        for (index, declared) in all.iter().enumerate() {
            self.schema.services[index].extends = self.base(*declared);
            let own: Vec<u32> = declared
                .tree
                .functions
                .iter()
                .zip(declared.functions)
                .map(|(function, place)| self.method(index as u32, declared.file, function, place))
                .collect();
            self.schema.services[index].methods = own;
        }
        self.cut_circles(&all);
        self.inherit(&all);
    }

    fn base(&mut self, Declared { file, item, tree, .. }: Declared<'_>) -> Option<u32> {
        let name = dotted(tree.extends.as_ref()?);
        let Body::Service { extends: Some(path), .. } = &self.files[file].outline.items[item].body else { return None };
        let spot = self.path_spot(file, *path);
        let fault = match self.lookup(file, &name) {
            Some((_, entry)) => match entry.what {
                What::Service(index) => return Some(index),
                other => Fault::new(spot, format!("`{name}` is {}, no service", other.noun())),
            },
            None => {
                let hint = self.missing_hint(file, &name, &[], |what| matches!(what, What::Service(_)));
                Fault::new(spot, format!("unknown service `{name}`")).hint(hint)
            }
        };
        self.fault(file, fault);
        None
    }

    /// Tells of services that extend themselves, and parts them.
    fn cut_circles(&mut self, all: &[Declared<'_>]) {
        // Numbers the walk that came by, so that every service is visited once.
        let mut seen = vec![0; all.len()];
        for start in 0..all.len() {
            let mut at = start;
            let mut last = None;
            while seen[at] == 0 {
                seen[at] = start + 1;
                match self.schema.services[at].extends {
                    Some(base) => {
                        last = Some(at);
                        at = base as usize;
                    }
                    None => break,
                }
            }
            let (Some(last), true) = (last, seen[at] == start + 1 && self.schema.services[at].extends.is_some()) else {
                continue;
            };
            let mut chain = vec![format!("`{}`", self.schema.services[at].name)];
            let mut step = at;
            while let Some(base) = self.schema.services[step].extends {
                step = base as usize;
                chain.push(format!("`{}`", self.schema.services[step].name));
                if step == at {
                    break;
                }
            }
            self.schema.services[last].extends = None;
            let Declared { file, item, tree, .. } = all[at];
            let spot = self.files[file].spot(self.files[file].outline.items[item].name);
            let fault = Fault::new(spot, format!("service `{}` extends itself", tree.name.as_str()))
                .hint(format!("{}; take one `extends` out", chain.join(" extends ")));
            self.fault(file, fault);
        }
    }

    /// Puts inherited methods in front, and compares names.
    fn inherit(&mut self, all: &[Declared<'_>]) {
        let own: Vec<Vec<u32>> = self.schema.services.iter().map(|service| service.methods.clone()).collect();
        for (index, Declared { file, functions, .. }) in all.iter().enumerate() {
            let mut line = vec![index];
            while let Some(base) = self.schema.services[line[line.len() - 1]].extends {
                line.push(base as usize);
            }
            let inherited: Vec<u32> = line[1..].iter().rev().flat_map(|base| own[*base].iter().copied()).collect();
            let mut names: HashMap<String, u32> = HashMap::new();
            for method in &inherited {
                names.entry(camel_case(&self.schema.methods[*method as usize].name)).or_insert(*method);
            }
            for (method, place) in own[index].iter().zip(*functions) {
                let camel = camel_case(&self.schema.methods[*method as usize].name);
                if let Some(other) = names.get(&camel) {
                    let fault = self.clash(*file, *method, *other, &camel, place);
                    self.fault(*file, fault);
                } else {
                    names.insert(camel, *method);
                }
            }
            self.schema.services[index].methods = inherited.into_iter().chain(own[index].iter().copied()).collect();
        }
    }

    fn clash(&self, file: usize, method: u32, other: u32, camel: &str, place: &FunctionPlace) -> Fault {
        let method = &self.schema.methods[method as usize];
        let other = &self.schema.methods[other as usize];
        let from = &self.schema.services[other.service as usize].name;
        let spot = self.files[file].spot(place.name);
        let name = &method.name;
        let message = if *name != other.name {
            format!("methods `{}` and `{name}` are both `{camel}` in TypeScript", other.name)
        } else if method.service == other.service {
            format!("method `{name}` is declared twice")
        } else {
            format!("method `{name}` is inherited from `{from}` already")
        };
        Fault::new(spot, message).hint("rename one of them")
    }

    fn method(&mut self, service: u32, file: usize, tree: &'a Function, place: &'a FunctionPlace) -> u32 {
        let idl = &self.files[file];
        let name = tree.name.to_string();
        let owner = format!("{}.{name}", self.schema.services[service as usize].name);
        if place.arguments.len().max(place.throws.len()) >= MAX_FIELDS {
            let fault = Fault::new(
                idl.spot(place.name),
                format!("`{name}` has more than {MAX_FIELDS} arguments or exceptions"),
            );
            self.fault(file, fault.hint("group arguments in a struct"));
        }
        let args = self.made(file, format!("{owner}_args"), StructKind::Args);
        let fields = self.fields(file, args, &tree.arguments, &place.arguments, StructKind::Args);
        self.schema.structs[args as usize].fields = fields;

        let is_void = matches!(tree.result_type.0, Ty::Void);
        let success = if is_void { None } else { self.ty(file, &tree.result_type, &place.result) };
        if tree.oneway {
            if !is_void {
                let fault =
                    Fault::new(self.path_spot(file, place.result.path), format!("oneway method `{name}` has a result"))
                        .hint("nobody waits for the reply: write `oneway void`, or leave `oneway` out");
                self.fault(file, fault);
            }
            if let Some(first) = place.throws.first() {
                let fault = Fault::new(idl.spot(first.first), format!("oneway method `{name}` throws"))
                    .hint("nobody waits for the reply: leave `throws` or `oneway` out");
                self.fault(file, fault);
            }
        }
        let result = if tree.oneway { None } else { Some(self.result(file, &owner, success, tree, place)) };
        self.schema.methods.push(Method {
            name,
            service,
            oneway: tree.oneway,
            client_streaming: false,
            server_streaming: false,
            args,
            result,
            annotations: super::annotations(&tree.annotations),
            doc: idl.tokens.doc(place.first, place.last),
        });
        self.schema.methods.len() as u32 - 1
    }

    fn result(
        &mut self,
        file: usize,
        owner: &str,
        success: Option<Type>,
        tree: &'a Function,
        place: &'a FunctionPlace,
    ) -> u32 {
        let result = self.made(file, format!("{owner}_result"), StructKind::Result);
        let mut fields: Vec<Field> = Vec::new();
        if let Some(ty) = success {
            fields.push(Field {
                requiredness: Requiredness::Optional,
                annotations: super::annotations(&tree.result_type.1),
                ..Field::new(0, "success", ty)
            });
        }
        for field in &place.throws {
            if let Some(default) = &field.default {
                let fault = Fault::new(self.path_spot(file, default.path), "an exception of a method has no default");
                self.fault(file, fault.hint("leave the default out"));
            }
        }
        let pending = self.pending.len();
        fields.extend(self.fields(file, result, &tree.throws, &place.throws, StructKind::Result));
        self.pending.truncate(pending);
        self.schema.structs[result as usize].fields = fields;
        result
    }

    fn made(&mut self, file: usize, name: String, kind: StructKind) -> u32 {
        self.schema.structs.push(Struct {
            name,
            file: file as u32,
            kind,
            fields: Vec::new(),
            keep_unknown: false,
            oneofs: Vec::new(),
            annotations: Annotations::new(),
            doc: String::new(),
        });
        self.schema.structs.len() as u32 - 1
    }
}
