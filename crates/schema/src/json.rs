//! The schema as JSON, and its hash.

use serde::Serialize;

use crate::model::{Enum, Field, Requiredness, Schema, StructKind, Type};

/// Why a text is not a schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It is not JSON, or not of a schema's shape.
    #[error("the schema is not readable: {0}; generate the code again")]
    Json(#[from] serde_json::Error),
    /// It has the shape of a schema but contradicts itself, as [`Schema::validate`] says.
    #[error("the schema contradicts itself: {0}; generate the code again")]
    Invalid(String),
}

/// What two peers of a program have to agree on, in a fixed order: the input of the hash.
#[derive(Serialize)]
struct WirePart<'a> {
    structs: Vec<(StructKind, Vec<WireField<'a>>)>,
    methods: Vec<(&'a str, bool, u32, Option<u32>)>,
    services: Vec<(&'a str, &'a [u32])>,
    /// Structs that do; left out where none does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keep_unknown: Vec<usize>,
    /// What only Protobuf has; left out elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    protobuf: Option<ProtobufPart<'a>>,
}

/// Packed, delimited, unchecked, its oneof.
type ProtobufField = (bool, bool, bool, Option<u32>);

#[derive(Serialize)]
struct ProtobufPart<'a> {
    /// Of each struct.
    fields: Vec<Vec<ProtobufField>>,
    closed: Vec<Option<Vec<i32>>>,
    streaming: Vec<(bool, bool)>,
    descriptors: &'a str,
}

type WireField<'a> = (i32, &'a str, &'a Type, Requiredness);

impl Schema {
    /// The schema as JSON: what generated code carries and `from_json` reads.
    ///
    /// # Panics
    /// Never: every part of a schema has a form in JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and lists have a form in JSON")
    }

    /// Reads what [`to_json`](Self::to_json) wrote and validates it.
    pub fn from_json(json: &str) -> Result<Self, SchemaError> {
        let schema: Self = serde_json::from_str(json)?;
        schema.validate().map_err(SchemaError::Invalid)?;
        Ok(schema)
    }

    /// FNV-1a (64 bits) of the wire part: kinds and fields of structs (id, name, type, requiredness), methods and
    /// services, and whether unknown fields are kept, which changes the layout of structs. Names of structs and enums, comments, annotations, constants, defaults and files do not count. In Protobuf, where the
    /// descriptors count as a whole, only comments do not.
    ///
    /// # Panics
    /// Never, as [`to_json`](Self::to_json).
    pub fn hash(&self) -> u64 {
        let part = WirePart {
            structs: self.structs.iter().map(|s| (s.kind, s.fields.iter().map(wire_field).collect())).collect(),
            methods: self.methods.iter().map(|m| (m.name.as_str(), m.oneway, m.args, m.result)).collect(),
            services: self.services.iter().map(|s| (s.name.as_str(), s.methods.as_slice())).collect(),
            keep_unknown: (0..self.structs.len()).filter(|&index| self.structs[index].keep_unknown).collect(),
            protobuf: self.is_protobuf().then(|| self.protobuf_part()),
        };
        let json = serde_json::to_vec(&part).expect("strings, numbers and lists have a form in JSON");
        fnv_1a(&json)
    }

    /// Was it made from Protobuf IDL?
    pub fn is_protobuf(&self) -> bool {
        !self.descriptors.is_empty() || self.structs.iter().any(|structure| structure.kind.is_message())
    }

    fn protobuf_part(&self) -> ProtobufPart<'_> {
        let field = |f: &Field| (f.packed, f.delimited, f.unchecked_utf8, f.oneof);
        let numbers = |e: &Enum| e.closed.then(|| e.members.iter().map(|member| member.value).collect());
        ProtobufPart {
            fields: self.structs.iter().map(|s| s.fields.iter().map(field).collect()).collect(),
            closed: self.enums.iter().map(numbers).collect(),
            streaming: self.methods.iter().map(|m| (m.client_streaming, m.server_streaming)).collect(),
            descriptors: &self.descriptors,
        }
    }

    /// [`hash`](Self::hash) as 16 hexadecimal digits.
    pub fn hash_hex(&self) -> String {
        format!("{:016x}", self.hash())
    }

    /// The part that programs need at run time: without comments, typedefs and constants, and with files reduced to
    /// their names, so that it is the same wherever the IDL lies. The hash is the same.
    #[must_use]
    pub fn without_docs(&self) -> Self {
        let mut schema = self.clone();
        schema.typedefs.clear();
        schema.consts.clear();
        for file in &mut schema.files {
            if let Some(slash) = file.path.rfind('/') {
                file.path.drain(..=slash);
            }
        }
        for declared in &mut schema.enums {
            declared.doc.clear();
            declared.members.iter_mut().for_each(|member| member.doc.clear());
        }
        for structure in &mut schema.structs {
            structure.doc.clear();
            structure.fields.iter_mut().for_each(|field| field.doc.clear());
        }
        schema.methods.iter_mut().for_each(|method| method.doc.clear());
        schema.services.iter_mut().for_each(|service| service.doc.clear());
        schema
    }
}

