//! If several things are wrong, the first check in the documented order decides.

use serde_json::json;

use crate::{
    case::{Case, Draft, case},
    fixtures::{EXP, HOST, KEY, NOW, OTHER, key_set},
};

pub(crate) fn cases() -> Vec<Case> {
    [each_with_all_behind_it(), neighbours(), by_hand()].concat()
}

/// What can be wrong, in the order in which it is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Fault {
    Now,
    Missing,
    TooLarge,
    Comma,
    Parts,
    Base64,
    HeaderJson,
    KeyId,
    Type,
    Critical,
    Algorithm,
    NoKeys,
    Signature,
    PayloadJson,
    ClaimType,
    Expired,
    NotYetValid,
    IssuedInFuture,
    TooOld,
    Issuer,
    Audience,
    Pairing,
    Subject,
    Demanded,
}

use Fault::*;

const ORDER: [(Fault, &str); 24] = [
    (Now, "invalid_argument"),
    (Missing, "token_missing"),
    (TooLarge, "token_too_large"),
    (Comma, "token_repeated"),
    (Parts, "token_malformed"),
    (Base64, "token_malformed"),
    (HeaderJson, "token_malformed"),
    (KeyId, "token_malformed"),
    (Type, "header_unsupported"),
    (Critical, "header_unsupported"),
    (Algorithm, "algorithm_not_allowed"),
    (NoKeys, "keys_empty"),
    (Signature, "signature_invalid"),
    (PayloadJson, "claims_malformed"),
    (ClaimType, "claims_malformed"),
    (Expired, "token_expired"),
    (NotYetValid, "token_not_yet_valid"),
    (IssuedInFuture, "token_issued_in_future"),
    (TooOld, "token_too_old"),
    (Issuer, "issuer_mismatch"),
    (Audience, "audience_mismatch"),
    (Pairing, "audience_mismatch"),
    (Subject, "subject_missing"),
    (Demanded, "claim_mismatch"),
];

