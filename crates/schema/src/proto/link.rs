//! Files to descriptors with all names resolved.

use std::collections::{HashMap, HashSet};

use prost::Message;
use protox::file::{FileResolver, GoogleFileResolver};
use protox::prost_reflect::DescriptorPool;
use protox::prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

use super::build::{Input, in_order};
use super::descriptor::FileProto;
use super::names::joined;
use super::sources::Sources;
use super::{told, wire};
use crate::mistake::Mistake;
use crate::names::nearest;

/// Files of well-known types; `protox` has copies of them.
const WELL_KNOWN: [&str; 12] = [
    "google/protobuf/any.proto",
    "google/protobuf/api.proto",
    "google/protobuf/compiler/plugin.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/source_context.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/type.proto",
    "google/protobuf/wrappers.proto",
];

/// The built-in copy of a file of `google/protobuf/`.
pub(crate) fn well_known(name: &str) -> Option<FileDescriptorProto> {
    if !WELL_KNOWN.contains(&name) {
        return None;
    }
    let mut file: FileDescriptorProto = GoogleFileResolver::new().open_file(name).ok()?.into();
    if name == DESCRIPTOR {
        as_released(&mut file);
    }
    Some(file)
}

/// Options are resolved with this file.
const DESCRIPTOR: &str = "google/protobuf/descriptor.proto";

/// The copy is of a time before the first edition was released: `Utf8Validation.NONE` got another number since.
fn as_released(file: &mut FileDescriptorProto) {
    let set = file.message_type.iter_mut().filter(|message| message.name() == "FeatureSet");
    let validation = set.flat_map(|set| &mut set.enum_type).filter(|declared| declared.name() == "Utf8Validation");
    for value in validation.flat_map(|declared| &mut declared.value).filter(|value| value.name() == "NONE") {
        value.number = Some(3);
    }
}

/// Adds well-known files that are imported and not there.
pub(crate) fn add_well_known(inputs: &mut Vec<Input>) {
    let mut at = 0;
    let mut names: HashSet<String> = inputs.iter().map(|input| input.proto.name().to_owned()).collect();
    while at < inputs.len() {
        for name in inputs[at].proto.dependency.clone() {
            if names.contains(&name) {
                continue;
            }
            // A copy that cannot be read is told as a file that is not there.
            if let Some(input) = well_known(&name).and_then(|file| input(&file.encode_to_vec(), None, false).ok()) {
                names.insert(name);
                inputs.push(input);
            }
        }
        at += 1;
    }
}

fn input(encoded: &[u8], edition: Option<i32>, root: bool) -> Result<Input, String> {
    let mut proto = FileProto::decode(encoded).map_err(|error| error.to_string())?;
    if edition.is_some() {
        proto.syntax = Some("editions".into());
        proto.edition = edition;
    }
    let bytes = wire::bare(encoded, edition).ok_or("it is not encoded as it should be")?;
    Ok(Input { proto, bytes, root })
}

