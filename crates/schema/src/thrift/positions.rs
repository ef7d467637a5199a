//! Where everything stands in a file: the shape of the parser's tree, with tokens in place of meaning.
//!
//! `pilota-thrift-parser` gives a tree without positions. An [`Outline`] has the same declarations, fields, types and
//! values in the same order, so that both can be walked side by side. Indexes are indexes of tokens.

/// A file's declarations in order.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub items: Vec<ItemPlace>,
    /// What Apache's compiler takes and the parser does not, in the order of the file.
    pub edits: Vec<Edit>,
}

/// A change of the text before the parser sees it: bytes from `start` to `end` become blank, `text` is put behind them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edit {
    pub start: usize,
    pub end: usize,
    pub text: &'static str,
}

/// A declaration.
#[derive(Debug)]
pub(crate) struct ItemPlace {
    pub first: usize,
    pub last: usize,
    /// The name; of an include the path.
    pub name: usize,
    pub body: Body,
}

/// What is inside of a declaration.
#[derive(Debug)]
pub(crate) enum Body {
    Include,
    CppInclude,
    Namespace,
    Typedef(TypePlace),
    Const(TypePlace, ValuePlace),
    Enum(Vec<MemberPlace>),
    /// Struct, union or exception.
    Struct(Vec<FieldPlace>),
    Service {
        extends: Option<PathPlace>,
        functions: Vec<FunctionPlace>,
    },
}

/// A name that may have dots.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathPlace {
    pub first: usize,
    pub last: usize,
}

/// A type; `list<T>` has one inner type, `map<K, V>` two.
#[derive(Debug)]
pub(crate) struct TypePlace {
    pub path: PathPlace,
    pub inner: Vec<TypePlace>,
}

/// A value; of a map, keys and values in turn.
#[derive(Debug)]
pub(crate) struct ValuePlace {
    pub path: PathPlace,
    pub inner: Vec<ValuePlace>,
}

/// A field, argument or declared exception.
#[derive(Debug)]
pub(crate) struct FieldPlace {
    pub first: usize,
    pub last: usize,
    /// `required` or `optional`.
    pub attribute: Option<usize>,
    pub ty: TypePlace,
    pub name: usize,
    pub default: Option<ValuePlace>,
}

/// A member of an enum.
#[derive(Debug)]
pub(crate) struct MemberPlace {
    pub first: usize,
    pub last: usize,
    pub value: Option<usize>,
}

/// A method.
#[derive(Debug)]
pub(crate) struct FunctionPlace {
    pub first: usize,
    pub last: usize,
    pub result: TypePlace,
    pub name: usize,
    pub arguments: Vec<FieldPlace>,
    pub throws: Vec<FieldPlace>,
}
