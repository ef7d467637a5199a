//! Runs a program where the kernel refuses `io_uring`:
//!
//! ```sh
//! cargo run -p volo-js-reactor-monoio --example without-io-uring -- node server.js
//! ```

#[cfg(target_os = "linux")]
#[path = "../tests/support/refusal.rs"]
mod refusal;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::{env::args_os, os::unix::process::CommandExt as _, process::Command};

    let mut words = args_os().skip(1);
    let program = words.next().ok_or("usage: without-io-uring PROGRAM [ARGUMENT]...")?;
    refusal::refuse_io_uring()?;
    // Only returns if it fails.
    Err(Command::new(program).args(words).exec().into())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("without-io-uring: this system has no io_uring to refuse");
    std::process::exit(1);
}
