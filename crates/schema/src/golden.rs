//! Cases of mistakes, each with the exact text it is told in.
//!
//! The cases are in `FRONT_END/tests/mistakes/*.txt`: `=== title`, then files as `--- path` with their text (the first is the root),
//! then `--- mistakes` with what is printed. `VOLO_UPDATE_CASES=1 cargo test -p volo-js-schema` writes the last part anew;
//! read what it wrote before committing it.

use std::fmt::Write;
use std::path::Path;

use crate::{Mistake, Schema};

/// A front end: the first of these files (path, text) is the root.
pub(crate) type Load = fn(&[(&str, &str)]) -> Result<Schema, Vec<Mistake>>;

struct Case<'a> {
    title: &'a str,
    files: Vec<(&'a str, &'a str)>,
    expected: &'a str,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let sections = text.split("=== ").skip(1);
    sections
        .map(|section| {
            let mut parts = section.split("--- ");
            let title = parts.next().unwrap_or_default().trim_end();
            let mut files: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('\n')).collect();
            let (last, expected) = files.pop().expect("a case has files and mistakes");
            assert_eq!(last, "mistakes", "{title}");
            Case { title, files, expected: expected.trim_end() }
        })
        .collect()
}

/// Compares the cases of a file below `src` with what a front end tells.
pub(crate) fn check(load: Load, path: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
    let text = std::fs::read_to_string(&path).expect("the cases");
    let mut anew = String::new();
    let mut wrong = Vec::new();
    for case in cases(&text) {
        let told = match load(&case.files) {
            Ok(_) => String::new(),
            Err(mistakes) => render(&mistakes),
        };
        let told = told.trim_end();
        writeln!(anew, "=== {}", case.title).expect("a string grows");
        for (path, text) in &case.files {
            write!(anew, "--- {path}\n{text}").expect("a string grows");
        }
        write!(anew, "--- mistakes\n{told}\n\n").expect("a string grows");
        if told.is_empty() {
            wrong.push(format!("{}: no mistake was found", case.title));
        } else if told != case.expected {
            wrong.push(format!("{}: expected\n{}\ntold\n{told}\n", case.title, case.expected));
        }
    }
    if std::env::var_os("VOLO_UPDATE_CASES").is_some() {
        std::fs::write(&path, anew).expect("the cases are written");
    } else {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Mistakes as they are printed.
pub(crate) fn render(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
