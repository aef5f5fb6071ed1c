//! What a message says: the facts that help, in the same words in every language.

use serde_json::{Value, json};

use crate::case::{Case, case};

pub(crate) fn cases() -> Vec<Case> {
    [kinds(), audiences(), demanded()].concat()
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
                format!("claim \"x\" is {said}, expect_claims demands one of [\"y\"]"),
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
    let said = |id: &str, note: &str, message: &str| {
        let draft = case(format!("says-demanded-{id}"), note).option("expect_claims", json!({"x": ["y", "z"]}));
        (draft, format!("claim \"x\" is {message}, expect_claims demands one of [\"y\", \"z\"]"))
    };
    let (missing, message) = said("missing", "there is none", "missing");
    let missing = missing.refused_saying("claim_mismatch", message);
    let (other, message) = said("string", "it is another one", "\"w\"");
    vec![missing, other.claim("x", "w").refused_saying("claim_mismatch", message)]
}
