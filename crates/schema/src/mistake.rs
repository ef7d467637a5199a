//! What is wrong with an IDL, and where.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// One mistake in an IDL file. Its [`Display`](fmt::Display) form is several lines, laid out as rustc's errors are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The file, as it was given or reached by an include.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters from the column on are meant; at least 1.
    pub width: u32,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The text of the line; empty if the file could not be read.
    #[serde(rename = "source")]
    pub source_line: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, .. } = self;
        let gutter = " ".repeat(line.to_string().len());
        writeln!(f, "error: {message}")?;
        writeln!(f, "{gutter}--> {file}:{line}:{column}")?;
        if !self.source_line.is_empty() {
            // A tab above a tab keeps the caret in its column, however wide the terminal draws it.
            let indent: String = self
                .source_line
                .chars()
                .take(*column as usize - usize::from(*column > 0))
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            writeln!(f, "{gutter} |")?;
            writeln!(f, "{line} | {}", self.source_line)?;
            writeln!(f, "{gutter} | {indent}{}", "^".repeat(self.width.max(1) as usize))?;
        }
        if let Some(hint) = &self.hint {
            writeln!(f, "{gutter} = help: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistake {}

/// Most mistakes told at once: whoever reads them starts with the first.
const MAX_MISTAKES: usize = 100;

impl Mistake {
    /// A mistake about some bytes of a text; its caret stands under what of them is on their first line.
    pub(crate) fn about(file: &str, text: &str, bytes: Range<usize>, message: impl Into<String>) -> Self {
        let start = floor(text, bytes.start);
        let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let line = text[begin..end].trim_end_matches('\r');
        let meant = &text[start..floor(text, bytes.end).clamp(start, (begin + line.len()).max(start))];
        // A mark of byte order is no character of the line.
        let mark = usize::from(begin == 0 && line.starts_with('\u{feff}') && start > 0);
        Self {
            file: file.to_owned(),
            line: text[..begin].matches('\n').count() as u32 + 1,
            column: (text[begin..start].chars().count() - mark) as u32 + 1,
            width: meant.trim_end().chars().count().max(1) as u32,
            message: message.into(),
            source_line: line.trim_start_matches('\u{feff}').to_owned(),
            hint: None,
        }
    }

    /// With advice.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The beginning of the character that a byte is part of.
fn floor(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Puts mistakes in the order in which their files were reached, by place within a file, each once, and not too many.
pub(crate) fn put_in_order(mistakes: &mut Vec<Mistake>, files: impl Iterator<Item = String>) {
    mistakes.sort_by_key(|m| (m.line, m.column));
    // By file in the order the files were reached; the sort above decides within a file.
    let order: HashMap<String, usize> = files.enumerate().map(|(at, path)| (path, at)).collect();
    mistakes.sort_by_key(|m| order.get(&m.file).copied().unwrap_or(0));
    mistakes.dedup();
    mistakes.truncate(MAX_MISTAKES);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters() {
        let text = "\u{feff}ä b\n  Größe x;\r\n";
        let about = |part: &str| {
            let at = text.find(part).expect("a part of the text");
            let mistake = Mistake::about("a", text, at..at + part.len(), "wrong");
            (mistake.line, mistake.column, mistake.width, mistake.source_line)
        };
        assert_eq!(about("b"), (1, 3, 1, "ä b".into()));
        assert_eq!(about("Größe"), (2, 3, 5, "  Größe x;".into()));
        assert_eq!(about("b\n  Gr"), (1, 3, 1, "ä b".into()));
        assert_eq!(about("x;\r\n"), (2, 9, 2, "  Größe x;".into()));
        let end = Mistake::about("a", text, 999..1000, "wrong");
        assert_eq!((end.line, end.column, end.width, end.source_line.as_str()), (3, 1, 1, ""));
    }

    #[test]
    fn is_laid_out_like_rustcs() {
        let mut mistake = Mistake {
            file: "shop.thrift".into(),
            line: 12,
            column: 5,
            width: 4,
            message: "unknown type `Itme`".into(),
            source_line: "\t1: Itme item,".into(),
            hint: Some("did you mean `Item`?".into()),
        };
        assert_eq!(
            mistake.to_string(),
            "error: unknown type `Itme`\n  --> shop.thrift:12:5\n   |\n12 | \t1: Itme item,\n   | \t   ^^^^\n   = help: did you mean `Item`?\n"
        );
        mistake.source_line.clear();
        mistake.hint = None;
        assert_eq!(mistake.to_string(), "error: unknown type `Itme`\n  --> shop.thrift:12:5\n");
    }
}
