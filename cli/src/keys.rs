//! `keys`: which keys of a set can be used, and why the others cannot.

use std::{ffi::OsString, fmt::Write as _};

use clap::ArgMatches;
use pomerium_jwt::{KeyStatus, Options, Verifier};
use serde::Serialize;
use serde_json::Value;

use crate::{
    arguments, input, options,
    report::{BAD, Failure, GOOD, HEADING, NO_KEYS, Report, printable},
};

const EMPTY: &str = "\
The set is empty, so no token can be verified. Pomerium publishes this where it has no signing_key: before v0.33 it then
signs with a key of its own that nobody else can check. Make a key, and give it to Pomerium as signing_key:
  openssl ecparam -genkey -name prime256v1 -noout -out ec_private.pem
";

/// One key as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    /// `EC P-256`; what the set says of a key that could not be read.
    r#type: String,
    #[serde(flatten)]
    key: &'a KeyStatus,
}

pub(crate) fn run(matches: &ArgMatches) -> Result<Report, Failure> {
    let path = matches.get_one::<OsString>("file").ok_or_else(|| Failure::internal("no file was given"))?;
    let name = if path == input::STDIN { "standard input".into() } else { path.to_string_lossy() };
    let mut text = String::new();
    let keys = if name.starts_with("https://") || name.starts_with("http://") {
        fetch(options::read_for_fetch(matches, &name)?)?
    } else {
        let bytes = input::read(path)?;
        text = String::from_utf8(bytes).map_err(|_| Failure::options(format!("{name}: this is no text in UTF-8")))?;
        judge(&text).map_err(|why| Failure::options(format!("{name}: {why}")))?
    };
    let shown = with_types(&keys, &text);
    let output = if arguments::json(matches) { to_json(&shown)? } else { to_text(&name, &shown) };
    let exit_code = if keys.iter().any(|key| key.usable) { 0 } else { NO_KEYS };
    Ok(Report::with_exit_code(output, exit_code))
}

/// The core fetches the keys, as it does for an application.
fn fetch(mut options: Options) -> Result<Vec<KeyStatus>, Failure> {
    accept_all(&mut options);
    let verifier = Verifier::new(options)?;
    verifier.refresh(true)?;
    Ok(verifier.status().keys)
}

/// Every algorithm, and no name: nothing is verified with these keys.
fn accept_all(options: &mut Options) {
    options.trust_on_first_use = Some(true);
    options.algorithms = Some(vec!["ES256".to_owned(), "RS256".to_owned()]);
}

/// The core reads the keys, with every algorithm it knows.
fn judge(text: &str) -> Result<Vec<KeyStatus>, String> {
    let mut options = Options::default();
    accept_all(&mut options);
    let (source, name) =
        if is_pem(text) { (&mut options.public_key, "public_key: ") } else { (&mut options.jwks, "jwks: ") };
    *source = Some(text.to_owned());
    let verifier = Verifier::new(options).map_err(|error| error.message().replacen(name, "", 1))?;
    Ok(verifier.status().keys)
}

/// PEM, or PEM in base64 as Pomerium's settings are.
fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ") || text.trim_start().starts_with("LS0tLS1CRUdJTi")
}

/// The core's list has the order of the set.
fn with_types<'a>(keys: &'a [KeyStatus], text: &str) -> Vec<Shown<'a>> {
    let set: Value = serde_json::from_str(text).unwrap_or_default();
    let show = |(position, key): (usize, &'a KeyStatus)| {
        let jwk = &set["keys"][position];
        let said = ["kty", "crv"].into_iter().filter_map(|name| jwk[name].as_str()).collect::<Vec<_>>().join(" ");
        let read = match key.alg.as_deref() {
            Some("RS256") => "RSA",
            Some("ES256") => "EC P-256",
            _ => "unknown type",
        };
        Shown { r#type: if said.is_empty() { read.to_owned() } else { said }, key }
    };
    keys.iter().enumerate().map(show).collect()
}

fn to_json(keys: &[Shown<'_>]) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(&serde_json::json!({ "keys": keys }));
    text.map(|text| text + "\n").map_err(|error| Failure::internal(format!("the keys cannot be written: {error}")))
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
            let _ = writeln!(text, "   The verifier uses it with algorithms RS256 or ES256,RS256 only.");
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
