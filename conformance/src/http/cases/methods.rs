//! Every method, preflights, and headers that claim to be another method.

use crate::http::{
    case::{Case, Request, get, request},
    starts::ORIGIN,
    world::World,
};

pub(crate) fn cases(world: &World) -> Vec<Case> {
    let alice = world.mint(&world.alice());
    let methods = ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "BREW"];
    let each = methods.into_iter().flat_map(|method| {
        let id = method.to_lowercase();
        let ask = |id: String| match method {
            "POST" | "PUT" | "PATCH" => request(id, method, "/reports").body("a=b"),
            _ => request(id, method, "/reports"),
        };
        [
            ask(format!("method-{id}-without-a-token")).refused("token_missing"),
            ask(format!("method-{id}")).token(&alice).reached("alice"),
        ]
    });
    let others = [
        request("method-lower-case", "get", "/reports").refused("token_missing"),
        request("method-head-root-without-a-token", "HEAD", "/").refused("token_missing"),
        request("method-head-root", "HEAD", "/").token(&alice).identity(serde_json::Value::Null),
        request("method-post-root", "POST", "/").body("").token(&alice).reached("alice"),
        request("method-delete-admin", "DELETE", "/admin").token(&alice).reached("alice"),
        request("method-head-expired", "HEAD", "/")
            .token(world.mint(&world.alice().expires_at(world.now - 600)))
            .refused("token_expired"),
        get("method-1-0", "/").version_1_0().refused("token_missing"),
        get("method-1-0-token", "/reports").version_1_0().token(&alice).reached("alice"),
    ];
    each.chain(others).chain(preflights()).chain(overrides(&alice)).collect()
}

fn preflight(request: Request) -> Request {
    request.header("Origin", ORIGIN).header("Access-Control-Request-Method", "DELETE")
}

/// Requests like any other.
fn preflights() -> Vec<Case> {
    let ask = |id: &str, target: &str| preflight(request(format!("preflight-{id}"), "OPTIONS", target));
    vec![
        ask("root", "/").refused("token_missing"),
        ask("reports", "/reports").refused("token_missing"),
        ask("with-headers", "/reports")
            .header("Access-Control-Request-Headers", "authorization,x-pomerium-jwt-assertion")
            .refused("token_missing"),
        ask("bad-token", "/reports").token("x.y.z").refused("token_malformed"),
        ask("private-network", "/reports")
            .header("Access-Control-Request-Private-Network", "true")
            .refused("token_missing"),
        ask("exempt", "/public/a").passed(),
    ]
}

/// Some applications let a client name another method than it uses. Ours is in front of that.
fn overrides(alice: &str) -> Vec<Case> {
    let overriding = |header: &str, method: &str| {
        let id = format!("override-{}-{}", header.to_lowercase(), method.to_lowercase());
        request(id, "POST", "/reports").header(header, method).body("a=b")
    };
    vec![
        overriding("X-HTTP-Method-Override", "OPTIONS").refused("token_missing"),
        overriding("X-HTTP-Method-Override", "HEAD").refused("token_missing"),
        overriding("X-HTTP-Method", "OPTIONS").refused("token_missing"),
        overriding("X-Method-Override", "GET").refused("token_missing"),
        request("override-query", "POST", "/reports?_method=OPTIONS").body("").refused("token_missing"),
        request("override-form", "POST", "/reports")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body("_method=OPTIONS")
            .refused("token_missing"),
        preflight(request("override-preflight", "OPTIONS", "/reports"))
            .header("X-HTTP-Method-Override", "DELETE")
            .refused("token_missing"),
        preflight(get("override-preflight-headers-of-a-get", "/reports")).refused("token_missing"),
        overriding("X-HTTP-Method-Override", "PUT").token(alice).reached("alice"),
        get("rewrite-header-original", "/reports").header("X-Original-URL", "/health").refused("token_missing"),
        get("rewrite-header-rewrite", "/reports").header("X-Rewrite-URL", "/health").refused("token_missing"),
        get("rewrite-header-forwarded", "/reports")
            .header("X-Forwarded-Uri", "/health")
            .header("X-Forwarded-Prefix", "/health")
            .header("X-Script-Name", "/health")
            .refused("token_missing"),
        get("rewrite-header-exempt", "/public/a").header("X-Original-URL", "/admin").passed(),
    ]
}
