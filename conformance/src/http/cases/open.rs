//! `optional` and `allow_anonymous`: requests without a token pass, tokens without a subject are somebody's.

use serde_json::{Value, json};

use super::upgrades::opens;
use crate::http::{
    case::{Case, Expect, Feature, get, request, script},
    world::World,
};

pub(crate) fn cases(world: &World) -> Vec<Case> {
    let alice = world.mint(&world.alice());
    let ada = world.mint(&world.ada());
    let anonymous = world.mint(&world.anonymous());
    let expired = world.mint(&world.alice().expires_at(world.now - 600));
    let (for_alice, for_nobody) = (alice.clone(), anonymous.clone());
    vec![
        get("optional-without-a-token", "/").expecting(Expect::Json(Value::Null)),
        get("optional-blank", "/").token("  ").expecting(Expect::Json(Value::Null)),
        get("optional-elsewhere", "/reports").passed(),
        request("optional-post", "POST", "/reports").body("a=b").passed(),
        request("optional-preflight", "OPTIONS", "/reports")
            .header("Origin", "https://front.example.com")
            .header("Access-Control-Request-Method", "DELETE")
            .passed(),
        get("optional-token", "/").token(&alice).identity(world.alice_identity(json!({}))),
        get("optional-malformed", "/").token("x.y.z").refused("token_malformed"),
        get("optional-expired", "/").token(&expired).refused("token_expired"),
        get("optional-two", "/").token(&alice).token(&alice).refused("token_repeated"),
        get("optional-two-empty", "/").token("").token("").refused("token_repeated"),
        get("optional-other-application", "/")
            .token(world.mint(&world.alice().audience("other.example.com")))
            .refused("audience_mismatch"),
        get("optional-upgrade-bad-token", "/reports").websocket().token("x.y.z").refused("token_malformed"),
        get("anonymous", "/").token(&anonymous).identity(world.nobody()),
        get("anonymous-elsewhere", "/reports").token(&anonymous).reached(""),
        get("anonymous-without-sub", "/").token(world.mint(&world.anonymous().without("sub"))).identity(world.nobody()),
        // The route's own demand, which no option can lift
        get("demand-passed-on-an-exempt-path", "/admin").refused("token_missing"),
        get("demand-exempt-path-with-a-token", "/admin").token(&ada).refused("token_missing"),
        get("demand-exempt-path-with-a-bad-token", "/admin").token("x.y.z").refused("token_missing"),
        get("demand-query", "/admin?a").refused("token_missing"),
        get("demand-upgrade", "/admin").header("Upgrade", "tls/1.0").token(&anonymous).refused("subject_missing"),
        get("demand-upgrade-group", "/admin").header("Upgrade", "tls/1.0").token(&alice).refused("group_required"),
        get("demand-upgrade-admin", "/admin").header("Upgrade", "tls/1.0").token(&ada).identity(world.identity(
            "ada",
            &["staff", "admins"],
            json!({}),
        )),
        get("open-exempt", "/open/a").token(&expired).passed(),
        script("websocket-optional", |running| opens(running, "", "")).needs(Feature::WebSockets),
        script("websocket-optional-token", move |running| opens(running, &for_alice, "alice"))
            .needs(Feature::WebSockets),
        script("websocket-anonymous", move |running| opens(running, &for_nobody, "")).needs(Feature::WebSockets),
        get("websocket-optional-bad-token", "/ws").websocket().token("x.y.z").refused("token_malformed"),
    ]
}
