//! The HTTP suite against `pomerium-jwt serve --upstream`: an application that verifies nothing, and the sidecar before it.
//!
//! The application believes the headers it gets, as those do for which the sidecar is made: the subject is
//! X-Auth-Request-User. The rest of the identity it reads from the claims of the assertion that was forwarded to it,
//! without a check of its own.
#![forbid(unsafe_code)]

use std::{
    env,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
    thread,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::Method;
use pomerium_jwt::{Error, ErrorCode};
use pomerium_jwt_conformance::application::{Answer, Asked, joined, json, refusal, serve, websocket};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let outcome = match &words[..] {
        [upstream, admin] => application(upstream, admin),
        _ => sidecar(),
    };
    let Err(why) = outcome else { return ExitCode::SUCCESS };
    eprintln!("{why}");
    ExitCode::FAILURE
}

/// Starts the application as another process of this group, then becomes the sidecar.
fn sidecar() -> Result<(), Box<dyn std::error::Error>> {
    let program = env::current_exe()?;
    let (upstream, admin) = (free_address()?, free_address()?);
    Command::new(&program).args([upstream.to_string(), admin.to_string()]).spawn()?;
    while TcpStream::connect(upstream).is_err() {
        thread::yield_now();
    }
    let command = program.parent().ok_or("the program has no folder")?.join("pomerium-jwt");
    let upstream = format!("http://{upstream}");
    let mut sidecar = Command::new(command);
    Err(sidecar.args(["serve", "--upstream", &upstream, "--admin-listen", &admin.to_string()]).exec().into())
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn application(address: &str, admin: &str) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(address)?;
    let admin: SocketAddr = admin.parse()?;
    let parent = std::os::unix::process::parent_id();
    thread::spawn(move || {
        while std::os::unix::process::parent_id() == parent {
            thread::sleep(std::time::Duration::from_millis(200));
        }
        std::process::exit(0); // the sidecar has gone
    });
    let header = env::var("POMERIUM_JWT_HEADER_NAME").unwrap_or_else(|_| "X-Pomerium-Jwt-Assertion".to_owned());
    match serve(&listener, move |asked| answer(asked, &header, admin).unwrap_or_else(|error| refusal(&error)))? {}
}

fn answer(mut asked: Asked, header: &str, admin: SocketAddr) -> Result<Answer, Error> {
    let identity = identity(&asked, header);
    let subject = identity.get("subject").cloned().unwrap_or(Value::Null);
    let reads = asked.method() == Method::GET || asked.method() == Method::HEAD;
    Ok(match asked.uri().path() {
        "/" if reads => json(&identity),
        "/admin" if reads => {
            require_group(&identity, "admins")?;
            json(&identity)
        }
        "/health" if reads => json(&health(admin)),
        "/ws" if reads && asked.headers().contains_key("sec-websocket-key") => {
            websocket(&mut asked, subject.as_str().map(str::to_owned))
        }
        _ => json(&json!({"reached": true, "subject": subject})),
    })
}

/// With the names and the nulls of cases.json; null if no assertion was forwarded.
fn identity(asked: &Asked, header: &str) -> Value {
    let text = |name: &str| String::from_utf8(joined(asked.headers(), name)).unwrap_or_default();
    let user = text("x-auth-request-user");
    let token = text(header);
    let Some(claims) = claims(&token) else { return Value::Null };
    let optional = |name: &str| claims[name].as_str().filter(|value| !value.is_empty());
    let time = |name: &str| claims[name].as_f64().map(|time| time.trunc() as i64);
    let groups = claims["groups"].as_array().filter(|_| !user.is_empty());
    let groups =
        groups.into_iter().flatten().map(|group| group.as_str().map_or_else(|| group.to_string(), str::to_owned));
    let audience = match &claims["aud"] {
        Value::String(one) => json!([one]),
        list => list.clone(),
    };
    json!({
        "subject": user, "user": optional("user"), "email": optional("email"), "name": optional("name"),
        "groups": groups.collect::<Vec<_>>(), "session_id": optional("sid"), "token_id": optional("jti"),
        "issuer": claims["iss"], "audience": audience, "issued_at": time("iat"), "expires_at": time("exp"),
        "anonymous": user.is_empty(),
    })
}

/// The payload, in base64url between two dots.
fn claims(token: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn require_group(identity: &Value, group: &str) -> Result<(), Error> {
    let refuse = |code| Err(Error::new(code, "this route demands a group"));
    match &identity["subject"] {
        Value::Null => refuse(ErrorCode::TokenMissing),
        subject if subject == "" => refuse(ErrorCode::SubjectMissing),
        _ if identity["groups"].as_array().is_some_and(|groups| groups.iter().any(|one| one == group)) => Ok(()),
        _ => refuse(ErrorCode::GroupRequired),
    }
}

/// The sidecar's own.
fn health(admin: SocketAddr) -> Value {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(admin)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().unwrap_or_default();
    let body = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(&b""[..], |end| &answer[end + 4..]);
    serde_json::from_slice(body).unwrap_or_default()
}
