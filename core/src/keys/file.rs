//! Reads a file that an option names.

use std::{fs, io, io::Read as _, path::Path};

use super::unusable::Unusable;

/// Reads a whole file of at most `limit` bytes, if it is a regular one: a pipe could keep a verification waiting.
pub(super) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Unusable> {
    let failed = |error: io::Error| Unusable::caused_by(error.to_string(), error);
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err("it is not a regular file".into());
    }
    let mut text = Vec::new();
    fs::File::open(path).and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut text)).map_err(failed)?;
    if text.len() > limit {
        return Err(format!("it has more than {limit} bytes").into());
    }
    Ok(text)
}
