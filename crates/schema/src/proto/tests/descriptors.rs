//! Sets of descriptors that come from elsewhere.

use super::unbase64;
use crate::proto::testing::{load_files, load_one};
use crate::proto::wire;
use crate::{DescriptorSetError, Schema, load_descriptor_set};

const FILES: [(&str, &str); 2] = [
    (
        "a.proto",
        "edition = \"2023\"; package a; import \"b.proto\"; import \"google/protobuf/any.proto\";
        message A { int32 x = 1 [features.field_presence = IMPLICIT]; b.B b = 2 [features.message_encoding = DELIMITED]; map<string, google.protobuf.Any> c = 3; oneof d { int32 e = 4; } }
        service S { rpc M(stream A) returns (b.B); }",
    ),
    (
        "b.proto",
        "syntax = \"proto3\"; package b; message B { optional int32 y = 1; repeated E e = 2; message In { B b = 1; } } enum E { Z = 0; }",
    ),
];

fn set() -> (Schema, Vec<u8>) {
    let schema = load_files(&FILES).expect("sound files");
    let bytes = unbase64(&schema.descriptors);
    (schema, bytes)
}

#[test]
fn a_set_says_the_same_as_the_files_it_was_made_from() {
    let (schema, bytes) = set();
    assert_eq!(load_descriptor_set(&bytes).expect("a sound set"), schema);
}

#[test]
fn files_of_a_set_come_behind_what_they_import() {
    let (_, bytes) = set();
    let files = wire::files(&bytes).expect("a set");
    let at = |name: &[u8]| files.iter().position(|file| file[2..].starts_with(name)).expect("a file");
    assert!(at(b"b.proto") < at(b"a.proto") && at(b"google/protobuf/any.proto") < at(b"a.proto"));
}

#[test]
fn well_known_types_need_not_be_in_the_set() {
    let (schema, bytes) = set();
    let files = wire::files(&bytes).expect("a set");
    let without: Vec<u8> = wire::set(files.into_iter().filter(|file| !file[2..].starts_with(b"google/")));
    assert!(without.len() < bytes.len());
    let loaded = load_descriptor_set(&without).expect("a sound set");
    assert_eq!((loaded.structs, loaded.files), (schema.structs, schema.files));
}

#[test]
fn other_imports_have_to_be_there() {
    let (_, bytes) = set();
    let files = wire::files(&bytes).expect("a set");
    let without = wire::set(files.into_iter().filter(|file| !file[2..].starts_with(b"b.proto")));
    let error = load_descriptor_set(&without).expect_err("an import is missing");
    let message = "it imports `b.proto`, which is not there".to_owned();
    assert_eq!(error, DescriptorSetError::File { file: "a.proto".into(), message });
}

/// What protoc 36.2 makes of the files beside, with `--include_source_info --descriptor_set_out` and, but for proto2, `--include_imports`.
const PROTOCS: [(&str, &str, &[u8]); 3] = [
    ("proto2", include_str!("everything_proto2.proto"), include_bytes!("everything_proto2.binpb")),
    ("proto3", include_str!("everything_proto3.proto"), include_bytes!("everything_proto3.binpb")),
    ("2023", include_str!("everything_2023.proto"), include_bytes!("everything_2023.binpb")),
];

#[test]
fn protoc_says_the_same() {
    for (name, text, set) in PROTOCS {
        let file = format!("everything_{name}.proto");
        let ours = load_files(&[(&file, text), ("shared/base.proto", "syntax = \"proto3\"; message Base {}")])
            .expect("a sound file");
        let mut theirs = load_descriptor_set(set).expect("a sound set");
        theirs.descriptors.clone_from(&ours.descriptors);
        // Files of well-known types are of protoc's version; of our own everything is the same, comments included.
        let own = |schema: &Schema, file: u32| schema.files[file as usize].package.starts_with("every");
        let structs =
            |schema: &Schema| schema.structs.iter().filter(|s| own(schema, s.file)).cloned().collect::<Vec<_>>();
        let enums = |schema: &Schema| schema.enums.iter().filter(|e| own(schema, e.file)).cloned().collect::<Vec<_>>();
        for (our, their) in structs(&ours).into_iter().zip(structs(&theirs)) {
            assert_eq!(our, their);
        }
        assert_eq!((enums(&ours), &ours.files, &ours.services), (enums(&theirs), &theirs.files, &theirs.services));
        assert_eq!(ours.methods, theirs.methods);
    }
}

