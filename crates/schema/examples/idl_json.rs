//! Prints the schema of IDL files as JSON, or what is wrong with them:
//! `cargo run -p volo-js-schema --example idl_json -- [-I DIR]... FILE...`
//!
//! `.proto` files are Protobuf's, a file that ends in `.binpb` is a descriptor set, others are Thrift's.

use std::path::PathBuf;
use std::process::ExitCode;

use volo_js_schema::{load_descriptor_set, load_proto, load_thrift};

fn main() -> ExitCode {
    let (mut roots, mut dirs) = (Vec::new(), Vec::new());
    let mut args = std::env::args_os().skip(1);
    while let Some(arg) = args.next() {
        if arg == "-I" {
            dirs.extend(args.next().map(PathBuf::from));
        } else {
            roots.push(PathBuf::from(arg));
        }
    }
    let has = |extension: &str| roots.iter().any(|root| root.extension().is_some_and(|found| found == extension));
    let loaded = if has("binpb") {
        let read = std::fs::read(&roots[0]).map_err(|error| error.to_string());
        read.and_then(|bytes| load_descriptor_set(&bytes).map_err(|error| error.to_string()))
    } else {
        let loaded = if has("proto") { load_proto(&roots, &dirs) } else { load_thrift(&roots, &dirs) };
        loaded.map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    match loaded {
        Ok(schema) => {
            println!("{}", schema.to_json());
            ExitCode::SUCCESS
        }
        Err(told) => {
            eprintln!("{told}");
            ExitCode::FAILURE
        }
    }
}
