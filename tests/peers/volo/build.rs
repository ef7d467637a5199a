//! Generates the Rust side of the example's and the fixtures' IDL with Volo's own generator.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (idl, file) in [
        ("../../../examples/item.thrift", "item.rs"),
        ("../../fixtures/everything_reserved.thrift", "everything.rs"),
        ("../../fixtures/estate.thrift", "estate.rs"),
    ] {
        volo_build::Builder::thrift().add_service(idl).filename(file.into()).write()?;
        if let Some(folder) = Path::new(idl).parent() {
            println!("cargo::rerun-if-changed={}", folder.display());
        }
    }
    Ok(())
}
