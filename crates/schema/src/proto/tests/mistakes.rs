//! Every mistake with the exact text it is told in; see [`crate::golden`].

use crate::golden::check;
use crate::proto::testing::load_files;

#[test]
fn syntax() {
    check(load_files, "proto/tests/mistakes/syntax.txt");
}

#[test]
fn files() {
    check(load_files, "proto/tests/mistakes/files.txt");
}

#[test]
fn types() {
    check(load_files, "proto/tests/mistakes/types.txt");
}

#[test]
fn editions() {
    check(load_files, "proto/tests/mistakes/editions.txt");
}

#[test]
fn services() {
    check(load_files, "proto/tests/mistakes/services.txt");
}
