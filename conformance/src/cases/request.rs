//! The request options, as `verify` sees them: `require_group` holds for every verification, the others are for
//! `admit` (`requests.json`), and are read all the same.

use serde_json::json;

use crate::case::{Case, case};

pub(crate) fn cases() -> Vec<Case> {
    let group = |id: &str, groups: serde_json::Value| {
        case(id, "a caller of verify is held too").option("require_group", groups)
    };
    vec![
        group("require-group-member", json!("staff")).accepted(),
        group("require-group-one-of", json!(["admins", "staff"])).accepted(),
        group("require-group-none-of", json!(["admins", "owners"]))
            .refused_saying("group_required", "\"admins\", \"owners\""),
        group("require-group-no-groups", json!("staff")).claim("groups", json!([])).refused("group_required"),
        group("require-group-after-expect-claims", json!("admins"))
            .option("expect_claims", json!({"hd": "example.com"}))
            .refused("claim_mismatch"),
        group("require-group-anonymous-has-none", json!("staff"))
            .option("allow_anonymous", true)
            .claim("sub", "")
            .refused("group_required"),
        group("require-group-empty-list", json!([])).invalid("require_group"),
        group("require-group-and-optional", json!("staff")).option("optional", true).invalid("contradict"),
        case("optional-accepted", "an option of admit").option("optional", true).accepted(),
        case("exempt-paths-accepted", "an option of admit")
            .option("exempt_paths", json!(["/health", "/public/*"]))
            .accepted(),
        case("exempt-paths-refused", "an option of admit").option("exempt_paths", "/*").invalid("exempt_paths"),
        case("header-name-accepted", "an option of integrations").option("header_name", "Authorization").accepted(),
        case("header-name-refused", "an option of integrations").option("header_name", "").invalid("header_name"),
    ]
}
