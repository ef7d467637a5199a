//! Prints the schema of Thrift files as JSON, or what is wrong with them:
//! `cargo run -p volo-js-schema --example thrift_json -- [-I DIR]... FILE...`

use std::path::PathBuf;
use std::process::ExitCode;

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
    match volo_js_schema::load_thrift(&roots, &dirs) {
        Ok(schema) => {
            println!("{}", schema.to_json());
            ExitCode::SUCCESS
        }
        Err(mistakes) => {
            for mistake in mistakes {
                eprintln!("{mistake}");
            }
            ExitCode::FAILURE
        }
    }
}
