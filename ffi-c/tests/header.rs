//! The committed header is what the source says.

use std::{env, fs, path::Path};

const HEADER: &str = "../include/pomerium_jwt.h";

#[test]
fn the_header_is_current() {
    let header = header();
    if env::var_os("POMERIUM_JWT_WRITE_HEADER").is_some() {
        fs::write(HEADER, &header).expect(HEADER);
    }
    let committed = fs::read_to_string(HEADER).unwrap_or_default();
    assert!(committed == header, "include/pomerium_jwt.h is not current: run `make header` and commit what it writes");
}

/// Compilers warn of a second declaration under `-Wredundant-decls`.
#[test]
fn each_function_is_declared_once() {
    let header = header();
    for name in include_str!("../exports.txt").lines() {
        let code = header.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
        let declared = code.filter(|line| line.contains(&format!("{name}(")));
        assert_eq!(declared.count(), 1, "{name}");
    }
}

/// A header without them compares as current if it is written from a file that no longer has them.
#[test]
fn every_code_is_a_constant() {
    let header = header();
    for code in pomerium_jwt::ErrorCode::ALL {
        let constant = format!("    POMERIUM_JWT_{} = {},\n", code.name().to_ascii_uppercase(), code.number());
        assert!(header.contains(&constant), "{constant}");
    }
}

fn header() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut written = Vec::new();
    cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml"))
        .with_src(folder.join("../core/src/code.rs"))
        .with_src(folder.join("src/lib.rs")) // and the modules it names
        .generate()
        .expect("cbindgen reads the source")
        .write(&mut written);
    let text = String::from_utf8(written).expect("UTF-8");
    // cbindgen begins each constant with the name of its type; for these types it must be a shorter one
    ["POMERIUM_JWT_ADMISSION_", "POMERIUM_JWT_FLAG_"]
        .iter()
        .fold(text, |text, prefix| text.replace(prefix, "POMERIUM_JWT_"))
        .replace("} pomerium_jwt;", "} pomerium_jwt_code;")
}
