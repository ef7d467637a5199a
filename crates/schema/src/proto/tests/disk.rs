//! Files on a disk.

use std::fs;
use std::path::PathBuf;

use crate::load_proto;
use crate::testing::Folder;

#[test]
fn imports_are_found_in_the_include_directories_and_beside_the_roots() {
    let folder = Folder::new("proto-found");
    let root = folder.write(
        "idl/shop/a.proto",
        "syntax = \"proto3\"; import \"shop/b.proto\"; import \"c.proto\"; message A { B b = 1; C c = 2; }",
    );
    folder.write("idl/shop/b.proto", "syntax = \"proto3\"; message B {}");
    folder.write("include/c.proto", "syntax = \"proto3\"; message C {}");
    let load = |dirs: &[&str]| {
        load_proto(std::slice::from_ref(&root), &dirs.iter().map(|dir| folder.path.join(dir)).collect::<Vec<_>>())
    };
    let schema = load(&["idl", "include"]).expect("sound files");
    let paths: Vec<&str> = schema.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["shop/a.proto", "shop/b.proto", "c.proto"]);
    let mistakes = load(&["include"]).expect_err("a file is not found");
    assert!(mistakes[0].message.contains("there is no file `shop/b.proto`"), "{}", mistakes[0]);
    folder.write("idl/shop/shop/b.proto", "syntax = \"proto3\"; message B {}");
    assert_eq!(load(&["include"]).expect("sound files").files[0].path, "a.proto");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_reached_by_two_names_is_one() {
    let folder = Folder::new("proto-link");
    let root = folder.write(
        "a.proto",
        "syntax = \"proto3\"; import \"link.proto\"; import \"c.proto\"; message A { B b = 1; C c = 2; }",
    );
    folder.write("c.proto", "syntax = \"proto3\"; import \"b.proto\"; message C { B b = 1; }");
    let target = folder.write("b.proto", "syntax = \"proto3\"; message B {}");
    std::os::unix::fs::symlink(target, folder.path.join("link.proto")).expect("a link");
    let schema = load_proto(&[root], &[]).expect("sound files");
    let paths: Vec<&str> = schema.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a.proto", "link.proto", "c.proto"]);
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let folder = Folder::new("proto-unreadable");
    let root = folder.write("a.proto", "import \"latin1.proto\";");
    fs::write(folder.path.join("latin1.proto"), b"// gr\xfc\xdfe").expect("the file is written");
    let mistakes = load_proto(&[root], &[]).expect_err("a mistake");
    assert!(mistakes[0].message.contains("latin1.proto` cannot be read"), "{}", mistakes[0]);
    assert_eq!((mistakes[0].line, mistakes[0].column), (1, 8));
    let mistakes = load_proto(&[PathBuf::from("gone.proto")], &[]).expect_err("a mistake");
    assert_eq!(mistakes[0].message, "there is no file `gone.proto`");
}

#[test]
fn two_roots_of_one_name_are_a_mistake() {
    let folder = Folder::new("proto-twins");
    let roots = ["x/a.proto", "y/a.proto"].map(|name| folder.write(name, "syntax = \"proto3\";"));
    let mistakes = load_proto(&roots, &[]).expect_err("a mistake");
    assert_eq!(mistakes[0].message, "two files are called `a.proto`");
    let schema = load_proto(&roots, std::slice::from_ref(&folder.path)).expect("sound files");
    assert_eq!(schema.files.len(), 2);
}
