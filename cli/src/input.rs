//! Tokens and documents from arguments, files and standard input.

use std::{
    ffi::OsStr,
    io::{self, IsTerminal as _, Read, Write as _},
};

use crate::report::Failure;

/// `-`, which stands for standard input.
pub(crate) const STDIN: &str = "-";

/// More than any token, key set or options document that is accepted: an endless input ends here.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The token: the argument itself, or standard input without the line end that editors and `echo` put behind it.
pub(crate) fn token(argument: Option<&OsStr>) -> Result<Vec<u8>, Failure> {
    if let Some(argument) = argument.filter(|argument| *argument != STDIN) {
        return Ok(argument.as_encoded_bytes().to_vec());
    }
    if io::stdin().is_terminal() {
        let hint = "Paste the value of X-Pomerium-Jwt-Assertion, then press Enter and Ctrl-D. (Terminals cut lines at \
                    4096 characters: write a longer token to a file and use < FILE.)";
        let _ = writeln!(anstream::stderr(), "{hint}"); // without it the token is read all the same
    }
    let mut token = read(OsStr::new(STDIN))?;
    if token.last() == Some(&b'\n') {
        token.pop();
        if token.last() == Some(&b'\r') {
            token.pop();
        }
    }
    Ok(token)
}

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn read(path: &OsStr) -> Result<Vec<u8>, Failure> {
    let shown = if path == STDIN { "standard input".into() } else { path.to_string_lossy() };
    let refuse = |error: io::Error| Failure::options(format!("{shown} cannot be read: {error}"));
    let mut bytes = Vec::new();
    let length = if path == STDIN {
        io::stdin().lock().take(LONGEST).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
    };
    length.map_err(refuse)?;
    Ok(bytes)
}
