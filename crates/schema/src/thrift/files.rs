//! Files, what they include, and where included files are looked for.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use pilota_thrift_parser::{File as Tree, Ident, Item};

use super::parse::parse;
use super::positions::Outline;
use super::tokens::{Fault, Spot, Tokens};
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

/// A file that was read and parsed.
pub(crate) struct IdlFile<'a> {
    /// Path with `/`, as it was given or reached.
    pub path: String,
    pub root: bool,
    pub tokens: Tokens<'a>,
    pub tree: Tree,
    pub outline: Outline,
    /// The included files by the name they are called by (`base` for `common/base.thrift`), in order.
    pub includes: Vec<(String, usize)>,
}

impl IdlFile<'_> {
    /// Turns a fault of this file into a mistake.
    pub(crate) fn mistake(&self, fault: Fault) -> Mistake {
        mistake(&self.path, self.tokens.text, fault)
    }

    /// The place of a token.
    pub(crate) fn spot(&self, token: usize) -> Spot {
        self.tokens.at(token).spot
    }

    /// The file a name stands for.
    pub(crate) fn included(&self, name: &str) -> Option<usize> {
        self.includes.iter().find(|(stem, _)| stem == name).map(|(_, file)| *file)
    }
}

fn mistake(path: &str, text: &str, fault: Fault) -> Mistake {
    let Fault { spot, message, hint } = fault;
    let line = text.split('\n').nth(spot.line.saturating_sub(1) as usize).unwrap_or_default();
    Mistake {
        file: path.to_owned(),
        line: spot.line.max(1),
        column: spot.column.max(1),
        width: spot.width.max(1),
        message,
        source_line: line.trim_end_matches('\r').trim_start_matches('\u{feff}').to_owned(),
        hint,
    }
}

/// A file's path and text; all are read before they are cut into tokens that borrow them.
struct Read {
    path: PathBuf,
    text: String,
}

/// Texts of all files: roots first, then what they include, as it is reached.
pub(crate) struct Texts {
    read: Vec<Read>,
    roots: usize,
    by_identity: HashMap<PathBuf, usize>,
    mistakes: Vec<Mistake>,
}

/// The includes of a file: path, place, and the file they lead to.
type Includes = Vec<(String, Spot, usize)>;

impl Texts {
    /// Reads the roots.
    pub(crate) fn roots(source: &Source<'_>, roots: &[PathBuf]) -> Self {
        let mut texts = Self { read: Vec::new(), roots: 0, by_identity: HashMap::new(), mistakes: Vec::new() };
        for root in roots {
            let path = normal(root);
            match texts.add(source, &path) {
                Ok(_) => {}
                Err(error) => {
                    let missing = error.kind() == io::ErrorKind::NotFound;
                    let message = if missing {
                        format!("there is no file `{}`", slashes(&path))
                    } else {
                        format!("`{}` cannot be read: {error}", slashes(&path))
                    };
                    let fault = Fault::new(Spot::default(), message)
                        .hint("paths are relative to the directory the command runs in");
                    texts.mistakes.push(mistake(&slashes(&path), "", fault));
                }
            }
        }
        texts.roots = texts.read.len();
        texts
    }

