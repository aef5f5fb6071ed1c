//! What the linker of the addon has to be told.

use std::env;

fn main() {
    napi_build::setup();
    println!("cargo::rerun-if-changed=build.rs");
    if matches!(env::var("CARGO_CFG_TARGET_OS").as_deref(), Ok("linux" | "android" | "freebsd" | "netbsd" | "openbsd"))
    {
        // Node closes the addon with the last worker that loaded it: a refresh thread must not run in unmapped code
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
