//! The schema: one description of types and methods, whatever IDL they came from.
//!
//! Its JSON form ([`serde`]) is what generated code carries, what the generator reads and what reflection serves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Index into [`Schema::structs`].
pub type StructIndex = u32;
/// Index into [`Schema::enums`].
pub type EnumIndex = u32;
/// Index into [`Schema::methods`].
pub type MethodIndex = u32;

/// Annotations of the IDL, `(key = "value")`, in a stable order.
pub type Annotations = BTreeMap<String, String>;

/// Everything one build (one or more root IDL files and what they include) describes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The IDL files, in the order they were first reached; roots first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// Enums of all files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enums: Vec<Enum>,
    /// Structs, unions, exceptions, and the argument and result structs of methods.
    pub structs: Vec<Struct>,
    /// Typedefs, kept for the generator; every [`Type`] is resolved already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub typedefs: Vec<Typedef>,
    /// Constants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consts: Vec<Const>,
    /// All methods of all services, each once; a service that extends another refers to the same entries.
    pub methods: Vec<Method>,
    /// Services.
    pub services: Vec<Service>,
    /// Protobuf: the `google.protobuf.FileDescriptorSet` it was made from, in base64. Reflection serves it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub descriptors: String,
}

/// One IDL file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Path as it was given or included, with `/`.
    pub path: String,
    /// True for the files named by the user, false for included ones.
    pub root: bool,
    /// Namespace by language (`*`, `js`, `rs`, …).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, String>,
    /// Protobuf: its package; empty if it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub package: String,
    /// Included files, as indexes into [`Schema::files`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<u32>,
}

/// A resolved type. In JSON `"i64"`, `{"list":"i64"}`, `{"map":["string","i64"]}`, `{"struct":3}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// `bool`
    Bool,
    /// `byte`, `i8`
    I8,
    /// `i16`
    I16,
    /// `i32`; Protobuf's `int32`
    I32,
    /// `i64`; Protobuf's `int64`
    I64,
    /// Protobuf's `uint32`
    Uint32,
    /// Protobuf's `sint32`
    Sint32,
    /// Protobuf's `fixed32`
    Fixed32,
    /// Protobuf's `sfixed32`
    Sfixed32,
    /// Protobuf's `uint64`
    Uint64,
    /// Protobuf's `sint64`
    Sint64,
    /// Protobuf's `fixed64`
    Fixed64,
    /// Protobuf's `sfixed64`
    Sfixed64,
    /// Protobuf's `float`
    Float,
    /// `double`
    Double,
    /// `string`
    String,
    /// `binary`; Protobuf's `bytes`
    Binary,
    /// `uuid`
    Uuid,
    /// An enum; on the wire an `i32`.
    Enum(EnumIndex),
    /// A struct, union, exception or Protobuf message.
    Struct(StructIndex),
    /// `list<T>`; Protobuf's `repeated`
    List(Box<Type>),
    /// `set<T>`
    Set(Box<Type>),
    /// `map<K, V>`
    Map(Box<Type>, Box<Type>),
}

/// What a struct is in the IDL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StructKind {
    /// `struct`
    Struct,
    /// `union`: exactly one field is present.
    Union,
    /// `exception`
    Exception,
    /// The arguments of a method.
    Args,
    /// The result of a method: field 0 `success`, then the declared exceptions.
    Result,
    /// A Protobuf message. On the tape one slot follows those of its fields, for what the schema does not know: see [`Struct::tape_fields`].
    Message,
    /// A message that a codec of the user's reads and writes. Its bytes pass as they are: on the tape they are what the schema does not know, for it
    /// has no fields.
    Opaque,
}

impl StructKind {
    /// A message of gRPC, whoever reads it?
    pub fn is_message(self) -> bool {
        matches!(self, Self::Message | Self::Opaque)
    }
}

/// A struct, union, exception, or a method's arguments or result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Struct {
    /// Name as in the IDL; `GetItem_args` and `GetItem_result` prefixed by `Service.` for the made ones. Of a Protobuf message the full name,
    /// `package.Outer.Inner`.
    pub name: String,
    /// Index into [`Schema::files`].
    pub file: u32,
    /// What it is.
    pub kind: StructKind,
    /// Fields in the order of the IDL; the position is the field's place on the tape.
    pub fields: Vec<Field>,
    /// Thrift: it keeps fields that are not in the schema and writes them back. It then has a slot more on the tape, behind those of its fields: a
    /// binary, the fields as the binary protocol has them. Protobuf messages always keep theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_unknown: bool,
    /// Protobuf: names of its oneofs; fields refer to them by index. Synthetic ones are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oneofs: Vec<String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
    /// Comment of the IDL, without comment signs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
}

impl Struct {
    /// Whether it keeps fields that the schema does not know: a Protobuf message, or what [`keep_unknown`](Self::keep_unknown) says so of.
    pub fn keeps_unknown(&self) -> bool {
        self.keep_unknown || self.kind.is_message()
    }

    /// Fields it has on the tape: one more, of type [`Type::Binary`], where it keeps fields that the schema does not know, as they came.
    pub fn tape_fields(&self) -> usize {
        self.fields.len() + usize::from(self.keeps_unknown())
    }
}

