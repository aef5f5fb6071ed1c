//! Middleware in front of ours: CORS answers preflights and marks refusals, another one rewrites the path.

use serde_json::json;

use crate::http::{
    case::{Case, Feature, Request, Running, get, request, script},
    expect,
    starts::ORIGIN,
    wire::Response,
    world::World,
};

pub(crate) fn cases(world: &World) -> Vec<Case> {
    let cors = cors(world).into_iter().map(|case| case.needs(Feature::Cors));
    cors.chain(rewrites(world)).collect()
}

fn cors(world: &World) -> Vec<Case> {
    let alice = world.mint(&world.alice());
    let guest = world.mint(&world.user("guest", &["guests"]));
    let expired = world.mint(&world.alice().expires_at(world.now - 600));
    let from = |id: &str, target: &str| get(id, target).header("Origin", ORIGIN);
    vec![
        script("cors-preflight", |running| preflight(running, ORIGIN, "/reports", answered)),
        script("cors-preflight-root", |running| preflight(running, ORIGIN, "/", answered)),
        script("cors-preflight-admin", |running| preflight(running, ORIGIN, "/admin", answered)),
        script("cors-preflight-other-origin", |running| {
            preflight(running, "https://evil.example.com", "/reports", unanswered)
        }),
        script("cors-preflight-null-origin", |running| preflight(running, "null", "/reports", unanswered)),
        script("cors-options-without-a-method", |running| {
            let answer = running.ask(&request("", "OPTIONS", "/reports").header("Origin", ORIGIN))?;
            reached_nothing(expect::response(&answer)?)
        }),
        with_origin("cors-401", from("", "/reports"), Some("token_missing")),
        with_origin("cors-401-root", from("", "/"), Some("token_missing")),
        with_origin("cors-401-expired", from("", "/reports").token(&expired), Some("token_expired")),
        with_origin(
            "cors-401-delete",
            request("", "DELETE", "/reports").header("Origin", ORIGIN),
            Some("token_missing"),
        ),
        with_origin("cors-403", from("", "/reports").token(guest), Some("group_required")),
        with_origin("cors-200", from("", "/").token(&alice), None),
        with_origin("cors-200-exempt", from("", "/health"), None),
        get("cors-no-origin", "/reports").refused("token_missing"),
        get("cors-no-origin-token", "/").token(&alice).identity(world.alice_identity(json!({}))),
        get("cors-websocket", "/health").header("Origin", ORIGIN).websocket().refused("token_missing"),
    ]
}

/// What a browser asks first. It has no token, and its answer says what may be sent.
fn preflight(
    running: &Running<'_>,
    origin: &str,
    target: &str,
    judge: fn(&Response) -> Result<(), String>,
) -> Result<(), String> {
    let ask = request("preflight", "OPTIONS", target)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "DELETE")
        .header("Access-Control-Request-Headers", "authorization");
    let answer = running.ask(&ask)?;
    let response = expect::response(&answer)?;
    judge(response).map_err(|why| format!("{why}\n    the answer: {}", expect::shown(response)))
}

fn answered(response: &Response) -> Result<(), String> {
    reached_nothing(response)?;
    let lists = |name: &str, word: &str| {
        let values = response.header(name).unwrap_or_default().to_ascii_lowercase();
        values.split(',').any(|value| value.trim() == word)
    };
    if matches!(response.status, 200 | 204)
        && response.header("access-control-allow-origin") == Some(ORIGIN)
        && lists("access-control-allow-methods", "delete")
        && lists("access-control-allow-headers", "authorization")
    {
        return Ok(());
    }
    Err("expected 200 or 204 with Access-Control-Allow-Origin, -Methods: DELETE and -Headers: Authorization: the CORS \
         middleware must stand in front of ours"
        .to_owned())
}

/// Nothing is allowed for another origin, no matter who answers.
fn unanswered(response: &Response) -> Result<(), String> {
    reached_nothing(response)?;
    match response.header("access-control-allow-origin") {
        None | Some(ORIGIN) => Ok(()),
        Some(origin) => Err(format!("{origin} is allowed, and only {ORIGIN} is")),
    }
}

fn reached_nothing(response: &Response) -> Result<(), String> {
    if response.text().contains("reached") {
        return Err(format!("an OPTIONS without a token has reached a handler: {}", expect::shown(response)));
    }
    Ok(())
}

/// An answer that the browser lets the page read: it names the origin.
fn with_origin(id: &str, request: Request, refused: Option<&'static str>) -> Case {
    script(id, move |running| {
        let answer = running.ask(&request)?;
        let response = expect::response(&answer)?;
        let judged = match refused {
            Some(code) => expect::refused(response, code, false),
            None if response.status == 200 => Ok(()),
            None => Err("expected 200".to_owned()),
        };
        let named = match response.header("access-control-allow-origin") {
            Some(ORIGIN) => Ok(()),
            _ => Err(format!("expected Access-Control-Allow-Origin: {ORIGIN}, without which no page can read it")),
        };
        judged.and(named).map_err(|why| format!("{why}\n    the answer: {}", expect::shown(response)))
    })
}

/// `/public/page` is exempt as a path, and is given to the handler of `/admin`.
fn rewrites(world: &World) -> Vec<Case> {
    let ask = |id: &str, target: &str| get(format!("rewritten-{id}"), target).needs(Feature::Rewrite);
    vec![
        ask("exempt", "/public/page").refused("token_missing"),
        ask("exempt-with-a-query", "/public/page?a=b").refused("token_missing"),
        ask("exempt-staff", "/public/page").token(world.mint(&world.alice())).refused("group_required"),
        ask("exempt-admin", "/public/page").token(world.mint(&world.ada())).identity(world.identity(
            "ada",
            &["staff", "admins"],
            json!({}),
        )),
        ask("exempt-bad-token", "/public/page").token("x.y.z").refused("token_malformed"),
        get("rewritten-neighbour", "/public/pages").passed(),
        get("option-require-group-list", "/")
            .token(world.mint(&world.alice()))
            .identity(world.alice_identity(json!({}))),
    ]
}
