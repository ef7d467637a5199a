//! What every construct of the language becomes.

use crate::proto::testing::{load_files, load_one};
use crate::{Field, Requiredness, Schema, Struct, StructKind, Type, Value};

fn message<'a>(schema: &'a Schema, name: &str) -> &'a Struct {
    schema.structs.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("a message {name}"))
}

fn field<'a>(schema: &'a Schema, message_name: &str, name: &str) -> &'a Field {
    let found = message(schema, message_name).fields.iter().find(|field| field.name == name);
    found.unwrap_or_else(|| panic!("a field {message_name}.{name}"))
}

fn index(schema: &Schema, name: &str) -> u32 {
    schema.structs.iter().position(|s| s.name == name).expect("a message") as u32
}

fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

#[test]
fn scalars_have_types_of_their_own() {
    let types = [
        ("double", Type::Double),
        ("float", Type::Float),
        ("int32", Type::I32),
        ("int64", Type::I64),
        ("uint32", Type::Uint32),
        ("uint64", Type::Uint64),
        ("sint32", Type::Sint32),
        ("sint64", Type::Sint64),
        ("fixed32", Type::Fixed32),
        ("fixed64", Type::Fixed64),
        ("sfixed32", Type::Sfixed32),
        ("sfixed64", Type::Sfixed64),
        ("bool", Type::Bool),
        ("string", Type::String),
        ("bytes", Type::Binary),
    ];
    for (name, ty) in types {
        let schema = load_one(&format!(
            "syntax = \"proto3\"; message A {{ {name} one = 1; repeated {name} many = 2; map<int32, {name}> by_key = 3; }}"
        ));
        assert_eq!(field(&schema, "A", "one").ty, ty);
        let many = field(&schema, "A", "many");
        assert_eq!((&many.ty, many.packed), (&list(ty.clone()), !matches!(ty, Type::String | Type::Binary)));
        let map = field(&schema, "A", "by_key");
        assert_eq!((&map.ty, map.packed), (&Type::Map(Box::new(Type::I32), Box::new(ty)), false));
        assert_eq!(schema.structs.len(), 1, "the pairs of a map are no message");
    }
}

#[test]
fn messages_nest_and_keep_the_order_of_their_fields() {
    let schema = load_one(
        "syntax = \"proto3\"; package shop.v1;
        message Cart { Line last = 7; message Line { Kind kind = 2; Cart cart = 1; enum Kind { ANY = 0; } } repeated Line lines = 3; Kind kind = 1; }
        enum Kind { NONE = 0; }",
    );
    let names: Vec<&str> = schema.structs.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["shop.v1.Cart", "shop.v1.Cart.Line"]);
    assert!(schema.structs.iter().all(|s| s.kind == StructKind::Message));
    let ids: Vec<i32> = schema.structs[0].fields.iter().map(|field| field.id).collect();
    assert_eq!(ids, [7, 3, 1]);
    assert_eq!(schema.structs[0].fields[1].ty, list(Type::Struct(1)));
    let enums: Vec<&str> = schema.enums.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(enums, ["shop.v1.Cart.Line.Kind", "shop.v1.Kind"]);
    assert_eq!(field(&schema, "shop.v1.Cart.Line", "kind").ty, Type::Enum(0));
    assert_eq!(field(&schema, "shop.v1.Cart", "kind").ty, Type::Enum(1));
    assert_eq!(schema.files[0].package, "shop.v1");
}

#[test]
fn presence_is_that_of_the_syntax() {
    let optional = Requiredness::Optional;
    let proto3 = load_one(
        "syntax = \"proto3\"; message A { int32 a = 1; optional int32 b = 2; A c = 3; repeated A d = 4; oneof e { int32 f = 5; string g = 6; } map<int32, A> h = 7; E i = 8; }
        enum E { X = 0; }",
    );
    let of = |name| field(&proto3, "A", name).requiredness;
    assert_eq!([of("a"), of("d"), of("h"), of("i")], [Requiredness::Default; 4]);
    assert_eq!([of("b"), of("c"), of("f"), of("g")], [optional; 4]);
    // That of `optional` is synthetic.
    assert_eq!(message(&proto3, "A").oneofs, ["e"]);
    assert_eq!((field(&proto3, "A", "b").oneof, field(&proto3, "A", "f").oneof), (None, Some(0)));
    let proto2 =
        load_one("message A { required int32 a = 1; optional int32 b = 2; repeated int32 c = 3; required A d = 4; }");
    let of = |name| field(&proto2, "A", name).requiredness;
    assert_eq!(
        [of("a"), of("b"), of("c"), of("d")],
        [Requiredness::Required, optional, Requiredness::Default, Requiredness::Required]
    );
}

