//! Links the addon.

fn main() {
    napi_build::setup();
    // A worker may be the only one that loaded the addon; unloading it while libuv still holds our callbacks would crash.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
