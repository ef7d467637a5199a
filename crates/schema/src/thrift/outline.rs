//! Walks the tokens of a file once to find every place, and says what is wrong with its syntax.
//!
//! The grammar is the one `pilota-thrift-parser` takes. This walk goes first, for its messages are better.

use super::positions::{
    Body, Edit, FieldPlace, FunctionPlace, ItemPlace, MemberPlace, Outline, PathPlace, TypePlace, ValuePlace,
};
use super::tokens::{Fault, Kind, Tokens};

const DECLARATIONS: [&str; 10] =
    ["include", "cpp_include", "namespace", "typedef", "const", "enum", "struct", "union", "exception", "service"];

/// What the language had once, or other compilers take, and what to write instead.
const FOREIGN: [(&str, &str); 6] = [
    ("senum", "write an `enum`, or a `string`"),
    ("async", "write `oneway`"),
    ("package", "this is Protobuf; in Thrift write `namespace js name`"),
    ("syntax", "this is Protobuf; Thrift files begin with `namespace` or `include`"),
    ("message", "this is Protobuf; in Thrift write `struct`"),
    ("import", "in Thrift write `include \"file.thrift\"`"),
];

/// The places of a file.
///
/// # Errors
/// One fault a declaration: after each the walk goes on with the next one.
pub(crate) fn outline(tokens: &Tokens<'_>) -> Result<Outline, Vec<Fault>> {
    let mut walk = Walk { tokens, at: 0, edits: Vec::new() };
    let mut items = Vec::new();
    let mut faults = Vec::new();
    while tokens.at(walk.at).kind != Kind::End {
        let first = walk.at;
        match walk.item() {
            Ok(item) => {
                items.push(item);
                let from = walk.at;
                while walk.skip_separator() {}
                walk.blank(from);
            }
            Err(fault) => {
                faults.push(fault);
                walk.recover(first);
            }
        }
    }
    if faults.is_empty() { Ok(Outline { items, edits: walk.edits }) } else { Err(faults) }
}

struct Walk<'a> {
    tokens: &'a Tokens<'a>,
    at: usize,
    edits: Vec<Edit>,
}

