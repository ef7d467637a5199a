//! Descriptors to schema.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::descriptor::{EnumProto, FileProto, Location, MessageProto, ServiceProto, place};
use super::features::{Features, Syntax};
use super::names::{Names, What, find, joined};
use super::wire;
use crate::model::{Annotations, Enum, EnumMember, File, Method, Schema, Service, Struct, StructKind};

/// A file that a schema is made from.
pub(crate) struct Input {
    pub proto: FileProto,
    /// Its descriptor as reflection serves it: without source info.
    pub bytes: Vec<u8>,
    pub root: bool,
}

/// What is wrong, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Index of the input.
    pub file: usize,
    /// The place in its descriptor.
    pub path: Vec<i32>,
    /// What is wrong; it names the thing, for descriptors may have no places.
    pub message: String,
    pub hint: Option<&'static str>,
}

/// Makes the schema of files in the order of [`in_order`], or tells all that is wrong.
pub(crate) fn build(inputs: &[Input]) -> Result<Schema, Vec<Fault>> {
    let mut build = Build {
        inputs,
        comments: inputs.iter().map(|input| comments(&input.proto)).collect(),
        file: 0,
        syntax: Syntax::Proto2,
        names: Names::new(),
        schema: Schema::default(),
        messages: Vec::new(),
        faults: Vec::new(),
    };
    build.files();
    build.declare();
    build.fill();
    let Build { mut schema, mut faults, .. } = build;
    if faults.is_empty() {
        let files = imported_first(inputs).into_iter().map(|index| inputs[index].bytes.as_slice());
        schema.descriptors = BASE64_STANDARD.encode(wire::set(files));
        if let Err(message) = schema.validate() {
            faults.push(Fault { message, ..Fault::default() });
        }
    }
    if faults.is_empty() { Ok(schema) } else { Err(faults) }
}

/// A message whose fields wait for all names to be known.
pub(crate) struct Waiting<'a> {
    pub proto: &'a MessageProto,
    /// Index into the schema's structs.
    pub index: u32,
    /// Index of the input.
    pub file: usize,
    pub syntax: Syntax,
    pub features: Features,
    pub path: Vec<i32>,
}

/// Comments by place.
type Comments<'a> = HashMap<&'a [i32], &'a Location>;

/// A schema under construction.
pub(crate) struct Build<'a> {
    pub(crate) inputs: &'a [Input],
    comments: Vec<Comments<'a>>,
    /// The input being looked at, and what it is written in.
    pub(crate) file: usize,
    pub(crate) syntax: Syntax,
    pub(crate) names: Names<'a>,
    pub(crate) schema: Schema,
    messages: Vec<Waiting<'a>>,
    faults: Vec<Fault>,
}

impl<'a> Build<'a> {
    pub(crate) fn fault(&mut self, path: &[i32], message: impl Into<String>) {
        self.faults.push(Fault { file: self.file, path: path.to_vec(), message: message.into(), hint: None });
    }

    pub(crate) fn fault_with(&mut self, path: &[i32], message: impl Into<String>, hint: &'static str) {
        self.faults.push(Fault { file: self.file, path: path.to_vec(), message: message.into(), hint: Some(hint) });
    }

    pub(crate) fn doc(&self, path: &[i32]) -> String {
        let Some(location) = self.comments[self.file].get(path) else { return String::new() };
        let parts = [&location.leading_comments, &location.trailing_comments];
        let texts = parts.into_iter().flatten().map(|text| plain(text)).filter(|text| !text.is_empty());
        texts.collect::<Vec<_>>().join("\n")
    }

    fn files(&mut self) {
        let mut by_name = HashMap::new();
        for (index, input) in self.inputs.iter().enumerate() {
            self.file = index;
            if by_name.insert(input.proto.name(), index as u32).is_some() {
                self.fault(&[], format!("the file `{}` is there twice", input.proto.name()));
            }
        }
        for (index, Input { proto, root, .. }) in self.inputs.iter().enumerate() {
            self.file = index;
            let mut includes = Vec::new();
            for (at, name) in proto.dependency.iter().enumerate() {
                match by_name.get(name.as_str()) {
                    Some(target) => includes.push(*target),
                    None => {
                        self.fault(
                            &[place::FILE_IMPORT, at as i32],
                            format!("it imports `{name}`, which is not there"),
                        );
                    }
                }
            }
            self.schema.files.push(File {
                path: proto.name().to_owned(),
                root: *root,
                package: proto.package().to_owned(),
                includes,
                ..File::default()
            });
        }
    }

