//! Writes `cases.json`, `requests.json`, `codes.json`, `options.json` and `files/` into `conformance/`, the same bytes in every run.
#![forbid(unsafe_code)]

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(folder.join("files"))?;
    for (name, content) in pomerium_jwt_conformance::outputs() {
        fs::write(folder.join(name), content)?;
    }
    Ok(())
}
