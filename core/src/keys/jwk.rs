//! JWK Sets (RFC 7517): a key that cannot be used is skipped with its reason, never fatal to the set.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{key::PublicKey, unusable::Unusable};
use crate::{
    json::{self, Json},
    wording::quoted,
};

/// The largest key set read, in bytes and in keys: Pomerium publishes a handful.
pub(super) const MAX_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 64;

/// Members that only a private key has (RFC 7518 sections 6.2.2 and 6.3.2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// One key of a set, as it is written there.
pub(super) struct Jwk {
    pub(super) kid: Option<String>,
    pub(super) alg: Option<String>,
    /// `kty` and `crv`.
    pub(super) key_type: Option<String>,
    /// The key, or why it cannot be used.
    pub(super) key: Result<PublicKey, String>,
}

/// Reads a JWK Set: an object whose `keys` is a list, or null as Pomerium writes an empty one. Keys that are among the
/// `prepared` ones are taken from there.
///
/// # Errors
/// A sentence about the text as a whole.
pub(super) fn read_set(text: &[u8], prepared: &[PublicKey]) -> Result<Vec<Jwk>, Unusable> {
    if text.len() > MAX_BYTES {
        return Err(format!("the key set has {} bytes; at most {MAX_BYTES} are accepted", text.len()).into());
    }
    let set = json::parse_bytes(text)
        .map_err(|error| Unusable::caused_by(format!("the key set is not strict JSON: {error}"), error))?;
    let keys = match set.member("keys") {
        Some(Json::Null) => &[],
        Some(Json::Array(keys)) => keys.as_slice(),
        _ => return Err("this is not a JWK Set, an object whose member keys is a list".into()),
    };
    if keys.len() > MAX_KEYS {
        return Err(format!("the key set has {} keys; at most {MAX_KEYS} are accepted", keys.len()).into());
    }
    Ok(keys.iter().map(|jwk| read(jwk, prepared)).collect())
}

fn read(jwk: &Json<'_>, prepared: &[PublicKey]) -> Jwk {
    let text = |name: &str| jwk.member(name).and_then(Json::as_str).map(str::to_owned);
    let key_type: Vec<String> = ["kty", "crv"].into_iter().filter_map(text).collect();
    let key_type = (!key_type.is_empty()).then(|| key_type.join(" "));
    Jwk { kid: text("kid"), alg: text("alg"), key_type, key: public_key(jwk, prepared) }
}

fn public_key(jwk: &Json<'_>, prepared: &[PublicKey]) -> Result<PublicKey, String> {
    if !matches!(jwk, Json::Object(_)) {
        return Err(format!("malformed: {}, not an object", jwk.kind()));
    }
    if jwk.member("kid").is_some_and(|kid| kid.as_str().is_none()) {
        return Err("malformed: kid is not a string".to_owned());
    }
    if PRIVATE.iter().any(|name| jwk.member(name).is_some()) {
        return Err("a private key: it has been published, so replace it".to_owned());
    }
    let key = match jwk.member("kty").and_then(Json::as_str) {
        Some("EC") => elliptic(jwk, prepared)?,
        Some("RSA") => rsa(jwk)?,
        Some(other) => return Err(format!("unsupported key type {}", quoted(other))),
        None => return Err("malformed: kty is not a string".to_owned()),
    };
    check_purpose(jwk, key.algorithm().name())?;
    Ok(key)
}

/// A key without `alg` or `use` is usable: Pomerium 0.15 writes no `alg`.
fn check_purpose(jwk: &Json<'_>, algorithm: &str) -> Result<(), String> {
    if jwk.member("alg").is_some_and(|alg| alg.as_str() != Some(algorithm)) {
        return Err(format!("alg is not {algorithm}, which the key itself is for"));
    }
    if jwk.member("use").is_some_and(|purpose| purpose.as_str() != Some("sig")) {
        return Err("use is not sig".to_owned());
    }
    let verifies = |operations: &[Json<'_>]| operations.iter().any(|one| one.as_str() == Some("verify"));
    if jwk.member("key_ops").is_some_and(|operations| !operations.as_array().is_some_and(verifies)) {
        return Err("key_ops does not hold verify".to_owned());
    }
    Ok(())
}

fn elliptic(jwk: &Json<'_>, prepared: &[PublicKey]) -> Result<PublicKey, String> {
    match jwk.member("crv").and_then(Json::as_str) {
        Some("P-256") => {}
        Some(other) => return Err(format!("unsupported curve {}", quoted(other))),
        None => return Err("malformed: crv is not a string".to_owned()),
    }
    let coordinate = |name: &str| {
        let bytes = bytes(jwk, name)?;
        <[u8; 32]>::try_from(bytes).map_err(|bytes| format!("malformed: {name} has {} bytes, not 32", bytes.len()))
    };
    PublicKey::es256(&coordinate("x")?, &coordinate("y")?, prepared).map_err(|why| format!("malformed: {why}"))
}

fn rsa(jwk: &Json<'_>) -> Result<PublicKey, String> {
    PublicKey::rs256(&bytes(jwk, "n")?, &bytes(jwk, "e")?)
}

fn bytes(jwk: &Json<'_>, name: &str) -> Result<Vec<u8>, String> {
    let text = jwk.member(name).and_then(Json::as_str).ok_or_else(|| format!("malformed: {name} is not a string"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("malformed: {name} is not base64url without padding"))
}
