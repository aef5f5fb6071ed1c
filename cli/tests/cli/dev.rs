//! `dev` in front of an application that has the line it prints for its whole environment.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, WebSocketUpgrade, ws::Message},
    response::Response,
    routing::{any, get},
};
use pomerium_jwt::{Options, Verifier};
use pomerium_jwt_tower::{Admitted, PomeriumLayer};
use serde_json::{Map, Value, json};

use crate::shell::Shell;

const USERS: &str = r#"[
    {"email":"alice@example.com","name":"Alice <b>","groups":["admins","R&D"],"sub":"7","claims":{"department":"x"}},
    {"email":"bob@example.com"}
]"#;

/// `pomerium-jwt dev`, and the application behind it. Both end with the test.
pub(crate) struct Dev {
    child: Child,
    /// What it printed.
    pub(crate) line: String,
    pub(crate) port: u16,
    /// The application's own.
    upstream: u16,
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Dev {
    fn start(arguments: &str) -> Self {
        Self::start_with(USERS, arguments)
    }

    /// With this text in `users.json`.
    pub(crate) fn start_with(users: &str, arguments: &str) -> Self {
        let shell = Shell::new();
        shell.write("users.json", users);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let upstream = listener.local_addr().expect("an address").port();
        let mut child = Command::new(env!("CARGO_BIN_EXE_pomerium-jwt"))
            .args(["dev", "--until-stdin-closes", "--listen", "127.0.0.1:0", "--upstream"])
            .arg(format!("http://127.0.0.1:{upstream}"))
            .args(arguments.split_whitespace())
            .current_dir(shell.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command was built");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
        let line = line.trim_end().to_owned();
        let (name, route) = line.split_once('=').unwrap_or_else(|| panic!("no variable but {line:?}"));
        let port = route.strip_prefix("http://localhost:").and_then(|port| port.parse().ok()).expect("a route");
        let options = Options::from_variables([(name.into(), route.into())]).expect("an option");
        serve(listener, Verifier::new(options).expect("it needs nothing else"));
        Self { child, line, port, upstream }
    }

    /// GET, with these lines of headers.
    fn get(&self, path: &str, headers: &[&str]) -> Reply {
        self.send(&format!("GET {path}"), headers, "")
    }

    fn send(&self, request: &str, headers: &[&str], body: &str) -> Reply {
        let own = format!("Host: localhost:{}", self.port);
        let has_host = headers.iter().any(|line| line.starts_with("Host:"));
        let lines: Vec<&str> = headers.iter().copied().chain((!has_host).then_some(own.as_str())).collect();
        exchange(self.port, request, &lines, body)
    }

    /// What the page's button does, and the cookie that comes back.
    fn switch(&self, email: &str, cookie: &str) -> (Reply, String) {
        let body = format!("user={}", email.replace('@', "%40"));
        let origin = format!("Origin: http://localhost:{}", self.port);
        let headers = ["Content-Type: application/x-www-form-urlencoded", &origin, cookie];
        let answer = self.send("POST /.pomerium/", headers.strip_suffix(&[""]).unwrap_or(&headers), &body);
        let cookie = answer.cookie();
        (answer, cookie)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().expect("it ends");
        assert!(status.success() || thread::panicking(), "{status}");
    }
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or_default()
    }

    /// As the browser sends it back.
    fn cookie(&self) -> String {
        match self.header("set-cookie").split(';').next() {
            Some(pair) if !pair.is_empty() => format!("Cookie: {pair}"),
            _ => String::new(),
        }
    }
}

fn exchange(port: u16, request: &str, headers: &[&str], body: &str) -> Reply {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens: it said so");
    let lines = headers.iter().map(|line| format!("{line}\r\n")).collect::<String>();
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!("{request} HTTP/1.1\r\n{lines}{length}Connection: close\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("headers and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

/// The application: who is calling, and every header that it got.
fn serve(listener: TcpListener, verifier: Verifier) {
    async fn index(request: Request) -> String {
        let caller = Admitted::of(request.extensions()).and_then(Admitted::caller).cloned();
        let headers = request.headers().iter();
        let headers: Map<String, Value> =
            headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into())).collect();
        json!({ "identity": caller.as_deref(), "headers": headers, "target": request.uri().to_string() }).to_string()
    }
    async fn socket(upgrade: WebSocketUpgrade, request: Request) -> Response {
        let caller = Admitted::of(request.extensions()).and_then(Admitted::caller).cloned();
        let subject = caller.map(|caller| caller.subject.clone()).unwrap_or_default();
        upgrade.on_upgrade(|mut socket| async move {
            let _ = socket.send(Message::text(subject)).await; // the client may have gone
        })
    }
    listener.set_nonblocking(true).expect("a socket");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let routes = Router::new().route("/ws", any(socket)).fallback(get(index).post(index));
            let application = routes.layer(PomeriumLayer::from_verifier(verifier));
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, application).await.expect("it serves until the test ends");
        });
    });
}