#[test]
fn encodings_are_those_of_the_syntax_and_the_option() {
    let proto2 = load_one(
        "message A { repeated int32 a = 1; repeated int32 b = 2 [packed = true]; optional string c = 3; map<int32, string> d = 4; map<int32, bytes> e = 5;
        optional group Inner = 6 { optional E f = 1; } repeated E g = 7 [packed = true]; repeated group More = 8 {} oneof h { group Last = 9 {} } }
        enum E { X = 1; }",
    );
    let of = |name| field(&proto2, "A", name);
    assert_eq!([of("a").packed, of("b").packed, of("g").packed], [false, true, true]);
    assert_eq!([of("c").unchecked_utf8, of("d").unchecked_utf8, of("e").unchecked_utf8], [true, true, false]);
    assert_eq!(
        [of("inner").delimited, of("more").delimited, of("last").delimited, of("d").delimited],
        [true, true, true, false]
    );
    assert_eq!(of("inner").ty, Type::Struct(index(&proto2, "A.Inner")));
    assert_eq!((of("last").oneof, of("last").requiredness), (Some(0), Requiredness::Optional));
    assert!(proto2.enums[0].closed);
    let proto3 = load_one(
        "syntax = \"proto3\"; message A { repeated int32 a = 1 [packed = false]; string b = 2; repeated string c = 3; } enum E { X = 0; }",
    );
    assert!(
        !field(&proto3, "A", "a").packed
            && !field(&proto3, "A", "b").unchecked_utf8
            && !field(&proto3, "A", "c").packed
    );
    assert!(!proto3.enums[0].closed);
}

#[test]
fn features_of_editions_hold_for_what_is_inside() {
    let schema = load_one(
        "edition = \"2023\";
        option features.field_presence = IMPLICIT;
        option features.enum_type = CLOSED;
        message A {
          int32 a = 1;
          int32 b = 2 [features.field_presence = EXPLICIT];
          int32 c = 3 [features.field_presence = LEGACY_REQUIRED];
          repeated int32 d = 4;
          repeated int32 e = 5 [features.repeated_field_encoding = EXPANDED];
          string f = 6 [features.utf8_validation = NONE];
          B g = 7 [features.message_encoding = DELIMITED];
          B h = 8;
          oneof i { int32 j = 9; B k = 10 [features.message_encoding = DELIMITED]; }
          map<string, B> l = 11 [features.utf8_validation = NONE, features.message_encoding = DELIMITED];
          reserved old, older;
        }
        message B { option features.field_presence = EXPLICIT; int32 a = 1; message C { int32 a = 1; } enum E { option features.enum_type = OPEN; X = 0; } }
        enum F { Y = 1; }",
    );
    let of = |name| field(&schema, "A", name);
    let presence = ["a", "b", "c", "d", "g", "h", "j", "l"].map(|name| of(name).requiredness);
    let (default, optional) = (Requiredness::Default, Requiredness::Optional);
    assert_eq!(presence, [default, optional, Requiredness::Required, default, optional, optional, optional, default]);
    assert_eq!([of("d").packed, of("e").packed], [true, false]);
    assert_eq!([of("f").unchecked_utf8, of("l").unchecked_utf8], [true, true]);
    assert_eq!(["g", "h", "k", "l"].map(|name| of(name).delimited), [true, false, true, false]);
    assert_eq!(field(&schema, "B", "a").requiredness, optional);
    assert_eq!(field(&schema, "B.C", "a").requiredness, optional);
    let closed: Vec<(&str, bool)> = schema.enums.iter().map(|e| (e.name.as_str(), e.closed)).collect();
    assert_eq!(closed, [("B.E", false), ("F", true)]);
    let plain = load_one(
        "edition = \"2023\"; message A { int32 a = 1 [default = 5]; repeated E b = 2; string c = 3; } enum E { X = 0; }",
    );
    let of = |name| field(&plain, "A", name);
    assert_eq!((of("a").requiredness, of("a").default.clone()), (optional, Some(Value::Int("5".into()))));
    assert!(of("b").packed && !of("c").unchecked_utf8 && !plain.enums[0].closed);
}

