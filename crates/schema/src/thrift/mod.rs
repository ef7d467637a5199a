//! Thrift IDL to [`Schema`]: files, syntax, names, types, services, values, in this order.
//!
//! Each step looks at everything it can look at, so that independent mistakes are told together; a later step runs
//! only if it can rely on the one before (names on syntax).

mod comments;
mod declare;
mod files;
mod literals;
mod outline;
mod parse;
mod positions;
mod resolve;
mod scanner;
mod services;
mod structs;
mod tokens;
mod values;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use pilota_thrift_parser::Annotations as TreeAnnotations;

use self::declare::Names;
use self::files::{IdlFile, Source, Texts};
use self::resolve::Progress;
use self::structs::Pending;
use self::tokens::Fault;
use crate::mistake::{Mistake, put_in_order};
use crate::model::{Annotations, Schema, Type, Value};
use crate::paths::normal;

/// Loads Thrift files and all they include.
///
/// An include is looked for beside the file that includes it, then in `include_dirs` in order.
///
/// # Errors
/// Every mistake found in the files, each with its place, at most 100.
pub fn load_thrift(roots: &[PathBuf], include_dirs: &[PathBuf]) -> Result<Schema, Vec<Mistake>> {
    let read = |path: &Path| std::fs::read_to_string(path);
    // Links and `..` may lead to one file by several paths; a file that is not there is told when it is read.
    let identity = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    load(&Source { read: &read, identity: &identity }, roots, include_dirs)
}

/// [`load_thrift`] with texts from elsewhere: `source` gives the text of a path, or an error of kind
/// [`NotFound`](io::ErrorKind::NotFound) where there is none.
pub fn load_thrift_with(
    source: &dyn Fn(&Path) -> io::Result<String>,
    roots: &[PathBuf],
    include_dirs: &[PathBuf],
) -> Result<Schema, Vec<Mistake>> {
    load(&Source { read: source, identity: &normal }, roots, include_dirs)
}

fn load(source: &Source<'_>, roots: &[PathBuf], include_dirs: &[PathBuf]) -> Result<Schema, Vec<Mistake>> {
    let mut texts = Texts::roots(source, roots);
    let includes = texts.follow(source, include_dirs);
    let mut result = texts.parse(&includes).and_then(|files| Build::new(&files).run());
    if let Err(mistakes) = &mut result {
        put_in_order(mistakes, texts.paths());
    }
    result
}

/// A schema under construction.
struct Build<'a> {
    files: &'a [IdlFile<'a>],
    names: Vec<Names>,
    schema: Schema,
    mistakes: Vec<Mistake>,
    /// By file and declaration.
    typedef_progress: HashMap<(usize, usize), Progress<Type>>,
    typedef_way: Vec<(usize, usize)>,
    /// Types being resolved, one inside of the other: each costs stack.
    type_depth: usize,
    const_progress: HashMap<(usize, usize), Progress<(Type, Value)>>,
    const_way: Vec<(usize, usize)>,
    /// Parts of values made so far.
    value_parts: usize,
    pending: Vec<Pending<'a>>,
    /// Fields (by struct and position) that have a default, worked out or not.
    with_default: HashSet<(u32, usize)>,
}

impl<'a> Build<'a> {
    fn new(files: &'a [IdlFile<'a>]) -> Self {
        Self {
            files,
            names: Vec::new(),
            schema: Schema::default(),
            mistakes: Vec::new(),
            typedef_progress: HashMap::new(),
            typedef_way: Vec::new(),
            type_depth: 0,
            const_progress: HashMap::new(),
            const_way: Vec::new(),
            value_parts: 0,
            pending: Vec::new(),
            with_default: HashSet::new(),
        }
    }

    fn run(mut self) -> Result<Schema, Vec<Mistake>> {
        self.declare();
        self.typedefs();
        self.structs();
        self.services();
        // Values are checked against fields: they need all of the above to be sound.
        if self.mistakes.is_empty() {
            self.with_default = self.pending.iter().map(|p| (p.structure, p.field)).collect();
            self.consts();
            self.defaults();
        }
        if self.mistakes.is_empty() { Ok(self.schema) } else { Err(self.mistakes) }
    }

    fn fault(&mut self, file: usize, fault: Fault) {
        self.mistakes.push(self.files[file].mistake(fault));
    }
}

/// Annotations in a stable order; of two with one name the last counts.
fn annotations(tree: &TreeAnnotations) -> Annotations {
    tree.iter().map(|annotation| (annotation.key.clone(), annotation.value.0.clone())).collect()
}
