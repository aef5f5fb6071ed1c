//! `--upstream`: what gets in is forwarded to the application, with identity headers of ours alone.

use std::{convert::Infallible, sync::Arc};

use http_body_util::BodyExt as _;
use hyper::{Request, Response, body::Incoming};
use pomerium_jwt_tower::{Admitted, Guard, PomeriumLayer};
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::{identity_headers::IdentityHeaders, infallible};
use crate::proxy::{Body, Upstream};

pub(super) struct Sidecar {
    layer: PomeriumLayer,
    upstream: Upstream,
    headers: IdentityHeaders,
}

impl Sidecar {
    pub(super) fn new(guard: Guard, upstream: Upstream, headers: IdentityHeaders) -> Self {
        if !upstream.is_loopback() {
            tracing::warn!("pomerium-jwt: the upstream is on another machine: what is sent there is not encrypted");
        }
        Self { layer: PomeriumLayer::from(guard), upstream, headers }
    }

    /// The layer judges the request and answers refusals; the rest is forwarded.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let this = self.clone();
        let service = self.layer.layer(service_fn(move |request| this.clone().forward(request)));
        let Ok(response) = service.oneshot(request).await;
        response.map(|body| body.boxed_unsync())
    }

    async fn forward(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let caller = Admitted::of(request.extensions()).and_then(Admitted::caller).cloned();
        // Kept aside: the client may name it in Connection, and what was verified is forwarded all the same
        let assertion = request.headers().get(self.headers.assertion()).cloned();
        let set = |headers: &mut hyper::HeaderMap| self.headers.replace(headers, caller.as_deref(), assertion);
        infallible(self.upstream.forward(request, set).await)
    }
}
