//! A judged request on its way to the upstream, and the answer on its way back.

use std::{
    io::Write as _,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri, Version,
    body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint},
    header::{COOKIE, HOST, HeaderValue, TE},
    http::uri::{self, Authority, PathAndQuery, Scheme},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::sleep;

use super::{
    Body, failure,
    headers::{listed, remove_hop_by_hop},
    tunnel,
};
use crate::report::printable;

/// To be connected.
const CONNECT: Duration = Duration::from_secs(5);

/// An idle connection is closed before a server would close it (gunicorn: 2 s), so that no request meets one closing.
const IDLE: Duration = Duration::from_millis(1500);

/// The server that requests are forwarded to. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Upstream {
    authority: Authority,
    version: Version,
    client: Client<HttpConnector, WithoutTrailers>,
    timeout: Duration,
}

impl Upstream {
    /// `http://HOST:PORT` for HTTP/1.1, `h2c://HOST:PORT` for HTTP/2 without TLS. The upstream has so long to begin its
    /// answer, from the last part of the request's body on; bodies and WebSockets may take any time.
    ///
    /// # Errors
    /// A sentence that says what to write instead.
    pub(crate) fn new(url: &str, timeout: Duration) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| format!("{url:?} is not a URL: write http://127.0.0.1:3000"))?;
        let version = match uri.scheme_str() {
            Some("http") => Version::HTTP_11,
            Some("h2c") => Version::HTTP_2,
            _ => return Err(format!("{url:?} must begin with http:// (HTTP/1.1) or h2c:// (HTTP/2 without TLS)")),
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or_else(|| format!("{url:?} has no host: write http://127.0.0.1:3000"))?.clone();
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(format!("{url:?} has a path: write scheme, host and port alone; paths are never changed"));
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http2_only(version == Version::HTTP_2)
            .set_host(false)
            .build(connector);
        Ok(Self { authority, version, client, timeout })
    }

    /// Whether it is on this machine, as far as its address says.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.authority.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Forwards the request with its path byte for byte. `set` is given the headers once those of the client's own
    /// connection are gone, so that nothing the client writes can remove what is set there. What goes wrong is told on
    /// standard error, at most once a second, and answered: 502 `upstream_failed`, 504 `upstream_timeout`.
    pub(crate) async fn forward(
        &self,
        mut request: Request<Incoming>,
        set: impl FnOnce(&mut HeaderMap),
    ) -> Response<Body> {
        if request.method() == Method::CONNECT {
            return failure(StatusCode::NOT_IMPLEMENTED, "connect_not_supported");
        }
        let websocket = self.version == Version::HTTP_11 && tunnel::is_wanted(&request);
        let client = websocket.then(|| hyper::upgrade::on(&mut request));
        let upload = Upload::default();
        let outgoing =
            self.outgoing(request, websocket, set).map(|body| WithoutTrailers { body, upload: upload.clone() });
        let answer = tokio::select! {
            answer = self.client.request(outgoing) => Some(answer),
            () = upload.rested(self.timeout) => None,
        };
        match answer {
            None => {
                report(&format!("no answer within {} s", self.timeout.as_secs()));
                failure(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout")
            }
            Some(Err(error)) => self.failed(&error),
            Some(Ok(mut response)) => {
                let is_switching = response.status() == StatusCode::SWITCHING_PROTOCOLS;
                let upstream = is_switching.then(|| hyper::upgrade::on(&mut response));
                match (client, upstream) {
                    (Some(client), Some(upstream)) if tunnel::is_websocket(response.headers()) => {
                        tunnel::connect(client, upstream);
                        remove_hop_by_hop(response.headers_mut());
                        tunnel::mark(response.headers_mut());
                    }
                    (_, Some(_)) => {
                        report("it switches to a protocol that nobody has asked for");
                        return failure(StatusCode::BAD_GATEWAY, "upstream_failed");
                    }
                    (_, None) => remove_hop_by_hop(response.headers_mut()),
                }
                *response.version_mut() = Version::default();
                response.map(|body| body.map_err(Into::into).boxed_unsync())
            }
        }
    }

    fn outgoing(
        &self,
        request: Request<Incoming>,
        websocket: bool,
        set: impl FnOnce(&mut HeaderMap),
    ) -> Request<Incoming> {
        let (mut parts, body) = request.into_parts();
        let takes_trailers = listed(&parts.headers, &TE).any(|entry| entry.eq_ignore_ascii_case(b"trailers"));
        remove_hop_by_hop(&mut parts.headers);
        join_cookies(&mut parts.headers);
        // An absolute target is the host, whatever the header says; that of HTTP/2 is one
        let asked = parts.uri.authority().and_then(|asked| HeaderValue::from_str(asked.as_str()).ok());
        if let Some(host) = asked {
            parts.headers.insert(HOST, host);
        } else if !parts.headers.contains_key(HOST)
            && let Ok(host) = HeaderValue::from_str(self.authority.as_str())
        {
            parts.headers.insert(HOST, host); // HTTP/1.0 may do without
        }
        set(&mut parts.headers);
        if websocket {
            tunnel::mark(&mut parts.headers);
        }
        if self.version == Version::HTTP_2 {
            // The authority names the host there, and it is where the client connects: never the request's
            parts.headers.remove(HOST);
            if takes_trailers {
                parts.headers.insert(TE, HeaderValue::from_static("trailers"));
            }
        }
        let mut target = uri::Parts::default();
        target.scheme = Some(Scheme::HTTP);
        target.authority = Some(self.authority.clone());
        target.path_and_query = parts.uri.path_and_query().cloned().or(Some(PathAndQuery::from_static("/")));
        parts.uri = Uri::from_parts(target).expect("scheme, authority and path are there");
        parts.version = self.version;
        Request::from_parts(parts, body)
    }

    fn failed(&self, error: &hyper_util::client::legacy::Error) -> Response<Body> {
        let mut causes = Vec::new();
        let mut next: Option<&dyn std::error::Error> = Some(error);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        report(&format!("{}: {}", self.authority, causes.join(": ")));
        failure(StatusCode::BAD_GATEWAY, "upstream_failed")
    }
}

/// HTTP/2 may send a cookie in pieces; HTTP/1.1 has one line.
fn join_cookies(headers: &mut HeaderMap) {
    let pieces: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if pieces.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&pieces.join(&b"; "[..]))
    {
        headers.insert(COOKIE, joined);
    }
}

/// At most one line a second: clients choose how many there are.
fn report(what: &str) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() >= Duration::from_secs(1)) {
        *last = Some(Instant::now());
        let _ = writeln!(anstream::stderr(), "upstream: {}", printable(what));
    }
}

/// When the last part of a request's body went up.
#[derive(Clone)]
struct Upload(Arc<Mutex<Instant>>);

impl Default for Upload {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Upload {
    fn went_on(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Returns once nothing has gone up for so long.
    async fn rested(&self, limit: Duration) {
        loop {
            let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match limit.checked_sub(last.elapsed()).filter(|rest| !rest.is_zero()) {
                Some(rest) => sleep(rest).await,
                None => return,
            }
        }
    }
}

/// The body of a request without its trailers: an application could read them as headers.
pub(crate) struct WithoutTrailers {
    body: Incoming,
    upload: Upload,
}

impl HttpBody for WithoutTrailers {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.upload.went_on();
        match frame {
            Some(Ok(frame)) if frame.is_trailers() => Poll::Ready(None),
            other => Poll::Ready(other),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
