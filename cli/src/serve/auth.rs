//! `/auth`: the answer for a proxy that asks before it lets a request through.

use hyper::{HeaderMap, Request as Asked, Response, StatusCode, body::Incoming, header::CACHE_CONTROL};
use pomerium_jwt::{Error, ErrorCode, Request};
use pomerium_jwt_tower::Guard;

use super::{identity_headers::IdentityHeaders, refusal};
use crate::proxy::{Body, failure, full, joined};

/// The proxy that asks. A client can send the headers of the others, so only one family is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proxy {
    Nginx,
    Caddy,
    Traefik,
    Envoy,
}

pub(super) const PROXIES: [(&str, Proxy); 4] =
    [("nginx", Proxy::Nginx), ("caddy", Proxy::Caddy), ("traefik", Proxy::Traefik), ("envoy", Proxy::Envoy)];

impl Proxy {
    /// Whether it tells that a request is an upgrade. Without that, a WebSocket to an exempt path would pass.
    pub(super) fn tells_upgrades(self) -> bool {
        matches!(self, Proxy::Nginx | Proxy::Caddy)
    }

    /// The path of the request that it asks about, empty if it does not say.
    ///
    /// # Errors
    /// If there are two.
    fn path(self, headers: &HeaderMap, own_path: &str) -> Result<String, ()> {
        let header = match self {
            Proxy::Nginx => "x-original-url",
            Proxy::Caddy | Proxy::Traefik => "x-forwarded-uri",
            Proxy::Envoy => return Ok(own_path.strip_prefix("/auth").unwrap_or_default().to_owned()),
        };
        let mut values = headers.get_all(header).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(());
        }
        Ok(first.and_then(|value| value.to_str().ok()).map_or("", path_of).to_owned())
    }
}

/// The path in `/path?query` or `https://host/path?query`. A host holds no slash: proxies refuse it.
fn path_of(target: &str) -> &str {
    let without_scheme = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"));
    let path = match without_scheme {
        Some(rest) => rest.find('/').map_or("", |start| &rest[start..]),
        None if target.starts_with('/') => target,
        None => "",
    };
    path.split('?').next().unwrap_or_default()
}

/// What `/auth` needs.
pub(super) struct Auth {
    pub(super) guard: Guard,
    pub(super) proxy: Option<Proxy>,
    pub(super) headers: IdentityHeaders,
    /// The verifier pins the first issuer that comes: fit for a page, not for a decision.
    pub(super) undecided: bool,
}

impl Auth {
    /// 200 with the identity headers, or the refusal.
    pub(super) async fn answer(&self, asked: &Asked<Incoming>) -> Response<Body> {
        if self.undecided {
            let message = "neither issuer and audience nor a route is set: any route's token would get in";
            return refusal(&Error::new(ErrorCode::InvalidOptions, message));
        }
        if self.headers.are_mimicked(asked.headers()) {
            return failure(StatusCode::BAD_REQUEST, "bad_request");
        }
        let path = match self.proxy.map(|proxy| proxy.path(asked.headers(), asked.uri().path())) {
            None => String::new(),
            Some(Ok(path)) => path,
            Some(Err(())) => return failure(StatusCode::BAD_REQUEST, "bad_request"),
        };
        let token = joined(asked.headers(), self.guard.verifier().header_name());
        let upgrade = Request::is_upgrade(joined(asked.headers(), "upgrade"));
        let facts = Request { token: &token, path: path.as_bytes(), upgrade, ..Request::default() };
        match self.guard.admit(&facts).await {
            Ok(admission) => {
                let mut response = Response::new(full(""));
                response.headers_mut().insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
                self.headers.answer(response.headers_mut(), admission.identity());
                response
            }
            Err(error) => refusal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn each_proxy_has_one_header_and_the_others_are_ignored() {
        let both = [("x-original-url", "/nginx?a=/b"), ("x-forwarded-uri", "/caddy?c"), ("x-original-uri", "/x")];
        let table = [
            (Proxy::Nginx, &both[..], "/auth", Ok("/nginx")),
            (Proxy::Caddy, &both, "/auth", Ok("/caddy")),
            (Proxy::Traefik, &both, "/auth/x", Ok("/caddy")),
            (Proxy::Envoy, &both, "/auth/envoy/x", Ok("/envoy/x")),
            (Proxy::Envoy, &both, "/auth", Ok("")),
            (Proxy::Nginx, &both[1..], "/auth/health", Ok("")),
            (Proxy::Caddy, &[("x-forwarded-uri", "/a"), ("x-forwarded-uri", "/a")], "/auth", Err(())),
            (Proxy::Nginx, &[("x-original-url", "/a"), ("x-original-url", "/b")], "/auth", Err(())),
        ];
        for (proxy, lines, own, expected) in table {
            let found = proxy.path(&headers(lines), own);
            assert_eq!(found.as_deref(), expected.as_deref(), "{proxy:?} {lines:?}");
        }
    }

    #[test]
    fn a_path_is_what_the_client_has_sent() {
        let table = [
            ("/a%2Fb/../c?d", "/a%2Fb/../c"),
            ("/health#/admin", "/health#/admin"), // a fragment is never sent: servers read differently what follows it
            ("//host/health", "//host/health"),
            ("https://app.example.com/health", "/health"),
            ("http://a?/admin", "/admin"),
            ("http://a#@b/admin", "/admin"),
            ("https://app.example.com", ""),
            ("health", ""),
            ("*", ""),
            ("ftp://a/health", ""),
        ];
        for (target, expected) in table {
            assert_eq!(path_of(target), expected, "{target}");
        }
    }
}
