//! Answers and connections that are broken.

use super::{
    Expected::{Empty, Failure, Keys},
    source::{FullQueue, Source, refusing},
    *,
};
use crate::LastErrorCode::{Body, Connect, Dns, Status as WrongStatus, Timeout};

/// As many bytes as a key set may have.
const MAX_BYTES: usize = 256 * 1024;
/// What the kernel takes for a client that no longer reads, generously.
const SOCKET_BUFFERS: u64 = 64 * 1024 * 1024;

const START: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const SIZED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{\"keys\"";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const EARLY_HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";

type Row = (&'static str, fn(&mut Peer) -> &mut Peer, Expected);

/// What the server does with the connection itself.
fn connections() -> Vec<Row> {
    let broken = || Failure(Connect, &["broke off", "jwks_url", "connect_to"]);
    let slow = || Failure(Timeout, &["did not send its whole answer within 3 s", "timeout"]);
    vec![
        ("closed at once", |peer| peer, broken()),
        ("closed after the request", |peer| peer.asked(), broken()),
        ("closed in the headers", |peer| peer.asked().send(START), broken()),
        ("closed in the body", |peer| peer.asked().send(SIZED), broken()),
        ("closed in a chunk", |peer| peer.asked().send(CHUNKED).send("ff\r\n{"), broken()),
        ("closed in a body of unknown length", |peer| peer.asked().send(START).send("\r\n{"), not_json()),
        // which may already be noticed while connecting
        ("reset at once", |peer| peer.reset(), Failure(Connect, &["reset by peer", "jwks_url", "connect_to"])),
        ("reset after the request", |peer| peer.asked().reset(), broken()),
        ("reset in the headers", |peer| peer.asked().send(START).reset(), broken()),
        ("reset in the body", |peer| peer.asked().send(SIZED).reset(), broken()),
        ("reset in a chunk", |peer| peer.asked().send(CHUNKED).send("ff\r\n{").reset(), broken()),
        ("never a word", |peer| peer.hang(), slow()),
        ("hangs after the request", |peer| peer.asked().hang(), slow()),
        ("hangs in the headers", |peer| peer.asked().send(START).hang(), slow()),
        ("hangs in the body", |peer| peer.asked().send(SIZED).hang(), slow()),
        ("hangs in a chunk", |peer| peer.asked().send(CHUNKED).send("ff\r\n{").hang(), slow()),
        ("headers that drip", |peer| peer.asked().send(START).drip("X: y\r\n".repeat(999)), slow()),
        ("a body that drips", |peer| peer.asked().send(SIZED).drip(" ".repeat(9999)), slow()),
        ("chunks that drip", |peer| peer.asked().send(CHUNKED).drip("1\r\n \r\n".repeat(999)), slow()),
    ]
}

/// Answers without end: each is cut off long before its 1 GiB.
fn floods() -> Vec<Row> {
    let large = || Failure(Body, &["more than 262144 bytes", "jwks_url"]);
    vec![
        ("a body of 1 GiB", |peer| peer.asked().send(SIZED).flood([b' '; 65536]), large()),
        ("a body without length or end", |peer| peer.asked().send(START).send("\r\n").flood([b' '; 65536]), large()),
        ("chunks without end", |peer| peer.asked().send(CHUNKED).flood("8\r\n        \r\n".repeat(9999)), large()),
        ("a chunk length without end", |peer| peer.asked().send(CHUNKED).flood([b'0'; 65536]), no_http()),
        ("a chunk extension without end", |peer| peer.asked().send(CHUNKED).send("5;").flood([b'x'; 65536]), no_http()),
        ("a header without end", |peer| peer.asked().send(START).send("X: ").flood([b'x'; 65536]), no_http()),
        ("interim answers without end", |peer| peer.asked().flood(EARLY_HINTS.repeat(9999)), no_http()),
        ("headers without end", |peer| peer.asked().send(START).flood("X: y\r\n".repeat(9999)), no_http()),
    ]
}

/// Whole answers without keys.
fn answers() -> Vec<Row> {
    let encoded = || Failure(Body, &["content encoding", "jwks_url", "connect_to"]);
    let no_set = || Failure(Body, &["not a JWK Set", "jwks_url"]);
    vec![
        ("204", |peer| peer.asked().send("HTTP/1.1 204 No Content\r\n\r\n"), status(&["204", "jwks_url"])),
        ("206", |peer| peer.asked().answer("206 Part", "", &good_keys()), status(&["206", "jwks_url"])),
        ("304 without a cache", |peer| peer.asked().send("HTTP/1.1 304 Same\r\n\r\n"), status(&["304", "cache"])),
        ("403", |peer| peer.asked().answer("403 Forbidden", "", &good_keys()), status(&["403", "route", "jwks_url"])),
        ("404", |peer| peer.asked().answer("404 Not Found", "", &good_keys()), status(&["404", "route", "jwks_url"])),
        (
            "500",
            |peer| peer.asked().answer("500 Oops", "", &good_keys()),
            status(&["500", "fault is in that server", "jwks_url"]),
        ),
        ("503", |peer| peer.asked().answer("503 Busy", "Retry-After: 1\r\n", ""), status(&["503", "jwks_url"])),
        ("gzip", |peer| peer.asked().answer("200 OK", "Content-Encoding: gzip\r\n", &good_keys()), encoded()),
        ("gzip after identity", |peer| peer.asked().answer("200 OK", TWO_ENCODINGS, &good_keys()), encoded()),
        ("two lengths", |peer| peer.asked().answer("200 OK", "Content-Length: 3\r\n", &good_keys()), no_http()),
        ("a length too small", |peer| peer.asked().answer("200 OK", "", "").send(good_keys()), not_json()),
        ("no HTTP", |peer| peer.asked().send("220 mail.example.test ESMTP\r\n\r\n"), no_http()),
        ("HTTP/2", |peer| peer.send(b"\0\0\0\x04\0\0\0\0\0").hang(), no_http()),
        ("https", |peer| peer.send(b"\x15\x03\x03\0\x02\x02\x32").hang(), Failure(Body, &["https", "jwks_url"])),
        ("an HTML page", |peer| peer.asked().ok("<!doctype html>"), Failure(Body, &["login page", "jwks_url"])),
        ("nothing", |peer| peer.asked().ok(""), not_json()),
        ("half a set", |peer| peer.asked().ok(&good_keys()[..99]), not_json()),
        ("a byte order mark", |peer| peer.asked().ok(&format!("\u{feff}{}", good_keys())), not_json()),
        ("more after the set", |peer| peer.asked().ok(&good_keys().repeat(2)), not_json()),
        ("keys twice", |peer| peer.asked().ok(&good_keys().replacen('{', r#"{"keys":[],"#, 1)), not_json()),
        ("a name twice", |peer| peer.asked().ok(&good_keys().replacen("[{", r#"[{"kty":"EC","#, 1)), not_json()),
        ("a list", |peer| peer.asked().ok("[]"), no_set()),
        ("no member keys", |peer| peer.asked().ok("{}"), no_set()),
        ("65 keys", |peer| peer.asked().ok(&keys(65)), Failure(Body, &["65 keys", "jwks_url"])),
        ("a byte too many", |peer| peer.asked().ok(&padded(MAX_BYTES + 1)), Failure(Body, &["262144 bytes"])),
    ]
}

const IDENTITIES: &str = "Content-Encoding: identity, IDENTITY\r\nContent-Encoding: identity\r\n";
const TWO_ENCODINGS: &str = "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n";

/// Odd answers that are fine.
fn fine() -> Vec<Row> {
    vec![
        ("200", |peer| peer.serve(), Keys),
        ("200 as text", |peer| peer.asked().answer("200 OK", "Content-Type: text/plain\r\n", &good_keys()), Keys),
        ("200 as identity", |peer| peer.asked().answer("200 OK", "Content-Encoding: identity\r\n", &good_keys()), Keys),
        ("200 as Identity", |peer| peer.asked().answer("200 OK", "Content-Encoding: Identity\r\n", &good_keys()), Keys),
        ("200 as nothing", |peer| peer.asked().answer("200 OK", "Content-Encoding:\r\n", &good_keys()), Keys),
        ("200 as identity twice", |peer| peer.asked().answer("200 OK", IDENTITIES, &good_keys()), Keys),
        ("200 after 103", |peer| peer.asked().send(EARLY_HINTS).ok(&good_keys()), Keys),
        ("200 without a length", |peer| peer.asked().send(START).send("\r\n").send(good_keys()), Keys),
        ("200 in chunks of a byte", |peer| peer.asked().send(CHUNKED).send(chunks()), Keys),
        ("64 keys", |peer| peer.asked().ok(&keys(64)), Keys),
        ("256 KiB", |peer| peer.asked().ok(&padded(MAX_BYTES)), Keys),
        (r#"{"keys":null}"#, |peer| peer.asked().ok(r#"{"keys":null}"#), Empty(&["signing_key"])),
        (r#"{"keys":[]}"#, |peer| peer.asked().ok(r#"{"keys":[]}"#), Empty(&["signing_key"])),
        ("no usable key", |peer| peer.asked().ok(r#"{"keys":[{"kty":"oct"}]}"#), Empty(&["no usable key", "oct"])),
    ]
}

fn status(parts: &'static [&'static str]) -> Expected {
    Failure(WrongStatus, parts)
}

fn not_json() -> Expected {
    Failure(Body, &["not strict JSON", "jwks_url"])
}

fn no_http() -> Expected {
    Failure(Body, &["proper HTTP", "jwks_url"])
}

/// The good keys in chunks of one byte.
fn chunks() -> String {
    let chunks = good_keys().chars().map(|c| format!("1\r\n{c}\r\n")).collect::<String>();
    chunks + "0\r\n\r\n"
}

/// A set of so many keys, of which the last one is good.
fn keys(count: usize) -> String {
    let others = r#"{"kty":"oct"},"#.repeat(count - 1);
    good_keys().replacen('[', &format!("[{others}"), 1)
}

/// The good keys in so many bytes.
fn padded(bytes: usize) -> String {
    let keys = good_keys();
    let spaces = " ".repeat(bytes - keys.len());
    keys + &spaces
}

fn start((name, behaviour, expected): Row) -> (Source, Case) {
    let source = Source::start(behaviour);
    let case = Case::new(name, options(source.url("127.0.0.1")), expected);
    (source, case)
}

#[test]
fn broken_connections_and_answers_end_in_time_with_a_reason() {
    child::alone(|| {
        let rows = connections().into_iter().chain(answers()).chain(fine());
        let (_sources, cases): (Vec<_>, Vec<_>) = rows.map(start).unzip();
        judge(cases);
    });
}

#[test]
fn an_answer_without_end_is_cut_off_early() {
    child::alone(|| {
        let (sources, cases): (Vec<_>, Vec<_>) = floods().into_iter().map(start).unzip();
        judge(cases);
        for source in sources {
            println!("{} bytes were written in {} fetches", source.written(), source.connections());
            assert!(source.written() < source.connections() * SOCKET_BUFFERS, "read on and on");
        }
    });
}

#[test]
fn a_redirect_is_never_followed() {
    child::alone(|| {
        let elsewhere = Source::start(|peer| peer.serve());
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), good_keys()).expect("written");
        let port = elsewhere.port();
        let targets = [
            ("a redirect to another host", "302 Found", format!("http://localhost:{port}/keys")),
            ("a redirect to another port", "301 Moved Permanently", format!("http://127.0.0.1:{port}/keys")),
            ("a redirect to https", "308 Permanent Redirect", format!("https://127.0.0.1:{port}/keys")),
            ("a redirect to a file", "302 Found", format!("file://{}", file.path().display())),
            ("a redirect to link-local", "307 Temporary Redirect", "http://169.254.169.254/".to_owned()),
            ("a redirect to itself", "302 Found", "/keys".to_owned()),
            ("a redirect to nowhere", "302 Found", "http://".to_owned()),
            ("several choices", "300 Multiple Choices", format!("http://127.0.0.1:{port}/keys")),
        ];
        let start = |(name, status, location): (_, _, String)| {
            let headers = format!("Location: {location}\r\n");
            let source = Source::start(move |peer| peer.asked().answer(status, &headers, ""));
            let expected = self::status(&["answered 3", "redirects are not followed", "jwks_url"]);
            let case = Case::new(name, options(source.url("127.0.0.1")), expected);
            (source, case)
        };
        let (sources, cases): (Vec<_>, Vec<_>) = targets.into_iter().map(start).unzip();
        judge(cases);
        assert_eq!(elsewhere.connections(), 0, "a redirect was followed");
        // two verifiers, one fetch each, and one more for the unknown kid; a slow machine sees a backoff end
        let asked: Vec<u64> = sources.iter().map(|source| source.connections()).collect();
        assert!(asked.iter().all(|connections| (3..6).contains(connections)), "{asked:?}");
    });
}

#[test]
fn where_there_is_no_server_the_message_says_so() {
    child::alone(|| {
        let (_taken, refusing) = refusing();
        let full = FullQueue::new();
        let refused = Failure(Connect, &["refused", "no connection to 127.0.0.1:", "jwks_url", "connect_to"]);
        let slow = Failure(Timeout, &["no connection to 127.0.0.1:", "within 3 s", "firewall", "timeout"]);
        let unknown = options("http://keys.invalid/keys".to_owned());
        judge(vec![
            Case::new("connection refused", options(format!("http://127.0.0.1:{refusing}/keys")), refused),
            Case::new("a connection that hangs", options(format!("http://127.0.0.1:{}/keys", full.port)), slow),
            Case::new("an unknown name", unknown, Failure(Dns, &["keys.invalid:80", "jwks_url", "connect_to"])),
        ]);
    });
}

#[test]
fn a_request_asks_for_json_uncompressed_and_for_what_has_changed() {
    child::alone(|| {
        let source = Source::start(|peer| {
            match peer.request().contains("if-none-match: \"v1\"") {
                true => peer.send("HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=120\r\n\r\n"),
                false => peer.answer("200 OK", "ETag: \"v1\"\r\nConnection: keep-alive\r\n", &good_keys()),
            };
            peer.hang()
        });
        let verifier = Verifier::new(options(source.url("127.0.0.1"))).expect("options");
        verifier.verify(token()).expect("good");
        assert!((210..=300).contains(&verifier.status().ttl.expect("a set")));
        verifier.refresh(true).expect("304");
        verifier.verify(token()).expect("good");
        let status = verifier.status();
        assert_eq!((status.state.name(), status.fetches, status.fetch_failures), ("fresh", 2, 0));
        assert!((84..=120).contains(&status.ttl.expect("a set")), "{:?}", status.ttl);

        let host = format!("host: 127.0.0.1:{}", source.port());
        let agent = concat!("user-agent: pomerium-jwt/", env!("CARGO_PKG_VERSION"));
        let common = ["accept: application/json", "get /keys http/1.1", &host, agent];
        let revalidating = ["accept: application/json", "get /keys http/1.1", &host, "if-none-match: \"v1\"", agent];
        let sent: Vec<String> = source.requests().iter().map(|request| request.to_ascii_lowercase()).collect();
        assert_eq!(sent.len(), 2);
        assert_eq!(sorted(&sent[0]), common);
        assert_eq!(sorted(&sent[1]), revalidating);
        assert_eq!(source.connections(), 2, "no connection is kept");
    });
}

fn sorted(head: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").collect();
    lines.sort_unstable();
    lines
}
