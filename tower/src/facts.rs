//! The facts of a request of the crate `http`, as `pomerium_jwt::Request` defines them.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, Method, Request, Uri, Version, header::UPGRADE};

pub(crate) struct Facts<'r> {
    token: Cow<'r, [u8]>,
    path: &'r str,
    upgrade: bool,
}

impl<'r> Facts<'r> {
    pub(crate) fn of<B>(request: &'r Request<B>, header: &HeaderName) -> Self {
        let is_connect = request.method() == Method::CONNECT;
        // HTTP/1's CONNECT asks for a tunnel, that of later versions is how WebSockets are opened
        let opens_stream = is_connect && request.version() >= Version::HTTP_2;
        Self {
            token: joined(request.headers(), header),
            path: if is_connect { "" } else { sent_path(request) },
            upgrade: opens_stream || pomerium_jwt::Request::is_upgrade(joined(request.headers(), &UPGRADE)),
        }
    }

    pub(crate) fn request(&self) -> pomerium_jwt::Request<'_> {
        pomerium_jwt::Request {
            token: &self.token,
            path: self.path.as_bytes(),
            upgrade: self.upgrade,
            ..pomerium_jwt::Request::default()
        }
    }
}

/// All values of this header, joined by `,`.
fn joined<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Cow<'h, [u8]> {
    let mut values = headers.get_all(name).iter().map(http::HeaderValue::as_bytes);
    let first = values.next().unwrap_or_default();
    let mut joined = Cow::Borrowed(first);
    for value in values {
        let text = joined.to_mut();
        text.push(b',');
        text.extend_from_slice(value);
    }
    joined
}

/// The path as the client sent it, empty if handlers route by another one.
#[cfg(not(feature = "axum"))]
fn sent_path<B>(request: &Request<B>) -> &str {
    request.uri().path()
}

/// The path as the client sent it, empty if handlers route by another one. axum keeps the URI with which a request
/// reached its router; below `nest` the prefix is gone from the other one.
#[cfg(feature = "axum")]
fn sent_path<B>(request: &Request<B>) -> &str {
    use axum::extract::{NestedPath, OriginalUri};

    let routed = request.uri().path();
    let Some(OriginalUri(original)) = request.extensions().get() else { return routed };
    let original = original.path();
    let nested = request.extensions().get().map_or("", NestedPath::as_str);
    let prefix = nested.split('/').filter(|segment| !segment.is_empty()).count();
    if without_segments(original, prefix) == Some(routed) { original } else { "" }
}

/// What follows so many segments; `/` if nothing does.
#[cfg(feature = "axum")]
fn without_segments(path: &str, count: usize) -> Option<&str> {
    let mut rest = path;
    for _ in 0..count {
        rest = rest.strip_prefix('/')?;
        rest = rest.find('/').map_or("", |end| &rest[end..]);
    }
    Some(if rest.is_empty() { "/" } else { rest })
}

/// The URI for people to read, also if handlers route by another one.
pub(crate) fn shown_uri<B>(request: &Request<B>) -> &Uri {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(original)) = request.extensions().get() {
        return original;
    }
    request.uri()
}
