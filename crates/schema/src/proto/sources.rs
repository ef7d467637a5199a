//! Files, what they import, what they are called, and where imported files are looked for.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use protox::prost_reflect::prost_types::FileDescriptorProto;

use super::build::{Fault, Input};
use super::descriptor::Location;
use super::editions::Edited;
use super::tokens::Tokens;
use super::told;
use crate::mistake::Mistake;
use crate::paths::{circles, normal, slashes};

/// Most files of one build: a guard against sources that make files up.
const MAX_FILES: usize = 4096;

/// Where texts come from.
pub(crate) struct Source<'a> {
    /// Reads a file; `NotFound` sends the search on to the next directory.
    pub read: &'a dyn Fn(&Path) -> io::Result<String>,
    /// What makes two paths the same file.
    pub identity: &'a dyn Fn(&Path) -> PathBuf,
}

/// An import: the file it leads to, unless that is a well-known type's, and where the import stands.
pub(crate) struct Import {
    /// What the file is called.
    pub name: String,
    pub file: Option<usize>,
    pub bytes: Range<usize>,
}

/// A file that was read.
pub(crate) struct Loaded {
    /// What imports call it.
    pub name: String,
    /// Where it lies, with `/`.
    pub path: String,
    pub root: bool,
    pub text: String,
    pub edited: Edited,
    /// Its descriptor, names not resolved; none if it cannot be parsed.
    pub proto: Option<FileDescriptorProto>,
    pub imports: Vec<Import>,
}

impl Loaded {
    /// A mistake about some bytes of the text that the parser read.
    pub(crate) fn edited_mistake(&self, bytes: Range<usize>, message: String) -> Mistake {
        Mistake::about(&self.path, &self.text, self.edited.original(bytes), message)
    }
}

/// All files of a build.
pub(crate) struct Sources<'a> {
    source: &'a Source<'a>,
    /// Where imports are looked for, in this order.
    dirs: Vec<PathBuf>,
    pub files: Vec<Loaded>,
    by_identity: HashMap<PathBuf, usize>,
    by_name: HashMap<String, usize>,
    pub mistakes: Vec<Mistake>,
}

impl<'a> Sources<'a> {
    /// Reads the roots.
    pub(crate) fn new(source: &'a Source<'a>, roots: &[PathBuf], include_dirs: &[PathBuf]) -> Self {
        let mut sources = Self {
            source,
            dirs: include_dirs.iter().map(|dir| normal(dir)).collect(),
            files: Vec::new(),
            by_identity: HashMap::new(),
            by_name: HashMap::new(),
            mistakes: Vec::new(),
        };
        let roots: Vec<PathBuf> = roots.iter().map(|root| normal(root)).collect();
        let beside = roots.iter().map(|root| root.parent().unwrap_or(Path::new("")).to_owned());
        for dir in beside.chain([PathBuf::new()]) {
            if !sources.dirs.contains(&dir) {
                sources.dirs.push(dir);
            }
        }
        for root in &roots {
            let name = called(root, include_dirs);
            if let Err(error) = sources.add(root, &name, true) {
                let path = slashes(root);
                let missing = error.kind() == io::ErrorKind::NotFound;
                let message = if missing {
                    format!("there is no file `{path}`")
                } else {
                    format!("`{path}` cannot be read: {error}")
                };
                let mistake = Mistake::about(&path, "", 0..0, message);
                sources.mistakes.push(mistake.hint("paths are relative to the directory the command runs in"));
            }
        }
        sources
    }

