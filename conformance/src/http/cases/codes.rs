//! Every code that a token can get, with options that demand something: static keys, the header `Authorization`.

use pomerium_jwt_issuer::Assertion;
use serde_json::{Value, json};

use crate::http::{
    case::{Case, get, request},
    world::World,
};

pub(crate) fn cases(world: &World) -> Vec<Case> {
    [tokens(world), options(world)].into_iter().flatten().collect()
}

/// Olga of the IT department, in the group `ops`.
fn olga(world: &World) -> Assertion {
    world.user("olga", &["ops"]).claim("department", "it")
}

/// One for each code, in the order in which they are judged.
fn tokens(world: &World) -> Vec<Case> {
    let olga = || olga(world);
    let now = world.now;
    let good = world.mint(&olga());
    let key = world.issuer.signing_key();
    let header = |member: &str| key.jose_header().replacen('{', &format!("{{{member},"), 1);
    let (input, _) = good.rsplit_once('.').expect("a token has dots");
    let code =
        |id: &str, token: &str| get(format!("code-{id}"), "/").header("Authorization", format!("Bearer {token}"));
    let claims = |id: &str, assertion: &Assertion| code(id, &world.mint(assertion));
    vec![
        get("code-missing", "/").refused("token_missing"),
        code("repeated", &good).header("Authorization", &good).refused("token_repeated"),
        claims("too-large", &olga().groups(vec!["g".repeat(100); 50])).refused("token_too_large"),
        code("malformed", "eyJhbGciOiJFUzI1NiJ9.e30").refused("token_malformed"),
        code("malformed-header", &world.with_header(r#"{"alg":"ES256","alg":"ES256"}"#, &olga()))
            .refused("token_malformed"),
        code("algorithm-none", &world.with_header(r#"{"alg":"none"}"#, &olga())).refused("algorithm_not_allowed"),
        code("algorithm-hmac", &world.with_header(r#"{"alg":"HS256"}"#, &olga())).refused("algorithm_not_allowed"),
        code("algorithm-rsa", &world.with_header(r#"{"alg":"RS256"}"#, &olga())).refused("algorithm_not_allowed"),
        code("header-crit", &world.with_header(&header(r#""crit":["b64"],"b64":false"#), &olga()))
            .refused("header_unsupported"),
        code("header-typ", &world.with_header(&key.jose_header().replace("JWT", "at+jwt"), &olga()))
            .refused("header_unsupported"),
        code("key-not-found", &world.foreign(&olga())).refused("key_not_found"),
        code("signature", &format!("{input}.{}", "A".repeat(86))).refused("signature_invalid"),
        code("signature-short", &format!("{input}.AAAA")).refused("signature_invalid"),
        claims("claims-malformed", &olga().claim("sub", 7)).refused("claims_malformed"),
        claims("claims-without-exp", &olga().without("exp")).refused("claims_malformed"),
        claims("expired", &olga().issued_at(now - 60).expires_at(now - 30)).refused("token_expired"),
        claims("not-yet-valid", &olga().claim("nbf", now + 600)).refused("token_not_yet_valid"),
        claims("issued-in-future", &olga().issued_at(now + 600).expires_at(now + 900))
            .refused("token_issued_in_future"),
        claims("too-old", &olga().issued_at(now - 200)).refused("token_too_old"),
        claims("issuer", &olga().issuer("other.example.com")).refused("issuer_mismatch"),
        claims("audience", &olga().audience("other.example.com")).refused("audience_mismatch"),
        claims("audience-empty", &olga().claim("aud", json!([]))).refused("audience_mismatch"),
        claims("subject", &world.anonymous().claim("department", "it")).refused("subject_missing"),
        claims("claim", &olga().claim("department", "sales")).refused("claim_mismatch"),
        claims("claim-missing", &olga().without("department")).refused("claim_mismatch"),
        claims("group", &olga().groups(["staff"])).refused("group_required"),
        claims("group-none", &olga().claim("groups", Value::Null)).refused("group_required"),
    ]
}

/// What these options let in, and where they look.
fn options(world: &World) -> Vec<Case> {
    let good = world.mint(&olga(world));
    let bearer = |id: &str, token: &str| get(id, "/").header("Authorization", format!("Bearer {token}"));
    let identity = |groups: &[&str]| world.identity("olga", groups, json!({}));
    let of_groups = |groups: &[&str]| world.mint(&olga(world).groups(groups.iter().copied()));
    vec![
        bearer("option-header-name", &good).identity(identity(&["ops"])),
        get("option-header-name-without-bearer", "/").header("authorization", &good).identity(identity(&["ops"])),
        get("option-header-name-basic", "/").header("Authorization", "Basic b2xnYTpi").refused("token_malformed"),
        get("option-header-name-bearer-alone", "/").header("Authorization", "Bearer ").refused("token_malformed"),
        get("option-header-name-replaces", "/").token(&good).refused("token_missing"),
        bearer("option-header-name-others-do-not-count", &good).token("x.y.z").identity(identity(&["ops"])),
        bearer("option-require-group-with-a-comma", &of_groups(&["a,b"])).identity(identity(&["a,b"])),
        bearer("option-require-group-half-a-name", &of_groups(&["a", "b"])).refused("group_required"),
        bearer("option-require-group-case", &of_groups(&["Ops", "A,B"])).refused("group_required"),
        get("option-require-group-and-the-route", "/admin").header("Authorization", &good).refused("group_required"),
        request("option-require-group-everywhere", "DELETE", "/reports")
            .header("Authorization", of_groups(&["staff"]))
            .refused("group_required"),
        bearer("option-expect-claims-second", &world.mint(&olga(world).claim("department", "hr")))
            .identity(identity(&["ops"])),
        get("option-exempt-demands-nothing", "/health").health(),
        get("option-exempt-with-a-bad-token", "/health").header("Authorization", "Bearer x.y.z").health(),
    ]
}
