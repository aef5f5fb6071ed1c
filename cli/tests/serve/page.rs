//! The page, its JSON, and the variables of Pomerium's course.

use std::process::Command;

use serde_json::Value;

use crate::world::{ISSUER, Serve, alice, assertion, header, status};

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").expect("a body").1
}

fn json(answer: &str) -> Value {
    serde_json::from_str(body(answer)).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn the_page_has_no_script_and_shows_who_is_calling() {
    let serve = Serve::start(&[]);
    let page = serve.get("/", &assertion());
    assert_eq!(status(&page), "200", "{page}");
    let policy = header(&page, "content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("style-src 'self';"), "{policy}");
    for text in ["<h1>Verified</h1>", "alice@example.com", "staff", "/.pomerium/sign_out", "ES256"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("<script") && !page.contains("NOT VERIFIED") && !page.contains(&alice()), "{page}");
}

#[test]
fn unverified_claims_are_marked_and_markup_stays_text() {
    let serve = Serve::start(&[]);
    let name = "<img src=x onerror=alert(1)>";
    let token = ISSUER.mint(&ISSUER.assertion().user("alice", "a@b", name).expires_at(1_700_000_000));
    let page = serve.get("/", &format!("X-Pomerium-Jwt-Assertion: {token}\r\nX-Pomerium-Claim-Email: \"><b>\r\n"));
    assert_eq!(status(&page), "200", "{page}");
    for text in ["<h1>Not verified</h1>", "token_expired", "NOT VERIFIED: what the token says", "&lt;img src=x"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("<img") && !page.contains("<b>"), "{page}");
}

#[test]
fn strict_answers_as_an_application_would() {
    let serve = Serve::start(&["--strict"]);
    for path in ["/", "/json"] {
        assert_eq!(status(&serve.get(path, "")), "401", "{path}");
        assert_eq!(status(&serve.get(path, &assertion())), "200", "{path}");
    }
}

#[test]
fn the_json_has_the_members_of_the_course() {
    let serve = Serve::start(&[]);
    for path in ["/json", "/api/verify-info"] {
        let shown = json(&serve.get(path, &assertion()));
        let identity = shown["identity"].as_object().expect("an identity");
        for name in ["iss", "sub", "aud", "exp", "iat", "jti", "groups", "user", "email", "name", "public_key"] {
            assert!(identity.contains_key(name), "{name}: {shown}");
        }
        assert_eq!((&shown["valid"], &shown["error"]), (&true.into(), &Value::Null), "{shown}");
        assert_eq!(shown["request"]["method"], "GET");
        assert!(shown["headers"]["X-Pomerium-Jwt-Assertion"][0].is_string(), "{shown}");
        assert_eq!(shown["keys"]["keys"][0]["usable"], true, "{shown}");
    }
    let refused = json(&serve.get("/json", ""));
    assert_eq!((&refused["valid"], &refused["identity"]), (&false.into(), &Value::Null));
    assert!(refused["error"].as_str().is_some_and(|error| error.starts_with("token_missing")), "{refused}");
}

#[test]
fn headers_are_shown_and_secrets_shortened() {
    let serve = Serve::start(&[]);
    let lines = "Cookie: session=0123456789abcdef\r\nAuthorization: Bearer 0123456789abcdef\r\nX-Other: \"<&\r\n";
    let shown = json(&serve.get("/headers", &format!("{lines}{}", assertion())));
    assert_eq!(shown["X-Pomerium-Jwt-Assertion"][0].as_str().map(str::len), Some(alice().len()), "{shown}");
    assert_eq!(shown["Cookie"][0], "session=0123... (24 bytes)");
    assert_eq!(shown["Authorization"][0], "Bearer 01234... (23 bytes)");
    assert_eq!(shown["X-Other"][0], "\"<&");
}

#[test]
fn the_courses_variables_are_understood() {
    let (url, host) = (ISSUER.key_set_url(), "127.0.0.1");
    let named =
        [("JWKS_ENDPOINT", &*url), ("EXPECTED_JWT_ISSUER", host), ("EXPECTED_JWT_AUDIENCE", host), ("PORT", "0")];
    let serve = Serve::with(&named, &[]);
    assert_eq!(status(&serve.get("/auth", &assertion())), "200");
    assert!(!serve.get("/", &assertion()).contains("Any route is accepted"));

    let container = [("JWKS_ENDPOINT", "http://127.0.0.1:1/keys"), ("POMERIUM_JWT_ROUTE", ISSUER.url())];
    let serve = Serve::with(&container, &[]);
    assert_eq!(status(&serve.get("/auth", &assertion())), "200", "the route's keys beat JWKS_ENDPOINT");

    let alone = Serve::with(&named[..1], &[]);
    let page = alone.get("/", &assertion());
    assert!(page.contains("<h1>Verified</h1>") && page.contains("Any route is accepted"), "{page}");
    let answer = alone.get("/auth", &assertion());
    assert_eq!((status(&answer), body(&answer)), ("500", r#"{"error":"invalid_options"}"#), "{answer}");
}

#[test]
fn what_could_let_in_anybody_does_not_start() {
    let url = ISSUER.key_set_url();
    let table = [
        (vec![], vec![], "audience is missing"),
        (vec![("JWKS_ENDPOINT", &*url)], vec!["--upstream", "http://127.0.0.1:1"], "--upstream needs --route"),
        (vec![("POMERIUM_JWT_ROUTE", ISSUER.url())], vec!["--upstream", "https://a"], "must begin with http://"),
        (vec![("POMERIUM_JWT_ROUTE", ISSUER.url())], vec!["--upstream", "http://a/b"], "has a path"),
        (
            vec![("POMERIUM_JWT_ROUTE", ISSUER.url())],
            vec!["--proxy", "traefik", "--exempt-paths", "/health"],
            "do not tell WebSockets",
        ),
        (vec![("POMERIUM_JWT_ROUTE", ISSUER.url())], vec!["--proxy", "envoy", "--exempt-paths", "/a"], "do not tell"),
        (vec![("POMERIUM_JWT_ROUTE", ISSUER.url())], vec!["--set-header", "Host=email"], "meaning of its own"),
        (vec![("POMERIUM_JWT_ROUTE", ISSUER.url()), ("PORT", "x")], vec![], "PORT: "),
    ];
    for (environment, arguments, expected) in table {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pomerium-jwt"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(&arguments).env_clear().envs(environment);
        let output = command.output().expect("it ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(expected) && output.stdout.is_empty(), "{arguments:?}: {errors}");
    }
}
