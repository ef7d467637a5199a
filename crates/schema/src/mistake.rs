//! What is wrong with an IDL, and where.

use std::fmt;

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

#[cfg(test)]
mod tests {
    use super::*;

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