impl Walk<'_> {
    fn word(&self) -> &str {
        self.tokens.word(self.at)
    }

    fn is(&self, text: &str) -> bool {
        self.tokens.at(self.at).kind != Kind::Text && self.word() == text
    }

    fn skip(&mut self, text: &str) -> bool {
        let fits = self.is(text);
        self.at += usize::from(fits);
        fits
    }

    fn skip_separator(&mut self) -> bool {
        self.skip(",") || self.skip(";")
    }

    /// Hides the tokens from `from` to here from the parser.
    fn blank(&mut self, from: usize) {
        if from < self.at {
            let (start, end) = (self.tokens.at(from).spot.start, self.tokens.at(self.at - 1).end);
            self.edits.push(Edit { start, end, text: "" });
        }
    }

    fn expected(&self, what: &str) -> Fault {
        let token = self.tokens.at(self.at);
        let found = match token.kind {
            Kind::End => "the end of the file".to_owned(),
            Kind::Text => "a string".to_owned(),
            _ => format!("`{}`", self.word()),
        };
        // At the end of the file, the place is behind the last token.
        let spot = match self.at.checked_sub(1) {
            Some(last) if token.kind == Kind::End => self.tokens.at(last).behind(),
            _ => token.spot,
        };
        Fault::new(spot, format!("expected {what}, found {found}"))
    }

    fn expect(&mut self, text: &str, place: &str) -> Result<(), Fault> {
        if self.skip(text) { Ok(()) } else { Err(self.expected(&format!("`{text}` {place}"))) }
    }

    fn take(&mut self, kind: Kind, what: &str) -> Result<usize, Fault> {
        if self.tokens.at(self.at).kind != kind {
            return Err(self.expected(what));
        }
        self.at += 1;
        Ok(self.at - 1)
    }

    /// Goes on at the next line that begins like a declaration and is not indented more than the broken one.
    fn recover(&mut self, first: usize) {
        let column = self.tokens.at(first).spot.column;
        self.at = self.at.max(first + 1);
        loop {
            let token = self.tokens.at(self.at);
            let begins = token.leads && token.spot.column <= column && DECLARATIONS.contains(&self.word());
            if token.kind == Kind::End || begins {
                return;
            }
            self.at += 1;
        }
    }

    fn item(&mut self) -> Result<ItemPlace, Fault> {
        let first = self.at;
        let keyword = self.word().to_owned();
        if self.tokens.at(first).kind != Kind::Word || !DECLARATIONS.contains(&keyword.as_str()) {
            let fault = self.expected("a declaration");
            let foreign = FOREIGN.iter().find(|(word, _)| *word == keyword).map(|(_, hint)| (*hint).to_owned());
            let near = crate::names::nearest(&keyword, DECLARATIONS.into_iter());
            return Err(fault.hint(foreign.or_else(|| near.map(|near| format!("did you mean `{near}`?"))).unwrap_or_else(
                || "declarations begin with `include`, `namespace`, `typedef`, `const`, `enum`, `struct`, `union`, `exception` or `service`".into(),
            )));
        }
        self.at += 1;
        let (name, body) = match keyword.as_str() {
            "include" => (self.take(Kind::Text, "the path of a file in quotes")?, Body::Include),
            "cpp_include" => (self.take(Kind::Text, "the path of a file in quotes")?, Body::CppInclude),
            "namespace" => (self.namespace()?, Body::Namespace),
            "typedef" => {
                let ty = self.ty()?;
                (self.take(Kind::Word, "the new name of the type")?, Body::Typedef(ty))
            }
            "const" => {
                let ty = self.ty()?;
                let name = self.take(Kind::Word, "the name of the constant")?;
                self.expect("=", "and the constant's value")?;
                (name, Body::Const(ty, self.value()?))
            }
            "enum" => (self.take(Kind::Word, "the name of the enum")?, Body::Enum(self.members()?)),
            "service" => self.service()?,
            _ => {
                let name = self.take(Kind::Word, &format!("the name of the {keyword}"))?;
                self.expect("{", "and the fields")?;
                (name, Body::Struct(self.fields("}")?))
            }
        };
        if !matches!(body, Body::Include | Body::CppInclude) {
            self.annotations()?;
        }
        Ok(ItemPlace { first, last: self.at - 1, name, body })
    }

    fn namespace(&mut self) -> Result<usize, Fault> {
        if !self.skip("*") {
            self.path("a language such as `js`, or `*`")?;
        }
        Ok(self.path("the namespace's name")?.first)
    }

    fn path(&mut self, what: &str) -> Result<PathPlace, Fault> {
        let first = self.take(Kind::Word, what)?;
        while self.is(".") {
            self.at += 1;
            self.take(Kind::Word, "a name behind the dot")?;
        }
        Ok(PathPlace { first, last: self.at - 1 })
    }

    fn ty(&mut self) -> Result<TypePlace, Fault> {
        let first = self.at;
        let container = match self.word() {
            "list" | "set" => Some(1),
            "map" => Some(2),
            _ => None,
        };
        let next = self.tokens.word(first + 1);
        let mut inner = Vec::new();
        let path = match container {
            Some(count) if next == "<" || next == "cpp_type" => {
                self.at += 1;
                if !self.is("<") {
                    self.cpp_type()?;
                }
                self.expect("<", "and the type of the elements")?;
                inner.push(self.ty()?);
                if count == 2 {
                    self.expect(",", "and the type of the values")?;
                    inner.push(self.ty()?);
                }
                self.expect(">", "behind the inner type")?;
                if self.tokens.word(first) == "list" && self.is("cpp_type") {
                    self.cpp_type()?;
                }
                PathPlace { first, last: first }
            }
            _ => self.path("a type")?,
        };
        self.annotations()?;
        Ok(TypePlace { path, inner })
    }

    fn cpp_type(&mut self) -> Result<(), Fault> {
        self.expect("cpp_type", "or the inner type")?;
        self.take(Kind::Text, "a C++ type in quotes").map(|_| ())
    }

    fn value(&mut self) -> Result<ValuePlace, Fault> {
        let first = self.at;
        let token = self.tokens.at(first);
        let mut inner = Vec::new();
        match token.kind {
            Kind::Text => self.at += 1,
            Kind::Number => {
                self.at += 1;
                let text = self.tokens.word(first);
                let is_double = !text.contains('x') && text.contains(['.', 'e', 'E']);
                if !is_double && parse_integer(text).is_none() {
                    return Err(Fault::new(token.spot, format!("`{text}` does not fit into 64 bits"))
                        .hint("integers go from -9223372036854775808 to 9223372036854775807"));
                }
            }
            Kind::Word => {
                let path = self.path("a value")?;
                return Ok(ValuePlace { path, inner });
            }
            Kind::Sign('[') => {
                self.at += 1;
                while !self.skip("]") {
                    inner.push(self.value()?);
                    self.skip_separator();
                }
            }
            Kind::Sign('{') => {
                self.at += 1;
                while !self.skip("}") {
                    inner.push(self.value()?);
                    self.expect(":", "behind the key")?;
                    inner.push(self.value()?);
                    self.skip_separator();
                }
            }
            _ => return Err(self.expected("a value")),
        }
        Ok(ValuePlace { path: PathPlace { first, last: first }, inner })
    }

    fn annotations(&mut self) -> Result<(), Fault> {
        if !self.skip("(") {
            return Ok(());
        }
        while !self.skip(")") {
            let name = self.path("the name of an annotation, or `)`")?;
            if self.is(",") || self.is(";") || self.is(")") {
                // `(deprecated)` is short for `(deprecated = "1")`.
                let end = self.tokens.at(name.last).end;
                self.edits.push(Edit { start: end, end, text: "=\"1\"" });
            } else {
                self.expect("=", "and the annotation's value")
                    .map_err(|fault| fault.hint("annotations are written `(name = \"value\")`"))?;
                self.take(Kind::Text, "a value in quotes")?;
            }
            self.skip_separator();
        }
        Ok(())
    }

    fn members(&mut self) -> Result<Vec<MemberPlace>, Fault> {
        self.expect("{", "and the members")?;
        let mut members = Vec::new();
        while !self.skip("}") {
            let first = self.take(Kind::Word, "the name of a member, or `}`")?;
            let value =
                if self.skip("=") { Some(self.integer("the member's number", i64::from(i32::MAX))?) } else { None };
            self.annotations()?;
            self.skip_separator();
            members.push(MemberPlace { first, last: self.at - 1, value });
        }
        Ok(members)
    }

    /// An integer of at most this magnitude (one more if negative).
    fn integer(&mut self, what: &str, max: i64) -> Result<usize, Fault> {
        let at = self.take(Kind::Number, what)?;
        let token = self.tokens.at(at);
        match parse_integer(self.tokens.word(at)) {
            None => Err(Fault::new(token.spot, format!("{what} has to be an integer of 64 bits at most"))),
            Some(value) if value > max || value < -max - 1 => {
                Err(Fault::new(token.spot, format!("{what} has to be between {} and {max}", -max - 1)))
            }
            Some(_) => Ok(at),
        }
    }

    fn fields(&mut self, close: &str) -> Result<Vec<FieldPlace>, Fault> {
        let mut fields = Vec::new();
        while !self.skip(close) {
            fields.push(self.field(close)?);
        }
        Ok(fields)
    }

    fn field(&mut self, close: &str) -> Result<FieldPlace, Fault> {
        let first = self.at;
        if self.tokens.at(first).kind == Kind::Word {
            return Err(self.expected("a field's id").hint("every field has its number: `1: i64 id`"));
        }
        if self.tokens.at(first).kind != Kind::Number {
            return Err(self.expected(&format!("a field such as `1: i64 id`, or `{close}`")));
        }
        self.integer("a field's id", i64::from(i16::MAX))?;
        self.expect(":", "behind the field's id")?;
        let attribute = (self.is("required") || self.is("optional")).then_some(self.at);
        self.at += usize::from(attribute.is_some());
        let ty = self.ty()?;
        // `Tree & left` is a hint to other languages to hold the field by reference.
        let from = self.at;
        self.skip("&");
        self.blank(from);
        let name = self.take(Kind::Word, "the field's name")?;
        let default = if self.skip("=") { Some(self.value()?) } else { None };
        self.annotations()?;
        self.skip_separator();
        Ok(FieldPlace { first, last: self.at - 1, attribute, ty, name, default })
    }

    fn service(&mut self) -> Result<(usize, Body), Fault> {
        let name = self.take(Kind::Word, "the name of the service")?;
        let extends = if self.skip("extends") { Some(self.path("the name of a service")?) } else { None };
        self.expect("{", "and the methods")?;
        let mut functions = Vec::new();
        while !self.skip("}") {
            functions.push(self.function()?);
        }
        Ok((name, Body::Service { extends, functions }))
    }

    fn function(&mut self) -> Result<FunctionPlace, Fault> {
        let first = self.at;
        if self.is("async") {
            return Err(self.expected("a method").hint("write `oneway`"));
        }
        self.skip("oneway");
        let result = self.ty()?;
        let name = self.take(Kind::Word, "the method's name")?;
        self.expect("(", "and the arguments")?;
        let arguments = self.fields(")")?;
        let mut throws = Vec::new();
        let from = self.at;
        if self.skip("throws") {
            self.expect("(", "and the exceptions")?;
            throws = self.fields(")")?;
            if throws.is_empty() {
                self.blank(from);
            }
        }
        self.annotations()?;
        self.skip_separator();
        Ok(FunctionPlace { first, last: self.at - 1, result, name, arguments, throws })
    }
}

/// An integer literal as the parser reads it.
pub(crate) fn parse_integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(&format!("{sign}{hex}"), 16).ok(),
        None => format!("{sign}{digits}").parse().ok(),
    }
}
