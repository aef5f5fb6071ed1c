//! Finds an option by its name, and says what to write instead of one that does not exist.

use super::{spec::OptionSpec, table::OPTIONS};
use crate::wording::quoted;

/// The option of this name.
pub(super) fn find(name: &str) -> Result<&'static OptionSpec, String> {
    OPTIONS
        .iter()
        .find(|spec| spec.name == name)
        .ok_or_else(|| format!("option {} is unknown: {}", quoted(name), advice(name, |spec| spec.name.to_owned())))
}

/// What to write instead of a name that is not an option.
pub(super) fn advice(name: &str, written: impl Fn(&OptionSpec) -> String) -> String {
    let name = folded(name);
    if let Some((_, hint)) = HINTS.iter().find(|(foreign, _)| *foreign == name) {
        return (*hint).to_owned();
    }
    let distance = |spec: &&OptionSpec| strsim::damerau_levenshtein(&folded(spec.name), &name);
    match OPTIONS.iter().min_by_key(distance) {
        Some(nearest) if distance(&nearest) <= name.len().div_ceil(3) => format!("write {}", written(nearest)),
        _ => "see the list of options in the documentation".to_owned(),
    }
}

/// Names known from elsewhere, without case and underscores, and what to write instead.
const HINTS: &[(&str, &str)] = &[
    ("jwkseturl", "write jwks_url"),
    ("jwksuri", "write jwks_url"),
    ("jwksendpoint", "write jwks_url"),
    ("jwksetfile", "write jwks_file"),
    ("keyfile", "write public_key_file"),
    ("from", "write route"),
    ("signingkey", "the private key stays in Pomerium: write route, and the public key is fetched"),
    ("signingkeyfile", "the private key stays in Pomerium: write route, and the public key is fetched"),
    ("certificateauthority", "write ca_pem, or ca_file for a file"),
    ("certificateauthorityfile", "write ca_file"),
    ("audiences", "write audience, which takes a list"),
    ("aud", "write audience"),
    ("tlsclientca", "write ca_file"),
    ("extracacerts", "write ca_file"),
    ("insecureskipverify", "certificates are always checked: give the private CA in ca_file"),
    ("expirationbuffer", "write leeway, in seconds"),
    ("clockskew", "write leeway, in seconds"),
    ("requiredclaims", "write expect_claims"),
];

fn folded(name: &str) -> String {
    name.replace(['_', '-'], "").to_ascii_lowercase()
}
