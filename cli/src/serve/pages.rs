//! What is answered without `--upstream`, or on `--admin-listen`.

use std::sync::Arc;

use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
};
use serde_json::json;

use super::{auth::Auth, page, view::View};
use crate::proxy::{Body, failure, full};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// No script, no picture, nothing from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) struct Pages {
    pub(super) strict: bool,
    pub(super) undecided: bool,
    pub(super) auth: Auth,
}

impl Pages {
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        if path == "/auth" || path.starts_with("/auth/") {
            return self.auth.answer(&request).await;
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return failure(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
        }
        match path {
            "/" => self.shown(&request, HTML, page::render).await,
            "/json" | "/api/verify-info" => self.shown(&request, JSON, View::to_json).await,
            "/headers" => text(StatusCode::OK, JSON, View::headers_json(request.headers())),
            "/style.css" => text(StatusCode::OK, "text/css; charset=utf-8", page::STYLE.to_owned()),
            "/healthz" => text(StatusCode::OK, JSON, json!({"alive": true}).to_string()),
            "/readyz" => self.ready(),
            "/metrics" => text(StatusCode::OK, METRICS, self.auth.guard.verifier().metrics()),
            _ => failure(StatusCode::NOT_FOUND, "not_found"),
        }
    }

    async fn shown(
        &self,
        request: &Request<Incoming>,
        content: &'static str,
        render: impl Fn(&View) -> String,
    ) -> Response<Body> {
        let view = View::of(&self.auth.guard, request, self.undecided).await;
        let refused = view.error.as_ref().filter(|_| self.strict);
        let status = refused.map_or(200, pomerium_jwt::Error::status);
        text(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), content, render(&view))
    }

    /// Stale keys are no reason: they are used.
    fn ready(&self) -> Response<Body> {
        let health = self.auth.guard.health();
        let ready = health.keys_loaded || !health.asked;
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        text(status, JSON, serde_json::to_string(&health).unwrap_or_default())
    }
}

fn text(status: StatusCode, content: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let set = [
        (CONTENT_TYPE, content),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in set {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
