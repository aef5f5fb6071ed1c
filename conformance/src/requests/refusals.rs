//! Every code that a request can get, with the response to it.

use serde_json::json;

use super::{MINTED, RequestCase, request};
use crate::fixtures::{HOST, KEY, OTHER, RSA};

pub(crate) fn cases() -> Vec<RequestCase> {
    vec![
        request("refused-missing", "nothing came").without_token().refused("token_missing"),
        request("refused-repeated", "two came").token("a.b.c,a.b.c").refused("token_repeated"),
        request("refused-too-large", "longer than max_token_bytes")
            .option("max_token_bytes", 1024)
            .token(json!([["a", 1025]]))
            .refused("token_too_large"),
        request("refused-malformed", "not three parts").token("a.b").refused("token_malformed"),
        request("refused-malformed-with-nul", "any byte may come").token("a.b.\u{0}").refused("token_malformed"),
        request("refused-none", "alg none").header(r#"{"alg":"none"}"#).refused("algorithm_not_allowed"),
        request("refused-rs256", "RS256 is not in algorithms").minted_by(&RSA).refused("algorithm_not_allowed"),
        request("refused-crit", "crit").header_member(r#""crit":["exp"]"#).refused("header_unsupported"),
        request("refused-foreign-key", "another deployment's key").minted_by(&OTHER).refused("key_not_found"),
        request("refused-signature", "signed with another key").signed_by(&OTHER).refused("signature_invalid"),
        request("refused-claims", "exp is a string").claim("exp", "1").refused("claims_malformed"),
        request("refused-expired", "long ago").claim("exp", MINTED + 300).refused("token_expired"),
        request("refused-not-yet", "nbf in 2099").claim("nbf", 4_100_000_000_i64).refused("token_not_yet_valid"),
        request("refused-future", "iat in 2099").claim("iat", 4_100_000_000_i64).refused("token_issued_in_future"),
        request("refused-too-old", "older than max_token_age").option("max_token_age", 300).refused("token_too_old"),
        request("refused-issuer", "another issuer").claim("iss", "other.example.com").refused("issuer_mismatch"),
        request("refused-audience", "another audience").claim("aud", "other.example.com").refused("audience_mismatch"),
        request("refused-anonymous", "nobody is signed in").anonymous().refused("subject_missing"),
        request("refused-claim", "expect_claims")
            .option("expect_claims", json!({"hd": "example.com"}))
            .refused("claim_mismatch"),
        request("refused-group", "require_group").option("require_group", "admins").refused("group_required"),
        request("refused-no-keys", "an empty set: 503 without Retry-After, it is the options that must change")
            .option("jwks", json!({"keys": null}))
            .refused("keys_empty"),
        request("refused-no-keys-missing", "what is wrong with the token itself comes first")
            .option("jwks", json!({"keys": null}))
            .without_token()
            .refused("token_missing"),
        request("admitted-anonymous", "allow_anonymous: an identity, and nobody")
            .option("allow_anonymous", true)
            .anonymous()
            .admitted_as(json!({
                "subject": "", "user": null, "email": null, "name": null, "groups": [], "anonymous": true
            })),
        request("admitted-uri-issuer", "jwt_issuer_format: uri")
            .claim("iss", format!("https://{HOST}/"))
            .admitted_as(json!({"issuer": format!("https://{HOST}/")})),
        request("admitted-rs256", "if it is in algorithms")
            .option("algorithms", json!(["RS256"]))
            .option("jwks", crate::fixtures::key_set(&[&RSA]))
            .minted_by(&RSA)
            .admitted(),
        request("admitted-two-keys", "appended before a rotation")
            .option("jwks", crate::fixtures::key_set(&[&OTHER, &KEY]))
            .admitted(),
    ]
}
