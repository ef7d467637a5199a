//! Behaviour of the front end as a whole.

mod descriptors;
mod disk;
mod features;
mod hostile;
mod mistakes;

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// The bytes of base64 with padding.
fn unbase64(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).expect("base64")
}
