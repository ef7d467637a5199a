//! IDL for the generator and for loading at run time.

use std::path::PathBuf;

use napi::{Error, Result};
use serde_json::json;

/// Parses Thrift IDL files and what they include.
///
/// Gives `{ "schema": … }` or `{ "errors": [{ file, line, column, message, source, hint }] }` as JSON.
#[napi_derive::napi]
pub fn parse_thrift(files: Vec<String>, include_dirs: Vec<String>) -> Result<String> {
    let paths = |list: Vec<String>| list.into_iter().map(PathBuf::from).collect::<Vec<_>>();
    let json = match volo_js_schema::load_thrift(&paths(files), &paths(include_dirs)) {
        Ok(schema) => {
            let hash = schema.hash_hex();
            let schema = serde_json::to_value(&schema).map_err(|error| Error::from_reason(error.to_string()))?;
            json!({ "schema": schema, "hash": hash })
        }
        Err(mistakes) => {
            let errors: Vec<_> = mistakes
                .iter()
                .map(|mistake| {
                    json!({
                        "file": mistake.file, "line": mistake.line, "column": mistake.column,
                        "message": mistake.message, "source": mistake.source_line, "hint": mistake.hint,
                    })
                })
                .collect();
            json!({ "errors": errors })
        }
    };
    Ok(json.to_string())
}
