//! The binary protocol: fixed widths, big-endian. Strict and non-strict messages differ in their head only.

mod head;
mod input;
mod output;

pub(crate) use head::{read_non_strict, read_strict};
pub(crate) use input::BinaryInput;
pub(crate) use output::{BinaryOutput, head_len};
