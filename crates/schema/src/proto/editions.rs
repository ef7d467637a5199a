//! Files with an edition, told to a parser that knows none.
//!
//! Their text is changed into proto2 that means the same to the parser: the edition becomes a syntax, fields without a label become `optional`,
//! reserved names get their quotes. What was added and left out is remembered, so that every place can be found in the text the user wrote. What
//! proto2 has and editions have not is a mistake, told here.
//!
//! In files of every kind `extensions 5 [ … ]` becomes `extensions 5 to 5 [ … ]`, without which the parser takes no options.

use std::borrow::Cow;
use std::ops::Range;

use super::features::EDITION_2023;
use super::tokens::{Kind, Tokens};

/// A change: the bytes of the original that it replaces, and by what.
#[derive(Debug)]
struct Edit {
    from: Range<usize>,
    to: Cow<'static, str>,
}

/// A text as the parser reads it.
#[derive(Debug)]
pub(crate) struct Edited {
    /// What the parser reads.
    pub text: String,
    /// The edition, if the file has one.
    pub edition: Option<i32>,
    /// What is wrong: place in the original, message, hint.
    pub faults: Vec<(Range<usize>, String, &'static str)>,
    /// In the order of the text.
    edits: Vec<Edit>,
}

impl Edited {
    /// The text of these tokens, changed if it has an edition.
    pub(crate) fn of(tokens: &Tokens<'_>) -> Self {
        let mut edited = Self { text: tokens.text.to_owned(), edition: None, faults: Vec::new(), edits: Vec::new() };
        edited.ranges(tokens);
        if tokens.word(0) != "edition" || tokens.word(1) != "=" || tokens.kind(2) != Some(Kind::Text) {
            edited.apply(tokens.text);
            return edited;
        }
        let edition = tokens.word(2).trim_matches(['"', '\'']);
        if edition != "2023" {
            let message = format!("edition `{edition}` is not known");
            edited.faults.push((tokens.bytes(2), message, "edition 2023, proto2 and proto3 are read from files"));
            return edited;
        }
        edited.edition = Some(EDITION_2023);
        edited.replace(tokens.bytes(0), "syntax");
        edited.replace(tokens.bytes(2), "\"proto2\"");
        let mut walk = Walk { tokens, at: 3, edited: &mut edited };
        walk.all();
        edited.apply(tokens.text);
        edited
    }

    /// Where in the original some bytes of the edited text are.
    pub(crate) fn original(&self, bytes: Range<usize>) -> Range<usize> {
        let start = self.position(bytes.start, false);
        start..self.position(bytes.end, true).max(start)
    }

    fn position(&self, at: usize, is_end: bool) -> usize {
        // How far the edited text is behind the original at this place.
        let (mut more, mut less) = (0, 0);
        for Edit { from, to } in &self.edits {
            let begin = from.start + more - less;
            if at < begin || (is_end && at == begin) {
                break;
            }
            if at < begin + to.len() {
                return if is_end { from.end } else { from.start };
            }
            more += to.len();
            less += from.len();
        }
        at + less - more
    }

    /// Ranges of one number that have options.
    fn ranges(&mut self, tokens: &Tokens<'_>) {
        for at in 0..tokens.list.len() {
            if tokens.word(at) != "extensions" || tokens.kind(at + 1) != Some(Kind::Number) {
                continue;
            }
            let is_range =
                |at: usize| tokens.kind(at) == Some(Kind::Number) || matches!(tokens.word(at), "," | "to" | "max");
            let end = (at + 1..tokens.list.len()).find(|next| !is_range(*next)).unwrap_or(at);
            let last = end - 1;
            if tokens.word(end) == "[" && tokens.kind(last) == Some(Kind::Number) && tokens.word(last - 1) != "to" {
                let behind = tokens.bytes(last).end;
                self.replace(behind..behind, format!(" to {}", tokens.word(last)));
            }
        }
    }

    fn replace(&mut self, from: Range<usize>, to: impl Into<Cow<'static, str>>) {
        self.edits.push(Edit { from, to: to.into() });
    }

    fn apply(&mut self, text: &str) {
        self.edits.sort_by_key(|edit| edit.from.start);
        let mut out = String::with_capacity(text.len() + self.edits.len() * 9);
        let mut at = 0;
        for Edit { from, to } in &self.edits {
            out.push_str(&text[at..from.start]);
            out.push_str(to);
            at = from.end;
        }
        out.push_str(&text[at..]);
        self.text = out;
    }
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    /// A file, a service, a method: statements without fields.
    Other,
    /// A message or an extension: fields with labels.
    Fields,
    /// A oneof: fields without labels.
    Oneof,
    Enum,
}

/// Goes through the statements of a file.
struct Walk<'a, 'e> {
    tokens: &'a Tokens<'a>,
    at: usize,
    edited: &'e mut Edited,
}

impl Walk<'_, '_> {
    fn all(&mut self) {
        let mut blocks = vec![Block::Other];
        while self.at < self.tokens.list.len() {
            let block = blocks.last().copied().unwrap_or(Block::Other);
            match self.tokens.word(self.at) {
                ";" => self.at += 1,
                "}" => {
                    self.at += 1;
                    if blocks.len() > 1 {
                        blocks.pop();
                    }
                }
                _ => blocks.extend(self.statement(block)),
            }
        }
    }

