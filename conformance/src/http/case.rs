//! One case, and the few words in which it is written.
//!
//! ```text
//! get("header-lower-case", "/").header("x-pomerium-jwt-assertion", &token).identity(alice),
//! ```

use std::{net::SocketAddr, sync::Arc, time::Instant};

use serde_json::{Value, json};

use super::{
    Application, expect,
    process::Printed,
    wire::{Answer, Connection},
    world::World,
};

/// Where the token is, unless an option says otherwise.
pub(crate) const HEADER: &str = "X-Pomerium-Jwt-Assertion";

/// What a framework or a server has, or has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `GET /ws`.
    WebSockets,
    /// A middleware in front that gives a request another path.
    Rewrite,
    /// A CORS middleware, of the framework's own or of the kind that its users take.
    Cors,
}

/// A case of the suite.
pub(crate) struct Case {
    /// Unique, in kebab case.
    pub(crate) id: String,
    /// Without it the case is not possible.
    pub(crate) needs: Option<Feature>,
    pub(crate) check: Check,
}

pub(crate) enum Check {
    /// One request, one answer.
    Exchange { request: Request, expect: Expect },
    /// Anything that takes more than that.
    Script(Script),
}

type Script = Box<dyn Fn(&Running<'_>) -> Result<(), String> + Send + Sync>;

/// What a request must get.
#[derive(Debug, Clone)]
pub(crate) enum Expect {
    /// Status, headers and body of this code, and nothing else.
    Refused(&'static str),
    /// 200 and this JSON, numbers by value and objects without order.
    Json(Value),
    /// 200 and the four names of the verifier's health.
    Health,
}

/// The application under test.
pub(crate) struct Running<'a> {
    pub(crate) application: &'a Application,
    pub(crate) address: SocketAddr,
    pub(crate) world: &'a Arc<World>,
    pub(crate) printed: Printed,
    pub(crate) since: Instant,
}

impl Running<'_> {
    pub(crate) fn open(&self) -> Result<Connection, String> {
        Connection::open(self.address)
    }

    /// The answer to one request on a connection of its own.
    pub(crate) fn ask(&self, request: &Request) -> Result<Answer, String> {
        let mut connection = self.open()?;
        connection.send(&request.bytes());
        let answer = connection.answer(request.is_head())?;
        if request.is_head() {
            let rest = connection.until_end()?;
            if !rest.is_empty() {
                return Err(format!("HEAD was answered with a body: {}", rest.escape_ascii()));
            }
        }
        Ok(answer)
    }

    /// Asks and compares.
    pub(crate) fn expect(&self, exchange: &Exchange) -> Result<(), String> {
        let answer = self.ask(&exchange.0)?;
        expect::compare(&answer, &exchange.1, exchange.0.is_head())
            .map_err(|why| format!("{why}\n    the request: {}", exchange.0.shown()))
    }
}

/// A request and what it must get, for scripts.
#[derive(Clone)]
pub(crate) struct Exchange(pub(crate) Request, pub(crate) Expect);

/// A request as it goes over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    id: String,
    needs: Option<Feature>,
    pub(crate) method: String,
    target: Vec<u8>,
    version: &'static str,
    headers: Vec<u8>,
    body: Vec<u8>,
}

/// A request to this target, without a token.
pub(crate) fn request(id: impl Into<String>, method: &str, target: impl AsRef<[u8]>) -> Request {
    Request {
        id: id.into(),
        needs: None,
        method: method.to_owned(),
        target: target.as_ref().to_vec(),
        version: "HTTP/1.1",
        headers: b"Host: 127.0.0.1\r\n".to_vec(),
        body: Vec::new(),
    }
}

pub(crate) fn get(id: impl Into<String>, target: impl AsRef<[u8]>) -> Request {
    request(id, "GET", target)
}

/// A case that takes more than one request.
pub(crate) fn script(
    id: impl Into<String>,
    check: impl Fn(&Running<'_>) -> Result<(), String> + Send + Sync + 'static,
) -> Case {
    Case { id: id.into(), needs: None, check: Check::Script(Box::new(check)) }
}

impl Case {
    pub(crate) fn needs(mut self, feature: Feature) -> Self {
        self.needs = Some(feature);
        self
    }
}

/// What is changed.
impl Request {
    pub(crate) fn needs(mut self, feature: Feature) -> Self {
        self.needs = Some(feature);
        self
    }

    pub(crate) fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.line([name.as_bytes(), b": ", value.as_ref()].concat())
    }

    /// Any bytes as a line of the head.
    pub(crate) fn line(mut self, line: impl AsRef<[u8]>) -> Self {
        self.headers.extend([line.as_ref(), b"\r\n"].concat());
        self
    }

    pub(crate) fn token(self, token: impl AsRef<[u8]>) -> Self {
        self.header(HEADER, token)
    }

    /// HTTP/1.0, which has no Host.
    pub(crate) fn version_1_0(mut self) -> Self {
        self.version = "HTTP/1.0";
        self.headers.clear();
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        let length = self.body.len().to_string();
        self.header("Content-Length", length)
    }

    /// These chunks, and these lines after them.
    pub(crate) fn chunked(mut self, chunks: &[&[u8]], trailers: &str) -> Self {
        for chunk in chunks {
            self.body.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            self.body.extend([chunk, &b"\r\n"[..]].concat());
        }
        self.body.extend(format!("0\r\n{trailers}\r\n").into_bytes());
        self.header("Transfer-Encoding", "chunked")
    }

    pub(crate) fn websocket(self) -> Self {
        self.header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        let mut bytes = [self.method.as_bytes(), b" ", &self.target, b" ", self.version.as_bytes(), b"\r\n"].concat();
        bytes.extend(&self.headers);
        if self.is_head() {
            // What comes until the end is what HEAD must not send
            bytes.extend(b"Connection: close\r\n");
        }
        bytes.extend(b"\r\n");
        bytes
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    pub(crate) fn shown(&self) -> String {
        // A token says nothing to a reader: its beginning will do
        let text = self.bytes().escape_ascii().to_string();
        let words = text.split(' ').map(|word| match word.char_indices().nth(120) {
            Some((end, _)) => format!("{}... ({} bytes)", &word[..20.min(end)], word.len()),
            None => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ").chars().take(600).collect()
    }
}

/// What must come out of it.
impl Request {
    pub(crate) fn refused(self, code: &'static str) -> Case {
        self.expecting(Expect::Refused(code))
    }

    /// The identity of this user.
    pub(crate) fn identity(self, identity: Value) -> Case {
        self.expecting(Expect::Json(identity))
    }

    /// It came through to the handler of everything else, as this subject.
    pub(crate) fn reached(self, subject: &str) -> Case {
        self.expecting(Expect::Json(json!({"reached": true, "subject": subject})))
    }

    /// The same, without an identity.
    pub(crate) fn passed(self) -> Case {
        self.expecting(Expect::Json(json!({"reached": true, "subject": null})))
    }

    pub(crate) fn health(self) -> Case {
        self.expecting(Expect::Health)
    }

    pub(crate) fn expecting(self, expect: Expect) -> Case {
        Case { id: self.id.clone(), needs: self.needs, check: Check::Exchange { request: self, expect } }
    }
}