    /// Paths in the order the files were reached.
    pub(crate) fn paths(&self) -> impl Iterator<Item = String> + '_ {
        self.read.iter().map(|read| slashes(&read.path))
    }

    fn add(&mut self, source: &Source<'_>, path: &Path) -> io::Result<usize> {
        let identity = (source.identity)(path);
        if let Some(index) = self.by_identity.get(&identity) {
            return Ok(*index);
        }
        let text = (source.read)(path)?;
        self.read.push(Read { path: path.to_owned(), text });
        self.by_identity.insert(identity, self.read.len() - 1);
        Ok(self.read.len() - 1)
    }

    /// Reads whatever the files read so far include, and so on. Returns the includes of every file.
    pub(crate) fn follow(&mut self, source: &Source<'_>, dirs: &[PathBuf]) -> Vec<Includes> {
        let mut all = Vec::new();
        while all.len() < self.read.len() {
            let at = all.len();
            let wanted = wanted(&self.read[at].text);
            let mut includes = Includes::new();
            for (path, spot) in wanted {
                match self.find(source, dirs, at, &path) {
                    Ok(file) => includes.push((path, spot, file)),
                    Err((message, hint)) => {
                        let fault = Fault::new(spot, message).hint(hint);
                        let Read { path, text } = &self.read[at];
                        self.mistakes.push(mistake(&slashes(path), text, fault));
                    }
                }
            }
            all.push(includes);
        }
        all
    }

    fn find(
        &mut self,
        source: &Source<'_>,
        dirs: &[PathBuf],
        from: usize,
        path: &str,
    ) -> Result<usize, (String, String)> {
        if self.read.len() >= MAX_FILES {
            return Err((format!("more than {MAX_FILES} files"), "do the includes go in a circle?".into()));
        }
        let own = self.read[from].path.parent().unwrap_or(Path::new("")).to_owned();
        let searched: Vec<PathBuf> = if Path::new(path).is_absolute() {
            vec![PathBuf::new()]
        } else {
            std::iter::once(own).chain(dirs.iter().map(|dir| normal(dir))).collect()
        };
        for dir in &searched {
            let candidate = normal(&dir.join(path));
            match self.add(source, &candidate) {
                Ok(file) => return Ok(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let message = format!("`{}` cannot be read: {error}", slashes(&candidate));
                    return Err((message, "it has to be a readable file of UTF-8 text".into()));
                }
            }
        }
        let names: Vec<String> = searched
            .iter()
            .map(|dir| if dir.as_os_str().is_empty() { "`.`".to_owned() } else { format!("`{}`", slashes(dir)) })
            .collect();
        Err((
            format!("there is no file `{path}`"),
            format!("looked in {}; further directories are given as include directories", names.join(", ")),
        ))
    }

    /// Parses every text and checks the includes.
    pub(crate) fn parse(&self, includes: &[Includes]) -> Result<Vec<IdlFile<'_>>, Vec<Mistake>> {
        let mut mistakes = self.mistakes.clone();
        if self.read.len() >= MAX_FILES && !mistakes.is_empty() {
            return Err(mistakes);
        }
        let mut files = Vec::new();
        for (index, (Read { path, text }, includes)) in self.read.iter().zip(includes).enumerate() {
            let path = slashes(path);
            let parsed = Tokens::read(text)
                .map_err(|fault| vec![fault])
                .and_then(|tokens| parse(&tokens).map(|(tree, outline)| (tokens, tree, outline)));
            match parsed {
                Ok((tokens, tree, outline)) => {
                    let (named, faults) = named(includes);
                    mistakes.extend(faults.into_iter().map(|fault| mistake(&path, text, fault)));
                    files.push(IdlFile { path, root: index < self.roots, tokens, tree, outline, includes: named });
                }
                Err(faults) => mistakes.extend(faults.into_iter().map(|fault| mistake(&path, text, fault))),
            }
        }
        mistakes.extend(self.circles(includes));
        if mistakes.is_empty() { Ok(files) } else { Err(mistakes) }
    }

    /// A mistake for every include that leads back to its own file.
    fn circles(&self, includes: &[Includes]) -> Vec<Mistake> {
        let edges: Vec<Vec<usize>> =
            includes.iter().map(|list| list.iter().map(|(_, _, file)| *file).collect()).collect();
        let told = circles(&edges).into_iter().map(|circle| {
            let names: Vec<String> =
                circle.way.iter().map(|file| format!("`{}`", slashes(&self.read[*file].path))).collect();
            let spot = includes[circle.file][circle.edge].1;
            let fault = Fault::new(spot, "files include each other in a circle")
                .hint(format!("{}; move what both need to a file of its own", names.join(" includes ")));
            let Read { path, text } = &self.read[circle.file];
            mistake(&slashes(path), text, fault)
        });
        told.collect()
    }
}

/// The includes of a text, from its tokens: the search goes on even where a declaration is broken.
fn wanted(text: &str) -> Vec<(String, Spot)> {
    let Ok(tokens) = Tokens::read(text) else { return Vec::new() };
    let count = tokens.list.len();
    (0..count.saturating_sub(1))
        .filter(|i| tokens.word(*i) == "include" && tokens.at(i + 1).kind == super::tokens::Kind::Text)
        .map(|i| (tokens.word(i + 1).trim_matches(['"', '\'']).to_owned(), tokens.at(i + 1).spot))
        .collect()
}

/// The names included files are called by; two of the same name are a fault.
fn named(includes: &Includes) -> (Vec<(String, usize)>, Vec<Fault>) {
    let mut named: Vec<(String, usize)> = Vec::new();
    let mut faults = Vec::new();
    for (path, spot, file) in includes {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let stem = name.strip_suffix(".thrift").unwrap_or(name).to_owned();
        match named.iter().find(|(other, _)| *other == stem) {
            Some((_, same)) if same == file => {}
            Some(_) => faults.push(
                Fault::new(*spot, format!("two included files are called `{stem}`"))
                    .hint("rename one of them: a type of theirs is written with the name of its file"),
            ),
            None => named.push((stem, *file)),
        }
    }
    (named, faults)
}

/// Namespaces of a file by language.
pub(crate) fn namespaces(tree: &Tree) -> std::collections::BTreeMap<String, String> {
    let names = tree.items.iter().filter_map(|item| match item {
        Item::Namespace(namespace) => {
            let name: Vec<&str> = namespace.name.segments.iter().map(Ident::as_str).collect();
            Some((namespace.scope.0.clone(), name.join(".")))
        }
        _ => None,
    });
    names.collect()
}
