//! `google/protobuf/descriptor.proto`, as much of it as a schema is made from.
//!
//! `prost-types` has the same messages without editions and features, so these are our own; fields are as descriptor.proto explains them.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FileProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub package: Option<String>,
    #[prost(string, repeated, tag = "3")]
    pub dependency: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    pub message_type: Vec<MessageProto>,
    #[prost(message, repeated, tag = "5")]
    pub enum_type: Vec<EnumProto>,
    #[prost(message, repeated, tag = "6")]
    pub service: Vec<ServiceProto>,
    #[prost(message, optional, tag = "8")]
    pub options: Option<FileOptions>,
    #[prost(message, optional, tag = "9")]
    pub source_code_info: Option<SourceInfo>,
    #[prost(string, optional, tag = "12")]
    pub syntax: Option<String>,
    #[prost(int32, optional, tag = "14")]
    pub edition: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FileOptions {
    #[prost(message, optional, tag = "50")]
    pub features: Option<FeatureProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SourceInfo {
    #[prost(message, repeated, tag = "1")]
    pub location: Vec<Location>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Location {
    #[prost(int32, repeated, tag = "1")]
    pub path: Vec<i32>,
    #[prost(int32, repeated, tag = "2")]
    pub span: Vec<i32>,
    #[prost(string, optional, tag = "3")]
    pub leading_comments: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub trailing_comments: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MessageProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    pub field: Vec<FieldProto>,
    #[prost(message, repeated, tag = "3")]
    pub nested_type: Vec<MessageProto>,
    #[prost(message, repeated, tag = "4")]
    pub enum_type: Vec<EnumProto>,
    #[prost(message, optional, tag = "7")]
    pub options: Option<MessageOptions>,
    #[prost(message, repeated, tag = "8")]
    pub oneof_decl: Vec<OneofProto>,
    #[prost(string, repeated, tag = "10")]
    pub reserved_name: Vec<String>,
}

impl MessageProto {
    /// Is it the message that stands for the pairs of a map?
    pub(crate) fn is_map_entry(&self) -> bool {
        self.options.as_ref().is_some_and(|options| options.map_entry == Some(true))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MessageOptions {
    #[prost(bool, optional, tag = "3")]
    pub deprecated: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    pub map_entry: Option<bool>,
    #[prost(message, optional, tag = "12")]
    pub features: Option<FeatureProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FieldProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(int32, optional, tag = "3")]
    pub number: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    pub label: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    pub r#type: Option<i32>,
    #[prost(string, optional, tag = "6")]
    pub type_name: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub default_value: Option<String>,
    #[prost(message, optional, tag = "8")]
    pub options: Option<FieldOptions>,
    #[prost(int32, optional, tag = "9")]
    pub oneof_index: Option<i32>,
    #[prost(string, optional, tag = "10")]
    pub json_name: Option<String>,
    #[prost(bool, optional, tag = "17")]
    pub proto3_optional: Option<bool>,
}

/// `LABEL_REQUIRED`
pub(crate) const REQUIRED: i32 = 2;
/// `LABEL_REPEATED`
pub(crate) const REPEATED: i32 = 3;

/// `TYPE_GROUP`
pub(crate) const GROUP: i32 = 10;
/// `TYPE_MESSAGE`
pub(crate) const MESSAGE: i32 = 11;
/// `TYPE_ENUM`
pub(crate) const ENUM: i32 = 14;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FieldOptions {
    #[prost(bool, optional, tag = "2")]
    pub packed: Option<bool>,
    #[prost(bool, optional, tag = "3")]
    pub deprecated: Option<bool>,
    #[prost(message, optional, tag = "21")]
    pub features: Option<FeatureProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OneofProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub options: Option<OneofOptions>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OneofOptions {
    #[prost(message, optional, tag = "1")]
    pub features: Option<FeatureProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EnumProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    pub value: Vec<EnumValueProto>,
    #[prost(message, optional, tag = "3")]
    pub options: Option<EnumOptions>,
    #[prost(string, repeated, tag = "5")]
    pub reserved_name: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EnumValueProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub number: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EnumOptions {
    #[prost(bool, optional, tag = "3")]
    pub deprecated: Option<bool>,
    #[prost(message, optional, tag = "7")]
    pub features: Option<FeatureProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ServiceProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    pub method: Vec<MethodProto>,
    #[prost(message, optional, tag = "3")]
    pub options: Option<ServiceOptions>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ServiceOptions {
    #[prost(bool, optional, tag = "33")]
    pub deprecated: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MethodProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub input_type: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub output_type: Option<String>,
    #[prost(message, optional, tag = "4")]
    pub options: Option<MethodOptions>,
    #[prost(bool, optional, tag = "5")]
    pub client_streaming: Option<bool>,
    #[prost(bool, optional, tag = "6")]
    pub server_streaming: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MethodOptions {
    #[prost(bool, optional, tag = "33")]
    pub deprecated: Option<bool>,
    /// 1 `NO_SIDE_EFFECTS`, 2 `IDEMPOTENT`.
    #[prost(int32, optional, tag = "34")]
    pub idempotency_level: Option<i32>,
}

/// `FeatureSet`
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct FeatureProto {
    #[prost(int32, optional, tag = "1")]
    pub field_presence: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub enum_type: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    pub repeated_field_encoding: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    pub utf8_validation: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    pub message_encoding: Option<i32>,
}

/// Places of things in a file, as paths of [`Location`]s have them: numbers of fields and indexes.
pub(crate) mod place {
    pub(crate) const FILE_IMPORT: i32 = 3;
    pub(crate) const FILE_SYNTAX: i32 = 12;
    pub(crate) const FILE_MESSAGE: i32 = 4;
    pub(crate) const FILE_ENUM: i32 = 5;
    pub(crate) const FILE_SERVICE: i32 = 6;
    pub(crate) const NAME: i32 = 1;
    pub(crate) const MESSAGE_FIELD: i32 = 2;
    pub(crate) const MESSAGE_NESTED: i32 = 3;
    pub(crate) const MESSAGE_ENUM: i32 = 4;
    pub(crate) const ENUM_VALUE: i32 = 2;
    pub(crate) const ENUM_VALUE_NUMBER: i32 = 2;
    pub(crate) const SERVICE_METHOD: i32 = 2;
    pub(crate) const FIELD_NUMBER: i32 = 3;
    pub(crate) const FIELD_TYPE_NAME: i32 = 6;
    pub(crate) const METHOD_INPUT: i32 = 2;
    pub(crate) const METHOD_OUTPUT: i32 = 3;
}
