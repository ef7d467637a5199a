//! Services that gRPC has everywhere, answered by the engine itself: health and reflection. JavaScript never sees their calls.

mod descriptors;
mod health;
mod reflection;
mod serve;
mod wire;

pub use health::{Health, ServingStatus};
pub use reflection::Reflection;
pub(crate) use serve::StandardCall;
