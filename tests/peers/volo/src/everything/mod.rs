//! Both sides of tests/fixtures/everything_reserved.thrift, which is everything.thrift and all that extends it.

pub mod client;
pub mod sample;
pub mod server;
