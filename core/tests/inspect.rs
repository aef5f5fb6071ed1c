//! `inspect` explains what `verify_at` decides: over every conformance case the first check that fails has its code.
#![forbid(unsafe_code)]

use pomerium_jwt::{Error, Verifier};
use serde_json::Value;

#[test]
fn the_first_failed_check_is_the_answer_of_verify() {
    // The files that options name are relative to it
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance")).expect("conformance/");
    let mut compared = 0;
    for file in ["cases.json", "genuine.json"] {
        let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(file).expect(file)).expect(file);
        compared += cases.iter().filter(|case| compare(case)).count();
    }
    assert!(compared > 400, "only {compared} cases hold a token: are the cases read right?");
}

/// Whether the case has a token.
fn compare(case: &Value) -> bool {
    let id = &case["id"];
    let Some(token) = token(&case["token"]) else { return false };
    let now = case["now"].as_i64().expect("now");
    let Ok(verifier) = Verifier::from_json(case["options"].to_string()) else {
        panic!("{id}: its options make no verifier, yet it has a token")
    };
    let verified = verifier.verify_at(&token, now);
    match verifier.inspect(&token, now) {
        Ok(inspection) => {
            assert_eq!(inspection.first_failure(), verified.as_ref().err(), "{id}: {inspection:?}");
            let names: Vec<&str> = inspection.checks.iter().map(|check| check.name.as_str()).collect();
            assert!(names.starts_with(&ALWAYS[..9]), "{id}: checks are missing: {names:?}");
            assert!(ALWAYS.iter().all(|name| names.contains(name)), "{id}: checks are missing: {names:?}");
            if let Ok(identity) = &verified {
                assert_eq!(inspection.claims.as_deref(), Some(identity.claims.text()), "{id}");
            }
        }
        Err(error) => assert_eq!(Some(&error), verified.as_ref().err(), "{id}"),
    }
    true
}

/// The checks that every list has, with any options.
const ALWAYS: [&str; 14] =
    ["token", "size", "form", "header", "typ", "crit", "alg", "key", "signature", "claims", "exp", "nbf", "iss", "sub"];

/// A string, or a list of strings and `[part, repetitions]`.
fn token(value: &Value) -> Option<String> {
    let part = |value: &Value| match value {
        Value::String(text) => text.clone(),
        repeated => {
            let times = repeated[1].as_u64().and_then(|times| usize::try_from(times).ok());
            repeated[0].as_str().expect("a part").repeat(times.expect("repetitions"))
        }
    };
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().map(part).collect()),
        _ => None,
    }
}

#[test]
fn every_failure_is_listed_not_only_the_first() -> Result<(), Error> {
    use pomerium_jwt_issuer::{Assertion, SigningKey, key_set};

    let (signing, published) = (SigningKey::generate(), SigningKey::generate());
    let options = serde_json::json!({
        "route": "https://app.example.com",
        "jwks": serde_json::from_str::<Value>(&key_set([&published])).expect("a key set"),
        "max_token_age": 60,
        "expect_claims": {"groups": "admins", "department": ["sales"]},
    });
    let verifier = Verifier::from_json(options.to_string())?;
    let token = Assertion::new("payroll.example.com", 1_700_000_000).claim("department", "sales").mint(&signing);
    let inspection = verifier.inspect(token, 1_700_001_000)?;
    let outcomes: Vec<String> = inspection.checks.iter().map(|check| format!("{check:?}")).collect();
    let expected = [
        "token passed",
        "size passed",
        "form passed",
        "header passed",
        "typ passed",
        "crit passed",
        "alg passed",
        "key failed with key_not_found",
        "signature not_judged",
        "claims passed",
        "exp failed with token_expired",
        "nbf passed",
        "iat passed",
        "max_token_age failed with token_too_old",
        "iss failed with issuer_mismatch",
        "aud failed with audience_mismatch",
        "sub failed with subject_missing",
        "expect_claims.department passed",
        "expect_claims.groups failed with claim_mismatch",
    ];
    assert_eq!(outcomes, expected);
    Ok(())
}

#[test]
fn a_time_out_of_range_is_an_argument_not_a_token() -> Result<(), Error> {
    let verifier = Verifier::from_json(r#"{"issuer":"a","audience":"a","jwks":{"keys":null}}"#)?;
    for now in [-1, 1 << 53, i64::MIN, i64::MAX] {
        let error = verifier.inspect("", now).map(|_| ()).expect_err("out of range");
        assert_eq!(Err(error), verifier.verify_at("", now).map(|_| ()), "{now}");
    }
    Ok(())
}
