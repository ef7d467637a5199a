//! IDL to Schema: one description of types and methods for codecs, generator and reflection.
//!
//! ```
//! use std::{io, path::{Path, PathBuf}};
//!
//! let idl = "struct Item { 1: required i64 id } service Shop { Item GetItem(1: i64 id) }";
//! let read = |path: &Path| match path.to_str() {
//!     Some("shop.thrift") => Ok(idl.to_owned()),
//!     _ => Err(io::Error::from(io::ErrorKind::NotFound)),
//! };
//! let schema = volo_js_schema::load_thrift_with(&read, &[PathBuf::from("shop.thrift")], &[]).expect("a sound IDL");
//! assert_eq!(schema.methods[0].name, "GetItem");
//! assert_eq!(schema.structs[schema.methods[0].args as usize].name, "Shop.GetItem_args");
//! ```

#[cfg(all(test, feature = "idl"))]
mod golden;
mod json;
#[cfg(feature = "idl")]
mod mistake;
mod model;
#[cfg(feature = "idl")]
mod names;
#[cfg(feature = "idl")]
mod paths;
#[cfg(feature = "idl")]
mod proto;
#[cfg(all(test, feature = "idl"))]
mod testing;
#[cfg(feature = "idl")]
mod thrift;
mod validate;

pub use json::SchemaError;
#[cfg(feature = "idl")]
pub use mistake::Mistake;
pub use model::*;
#[cfg(feature = "idl")]
pub use names::camel_case;
#[cfg(feature = "idl")]
pub use proto::{DescriptorSetError, load_descriptor_set, load_proto, load_proto_with};
#[cfg(feature = "idl")]
pub use thrift::{load_thrift, load_thrift_with};
pub use validate::{MAX_FIELD_NUMBER, MAX_FIELDS, MAX_TYPE_DEPTH};
