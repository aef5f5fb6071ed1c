//! Every address of the server over real sockets, and its life from start to drop.

use std::{
    io::{ErrorKind, Read as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    thread,
};

use crate::http::{Answer, connect, receive, request, send};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pomerium_jwt_issuer::{KEY_SET_PATH, Rotation, Server, ServerOptions, SigningKey, Withdrawal, compact};
use serde_json::{Value, json};

fn start() -> Server {
    Server::start(ServerOptions::default()).expect("loopback has a free port")
}

fn get(server: &Server, path: &str) -> Answer {
    request(server.address(), &format!("GET {path}"), "", "")
}

fn post(server: &Server, path: &str) -> Answer {
    request(server.address(), &format!("POST {path}"), "", "")
}

/// The claims of a token, after making sure that this server's key signed it (ES256 here is deterministic).
fn claims(server: &Server, token: &str) -> Value {
    let parts: Vec<Vec<u8>> =
        token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url parts")).collect();
    let key = server.signing_key();
    assert_eq!(parts[0], key.jose_header().as_bytes());
    assert_eq!(token, compact(&parts[0], &parts[1], &key), "signed by another key");
    serde_json::from_slice(&parts[1]).expect("JSON")
}

#[test]
fn the_key_set_is_served_as_pomerium_does() {
    let server = Server::start(ServerOptions { max_age: 7, ..ServerOptions::default() }).expect("a free port");
    let plain = get(&server, KEY_SET_PATH);
    assert_eq!((plain.status, &plain.body), (200, &server.key_set()));
    for (name, expected) in [
        ("Content-Type", "application/json"),
        ("Content-Length", plain.body.len().to_string().as_str()),
        ("Cache-Control", "max-age=7"),
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", ""),
        ("Content-Encoding", ""),
        ("Server", "pomerium-jwt issuer (not Pomerium)"),
    ] {
        assert_eq!(plain.header(name), expected, "{name}");
    }
    assert!(get(&start(), KEY_SET_PATH).header("Cache-Control") == "max-age=60", "Pomerium's own max-age");

    let asked = "Origin: https://app.example.com\r\nAccept-Encoding: gzip, br, zstd\r\n";
    let browser = request(server.address(), &format!("GET {KEY_SET_PATH}?x=y"), asked, "");
    assert_eq!((browser.status, browser.header("Access-Control-Allow-Origin")), (200, "*"));
    assert_eq!((browser.header("Content-Encoding"), &browser.body), ("", &plain.body));
}

#[test]
fn an_unchanged_key_set_is_not_sent_again() {
    let server = start();
    let tag = get(&server, KEY_SET_PATH).header("ETag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "a strong entity tag, not {tag}");
    let conditional = |condition: &str| {
        let header = format!("If-None-Match: {condition}\r\n");
        request(server.address(), &format!("GET {KEY_SET_PATH}"), &header, "")
    };
    for condition in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let answer = conditional(&condition);
        assert_eq!((answer.status, answer.body.as_str()), (304, ""), "{condition}");
        assert_eq!((answer.header("ETag"), answer.header("Cache-Control")), (tag.as_str(), "max-age=60"));
        assert_eq!(answer.header("Content-Type"), "");
    }
    for condition in ["\"other\"", tag.trim_matches('"'), ""] {
        assert_eq!(conditional(condition).status, 200, "{condition}");
    }
    let stats = server.stats();
    assert_eq!((stats.fetches, stats.not_modified), (8, 4));

    server.rotate(Rotation::Append).expect("append");
    let answer = conditional(&tag);
    assert_eq!(answer.status, 200, "the key set has changed");
    assert_ne!(answer.header("ETag"), tag);
}

#[test]
fn whatever_is_no_get_of_the_key_set_gets_pomeriums_404_page() {
    let server = start();
    for line in ["HEAD", "POST", "OPTIONS", "PUT"].map(|method| format!("{method} {KEY_SET_PATH}")) {
        let answer = request(server.address(), &line, "", "");
        assert_eq!((answer.status, answer.header("Content-Type")), (404, "text/html; charset=UTF-8"), "{line}");
        assert_eq!(answer.body.contains("<html>") || answer.body.contains("<h1>404"), !line.starts_with("HEAD"));
    }
    for path in ["/", "/.well-known/pomerium", "/jwks.json", "/rotate", "/withdraw", "/fault?kind=hang"] {
        assert_eq!(get(&server, path).status, 404, "GET {path}");
    }
    assert_eq!(server.fetches(), 0, "only a GET of the key set is a fetch");
}

#[test]
fn tokens_are_minted_from_a_query() {
    let server = start();
    let answer = get(&server, "/mint?sub=alice&email=alice%40example.com&groups=admins,devs&department=R%26D");
    assert_eq!((answer.status, answer.header("Content-Type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(answer.header("Cache-Control"), "no-store");
    let claims = claims(&server, &answer.body);
    let now = server_time();
    let issued_at = claims["iat"].as_i64().expect("iat");
    assert!((issued_at - now).abs() < 60, "issued now");
    assert_eq!(claims["exp"].as_i64(), Some(issued_at + 300));
    for (name, expected) in [
        ("sub", json!("alice")),
        ("user", json!("alice")),
        ("email", json!("alice@example.com")),
        ("groups", json!(["admins", "devs"])),
        ("department", json!("R&D")),
        ("iss", json!("127.0.0.1")),
        ("aud", json!("127.0.0.1")),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
}

fn server_time() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_secs().cast_signed()
}

#[test]
fn tokens_are_minted_from_a_body_with_claims_of_any_type_and_size() {
    let options = ServerOptions { host: Some("app.example.com".to_owned()), ..ServerOptions::default() };
    let server = Server::start(options).expect("a free port");
    let groups: Vec<String> = (0..1000).map(|number| format!("group-{number}@example.com")).collect();
    let body =
        json!({"sub": "bob", "groups": groups, "expires_in": -10, "nested": {"a": [1.5, null]}, "without": ["jti"]});
    let answer = request(server.address(), "POST /mint", "", &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let claims = claims(&server, &answer.body);
    assert_eq!(
        (&claims["sub"], &claims["iss"], &claims["groups"]),
        (&json!("bob"), &json!("app.example.com"), &json!(groups))
    );
    assert_eq!((&claims["nested"], claims.get("jti")), (&body["nested"], None));
    assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(-10));
}

#[test]
fn what_cannot_be_done_is_answered_with_400_and_a_sentence() {
    let server = start();
    let before = server.stats();
    for (line, body, expected) in [
        ("GET /mint?exp=soon", "", "exp takes whole seconds"),
        ("GET /mint?sub=a&sub=b", "", "given twice"),
        ("POST /mint", "sub=alice", "the body is not a JSON object of claims"),
        ("POST /mint", "[]", "the body is not a JSON object of claims"),
        ("POST /mint", r#"{"host":1}"#, "host takes a string"),
        ("POST /rotate?step=sideways", "", "expected one of `at_once`, `append`, `swap`, `drop`"),
        ("POST /rotate?step=swap", "", "append one first"),
        ("POST /rotate?steps=swap", "", "takes step once"),
        ("POST /withdraw?keys=some", "", "expected `signing` or `all`"),
        ("POST /fault", "", "say which"),
        (
            "POST /fault?kind=",
            "",
            "expected one of `none`, `hang`, `slow`, `500`, `garbage`, `huge`, `redirect`, `reset`",
        ),
        ("POST /fault?kind=hang&kind=none", "", "takes kind once"),
    ] {
        let answer = request(server.address(), line, "", body);
        assert_eq!(answer.status, 400, "{line}");
        assert!(answer.body.contains(expected), "{line}: {}", answer.body);
    }
    assert_eq!(server.stats(), before, "and nothing is changed");
}

#[test]
fn rotation_and_withdrawal_change_signer_and_key_set() {
    let server = start();
    let kid = |token: &str| {
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap_or_default()).expect("base64url");
        serde_json::from_slice::<Value>(&header).expect("JSON")["kid"].clone()
    };
    // What is asked, how many keys are published then, whether the signer is among them, whether it is a new one
    for (path, published, signer_published, new_signer) in [
        ("/rotate?step=append", 2, true, false),
        ("/rotate?step=swap", 2, true, true),
        ("/rotate?step=drop", 1, true, false),
        ("/rotate?step=append", 2, true, false),
        ("/withdraw", 1, false, false),
        ("/rotate", 1, true, true),
        ("/rotate?step=append", 2, true, false),
        ("/withdraw?keys=all", 0, false, false),
        ("/rotate?step=at_once", 1, true, true),
    ] {
        let before = kid(&get(&server, "/mint").body);
        let answer = post(&server, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let stats = answer.json();
        let after = kid(&get(&server, "/mint").body);
        assert_eq!(stats["signing_kid"], after, "{path}");
        assert_eq!(before != after, new_signer, "{path}");
        let kids = stats["kids"].as_array().expect("kids");
        assert_eq!((kids.len(), kids.contains(&after)), (published, signer_published), "{path}");
        let key_set = get(&server, KEY_SET_PATH).json();
        let served: Vec<&Value> = key_set["keys"].as_array().into_iter().flatten().map(|key| &key["kid"]).collect();
        assert_eq!(served, kids.iter().collect::<Vec<_>>(), "{path}");
    }
    server.withdraw(Withdrawal::All);
    assert_eq!(get(&server, KEY_SET_PATH).body, r#"{"keys":null}"#);
}

#[test]
fn statistics_name_everything() {
    let server = start();
    get(&server, KEY_SET_PATH);
    let answer = get(&server, "/stats");
    let kid = server.signing_key().thumbprint();
    let expected = json!({"fetches": 1, "not_modified": 0, "fault": "none", "signing_kid": kid, "kids": [kid]});
    assert_eq!((answer.header("Content-Type"), answer.json()), ("application/json", expected));
}

#[test]
fn many_fetches_at_once_are_all_counted() {
    let server = start();
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| assert_eq!(get(&server, KEY_SET_PATH).status, 200));
        }
    });
    assert_eq!(server.fetches(), 64);
}

#[test]
fn a_connection_can_be_used_again() {
    let server = start();
    let mut stream = connect(server.address());
    let request = format!("GET {KEY_SET_PATH} HTTP/1.1\r\nHost: a\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("written");
    send(&mut stream, "GET /stats", "", "");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("two answers");
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
}

#[test]
fn dropping_it_ends_the_listener_and_every_connection() {
    let server = start();
    let address = server.address();
    let mut idle = connect(address);
    post(&server, "/fault?kind=hang");
    let mut hanging = connect(address);
    send(&mut hanging, &format!("GET {KEY_SET_PATH}"), "", "");
    // The hanging request has arrived when it is counted
    while server.fetches() == 0 {
        thread::yield_now();
    }
    drop(server);
    let refused = TcpStream::connect(address).map_err(|error| error.kind());
    assert_eq!(refused.map(|_| ()), Err(ErrorKind::ConnectionRefused));
    for stream in [&mut idle, &mut hanging] {
        let end = stream.read(&mut [0]).map_err(|error| error.kind());
        assert!(matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    }
}

#[test]
fn it_restarts_on_the_same_port_with_the_same_keys() {
    let keys = vec![SigningKey::generate(), SigningKey::generate()];
    let first = Server::start(ServerOptions { keys: keys.clone(), ..ServerOptions::default() }).expect("a free port");
    let listen = first.address();
    let open = connect(listen);
    let before = get(&first, KEY_SET_PATH).body;
    drop(first);
    let second = Server::start(ServerOptions { listen, keys, ..ServerOptions::default() }).expect("the same port");
    assert_eq!((second.address(), get(&second, KEY_SET_PATH).body), (listen, before));
    drop(open);
}

#[test]
fn other_machines_are_kept_out_unless_asked_for() {
    let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let refused = Server::start(ServerOptions { listen, ..ServerOptions::default() });
    assert_eq!(refused.map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));

    let open = Server::start(ServerOptions { listen, allow_remote: true, ..ServerOptions::default() });
    let open = open.expect("a free port");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, open.address().port()));
    assert_eq!(open.url(), format!("http://{address}"));
    assert_eq!(request(address, "GET /stats", "", "").status, 200);
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let server = start();
    let again = Server::start(ServerOptions { listen: server.address(), ..ServerOptions::default() });
    assert_eq!(again.map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::AddrInUse));
}

#[test]
fn the_same_by_method_and_over_http() {
    let server = start();
    let token = server.mint(&server.assertion().user("alice", "", "").groups(["admins"]));
    let claims = claims(&server, &token);
    assert_eq!(
        (&claims["sub"], &claims["iss"], &claims["groups"]),
        (&json!("alice"), &json!("127.0.0.1"), &json!(["admins"]))
    );
    assert_eq!(server.key_set_url(), format!("http://{}{KEY_SET_PATH}", server.address()));
    assert_eq!(server.ca_pem(), None);
    let mut stream = connect(server.address());
    send(&mut stream, "GET /stats", "", "");
    assert_eq!(receive(&mut stream).json(), serde_json::to_value(server.stats()).expect("JSON"));
}
