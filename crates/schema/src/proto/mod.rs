//! Protobuf IDL and descriptors to [`Schema`].
//!
//! `.proto` files are parsed and linked by `protox`, which knows proto2 and proto3. Files with an edition are told to it as proto2 (see
//! [`editions`]); what their features mean is worked out here, from the descriptors. Those of `protoc` come in at the same place.

mod build;
mod defaults;
mod descriptor;
mod editions;
mod features;
mod fields;
mod link;
mod names;
mod sources;
mod tokens;
mod told;
mod wire;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use prost::Message;

use self::build::Input;
use self::descriptor::FileProto;
use self::sources::Source;
use crate::mistake::{Mistake, put_in_order};
use crate::model::Schema;
use crate::paths::normal;

/// Loads Protobuf files and all they import: proto2, proto3 and edition 2023.
///
/// An import is looked for in `include_dirs` in order, then in the directories of the roots, then in the working directory; the well-known types
/// of `google/protobuf/` need not be there. A root is called by its path below the first include directory that contains it, or by its file name.
///
/// # Errors
/// Every mistake found in the files, each with its place, at most 100.
pub fn load_proto(roots: &[PathBuf], include_dirs: &[PathBuf]) -> Result<Schema, Vec<Mistake>> {
    let read = |path: &Path| std::fs::read_to_string(path);
    // Links and `..` may lead to one file by several paths; a file that is not there is told when it is read.
    let identity = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    load(&Source { read: &read, identity: &identity }, roots, include_dirs)
}

/// [`load_proto`] with texts from elsewhere: `source` gives the text of a path, or an error of kind
/// [`NotFound`](io::ErrorKind::NotFound) where there is none.
pub fn load_proto_with(
    source: &dyn Fn(&Path) -> io::Result<String>,
    roots: &[PathBuf],
    include_dirs: &[PathBuf],
) -> Result<Schema, Vec<Mistake>> {
    load(&Source { read: source, identity: &normal }, roots, include_dirs)
}

fn load(source: &Source<'_>, roots: &[PathBuf], include_dirs: &[PathBuf]) -> Result<Schema, Vec<Mistake>> {
    let mut sources = sources::Sources::new(source, roots, include_dirs);
    sources.follow();
    let result = link::link(&mut sources).and_then(|inputs| {
        build::build(&inputs).map_err(|faults| faults.iter().map(|fault| sources.mistake(&inputs, fault)).collect())
    });
    result.map_err(|mut mistakes| {
        put_in_order(&mut mistakes, sources.paths());
        mistakes
    })
}

/// Why bytes are not a set of descriptors, or not a sound one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorSetError {
    /// They are not a `google.protobuf.FileDescriptorSet`.
    #[error("the bytes are not a google.protobuf.FileDescriptorSet: {0}; protoc writes one with --descriptor_set_out")]
    Bytes(String),
    /// A file of the set contradicts itself or lacks something.
    #[error("{file}: {message}")]
    File {
        /// Its name.
        file: String,
        /// What is wrong, and where.
        message: String,
    },
}

/// Loads a `google.protobuf.FileDescriptorSet` in its binary form: what `protoc --include_imports --descriptor_set_out` writes, or descriptors
/// of generated code put together. Editions 2023 and 2024 are read, too.
///
/// Files of well-known types that are imported but not in the set are added. Files that no other file of the set imports count as roots.
///
/// # Errors
/// The first contradiction.
pub fn load_descriptor_set(bytes: &[u8]) -> Result<Schema, DescriptorSetError> {
    let bad = |reason: &str| DescriptorSetError::Bytes(reason.to_owned());
    let files = wire::files(bytes).ok_or_else(|| bad("they end too early, or hold a group"))?;
    let mut inputs = Vec::new();
    for file in files {
        let proto = FileProto::decode(file).map_err(|error| DescriptorSetError::Bytes(error.to_string()))?;
        let bare = wire::bare(file, None).ok_or_else(|| bad("a file holds a group"))?;
        inputs.push(Input { proto, bytes: bare, root: true });
    }
    if inputs.is_empty() {
        return Err(bad("there is no file in them"));
    }
    link::add_well_known(&mut inputs);
    let imported: HashSet<String> = inputs.iter().flat_map(|input| input.proto.dependency.clone()).collect();
    for input in &mut inputs {
        input.root = !imported.contains(input.proto.name());
    }
    let inputs = build::in_order(inputs);
    build::build(&inputs).map_err(|faults| {
        let first = faults.into_iter().next().unwrap_or_default();
        let file = inputs.get(first.file).map_or("", |input| input.proto.name());
        DescriptorSetError::File { file: file.to_owned(), message: first.message }
    })
}
