//! Tokens and documents from arguments, files and standard input.

use std::{
    ffi::OsStr,
    io::{self, IsTerminal as _, Read, Write as _},
};

use pomerium_jwt::Error;

use crate::report::invalid;

/// `-`, which means standard input.
pub(crate) const STDIN: &str = "-";

/// More than any token, key set or options document that is accepted, so that an endless input ends.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The text of these arguments, or standard input if there are none.
pub(crate) fn text(arguments: &[&OsStr]) -> Result<Vec<u8>, Error> {
    if !is_standard_input(arguments) {
        return Ok(arguments.iter().map(|argument| argument.as_encoded_bytes()).collect::<Vec<_>>().join(&b' '));
    }
    if io::stdin().is_terminal() {
        let hint = "Paste the value of X-Pomerium-Jwt-Assertion, then press Enter and Ctrl-D. (Terminals cut lines at \
                    4096 characters: write a longer token to a file and use < FILE.)";
        let _ = writeln!(anstream::stderr(), "{hint}"); // without it the token is read all the same
    }
    read(OsStr::new(STDIN))
}

/// Whether these arguments, which are a token, mean standard input.
pub(crate) fn is_standard_input(arguments: &[&OsStr]) -> bool {
    arguments.is_empty() || arguments == [OsStr::new(STDIN)]
}

/// The text without surrounding white space and the name of its header, as it is copied from a header line.
pub(crate) fn header_value<'a>(text: &'a [u8], header_name: &str) -> &'a [u8] {
    let text = text.trim_ascii();
    let Some((name, value)) = text.split_at_checked(header_name.len()) else { return text };
    match value {
        [b':', value @ ..] if name.eq_ignore_ascii_case(header_name.as_bytes()) && !value.contains(&b'\n') => {
            value.trim_ascii()
        }
        _ => text,
    }
}

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn read(path: &OsStr) -> Result<Vec<u8>, Error> {
    let shown = if path == STDIN { "standard input".into() } else { path.to_string_lossy() };
    let refuse = |error: io::Error| invalid(format!("{shown} cannot be read: {error}"));
    let mut bytes = Vec::new();
    let length = if path == STDIN {
        io::stdin().lock().take(LONGEST).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
    };
    length.map_err(refuse)?;
    Ok(bytes)
}