#[test]
fn bytes_that_are_no_set_are_told() {
    for bytes in [&b""[..], b"nonsense", b"\x0a\x05abc", b"\x0a\x02\xff\xff", &[0x0b; 300]] {
        assert!(matches!(load_descriptor_set(bytes), Err(DescriptorSetError::Bytes(_))), "{bytes:?}");
    }
}

/// A descriptor by hand: fields as (number, content).
fn build(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let piece = |(number, content): &(u8, &[u8])| [&[number << 3 | 2, content.len() as u8], *content].concat();
    fields.iter().flat_map(piece).collect()
}

fn told(messages: &[Vec<u8>]) -> String {
    let mut fields: Vec<(u8, &[u8])> = vec![(1, b"x.proto"), (12, b"proto3")];
    fields.extend(messages.iter().map(|message| (4, message.as_slice())));
    let file = build(&fields);
    load_descriptor_set(&wire::set([file.as_slice()].into_iter())).expect_err("a contradiction").to_string()
}

/// A field: name, number, type, name of its type.
fn field(name: &str, number: u8, ty: u8, type_name: &str) -> Vec<u8> {
    let mut field = build(&[(1, name.as_bytes()), (6, type_name.as_bytes())]);
    field.extend([0x18, number, 0x28, ty]);
    field
}

#[test]
fn contradictions_of_a_set_are_told() {
    let message = |field: Vec<u8>| build(&[(1, b"M"), (2, field.as_slice())]);
    assert_eq!(told(&[message(field("a", 1, 11, ".No"))]), "x.proto: `M.a`: there is no type `.No`");
    assert_eq!(told(&[message(field("a", 0, 5, ""))]), "x.proto: `M.a` has the number 0; numbers are 1 to 536870911");
    assert_eq!(told(&[message(field("a", 1, 14, ".M"))]), "x.proto: `M.a`: `.M` is a message");
    assert_eq!(told(&[build(&[(1, b"M")]), build(&[(1, b"M")])]), "x.proto: `M` is declared twice");
    // A map whose values are its own pairs.
    let (key, value) = (field("key", 1, 9, ""), field("value", 2, 11, ".M.E"));
    let pairs = build(&[(1, b"E"), (2, &key), (2, &value), (7, &[0x38, 1])]);
    let mut map = field("a", 1, 11, ".M.E");
    map.extend([0x20, 3]);
    let told_of_pairs = told(&[build(&[(1, b"M"), (2, &map), (3, &pairs)])]);
    assert_eq!(told_of_pairs, "x.proto: `M.a`: `.M.E` is the pairs of a map");
    let mut member = field("a", 1, 5, "");
    member.extend([0x48, 3]);
    assert_eq!(told(&[message(member)]), "x.proto: `M.a` is a member of a oneof that is not there");
}

#[test]
fn editions_that_nobody_knows_are_told() {
    let file = [build(&[(1, b"x.proto"), (12, b"editions")]), vec![0x70, 0xea, 0x07]].concat();
    let error = load_descriptor_set(&wire::set([file.as_slice()].into_iter())).expect_err("an unknown edition");
    assert_eq!(error.to_string(), "x.proto: edition number 1002 is not known; editions 2023 and 2024 are");
    let file = build(&[(1, b"x.proto"), (12, b"proto4")]);
    let error = load_descriptor_set(&wire::set([file.as_slice()].into_iter())).expect_err("an unknown syntax");
    assert_eq!(error.to_string(), "x.proto: unknown syntax `proto4`");
}

#[test]
fn the_hash_tells_wire_formats_apart() {
    let of = |text: &str| load_one(&format!("edition = \"2023\"; message A {{ {text} }}")).hash();
    let plain = of("repeated int32 a = 1;");
    assert_eq!(plain, of("/* same */ repeated int32 a = 1;"));
    assert_ne!(plain, of("repeated int32 a = 1 [features.repeated_field_encoding = EXPANDED];"));
}
