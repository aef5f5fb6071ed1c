//! What stays the same from case to case: times, names, keys, and the files that options name.
//!
//! Every private key here is published and protects nothing.

use std::sync::LazyLock;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use pomerium_jwt_issuer::SigningKey;
use serde_json::{Value, json};

pub(crate) const HOST: &str = "app.example.com";
/// When the token was minted.
pub(crate) const IAT: i64 = 1_795_354_137;
/// Pomerium lets a token live for five minutes.
pub(crate) const EXP: i64 = IAT + 300;
/// When it is verified, unless the case says otherwise.
pub(crate) const NOW: i64 = IAT + 10;

/// The key that signs unless the case says otherwise.
pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| scalar(0x11));
/// A key that is not in the key set unless the case says so.
pub(crate) static OTHER: LazyLock<SigningKey> = LazyLock::new(|| scalar(0x22));
pub(crate) static RSA: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_pem(RSA_PRIVATE).expect("an RSA key"));

const RSA_PRIVATE: &str = include_str!("../keys/rsa-2048-published-test-key.pem");
/// Certificate of [`KEY`]. Its dates begin after [`NOW`].
pub(crate) const CERTIFICATE: &str = include_str!("../keys/es256-certificate.pem");
pub(crate) const REQUEST: &str = include_str!("../keys/es256-request.pem");
pub(crate) const COMPRESSED: &str = include_str!("../keys/es256-compressed.pem");
pub(crate) const EXPLICIT: &str = include_str!("../keys/es256-explicit-parameters.pem");
pub(crate) const RSA_CERTIFICATE: &str = include_str!("../keys/rs256-certificate.pem");
pub(crate) const RSA_1536: &str = include_str!("../keys/rsa-1536-public.pem");
pub(crate) const P384: &str = include_str!("../keys/p384-public.pem");
pub(crate) const SECP256K1: &str = include_str!("../keys/secp256k1-public.pem");
pub(crate) const ED25519: &str = include_str!("../keys/ed25519-public.pem");
/// What `openssl ecparam` without `-noout` writes first.
pub(crate) const EC_PARAMETERS: &str = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";

fn scalar(byte: u8) -> SigningKey {
    SigningKey::from_scalar(&[byte; 32]).expect("below the order of the curve")
}

/// The key as Pomerium publishes it.
pub(crate) fn jwk(key: &SigningKey) -> Value {
    serde_json::from_str(&key.jwk()).expect("a JWK is JSON")
}

/// The key as Pomerium publishes it, but for these members; null takes one away.
pub(crate) fn jwk_with(key: &SigningKey, different: Value) -> Value {
    let mut jwk = jwk(key);
    let members = jwk.as_object_mut().expect("a JWK is an object");
    for (name, value) in different.as_object().expect("members") {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    jwk
}

pub(crate) fn key_set(keys: &[&SigningKey]) -> Value {
    json!({"keys": keys.iter().map(|key| jwk(key)).collect::<Vec<_>>()})
}

/// The bytes of the first PEM block.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let body: String = lines.take_while(|line| !line.starts_with("-----END")).collect();
    STANDARD.decode(body).expect("a PEM block is base64")
}

/// The point at the end of a public key, as `x` and `y` of a JWK; each has `bytes` bytes.
pub(crate) fn point(pem: &str, bytes: usize) -> [String; 2] {
    let der = der(pem);
    let (x, y) = der[der.len() - 2 * bytes..].split_at(bytes);
    [base64url(x), base64url(y)]
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The files that options name, below `files/`.
pub(crate) fn files() -> Vec<(&'static str, Vec<u8>)> {
    let set = key_set(&[&KEY]).to_string();
    let key = jwk(&KEY).to_string();
    let members = key.trim_start_matches('{').trim_end_matches('}');
    let text_files = [
        ("jwks.json", format!("{set}\n")),
        ("jwks-null.json", r#"{"keys":null}"#.to_owned()),
        ("jwks-byte-order-mark.json", format!("\u{feff}{set}")),
        ("jwks-cut.json", set[..set.len() - 1].to_owned()),
        ("jwks-deepest.json", format!(r#"{{"keys":[{key}],"x":{}{}}}"#, "[".repeat(63), "]".repeat(63))),
        ("jwks-deep.json", format!(r#"{{"keys":[{key}],"x":{}{}}}"#, "[".repeat(64), "]".repeat(64))),
        ("jwks-reserved-name.json", format!(r#"{{"keys":[{key}],"x":{{"$serde_json::private::RawValue":"1"}}}}"#)),
        (
            "jwks-reserved-escaped.json",
            format!(r#"{{"keys":[{{"\u0024serde_json::private::RawValue":"1",{members}}}]}}"#),
        ),
        ("jwks-duplicate-keys.json", format!(r#"{{"keys":[],"keys":[{key}]}}"#)),
        ("jwks-duplicate-member.json", format!(r#"{{"keys":[{{"kid":"a",{members}}}]}}"#)),
        ("jwks-duplicate-escaped.json", format!(r#"{{"keys":[{{"\u006bid":"a",{members}}}]}}"#)),
        ("jwks-lone-surrogate.json", format!(r#"{{"keys":[{key}],"x":"\ud800"}}"#)),
        ("jwks-number-too-large.json", format!(r#"{{"keys":[{key}],"x":1e400}}"#)),
        ("jwks-trailing.json", format!("{set}{set}")),
        ("jwks-list.json", format!("[{key}]")),
        ("jwks-single.json", key.clone()),
        ("empty.json", String::new()),
        ("public-key.pem", KEY.public_key_pem()),
        ("public-key-crlf.pem", KEY.public_key_pem().replace('\n', "\r\n")),
        ("public-key.base64", format!("{}\n", base64(KEY.public_key_pem()))),
        ("certificate.pem", CERTIFICATE.to_owned()),
        ("certificate.base64", base64(CERTIFICATE)),
        ("private-key.pem", KEY.to_pem()),
    ];
    let text_files = text_files.into_iter().map(|(name, text)| (name, text.into_bytes()));
    text_files.chain([("public-key.der", der(&KEY.public_key_pem()))]).collect()
}

/// The line of `genuine.json` with this id: what a real Pomerium server minted.
pub(crate) fn genuine(id: &str) -> Vec<u8> {
    let begin = format!(r#"{{"id":"{id}","#);
    let line = include_str!("../genuine.json").lines().find(|line| line.starts_with(&begin));
    format!("{}\n", line.expect("it is there").trim_end_matches(',')).into_bytes()
}