#[test]
fn the_line_that_it_prints_is_all_that_an_application_needs() {
    let dev = Dev::start("--user alice@example.com --groups admins,staff");
    let answer = dev.get("/a//b/%2e%2e/?q=%41", &[]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let found = answer.json();
    assert_eq!(found["target"], "/a//b/%2e%2e/?q=%41");
    let identity = &found["identity"];
    assert_eq!(identity["subject"], "dev|alice@example.com");
    assert_eq!((&identity["email"], &identity["groups"]), (&json!("alice@example.com"), &json!(["admins", "staff"])));
    assert_eq!((&identity["issuer"], &identity["audience"]), (&json!("localhost"), &json!(["localhost"])));
    let again = dev.get("/", &[]).json();
    assert_ne!(again["identity"]["token_id"], identity["token_id"], "each request has its own token");

    let past = exchange(dev.upstream, "GET /", &["Host: localhost"], "");
    assert_eq!((past.status, past.body.as_str()), (401, r#"{"error":"token_missing"}"#), "{}", past.head);

    let keys = dev.get("/.well-known/pomerium/jwks.json", &[]);
    assert_eq!((keys.status, keys.header("cache-control")), (200, "max-age=60"));
    let about = dev.get("/.well-known/pomerium", &[]).json();
    assert_eq!(about["issuer"], format!("http://localhost:{}/", dev.port));
    let doctor = Shell::new().run(&format!("pomerium-jwt doctor --route http://localhost:{}", dev.port));
    assert_eq!(doctor.exit_code, 0, "{doctor:?}");
    assert!(doctor.stdout.contains("ok       issuer"), "{doctor:?}");
}

#[test]
fn what_the_client_sends_in_pomerium_s_name_does_not_arrive() {
    let dev = Dev::start("--user alice@example.com");
    let forged = [
        "X-Pomerium-Jwt-Assertion: forged",
        "x-pomerium-jwt-assertion: forged",
        "X_Pomerium_Jwt_Assertion: forged",
        "X-Pomerium_Jwt-Assertion: forged",
        "X-Pomerium-Jwt-Assertion-For: forged",
        "X-Pomerium-Claim-Email: forged",
        "x.pomerium.claim.groups: forged",
        "Cookie: a=b",
        "X-Other: kept",
    ];
    let found = dev.get("/", &forged).json();
    assert_eq!(found["identity"]["email"], "alice@example.com");
    let headers = found["headers"].as_object().expect("headers");
    let forged: Vec<_> = headers.iter().filter(|(_, value)| **value == "forged").collect();
    assert!(forged.is_empty(), "{forged:?}");
    assert_eq!((&headers["x-other"], &headers["cookie"]), (&json!("kept"), &json!("a=b")));
    // A header that the client's Connection names is still set
    let named = dev.get("/", &["Connection: X-Pomerium-Jwt-Assertion"]);
    assert_eq!(named.json()["identity"]["email"], "alice@example.com");
}

#[test]
fn it_answers_for_this_machine_s_names_alone() {
    let dev = Dev::start("--user alice@example.com --host app.test");
    for (host, status) in [
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1:8443", 200),
        ("[::1]", 200),
        ("[::1]:8443", 200),
        ("app.test:8443", 200),
        ("evil.example", 421),
        ("evil.example:8443", 421),
        ("localhost.evil.example", 421),
        ("localhost.", 421),
        ("127.0.0.2", 421),
        ("localhost:80@evil.example", 421),
        ("localhost:", 421),
        ("::1", 421),
        ("", 421),
    ] {
        for path in ["/", "/.pomerium/user", "/.well-known/pomerium/jwks.json"] {
            let answer = dev.get(path, &["Accept: text/html", &format!("Host: {host}")]);
            assert_eq!(answer.status, status, "{host}{path}: {}", answer.body);
        }
    }
    // The target counts as well as the header
    assert_eq!(dev.get("http://evil.example/.pomerium/user", &[]).status, 421);
    assert_eq!(dev.get("/", &["Host: localhost", "Host: localhost"]).status, 400);
    // Browsers do not tell a picture on another site's page from one on this page there
    assert_eq!(dev.get("/", &["Accept: image/png", "Host: app.test"]).status, 302);
    // Tokens are for localhost whatever the host is
    assert_eq!(
        dev.get("/", &["Accept: text/html", "Host: app.test"]).json()["identity"]["audience"],
        json!(["localhost"])
    );
}

#[test]
fn two_browsers_are_two_users() {
    let dev = Dev::start("--users users.json --user alice@example.com");
    let page = dev.get("/.pomerium/", &[]);
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Alice &lt;b&gt;") && page.body.contains("bob@example.com"), "{}", page.body);
    assert!(
        page.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"),
        "{}",
        page.head
    );
    let (answer, bob) = dev.switch("bob@example.com", "");
    assert_eq!((answer.status, answer.header("location")), (303, "/"), "{}", answer.body);
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
    let (_, alice) = dev.switch("alice@example.com", "");
    let who = |cookie: &str| dev.get("/", &[cookie]).json();
    let (of_bob, of_alice) = (who(&bob), who(&alice));
    assert_eq!(of_bob["identity"]["email"], "bob@example.com");
    assert_eq!(of_alice["identity"]["email"], "alice@example.com");
    assert_eq!(of_alice["identity"]["subject"], "7");
    assert_ne!(of_bob["identity"]["session_id"], of_alice["identity"]["session_id"]);
    assert!(of_bob["headers"].get("cookie").is_none(), "the application gets no session of ours: {of_bob}");
    let user = dev.get("/.pomerium/user", &[&alice]).json();
    assert_eq!((&user["email"], &user["groups"]), (&json!("alice@example.com"), &json!(["admins", "R&D"])));
    assert_eq!((&user["sub"], &user["user"], &user["department"]), (&json!("7"), &json!("7"), &json!("x")));
    // A browser gets its session with its first page, and nothing else does
    assert!(!dev.get("/", &["Accept: text/html,*/*"]).cookie().is_empty());
    assert!(dev.get("/", &["Accept: text/html", &alice]).cookie().is_empty());
    assert!(dev.get("/", &["Accept: */*"]).cookie().is_empty());
}

#[test]
fn no_other_site_switches_the_user() {
    let dev = Dev::start("--users users.json");
    let own = format!("Origin: http://localhost:{}", dev.port);
    let other_port = "Origin: http://localhost:1";
    for (headers, status) in [
        (vec![own.as_str()], 303),
        (vec!["Sec-Fetch-Site: same-origin"], 303),
        (vec![own.as_str(), "Sec-Fetch-Site: same-origin"], 303),
        (vec![], 403),
        (vec!["Origin: null"], 403),
        (vec!["Origin: http://evil.example"], 403),
        (vec![other_port], 403),
        (vec![own.as_str(), "Sec-Fetch-Site: same-site"], 403),
        (vec![other_port, "Sec-Fetch-Site: same-origin"], 403),
    ] {
        let answer = dev.send("POST /.pomerium/", &headers, "user=bob%40example.com");
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.body);
        assert_eq!(answer.cookie().is_empty(), status != 303, "{headers:?}");
    }
    for (body, status) in [
        ("user=mallory%40example.com", 400),
        ("name=x", 400),
        ("user=", 303),
        ("user=bob%40example.com&pomerium_redirect_uri=%2Fadmin%3Fa", 303),
    ] {
        let answer = dev.send("POST /.pomerium/", &[&own], body);
        assert_eq!(answer.status, status, "{body}");
        if body.contains("admin") {
            assert_eq!(answer.header("location"), "/admin?a");
        }
    }
    let long = "x".repeat(20_000);
    assert_eq!(dev.send("POST /.pomerium/", &[&own], &format!("user={long}")).status, 400);
    // It is a POST: nothing that a page could load switches
    assert!(dev.get("/.pomerium/?user=bob@example.com", &[&own]).cookie().is_empty());
}

#[test]
fn nobody_is_sent_to_sign_in_or_told_401() {
    let dev = Dev::start("--users users.json");
    for path in ["/", "/a?b=c", "/.pomerium/user"] {
        let page = dev.get(path, &["Accept: text/html"]);
        assert_eq!(page.status, 302, "{path}");
        assert!(page.header("location").starts_with("/.pomerium/?pomerium_redirect_uri=%2F"), "{}", page.head);
        assert_eq!(dev.get(path, &[]).status, 302, "{path}: without Accept");
        let data = dev.get(path, &["Accept: application/json"]);
        assert_eq!(data.status, 401, "{path}");
        let body = data.json();
        assert_eq!(body["error"], "Unauthenticated");
        assert!(body["request_id"].as_str().is_some_and(|id| id.len() == 36), "{body}");
    }
    let sign_in = dev.get("/.pomerium/sign_in?pomerium_redirect_uri=/a", &[]);
    assert_eq!(sign_in.header("location"), "/.pomerium/?pomerium_redirect_uri=%2Fa");
    for path in ["/.pomerium/jwt", "/.pomerium/other", "/.well-known/pomerium/hpke-public-key"] {
        assert_eq!(dev.get(path, &[]).status, 404, "{path} is Pomerium's, not the application's");
    }
    assert_eq!(dev.send("POST /.well-known/pomerium/jwks.json", &[], "").status, 404);
}

#[test]
fn a_session_ends_by_signing_out_and_by_time() {
    let dev = Dev::start("--users users.json --user alice@example.com --jwt-endpoint --session-seconds 1");
    let json = "Accept: application/json";
    let token = dev.get("/.pomerium/jwt", &[]);
    assert_eq!((token.status, token.body.split('.').count()), (200, 3));
    for (query, location) in [
        ("", "/.pomerium/"),
        ("?pomerium_redirect_uri=/bye", "/bye"),
        ("?pomerium_redirect_uri=https%3A%2F%2Fevil.example%2F", "/.pomerium/"),
        ("?pomerium_redirect_uri=//evil.example", "/.pomerium/"),
    ] {
        let (_, cookie) = dev.switch("bob@example.com", "");
        let out = dev.get(&format!("/.pomerium/sign_out{query}"), &[&cookie]);
        assert_eq!((out.status, out.header("location")), (302, location), "{query}");
        assert_eq!(dev.get("/", &[json, &out.cookie()]).status, 401, "{query}: nobody, not the first user");
    }
    let own = format!("/.pomerium/sign_out?pomerium_redirect_uri=http://localhost:{}/bye", dev.port);
    assert_eq!(dev.send(&format!("POST {own}"), &[], "").header("location"), "/bye");
    let first = dev.get("/", &["Accept: text/html"]);
    assert_eq!(first.status, 200);
    thread::sleep(Duration::from_millis(1_100));
    assert_eq!(dev.get("/", &[json, &first.cookie()]).status, 401, "the session has ended");
    assert_eq!(dev.get("/", &["Accept: text/html", &first.cookie()]).status, 302);
    assert_eq!(dev.get("/", &[json]).status, 200, "a program without cookies has no session that ends");
}

#[test]
fn websockets_are_opened_for_the_user_alone() {
    let dev = Dev::start("--users users.json --user alice@example.com");
    let open = |cookie: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", dev.port)).expect("it listens");
        let host = format!("Host: localhost:{}", dev.port);
        let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket";
        write!(stream, "GET /ws HTTP/1.1\r\n{host}\r\n{upgrade}\r\n{key}\r\n{cookie}\r\n\r\n").expect("a request");
        let mut answer = Vec::new();
        let mut byte = [0];
        // The head, then one frame: text, one byte
        while !answer.ends_with(b"\x81\x017") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
            answer.push(byte[0]);
            if answer.starts_with(b"HTTP/1.1 302") && answer.ends_with(b"\r\n\r\n") {
                break;
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = open("X: 1");
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(open("Origin: http://evil.example").starts_with("HTTP/1.1 302 "), "a page of another site opens none");
    let (_, nobody) = dev.switch("", "");
    assert!(open(&nobody).starts_with("HTTP/1.1 302 "), "a session of nobody opens none");
}

#[test]
fn what_it_cannot_do_it_says() {
    let shell = Shell::new();
    shell.write("users.json", USERS);
    shell.write("bad.json", r#"[{"mail":"a@b"}]"#);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("an address");
    for (arguments, expected) in [
        ("--user a@b", "error: "),
        ("--upstream http://127.0.0.1:1", "error: "),
        ("--upstream http://127.0.0.1:1 --groups x", "error: "),
        ("--upstream http://127.0.0.1:1 --users users.json --user alice@example.com --groups x", "error: "),
        ("--upstream https://a --user a@b", "invalid_options: --upstream: "),
        ("--upstream http://127.0.0.1:1/path --user a@b", "invalid_options: --upstream: "),
        ("--upstream http://127.0.0.1:1 --user a@b --host https://a", "invalid_options: --host: "),
        ("--upstream http://127.0.0.1:1 --users bad.json", "invalid_options: --users bad.json: "),
        ("--upstream http://127.0.0.1:1 --users missing.json", "invalid_options: missing.json cannot be read"),
        ("--upstream http://127.0.0.1:1 --users users.json --user a@b", "invalid_options: --user a@b: "),
        (
            "--upstream http://127.0.0.1:1 --user a@b --listen 0.0.0.0:0",
            "invalid_options: --listen 0.0.0.0:0: 0.0.0.0 can be reached from other machines",
        ),
        (&format!("--upstream http://127.0.0.1:1 --user a@b --listen {taken}"), "invalid_options: --listen 127.0.0.1:"),
    ] {
        let answer = shell.run(&format!("pomerium-jwt dev {arguments}"));
        assert_eq!((answer.exit_code, answer.stdout.as_str()), (2, ""), "{arguments}: {answer:?}");
        assert!(answer.stderr.starts_with(expected), "{arguments}: {}", answer.stderr);
    }
}