/// How a field may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Requiredness {
    /// Neither `required` nor `optional`: written when present, not missed when absent. In Protobuf a field without presence of its own: absent
    /// is the zero value, an empty list or map.
    #[default]
    Default,
    /// Must be present both ways.
    Required,
    /// May be absent. In Protobuf a field with presence of its own: `optional`, message fields, members of a oneof, all of proto2.
    Optional,
}

impl Requiredness {
    // serde asks by reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_default(&self) -> bool {
        *self == Self::Default
    }
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Field id on the wire. Thrift: 16 bits, may be negative. Protobuf: 1 to 2^29 - 1.
    pub id: i32,
    /// Name as in the IDL.
    pub name: String,
    /// Type, typedefs resolved.
    #[serde(rename = "type")]
    pub ty: Type,
    /// How it may be missing.
    #[serde(default, skip_serializing_if = "Requiredness::is_default")]
    pub requiredness: Requiredness,
    /// Default value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Protobuf: a repeated field is written packed. Both forms are read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub packed: bool,
    /// Protobuf: a message is marked off by group tags instead of a length.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delimited: bool,
    /// Protobuf: invalid UTF-8 is let through (proto2, or a feature that says so).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unchecked_utf8: bool,
    /// Protobuf: the oneof it is a member of, as an index into [`Struct::oneofs`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oneof: Option<u32>,
    /// Protobuf: name in JSON, where it is not lowerCamelCase of the name (without `_`, the letter behind each raised, all else as it is).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_name: Option<String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
    /// Comment of the IDL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
}

impl Field {
    /// A field with a name and a type, and nothing special about it.
    pub fn new(id: i32, name: impl Into<String>, ty: Type) -> Self {
        Self {
            id,
            name: name.into(),
            ty,
            requiredness: Requiredness::Default,
            default: None,
            packed: false,
            delimited: false,
            unchecked_utf8: false,
            oneof: None,
            json_name: None,
            annotations: Annotations::new(),
            doc: String::new(),
        }
    }
}

/// A constant value, already checked against its type. Integers are strings, for JSON has no 64-bit integers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// `true`, `false`
    Bool(bool),
    /// Any integer or enum value, in decimal.
    Int(String),
    /// A double. Protobuf's defaults may be infinite or no number, for which JSON has no form: they are the strings `Infinity`, `-Infinity`, `NaN`.
    Double(#[serde(with = "double")] f64),
    /// A string, a binary (its UTF-8) or a uuid.
    String(String),
    /// Protobuf's bytes, which need not be UTF-8, in base64.
    Binary(String),
    /// A list or set.
    List(Vec<Value>),
    /// A map.
    Map(Vec<(Value, Value)>),
    /// A struct or union: values by field name, in the order of the fields.
    Struct(Vec<(String, Value)>),
}

/// A double in JSON.
mod double {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Number(f64),
        Text(String),
    }

    // serde asks by reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            value.serialize(serializer)
        } else if value.is_nan() {
            "NaN".serialize(serializer)
        } else if *value > 0.0 {
            "Infinity".serialize(serializer)
        } else {
            "-Infinity".serialize(serializer)
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Number(value) => Ok(value),
            Form::Text(text) => match text.as_str() {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                _ => Err(de::Error::custom("a double is a number, `NaN`, `Infinity` or `-Infinity`")),
            },
        }
    }
}

/// An enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enum {
    /// Name as in the IDL.
    pub name: String,
    /// Index into [`Schema::files`].
    pub file: u32,
    /// Members in the order of the IDL.
    pub members: Vec<EnumMember>,
    /// Protobuf: a number it does not name is no value of it (proto2); such a field counts as unknown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
    /// Comment of the IDL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
}

/// A member of an enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumMember {
    /// Name as in the IDL.
    pub name: String,
    /// Its number.
    pub value: i32,
    /// Comment of the IDL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
}

/// A typedef.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typedef {
    /// Name as in the IDL.
    pub name: String,
    /// Index into [`Schema::files`].
    pub file: u32,
    /// What it stands for, fully resolved.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Comment of the IDL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Const {
    /// Name as in the IDL.
    pub name: String,
    /// Index into [`Schema::files`].
    pub file: u32,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Its value.
    pub value: Value,
    /// Comment of the IDL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
}

/// A method of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// Name on the wire.
    pub name: String,
    /// The service that declares it, as an index into [`Schema::services`].
    pub service: u32,
    /// True if nobody waits for a reply.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub oneway: bool,
    /// gRPC: the client sends any number of requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_streaming: bool,
    /// gRPC: the server sends any number of responses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub server_streaming: bool,
    /// Arguments struct; the request message in gRPC.
    pub args: StructIndex,
    /// Result struct; none for oneway methods; the response message in gRPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<StructIndex>,
    /// Annotations; `idempotent = "true"` marks a method that may be retried.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
    /// Comment of the IDL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Name as in the IDL; of a gRPC service the full name, `package.Service`.
    pub name: String,
    /// Index into [`Schema::files`].
    pub file: u32,
    /// The service it extends, as an index into [`Schema::services`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<u32>,
    /// Its methods, inherited ones first, as indexes into [`Schema::methods`].
    pub methods: Vec<MethodIndex>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
    /// Comment of the IDL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
}
