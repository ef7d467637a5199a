//! Tokens of a Thrift file, with the places the parser's tree leaves out.

use super::positions::Edit;
use super::scanner::{Scanner, unexpected};

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Spot {
    /// Byte offset.
    pub start: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Length in characters.
    pub width: u32,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or identifier, without dots.
    Word,
    /// An integer or double with its sign.
    Number,
    /// A quoted string.
    Text,
    /// One punctuation character.
    Sign(char),
    /// Behind the last token.
    End,
}

/// A token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub kind: Kind,
    pub spot: Spot,
    /// Byte offset of its end.
    pub end: usize,
    /// Line of its end.
    pub end_line: u32,
    /// True for the first token of its line.
    pub leads: bool,
}

impl Token {
    /// The place right behind the token.
    pub(crate) fn behind(&self) -> Spot {
        Spot { start: self.end, column: self.spot.column + self.spot.width, width: 1, ..self.spot }
    }
}

/// A comment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comment {
    pub start: usize,
    pub end: usize,
    pub line: u32,
    pub end_line: u32,
    /// Index of the token that follows.
    pub before: usize,
}

/// Something wrong at a place; the file is added by whoever knows it.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub spot: Spot,
    pub message: String,
    pub hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(spot: Spot, message: impl Into<String>) -> Self {
        Self { spot, message: message.into(), hint: None }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The tokens and comments of one file.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    pub text: &'a str,
    /// Ends with one token of kind [`Kind::End`].
    pub list: Vec<Token>,
    pub comments: Vec<Comment>,
}

/// How deep brackets may be nested: deeper than any IDL, shallow enough for a recursive parser's stack.
const MAX_NESTING: usize = 64;

