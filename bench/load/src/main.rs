//! Load for `ItemService.GetItem` or `EchoBinary` of Thrift, framed or in TTHeader, binary or compact, which checks every
//! reply by parsing it.
//!
//! Closed loop by default: each of `--connections` keeps `--depth` calls in flight, so the server sets the pace and the
//! result is its throughput. With `--rate` it is an open loop: calls start at fixed times whatever the server does, and
//! latency counts from those times, so the result is what clients would see at that rate.
//!
//! Prints one line, and with `--json` a JSON object after it. Exit code 0: every call was answered, rightly. 1: a wrong
//! or missing reply, or the connection failed. 2: the command line is wrong.

use std::{num::NonZeroU64, process::ExitCode};

use crate::args::{Args, USAGE};

mod args;
mod connection;
mod reply;
mod report;
mod request;
mod run;
mod schedule;
mod wire;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(reason) => {
            eprintln!("load: {reason}\nusage: {USAGE}");
            return ExitCode::from(2);
        }
    };
    // The default slack of 50 µs would be in every latency of an open loop. Where it cannot be set, it is.
    if let Err(error) = rustix::thread::set_current_timer_slack(NonZeroU64::new(1)) {
        eprintln!("load: timers keep the system's slack: {error}");
    }
    match run::run(&args) {
        Ok(report) => {
            println!("{}", report.line(&args));
            if args.json {
                println!("{}", report.json(&args));
            }
            if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(reason) => {
            eprintln!("load: {reason}");
            ExitCode::FAILURE
        }
    }
}
