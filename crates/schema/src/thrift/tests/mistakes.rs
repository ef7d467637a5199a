//! Every mistake with the exact text it is told in; see [`crate::golden`].

use crate::golden::check;
use crate::thrift::testing::load_files;

#[test]
fn syntax() {
    check(load_files, "thrift/tests/mistakes/syntax.txt");
}

#[test]
fn files() {
    check(load_files, "thrift/tests/mistakes/files.txt");
}

#[test]
fn types() {
    check(load_files, "thrift/tests/mistakes/types.txt");
}

#[test]
fn services() {
    check(load_files, "thrift/tests/mistakes/services.txt");
}

#[test]
fn values() {
    check(load_files, "thrift/tests/mistakes/values.txt");
}
