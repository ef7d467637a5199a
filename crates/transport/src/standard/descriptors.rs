//! Descriptors by what is asked for them: names of files, of symbols, and extensions.

use std::collections::{BTreeMap, HashMap};

use super::wire::{Fields, Malformed, Value, fields};

/// Messages nested deeper than this are none that a compiler lets pass.
const DEEPEST: u32 = 100;

#[derive(Debug)]
struct File {
    /// The `FileDescriptorProto` as it came.
    bytes: Box<[u8]>,
    dependencies: Vec<String>,
}

/// Files of Protobuf and what they declare.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    files: Vec<File>,
    by_name: HashMap<String, usize>,
    by_symbol: HashMap<String, usize>,
    /// By the extended message, then by the number.
    extensions: HashMap<String, BTreeMap<i32, usize>>,
}

impl Descriptors {
    /// Adds the files of a `FileDescriptorSet`. One of a name that is there already is left out.
    ///
    /// # Errors
    /// It is no such set; files before the broken one are there.
    pub(crate) fn add_set(&mut self, set: &[u8]) -> Result<(), Malformed> {
        for field in fields(set) {
            if let (1, file) = field? {
                self.add_file(file.bytes())?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let name = first_text(bytes, 1)?;
        if self.by_name.contains_key(&name) {
            return Ok(());
        }
        let package = first_text(bytes, 2)?;
        let index = self.files.len();
        let mut dependencies = Vec::new();
        for field in fields(bytes) {
            match field? {
                (3, file) => dependencies.push(file.text()),
                (4, message) => self.add_message(index, &package, message.bytes(), 0)?,
                (5, declared) => self.add_enum(index, &package, declared.bytes())?,
                (6, service) => self.add_with(index, &package, service.bytes(), &[2])?,
                (7, extension) => self.add_extension(index, &package, extension.bytes())?,
                _ => {}
            }
        }
        self.by_name.insert(name, index);
        self.files.push(File { bytes: bytes.into(), dependencies });
        Ok(())
    }

    fn add_message(&mut self, file: usize, scope: &str, bytes: &[u8], depth: u32) -> Result<(), Malformed> {
        if depth > DEEPEST {
            return Err(Malformed);
        }
        self.add_with(file, scope, bytes, &[2, 8])?;
        let name = qualified(scope, &first_text(bytes, 1)?);
        for field in fields(bytes) {
            match field? {
                (3, message) => self.add_message(file, &name, message.bytes(), depth + 1)?,
                (4, declared) => self.add_enum(file, &name, declared.bytes())?,
                (6, extension) => self.add_extension(file, &name, extension.bytes())?,
                _ => {}
            }
        }
        Ok(())
    }

    /// An enum's values stand beside it, as those of C do.
    fn add_enum(&mut self, file: usize, scope: &str, bytes: &[u8]) -> Result<(), Malformed> {
        self.add_with(file, scope, bytes, &[])?;
        for field in fields(bytes) {
            if let (2, value) = field? {
                self.add_with(file, scope, value.bytes(), &[])?;
            }
        }
        Ok(())
    }

    fn add_extension(&mut self, file: usize, scope: &str, bytes: &[u8]) -> Result<(), Malformed> {
        self.add_with(file, scope, bytes, &[])?;
        let number = fields(bytes).filter_map(Result::ok).find(|(field, _)| *field == 3).map_or(0, |(_, v)| v.int());
        let extended = first_text(bytes, 2)?.trim_start_matches('.').to_owned();
        self.extensions.entry(extended).or_default().insert(number, file);
        Ok(())
    }

    /// Adds something with a name, and its members: the fields of these numbers.
    fn add_with(&mut self, file: usize, scope: &str, bytes: &[u8], members: &[u64]) -> Result<(), Malformed> {
        let name = qualified(scope, &first_text(bytes, 1)?);
        for field in fields(bytes) {
            let (field, member) = field?;
            if members.contains(&field) {
                let member = qualified(&name, &first_text(member.bytes(), 1)?);
                self.by_symbol.insert(member, file);
            }
        }
        self.by_symbol.insert(name, file);
        Ok(())
    }

    /// A file by its name, and what it depends on behind it.
    pub(crate) fn file(&self, name: &str) -> Option<Vec<&[u8]>> {
        self.by_name.get(name).map(|file| self.with_dependencies(*file))
    }

    /// The file that declares a symbol, and what it depends on behind it.
    pub(crate) fn symbol(&self, name: &str) -> Option<Vec<&[u8]>> {
        self.by_symbol.get(name).map(|file| self.with_dependencies(*file))
    }

    /// The file that declares an extension of a message, and what it depends on behind it.
    pub(crate) fn extension(&self, extended: &str, number: i32) -> Option<Vec<&[u8]>> {
        self.extensions.get(extended)?.get(&number).map(|file| self.with_dependencies(*file))
    }

    /// The numbers of all extensions of a message. None if there is no such message.
    pub(crate) fn extension_numbers(&self, extended: &str) -> Option<Vec<i32>> {
        match self.extensions.get(extended) {
            Some(numbers) => Some(numbers.keys().copied().collect()),
            None => self.by_symbol.contains_key(extended).then(Vec::new),
        }
    }

    fn with_dependencies(&self, file: usize) -> Vec<&[u8]> {
        let mut wanted = vec![file];
        let mut seen = vec![false; self.files.len()];
        seen[file] = true;
        let mut next = 0;
        while let Some(&file) = wanted.get(next) {
            next += 1;
            for dependency in &self.files[file].dependencies {
                if let Some(&index) = self.by_name.get(dependency)
                    && !std::mem::replace(&mut seen[index], true)
                {
                    wanted.push(index);
                }
            }
        }
        wanted.into_iter().map(|file| &*self.files[file].bytes).collect()
    }
}

fn qualified(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// The text of the first field of this number; empty if there is none.
fn first_text(message: &[u8], number: u64) -> Result<String, Malformed> {
    let mut all: Fields<'_> = fields(message);
    let found = all.find(|field| !matches!(field, Ok((field, _)) if *field != number));
    Ok(found.transpose()?.map(|(_, value): (u64, Value<'_>)| value.text()).unwrap_or_default())
}
