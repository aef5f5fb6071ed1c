//! The HTTP suite's reference: the application of `conformance/http.md` over `Verifier::admit`, with hyper alone.
//!
//! What an integration does is `facts` and `refusal`; everything else is the application.
#![forbid(unsafe_code)]

use std::{
    collections::HashSet,
    convert::Infallible,
    env,
    net::TcpListener,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::Full;
use hyper::{
    Method, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    header::{HeaderMap, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use pomerium_jwt::{Admission, Error, ErrorCode, Options, Request, Verifier};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, runtime, task::LocalSet};

type Answer = Response<Full<Bytes>>;
type Asked = hyper::Request<Incoming>;

struct Application {
    verifier: Verifier,
    cors_origin: Option<String>,
    rewrite: Option<(String, String)>,
    /// The codes warned of.
    warned: Mutex<HashSet<ErrorCode>>,
}

fn main() -> ExitCode {
    let verifier = match Options::from_env().and_then(Verifier::new) {
        Ok(verifier) => verifier,
        Err(error) => {
            eprintln!("{}", error.message());
            return ExitCode::FAILURE;
        }
    };
    eprintln!("{}", verifier.summary());
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let rewrite = set("REWRITE").and_then(|value| {
        let (from, to) = value.split_once('=')?;
        Some((from.to_owned(), to.to_owned()))
    });
    let application = Application { verifier, cors_origin: set("CORS_ORIGIN"), rewrite, warned: Mutex::default() };
    match serve(&Arc::new(application), &set("PORT").unwrap_or_else(|| "8080".to_owned())) {
        Ok(never) => match never {},
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// A thread for each connection, so that waiting for keys holds up nobody else.
fn serve(application: &Arc<Application>, port: &str) -> std::io::Result<Infallible> {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept()?;
        let application = application.clone();
        thread::spawn(move || connection(&application, socket));
    }
}

fn connection(application: &Arc<Application>, socket: std::net::TcpStream) -> std::io::Result<()> {
    socket.set_nonblocking(true)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let upgraded = LocalSet::new();
    upgraded.block_on(&runtime, async {
        let socket = TokioIo::new(tokio::net::TcpStream::from_std(socket)?);
        let service = service_fn(|asked| {
            let application = application.clone();
            async move { Ok::<_, Infallible>(application.in_front(asked)) }
        });
        // What a client does wrong ends its connection, and that is all
        let _ = http1::Builder::new().serve_connection(socket, service).with_upgrades().await;
        Ok::<_, std::io::Error>(())
    })?;
    runtime.block_on(upgraded);
    Ok(())
}

/// The middleware in front: CORS, and the one that rewrites paths.
impl Application {
    fn in_front(&self, mut asked: Asked) -> Answer {
        let origin = asked.headers().get("origin").cloned();
        let allowed =
            self.cors_origin.as_deref().filter(|allowed| origin.as_ref().is_some_and(|origin| origin == allowed));
        let preflight =
            asked.method() == Method::OPTIONS && asked.headers().contains_key("access-control-request-method");
        let mut answer = if allowed.is_some() && preflight {
            let mut answer = Response::new(Full::default());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            set(&mut answer, "access-control-allow-methods", "DELETE");
            set(&mut answer, "access-control-allow-headers", "Authorization");
            answer
        } else {
            let sent = asked.uri().path().to_owned();
            self.rewritten(&mut asked);
            self.guarded(asked, &sent)
        };
        if let Some(origin) = allowed {
            set(&mut answer, "access-control-allow-origin", origin);
        }
        answer
    }

    fn rewritten(&self, asked: &mut Asked) {
        if let Some((from, to)) = &self.rewrite
            && asked.uri().path() == from
            && let Ok(uri) = to.parse::<Uri>()
        {
            *asked.uri_mut() = uri;
        }
    }
}

/// What an integration does.
impl Application {
    fn guarded(&self, mut asked: Asked, sent: &str) -> Answer {
        let token = joined(asked.headers(), self.verifier.header_name());
        // What was rewritten in front of us, and CONNECT, which names no path, are never exempt
        let is_sent = asked.uri().path() == sent && asked.method() != Method::CONNECT;
        let path = if is_sent { sent } else { "" };
        let upgrade = Request::is_upgrade(joined(asked.headers(), "upgrade"));
        let facts = Request { token: &token, path: path.as_bytes(), upgrade, marked_public: false };
        let outcome = self.verifier.admit(&facts).and_then(|admission| self.handle(&mut asked, &admission));
        outcome.unwrap_or_else(|error| self.refusal(&error, path))
    }

    fn refusal(&self, error: &Error, path: &str) -> Answer {
        if self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(error.code()) {
            eprintln!("refused: {} ({}) for {path:?}", error.code(), error.message());
        }
        let mut answer = Response::new(Full::from(error.body()));
        *answer.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in error.headers() {
            set(&mut answer, name, &value);
        }
        answer
    }
}

/// What the application answers.
impl Application {
    fn handle(&self, asked: &mut Asked, admission: &Admission) -> Result<Answer, Error> {
        let identity = admission.identity();
        let subject = identity.map(|identity| identity.subject.clone());
        let reads = asked.method() == Method::GET || asked.method() == Method::HEAD;
        Ok(match asked.uri().path() {
            "/" if reads => json(&json!(identity)),
            "/admin" if reads => json(&json!(admission.require_group(&["admins"])?)),
            "/health" if reads => json(&self.health()),
            "/ws" if reads && asked.headers().contains_key("sec-websocket-key") => websocket(asked, subject),
            _ => json(&json!({"reached": true, "subject": subject})),
        })
    }

    fn health(&self) -> serde_json::Value {
        let status = json!(self.verifier.status());
        status.get("health").cloned().unwrap_or_default()
    }
}

/// All values of this header, joined by `,`.
fn joined(headers: &HeaderMap, name: &str) -> Vec<u8> {
    let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    values.join(&b","[..])
}

fn json(value: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::from(value.to_string()));
    set(&mut answer, "content-type", "application/json");
    answer
}

fn set(answer: &mut Answer, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        answer.headers_mut().insert(name, value);
    }
}

/// One text message, then it closes (RFC 6455).
fn websocket(asked: &mut Asked, subject: Option<String>) -> Answer {
    let key = asked.headers().get("sec-websocket-key").map(HeaderValue::as_bytes).unwrap_or_default();
    let accept = [key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    let accept = STANDARD.encode(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &accept));
    let upgrade = hyper::upgrade::on(asked);
    tokio::task::spawn_local(async move {
        if let Ok(upgraded) = upgrade.await {
            let _ = message(TokioIo::new(upgraded), subject.unwrap_or_default().as_bytes()).await;
        }
    });
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", &accept)] {
        set(&mut answer, name, value);
    }
    answer
}

async fn message(mut stream: TokioIo<Upgraded>, text: &[u8]) -> std::io::Result<()> {
    let length = u8::try_from(text.len()).unwrap_or(125).min(125);
    stream.write_all(&[&[0x81, length], &text[..usize::from(length)], &[0x88, 0]].concat()).await?;
    stream.shutdown().await
}