    /// Gives every message, enum and service its place in the schema.
    fn declare(&mut self) {
        for (index, Input { proto, .. }) in self.inputs.iter().enumerate() {
            self.file = index;
            match Syntax::of(proto) {
                Ok(syntax) => self.syntax = syntax,
                Err(message) => {
                    self.fault(&[place::FILE_SYNTAX], message);
                    continue;
                }
            }
            let features = self.syntax.features().with(proto.options.as_ref().and_then(|o| o.features.as_ref()));
            for (at, message) in proto.message_type.iter().enumerate() {
                self.message(message, proto.package(), features, &[place::FILE_MESSAGE, at as i32]);
            }
            for (at, declared) in proto.enum_type.iter().enumerate() {
                self.enumeration(declared, proto.package(), features, &[place::FILE_ENUM, at as i32]);
            }
            for service in &proto.service {
                self.name(joined(proto.package(), service.name()), What::Service, &[]);
            }
        }
    }

    fn name(&mut self, name: String, what: What<'a>, path: &[i32]) {
        match self.names.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(what);
            }
            Entry::Occupied(entry) => {
                let message = format!("`{}` is declared twice", entry.key());
                self.fault(path, message);
            }
        }
    }

    // Descriptors are at most as deep as prost reads them, a hundred levels.
    fn message(&mut self, proto: &'a MessageProto, scope: &str, outer: Features, path: &[i32]) {
        let name = joined(scope, proto.name());
        if proto.is_map_entry() {
            self.name(name, What::Pairs(proto), path);
            return;
        }
        let options = proto.options.as_ref();
        let features = outer.with(options.and_then(|options| options.features.as_ref()));
        let index = self.schema.structs.len() as u32;
        self.name(name.clone(), What::Message(index), path);
        self.schema.structs.push(Struct {
            name: name.clone(),
            file: self.file as u32,
            kind: StructKind::Message,
            fields: Vec::new(),
            keep_unknown: false,
            oneofs: Vec::new(),
            annotations: deprecated(options.and_then(|options| options.deprecated)),
            doc: self.doc(path),
        });
        let (file, syntax) = (self.file, self.syntax);
        self.messages.push(Waiting { proto, index, file, syntax, features, path: path.to_vec() });
        for (at, nested) in proto.nested_type.iter().enumerate() {
            self.message(nested, &name, features, &inside(path, place::MESSAGE_NESTED, at));
        }
        for (at, declared) in proto.enum_type.iter().enumerate() {
            self.enumeration(declared, &name, features, &inside(path, place::MESSAGE_ENUM, at));
        }
    }

    fn enumeration(&mut self, proto: &'a EnumProto, scope: &str, outer: Features, path: &[i32]) {
        let name = joined(scope, proto.name());
        let options = proto.options.as_ref();
        let closed = outer.with(options.and_then(|options| options.features.as_ref())).closed_enums;
        let number = &inside(path, place::ENUM_VALUE, 0)[..];
        match proto.value.first() {
            None => self.fault(path, format!("enum `{name}` has no value")),
            Some(first) if !closed && first.number() != 0 => {
                let number = &[number, &[place::ENUM_VALUE_NUMBER]].concat();
                let message = format!("the first value of the open enum `{name}` is not 0");
                self.fault_with(
                    number,
                    message,
                    "an absent field holds 0; or say `option features.enum_type = CLOSED;`",
                );
            }
            Some(_) => {}
        }
        for (at, value) in proto.value.iter().enumerate() {
            self.check_reserved(&proto.reserved_name, &name, value.name(), &inside(path, place::ENUM_VALUE, at));
        }
        let members = proto.value.iter().enumerate().map(|(at, value)| EnumMember {
            name: value.name().to_owned(),
            value: value.number(),
            doc: self.doc(&inside(path, place::ENUM_VALUE, at)),
        });
        let members = members.collect();
        self.name(name.clone(), What::Enum(self.schema.enums.len() as u32), path);
        self.schema.enums.push(Enum {
            name,
            file: self.file as u32,
            members,
            closed,
            annotations: deprecated(options.and_then(|options| options.deprecated)),
            doc: self.doc(path),
        });
    }

    /// Names that were given up are not taken again.
    pub(crate) fn check_reserved(&mut self, reserved: &[String], scope: &str, name: &str, path: &[i32]) {
        if reserved.iter().any(|reserved| reserved == name) {
            let path = [path, &[place::NAME]].concat();
            let hint = "it was given up once, and its meaning in JSON and text with it; take another one";
            self.fault_with(&path, format!("`{scope}` reserves the name `{name}`"), hint);
        }
    }

    /// Fields and methods, now that all names are known.
    fn fill(&mut self) {
        for waiting in std::mem::take(&mut self.messages) {
            (self.file, self.syntax) = (waiting.file, waiting.syntax);
            self.fields(&waiting);
        }
        for (index, Input { proto, .. }) in self.inputs.iter().enumerate() {
            self.file = index;
            for (at, service) in proto.service.iter().enumerate() {
                self.service(service, proto.package(), &[place::FILE_SERVICE, at as i32]);
            }
        }
    }

    fn service(&mut self, proto: &ServiceProto, package: &str, path: &[i32]) {
        let index = self.schema.services.len() as u32;
        let name = joined(package, proto.name());
        let mut methods = Vec::new();
        for (at, method) in proto.method.iter().enumerate() {
            let path = inside(path, place::SERVICE_METHOD, at);
            let about = joined(&name, method.name());
            let input =
                self.message_of(&name, method.input_type(), &about, &[&path[..], &[place::METHOD_INPUT]].concat());
            let output =
                self.message_of(&name, method.output_type(), &about, &[&path[..], &[place::METHOD_OUTPUT]].concat());
            let (Some(args), Some(result)) = (input, output) else { continue };
            let options = method.options.as_ref();
            let mut annotations = deprecated(options.and_then(|options| options.deprecated));
            if options.is_some_and(|options| matches!(options.idempotency_level, Some(1 | 2))) {
                annotations.insert("idempotent".into(), "true".into());
            }
            methods.push(self.schema.methods.len() as u32);
            let doc = self.doc(&path);
            self.schema.methods.push(Method {
                name: method.name().to_owned(),
                service: index,
                oneway: false,
                client_streaming: method.client_streaming(),
                server_streaming: method.server_streaming(),
                args,
                result: Some(result),
                annotations,
                doc,
            });
        }
        self.schema.services.push(Service {
            name,
            file: self.file as u32,
            extends: None,
            methods,
            annotations: deprecated(proto.options.as_ref().and_then(|options| options.deprecated)),
            doc: self.doc(path),
        });
    }

    fn message_of(&mut self, scope: &str, name: &str, about: &str, path: &[i32]) -> Option<u32> {
        match find(&self.names, scope, name) {
            Some(What::Message(index)) => return Some(index),
            Some(other) => self.fault(path, format!("`{about}`: `{name}` is {}, not a message", other.noun())),
            None => self.fault(path, format!("`{about}`: there is no message `{name}`")),
        }
        None
    }
}

