//! What the targets start from: the conformance cases, and tokens of real Pomerium servers.

use std::{collections::BTreeSet, fs, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pomerium_jwt_issuer::SigningKey;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

use super::{KEY, RSA};

/// Longer inputs make fuzzing slow, and say nothing that shorter ones do not.
const LONGEST: usize = 8192;

static CASES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let files = [include_str!("../../conformance/cases.json"), include_str!("../../conformance/genuine.json")];
    files.iter().flat_map(|text| serde_json::from_str::<Vec<Value>>(text).expect("cases are a list")).collect()
});

pub(super) fn tokens() -> BTreeSet<Vec<u8>> {
    collected(|case| expand(&case["token"]).map(String::into_bytes))
}

/// Of the tokens, decoded.
pub(super) fn payloads() -> BTreeSet<Vec<u8>> {
    collected(|case| URL_SAFE_NO_PAD.decode(expand(&case["token"])?.split('.').nth(1)?).ok())
}

pub(super) fn key_sets() -> BTreeSet<Vec<u8>> {
    collected(|case| match &case["options"] {
        options if options.get("jwks").is_some() => Some(options["jwks"].to_string().into_bytes()),
        options => file(&options["jwks_file"]),
    })
}

pub(super) fn options() -> BTreeSet<Vec<u8>> {
    collected(|case| Some(case["options"].to_string().into_bytes()))
}

pub(super) fn pems() -> BTreeSet<Vec<u8>> {
    collected(|case| match &case["options"]["public_key"] {
        Value::String(text) => Some(text.clone().into_bytes()),
        _ => file(&case["options"]["public_key_file"]),
    })
}

/// Signatures of 64 bytes with what they are said to sign.
pub(super) fn signatures() -> BTreeSet<Vec<u8>> {
    collected(|case| {
        let token = expand(&case["token"])?;
        let (input, signature) = split(token.as_bytes())?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok().filter(|signature| signature.len() == 64)?;
        Some([&signature, input].concat())
    })
}

/// A member in base64url.
pub(super) fn decoded(member: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(member.as_str().expect("a string")).expect("base64url")
}

/// The signing input and the signature's text; a leading `Bearer ` belongs to neither.
pub(super) fn split(token: &[u8]) -> Option<(&[u8], &[u8])> {
    let has_scheme = token.len() > 7 && token[..7].eq_ignore_ascii_case(b"bearer ");
    let token = if has_scheme { &token[7..] } else { token };
    let dot = token.iter().rposition(|byte| *byte == b'.')?;
    Some((&token[..dot], &token[dot + 1..]))
}

/// The signing input, if its signature holds under a key of the cases.
pub(super) fn signed(token: &[u8]) -> Option<&[u8]> {
    let (input, signature) = split(token)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let part = |key: &SigningKey, name: &str| {
        let jwk: Value = serde_json::from_str(&key.jwk()).expect("a JWK");
        URL_SAFE_NO_PAD.decode(jwk[name].as_str().expect("a string")).expect("base64url")
    };
    let point = [vec![4], part(&KEY, "x"), part(&KEY, "y")].concat();
    let ecdsa = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(input, &signature);
    let rsa = RsaPublicKeyComponents { n: part(&RSA, "n"), e: part(&RSA, "e") };
    ecdsa.or_else(|_| rsa.verify(&RSA_PKCS1_2048_8192_SHA256, input, &signature)).ok().map(|()| input)
}

fn collected(seed: impl Fn(&Value) -> Option<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    CASES.iter().filter_map(seed).filter(|seed| seed.len() <= LONGEST).collect()
}

/// A token as a case holds it: a string, or a list of parts and `[part, repetitions]`.
fn expand(token: &Value) -> Option<String> {
    let part = |part: &Value| match part {
        Value::String(text) => text.clone(),
        _ => {
            let repetitions = part[1].as_u64().and_then(|count| usize::try_from(count).ok());
            part[0].as_str().unwrap_or_default().repeat(repetitions.unwrap_or_default())
        }
    };
    match token {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().map(part).collect()),
        _ => None,
    }
}

/// A file that the option names.
fn file(name: &Value) -> Option<Vec<u8>> {
    fs::read(format!("{}/../conformance/{}", env!("CARGO_MANIFEST_DIR"), name.as_str()?)).ok()
}
