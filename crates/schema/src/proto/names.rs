//! Full names, and what they stand for.

use std::collections::HashMap;

use super::descriptor::MessageProto;

/// What a full name stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What<'a> {
    /// Index into the schema's structs.
    Message(u32),
    /// Pairs of a map, with the file they are of.
    Pairs(&'a MessageProto),
    /// Index into the schema's enums.
    Enum(u32),
    Service,
}

impl What<'_> {
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Message(_) => "a message",
            Self::Pairs(_) => "the pairs of a map",
            Self::Enum(_) => "an enum",
            Self::Service => "a service",
        }
    }
}

/// All names, without a leading dot.
pub(crate) type Names<'a> = HashMap<String, What<'a>>;

/// What a name means inside of `scope`: with a leading dot it is full, otherwise the innermost scope that knows it counts.
pub(crate) fn find<'a>(names: &Names<'a>, scope: &str, name: &str) -> Option<What<'a>> {
    if let Some(full) = name.strip_prefix('.') {
        return names.get(full).copied();
    }
    let mut scope = scope;
    loop {
        if let Some(what) = names.get(&joined(scope, name)) {
            return Some(*what);
        }
        if scope.is_empty() {
            return None;
        }
        scope = scope.rfind('.').map_or("", |dot| &scope[..dot]);
    }
}

/// A name inside of a scope.
pub(crate) fn joined(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// The name a field has in JSON unless it says otherwise: without `_`, the letter behind each raised.
pub(crate) fn json_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for letter in name.chars() {
        if letter == '_' {
            raise = true;
        } else {
            out.push(if raise { letter.to_ascii_uppercase() } else { letter });
            raise = false;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_scope_counts() {
        let names: Names<'_> = [("a.X", 0), ("a.b.X", 1), ("X", 2), ("a.b.M.Y", 3)]
            .map(|(name, index)| (name.to_owned(), What::Message(index)))
            .into();
        let found = |scope: &str, name: &str| match find(&names, scope, name) {
            Some(What::Message(index)) => Some(index),
            _ => None,
        };
        assert_eq!(found("a.b.M", "X"), Some(1));
        assert_eq!(found("a.c", "X"), Some(0));
        assert_eq!(found("b", "X"), Some(2));
        assert_eq!(found("a.b", ".X"), Some(2));
        assert_eq!(found("a.b", "M.Y"), Some(3));
        assert_eq!(found("a", "Y"), None);
        assert_eq!(found("", ".a.Z"), None);
    }

    #[test]
    fn json_names_are_protocs() {
        for (name, json) in [
            ("item_id", "itemId"),
            ("_a__b_", "AB"),
            ("ITEM_id", "ITEMId"),
            ("field_1", "field1"),
            ("fieldName", "fieldName"),
        ] {
            assert_eq!(json_name(name), json);
        }
    }
}
