//! What Volo's generator makes of the IDL files; see build.rs.

#[allow(warnings, clippy::all)]
mod item_idl {
    include!(concat!(env!("OUT_DIR"), "/item.rs"));
}

#[allow(warnings, clippy::all)]
mod everything_idl {
    include!(concat!(env!("OUT_DIR"), "/everything.rs"));
}

#[allow(warnings, clippy::all)]
mod estate_idl {
    include!(concat!(env!("OUT_DIR"), "/estate.rs"));
}

pub use estate_idl::estate::estate;
pub use everything_idl::everything::{everything, everything_reserved, everything_uuid};
pub use item_idl::item::volo::example as item;
