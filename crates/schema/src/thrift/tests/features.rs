//! What sound files become.

use crate::thrift::testing::load_one;

#[test]
fn smoke() {
    let s = load_one(include_str!("../../../../../examples/item.thrift"));
    println!("{}", s.to_json());
}
