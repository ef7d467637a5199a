//! The compact protocol (`TCompactProtocol`, doc/specs/thrift-compact-protocol.md of Apache Thrift): numbers are varints, ids are told as
//! the distance from the one before, a bool's value stands in the head of its field. Pilota's reader of it panics on some bools, so
//! reading and writing are our own.

mod head;
mod input;
mod output;
pub(crate) mod types;

pub(crate) use head::read_head;
pub(crate) use input::CompactInput;
pub(crate) use output::CompactOutput;

/// First byte of a message.
pub(crate) const PROTOCOL_ID: u8 = 0x82;
/// Low five bits of the second byte; the kind is above them.
pub(crate) const VERSION: u8 = 1;
pub(crate) const VERSION_BITS: u8 = 0x1F;
