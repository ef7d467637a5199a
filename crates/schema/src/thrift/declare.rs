//! Names: what every file declares, and what a name in a file stands for.

use std::collections::HashMap;

use pilota_thrift_parser::{Ident, Item, Path, StructLike};

use super::Build;
use super::positions::{Body, ItemPlace};
use super::tokens::Fault;
use crate::model::{Enum, EnumMember, File, Service, Struct, StructKind};
use crate::names::nearest;

/// What a name stands for, with its index in the schema where it has one already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Typedef,
    Const,
    Enum(u32),
    Struct(u32),
    Service(u32),
}

impl What {
    /// As messages call it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Typedef => "a typedef",
            Self::Const => "a constant",
            Self::Enum(_) => "an enum",
            Self::Struct(_) => "a struct",
            Self::Service(_) => "a service",
        }
    }
}

/// A declared name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub what: What,
    /// Index of the declaration in its file.
    pub item: usize,
}

/// The names of one file.
pub(crate) type Names = HashMap<String, Entry>;

/// What a struct, union or exception has in common.
pub(crate) fn struct_like(item: &Item) -> Option<(&StructLike, StructKind)> {
    match item {
        Item::Struct(tree) => Some((tree, StructKind::Struct)),
        Item::Union(tree) => Some((tree, StructKind::Union)),
        Item::Exception(tree) => Some((tree, StructKind::Exception)),
        _ => None,
    }
}

/// A path as it is written.
pub(crate) fn dotted(path: &Path) -> String {
    path.segments.iter().map(Ident::as_str).collect::<Vec<_>>().join(".")
}

