//! The memory Rust and JavaScript share: slots, text and bytes.
//!
//! A *tape* is three buffers. **Slots** are 8 bytes each and hold every value, **text** and **bytes** hold what does not fit
//! a slot. Rust writes the [in tape](InTape) and reads the [out tape](OutTape); JavaScript does the reverse. The layout is
//! version [`LAYOUT_VERSION`], described in `docs/architecture.md`.
//!
//! Nothing here trusts the out tape: every read is bounds-checked and a tape that makes no sense is [`Malformed`].

#![forbid(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("the tape's halves are laid out for little-endian machines");

mod array;
mod input;
mod layout;
mod message;
mod output;
mod short;
#[cfg(feature = "testing")]
pub mod testing;
mod text;

pub use array::{Array, Gap, LARGE, VIEWED};
pub use input::{Full, InState, InTape};
pub use layout::{
    ASCII, CHUNK, ELSEWHERE, HEADER_SLOTS, HEADERS, Header, IN_BYTES, Kind, LAYOUT_VERSION, LENGTH, MOST_SLOTS, ONEWAY,
    OUT_PROLOGUE, STRING_IN_TEXT, UnknownKind, presence_slots,
};
pub use message::{AllocError, Message};
pub use output::{Malformed, Messages, OutMessage, OutTape};
pub use text::Str;
