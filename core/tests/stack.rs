//! How much stack a call needs: what is nested as deep as may be is judged on a thread with a small stack. A stack that
//! is too small ends the whole test with a signal.
//!
//! `POMERIUM_STACK_PROBE=kilobytes` in the environment tries another size: by hand, to measure.
#![forbid(unsafe_code)]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pomerium_jwt::{ErrorCode, Verifier};
use pomerium_jwt_issuer::{Assertion, SigningKey, compact};
use serde_json::{Value, json};

const HOST: &str = "app.example.com";
const NOW: i64 = 1_795_354_147;
/// Kilobytes for making a verifier and asking for its state, and for a verification: about twice what is needed. Without
/// optimisation everything needs more.
const CONSTRUCTION: usize = if cfg!(debug_assertions) { 352 } else { 96 };
const VERIFICATION: usize = if cfg!(debug_assertions) { 352 } else { 96 };
/// For a token that nobody signed: what anybody can make an application spend.
const REFUSAL: usize = if cfg!(debug_assertions) { 96 } else { 32 };

fn nested(levels: usize, open: &str, close: &str) -> String {
    open.repeat(levels) + "1" + &close.repeat(levels)
}

fn with_member(object: &str, levels: usize) -> String {
    format!("{},\"x\":{}}}", object.trim_end_matches('}'), nested(levels - 1, "{\"x\":", "}"))
}

fn rsa() -> SigningKey {
    let pem = include_str!("../../conformance/keys/rsa-2048-published-test-key.pem");
    SigningKey::from_pem(pem).expect("an RSA key")
}

/// Options nested as deep as may be.
fn options(key: &SigningKey) -> String {
    let jwk: Value = serde_json::from_str(&key.jwk()).expect("a JWK");
    let keys = with_member(&json!({"keys": [jwk]}).to_string(), 63);
    format!(r#"{{"issuer":"{HOST}","audience":"{HOST}","algorithms":["ES256","RS256"],"jwks":{keys}}}"#)
}

/// The deepest token that is accepted, those that are a level too deep, and one without a signature.
fn tokens(key: &SigningKey) -> [(String, Option<ErrorCode>); 4] {
    let claims =
        Assertion::new(HOST, NOW).user("alice", "alice@example.com", "Alice").claim("groups", json!([1, {"a": 2}]));
    let (header, claims) = (key.jose_header(), claims.to_json());
    let signed = |header: &str, claims: &str| compact(header.as_bytes(), claims.as_bytes(), key);
    let [deep_header, deeper_header] = [8, 9].map(|levels| with_member(&header, levels));
    let [deep_claims, deeper_claims] = [64, 65].map(|levels| with_member(&claims, levels));
    let endless = URL_SAFE_NO_PAD.encode(nested(30_000, "{\"x\":", ""));
    [
        (signed(&deep_header, &deep_claims), None),
        (signed(&deep_header, &deeper_claims), Some(ErrorCode::ClaimsMalformed)),
        (signed(&deeper_header, &deep_claims), Some(ErrorCode::TokenMalformed)),
        (format!("{endless}.e30.AAAA"), Some(ErrorCode::TokenTooLarge)),
    ]
}

fn verify(verifier: &Verifier, tokens: &[(String, Option<ErrorCode>)]) {
    for (token, expected) in tokens {
        let outcome = verifier.verify_at(token, NOW);
        assert_eq!(outcome.as_ref().err().map(|error| error.code()), *expected);
        // by the clock, which is not at NOW
        assert!(verifier.verify(token).is_ok() || verifier.try_verify(token, None).is_err());
        if let Ok(identity) = outcome {
            let deepest = identity.claims.get::<Value>("x").expect("it is readable");
            assert!(deepest.is_some() && identity.groups.len() == 2);
        }
    }
}

fn construct(options: &str) {
    let verifier = Verifier::from_json(options).expect("options");
    assert!(verifier.refresh(false).is_ok());
    assert_eq!(verifier.status().keys.len(), 1);
}

/// Runs on a thread with this stack, or the one that is tried by hand.
fn on_small_stack(kilobytes: usize, run: impl FnOnce() + Send + 'static) {
    let probe = std::env::var("POMERIUM_STACK_PROBE").ok().map(|text| text.parse().expect("kilobytes"));
    let thread = std::thread::Builder::new().stack_size(probe.unwrap_or(kilobytes) * 1024).spawn(run);
    assert!(thread.expect("a thread").join().is_ok(), "see above");
}

fn keys() -> [SigningKey; 2] {
    [SigningKey::from_scalar(&[0x11; 32]).expect("below the order of the curve"), rsa()]
}

#[test]
fn the_deepest_token_needs_little_stack() {
    for key in keys() {
        let verifier = Verifier::from_json(options(&key)).expect("options");
        let tokens = tokens(&key);
        on_small_stack(VERIFICATION, move || verify(&verifier, &tokens));
    }
}

#[test]
fn the_deepest_unsigned_token_needs_less_stack() {
    for key in keys() {
        let verifier = Verifier::from_json(options(&key)).expect("options");
        let unsigned = [1, 8, 9, 64].map(|levels| {
            let header = URL_SAFE_NO_PAD.encode(with_member(&key.jose_header(), levels));
            format!("{header}.{}.{}", URL_SAFE_NO_PAD.encode(nested(1000, "[", "]")), "A".repeat(86))
        });
        on_small_stack(REFUSAL, move || {
            assert!(
                unsigned.iter().all(|token| verifier.verify_at(token, NOW).is_err() && verifier.verify(token).is_err())
            );
        });
    }
}

#[test]
fn the_deepest_options_need_little_stack() {
    for key in keys() {
        let options = options(&key);
        on_small_stack(CONSTRUCTION, move || construct(&options));
    }
}