#[test]
fn defaults_are_values() {
    let schema = load_one(
        r#"message A {
          optional int32 a = 1 [default = -0x10]; optional uint64 b = 2 [default = 18446744073709551615]; optional bool c = 3 [default = true];
          optional string d = 4 [default = "a\n\"ü"]; optional bytes e = 5 [default = "\001\xff\\"]; optional float f = 6 [default = -inf];
          optional double g = 7 [default = 1e10]; optional E h = 8 [default = TWO]; optional int32 i = 9; optional double j = 10 [default = nan];
          optional string k = 11 [default = ""];
        }
        enum E { ONE = 1; TWO = 2; }"#,
    );
    let of = |name| field(&schema, "A", name).default.clone();
    assert_eq!(of("a"), Some(Value::Int("-16".into())));
    assert_eq!(of("b"), Some(Value::Int("18446744073709551615".into())));
    assert_eq!(of("c"), Some(Value::Bool(true)));
    assert_eq!(of("d"), Some(Value::String("a\n\"ü".into())));
    assert_eq!(of("e"), Some(Value::Binary("Af9c".into())));
    assert_eq!(of("f"), Some(Value::Double(f64::NEG_INFINITY)));
    assert_eq!(of("g"), Some(Value::Double(1e10)));
    assert_eq!(of("h"), Some(Value::Int("2".into())));
    assert_eq!(of("i"), None);
    assert!(matches!(of("j"), Some(Value::Double(nan)) if nan.is_nan()));
    assert_eq!(of("k"), Some(Value::String(String::new())));
    let text = schema.to_json();
    assert_eq!(Schema::from_json(&text).expect("own JSON").to_json(), text);
}

#[test]
fn names_in_json_are_kept_where_they_differ() {
    let schema = load_one(
        "syntax = \"proto3\"; message A { int32 item_id = 1; int32 other = 2 [json_name = \"OTHER\"]; int32 same_one = 3 [json_name = \"sameOne\"]; }",
    );
    let names: Vec<Option<&str>> = schema.structs[0].fields.iter().map(|field| field.json_name.as_deref()).collect();
    assert_eq!(names, [None, Some("OTHER"), None]);
}

#[test]
fn enums_keep_their_aliases_and_numbers() {
    let schema = load_one("enum E { option allow_alias = true; A = -1; B = 7; C = 7; }");
    let members: Vec<(&str, i32)> = schema.enums[0].members.iter().map(|m| (m.name.as_str(), m.value)).collect();
    assert_eq!(members, [("A", -1), ("B", 7), ("C", 7)]);
}

#[test]
fn services_have_full_names_and_their_methods_stream() {
    let schema = load_one(
        "syntax = \"proto3\"; package shop; message In {} message Out {}
        // Sells.
        service Shop {
          rpc One(In) returns (Out) { option idempotency_level = NO_SIDE_EFFECTS; }
          rpc Down(.shop.In) returns (stream shop.Out) { option idempotency_level = IDEMPOTENT; option deprecated = true; }
          rpc Up(stream In) returns (Out); // Takes many.
          rpc Both(stream In) returns (stream Out) {}
        }
        service Other { option deprecated = true; }",
    );
    let shop = &schema.services[0];
    assert_eq!(
        (shop.name.as_str(), shop.methods.as_slice(), shop.doc.as_str()),
        ("shop.Shop", &[0, 1, 2, 3][..], "Sells.")
    );
    let methods: Vec<_> =
        schema.methods.iter().map(|m| (m.name.as_str(), m.client_streaming, m.server_streaming)).collect();
    assert_eq!(methods, [("One", false, false), ("Down", false, true), ("Up", true, false), ("Both", true, true)]);
    assert!(schema.methods.iter().all(|m| m.args == 0 && m.result == Some(1) && !m.oneway));
    let idempotent = |method: usize| schema.methods[method].annotations.get("idempotent").map(String::as_str);
    assert_eq!([0, 1, 2, 3].map(idempotent), [Some("true"), Some("true"), None, None]);
    assert_eq!(schema.methods[1].annotations.get("deprecated").map(String::as_str), Some("true"));
    assert_eq!(schema.methods[2].doc, "Takes many.");
    assert_eq!(schema.services[1].annotations.get("deprecated").map(String::as_str), Some("true"));
}