impl Build<'_> {
    /// Gives every declaration its place in the schema.
    pub(crate) fn declare(&mut self) {
        let files = self.files;
        for (index, file) in files.iter().enumerate() {
            self.schema.files.push(File {
                path: file.path.clone(),
                root: file.root,
                namespaces: super::files::namespaces(&file.tree),
                includes: file.includes.iter().map(|(_, target)| *target as u32).collect(),
                ..File::default()
            });
            let mut names = Names::new();
            for (at, (item, place)) in file.tree.items.iter().zip(&file.outline.items).enumerate() {
                let Some((name, what)) = self.declare_item(index, item, place) else { continue };
                if let Some(first) = names.get(&name) {
                    let line = file.spot(file.outline.items[first.item].name).line;
                    let fault = Fault::new(file.spot(place.name), format!("`{name}` is declared twice"))
                        .hint(format!("line {line} declares {} of this name; rename one of them", first.what.noun()));
                    self.fault(index, fault);
                } else {
                    names.insert(name, Entry { what, item: at });
                }
            }
            self.names.push(names);
        }
    }

    fn declare_item(&mut self, file: usize, item: &Item, place: &ItemPlace) -> Option<(String, What)> {
        let doc = self.files[file].tokens.doc(place.first, place.last);
        let index = file as u32;
        if let Some((tree, kind)) = struct_like(item) {
            let annotations = super::annotations(&tree.annotations);
            let name = tree.name.to_string();
            self.schema.structs.push(Struct {
                name: name.clone(),
                file: index,
                kind,
                fields: Vec::new(),
                keep_unknown: false,
                oneofs: Vec::new(),
                annotations,
                doc,
            });
            return Some((name, What::Struct(self.schema.structs.len() as u32 - 1)));
        }
        match item {
            Item::Typedef(tree) => Some((tree.alias.to_string(), What::Typedef)),
            Item::Constant(tree) => Some((tree.name.to_string(), What::Const)),
            Item::Enum(tree) => {
                let name = tree.name.to_string();
                let members = self.members(file, tree, place);
                let annotations = super::annotations(&tree.annotations);
                self.schema.enums.push(Enum {
                    name: name.clone(),
                    file: index,
                    members,
                    closed: false,
                    annotations,
                    doc,
                });
                Some((name, What::Enum(self.schema.enums.len() as u32 - 1)))
            }
            Item::Service(tree) => {
                let name = tree.name.to_string();
                let annotations = super::annotations(&tree.annotations);
                self.schema.services.push(Service {
                    name: name.clone(),
                    file: index,
                    extends: None,
                    methods: Vec::new(),
                    annotations,
                    doc,
                });
                Some((name, What::Service(self.schema.services.len() as u32 - 1)))
            }
            _ => None,
        }
    }

    /// Members of an enum; one without a number is one more than the one before.
    fn members(&mut self, file: usize, tree: &pilota_thrift_parser::Enum, place: &ItemPlace) -> Vec<EnumMember> {
        let Body::Enum(places) = &place.body else { return Vec::new() };
        let mut members: Vec<EnumMember> = Vec::with_capacity(places.len());
        let mut seen = HashMap::new();
        let mut next = 0i64;
        for (member, place) in tree.values.iter().zip(places) {
            let own = &self.files[file];
            let name = member.name.to_string();
            let spot = own.spot(place.first);
            let number = member.value.map_or(next, |number| number.0);
            let doc = own.tokens.doc(place.first, place.last);
            if let Some(line) = seen.insert(name.clone(), spot.line) {
                let fault = Fault::new(spot, format!("enum `{}` has two members `{name}`", tree.name.as_str()));
                self.fault(file, fault.hint(format!("the first one is in line {line}")));
            }
            match i32::try_from(number) {
                Ok(value) => members.push(EnumMember { name, value, doc }),
                Err(_) => {
                    let spot = self.files[file].spot(place.value.unwrap_or(place.first));
                    let fault = Fault::new(spot, format!("`{name}` is {number}, which does not fit into 32 bits"));
                    self.fault(file, fault.hint("members of an enum go from -2147483648 to 2147483647"));
                }
            }
            next = number.saturating_add(1);
        }
        members
    }

    /// What a name in a file stands for: a name of its own, or `file.Name` of a file it includes.
    pub(crate) fn lookup(&self, file: usize, name: &str) -> Option<(usize, Entry)> {
        let (home, name) = match name.rsplit_once('.') {
            None => (file, name),
            Some((stem, name)) => (self.files[file].included(stem)?, name),
        };
        self.names[home].get(name).map(|entry| (home, *entry))
    }

    /// What to do about a name that stands for nothing. `fits` tells what would do in its place.
    pub(crate) fn missing_hint(&self, file: usize, name: &str, extra: &[&str], fits: impl Fn(What) -> bool) -> String {
        let (stem, last) = name.rsplit_once('.').map_or((None, name), |(stem, last)| (Some(stem), last));
        let own = &self.files[file];
        let declared =
            |home: usize| self.names[home].iter().filter(|(_, e)| fits(e.what)).map(|(name, _)| name.as_str());
        let has = |home: usize| declared(home).any(|other| other == last);
        // The very name, elsewhere.
        if stem.is_some() && has(file) {
            return format!("`{last}` is declared in this file: write it without `{}.`", stem.unwrap_or_default());
        }
        if let Some((stem, _)) = own.includes.iter().find(|(_, home)| has(*home)) {
            return format!("write `{stem}.{last}`");
        }
        if let Some(stem) = stem.filter(|stem| own.included(stem).is_none()) {
            let stems = own.includes.iter().map(|(stem, _)| stem.as_str());
            return match nearest(stem, stems) {
                Some(near) => format!("did you mean `{near}.{last}`?"),
                None => format!("no included file is called `{stem}`: add `include \"{stem}.thrift\"`"),
            };
        }
        if let Some(home) = (0..self.files.len()).find(|home| *home != file && has(*home)) {
            let path = &self.files[home].path;
            let name = path.rsplit('/').next().unwrap_or(path);
            let stem = name.strip_suffix(".thrift").unwrap_or(name);
            return format!("it is declared in `{path}`: include that file and write `{stem}.{last}`");
        }
        // A name like it.
        let mut near: Vec<String> = declared(file).map(str::to_owned).collect();
        near.extend(extra.iter().map(|name| (*name).to_owned()));
        for (stem, home) in &own.includes {
            near.extend(declared(*home).map(|name| format!("{stem}.{name}")));
        }
        near.sort_unstable();
        match nearest(name, near.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "declare it, or include the file that does".into(),
        }
    }
}
