//! Both sides of tests/fixtures/estate.thrift, with what travels beside calls in TTHeader.

pub mod client;
mod form;
mod sample;
pub mod server;