#[test]
fn comments_are_documentation() {
    let schema = load_one(
        "// A licence.

        syntax = \"proto3\";
        // An item,
        //   indented.
        message Item { // Behind the brace.
          /* Its id.
           * Second line. */
          int64 id = 1 [deprecated = true]; // Behind.

          // Alone.

          string title = 2;
          message Inner { option deprecated = true; }
        }
        /** Sizes. */
        enum Size { SMALL = 0; /// Tiny.
          LARGE = 1; }",
    );
    let item = &schema.structs[0];
    assert_eq!(item.doc, "An item,\n  indented.\nBehind the brace.");
    assert_eq!(item.fields[0].doc, "Its id.\nSecond line.\nBehind.");
    assert_eq!(item.fields[0].annotations.get("deprecated").map(String::as_str), Some("true"));
    assert_eq!(item.fields[1].doc, "");
    assert_eq!(schema.structs[1].annotations.get("deprecated").map(String::as_str), Some("true"));
    assert_eq!(schema.enums[0].doc, "Sizes.");
    assert_eq!((schema.enums[0].members[0].doc.as_str(), schema.enums[0].members[1].doc.as_str()), ("Tiny.", ""));
}

#[test]
fn extensions_and_options_of_ones_own_are_no_fields() {
    let schema = load_one(
        "edition = \"2023\"; import \"google/protobuf/descriptor.proto\";
        extend google.protobuf.FieldOptions { string hint = 50000; Rule rule = 50001; }
        message Rule { int32 least = 1; repeated string words = 2; extensions 100 to max; extend Rule { bool strict = 100; } }
        message A { int32 a = 1 [(hint) = \"x;{\", (rule) = { least: 3 words: ['a', \"}\"] [Rule.strict]: true }]; int32 b = 2 [(rule).least = 4]; }",
    );
    assert_eq!(message(&schema, "A").fields.len(), 2);
    assert_eq!(message(&schema, "Rule").fields.len(), 2);
    let files: Vec<(&str, bool)> = schema.files.iter().map(|file| (file.path.as_str(), file.root)).collect();
    assert_eq!(files, [("a.proto", true), ("google/protobuf/descriptor.proto", false)]);
    // What the options say is there for reflection.
    let text = String::from_utf8_lossy(&super::unbase64(&schema.descriptors)).into_owned();
    assert!(text.contains("x;{") && text.contains("editions"));
}

#[test]
fn imports_are_files_behind_the_roots() {
    let files = [
        (
            "idl/a.proto",
            "syntax = \"proto3\"; package a; import \"b.proto\"; import \"google/protobuf/timestamp.proto\"; message A { b.B b = 1; c.C c = 2; google.protobuf.Timestamp at = 3; }",
        ),
        ("idl/b.proto", "syntax = \"proto3\"; package b; import public \"c.proto\"; message B { c.C c = 1; }"),
        ("shared/c.proto", "package c; message C { optional int32 c = 1; }"),
    ];
    let schema = load_files(&files).expect("sound files");
    let found: Vec<_> =
        schema.files.iter().map(|f| (f.path.as_str(), f.package.as_str(), f.root, f.includes.as_slice())).collect();
    assert_eq!(
        found,
        [
            ("a.proto", "a", true, &[1, 2][..]),
            ("b.proto", "b", false, &[3]),
            ("google/protobuf/timestamp.proto", "google.protobuf", false, &[]),
            ("c.proto", "c", false, &[]),
        ]
    );
    assert_eq!(field(&schema, "a.A", "c").ty, Type::Struct(index(&schema, "c.C")));
    assert_eq!(message(&schema, "google.protobuf.Timestamp").file, 2);
    // The syntax of a file is its own.
    assert_eq!(field(&schema, "c.C", "c").requiredness, Requiredness::Optional);
    assert_eq!(field(&schema, "google.protobuf.Timestamp", "nanos").requiredness, Requiredness::Default);
}

#[test]
fn marks_of_byte_order_and_carriage_returns_are_no_part_of_the_text() {
    let schema = load_one("\u{feff}edition = \"2023\";\r\n// Doc.\r\nmessage A {\r\n  int32 a = 1;\r\n}\r\n");
    assert_eq!(
        (schema.structs[0].doc.as_str(), field(&schema, "A", "a").requiredness),
        ("Doc.", Requiredness::Optional)
    );
    let mistakes = load_files(&[("a.proto", "\u{feff}mesage A {}\r\n")]).expect_err("a mistake");
    assert_eq!((mistakes[0].column, mistakes[0].source_line.as_str()), (1, "mesage A {}"));
}
