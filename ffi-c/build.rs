//! What the linker of the shared library has to be told.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The ELF systems; elsewhere `make install` has nothing to install either
    if matches!(env::var("CARGO_CFG_TARGET_OS").as_deref(), Ok("linux" | "android" | "freebsd" | "netbsd" | "openbsd"))
    {
        let major = env::var("CARGO_PKG_VERSION_MAJOR").expect("cargo sets it");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libpomerium_jwt.so.{major}");
        // PHP closes the library after each request: a refresh thread must not run in unmapped code
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
