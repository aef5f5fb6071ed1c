//! The request options: what they take, which contradict each other, and `with`.

use serde_json::json;

use super::{RequestCase, request};

pub(crate) fn cases() -> Vec<RequestCase> {
    [header_name(), require_group(), with(), with_invalid()].concat()
}

fn header_name() -> Vec<RequestCase> {
    let long = "a".repeat(64);
    let named = |id: &str, name: &str| request(id, "where an integration finds the token").option("header_name", name);
    vec![
        named("header-name-default", "X-Pomerium-Jwt-Assertion").admitted(),
        named("header-name-authorization", "Authorization").text(|token| format!("Bearer {token}")).admitted(),
        named("header-name-64", &long).admitted(),
        named("header-name-65", &format!("{long}a")).invalid("header_name"),
        named("header-name-empty", "").invalid("header_name"),
        named("header-name-underscore", "X_Pomerium_Jwt_Assertion").invalid("header_name"),
        named("header-name-colon", "X-Pomerium:").invalid("header_name"),
        named("header-name-space", "X Pomerium").invalid("header_name"),
        named("header-name-newline", "X-Pomerium\n").invalid("header_name"),
        named("header-name-not-ascii", "X-Pom\u{e9}rium").invalid("header_name"),
        request("header-name-list", "one name").option("header_name", json!(["A"])).invalid("header_name"),
    ]
}

fn require_group() -> Vec<RequestCase> {
    let group = |id: &str, groups: serde_json::Value| {
        request(id, "every verification is held to the option").option("require_group", groups)
    };
    vec![
        group("group-member", json!("staff")).admitted(),
        group("group-one-of-two", json!(["admins", "staff"])).admitted(),
        group("group-not-a-member", json!("admins")).refused("group_required"),
        group("group-none-of-two", json!(["admins", "owners"])).refused("group_required"),
        group("group-with-a-comma", json!(["a,b"])).admitted(),
        group("group-comma-is-not-split", json!("a")).refused("group_required"),
        group("group-in-capitals", json!("Staff")).refused("group_required"),
        group("group-with-a-space", json!(" staff")).refused("group_required"),
        group("group-part-of-a-name", json!("sta")).refused("group_required"),
        group("group-number-by-its-text", json!("7")).claim("groups", json!([7])).admitted_as(json!({"groups": ["7"]})),
        group("group-no-groups", json!("staff")).claim("groups", json!([])).refused("group_required"),
        group("group-null-groups", json!("staff")).claim("groups", json!(null)).refused("group_required"),
        group("group-missing-groups", json!("staff")).without_claim("groups").refused("group_required"),
        group("group-after-expect-claims", json!("admins"))
            .option("expect_claims", json!({"hd": "example.com"}))
            .refused("claim_mismatch"),
        group("group-after-times", json!("admins")).claim("exp", 1_700_000_300).refused("token_expired"),
        group("group-anonymous-refused-before", json!("staff")).anonymous().refused("subject_missing"),
        group("group-anonymous-has-none", json!("staff"))
            .option("allow_anonymous", true)
            .claim("sub", "")
            .refused("group_required"),
        group("group-without-a-token", json!("staff")).without_token().refused("token_missing"),
        group("group-empty-list", json!([])).invalid("require_group"),
        group("group-empty-name", json!(["staff", ""])).invalid("require_group"),
        group("group-64", json!((0..64).map(|n| format!("g{n}")).collect::<Vec<_>>())).refused("group_required"),
        group("group-65", json!((0..65).map(|n| format!("g{n}")).collect::<Vec<_>>())).invalid("require_group"),
        group("group-and-optional", json!("staff")).option("optional", true).invalid("optional"),
        group("group-and-optional-false", json!("staff")).option("optional", false).admitted(),
    ]
}

fn with() -> Vec<RequestCase> {
    let base =
        |id: &str, note: &str| request(id, note).option("exempt_paths", "/health").option("require_group", "staff");
    vec![
        base("with-nothing", "all stays").with(json!({})).path("/health").without_token().passed(),
        base("with-nothing-group", "all stays").with(json!({})).claim("groups", json!([])).refused("group_required"),
        base("with-group", "what is named is replaced")
            .with(json!({"require_group": "admins"}))
            .refused("group_required"),
        base("with-group-list", "by a list too").with(json!({"require_group": ["admins", "a,b"]})).admitted(),
        base("with-group-keeps-paths", "what is not named stays")
            .with(json!({"require_group": "admins"}))
            .path("/health")
            .without_token()
            .passed(),
        base("with-paths", "the old ones are not exempt any more")
            .with(json!({"exempt_paths": ["/live"]}))
            .path("/health")
            .without_token()
            .refused("token_missing"),
        base("with-paths-new", "the new ones are")
            .with(json!({"exempt_paths": ["/live"]}))
            .path("/live")
            .without_token()
            .passed(),
        base("with-header-name", "another header, the same rules")
            .with(json!({"header_name": "Authorization"}))
            .admitted(),
        request("with-optional", "on").with(json!({"optional": true})).without_token().passed(),
        request("with-optional-off", "and off")
            .option("optional", true)
            .with(json!({"optional": false}))
            .without_token()
            .refused("token_missing"),
        request("with-optional-off-and-group", "together they do not contradict each other")
            .option("optional", true)
            .with(json!({"optional": false, "require_group": "staff"}))
            .admitted(),
    ]
}

fn with_invalid() -> Vec<RequestCase> {
    let with = |id: &str, options: serde_json::Value| request(id, "not a request option, or a bad one").with(options);
    vec![
        with("with-route", json!({"route": "https://app.example.com"})).invalid("route"),
        with("with-issuer", json!({"issuer": "app.example.com"})).invalid("issuer"),
        with("with-leeway", json!({"leeway": 60})).invalid("leeway"),
        with("with-keys", json!({"jwks": {"keys": []}})).invalid("jwks"),
        with("with-unknown", json!({"require_groups": "a"})).invalid("require_group"),
        with("with-null", json!({"require_group": null})).invalid("require_group"),
        with("with-bad-path", json!({"exempt_paths": "/*"})).invalid("exempt_paths"),
        with("with-bad-header-name", json!({"header_name": "a b"})).invalid("header_name"),
        with("with-empty-group", json!({"require_group": []})).invalid("require_group"),
        with("with-list", json!([])).invalid("write an object"),
        with("with-optional-and-group", json!({"optional": true})).option("require_group", "staff").invalid("optional"),
    ]
}
