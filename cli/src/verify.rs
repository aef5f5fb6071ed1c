//! `verify`: who sent this token?

use std::{
    ffi::{OsStr, OsString},
    io::IsTerminal as _,
};

use clap::ArgMatches;
use pomerium_jwt::{Error, Identity, Kind, Verifier};

use crate::{
    arguments, input, options,
    report::{Failure, Report, printable, with_member},
};

pub(crate) fn run(matches: &ArgMatches) -> Result<Report, Failure> {
    let verifier = Verifier::new(options::read(matches)?)?;
    let token = token(matches)?;
    let identity = match arguments::at(matches) {
        Some(now) => verify_at(&verifier, &token, now)?,
        None => verifier.verify(&token)?,
    };
    let json = to_json(&identity)?;
    let json = if std::io::stdout().is_terminal() { lines(&json, printable) } else { json };
    Ok(Report::from(json + "\n"))
}

/// The token of the command line: its argument or standard input.
pub(crate) fn token(matches: &ArgMatches) -> Result<Vec<u8>, Failure> {
    let argument = matches.get_one::<OsString>("token").map(OsString::as_os_str);
    let from_standard_input = argument.is_none_or(|argument| argument == OsStr::new(input::STDIN));
    if from_standard_input && options::use_standard_input(matches) {
        return Err(Failure::options("--options - takes standard input: give the token as an argument"));
    }
    input::token(argument)
}

/// `Verifier::verify_at` never fetches, so the keys are fetched before it, and why that failed is said after it.
fn verify_at(verifier: &Verifier, token: &[u8], now: i64) -> Result<Identity, Error> {
    let refreshed = verifier.refresh(false);
    let verified = verifier.verify_at(token, now);
    match (verified, refreshed) {
        (Err(verified), Err(refreshed)) if verified.kind() == Kind::Keys => Err(refreshed),
        (verified, _) => verified,
    }
}

/// The identity as every client has it, and the claims as its last member in the payload's own text.
fn to_json(identity: &Identity) -> Result<String, Failure> {
    let written = serde_json::to_string_pretty(identity);
    let written = written.map_err(|error| Failure::internal(format!("the identity cannot be written: {error}")))?;
    Ok(with_member(&written, "claims", identity.claims.text().trim()))
}

/// Each line changed, the line ends kept.
fn lines(text: &str, change: impl Fn(&str) -> String) -> String {
    text.lines().map(change).collect::<Vec<_>>().join("\n")
}