impl<'a> Tokens<'a> {
    /// Cuts a file into tokens.
    pub(crate) fn read(text: &'a str) -> Result<Self, Fault> {
        let mut scanner = Scanner::new(text);
        let mut tokens = Self { text, list: Vec::new(), comments: Vec::new() };
        let mut nesting = 0usize;
        let mut last_line = 0;
        while let Some(next) = scanner.peek() {
            let spot = scanner.spot(0);
            let kind = match next {
                ' ' | '\t' | '\r' | '\n' | '\u{feff}' => {
                    scanner.bump();
                    continue;
                }
                '#' => {
                    scanner.comment_line(&mut tokens);
                    continue;
                }
                '/' => {
                    scanner.comment(&mut tokens)?;
                    continue;
                }
                '"' | '\'' => scanner.quoted(next)?,
                '+' | '-' | '0'..='9' => scanner.number()?,
                '.' if scanner.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) && !tokens.joins(scanner.at) => {
                    scanner.number()?
                }
                'a'..='z' | 'A'..='Z' | '_' => {
                    scanner.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
                    Kind::Word
                }
                '{' | '}' | '(' | ')' | '[' | ']' | '<' | '>' | ':' | ',' | ';' | '=' | '.' | '*' | '&' => {
                    match next {
                        '{' | '(' | '[' | '<' => nesting += 1,
                        '}' | ')' | ']' | '>' => nesting = nesting.saturating_sub(1),
                        _ => {}
                    }
                    scanner.bump();
                    Kind::Sign(next)
                }
                _ => return Err(unexpected(&scanner, next)),
            };
            if nesting > MAX_NESTING {
                return Err(Fault::new(scanner.spot_since(spot), format!("nested deeper than {MAX_NESTING}"))
                    .hint("give the inner part a name of its own with `typedef`, `const` or `struct`"));
            }
            tokens.list.push(Token {
                kind,
                spot: scanner.spot_since(spot),
                end: scanner.at,
                end_line: scanner.line,
                leads: spot.line != last_line,
            });
            last_line = scanner.line;
        }
        let spot = scanner.spot(1);
        tokens.list.push(Token { kind: Kind::End, spot, end: text.len(), end_line: spot.line, leads: true });
        Ok(tokens)
    }

    /// The token at an index; the end for an index behind it.
    pub(crate) fn at(&self, index: usize) -> Token {
        self.list[index.min(self.list.len() - 1)]
    }

    /// The text of a token.
    pub(crate) fn word(&self, index: usize) -> &'a str {
        self.text_of(self.at(index))
    }

    /// The text of a token of this file.
    pub(crate) fn text_of(&self, token: Token) -> &'a str {
        &self.text[token.spot.start..token.end]
    }

    /// True if a `.` at this offset parts a name from a name, as in `base.2` (which is no double).
    fn joins(&self, offset: usize) -> bool {
        self.list.last().is_some_and(|token| token.kind == Kind::Word && token.end == offset)
    }

    /// The file for the parser: without comments and with these edits; lines stay, and columns but behind an insertion.
    ///
    /// The parser takes comments in some places only, and loses some; so it sees none.
    pub(crate) fn edited(&self, edits: &[Edit]) -> String {
        let mut holes: Vec<Edit> =
            self.comments.iter().map(|c| Edit { start: c.start, end: c.end, text: "" }).collect();
        holes.extend_from_slice(edits);
        holes.sort_by_key(|edit| edit.start);
        let mut out = String::with_capacity(self.text.len());
        let mut at = 0;
        for Edit { start, end, text } in holes {
            out.push_str(&self.text[at..start]);
            out.extend(self.text[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            out.push_str(text);
            at = end;
        }
        out.push_str(&self.text[at..]);
        if out.contains('\u{feff}') { out.replace('\u{feff}', " ") } else { out }
    }
}

impl Tokens<'_> {
    pub(crate) fn push_comment(&mut self, begin: Spot, scanner: &Scanner<'_>) {
        self.comments.push(Comment {
            start: begin.start,
            end: scanner.at,
            line: begin.line,
            end_line: scanner.line,
            before: self.list.len(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let tokens = Tokens::read(text).expect("tokens");
        (0..tokens.list.len() - 1).map(|i| tokens.word(i)).collect()
    }

    #[test]
    fn cuts_a_file_into_tokens() {
        assert_eq!(words("1: base.Item a=-0x1f,"), ["1", ":", "base", ".", "Item", "a", "=", "-0x1f", ","]);
        assert_eq!(words("[.5, 1e-3 1.5E+2]"), ["[", ".5", ",", "1e-3", "1.5E+2", "]"]);
        assert_eq!(words("'it\\'s' \"a // b\" # c\n/* d */ e"), ["'it\\'s'", "\"a // b\"", "e"]);
        assert_eq!(words("\u{feff}namespace * a"), ["namespace", "*", "a"]);
    }

    #[test]
    fn counts_columns_in_characters() {
        let tokens = Tokens::read("/* äöü */ x\r\n\t'é' y").expect("tokens");
        let places: Vec<_> = tokens.list.iter().map(|t| (t.spot.line, t.spot.column, t.spot.width, t.leads)).collect();
        assert_eq!(places, [(1, 11, 1, true), (2, 2, 3, true), (2, 6, 1, false), (2, 7, 1, true)]);
    }

    #[test]
    fn blanks_comments_and_keeps_columns() {
        let tokens = Tokens::read("a /* ä\n b */ c // d\ne;").expect("tokens");
        let last = tokens.list.len() - 2;
        let hole = Edit { start: tokens.at(last).spot.start, end: tokens.at(last).end, text: "!" };
        assert_eq!(tokens.edited(&[hole]), "a     \n      c     \ne !");
    }

    #[test]
    fn says_what_is_wrong_with_a_token() {
        for (text, column, message) in [
            ("a /* b", 3, "this comment has no end"),
            ("a 'b", 3, "this string has no end"),
            ("a 'b\\", 3, "this string has no end"),
            ("'\\d'", 2, "unknown escape `\\d` in a string"),
            ("1x", 1, "`1x` is no number"),
            ("-", 1, "`-` is no number"),
            ("1.", 1, "`1.` is no number"),
            ("1e", 1, "`1e` is no number"),
            ("0x", 1, "`0x` is no number"),
            ("ab €", 4, "unexpected character `€`"),
            ("/ a", 1, "unexpected character `/`"),
        ] {
            let fault = Tokens::read(text).expect_err(text);
            assert_eq!((fault.spot.line, fault.spot.column, fault.message.as_str()), (1, column, message), "{text}");
        }
        assert_eq!(Tokens::read(&"<".repeat(70)).expect_err("deep").spot.column, 65);
    }
}
