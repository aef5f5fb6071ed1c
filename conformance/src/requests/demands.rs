//! What one route demands on top of the options: a signed-in user, or one of some groups.

use serde_json::json;

use super::{Draft, RequestCase, request};

pub(crate) fn cases() -> Vec<RequestCase> {
    let anonymous = |draft: Draft| draft.option("allow_anonymous", true).anonymous();
    let optional = |draft: Draft| draft.option("optional", true).without_token();
    let exempt = |draft: Draft| draft.option("exempt_paths", "/reports").without_token();
    let user = |id: &str, note: &str| request(id, note).require_user();
    let group = |id: &str, groups: &[&str]| request(id, "at least one of the route's groups").require_group(groups);
    vec![
        user("user-signed-in", "alice").admitted(),
        optional(user("user-optional", "a request that passed has no user")).refused("token_missing"),
        exempt(user("user-exempt", "nor has an exempt one")).refused("token_missing"),
        user("user-marked-public", "nor one to a public endpoint")
            .marked_public()
            .without_token()
            .refused("token_missing"),
        anonymous(user("user-anonymous", "an anonymous identity is not a user")).refused("subject_missing"),
        user("user-expired", "a refusal stays what it is").claim("exp", 1_700_000_300).refused("token_expired"),
        group("route-group-member", &["staff"]).admitted(),
        group("route-group-one-of-two", &["admins", "staff"]).admitted(),
        group("route-group-not-a-member", &["admins"]).refused("group_required"),
        group("route-group-with-a-comma", &["a,b"]).admitted(),
        group("route-group-is-not-split", &["staff,admins"]).refused("group_required"),
        group("route-group-part", &["a"]).refused("group_required"),
        group("route-group-in-capitals", &["STAFF"]).refused("group_required"),
        group("route-group-empty-name", &[""]).refused("group_required"),
        group("route-group-empty-list", &[]).refused("invalid_argument"),
        optional(group("route-group-optional", &["staff"])).refused("token_missing"),
        optional(group("route-group-optional-empty-list", &[])).refused("invalid_argument"),
        exempt(group("route-group-exempt", &["staff"])).refused("token_missing"),
        anonymous(group("route-group-anonymous", &["staff"])).refused("subject_missing"),
        group("route-group-anonymous-with-groups", &["staff"])
            .option("allow_anonymous", true)
            .claim("sub", "")
            .refused("subject_missing"),
        group("route-group-and-option", &["a,b"]).option("require_group", "staff").admitted(),
        group("route-group-after-the-option", &["staff"]).option("require_group", "admins").refused("group_required"),
        group("route-group-bad-token", &["staff"]).token("x").refused("token_malformed"),
        group("route-group-number", &["7"]).claim("groups", json!([7])).admitted_as(json!({"groups": ["7"]})),
    ]
}