/// One case a fault: it and everything after it is wrong at once. Together they decide every pair.
fn each_with_all_behind_it() -> Vec<Case> {
    let from = |(at, (fault, code)): (usize, &(Fault, &'static str))| {
        let mut faults = vec![*fault];
        for (next, _) in &ORDER[at + 1..] {
            if faults.iter().all(|earlier| !exclude(*earlier, *next)) {
                faults.push(*next);
            }
        }
        let id = format!("order-{:02}-and-all-behind", at + 1);
        with_faults(&id, &faults).refused(code)
    };
    ORDER.iter().enumerate().map(from).collect()
}

/// Each fault with the next one that can be there too.
fn neighbours() -> Vec<Case> {
    let pair = |at: usize| {
        let (fault, code) = ORDER[at];
        let (next, _) = ORDER[at + 1..].iter().find(|(next, _)| !exclude(fault, *next))?;
        Some(with_faults(&format!("order-{:02}-and-next", at + 1), &[fault, *next]).refused(code))
    };
    (0..ORDER.len()).filter_map(pair).collect()
}

/// Two faults that one case cannot have.
fn exclude(first: Fault, second: Fault) -> bool {
    let pairs = [(Issuer, Pairing), (Audience, Pairing), (IssuedInFuture, TooOld), (Now, Missing)];
    (first == Missing && second != NoKeys) || pairs.contains(&(first, second))
}

fn with_faults(id: &str, faults: &[Fault]) -> Draft {
    let named: Vec<String> = faults.iter().map(|fault| format!("{fault:?}")).collect();
    let has = |fault: Fault| faults.contains(&fault);
    let draft = case(id, format!("wrong at once: {}", named.join(", "))).header(header(&has));
    let mut draft = faults.iter().fold(draft, |draft, fault| with_claims(draft, *fault));
    if has(PayloadJson) {
        draft = draft.payload_member(r#""zzz":1,"zzz":1"#);
    }
    draft.text(|token| text(token, &has))
}

fn header(has: &impl Fn(Fault) -> bool) -> String {
    let either = |fault, bad: &str, good: String| if has(fault) { bad.to_owned() } else { good };
    format!(
        r#"{{"alg":"{}","kid":{},"typ":"{}"{}{}}}"#,
        either(Algorithm, "none", "ES256".to_owned()),
        either(KeyId, "1", format!("{:?}", KEY.thumbprint())),
        either(Type, "at+jwt", "JWT".to_owned()),
        either(Critical, r#","crit":["x"]"#, String::new()),
        either(HeaderJson, r#","x":1,"x":1"#, String::new()),
    )
}

fn with_claims(draft: Draft, fault: Fault) -> Draft {
    match fault {
        Now => draft.at(-1),
        TooLarge => draft.option("max_token_bytes", 1024).claim("department", "x".repeat(1000)),
        NoKeys => draft.keys(json!({"keys": []})),
        ClaimType => draft.claim("email", 1),
        Expired => draft.claim("exp", NOW - 1000),
        NotYetValid => draft.claim("nbf", NOW + 1000),
        IssuedInFuture => draft.claim("iat", NOW + 1000),
        TooOld => draft.option("max_token_age", 1).claim("iat", NOW - 1000),
        Issuer => draft.claim("iss", "evil.example"),
        Audience => draft.claim("aud", "evil.example"),
        Pairing => draft.option("issuer", "*.example.com").option("audience", "other").claim("aud", "other"),
        Subject => draft.claim("sub", ""),
        Demanded => draft.option("expect_claims", json!({"department": "R&D"})),
        Missing | Comma | Parts | Base64 | HeaderJson | KeyId | Type | Critical | Algorithm | Signature
        | PayloadJson => draft,
    }
}

/// What is wrong with the text alone.
fn text(token: String, has: &impl Fn(Fault) -> bool) -> String {
    let mut token = if has(Signature) { token.replace(&token[token.len() - 8..], "AAAAAAAA") } else { token };
    for (fault, behind) in [(Base64, "=="), (Parts, ".AAAA"), (Comma, ",AAAA")] {
        if has(fault) {
            token += behind;
        }
    }
    if has(Missing) { String::new() } else { token }
}

/// What the order leaves to the codes of keys, and pairs far apart.
fn by_hand() -> Vec<Case> {
    let unknown_kid = format!(r#"{{"alg":"ES256","kid":"{}","typ":"JWT"}}"#, OTHER.thumbprint());
    let url = "https://app.example.com/jwks.json";
    let named = |id: &str, note: &str| case(format!("order-{id}"), note);
    let expired = |draft: Draft| draft.at(EXP + 1000);
    vec![
        named("now-and-missing", "a time out of range, and no token").at(-1).token("").refused("invalid_argument"),
        named("missing-and-unavailable", "no token, and no keys can be loaded").source("jwks_url", url).token("").refused("token_missing"),
        named("malformed-and-unavailable", "a bad token, and no keys can be loaded").source("jwks_url", url).token("x").refused("token_malformed"),
        named("algorithm-and-unavailable", "a bad alg: no key need be looked for")
            .source("jwks_url", url)
            .header(KEY.jose_header().replace("ES256", "HS256"))
            .refused("algorithm_not_allowed"),
        expired(named("unavailable-and-expired", "no keys can be loaded: what the token says is not known"))
            .source("jwks_url", url)
            .refused("keys_unavailable"),
        named("unavailable-and-signature", "no keys can be loaded: nor is it known whether the signature holds")
            .source("jwks_url", url)
            .signed_by(&OTHER)
            .refused("keys_unavailable"),
        named("empty-and-kid", "an empty set and an unknown kid").keys(json!({"keys": []})).header(&unknown_kid).refused("keys_empty"),
        named("kid-and-signature", "an unknown kid and a bad signature").header(&unknown_kid).signed_by(&OTHER).refused("key_not_found"),
        expired(named("kid-and-expired", "an unknown kid in a token that has expired")).header(&unknown_kid).refused("key_not_found"),
        named("kid-and-payload", "an unknown kid and no JSON").header(&unknown_kid).payload("x").refused("key_not_found"),
        expired(named("signature-and-expired", "expired and badly signed: says signature (CVE-2024-51744)"))
            .signed_by(&OTHER)
            .refused("signature_invalid"),
        named("signature-length-and-payload", "a signature too short, and no JSON")
            .payload("x")
            .signature(|signature| signature[..10].to_vec())
            .refused("signature_invalid"),
        named("type-and-critical", "both say the same").header_member(r#""crit":["x"]"#).header_member(r#""cty":"x""#).refused("header_unsupported"),
        named("claims-and-expired", "a later claim of the wrong type is said before an earlier one is judged")
            .claim("sub", 1)
            .at(EXP + 1000)
            .refused("claims_malformed"),
        named("jti-and-issuer", "the type of jti before the value of iss").claim("jti", 1).claim("iss", "x").refused("claims_malformed"),
        expired(named("expired-and-demanded", "the first and the last")).option("expect_claims", json!({"x": "y"})).refused("token_expired"),
        named("two-keys-one-kid-and-signature", "two keys under one kid are none: the signature is not tried")
            .keys(json!({"keys": [crate::fixtures::jwk(&KEY), crate::fixtures::jwk_with(&OTHER, json!({"kid": KEY.thumbprint()}))]}))
            .signed_by(&OTHER)
            .refused("keys_empty"),
        named("anonymous-and-audience", "nobody, for another application").claim("sub", "").claim("aud", "other").refused("audience_mismatch"),
        named("demanded-first", "of several demanded claims the first by name is said")
            .option("expect_claims", json!({"b": "x", "a": "x"}))
            .refused_saying("claim_mismatch", "\"a\""),
        named("good", "and with nothing wrong").keys(key_set(&[&OTHER, &KEY])).option("audience", json!(["x", HOST])).accepted(),
    ]
}
