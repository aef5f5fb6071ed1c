//! `verify`: prints the identity in a token, or why it is refused.

use std::{
    ffi::{OsStr, OsString},
    io::IsTerminal as _,
    path::Path,
};

use clap::ArgMatches;
use pomerium_jwt::{Error, ErrorCode, ErrorKind, Identity, Verifier};

use crate::{
    arguments, input,
    options::{self, Given},
    report::{Report, internal, invalid, printable, with_hint, with_member},
};

pub(crate) fn run(matches: &ArgMatches) -> Result<Report, Error> {
    let verifier = Given::read(matches)?.verifier()?;
    let text = input::text(&token_arguments(matches)?)?;
    let token = input::header_value(&text, &verifier.status().header_name);
    let identity = match arguments::at(matches) {
        Some(now) => verify_at(&verifier, token, now),
        None => verifier.verify(token),
    };
    let identity = identity.map_err(|error| explain(&error, matches))?;
    let json = to_json(&identity)?;
    let json = if std::io::stdout().is_terminal() { lines(&json, printable) } else { json };
    Ok(Report::from(json + "\n"))
}

/// The arguments that hold the token; none if it is on standard input.
pub(crate) fn token_arguments(matches: &ArgMatches) -> Result<Vec<&OsStr>, Error> {
    let arguments: Vec<&OsStr> =
        matches.get_many::<OsString>("token").unwrap_or_default().map(OsString::as_os_str).collect();
    if input::is_standard_input(&arguments) && options::use_standard_input(matches) {
        return Err(invalid("--options - takes standard input: give the token as an argument"));
    }
    Ok(arguments)
}

/// The file that the only argument names.
pub(crate) fn named_file<'a>(arguments: &[&'a OsStr]) -> Option<&'a OsStr> {
    let [argument] = arguments else { return None };
    // a pipe too, which is what <(curl ...) is
    Path::new(argument).metadata().is_ok_and(|file| !file.is_dir()).then_some(argument)
}

fn explain(error: &Error, matches: &ArgMatches) -> Error {
    let is_file = token_arguments(matches).is_ok_and(|arguments| named_file(&arguments).is_some());
    let hint = match error.code() {
        ErrorCode::TokenMalformed if is_file => {
            "; the argument is the name of a file: write < FILE to read the token from it"
        }
        ErrorCode::TokenMalformed => "; if a token is in this text, pomerium-jwt inspect finds it",
        _ => "",
    };
    with_hint(error, hint)
}

/// Fetches the keys first, which `Verifier::verify_at` never does. If it lacks keys, the error says why the fetch failed.
fn verify_at(verifier: &Verifier, token: &[u8], now: i64) -> Result<Identity, Error> {
    let refreshed = verifier.refresh(false);
    let verified = verifier.verify_at(token, now);
    match (verified, refreshed) {
        (Err(verified), Err(refreshed)) if verified.kind() == ErrorKind::Keys => Err(refreshed),
        (verified, _) => verified,
    }
}

/// The identity as every client has it, and the claims as its last member in the payload's own text.
fn to_json(identity: &Identity) -> Result<String, Error> {
    let written = serde_json::to_string_pretty(identity);
    let written = written.map_err(|error| internal(format!("the identity cannot be written: {error}")))?;
    Ok(with_member(&written, "claims", identity.claims.text().trim()))
}

/// Each line changed, the line ends kept.
fn lines(text: &str, change: impl Fn(&str) -> String) -> String {
    text.lines().map(change).collect::<Vec<_>>().join("\n")
}
