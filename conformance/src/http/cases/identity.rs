//! Who is calling: the identity as JSON, the same in every language.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::http::{
    case::{Case, Exchange, Expect, Running, get, script},
    world::World,
};

pub(crate) fn cases(world: &World) -> Vec<Case> {
    let alice = || world.alice();
    let case = |id: &str, assertion: &pomerium_jwt_issuer::Assertion, different: Value| {
        get(format!("identity-{id}"), "/").token(world.mint(assertion)).identity(world.alice_identity(different))
    };
    let null = Value::Null;
    let hostile = "\u{1f600} \"Ada\" \\ <b>&amp;</b> \u{2028}\u{7f}\u{1}";
    vec![
        case("full", &alice(), json!({})),
        case(
            "minimal",
            &["user", "email", "name", "groups", "sid", "jti", "iat"].iter().fold(alice(), |a, name| a.without(name)),
            json!({"user": null, "email": null, "name": null, "groups": [], "session_id": null, "token_id": null,
                   "issued_at": null}),
        ),
        case(
            "empty-strings",
            &["user", "email", "name", "sid", "jti"].iter().fold(alice(), |a, name| a.claim(name, "")),
            json!({"user": null, "email": null, "name": null, "session_id": null, "token_id": null}),
        ),
        case("groups-null", &alice().claim("groups", null), json!({"groups": []})),
        case(
            "groups-of-other-types",
            &alice().claim("groups", json!([1, true, null, ["x"], {"b": 1, "a": 2}, "staff"])),
            json!({"groups": ["1", "true", "null", "[\"x\"]", "{\"a\":2,\"b\":1}", "staff"]}),
        ),
        case(
            "groups-with-names-of-objects",
            &alice().groups(["__proto__", "constructor", "", "a,b"]),
            json!({"groups": ["__proto__", "constructor", "", "a,b"]}),
        ),
        case("hostile-name", &alice().claim("name", hostile), json!({"name": hostile})),
        case("name-with-nul", &alice().claim("name", "a\0b"), json!({"name": "a\0b"})),
        case("no-latin", &alice().claim("name", "\u{5c71}\u{7530}"), json!({"name": "\u{5c71}\u{7530}"})),
        case(
            "several-audiences",
            &alice().claim("aud", json!(["other.example.com", "127.0.0.1"])),
            json!({"audience": ["other.example.com", "127.0.0.1"]}),
        ),
        case("issuer-as-uri", &alice().issuer("https://127.0.0.1/"), json!({"issuer": "https://127.0.0.1/"})),
        case(
            "times-with-fractions",
            &alice().claim("iat", world.now as f64 + 0.75).claim("exp", (world.now + 300) as f64 + 0.25),
            json!({}),
        ),
        case("largest-time", &alice().expires_at((1 << 53) - 1), json!({"expires_at": (1_i64 << 53) - 1})),
        case(
            "claims-that-look-like-fields",
            &alice().claim("subject", "root").claim("anonymous", true).claim("__proto__", json!({"subject": "root"})),
            json!({}),
        ),
        get("identity-admin", "/admin").token(world.mint(&world.ada())).identity(world.identity(
            "ada",
            &["staff", "admins"],
            json!({}),
        )),
        get("identity-with-a-query", "/?a=b&c").token(world.mint(&alice())).identity(world.alice_identity(json!({}))),
        get("identity-elsewhere", "/reports/2026").token(world.mint(&alice())).reached("alice"),
        get("demand-other-group", "/admin").token(world.mint(&alice())).refused("group_required"),
        get("demand-group-in-capitals", "/admin")
            .token(world.mint(&alice().groups(["Admins", "admin", "admins "])))
            .refused("group_required"),
        get("demand-group-within-a-name", "/admin")
            .token(world.mint(&alice().groups(["admins,staff"])))
            .refused("group_required"),
        get("demand-no-group", "/admin").token(world.mint(&alice().without("groups"))).refused("group_required"),
        get("demand-no-token", "/admin").refused("token_missing"),
        script("health-after-keys", healthy),
    ]
}

/// The keys are loaded, in every process that the server has: asking starts a fetch that is due.
fn healthy(running: &Running<'_>) -> Result<(), String> {
    let health = json!({"configured": true, "asked": true, "keys_loaded": true, "stale": false});
    let healthy = Exchange(get("", "/health"), Expect::Json(health));
    let begin = Instant::now();
    loop {
        match running.expect(&healthy) {
            Err(_) if begin.elapsed() < Duration::from_secs(5) => thread::sleep(Duration::from_millis(50)),
            outcome => return outcome,
        }
    }
}