    /// One statement, up to its semicolon or the brace behind which the block begins that it gives.
    fn statement(&mut self, block: Block) -> Option<Block> {
        let next = self.tokens.word(self.at + 1);
        // A field's type may be called as a keyword is; what stands behind tells.
        let names = self.tokens.kind(self.at + 1) == Some(Kind::Word);
        match self.tokens.word(self.at) {
            "message" if block != Block::Oneof && names && self.tokens.word(self.at + 2) == "{" => {
                return self.open(Block::Fields);
            }
            "enum" if block != Block::Oneof && names && self.tokens.word(self.at + 2) == "{" => {
                return self.open(Block::Enum);
            }
            "oneof" if block == Block::Fields && names && self.tokens.word(self.at + 2) == "{" => {
                return self.open(Block::Oneof);
            }
            "extend" if block != Block::Oneof && (names || next == ".") => return self.open(Block::Fields),
            "service" | "rpc" if block == Block::Other => return self.open(Block::Other),
            "reserved" if matches!(block, Block::Fields | Block::Enum) && next != "." => self.reserved(),
            "option" | "extensions" => {}
            _ if matches!(block, Block::Fields | Block::Oneof) => return self.field(block),
            _ => {}
        }
        self.end();
        None
    }

    fn field(&mut self, block: Block) -> Option<Block> {
        let begin = self.at;
        let label = self.tokens.word(begin);
        let labelled = self.tokens.kind(begin + 1) == Some(Kind::Word) || self.tokens.word(begin + 1) == ".";
        match label {
            "optional" if labelled => self.fault(
                begin,
                "editions have no label `optional`",
                "leave it out: fields have presence unless `features.field_presence` says otherwise",
            ),
            "required" if labelled => self.fault(
                begin,
                "editions have no label `required`",
                "say `[features.field_presence = LEGACY_REQUIRED]` instead",
            ),
            "repeated" => {}
            "map" if self.tokens.word(begin + 1) == "<" => {}
            _ if block == Block::Fields && (self.tokens.kind(begin) == Some(Kind::Word) || label == ".") => {
                let at = self.tokens.bytes(begin).start;
                self.edited.replace(at..at, "optional ");
            }
            _ => {}
        }
        let kind = begin + usize::from(matches!(label, "optional" | "required" | "repeated") && labelled);
        let is_group = self.tokens.word(kind) == "group" && self.tokens.kind(kind + 1) == Some(Kind::Word);
        if is_group && self.tokens.word(kind + 2) == "=" {
            let hint = "declare a message and say `[features.message_encoding = DELIMITED]` at a field of it";
            self.fault(kind, "editions have no groups", hint);
            return self.open(Block::Fields);
        }
        self.end();
        None
    }

