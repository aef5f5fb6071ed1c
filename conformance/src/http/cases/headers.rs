//! The header that carries the token: where it is looked for, and what is not it.

use serde_json::json;

use crate::http::{
    case::{Case, HEADER, Request, get, request},
    world::World,
};

pub(crate) fn cases(world: &World) -> Vec<Case> {
    [values(world), lines(world), other_places(world), sizes(world)].into_iter().flatten().collect()
}

/// One line, with this value.
fn values(world: &World) -> Vec<Case> {
    let alice = world.mint(&world.alice());
    let identity = || world.alice_identity(json!({}));
    let value = |id: &str, value: &str| get(format!("header-{id}"), "/").token(value);
    vec![
        get("header-absent", "/").refused("token_missing"),
        get("header-empty", "/").line(format!("{HEADER}:")).refused("token_missing"),
        value("blank", "   ").refused("token_missing"),
        value("blank-tabs", "\t \t").refused("token_missing"),
        value("bearer", &format!("Bearer {alice}")).identity(identity()),
        value("bearer-in-another-case", &format!("bEaReR {alice}")).identity(identity()),
        value("bearer-two-spaces", &format!("Bearer  {alice}")).refused("token_malformed"),
        value("basic", "Basic YWxpY2U6c2VjcmV0").refused("token_malformed"),
        value("spaces-around", &format!("  {alice} \t ")).identity(identity()),
        value("two-with-a-comma", &format!("{alice},{alice}")).refused("token_repeated"),
        value("comma-after", &format!("{alice},")).refused("token_repeated"),
        value("comma-alone", ",").refused("token_repeated"),
        value("quoted", &format!("\"{alice}\"")).refused("token_malformed"),
        value("space-within", &alice.replacen('.', " .", 1)).refused("token_malformed"),
        value("undefined", "undefined").refused("token_malformed"),
        get("header-high-bytes", "/").token([alice.as_bytes(), b"\xff\xfe"].concat()).refused("token_malformed"),
        get("header-nul", "/").token([alice.as_bytes(), b"\0"].concat()).refused("token_malformed"),
    ]
}

/// How the line is written, and several of them.
fn lines(world: &World) -> Vec<Case> {
    let alice = world.mint(&world.alice());
    let identity = || world.alice_identity(json!({}));
    let with = |id: &str, lines: &[String]| {
        lines.iter().fold(get(format!("header-{id}"), "/"), |request: Request, line| request.line(line))
    };
    let lower = HEADER.to_lowercase();
    let upper = HEADER.to_uppercase();
    vec![
        with("lower-case", &[format!("{lower}: {alice}")]).identity(identity()),
        with("upper-case", &[format!("{upper}:{alice}")]).identity(identity()),
        with("twice", &[format!("{HEADER}: {alice}"), format!("{HEADER}: {alice}")]).refused("token_repeated"),
        with("twice-in-another-case", &[format!("{lower}: {alice}"), format!("{upper}: {alice}")])
            .refused("token_repeated"),
        with("twice-apart", &[format!("{HEADER}: {alice}"), "X-A: b".to_owned(), format!("{HEADER}: x.y.z")])
            .refused("token_repeated"),
        with("good-after-an-empty-one", &[format!("{HEADER}:"), format!("{HEADER}: {alice}")])
            .refused("token_repeated"),
        with("empty-after-a-good-one", &[format!("{HEADER}: {alice}"), format!("{HEADER}: ")])
            .refused("token_repeated"),
        with("two-empty-ones", &[format!("{HEADER}:"), format!("{lower}:")]).refused("token_repeated"),
        with("folded", &[format!("{HEADER}: {}", &alice[..50]), format!(" {}", &alice[50..])])
            .refused("token_malformed"),
        with("space-before-the-colon", &[format!("{HEADER} : {alice}")]).refused("token_missing"),
        with("space-before-the-name", &["X-A: b".to_owned(), format!(" {HEADER}: {alice}")]).refused("token_missing"),
        with("with-underscores", &[format!("{}: {alice}", HEADER.replace('-', "_"))]).refused("token_missing"),
        with("with-mixed-underscores", &[format!("X_Pomerium-Jwt-Assertion: {alice}")]).refused("token_missing"),
        with("with-underscores-too", &[format!("{HEADER}: {alice}"), format!("{}: x.y.z", HEADER.replace('-', "_"))])
            .identity(identity()),
    ]
}

/// A token is looked for in one header and nowhere else.
fn other_places(world: &World) -> Vec<Case> {
    let alice = world.mint(&world.alice());
    // A server may log what was asked for: this one is not among the tokens that no log may hold
    let in_query = world.issuer.mint(&world.alice());
    let header = |name: &str| get(format!("elsewhere-{}", name.to_lowercase()), "/").header(name, &alice);
    vec![
        header("Authorization").refused("token_missing"),
        get("elsewhere-authorization-bearer", "/")
            .header("Authorization", format!("Bearer {alice}"))
            .refused("token_missing"),
        header("X-Pomerium-Jwt-Assertion-For").refused("token_missing"),
        header("X-Pomerium-Assertion").refused("token_missing"),
        header("Jwt-Assertion").refused("token_missing"),
        get("elsewhere-cookie", "/")
            .header("Cookie", format!("_pomerium={alice}; {HEADER}={alice}"))
            .refused("token_missing"),
        get("elsewhere-query", format!("/?jwt={in_query}&{HEADER}={in_query}&access_token={in_query}"))
            .refused("token_missing"),
        request("elsewhere-form", "POST", "/")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(format!("{HEADER}={alice}&access_token={alice}"))
            .refused("token_missing"),
        request("elsewhere-trailers", "POST", "/")
            .header("Trailer", HEADER)
            .chunked(&[b"a body"], &format!("{HEADER}: {alice}\r\n"))
            .refused("token_missing"),
        request("elsewhere-trailers-too", "POST", "/")
            .token(&alice)
            .header("Trailer", HEADER)
            .chunked(&[b"a body"], &format!("{HEADER}: x.y.z\r\n"))
            .reached("alice"),
    ]
}

fn sizes(world: &World) -> Vec<Case> {
    let groups: Vec<String> = (0..1_250).map(|number| format!("group-{number:04}@directory.example.com")).collect();
    let long = world.mint(&world.alice().groups(groups.clone()));
    assert!((55_000..62_000).contains(&long.len()), "a token of 60 kB, not {} bytes", long.len());
    let many = (0..60)
        .fold(get("header-many-others", "/"), |request, number| request.header(&format!("X-Other-{number}"), "value"));
    vec![
        get("header-60-kb", "/").token(&long).identity(world.alice_identity(json!({"groups": groups}))),
        get("header-60-kb-of-nothing", "/").token("a".repeat(60_000)).refused("token_malformed"),
        many.token(world.mint(&world.alice())).identity(world.alice_identity(json!({}))),
    ]
}
