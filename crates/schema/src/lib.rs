//! IDL to Schema: one description of types and methods for codecs, generator and reflection.

mod model;

pub use model::*;
