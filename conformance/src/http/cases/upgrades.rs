//! Upgrades: never exempt, verified when they open.

use serde_json::json;

use crate::http::{
    case::{Case, Feature, Running, get, request, script},
    expect,
    world::World,
};

pub(crate) fn cases(world: &World) -> Vec<Case> {
    let alice = world.mint(&world.alice());
    let on_health = |id: &str, value: &str| get(format!("upgrade-{id}"), "/health").header("Upgrade", value);
    let mut cases = vec![
        get("upgrade-exempt", "/health").websocket().refused("token_missing"),
        get("upgrade-exempt-below", "/public/a").websocket().refused("token_missing"),
        get("upgrade-exempt-bad-token", "/health").websocket().token("x.y.z").refused("token_malformed"),
        get("upgrade-elsewhere", "/reports").websocket().refused("token_missing"),
        get("upgrade-root-expired", "/")
            .websocket()
            .token(world.mint(&world.alice().expires_at(world.now - 600)))
            .refused("token_expired"),
        request("upgrade-post", "POST", "/health").websocket().body("").refused("token_missing"),
        on_health("without-connection", "websocket").refused("token_missing"),
        on_health("in-capitals", "WEBSOCKET").refused("token_missing"),
        on_health("unknown", "tls/1.0").header("Connection", "Upgrade").refused("token_missing"),
        on_health("list", "h2c, websocket").header("Connection", "Upgrade").refused("token_missing"),
        on_health("two-lines", "h2c").header("Upgrade", "websocket").refused("token_missing"),
        on_health("comma", ",").refused("token_missing"),
        on_health("empty", "").health(),
        on_health("h2c-without-connection", "h2c").health(),
        on_health("h2c-in-capitals", "H2C").health(),
    ];
    let h2c = |request: crate::http::case::Request| {
        request
            .header("Connection", "Upgrade, HTTP2-Settings")
            .header("Upgrade", "h2c")
            .header("HTTP2-Settings", "AAMAAABkAAQAAP__")
    };
    cases.extend([
        h2c(get("upgrade-h2c", "/health")).health(),
        h2c(get("upgrade-h2c-guarded", "/reports")).refused("token_missing"),
        h2c(get("upgrade-h2c-token", "/")).token(&alice).identity(world.alice_identity(json!({}))),
        h2c(get("upgrade-h2c-admin", "/admin")).token(&alice).refused("group_required"),
    ]);
    cases.extend([
        get("websocket-without-a-token", "/ws").websocket().refused("token_missing"),
        get("websocket-bad-token", "/ws").websocket().token("x.y.z").refused("token_malformed"),
        get("websocket-two-tokens", "/ws").websocket().token(&alice).token(&alice).refused("token_repeated"),
        get("websocket-with-a-query", "/ws?/health").websocket().refused("token_missing"),
        script("websocket", move |running| opens(running, &alice, "alice")).needs(Feature::WebSockets),
    ]);
    cases
}

/// The WebSocket opens, says who the subject is, and closes.
pub(crate) fn opens(running: &Running<'_>, token: &str, subject: &str) -> Result<(), String> {
    let mut request = get("websocket", "/ws").websocket();
    if !token.is_empty() {
        request = request.token(token);
    }
    let mut connection = running.open()?;
    connection.send(&request.bytes());
    let answer = connection.answer(false)?;
    let response = expect::response(&answer)?;
    if response.status != 101 {
        return Err(format!("expected 101, got {}", expect::shown(response)));
    }
    // A text frame, whole and not masked, then a frame that closes (RFC 6455 section 5.2)
    let frame = |connection: &mut crate::http::wire::Connection| -> Result<(u8, Vec<u8>), String> {
        let head = connection.take(2)?;
        Ok((head[0], connection.take(usize::from(head[1]))?))
    };
    let (kind, text) = frame(&mut connection)?;
    if (kind, text.as_slice()) != (0x81, subject.as_bytes()) {
        return Err(format!("expected one text message {subject:?}, got {kind:#x} {}", text.escape_ascii()));
    }
    match frame(&mut connection)? {
        (0x88, _) => Ok(()),
        (kind, text) => Err(format!("expected it to close then, got {kind:#x} {}", text.escape_ascii())),
    }
}
