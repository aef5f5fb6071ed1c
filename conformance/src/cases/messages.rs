//! What a message says: the facts that help, in the same words in every language.

use serde_json::{Value, json};

use crate::{
    case::{Case, Draft, case},
    fixtures::{KEY, OTHER},
};

pub(crate) fn cases() -> Vec<Case> {
    [presence(), algorithms(), kinds(), audiences(), demanded()].concat()
}

/// Pomerium sends an empty header if it cannot sign, which looks like none at all in most frameworks.
fn presence() -> Vec<Case> {
    let said = |id: &str, note: &str, token: &str, part: &str| {
        case(format!("says-missing-{id}"), note).token(token).refused_saying("token_missing", part)
    };
    vec![
        said("absent", "an absent header and an empty one are the same text", "", "is absent"),
        said(
            "empty",
            "and the message names what an empty one comes from",
            "",
            "signing_key is missing, or is an EC key on a curve other than P-256",
        ),
        said("bearer", "an empty one after Bearer", "Bearer ", "signing_key"),
    ]
}

/// The message says what the options allow. What the JOSE header has is not signed yet, so it is not quoted.
fn algorithms() -> Vec<Case> {
    let rs256 = KEY.jose_header().replace("ES256", "RS256");
    let hs256 = KEY.jose_header().replace("ES256", "HS256");
    vec![
        case("says-algorithms", "neither of those that are accepted")
            .option("algorithms", json!(["ES256", "RS256"]))
            .header(hs256)
            .refused_saying("algorithm_not_allowed", "is not one of algorithms, ES256, RS256"),
        case("says-algorithm-rsa", "an RSA key, for which there is an option")
            .header(rs256)
            .refused_saying("algorithm_not_allowed", "alg is RS256, algorithms is ES256: is Pomerium's key RSA?"),
        case("says-signature", "a bad signature, and the key has the token's kid")
            .source("public_key", KEY.public_key_pem())
            .signed_by(&OTHER)
            .refused_saying("signature_invalid", "the token was altered, or signed with another key"),
    ]
}

/// A claim of the wrong type is called by its type, and never quoted.
fn kinds() -> Vec<Case> {
    let table = [
        ("null", json!(null), "null"),
        ("boolean", json!(true), "a boolean"),
        ("number", json!(1), "a number"),
        ("list", json!([]), "a list"),
        ("object", json!({}), "an object"),
    ];
    let mut cases = Vec::new();
    for (id, value, said) in table {
        let named = |claim: &str| case(format!("says-{claim}-{id}"), format!("{claim} is {said}"));
        cases.push(
            named("sub").claim("sub", value.clone()).refused_saying("claims_malformed", format!("sub is {said},")),
        );
        cases.push(
            named("demanded").option("expect_claims", json!({"x": "y"})).claim("x", value).refused_saying(
                "claim_mismatch",
                format!("claim \"x\" is {said}; expect_claims demands one of [\"y\"]"),
            ),
        );
    }
    let text = case("says-exp-string", "exp is a string").claim("exp", "x");
    cases.push(text.refused_saying("claims_malformed", "exp is a string, not a number of seconds"));
    cases
}

/// Expected and actual audiences, of which four are shown.
fn audiences() -> Vec<Case> {
    let said = |id: &str, note: &str, aud: Value, message: &str| {
        case(format!("says-audience-{id}"), note).claim("aud", aud).refused_saying(
            "audience_mismatch",
            format!("aud is {message}, expected \"app.example.com\"; see route and audience"),
        )
    };
    vec![
        said("none", "no audience", json!([]), "missing or empty"),
        said("empty", "an empty audience", json!([""]), "missing or empty"),
        said("one", "one audience", json!(["a"]), r#""a""#),
        said("two", "two audiences", json!(["a", "b"]), r#"["a", "b"]"#),
        said("four", "as many as are shown", json!(["a", "b", "c", "d"]), r#"["a", "b", "c", "d"]"#),
        said("five", "one more", json!(["a", "b", "c", "d", "e"]), r#"["a", "b", "c", "d", ...]"#),
        case("says-audience-expected", "several expected audiences")
            .option("audience", json!(["a", "*.example.com", "https://b/"]))
            .claim("aud", "x")
            .refused_saying("audience_mismatch", r#"aud is "x", expected "a" or "*.example.com" or "https://b/"; see"#),
        case("says-issuer", "expected and actual issuer")
            .option("issuer", json!(["a", "*.b.example"]))
            .claim("iss", "x")
            .refused_saying("issuer_mismatch", r#"iss is "x", expected "a" or "*.b.example"; see route and issuer"#),
    ]
}

/// A demanded claim that is a string is quoted: the signature holds.
fn demanded() -> Vec<Case> {
    let said = |draft: Draft, message: &str| {
        draft.option("expect_claims", json!({"x": ["y", "z"]})).refused_saying(
            "claim_mismatch",
            format!("claim \"x\" is {message}; expect_claims demands one of [\"y\", \"z\"]"),
        )
    };
    vec![
        said(case("says-demanded-missing", "there is none"), "missing"),
        said(case("says-demanded-string", "it is another one").claim("x", "w"), r#""w""#),
    ]
}
