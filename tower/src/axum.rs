//! The extractors of axum, and a refusal as a response.

use axum::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
    response::{IntoResponse, Response},
};

use crate::{Admitted, Caller, Refused, response::plain};

impl<S: Send + Sync> FromRequestParts<S> for Admitted {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        Admitted::of(&parts.extensions).cloned().ok_or_else(|| Refused::unprotected(parts.uri.path()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let admitted = <Admitted as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        admitted.require_caller().cloned()
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Refused> {
        let admitted = <Admitted as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(admitted.caller().cloned())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        plain(self.error()).map(Body::from)
    }
}
