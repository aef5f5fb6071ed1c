//! Rebuilds the tokens that a real Pomerium v0.33.1 minted, from their claims, and compares the text.

mod common;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pomerium_jwt_issuer::{Assertion, SigningKey, compact, key_set};
use serde_json::{Map, Value};

/// Every token of v0.33.1, but for the two that are not assertions: the header that stayed empty because signing
/// failed, and the credential of a service account.
fn genuine_tokens() -> Vec<(String, String)> {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../conformance/genuine.json")).expect("genuine.json is valid");
    let text = |case: &Value, name: &str| case[name].as_str().expect(name).to_owned();
    cases
        .iter()
        .filter(|case| case["pomerium"] == "v0.33.1")
        .map(|case| (text(case, "id"), text(case, "token")))
        .filter(|(id, _)| id != "ec-p384" && id != "service-account-credential")
        .collect()
}

fn decode(part: &str) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("UTF-8")
}

/// The private key behind the token `key-derived-from-shared-secret`, whose shared secret is Pomerium's published test
/// vector. Pomerium v0.33 derives it so: 40 bytes of HKDF-SHA256(secret, no salt, "derived-jwt-signing-key"), taken as
/// a big-endian number modulo n - 1, plus 1.
#[rustfmt::skip]
const DERIVED_SCALAR: [u8; 32] = [
    0xa8, 0x19, 0x06, 0xcd, 0x82, 0xa2, 0x7d, 0x3b, 0x7f, 0xdf, 0x1a, 0x17, 0x57, 0x86, 0x93, 0xc6,
    0x7e, 0xea, 0x93, 0x08, 0x5d, 0x3c, 0xbd, 0x82, 0xc3, 0x22, 0x75, 0xd3, 0xc4, 0x32, 0x1b, 0xfd,
];

/// Builds the assertion as a user of the crate would. What is not set here, the crate must know by itself.
fn rebuild(claims: &Map<String, Value>) -> Assertion {
    let text = |name: &str| claims[name].as_str().expect(name);
    let groups = claims["groups"].as_array().expect("groups").iter().map(|group| group.as_str().expect("group"));
    let mut assertion = Assertion::new(text("aud"), claims["iat"].as_i64().expect("iat")).token_id(text("jti"));
    if text("iss") != text("aud") {
        assertion = assertion.issuer(text("iss"));
    }
    if !text("sub").is_empty() {
        assertion = assertion.user(text("sub"), text("email"), text("name")).groups(groups);
    }
    if !text("sid").is_empty() {
        assertion = assertion.session(text("sid"));
    }
    const BASE: [&str; 11] = ["aud", "email", "exp", "groups", "iat", "iss", "jti", "name", "sid", "sub", "user"];
    for (name, value) in claims.iter().filter(|(name, _)| !BASE.contains(&name.as_str())) {
        assertion = assertion.claim(name, value.clone());
    }
    assertion
}

#[test]
fn the_payload_text_is_pomeriums() {
    let tokens = genuine_tokens();
    assert_eq!(tokens.len(), 44, "genuine.json has another number of v0.33.1 tokens now: count them and write it here");
    for (id, token) in tokens {
        let payload = decode(token.split('.').nth(1).expect("a payload"));
        let claims: Map<String, Value> = serde_json::from_str(&payload).expect("claims");
        assert_eq!(rebuild(&claims).to_json(), payload, "{id}");
    }
}

#[test]
fn the_jose_header_text_is_pomeriums() {
    let rsa = common::openssl_text("genrsa 2048", b"");
    let keys = [SigningKey::generate(), SigningKey::from_pem(&rsa).expect("an RSA key")];
    for (id, token) in genuine_tokens() {
        let header = decode(token.split('.').next().expect("a header"));
        let fields: Value = serde_json::from_str(&header).expect("header");
        let key = keys.iter().find(|key| fields["alg"] == key.algorithm()).expect("ES256 or RS256");
        let kid = fields["kid"].as_str().expect("kid");
        assert_eq!(key.jose_header().replace(&key.thumbprint(), kid), header, "{id}");
    }
}

#[test]
fn with_pomeriums_own_key_all_but_the_signature_is_its_token() {
    let (_, token) = genuine_tokens()
        .into_iter()
        .find(|(id, _)| id == "key-derived-from-shared-secret")
        .expect("genuine.json has this token");
    let (signed, _) = token.rsplit_once('.').expect("a compact serialization");
    let payload = decode(signed.split('.').nth(1).expect("a payload"));
    let key = SigningKey::from_scalar(&DERIVED_SCALAR).expect("below the order of the curve");
    let minted = rebuild(&serde_json::from_str(&payload).expect("claims")).mint(&key);
    // Go signs with a random nonce, so the signature is another one each time
    assert_eq!(minted.rsplit_once('.').expect("a compact serialization").0, signed);
    assert!(include_str!("../../conformance/genuine.json").contains(&key_set([&key])), "{}", key.jwk());
}

#[test]
fn a_minted_token_is_the_header_and_the_claims() {
    let key = SigningKey::generate();
    let assertion = Assertion::new("app.example.com", 1_795_354_137).user("bob", "bob@example.com", "Bob & Co");
    let expected = compact(key.jose_header().as_bytes(), assertion.to_json().as_bytes(), &key);
    assert_eq!(assertion.mint(&key), expected);
    let parts: Vec<&str> = expected.split('.').collect();
    assert_eq!(parts.len(), 3);
    assert_eq!(decode(parts[0]), key.jose_header());
    assert_eq!(decode(parts[1]), assertion.to_json());
}