    /// `reserved a, b;` for the parser is `reserved "a", "b";`.
    fn reserved(&mut self) {
        let mut at = self.at + 1;
        let is_names = matches!(self.tokens.kind(at), Some(Kind::Word | Kind::Text));
        while is_names && at < self.tokens.list.len() && !matches!(self.tokens.word(at), ";" | "}" | "{") {
            match self.tokens.kind(at) {
                Some(Kind::Word) => {
                    let quoted = format!("\"{}\"", self.tokens.word(at));
                    self.edited.replace(self.tokens.bytes(at), quoted);
                }
                Some(Kind::Text) => {
                    self.fault(at, "reserved names have no quotes in editions", "write the name as it is");
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Goes behind the next brace, or to the end of a statement that has none.
    fn open(&mut self, block: Block) -> Option<Block> {
        let mut brackets = 0usize;
        while self.at < self.tokens.list.len() {
            match self.tokens.word(self.at) {
                "[" => brackets += 1,
                "]" => brackets = brackets.saturating_sub(1),
                "{" if brackets == 0 => {
                    self.at += 1;
                    return Some(block);
                }
                ";" if brackets == 0 => {
                    self.at += 1;
                    return None;
                }
                "}" if brackets == 0 => return None,
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    /// Goes behind the semicolon of a statement, past the braces of its values; a brace that closes more than it opened ends it, too.
    fn end(&mut self) {
        let mut depth = 0usize;
        while self.at < self.tokens.list.len() {
            match self.tokens.word(self.at) {
                "{" | "[" => depth += 1,
                "}" if depth == 0 => return,
                "}" | "]" => depth = depth.saturating_sub(1),
                ";" if depth == 0 => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn fault(&mut self, token: usize, message: &str, hint: &'static str) {
        self.edited.faults.push((self.tokens.bytes(token), message.to_owned(), hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str) -> Edited {
        Edited::of(&Tokens::of(text))
    }

    #[test]
    fn other_files_stay_as_they_are() {
        for text in
            ["", "syntax = \"proto3\"; message A { int32 b = 1; }", "message A {}", "edition", "edition = 2023;"]
        {
            let edited = edited(text);
            assert_eq!((edited.text.as_str(), edited.edition), (text, None));
            assert_eq!(edited.original(3..5), 3..5);
        }
    }

    #[test]
    fn an_edition_becomes_proto2() {
        let text = "
edition = '2023'; import \"x\"; option features.enum_type = CLOSED;
message A { int32 b = 1; .x.C c = 2 [(o) = { d: 1; e { } }]; repeated D e = 3; map<int32, F> g = 4;
  oneof h { I i = 5; message j = 55; } message K { reserved l, m; reserved 5 to max; L n = 1; } enum O { P = 0; reserved q, r; }
  extensions 100 to 200; option (s) = { t: { } u: 1 }; extend A { int32 v = 100; } message w = 9; group x = 10; }
extend .a.A { string y = 101; } service Z { rpc M(A) returns (stream A) { option (s) = { }; } rpc N(A) returns (A); }";
        let proto2 = "
syntax = \"proto2\"; import \"x\"; option features.enum_type = CLOSED;
message A { optional int32 b = 1; optional .x.C c = 2 [(o) = { d: 1; e { } }]; repeated D e = 3; map<int32, F> g = 4;
  oneof h { I i = 5; message j = 55; } message K { reserved \"l\", \"m\"; reserved 5 to max; optional L n = 1; } enum O { P = 0; reserved \"q\", \"r\"; }
  extensions 100 to 200; option (s) = { t: { } u: 1 }; extend A { optional int32 v = 100; } optional message w = 9; optional group x = 10; }
extend .a.A { optional string y = 101; } service Z { rpc M(A) returns (stream A) { option (s) = { }; } rpc N(A) returns (A); }";
        let edited = edited(text);
        // A field of a type called `group` has no block behind it, and is told as a group all the same.
        assert_eq!(edited.faults.len(), 1, "{:?}", edited.faults);
        assert_eq!(edited.text, proto2);
        for part in ["'2023'", "int32 b", "L n", "string y", "l", ".x.C c", "(A);"] {
            let now = if part == "'2023'" { "\"proto2\"" } else { part };
            let (at, there) = (proto2.rfind(now).expect("a part"), text.rfind(part).expect("a part"));
            if part != "l" {
                assert_eq!(edited.original(at..at + now.len()), there..there + part.len(), "{part}");
            }
        }
        let label = proto2.find("optional int32 b").expect("a label");
        assert_eq!(&text[edited.original(label..label + 16)], "int32 b");
        assert_eq!(edited.original(label..label + 8).len(), 0);
        assert_eq!(edited.original(proto2.len()..proto2.len()), text.len()..text.len());
    }

    #[test]
    fn ranges_of_one_number_have_options() {
        let text = "message A { extensions 5 [declaration = { number: 5 }]; extensions 6, 7 to 8, 9[verification = UNVERIFIED]; extensions 10 to 11 [a = 1]; extensions 12; }";
        let changed = edited(text);
        let expected = text.replace("5 [", "5 to 5 [").replace("9[", "9 to 9[");
        assert_eq!(changed.text, expected);
        let at = expected.find("10 to").expect("a part");
        assert_eq!(&text[changed.original(at..at + 5)], "10 to");
        let both = edited("edition = '2023'; message A { extensions 5 [a = 1]; int32 b = 1; }");
        assert_eq!(both.text, "syntax = \"proto2\"; message A { extensions 5 to 5 [a = 1]; optional int32 b = 1; }");
    }

    #[test]
    fn what_editions_lack_is_told() {
        let text = "edition = \"2023\"; message A { optional int32 a = 1; required int32 b = 2; group C = 3 { int32 d = 1; } reserved \"e\"; \
            oneof f { group G = 4 {} } }";
        let told: Vec<String> = edited(text).faults.into_iter().map(|(at, ..)| text[at].to_owned()).collect();
        assert_eq!(told, ["optional", "required", "group", "\"e\"", "group"]);
        assert_eq!(edited("edition = \"2099\";").faults[0].1, "edition `2099` is not known");
    }
}