/// The place of something inside of a thing.
pub(crate) fn inside(path: &[i32], part: i32, at: usize) -> Vec<i32> {
    [path, &[part, at as i32]].concat()
}

/// Annotations of what is deprecated.
pub(crate) fn deprecated(deprecated: Option<bool>) -> Annotations {
    let yes = deprecated == Some(true);
    yes.then(|| ("deprecated".to_owned(), "true".to_owned())).into_iter().collect()
}

/// Comments of a file by place; the first of a place counts.
fn comments(proto: &FileProto) -> Comments<'_> {
    let locations = proto.source_code_info.iter().flat_map(|info| &info.location);
    let mut comments = Comments::new();
    for location in locations {
        comments.entry(&location.path[..]).or_insert(location);
    }
    comments
}

/// A comment as documentation: without the blank that stands behind comment signs, and without the rest of `/**` and `///`.
fn plain(comment: &str) -> String {
    let comment = comment.trim_start_matches('*');
    let lines = comment.lines().map(|line| {
        let line = line.trim_start_matches('/');
        line.strip_prefix(' ').unwrap_or(line).trim_end()
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Puts inputs in the order of a schema's files: roots first, then what they import, as it is reached.
pub(crate) fn in_order(inputs: Vec<Input>) -> Vec<Input> {
    let edges = imports(&inputs);
    let mut order: Vec<usize> = (0..inputs.len()).filter(|index| inputs[*index].root).collect();
    let mut reached = vec![false; inputs.len()];
    for index in &order {
        reached[*index] = true;
    }
    let mut next = 0;
    // Files that import each other in a circle may be reached from nowhere.
    let mut left = 0..inputs.len();
    loop {
        let Some(&file) = order.get(next) else {
            let Some(unreached) = left.find(|index| !reached[*index]) else { break };
            reached[unreached] = true;
            order.push(unreached);
            continue;
        };
        next += 1;
        for &target in &edges[file] {
            if !std::mem::replace(&mut reached[target], true) {
                order.push(target);
            }
        }
    }
    let mut inputs: Vec<Option<Input>> = inputs.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| inputs[index].take()).collect()
}

/// Indexes of inputs so that each comes behind what it imports.
fn imported_first(inputs: &[Input]) -> Vec<usize> {
    let edges = imports(inputs);
    let mut order = Vec::new();
    let mut seen = vec![false; inputs.len()];
    for root in 0..inputs.len() {
        let mut way = vec![(root, 0)];
        while let Some((file, next)) = way.pop() {
            if next == 0 && std::mem::replace(&mut seen[file], true) {
                continue;
            }
            match edges[file].get(next) {
                Some(target) => way.extend([(file, next + 1), (*target, 0)]),
                None => order.push(file),
            }
        }
    }
    order
}

/// What each input imports, as far as it is there.
fn imports(inputs: &[Input]) -> Vec<Vec<usize>> {
    let by_name: HashMap<&str, usize> =
        inputs.iter().enumerate().map(|(index, input)| (input.proto.name(), index)).collect();
    let imports =
        |input: &Input| input.proto.dependency.iter().filter_map(|name| by_name.get(name.as_str()).copied()).collect();
    inputs.iter().map(imports).collect()
}
