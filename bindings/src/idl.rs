//! IDL for the generator and for loading at run time.
//!
//! Everything here gives `{ "schema": …, "hash": … }` or `{ "errors": [{ file, line, column, width, message, source, hint }] }` as JSON.

use std::path::PathBuf;

use napi::bindgen_prelude::Uint8Array;
use napi::{Error, Result};
use serde_json::json;
use volo_js_schema::{DescriptorSetError, Mistake, Schema};

/// Parses Thrift IDL files and what they include.
#[napi_derive::napi]
pub fn parse_thrift(files: Vec<String>, include_dirs: Vec<String>) -> Result<String> {
    answer(volo_js_schema::load_thrift(&paths(files), &paths(include_dirs)))
}

/// Parses Protobuf IDL files and what they import.
#[napi_derive::napi]
pub fn parse_proto(files: Vec<String>, include_dirs: Vec<String>) -> Result<String> {
    answer(volo_js_schema::load_proto(&paths(files), &paths(include_dirs)))
}

/// Reads a `google.protobuf.FileDescriptorSet`.
#[napi_derive::napi]
// The bytes belong to JavaScript; they are only looked at.
#[allow(clippy::needless_pass_by_value)]
pub fn parse_descriptor_set(set: Uint8Array) -> Result<String> {
    answer(volo_js_schema::load_descriptor_set(&set).map_err(|error| vec![placeless(error)]))
}

/// A mistake of a file that has no lines.
fn placeless(error: DescriptorSetError) -> Mistake {
    let (file, message) = match error {
        DescriptorSetError::File { file, message } => (file, message),
        other @ DescriptorSetError::Bytes(_) => (String::new(), other.to_string()),
    };
    let file = if file.is_empty() { "descriptor set".to_owned() } else { file };
    Mistake { file, line: 1, column: 1, width: 1, message, source_line: String::new(), hint: None }
}

fn paths(list: Vec<String>) -> Vec<PathBuf> {
    list.into_iter().map(PathBuf::from).collect()
}

fn answer(loaded: std::result::Result<Schema, Vec<Mistake>>) -> Result<String> {
    let failed = |error: serde_json::Error| Error::from_reason(error.to_string());
    let json = match loaded {
        Ok(schema) => {
            let hash = schema.hash_hex();
            let schema = serde_json::to_value(&schema).map_err(failed)?;
            json!({ "schema": schema, "hash": hash })
        }
        Err(mistakes) => json!({ "errors": serde_json::to_value(&mistakes).map_err(failed)? }),
    };
    Ok(json.to_string())
}
