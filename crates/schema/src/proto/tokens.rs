//! A `.proto` file cut into tokens: as much as it takes to find imports and fields. `protox` says what is wrong with it.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    Number,
    /// A string with its quotes.
    Text,
    /// A single other character.
    Sign,
}

/// A token and where it is in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: Kind,
    pub bytes: Range<usize>,
}

/// The tokens of a text.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    pub text: &'a str,
    pub list: Vec<Token>,
}

/// How deep brackets may be nested: `protox` follows them with its stack.
const MAX_DEPTH: usize = 100;

impl<'a> Tokens<'a> {
    /// Cuts any text; what is no token of Protobuf is some sign.
    pub(crate) fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut list = Vec::new();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let start = at;
            let kind = match byte {
                b'/' if bytes.get(at + 1) == Some(&b'/') => {
                    at = until(text, at, "\n");
                    continue;
                }
                b'#' => {
                    at = until(text, at, "\n");
                    continue;
                }
                b'/' if bytes.get(at + 1) == Some(&b'*') => {
                    at = until(text, at + 2, "*/");
                    continue;
                }
                b'"' | b'\'' => {
                    at = behind_string(bytes, at);
                    Kind::Text
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    at = skip(bytes, at, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
                    Kind::Word
                }
                b'0'..=b'9' => {
                    at = skip(bytes, at, |byte| byte.is_ascii_alphanumeric() || byte == b'.');
                    Kind::Number
                }
                _ => {
                    at += text[at..].chars().next().map_or(1, char::len_utf8);
                    if byte.is_ascii_whitespace() {
                        continue;
                    }
                    Kind::Sign
                }
            };
            list.push(Token { kind, bytes: start..at });
        }
        Self { text, list }
    }

    /// The text of a token; nothing behind the last one.
    pub(crate) fn word(&self, index: usize) -> &'a str {
        self.list.get(index).map_or("", |token| &self.text[token.bytes.clone()])
    }

    /// What a token is.
    pub(crate) fn kind(&self, index: usize) -> Option<Kind> {
        self.list.get(index).map(|token| token.kind)
    }

    /// Where a token is; behind the last one the end of the text.
    pub(crate) fn bytes(&self, index: usize) -> Range<usize> {
        self.list.get(index).map_or(self.text.len()..self.text.len(), |token| token.bytes.clone())
    }

    /// The imports: what they name, as it is written between the quotes, and where that is.
    pub(crate) fn imports(&self) -> Vec<(&'a str, Range<usize>)> {
        let mut imports = Vec::new();
        let mut depth = 0usize;
        for index in 0..self.list.len() {
            match self.word(index) {
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                "import" if depth == 0 => {
                    let path = index + 1 + usize::from(matches!(self.word(index + 1), "public" | "weak"));
                    let text = self.word(path);
                    // A string that does not end is the parser's to tell.
                    if self.kind(path) == Some(Kind::Text) && text.len() > 1 && text.ends_with(&text[..1]) {
                        imports.push((&text[1..text.len() - 1], self.bytes(path)));
                    }
                }
                _ => {}
            }
        }
        imports
    }

    /// The first bracket that is nested too deep.
    pub(crate) fn too_deep(&self) -> Option<Range<usize>> {
        let mut depth = 0usize;
        (0..self.list.len()).find_map(|index| {
            match self.word(index) {
                "{" | "[" | "(" | "<" => depth += 1,
                "}" | "]" | ")" | ">" => depth = depth.saturating_sub(1),
                _ => {}
            }
            (depth > MAX_DEPTH).then(|| self.bytes(index))
        })
    }
}

fn until(text: &str, from: usize, end: &str) -> usize {
    text[from..].find(end).map_or(text.len(), |found| from + found + end.len())
}

fn skip(bytes: &[u8], from: usize, which: impl Fn(u8) -> bool) -> usize {
    from + bytes[from..].iter().take_while(|byte| which(**byte)).count()
}

fn behind_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return at,
            // An escaped character has one byte that counts here: the first.
            b'\\' if bytes.get(at + 1).is_some_and(|next| *next != b'\n') => at += 2,
            _ if byte == bytes[from] => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let tokens = Tokens::of(text);
        (0..tokens.list.len()).map(|index| tokens.word(index)).collect()
    }

    #[test]
    fn a_text_is_cut() {
        assert_eq!(
            words("a_1.B = 0x1f; // c {\n/* d */ 'e\\'}' \"f\"# g\n-1.5e3 ü"),
            ["a_1", ".", "B", "=", "0x1f", ";", "'e\\'}'", "\"f\"", "-", "1.5e3", "ü"]
        );
        assert_eq!(words("'open\nnext /* never"), ["'open", "next"]);
        assert_eq!(words("\"\\ü\" \"\\"), ["\"\\ü\"", "\"\\"]);
    }

    #[test]
    fn imports_are_found() {
        let tokens = Tokens::of("import \"a.proto\"; import public 'b.proto'; message M { import \"c\" } import x");
        let imports: Vec<&str> = tokens.imports().into_iter().map(|(name, _)| name).collect();
        assert_eq!(imports, ["a.proto", "b.proto"]);
    }
}
