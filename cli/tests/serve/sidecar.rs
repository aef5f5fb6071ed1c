//! `--upstream` under the shapes that attackers use on such proxies.

use std::io::{Read as _, Write as _};

use crate::world::{Serve, alice, ask, assertion, echo, header, open, read_request, status, upstream};

/// A client's own identity headers, in every spelling.
const FORGED: &str = "X-Auth-Request-User: root\r\nx_auth_request_user: root\r\nX.Auth.Request.User: root\r\n\
    X-AUTH-REQUEST-EMAIL: root@example.com\r\nX-Auth_Request-Groups: admins\r\nREMOTE_USER: root\r\n\
    Remote-User: root\r\nX_Pomerium_Jwt_Assertion: x.y.z\r\n";

#[test]
fn no_identity_header_of_a_client_arrives() {
    let serve = Serve::start(&["--upstream", &echo(), "--set-header", "Remote-User=email"]);
    let seen = serve.get("/a", &format!("{FORGED}{}", assertion()));
    assert_eq!(status(&seen), "200", "{seen}");
    for forged in ["root", "admins", "x.y.z"] {
        assert!(!seen.contains(forged), "{forged} arrives: {seen}");
    }
    let expected = [
        ("x-auth-request-user", "alice"),
        ("x-auth-request-email", "alice@example.com"),
        ("x-auth-request-groups", "staff"),
        ("x-auth-request-preferred-username", "alice@example.com"),
        ("remote-user", "alice@example.com"),
    ];
    for (name, value) in expected {
        assert_eq!(header(&seen, name), Some(value), "{name}: {seen}");
    }
}

#[test]
fn a_request_that_passes_has_no_identity_at_all() {
    let serve = Serve::start(&["--upstream", &echo(), "--exempt-paths", "/health"]);
    let seen = serve.get("/health", &format!("{FORGED}{}", assertion()));
    assert_eq!(status(&seen), "200", "{seen}");
    let lower = seen.to_lowercase();
    assert!(!lower.contains("auth_request") && !lower.contains("auth-request"), "{seen}");
    assert!(!lower.contains("jwt-assertion") && !lower.contains("jwt_assertion"), "{seen}");
}

#[test]
fn connection_cannot_remove_what_is_set() {
    let serve = Serve::start(&["--upstream", &echo()]);
    let named = "Connection: X-Auth-Request-User, X-Auth-Request-Groups, X-Pomerium-Jwt-Assertion, Host\r\n";
    let request = format!("GET /a HTTP/1.1\r\nHost: app\r\n{named}Connection: close\r\n{}\r\n", assertion());
    let seen = serve.ask(&request);
    assert_eq!(header(&seen, "x-auth-request-user"), Some("alice"), "{seen}");
    assert_eq!(header(&seen, "x-auth-request-groups"), Some("staff"), "{seen}");
    assert_eq!(header(&seen, "host"), Some("app"), "{seen}");
    assert!(header(&seen, "x-pomerium-jwt-assertion").is_some(), "{seen}");
}

#[test]
fn what_two_servers_read_differently_is_refused() {
    let serve = Serve::start(&["--upstream", &echo()]);
    let token = assertion();
    let table = [
        ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n".to_owned(), ""),
        ("the same host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n".to_owned(), ""),
        ("no host", "GET / HTTP/1.1\r\n".to_owned(), ""),
        ("length and coding", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), "0\r\n\r\n"),
        ("coding and length", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), "0\r\n\r\n"),
        ("two lengths", post("Content-Length: 1\r\nContent-Length: 2\r\n"), "ab"),
        ("unknown coding", post("Transfer-Encoding: gzip\r\n"), "ab"),
        ("coding after chunked", post("Transfer-Encoding: chunked, identity\r\n"), "0\r\n\r\n"),
        ("length with a sign", post("Content-Length: +2\r\n"), "ab"),
        ("space before the colon", post("Content-Length : 2\r\n"), "ab"),
        ("folded", post("X-A: b\r\n c: d\r\n"), ""),
        ("bare CR", post("X-A: b\rX-Auth-Request-User: root\r\n"), ""),
        ("CONNECT", "CONNECT app:80 HTTP/1.1\r\nHost: app:80\r\n".to_owned(), ""),
    ];
    for (name, head, body) in table {
        let answer = serve.ask(&format!("{head}Connection: close\r\n{token}\r\n{body}"));
        assert!(["400", "501"].contains(&status(&answer)), "{name}: {answer}");
        assert!(!answer.contains("alice"), "{name} went through: {answer}");
    }
}

fn post(lines: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: app\r\n{lines}")
}

#[test]
fn a_path_arrives_byte_for_byte() {
    let serve = Serve::start(&["--upstream", &echo()]);
    let table = [
        ("/a%2fb/%2e%2E/./c//d;e=f?g=%20h&i", "/a%2fb/%2e%2E/./c//d;e=f?g=%20h&i"),
        ("//evil.example.com/a", "//evil.example.com/a"),
        ("http://other.example.com/a?b", "/a?b"),
        ("/a/../health", "/a/../health"),
        ("*", "*"),
    ];
    for (target, expected) in table {
        let seen = serve.get(target, &assertion());
        let line = format!("\r\n\r\nGET {expected} HTTP/1.1\r\n");
        assert!(seen.contains(&line), "{target}: {seen}");
    }
    let seen = serve.get("http://other.example.com/a", &assertion());
    assert_eq!(header(&seen, "host"), Some("other.example.com"), "an absolute target names the host: {seen}");
}

