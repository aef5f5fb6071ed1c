//! `keys`: shows which keys of a set are usable, and why the others are not.

use std::{ffi::OsString, fmt::Write as _};

use clap::ArgMatches;
use pomerium_jwt::{Algorithm, Error, KeyStatus, Options, Verifier};
use pomerium_jwt_issuer::KEY_SET_PATH;
use serde::Serialize;

use crate::{
    arguments, input,
    options::Given,
    paste::{self, Pasted},
    report::{BAD, GOOD, HEADING, NO_KEYS, Report, internal, invalid, printable, with_hint},
};

const EMPTY: &str = "\
The set is empty, so no token can be verified. Pomerium publishes an empty set if it has no signing_key: before v0.33 it
then signs with a key that it does not publish. Make a key, and give it to Pomerium as signing_key:
  openssl ecparam -genkey -name prime256v1 -noout -out ec_private.pem
";

/// The same for one line.
pub(crate) const GIVE_A_KEY: &str = "Make a key, and give it to Pomerium as signing_key: openssl ecparam -genkey -name \
                                     prime256v1 -noout -out ec_private.pem";

/// One key as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    /// `EC P-256`, `RSA`, or what the set says about a key that is not usable.
    r#type: &'a str,
    #[serde(flatten)]
    key: &'a KeyStatus,
}

pub(crate) fn run(matches: &ArgMatches) -> Result<Report, Error> {
    let path = matches.get_one::<OsString>("file").ok_or_else(|| internal("no file was given"))?;
    let name = if path == input::STDIN { "standard input".into() } else { path.to_string_lossy() };
    let name = if is_url(&name) { with_path(&name) } else { name.into_owned() };
    if let Pasted::Token { .. } = paste::find(name.as_bytes()) {
        return Err(invalid("this is a token, not a file or URL: see pomerium-jwt inspect"));
    }
    let keys = if is_url(&name) {
        fetch(Given::for_fetch(matches, &name)?)?
    } else {
        judge(&name, &input::read(path).map_err(|error| with_hint(&error, "; a URL begins with https://"))?)?
    };
    let shown = keys.iter().map(|key| Shown { r#type: key.key_type.as_deref().unwrap_or("unknown type"), key });
    let shown: Vec<Shown<'_>> = shown.collect();
    let output = if arguments::json(matches) { to_json(&shown)? } else { to_text(&name, &shown) };
    let exit_code = if keys.iter().any(|key| key.usable) { 0 } else { NO_KEYS };
    Ok(Report::with_exit_code(output, exit_code))
}

fn is_url(name: &str) -> bool {
    let has_scheme = |scheme: &str| name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    has_scheme("https://") || has_scheme("http://")
}

/// An application's URL becomes that of its key set.
fn with_path(url: &str) -> String {
    let bare = url.trim_end_matches('/');
    let has_path = bare.splitn(4, '/').count() > 3 || bare.contains(['?', '#']);
    if has_path { url.to_owned() } else { format!("{bare}{KEY_SET_PATH}") }
}

/// The core fetches the keys, as it does for an application.
fn fetch(mut given: Given) -> Result<Vec<KeyStatus>, Error> {
    given.options = accept_all(given.options);
    let verifier = given.verifier()?;
    verifier.refresh(true)?;
    Ok(verifier.status().keys)
}

/// Every algorithm, and no name: nothing is verified with these keys.
fn accept_all(options: Options) -> Options {
    options.trust_on_first_use(true).algorithms(Algorithm::ALL.iter().copied())
}

/// The core reads the keys, with every algorithm it knows.
fn judge(file: &str, bytes: &[u8]) -> Result<Vec<KeyStatus>, Error> {
    let refuse = |why: &str| invalid(format!("{file}: {why}"));
    let text = std::str::from_utf8(bytes).map_err(|_| refuse("the file is not text in UTF-8"))?;
    let options = accept_all(Options::default());
    let (options, name) =
        if is_pem(text) { (options.public_key(text), "public_key: ") } else { (options.jwks(text), "jwks: ") };
    let verifier = Verifier::new(options).map_err(|error| match paste::find(bytes) {
        Pasted::Nothing => refuse(&error.message().replacen(name, "", 1)),
        _ => refuse("this is a token, not a key set: see pomerium-jwt inspect"),
    })?;
    Ok(verifier.status().keys)
}

/// PEM, or PEM in base64 as Pomerium's settings are.
fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ") || text.trim_start().starts_with("LS0tLS1CRUdJTi")
}

fn to_json(keys: &[Shown<'_>]) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(&serde_json::json!({ "keys": keys }));
    text.map(|text| text + "\n").map_err(|error| internal(format!("the keys cannot be written: {error}")))
}

fn to_text(name: &str, keys: &[Shown<'_>]) -> String {
    let usable = keys.iter().filter(|shown| shown.key.usable).count();
    let name = printable(name);
    let count = if keys.len() == 1 { "1 key".to_owned() } else { format!("{} keys", keys.len()) };
    let mut text = format!("{HEADING}{name}: {count}, {usable} usable{HEADING:#}\n");
    for (position, shown) in keys.iter().enumerate() {
        let Shown { r#type, key } = shown;
        let verdict = match &key.reason {
            None => format!("{GOOD}usable{GOOD:#}"),
            Some(why) => format!("{BAD}not usable{BAD:#}: {}", printable(why)),
        };
        let _ = writeln!(text, "\n{}. {}, {verdict}", position + 1, printable(r#type)); // a String takes every write
        let kid = key.kid.as_deref().map_or("none".to_owned(), printable);
        let _ = writeln!(text, "   kid         {kid}");
        if let Some(thumbprint) = &key.thumbprint {
            let _ = writeln!(text, "   thumbprint  {thumbprint}{}", compare(key.kid.as_deref(), thumbprint));
        }
        if key.usable && key.alg.as_deref() == Some("RS256") {
            let _ = writeln!(text, "   The verifier uses it only with --algorithms RS256 or ES256,RS256.");
        }
    }
    match (keys.len(), usable) {
        (0, _) => text + "\n" + EMPTY,
        (_, 0) => text + "\nNo key is usable, so no token can be verified.\n",
        _ => text,
    }
}

/// Pomerium's kid is the thumbprint.
fn compare(kid: Option<&str>, thumbprint: &str) -> &'static str {
    match kid {
        None => ", Pomerium's kid for this key",
        Some(kid) if kid == thumbprint => ", equals the kid",
        Some(_) => ", differs from the kid: Pomerium did not write it",
    }
}
