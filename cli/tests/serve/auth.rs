//! `/auth`: its table.

use crate::world::{ISSUER, Serve, assertion, header, status};

#[test]
fn every_200_carries_every_header() {
    let serve = Serve::start(&["--proxy", "nginx", "--exempt-paths", "/health", "--set-header", "Remote-User=email"]);
    let names = [
        "x-auth-request-user",
        "x-auth-request-email",
        "x-auth-request-groups",
        "x-auth-request-preferred-username",
        "remote-user",
    ];
    let all = serve.get("/auth", &assertion());
    let values = names.map(|name| header(&all, name));
    let expected = ["alice", "alice@example.com", "staff", "alice@example.com", "alice@example.com"];
    assert_eq!((status(&all), values), ("200", expected.map(Some)), "{all}");

    let passed = serve.get("/auth", "X-Original-URL: /health\r\nRemote-User: root\r\n");
    assert_eq!((status(&passed), names.map(|name| header(&passed, name))), ("200", [Some(""); 5]), "{passed}");
}

/// What is asked of `serve --proxy ... --exempt-paths /health`, and the status of the answer.
#[test]
fn the_path_comes_from_one_family_alone() {
    let nginx = Serve::start(&["--proxy", "nginx", "--exempt-paths", "/health,/public/*"]);
    let caddy = Serve::start(&["--proxy", "caddy", "--exempt-paths", "/health"]);
    let none = Serve::start(&["--exempt-paths", "/health"]);
    let table = [
        (&nginx, "/auth", "X-Original-URL: /health\r\n", "200"),
        (&nginx, "/auth", "X-Original-URL: https://app.example.com/health?a=b\r\n", "200"),
        (&nginx, "/auth", "X-Original-URL: /public/a.css\r\n", "200"),
        (&nginx, "/auth", "X-Original-URL: /public/../admin\r\n", "401"),
        (&nginx, "/auth", "X-Original-URL: /public/%2e%2e/admin\r\n", "401"),
        (&nginx, "/auth", "X-Original-URL: /healthz\r\n", "401"),
        (&nginx, "/auth", "X-Original-URL: //x/health\r\n", "401"),
        (&nginx, "/auth", "X-Original-URL: /admin?/health\r\n", "401"),
        (&nginx, "/auth", "X-Original-URL: /admin#/health\r\n", "401"),
        (&nginx, "/auth", "X-Forwarded-Uri: /health\r\n", "401"),
        (&nginx, "/auth", "X-Original-URL: /admin\r\nX-Original-URL: /health\r\n", "400"),
        (&nginx, "/auth", "X-Original-URL: /health\r\nx-original-url: /health\r\n", "400"),
        (&nginx, "/auth", "X-Original-URL: /admin\r\nX-Forwarded-Uri: /health\r\n", "401"),
        (&nginx, "/auth", "X_Original_URL: /health\r\n", "401"),
        (&nginx, "/auth/health", "", "401"),
        (&nginx, "/auth", "X-Original-URL: /health\r\nUpgrade: websocket\r\n", "401"),
        (&nginx, "/auth", "X-Original-URL: /health\r\nUpgrade: h2c\r\n", "200"),
        (&caddy, "/auth", "X-Forwarded-Uri: /health\r\n", "200"),
        (&caddy, "/auth", "X-Original-URL: /health\r\n", "401"),
        (&caddy, "/auth", "X-Forwarded-Uri: /health\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", "401"),
        (&none, "/auth", "X-Original-URL: /health\r\nX-Forwarded-Uri: /health\r\n", "401"),
        (&none, "/health", "", "404"),
    ];
    for (serve, path, lines, expected) in table {
        let answer = serve.get(path, lines);
        assert_eq!(status(&answer), expected, "{path} {lines}: {answer}");
    }
}

#[test]
fn every_method_and_every_refusal_is_answered_as_the_core_says() {
    let serve = Serve::start(&["--require-group", "staff"]);
    let other = ISSUER.mint(&ISSUER.assertion().user("bob", "bob@example.com", "Bob"));
    let expired = ISSUER.mint(&ISSUER.assertion().user("bob", "b", "B").expires_at(1_700_000_000));
    for method in ["GET", "POST", "DELETE", "OPTIONS", "PROPFIND"] {
        let ask = |lines: &str| {
            serve.ask(&format!("{method} /auth/any/path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n"))
        };
        let token = |token: &str| format!("X-Pomerium-Jwt-Assertion: {token}\r\n");
        let table = [
            (assertion(), "200", ""),
            (String::new(), "401", "token_missing"),
            (token("x.y.z"), "401", "token_malformed"),
            (token(&expired), "401", "token_expired"),
            (token(&other), "403", "group_required"),
            (assertion() + &assertion(), "401", "token_repeated"),
        ];
        for (lines, expected, code) in table {
            let answer = ask(&lines);
            assert_eq!(status(&answer), expected, "{method} {code}: {answer}");
            assert!(code.is_empty() || answer.ends_with(&format!("{{\"error\":\"{code}\"}}")), "{answer}");
            assert_eq!(header(&answer, "cache-control"), Some("no-store"), "{answer}");
            assert_eq!(header(&answer, "www-authenticate").is_some(), expected == "401", "{answer}");
        }
    }
}

#[test]
fn without_keys_it_is_503_with_retry_after() {
    let route = [("POMERIUM_JWT_ROUTE", "http://127.0.0.1:1")];
    let serve = Serve::with(&route, &["--issuer", "127.0.0.1", "--audience", "127.0.0.1"]);
    let answer = serve.get("/auth", &assertion());
    assert_eq!(status(&answer), "503", "{answer}");
    assert!(header(&answer, "retry-after").is_some(), "{answer}");
    assert_eq!(status(&serve.get("/readyz", "")), "503", "asked, and no keys");
    assert_eq!(status(&serve.get("/healthz", "")), "200", "the process lives");
}
