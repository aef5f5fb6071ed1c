//! Reads a file that an option names.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

/// Reads a whole file of at most `limit` bytes, if it is a regular one: a pipe could keep a verification waiting.
pub(super) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| error.to_string();
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut text = Vec::new();
    fs::File::open(path).and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut text)).map_err(failed)?;
    if text.len() > limit {
        return Err(format!("it has more than {limit} bytes"));
    }
    Ok(text)
}