/// Links everything that could be read. Tells all mistakes found so far, and those of linking.
pub(crate) fn link(sources: &mut Sources<'_>) -> Result<Vec<Input>, Vec<Mistake>> {
    let mut pool = DescriptorPool::new();
    let mut mistakes = std::mem::take(&mut sources.mistakes);
    let names: Vec<(String, String)> = sources
        .files
        .iter()
        .filter_map(|file| file.proto.as_ref())
        .flat_map(|file| declared(file).into_iter().map(|name| (name, file.name().to_owned())))
        .collect();
    let mut inputs = Vec::new();
    // 0: not seen, 1: its imports are being linked, 2: done, 3: cannot be linked.
    let mut state = vec![0u8; sources.files.len()];
    // The user's own copy comes first, so that all options are resolved with the same one. Without any, the parser uses its old one.
    let own = sources.files.iter().position(|file| file.name == DESCRIPTOR);
    if own.is_none() && sources.files.iter().any(|file| file.edited.edition.is_some()) {
        add_to(&mut pool, DESCRIPTOR);
    }
    for root in own.into_iter().chain(0..sources.files.len()) {
        let mut way = vec![root];
        while let Some(&at) = way.last() {
            if state[at] == 0 {
                state[at] = 1;
                way.extend(
                    sources.files[at].imports.iter().filter_map(|import| import.file).filter(|file| state[*file] == 0),
                );
                continue;
            }
            way.pop();
            if state[at] != 1 {
                continue;
            }
            let file = &mut sources.files[at];
            let sound = file.imports.iter().filter_map(|import| import.file).all(|file| state[file] == 2);
            state[at] = 3;
            let (true, Some(proto)) = (sound, file.proto.take()) else { continue };
            for import in file.imports.iter().filter(|import| import.file.is_none()) {
                add_to(&mut pool, &import.name);
            }
            if let Err(error) = pool.add_file_descriptor_proto(proto) {
                // Its columns count bytes, what looks them up counts characters: in a text of the same length the two are the same.
                let ascii: String =
                    file.edited.text.bytes().map(|byte| if byte.is_ascii() { char::from(byte) } else { '?' }).collect();
                let told = told::mistakes(file, &error.with_source_code(&ascii));
                mistakes.extend(told.into_iter().map(|mistake| with_names(mistake, &names)));
                continue;
            }
            state[at] = 2;
            let encoded = pool.get_file_by_name(&file.name).map(|file| file.encode_to_vec()).unwrap_or_default();
            match input(&encoded, file.edited.edition, file.root) {
                Ok(input) => inputs.push(input),
                Err(reason) => mistakes.push(Mistake::about(
                    &file.path,
                    "",
                    0..0,
                    format!("its descriptor cannot be read: {reason}"),
                )),
            }
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    // In the order in which the files were given and reached.
    let order: HashMap<&str, usize> =
        sources.files.iter().enumerate().map(|(at, file)| (file.name.as_str(), at)).collect();
    inputs.sort_by_key(|input| order.get(input.proto.name()).copied());
    add_well_known(&mut inputs);
    Ok(in_order(inputs))
}

/// Puts a well-known file into the pool, and what it imports.
fn add_to(pool: &mut DescriptorPool, name: &str) {
    if pool.get_file_by_name(name).is_some() {
        return;
    }
    let Some(file) = well_known(name) else { return };
    for import in &file.dependency {
        add_to(pool, import);
    }
    // A copy that cannot be added is told at the names that are missing then.
    drop(pool.add_file_descriptor_proto(file));
}

/// Names of types that a file declares, full and as its own package says them.
fn declared(file: &FileDescriptorProto) -> Vec<String> {
    let mut names = Vec::new();
    let mut next: Vec<(String, &DescriptorProto)> = Vec::new();
    let mut open = |scope: &str, messages: &'_ [DescriptorProto], enums: &[EnumDescriptorProto]| {
        names.extend(enums.iter().map(|declared| joined(scope, declared.name())));
        messages
            .iter()
            .map(|message| joined(scope, message.name()))
            .inspect(|name| names.push(name.clone()))
            .collect::<Vec<_>>()
    };
    for scope in [file.package(), ""] {
        let own = open(scope, &file.message_type, &file.enum_type);
        next.extend(own.into_iter().zip(&file.message_type));
    }
    while let Some((scope, message)) = next.pop() {
        let own = open(&scope, &message.nested_type, &message.enum_type);
        next.extend(own.into_iter().zip(&message.nested_type));
    }
    names
}

/// What was meant by a name that is not known where it stands; `names` come with their files.
fn with_names(mistake: Mistake, names: &[(String, String)]) -> Mistake {
    let Some(name) = mistake.message.strip_prefix("name `").and_then(|rest| rest.strip_suffix("` is not defined"))
    else {
        return mistake;
    };
    let known = WELL_KNOWN.iter().filter(|file| {
        well_known(file).is_some_and(|file| declared(&file).iter().any(|other| other == name && other.contains('.')))
    });
    let holds = names.iter().find(|(other, _)| other == name).map(|(_, file)| file.as_str());
    if let Some(file) = holds.or_else(|| known.into_iter().next().copied()) {
        return mistake.hint(format!("write `import \"{file}\";` at the top of the file"));
    }
    match nearest(name, names.iter().map(|(name, _)| name.as_str())) {
        Some(meant) => {
            let hint = format!("did you mean `{meant}`?");
            mistake.hint(hint)
        }
        None => mistake,
    }
}
