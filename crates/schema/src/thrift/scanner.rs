//! The characters of a file, and the tokens that take more than one look.

use super::tokens::{Fault, Kind, Spot, Tokens};

/// Walks over a text and counts lines and columns.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    pub at: usize,
    pub line: u32,
    column: u32,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, column: 1 }
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn bump(&mut self) {
        let Some(c) = self.peek() else { return };
        self.at += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
    }

    pub(crate) fn take_while(&mut self, accept: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&accept) {
            self.bump();
        }
    }

    pub(crate) fn spot(&self, width: u32) -> Spot {
        Spot { start: self.at, line: self.line, column: self.column, width }
    }

    /// The place from `begin` to here, its width limited to the first line.
    pub(crate) fn spot_since(&self, begin: Spot) -> Spot {
        let text = &self.text[begin.start..self.at];
        let width = text.lines().next().unwrap_or_default().chars().count() as u32;
        Spot { width: width.max(1), ..begin }
    }

    pub(crate) fn comment_line(&mut self, tokens: &mut Tokens<'_>) {
        let begin = self.spot(0);
        self.take_while(|c| c != '\n');
        tokens.push_comment(begin, self);
    }

    pub(crate) fn comment(&mut self, tokens: &mut Tokens<'_>) -> Result<(), Fault> {
        if self.rest().starts_with("//") {
            self.comment_line(tokens);
            return Ok(());
        }
        let begin = self.spot(2);
        if !self.rest().starts_with("/*") {
            return Err(unexpected(self, '/').hint("comments begin with `//`, `#` or `/*`"));
        }
        let Some(length) = self.rest()[2..].find("*/") else {
            return Err(Fault::new(begin, "this comment has no end").hint("close it with `*/`"));
        };
        let end = self.at + 2 + length + 2;
        while self.at < end {
            self.bump();
        }
        tokens.push_comment(begin, self);
        Ok(())
    }

    pub(crate) fn quoted(&mut self, quote: char) -> Result<Kind, Fault> {
        let begin = self.spot(1);
        self.bump();
        while let Some(c) = self.peek() {
            let here = self.spot(2);
            self.bump();
            if c == quote {
                return Ok(Kind::Text);
            }
            if c == '\\' {
                match self.peek() {
                    Some('\'' | '"' | '\\' | 'n' | 't' | 'r' | '0' | 'a' | 'b' | 'f' | 'v') => self.bump(),
                    Some(other) => {
                        return Err(Fault::new(
                            here,
                            format!("unknown escape `\\{}` in a string", other.escape_debug()),
                        )
                        .hint(
                            "write `\\\\` for a backslash; there are \\n \\t \\r \\0 \\a \\b \\f \\v \\' \\\" \\\\",
                        ));
                    }
                    None => break,
                }
            }
        }
        Err(Fault::new(begin, "this string has no end").hint(format!("close it with `{quote}`")))
    }

    pub(crate) fn number(&mut self) -> Result<Kind, Fault> {
        let begin = self.spot(0);
        self.accept(|c| c == '+' || c == '-');
        if self.rest().starts_with("0x") && self.rest()[2..].starts_with(|c: char| c.is_ascii_hexdigit()) {
            self.bump();
            self.bump();
            self.take_while(|c| c.is_ascii_hexdigit());
        } else {
            self.take_while(|c| c.is_ascii_digit());
            if self.rest().starts_with('.') {
                self.bump();
                self.digits(begin)?;
            }
            if self.accept(|c| c == 'e' || c == 'E') {
                self.accept(|c| c == '+' || c == '-');
                self.digits(begin)?;
            }
        }
        let digits = self.text[begin.start..self.at].contains(|c: char| c.is_ascii_digit());
        if !digits || self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(self.no_number(begin));
        }
        Ok(Kind::Number)
    }

    fn accept(&mut self, which: impl Fn(char) -> bool) -> bool {
        let fits = self.peek().is_some_and(which);
        if fits {
            self.bump();
        }
        fits
    }

    fn digits(&mut self, begin: Spot) -> Result<(), Fault> {
        let from = self.at;
        self.take_while(|c| c.is_ascii_digit());
        if self.at == from { Err(self.no_number(begin)) } else { Ok(()) }
    }

    fn no_number(&mut self, begin: Spot) -> Fault {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let text = &self.text[begin.start..self.at];
        Fault::new(self.spot_since(begin), format!("`{text}` is no number"))
            .hint("numbers are written `12`, `-12`, `0x1f`, `1.5` or `1.5e-3`; names begin with a letter")
    }
}

/// A character that begins nothing.
pub(crate) fn unexpected(scanner: &Scanner<'_>, c: char) -> Fault {
    Fault::new(scanner.spot(1), format!("unexpected character `{}`", c.escape_debug()))
}
