//! Each fault as a client meets it.

use std::{
    io::{ErrorKind, Read as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::http::{connect, receive, request, send};
use pomerium_jwt_issuer::{Fault, KEY_SET_PATH, Server, ServerOptions};

const KINDS: [&str; 7] = ["hang", "slow", "500", "garbage", "huge", "redirect", "reset"];

/// A server with this fault, put on over HTTP.
fn faulty(kind: &str) -> Server {
    let server = Server::start(ServerOptions::default()).expect("loopback has a free port");
    let answer = request(server.address(), &format!("POST /fault?kind={kind}"), "", "");
    assert_eq!((answer.status, answer.json()["fault"].as_str()), (200, Some(kind)));
    server
}

/// A fetch of the key set, sent off and not yet answered.
fn fetch(server: &Server) -> TcpStream {
    let mut stream = connect(server.address());
    send(&mut stream, &format!("GET {KEY_SET_PATH}"), "", "");
    stream
}

/// Reads the headers and not a byte of the body.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("headers");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("ASCII").to_ascii_lowercase()
}

#[test]
fn every_fault_is_counted_spares_the_other_addresses_and_can_be_ended() {
    for kind in KINDS {
        let server = faulty(kind);
        let fetch = fetch(&server);
        while server.fetches() == 0 {
            std::thread::yield_now();
        }
        assert_eq!(request(server.address(), "GET /mint?sub=alice", "", "").status, 200, "{kind}");
        assert_eq!(request(server.address(), "GET /stats", "", "").json()["fetches"], 1, "{kind}");
        request(server.address(), "POST /fault?kind=none", "", "");
        let answer = request(server.address(), &format!("GET {KEY_SET_PATH}"), "", "");
        assert_eq!((answer.status, answer.body), (200, server.key_set()), "{kind}");
        drop(fetch);
    }
}

#[test]
fn hang_accepts_and_never_answers() {
    let server = faulty("hang");
    let mut stream = fetch(&server);
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout can be set");
    let read = stream.read(&mut [0]).map_err(|error| error.kind());
    assert!(matches!(read, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{read:?}");
}

#[test]
fn slow_sends_a_byte_a_second() {
    let server = faulty("slow");
    let mut stream = fetch(&server);
    let expected = server.key_set();
    let begin = Instant::now();
    assert!(head(&mut stream).contains(&format!("content-length: {}\r\n", expected.len())));
    let mut bytes = [0; 2];
    stream.read_exact(&mut bytes).expect("two bytes");
    assert!(begin.elapsed() >= Duration::from_millis(1900), "two bytes after {:?}", begin.elapsed());
    assert_eq!(bytes, expected.as_bytes()[..2]);
}

#[test]
fn status_500_is_status_500() {
    let answer = receive(&mut fetch(&faulty("500")));
    assert_eq!(answer.status, 500);
    assert!(!answer.body.contains("keys"));
}

#[test]
fn garbage_claims_to_be_json() {
    let answer = receive(&mut fetch(&faulty("garbage")));
    assert_eq!((answer.status, answer.header("Content-Type")), (200, "application/json"));
    assert!(serde_json::from_str::<serde_json::Value>(&answer.body).is_err());
}

#[test]
fn huge_begins_well_and_does_not_end() {
    let server = faulty("huge");
    let mut stream = fetch(&server);
    assert!(head(&mut stream).starts_with("http/1.1 200 ok\r\n"));
    let mut body = vec![0; 16 << 20];
    stream.read_exact(&mut body).expect("16 MiB and more to come");
    let begin = b"{\"keys\":[";
    assert!(body[..64].windows(begin.len()).any(|window| window == begin), "{:?}", &body[..64]);
}

#[test]
fn redirect_points_to_the_keys() {
    let server = faulty("redirect");
    let answer = receive(&mut fetch(&server));
    assert_eq!((answer.status, answer.body.as_str()), (302, ""));
    let target = request(server.address(), &format!("GET {}", answer.header("Location")), "", "");
    assert_eq!((target.status, target.body), (200, server.key_set()), "who follows finds keys");
    assert_eq!(server.fetches(), 1, "which is not a fetch of the key set");
}

#[test]
fn reset_resets_the_connection() {
    let read = fetch(&faulty("reset")).read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(read, Err(ErrorKind::ConnectionReset));
}

#[test]
fn faults_can_be_put_on_by_method() {
    let server = Server::start(ServerOptions::default()).expect("loopback has a free port");
    server.fault(Fault::InternalServerError);
    assert_eq!(receive(&mut fetch(&server)).status, 500);
    server.fault(Fault::None);
    assert_eq!(receive(&mut fetch(&server)).status, 200);
}