    /// Paths in the order the files were reached.
    pub(crate) fn paths(&self) -> impl Iterator<Item = String> + '_ {
        self.files.iter().map(|file| file.path.clone())
    }

    fn add(&mut self, path: &Path, name: &str, root: bool) -> io::Result<usize> {
        let identity = (self.source.identity)(path);
        if let Some(index) = self.by_identity.get(&identity) {
            return Ok(*index);
        }
        let mut text = (self.source.read)(path)?;
        if text.starts_with('\u{feff}') {
            // A mark of byte order says nothing in UTF-8, and is no token.
            text.drain(..'\u{feff}'.len_utf8());
        }
        let tokens = Tokens::of(&text);
        let edited = Edited::of(&tokens);
        let path = slashes(path);
        let index = self.files.len();
        let mut mistakes: Vec<Mistake> = Vec::new();
        for (bytes, message, hint) in &edited.faults {
            mistakes.push(Mistake::about(&path, &text, bytes.clone(), message.clone()).hint(*hint));
        }
        if let Some(other) = self.by_name.get(name) {
            let message = format!("two files are called `{name}`");
            let hint =
                format!("the other is `{}`; give a directory above both as include directory", self.files[*other].path);
            mistakes.push(Mistake::about(&path, &text, 0..0, message).hint(hint));
        }
        let wanted: Vec<(String, Range<usize>)> =
            tokens.imports().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        let too_deep = tokens.too_deep();
        let mut file = Loaded {
            name: name.to_owned(),
            path,
            root,
            text,
            edited,
            proto: None,
            imports: wanted.into_iter().map(|(name, bytes)| Import { name, file: None, bytes }).collect(),
        };
        if let Some(bytes) = too_deep {
            let mistake = Mistake::about(&file.path, &file.text, bytes, "brackets are nested too deep");
            mistakes.push(mistake.hint("a hundred levels is the limit"));
        } else if file.edited.edition.is_some() || file.edited.faults.is_empty() {
            match protox::file::File::from_source(name, &file.edited.text) {
                Ok(parsed) => file.proto = Some(parsed.into()),
                Err(error) => mistakes.extend(told::mistakes(&file, &error)),
            }
        }
        // Escapes in a path are the parser's to read.
        if let Some(proto) = &file.proto
            && proto.dependency.len() == file.imports.len()
        {
            for (import, name) in file.imports.iter_mut().zip(&proto.dependency) {
                import.name.clone_from(name);
            }
        }
        self.mistakes.extend(mistakes);
        self.files.push(file);
        self.by_identity.insert(identity, index);
        self.by_name.entry(name.to_owned()).or_insert(index);
        Ok(index)
    }

    /// Reads whatever the files read so far import, and so on.
    pub(crate) fn follow(&mut self) {
        let mut at = 0;
        while at < self.files.len() {
            let imports = std::mem::take(&mut self.files[at].imports);
            let mut found: Vec<Import> = Vec::new();
            for import in imports {
                // The parser has told it, and no include directory holds such a file.
                if import.name.split('/').any(|part| matches!(part, "" | "." | "..")) {
                    continue;
                }
                match self.find(&import) {
                    Ok(file) => {
                        // One file may be reached by several names; to the linker it has one.
                        let name = file.map_or(import.name, |file| self.files[file].name.clone());
                        if found.iter().any(|other| other.name == name) {
                            let mistake =
                                self.at_import(at, import.bytes.clone(), format!("`{name}` is imported twice"));
                            self.mistakes.push(mistake.hint("leave one of them out"));
                        }
                        found.push(Import { name, file, bytes: import.bytes });
                    }
                    Err((message, hint)) => {
                        let mistake = self.at_import(at, import.bytes.clone(), message).hint(hint);
                        self.mistakes.push(mistake);
                        // Without it the file cannot be linked.
                        self.files[at].proto = None;
                    }
                }
            }
            let names: Vec<String> = found.iter().map(|import| import.name.clone()).collect();
            let file = &mut self.files[at];
            file.imports = found;
            if let Some(proto) = &mut file.proto
                && proto.dependency.len() == names.len()
            {
                proto.dependency = names;
            }
            at += 1;
        }
        self.circles();
    }

    fn at_import(&self, file: usize, bytes: Range<usize>, message: String) -> Mistake {
        Mistake::about(&self.files[file].path, &self.files[file].text, bytes, message)
    }

    /// The file an import leads to; none for one of the well-known types that is nowhere.
    fn find(&mut self, import: &Import) -> Result<Option<usize>, (String, String)> {
        let name = &import.name;
        if self.files.len() >= MAX_FILES {
            return Err((format!("more than {MAX_FILES} files"), "do the imports go in a circle?".into()));
        }
        for dir in self.dirs.clone() {
            let candidate = normal(&dir.join(name));
            match self.add(&candidate, name, false) {
                Ok(file) => return Ok(Some(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let message = format!("`{}` cannot be read: {error}", slashes(&candidate));
                    return Err((message, "it has to be a readable file of UTF-8 text".into()));
                }
            }
        }
        if super::link::well_known(name).is_some() {
            return Ok(None);
        }
        let place =
            |dir: &PathBuf| if dir.as_os_str().is_empty() { "`.`".into() } else { format!("`{}`", slashes(dir)) };
        let places: Vec<String> = self.dirs.iter().map(place).collect();
        Err((
            format!("there is no file `{name}`"),
            format!("looked in {}; further directories are given as include directories", places.join(", ")),
        ))
    }

    /// A mistake for every import that leads back to its own file; such files are not linked.
    fn circles(&mut self) {
        // Well-known types, which are no file here, import nothing of the user's.
        let edges: Vec<Vec<usize>> =
            self.files.iter().map(|file| file.imports.iter().filter_map(|import| import.file).collect()).collect();
        for circle in circles(&edges) {
            let names: Vec<String> = circle.way.iter().map(|file| format!("`{}`", self.files[*file].path)).collect();
            let target = edges[circle.file][circle.edge];
            let import = self.files[circle.file].imports.iter().find(|import| import.file == Some(target));
            let bytes = import.map_or(0..0, |import| import.bytes.clone());
            let mistake = self.at_import(circle.file, bytes, "files import each other in a circle".into());
            let hint = format!("{}; move what both need to a file of its own", names.join(" imports "));
            self.mistakes.push(mistake.hint(hint));
            self.files[circle.file].proto = None;
        }
    }

    /// A fault of the descriptors in the text they were made from.
    pub(crate) fn mistake(&self, inputs: &[Input], fault: &Fault) -> Mistake {
        let input = &inputs[fault.file];
        let Some(file) = self.files.iter().find(|file| file.name == input.proto.name()) else {
            return Mistake::about(input.proto.name(), "", 0..0, fault.message.clone());
        };
        let locations = input.proto.source_code_info.iter().flat_map(|info| &info.location);
        // The place itself, or else the nearest thing around it that has one.
        let nearest = locations.filter(|location| fault.path.starts_with(&location.path)).max_by_key(|l| l.path.len());
        let bytes = nearest.map_or(0..0, |location| span(&file.edited.text, location));
        let mistake = file.edited_mistake(bytes, fault.message.clone());
        match fault.hint {
            Some(hint) => mistake.hint(hint),
            None => mistake,
        }
    }
}

