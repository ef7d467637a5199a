//! What `protox` tells, in our words and places.

use std::ops::Range;

use miette::Diagnostic;

use super::sources::Loaded;
use crate::mistake::Mistake;

/// Mistakes of a file. Spans are those of the text that the parser read.
pub(crate) fn mistakes(file: &Loaded, error: &dyn Diagnostic) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut next = vec![error];
    while let Some(error) = next.pop() {
        mistakes.push(mistake(file, error));
        next.extend(error.related().into_iter().flatten());
    }
    mistakes.retain(|mistake| !says_twice(&mistake.message));
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    // Letters that no token has are told one by one.
    mistakes.dedup_by(|next, one| {
        let same = next.message == one.message && (next.line, next.column) == (one.line, one.column + one.width);
        one.width += if same { next.width } else { 0 };
        same
    });
    mistakes
}

/// A field that is there twice is told as such, and need not be told as one whose name in JSON is.
fn says_twice(message: &str) -> bool {
    let names =
        message.strip_prefix("camel-case name of field ").and_then(|rest| rest.split_once(" conflicts with field "));
    names.is_some_and(|(one, other)| one == other)
}

/// What a label says of its place, the most telling first.
const TELLING: [&str; 3] = ["again", "found here", "defined here"];

fn mistake(file: &Loaded, error: &dyn Diagnostic) -> Mistake {
    let labels: Vec<(String, Range<usize>)> = error
        .labels()
        .into_iter()
        .flatten()
        .map(|label| (label.label().unwrap_or_default().to_owned(), label.offset()..label.offset() + label.len()))
        .collect();
    let message = error.to_string();
    let telling = TELLING.iter().find_map(|text| {
        let exact = labels.iter().find(|(label, _)| label == text);
        exact.or_else(|| labels.iter().find(|(label, _)| label.contains(text)))
    });
    let place = telling.or(labels.first());
    let bytes = match place {
        Some((_, bytes)) => bytes.clone(),
        None if message.ends_with("end of file") => file.edited.text.len()..file.edited.text.len(),
        None => 0..0,
    };
    let hint = error.help().map(|help| help.to_string()).filter(|_| undefined(&message).is_none());
    // The parser has one sentence for two things.
    let message = match &hint {
        Some(hint) if message == "invalid group name" && hint.starts_with("imports") => {
            "this is no path of an import".into()
        }
        _ => match undefined(&message) {
            Some(name) => format!("name '{name}' is not defined"),
            None => message,
        },
    };
    let mistake = file.edited_mistake(bytes, worded(&message));
    let first = labels
        .iter()
        .find(|(label, _)| label.contains("range defined") || (labels.len() > 1 && label.contains("first")));
    let first = first.filter(|first| place.is_some_and(|place| place.1 != first.1));
    let first_line = first
        .map(|(_, bytes)| file.edited_mistake(bytes.clone(), String::new()).line)
        .map(|line| format!("it is in line {line} already"));
    let hint = hint
        .map(|hint| worded(&hint))
        .or_else(|| error.diagnostic_source().map(|source| worded(&source.to_string())))
        .or(first_line)
        .or_else(|| advice(&message).map(Into::into));
    match hint {
        Some(hint) => mistake.hint(hint),
        None => mistake,
    }
}

/// A name that is not declared, but whose package is: the parser takes it for shadowed.
fn undefined(message: &str) -> Option<&str> {
    let (name, found) =
        message.strip_suffix("', which is not defined")?.strip_prefix('\'')?.split_once("' resolves to '")?;
    (name == found).then_some(name)
}

/// A message with names in back quotes, as all mistakes have them.
fn worded(message: &str) -> String {
    let message = match message {
        "nested block comments are not supported" => "a block comment begins inside of another one",
        "set the 'allow_alias' option allow re-using enum numbers" => {
            "say 'option allow_alias = true;' if the two names mean the same"
        }
        "possible values are 'proto2' and 'proto3'" => "there are 'proto2', 'proto3' and 'edition = \"2023\";'",
        other => other,
    };
    let quotes = message.matches('\'').count();
    if quotes % 2 == 1 { message.to_owned() } else { message.replace('\'', "`") }
}

/// What to do about messages that come without advice: their beginnings or ends.
const ADVICE: [(&str, &str); 17] = [
    ("fields must have a label", "write `optional`, or begin the file with `syntax = \"proto3\";`"),
    (
        "default values are not allowed in proto3",
        "an absent field is zero or empty there; proto2 and editions have default values",
    ),
    ("required fields are not allowed in proto3", "leave `required` out; `optional` tells absent from zero"),
    ("groups are not allowed in proto3", "declare a message and a field of it"),
    ("map fields cannot have labels", "leave the label out: a map is repeated as it is"),
    ("oneof fields cannot have labels", "leave the label out: one field of a oneof is present at most"),
    ("the first value for proto3 enums", "an absent field holds 0, so 0 has to have a name"),
    ("a map field key type", "a key is an integer, a bool or a string"),
    ("multiple package names", "a file has one package"),
    ("message numbers must be", "numbers are part of the wire format: take one that no field ever had"),
    ("field number", "numbers are part of the wire format: take one that no field ever had"),
    ("name ", "declare it, or import the file that does"),
    ("option field ", "options are those of google/protobuf/descriptor.proto, or extensions of them, in parentheses"),
    ("invalid token", "names are made of letters of ASCII, digits and `_`"),
    ("camel-case name", "the two have one name in JSON; rename one of them"),
    ("extension fields may not be required", "write `optional`"),
    ("unterminated string", "strings end in the line they begin in"),
];

fn advice(message: &str) -> Option<&'static str> {
    let applies = |begin: &str| {
        let is_name = matches!(begin, "name " | "option field ");
        message.starts_with(begin) && (!is_name || message.ends_with("is not defined"))
    };
    ADVICE.iter().find(|(begin, _)| applies(begin)).map(|(_, advice)| *advice)
}