fn wire_field(field: &Field) -> WireField<'_> {
    (field.id, &field.name, &field.ty, field.requiredness)
}

/// Fowler, Noll, Vo: FNV-1a with 64 bits.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;
    use crate::thrift::testing::load_one;

    const IDL: &str = "
        /** An item. */
        struct Item { 1: required i64 id, /* its name */ 2: string name = 'none' }
        typedef Item Thing
        const i32 ONE = 1
        service Shop { Item Get(1: i64 id) /* gets */ }";

    #[test]
    fn fnv_1a_matches_its_published_values() {
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn json_goes_round() {
        let schema = load_one(IDL);
        assert_eq!(Schema::from_json(&schema.to_json()).expect("own JSON"), schema);
    }

    #[test]
    fn doubles_that_json_has_no_form_for_go_round() {
        for (value, form) in [
            (f64::INFINITY, r#"{"double":"Infinity"}"#),
            (f64::NEG_INFINITY, r#"{"double":"-Infinity"}"#),
            (1.5, r#"{"double":1.5}"#),
        ] {
            assert_eq!(serde_json::to_string(&Value::Double(value)).expect("a value has a form"), form);
            assert_eq!(serde_json::from_str::<Value>(form).expect("own JSON"), Value::Double(value));
        }
        assert_eq!(serde_json::to_string(&Value::Double(f64::NAN)).expect("a form"), r#"{"double":"NaN"}"#);
        let nan = serde_json::from_str(r#"{"double":"NaN"}"#).expect("own JSON");
        assert!(matches!(nan, Value::Double(value) if value.is_nan()));
        assert!(serde_json::from_str::<Value>(r#"{"double":"much"}"#).is_err());
    }

    #[test]
    fn types_have_short_forms() {
        let form = |ty: &Type| serde_json::to_string(ty).expect("a type has a form");
        assert_eq!(form(&Type::I64), r#""i64""#);
        assert_eq!(form(&Type::List(Box::new(Type::Struct(3)))), r#"{"list":{"struct":3}}"#);
        assert_eq!(form(&Type::Map(Box::new(Type::String), Box::new(Type::I64))), r#"{"map":["string","i64"]}"#);
    }

    #[test]
    fn only_the_wire_part_counts_for_the_hash() {
        let schema = load_one(IDL);
        assert_eq!(schema.hash_hex().len(), 16);
        let bare = schema.without_docs();
        assert_eq!(bare.hash(), schema.hash());
        assert!(bare.typedefs.is_empty() && bare.consts.is_empty());
        assert!(!bare.to_json().contains("doc"), "{}", bare.to_json());
        for same in [
            IDL.replace("An item", "A thing"),
            IDL.replace("'none'", "'no'"),
            IDL.replace("Item", "Article"),
            IDL.replace("ONE = 1", "ONE = 2"),
        ] {
            assert_eq!(load_one(&same).hash(), schema.hash(), "{same}");
        }
        for other in [
            IDL.replace("1: required", "3: required"),
            IDL.replace("required", "optional"),
            IDL.replace("i64 id,", "i32 id,"),
            IDL.replace("string name", "string title"),
            IDL.replace("struct Item", "exception Item"),
            IDL.replace("Get(", "Fetch("),
            IDL.replace("Shop", "Store"),
        ] {
            assert_ne!(load_one(&other).hash(), schema.hash(), "{other}");
        }
    }

    #[test]
    fn keeping_unknown_fields_is_part_of_the_schema_where_it_is_asked_for() {
        let schema = load_one(IDL);
        assert!(!schema.to_json().contains("keep_unknown"));
        let mut keeping = schema.clone();
        keeping.structs[0].keep_unknown = true;
        assert_ne!(keeping.hash(), schema.hash());
        assert_eq!(Schema::from_json(&keeping.to_json()).expect("a schema"), keeping);
    }

    #[test]
    fn a_text_that_is_no_schema_is_refused() {
        assert!(matches!(Schema::from_json("{"), Err(SchemaError::Json(_))));
        assert!(matches!(Schema::from_json("[1]"), Err(SchemaError::Json(_))));
        let nested = format!(
            r#"{{"structs":[{{"name":"A","file":0,"kind":"struct","fields":[{{"id":1,"name":"a","type":{}"i32"{}}}]}}],"methods":[],"services":[]}}"#,
            r#"{"list":"#.repeat(5000),
            "}".repeat(5000)
        );
        assert!(matches!(Schema::from_json(&nested), Err(SchemaError::Json(_))));
        let error =
            Schema::from_json(r#"{"structs":[],"methods":[{"name":"Get","service":0,"args":7}],"services":[]}"#);
        assert!(matches!(error, Err(SchemaError::Invalid(_))), "{error:?}");
    }
}
