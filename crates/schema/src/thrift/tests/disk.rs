//! Files on a disk.

use std::path::{Path, PathBuf};

use crate::testing::Folder;
use crate::{Mistake, Schema, load_thrift};

fn load(folder: &Folder, roots: &[&str]) -> Result<Schema, Vec<Mistake>> {
    let roots: Vec<PathBuf> = roots.iter().map(|root| folder.path.join(root)).collect();
    load_thrift(&roots, &[folder.path.join("include")])
}

fn first(result: Result<Schema, Vec<Mistake>>) -> Mistake {
    result.expect_err("a mistake").remove(0)
}

#[test]
fn includes_are_found_beside_the_file_and_in_the_include_directories() {
    let folder = Folder::new("found");
    folder.write("idl/a.thrift", "include \"b.thrift\" include \"c.thrift\" struct A { 1: b.B b 2: c.C c }");
    folder.write("idl/b.thrift", "struct B {}");
    folder.write("include/b.thrift", "struct Wrong {}");
    folder.write("include/c.thrift", "struct C {}");
    let schema = load(&folder, &["idl/a.thrift", "idl/b.thrift"]).expect("sound files");
    let names: Vec<_> =
        schema.files.iter().map(|f| (Path::new(&f.path).file_name().expect("a name").to_owned(), f.root)).collect();
    assert_eq!(names, [("a.thrift".into(), true), ("b.thrift".into(), true), ("c.thrift".into(), false)]);
    assert_eq!(schema.files[0].includes, [1, 2]);
    let bare: Vec<String> = schema.without_docs().files.into_iter().map(|f| f.path).collect();
    assert_eq!(bare, ["a.thrift", "b.thrift", "c.thrift"]);
}

#[cfg(unix)]
#[test]
fn a_link_is_the_file_it_leads_to() {
    let folder = Folder::new("link");
    folder.write("a.thrift", "include \"b.thrift\" struct A { 1: b.B b }");
    let target = folder.write("b.thrift", "struct B {}");
    std::os::unix::fs::symlink(target, folder.path.join("link.thrift")).expect("a link");
    let schema = load(&folder, &["a.thrift", "link.thrift"]).expect("sound files");
    assert_eq!((schema.files.len(), schema.structs.len()), (2, 2));
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let folder = Folder::new("unreadable");
    folder.write("a.thrift", "\ninclude \"latin1.thrift\"");
    folder.write("latin1.thrift", b"// gr\xfc\xdfe");
    folder.write("include/folder.thrift/x", "");
    folder.write("b.thrift", "include \"folder.thrift\"");
    let mistake = first(load(&folder, &["a.thrift"]));
    assert!(mistake.message.contains("latin1.thrift` cannot be read"), "{mistake}");
    assert_eq!((mistake.line, mistake.column), (2, 9));
    assert!(first(load(&folder, &["b.thrift"])).message.contains("folder.thrift` cannot be read"));
}

#[test]
fn every_root_has_to_be_there() {
    let folder = Folder::new("roots");
    folder.write("a.thrift", "struct A { 1: }");
    let mistakes = load(&folder, &["gone.thrift", "a.thrift"]).expect_err("two mistakes");
    assert_eq!(mistakes.len(), 2);
    let gone = &mistakes[0];
    assert!(gone.message.starts_with("there is no file `") && gone.file.ends_with("gone.thrift"), "{gone}");
    assert_eq!((gone.line, gone.column, gone.source_line.as_str()), (1, 1, ""));
    assert!(mistakes[1].file.ends_with("a.thrift"));
    assert_eq!(load_thrift(&[], &[]).expect("nothing is sound"), Schema::default());
}
