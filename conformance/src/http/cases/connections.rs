//! Several requests on one connection: no refusal confuses the next request, and no body is taken for one.

use serde_json::json;

use crate::http::{
    case::{Case, Exchange, Expect, Request, Running, get, request, script},
    expect,
    wire::Answer,
    world::World,
};

/// What a body holds that a careless server would read as the next request.
const SMUGGLED: &[u8] = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

pub(crate) fn cases(world: &World) -> Vec<Case> {
    let alice = world.mint(&world.alice());
    let good = Exchange(get("", "/").token(&alice), Expect::Json(world.alice_identity(json!({}))));
    let refused = Exchange(get("", "/"), Expect::Refused("token_missing"));
    let health = Exchange(get("", "/health"), Expect::Health);
    let large = vec![b'x'; 1 << 20];
    let post = |body: &[u8]| request("", "POST", "/reports").body(body);
    let after = |id: &str, first: Request| {
        let second = good.clone();
        script(format!("connection-after-{id}"), move |running| then(running, &first, &second))
    };
    let chunked = |chunks: &[&[u8]]| request("", "POST", "/reports").chunked(chunks, "");
    vec![
        pipelined("pipelined", &[&refused, &good, &refused, &health, &good]),
        pipelined("pipelined-good-first", &[&good, &refused, &good]),
        pipelined("pipelined-post", &[&Exchange(post(SMUGGLED), Expect::Refused("token_missing")), &good]),
        after("a-refusal", get("", "/")),
        after("a-refused-body", post(SMUGGLED)),
        after("a-refused-large-body", post(&large)),
        after("refused-chunks", chunked(&[SMUGGLED, b"more"])),
        after("refused-large-chunks", chunked(&[&large[..], b"more"])),
        after("a-refused-empty-body", post(b"")),
        after("a-refused-exempt-upgrade", get("", "/health").websocket()),
        script("connection-takes-no-body-for-a-request", smuggling),
        script("expect-continue-refused", continue_refused),
        script("expect-continue", move |running| continue_reached(running, &alice)),
        get("connection-close", "/").header("Connection", "close").refused("token_missing"),
        get("connection-names-the-header", "/")
            .token(world.mint(&world.alice()))
            .header("Connection", "close, X-Pomerium-Jwt-Assertion")
            .identity(world.alice_identity(json!({}))),
    ]
}

/// All at once, answered in their order.
fn pipelined(id: &str, exchanges: &[&Exchange]) -> Case {
    let exchanges: Vec<Exchange> = exchanges.iter().map(|&exchange| exchange.clone()).collect();
    script(format!("connection-{id}"), move |running| {
        let mut connection = running.open()?;
        let bytes: Vec<u8> = exchanges.iter().flat_map(|Exchange(request, _)| request.bytes()).collect();
        connection.send(&bytes);
        for (number, Exchange(_, expect)) in exchanges.iter().enumerate() {
            let answer = connection.answer(false)?;
            if number > 0 && matches!(answer, Answer::Closed) {
                return Err(format!("the connection ended after {number} of {} answers", exchanges.len()));
            }
            expect::compare(&answer, expect, false).map_err(|why| format!("answer {}: {why}", number + 1))?;
        }
        Ok(())
    })
}

/// A refusal, then a good request on the same connection: it is answered, or the connection has ended.
fn then(running: &Running<'_>, first: &Request, second: &Exchange) -> Result<(), String> {
    let mut connection = running.open()?;
    // A server may answer before it has read a large body; whether it then reads the rest is its business
    let bytes = first.bytes();
    let (begin, rest) = bytes.split_at(bytes.len().min(32 * 1024));
    connection.send(begin);
    if !rest.is_empty() {
        connection.is_quiet()?;
    }
    // The answer may be there already; it is not lost if the server has closed and the rest is in vain
    connection.send(rest);
    let answer = connection.answer(false)?;
    expect::compare(&answer, &Expect::Refused("token_missing"), false)?;
    if !connection.send(&second.0.bytes()) {
        return Ok(());
    }
    match connection.answer(false)? {
        Answer::Closed => Ok(()),
        answer => expect::compare(&answer, &second.1, false).map_err(|why| format!("the second request: {why}")),
    }
}

/// Exactly one answer to a request whose body looks like another one.
fn smuggling(running: &Running<'_>) -> Result<(), String> {
    let mut connection = running.open()?;
    connection.send(&request("", "POST", "/reports").header("Connection", "close").body(SMUGGLED).bytes());
    expect::compare(&connection.answer(false)?, &Expect::Refused("token_missing"), false)?;
    match connection.answer(false)? {
        Answer::Closed => Ok(()),
        Answer::Response(response) => Err(format!("the body was taken for a request: {}", expect::shown(&response))),
    }
}

/// The refusal comes whether or not the server asks for the body first.
fn continue_refused(running: &Running<'_>) -> Result<(), String> {
    let ask = request("", "POST", "/reports").header("Expect", "100-continue").body("a body");
    let mut connection = running.open()?;
    connection.send(&ask.head());
    // A server may ask for the body and read it before anybody looks at the request
    connection.is_quiet()?;
    connection.send(b"a body");
    expect::compare(&connection.answer(false)?, &Expect::Refused("token_missing"), false)
}

fn continue_reached(running: &Running<'_>, token: &str) -> Result<(), String> {
    let ask = request("", "POST", "/reports").token(token).header("Expect", "100-continue").body("a body");
    let mut connection = running.open()?;
    connection.send(&ask.head());
    connection.is_quiet()?;
    connection.send(b"a body");
    let reached = json!({"reached": true, "subject": "alice"});
    expect::compare(&connection.answer(false)?, &Expect::Json(reached), false)
}
