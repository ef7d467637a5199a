//! The memory Rust and JavaScript share: slots, text and bytes
