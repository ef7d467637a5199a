//! What sound files become.

use crate::thrift::testing::load_files;
use crate::{Field, Requiredness, Schema, Struct, StructKind, Type, Value};

fn everything() -> Schema {
    let files = [("a.thrift", include_str!("everything.thrift")), ("shared/base.thrift", include_str!("base.thrift"))];
    let schema = load_files(&files).unwrap_or_else(|m| panic!("{}", crate::golden::render(&m)));
    schema.validate().expect("a sound schema");
    assert_eq!(Schema::from_json(&schema.to_json()).expect("its own JSON"), schema);
    schema
}

fn structure<'a>(schema: &'a Schema, name: &str) -> &'a Struct {
    schema.structs.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no struct {name}"))
}

fn field<'a>(schema: &'a Schema, owner: &str, name: &str) -> &'a Field {
    let fields = &structure(schema, owner).fields;
    fields.iter().find(|f| f.name == name).unwrap_or_else(|| panic!("no field {owner}.{name}"))
}

fn constant<'a>(schema: &'a Schema, name: &str) -> &'a Value {
    &schema.consts.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no constant {name}")).value
}

fn int(value: i64) -> Value {
    Value::Int(value.to_string())
}

fn text(value: &str) -> Value {
    Value::String(value.into())
}

fn point(x: i64, y: Option<i64>) -> Value {
    let y = y.map(|y| ("y".to_owned(), int(y)));
    Value::Struct([("x".to_owned(), int(x))].into_iter().chain(y).collect())
}

#[test]
fn files_and_namespaces() {
    let schema = everything();
    let [root, base] = &schema.files[..] else { panic!("two files") };
    assert_eq!((root.path.as_str(), root.root, &root.includes[..]), ("a.thrift", true, &[1][..]));
    assert_eq!((base.path.as_str(), base.root), ("shared/base.thrift", false));
    let names: Vec<_> = root.namespaces.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(names, [("*", "volo.all"), ("js", "volo.all"), ("py.twisted", "volo_all")]);
    assert_eq!(base.namespaces["js"], "volo.base");
}

#[test]
fn enums_count_up() {
    let schema = everything();
    let level = &schema.enums[0];
    let members: Vec<_> = level.members.iter().map(|m| (m.name.as_str(), m.value, m.doc.as_str())).collect();
    assert_eq!(
        members,
        [("LOW", -1, "the least"), ("MIDDLE", 0, "in between"), ("HIGH", 1, ""), ("TOP", 100, ""), ("OVER", 101, "")]
    );
    assert_eq!(level.annotations["meaning"], "level");
    assert_eq!(level.doc, "Colours of this file.\n  indented");
    assert_eq!((schema.enums[1].name.as_str(), schema.enums[1].file), ("Color", 1));
    assert_eq!(schema.enums[1].members.iter().map(|m| m.value).collect::<Vec<_>>(), [0, 7, 8]);
}

#[test]
fn types_are_resolved() {
    let schema = everything();
    let set_of_colors = Type::Set(Box::new(Type::Enum(1)));
    let palette = Type::Map(Box::new(Type::String), Box::new(set_of_colors));
    let typedefs: Vec<_> = schema.typedefs.iter().map(|t| (t.name.as_str(), &t.ty, t.doc.as_str())).collect();
    let ids = Type::List(Box::new(Type::I64));
    assert_eq!(typedefs, [("Id", &Type::I64, "An id."), ("Ids", &ids, ""), ("Palette", &palette, "")]);
    let of = |name: &str| field(&schema, "Everything", name).ty.clone();
    assert_eq!(of("a_byte"), Type::I8);
    assert_eq!(of("a_uuid"), Type::Uuid);
    assert_eq!(of("palette"), palette);
    assert_eq!(of("child"), Type::Struct(2));
    assert_eq!(of("level"), Type::Enum(0));
    assert_eq!(of("numbers"), Type::Set(Box::new(Type::I32)));
    assert_eq!(of("more"), Type::List(Box::new(Type::I32)));
    let list_of_self = Type::List(Box::new(Type::Struct(2)));
    assert_eq!(of("nested"), Type::Map(Box::new(Type::Struct(0)), Box::new(list_of_self)));
}

