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
    sync::{Mutex, PoisonError},
};

use http_body_util::Full;
use hyper::{Method, Response, StatusCode, Uri};
use pomerium_jwt::{Admission, Error, ErrorCode, Options, Request, Verifier};
use pomerium_jwt_conformance::application::{Answer, Asked, joined, json, refusal, serve, set, websocket};
use serde_json::json;

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
    match listen(&set("PORT").unwrap_or_else(|| "8080".to_owned()), application) {
        Ok(never) => match never {},
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn listen(port: &str, application: Application) -> std::io::Result<Infallible> {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("http://{}", listener.local_addr()?);
    serve(&listener, move |asked| application.in_front(asked))
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
        refusal(error)
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
