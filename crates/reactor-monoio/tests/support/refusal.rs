//! A kernel that refuses `io_uring`, as containers do by default.
#![allow(dead_code)]

use std::{collections::BTreeMap, io};

use nix::libc::{EPERM, SYS_io_uring_setup};
use seccompiler::{BpfProgram, Error, SeccompAction, SeccompFilter, apply_filter};
use volo_js_io_threads::{Driver, Place};

/// From now on `io_uring_setup` fails with EPERM on this thread, and on the threads and processes that it starts.
pub fn refuse_io_uring() -> Result<(), Error> {
    let filter = SeccompFilter::new(
        BTreeMap::from([(SYS_io_uring_setup, Vec::new())]),
        SeccompAction::Allow,
        SeccompAction::Errno(EPERM as u32),
        std::env::consts::ARCH.try_into()?,
    )?;
    apply_filter(&BpfProgram::try_from(filter)?)
}

/// An I/O thread that gets no ring.
pub fn run(place: Place, ready: &mut dyn FnMut(io::Result<Driver>)) {
    match refuse_io_uring() {
        Ok(()) => volo_js_reactor_monoio::run(place, ready),
        Err(error) => ready(Err(io::Error::other(error))),
    }
}