#[test]
fn bodies_arrive_and_trailers_do_not() {
    let serve = Serve::start(&["--upstream", &echo()]);
    let head = post("Transfer-Encoding: chunked\r\nTrailer: X-Auth-Request-User\r\nConnection: close\r\n");
    let seen = serve.ask(&format!("{head}{}\r\n3\r\nabc\r\n0\r\nX-Auth-Request-User: root\r\n\r\n", assertion()));
    assert_eq!(status(&seen), "200", "{seen}");
    assert!(seen.contains("abc") && !seen.contains("root"), "{seen}");
    assert_eq!(header(&seen, "trailer"), None, "{seen}");

    let part = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nxyz";
    let head = post(&format!("Content-Length: {}\r\nConnection: close\r\n", part.len()));
    let seen = serve.ask(&format!("{head}{}\r\n{part}", assertion()));
    assert!(seen.ends_with(part), "a body that looks like a head is a body: {seen}");
}

#[test]
fn no_upgrade_but_a_websocket_is_forwarded() {
    let serve = Serve::start(&["--upstream", &echo()]);
    for protocol in ["h2c", "TLS/1.0", "websocket, h2c", "foo"] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: app\r\nUpgrade: {protocol}\r\nConnection: Upgrade, close\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nHTTP2-Settings: AAAA\r\n{}\r\n",
            assertion()
        );
        let seen = serve.ask(&request);
        assert_eq!(status(&seen), "200", "{protocol}: {seen}");
        let (_, arrived) = seen.split_once("\r\n\r\n").expect("a body");
        assert_eq!((header(arrived, "upgrade"), header(arrived, "http2-settings")), (None, None), "{protocol}: {seen}");
    }
}

#[test]
fn a_websocket_is_a_tunnel_once_the_upstream_has_agreed() {
    let agreeing = upstream(|mut stream| {
        let request = read_request(&mut stream);
        let shown = String::from_utf8_lossy(&request).to_lowercase();
        assert!(shown.contains("upgrade: websocket") && shown.contains("x-auth-request-user: alice"), "{shown}");
        let _ = stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello");
        let mut heard = [0; 4];
        let _ = stream.read_exact(&mut heard);
        let _ = stream.write_all(&heard);
    });
    let serve = Serve::start(&["--upstream", &agreeing]);
    let mut stream = open(serve.address);
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: app\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{}\r\nping",
        assertion()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), "101", "{answer}");
    assert!(answer.ends_with("helloping"), "{answer}");
}

#[test]
fn a_switch_that_nobody_asked_for_is_refused() {
    let switching = upstream(|mut stream| {
        read_request(&mut stream);
        let _ = stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nsecret");
    });
    let serve = Serve::start(&["--upstream", &switching]);
    let answer = serve.get("/", &assertion());
    assert_eq!(status(&answer), "502", "{answer}");
    assert!(!answer.contains("secret"), "{answer}");
}

#[test]
fn a_hanging_and_a_dying_upstream_hold_up_nobody() {
    let hanging = upstream(|stream| {
        std::thread::park();
        drop(stream);
    });
    let serve = Serve::start(&["--upstream", &hanging, "--upstream-timeout", "1"]);
    let answer = serve.get("/", &assertion());
    assert_eq!(status(&answer), "504", "{answer}");
    assert!(answer.contains(r#"{"error":"upstream_timeout"}"#), "{answer}");
    assert_eq!(status(&serve.get("/", "")), "401", "who is refused does not wait");

    let dying = upstream(drop);
    let serve = Serve::start(&["--upstream", &dying]);
    let answer = serve.get("/", &assertion());
    assert_eq!(status(&answer), "502", "{answer}");
    assert!(answer.contains(r#"{"error":"upstream_failed"}"#), "{answer}");
    let told = serve.logs("upstream: ");
    assert!(!told.contains(&alice()), "{told}");

    let nobody = Serve::start(&["--upstream", "http://127.0.0.1:1"]);
    assert_eq!(status(&nobody.get("/", &assertion())), "502");
}

#[test]
fn probes_are_on_the_other_address_alone() {
    let serve = Serve::start(&["--upstream", &echo(), "--admin-listen", "127.0.0.1:0"]);
    assert_eq!(status(&serve.get("/metrics", "")), "401", "every path belongs to the upstream");
    let line = serve.logs("page, probes and metrics on http://");
    let admin = line.rsplit("http://").next().and_then(|address| address.trim().parse().ok()).expect("an address");
    let get = |path: &str| ask(admin, &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    assert_eq!(status(&get("/healthz")), "200");
    assert!(get("/metrics").contains("pomerium_jwt_verifications_total{code=\"token_missing\"} 1"));
}

/// HTTP/1.1 to the first, HTTP/2 from the first to the second, HTTP/1.1 to the application.
#[test]
fn http_2_is_spoken_on_both_sides() {
    let second = Serve::start(&["--upstream", &echo(), "--set-header", "Remote-User=email"]);
    let upstream = format!("h2c://{}", second.address);
    let first = Serve::start(&["--upstream", &upstream, "--exempt-paths", "/health"]);
    let head = post("Content-Length: 3\r\nCookie: a=1\r\nConnection: close\r\n");
    let seen = first.ask(&format!("{head}{FORGED}{}\r\nabc", assertion()));
    assert_eq!(status(&seen), "200", "{seen}");
    assert!(seen.ends_with("abc") && !seen.contains("root"), "{seen}");
    assert_eq!(header(&seen, "x-auth-request-user"), Some("alice"), "{seen}");
    let named = first.ask(&format!("GET / HTTP/1.1\r\nHost: evil:1\r\nConnection: close\r\n{}\r\n", assertion()));
    assert_eq!(
        header(&named, "host"),
        Some(&*second.address.to_string()),
        "it never connects where a client says: {named}"
    );
    assert_eq!(status(&first.get("/health", &assertion())), "401", "without an identity no assertion is passed on");
}
