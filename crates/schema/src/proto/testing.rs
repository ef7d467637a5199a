//! Helpers of this module's tests: files that exist in memory only.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Mistake, Schema, load_proto_with};

/// Loads the first of these files (path, text); include directory `shared`.
pub(crate) fn load_files(files: &[(&str, &str)]) -> Result<Schema, Vec<Mistake>> {
    let read = |path: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    load_proto_with(&read, &[PathBuf::from(files[0].0)], &[PathBuf::from("shared")])
}

/// Loads one file that has to be sound.
pub(crate) fn load_one(text: &str) -> Schema {
    match load_files(&[("a.proto", text)]) {
        Ok(schema) => schema,
        Err(mistakes) => panic!("{}", crate::golden::render(&mistakes)),
    }
}