#[test]
fn fields_keep_what_was_written() {
    let schema = everything();
    let everything = structure(&schema, "Everything");
    assert_eq!(everything.kind, StructKind::Struct);
    let ids: Vec<i32> = everything.fields.iter().map(|f| f.id).collect();
    assert_eq!(&ids[19..], [20, 21, 22, 32767, -1, 0, 23]);
    let of = |name: &str| field(&schema, "Everything", name);
    assert_eq!(of("a_bool").requiredness, Requiredness::Default);
    assert_eq!(of("color").requiredness, Requiredness::Required);
    assert_eq!(of("deep").requiredness, Requiredness::Optional);
    assert_eq!(of("child").doc, "itself");
    assert_eq!(of("required_").doc, "of required");
    let annotations: Vec<_> = of("annotated").annotations.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(annotations, [("a.b", "d"), ("flag", "1"), ("js.type", "Long")]);
    assert_eq!(structure(&schema, "Point").doc, "in a plane");
    assert_eq!(structure(&schema, "Everything").doc, "");
    let missing = structure(&schema, "Missing");
    assert_eq!((missing.kind, missing.annotations["kind"].as_str()), (StructKind::Exception, "client"));
    let shape = structure(&schema, "Shape");
    assert_eq!((shape.kind, shape.doc.as_str()), (StructKind::Union, "A union."));
    assert!(shape.fields.iter().all(|f| f.requiredness == Requiredness::Optional && f.default.is_none()));
}

#[test]
fn constants_are_worked_out() {
    let schema = everything();
    let of = |name: &str| constant(&schema, name).clone();
    assert_eq!(of("LIMIT"), int(16));
    assert_eq!(of("LOW"), int(i64::MIN));
    assert_eq!(of("RATE"), Value::Double(-0.0015));
    assert_eq!(of("WHOLE"), Value::Double(2.0));
    assert_eq!((of("YES"), of("ONE")), (Value::Bool(true), Value::Bool(true)));
    assert_eq!(of("GREETING"), text("it's \"here\"\n"));
    assert_eq!(of("NIL"), text("00000000-0000-0000-0000-00000000abcd"));
    assert_eq!((of("FAVOURITE"), of("BY_NUMBER"), of("BARE"), of("NUMBER")), (int(7), int(7), int(7), int(8)));
    assert_eq!(of("IDS"), Value::List(vec![int(1), int(2), int(3), int(16)]));
    assert_eq!((of("EMPTY"), of("BLOBS")), (Value::Map(vec![]), Value::List(vec![])));
    let Value::Map(table) = of("TABLE") else { panic!("a map") };
    assert_eq!(table[1], (text("__proto__"), Value::List(vec![])));
    assert_eq!(of("ORIGIN"), point(3, Some(2)));
    assert_eq!(of("LINE"), Value::List(vec![point(3, Some(2)), point(5, None)]));
    assert_eq!(of("SHAPE"), Value::Struct(vec![("corner".into(), point(1, None))]));
    assert_eq!(schema.consts[0].doc, "What it costs.\nin items");
}

#[test]
fn defaults_are_worked_out() {
    let schema = everything();
    let of = |name: &str| field(&schema, "Everything", name).default.clone().expect("a default");
    assert_eq!(of("a_bool"), Value::Bool(true));
    assert_eq!((of("a_byte"), of("an_i32"), of("an_i64")), (int(-128), int(16), int(3)));
    assert_eq!(of("a_double"), Value::Double(16.0));
    assert_eq!((of("level"), of("color")), (int(0), int(0)));
    assert_eq!(of("point"), point(3, Some(2)));
    assert_eq!(field(&schema, "Everything", "an_i16").default, None);
}

