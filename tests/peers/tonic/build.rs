//! Code of examples/item.proto; protox reads it, so no protoc is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples");
    println!("cargo::rerun-if-changed={folder}/item.proto");
    let files = protox::compile(["item.proto"], [folder])?;
    tonic_prost_build::configure().build_client(false).compile_fds(files)?;
    Ok(())
}