/// The bytes a location is about. Columns count bytes.
fn span(text: &str, location: &Location) -> Range<usize> {
    let (first, last) = match location.span[..] {
        [line, start, end] => ((line, start), (line, end)),
        [line, start, end_line, end] => ((line, start), (end_line, end)),
        _ => return 0..0,
    };
    let offset = |(line, column): (i32, i32)| {
        let begin = match usize::try_from(line - 1) {
            Err(_) => 0,
            Ok(newline) => text.match_indices('\n').nth(newline).map_or(text.len(), |(at, _)| at + 1),
        };
        begin + usize::try_from(column).unwrap_or_default()
    };
    offset(first)..offset(last)
}

/// What a root is called: its path below the first include directory that contains it, or its file name.
fn called(root: &Path, dirs: &[PathBuf]) -> String {
    let below = |dir: &PathBuf| {
        let dir = normal(dir);
        match root.strip_prefix(&dir) {
            // The working directory contains what does not lead out of it.
            Ok(rest) if !(dir.as_os_str().is_empty() && (root.is_absolute() || root.starts_with(".."))) => {
                Some(rest.to_owned())
            }
            Ok(_) => None,
            Err(_) => {
                let (root, dir) = (std::path::absolute(root).ok()?, std::path::absolute(&dir).ok()?);
                normal(&root).strip_prefix(normal(&dir)).ok().map(Path::to_owned)
            }
        }
    };
    let name = dirs.iter().find_map(below).or_else(|| root.file_name().map(PathBuf::from));
    slashes(&name.unwrap_or_else(|| root.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_called_by_their_place_below_an_include_directory() {
        let called =
            |root: &str, dirs: &[&str]| called(Path::new(root), &dirs.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(called("idl/shop/item.proto", &[]), "item.proto");
        assert_eq!(called("idl/shop/item.proto", &["idl"]), "shop/item.proto");
        assert_eq!(called("idl/shop/item.proto", &["other", "./idl/"]), "shop/item.proto");
        assert_eq!(called("idl/shop/item.proto", &["."]), "idl/shop/item.proto");
        assert_eq!(called("../shop/item.proto", &["."]), "item.proto");
        assert_eq!(called("../shop/item.proto", &[".."]), "shop/item.proto");
        let here = std::env::current_dir().expect("a working directory");
        assert_eq!(called("idl/item.proto", &[here.to_str().expect("a path of text")]), "idl/item.proto");
        assert_eq!(called(here.join("idl/item.proto").to_str().expect("a path of text"), &["idl"]), "item.proto");
    }
}
