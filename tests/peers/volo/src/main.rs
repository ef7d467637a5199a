//! Volo in Rust, to measure against and to talk to.
//!
//! - `volo-peer item-server --port P [--content-size N]`: ItemService on Tokio with one worker thread.
//! - `volo-peer item-client --port P [--inflight N] [--seconds S] [--mux]`: closed loop against an ItemService; Volo's
//!   client has one call at a time on a connection, so N in flight are N connections, but for `--mux`, which has one
//!   connection for all. Prints one JSON object.
//! - `volo-peer everything-server --port P`: echoes tests/fixtures/everything_reserved.thrift; finds out by itself
//!   whether a client speaks buffered, framed or TTHeader.
//! - `volo-peer everything-client --port P [--transport framed|buffered|ttheader] [--rounds N] [--seed N]
//!   [--skip uuid,reserved,keys,proto,zero]`: calls every method with many values and compares what comes back. Prints
//!   `ok N calls`.
//!
//! - `volo-peer estate-server --port P [FORM]`: Estate and Annex of tests/fixtures/estate.thrift; finds out by itself what
//!   a client speaks, so that the form, but for `--mux`, is that of the calls which `chain` makes.
//! - `volo-peer estate-client --port P [FORM] [--rounds N] [--seed N] [--skip NAME,...]`: calls every method, compares, and
//!   prints `ok N calls`; `--skip` leaves checks out by name.
//!
//! FORM is `[--transport framed|ttheader|ttheader-framed] [--protocol binary|compact] [--mux]`.
//!
//! Everything is binary only: what Pilota 0.13 generates cannot read a struct with a `bool` field in compact (it panics
//! with "pending bool field not read"), and loses count of the fields behind one that is a struct, not even from Volo
//! itself. So `echo` and `turn` of the estate are to be skipped in compact.
//!
//! Everything is on 127.0.0.1. Servers print `listening on 127.0.0.1:PORT` (port 0 lets the system choose) and end on
//! SIGTERM. Exit code 1 with a reason on stderr when something is wrong.

use std::{future::Future, process::ExitCode};

use anyhow::{Context as _, bail};

use crate::args::Args;

mod args;
mod estate;
mod everything;
mod generated;
mod item_client;
mod item_server;
mod listen;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("volo-peer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let command =
        words.next().context("name a command: server or client of item, everything or estate, such as item-server")?;
    let args = Args::parse(words)?;
    match command.as_str() {
        "item-server" => block_on(item_server::run(args)),
        "item-client" => block_on(item_client::run(args)),
        "everything-server" => block_on(everything::server::run(args)),
        "everything-client" => block_on(everything::client::run(args)),
        "estate-server" => block_on(estate::server::run(args)),
        "estate-client" => block_on(estate::client::run(args)),
        _ => bail!("unknown command `{command}`"),
    }
}

/// One worker thread: a contestant is measured a core at a time.
fn block_on<F: Future<Output = anyhow::Result<()>> + Send + 'static>(future: F) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async { tokio::spawn(future).await? })
}