#[test]
fn services_and_their_methods() {
    let schema = everything();
    let everywhere = &schema.services[0];
    assert_eq!((everywhere.name.as_str(), everywhere.doc.as_str()), ("Everywhere", "Items, and more."));
    assert_eq!(everywhere.extends, Some(2));
    assert_eq!(schema.services[1].methods, [0u32; 0]);
    let names: Vec<&str> = everywhere.methods.iter().map(|m| schema.methods[*m as usize].name.as_str()).collect();
    assert_eq!(names, ["name", "stop", "ping", "add", "get", "log", "colors", "mix"]);
    let method = |name: &str| schema.methods.iter().find(|m| m.name == name).expect("a method");
    assert_eq!((method("name").service, method("ping").service), (2, 0));
    assert!(method("log").oneway && method("log").result.is_none());
    assert_eq!(method("ping").doc, "Nothing to see.");
    assert_eq!(method("add").doc, "Adds.\nquickly");
    assert_eq!(method("add").annotations["idempotent"], "true");
}

#[test]
fn arguments_and_results_are_structs() {
    let schema = everything();
    let add = structure(&schema, "Everywhere.add_args");
    assert_eq!(add.kind, StructKind::Args);
    let words: Vec<_> = add.fields.iter().map(|f| (f.id, f.requiredness, f.default.is_some())).collect();
    assert_eq!(
        words,
        [(1, Requiredness::Required, false), (2, Requiredness::Optional, true), (3, Requiredness::Default, true)]
    );
    assert_eq!(field(&schema, "Everywhere.get_args", "id").doc, "of what");
    let get = structure(&schema, "Everywhere.get_result");
    assert_eq!(get.kind, StructKind::Result);
    let fields: Vec<_> = get.fields.iter().map(|f| (f.id, f.name.as_str(), f.requiredness)).collect();
    let optional = Requiredness::Optional;
    assert_eq!(fields, [(0, "success", optional), (1, "missing", optional), (2, "busy", optional)]);
    assert!(structure(&schema, "Everywhere.ping_result").fields.is_empty());
    assert_eq!(structure(&schema, "Base.name_result").fields.len(), 1);
    assert!(!schema.structs.iter().any(|s| s.name == "Base.stop_result"));
}

#[test]
fn a_type_called_uuid_of_the_file_wins() {
    let schema = crate::thrift::testing::load_one("typedef string uuid struct A { 1: uuid id }");
    assert_eq!(field(&schema, "A", "id").ty, Type::String);
}

#[test]
fn comments_may_stand_anywhere() {
    let schema = crate::thrift::testing::load_one(
        "/*a*/struct/*b*/A/*c*/{/*d*/1/*e*/:/*f*/required/*g*/list/*h*/</*i*/i32/*j*/>/*k*/x/*l*/=/*m*/[/*n*/1/*o*/,/*p*/2/*q*/]/*r*/(/*s*/a/*t*/=/*u*/'b'/*v*/)/*w*/,/*x*/}
         service /*a*/ S /*b*/ extends /*c*/ T /*d*/ { /*e*/ oneway /*f*/ void /*g*/ m /*h*/ ( /*i*/ ) /*j*/ ; # k
         } service T { i32 n() /*a*/ throws /*b*/ ( /*c*/ 1: E e /*d*/ ) } // end
         exception E {} \u{feff}",
    );
    assert_eq!(schema.methods.len(), 2);
    assert_eq!(field(&schema, "A", "x").default, Some(Value::List(vec![int(1), int(2)])));
}

#[test]
fn a_file_reached_by_two_ways_is_loaded_once() {
    let schema = load_files(&[
        ("a.thrift", "include \"x/b.thrift\" include 'x/../c.thrift' struct A { 1: b.B b 2: c.C c }"),
        ("x/b.thrift", "include './../c.thrift' struct B { 1: c.C c }"),
        ("c.thrift", "struct C {}"),
    ])
    .expect("sound files");
    assert_eq!(
        schema.files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
        ["a.thrift", "x/b.thrift", "c.thrift"]
    );
    assert_eq!(schema.structs.len(), 3);
}
