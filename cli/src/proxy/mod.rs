//! The reverse proxy of `serve` and `dev`: an HTTP server, and requests forwarded to an upstream.
//!
//! It decides nothing. Its caller has judged the request, and says which headers the upstream gets.

mod forward;
mod framing;
mod headers;
mod listener;
mod tunnel;

use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode, Version,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue},
};

pub(crate) use forward::Upstream;
pub(crate) use headers::{is_read_alike, remove_alike, remove_beginning};
pub(crate) use listener::{Listener, Stop, TlsConfig};

/// The body of a response: written here, or the upstream's.
pub(crate) type Body = UnsyncBoxBody<Bytes, Failure>;

/// Why a body ended early.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A body written here.
pub(crate) fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A response of the proxy's own, in the form of the core's refusals: `{"error":"upstream_failed"}`.
pub(crate) fn failure(status: StatusCode, code: &'static str) -> Response<Body> {
    let mut response = Response::new(full(format!("{{\"error\":\"{code}\"}}")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 400 for a request whose host two servers could read differently. To be asked before anything else; Content-Length
/// next to Transfer-Encoding does not come this far.
pub(crate) fn ambiguous(request: &Request<Incoming>) -> Option<Response<Body>> {
    let hosts = request.headers().get_all(HOST).iter().count();
    let is_missing = hosts == 0 && request.version() == Version::HTTP_11;
    let names_a_user = request.uri().authority().is_some_and(|authority| authority.as_str().contains('@'));
    (hosts > 1 || is_missing || names_a_user).then(|| failure(StatusCode::BAD_REQUEST, "bad_request"))
}

/// All values of this header, joined by `,`: a fact that the core asks for.
pub(crate) fn joined(headers: &HeaderMap, name: &str) -> Vec<u8> {
    let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    values.join(&b',')
}
