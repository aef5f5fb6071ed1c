//! A refusal as a response.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request,
};
use http_body_util::{Either, Full};
use pomerium_jwt::Error;

use crate::grpc;

/// The body of a response: a refusal's, or the application's.
pub type ResponseBody<B> = Either<Full<Bytes>, B>;

/// The body of refusals in place of the core's JSON, such as an HTML page. Status and headers stay what they are, except
/// for the Content-Type.
#[derive(Debug, Clone)]
pub struct ErrorPage {
    /// The Content-Type.
    pub content_type: HeaderValue,
    /// The body.
    pub body: Bytes,
}

pub(crate) type ErrorHandler = Arc<dyn Fn(&request::Parts, &Error) -> ErrorPage + Send + Sync>;

/// The response to this request. gRPC clients get gRPC's; no page is made for them.
pub(crate) fn refusal(
    error: &Error,
    request: &request::Parts,
    handler: Option<&ErrorHandler>,
) -> Response<Full<Bytes>> {
    if grpc::is_call(request) {
        let (mut parts, body) = Response::new(Full::default()).into_parts();
        grpc::refuse(error, &mut parts);
        return Response::from_parts(parts, body);
    }
    let mut response = plain(error);
    if let Some(handler) = handler {
        let ErrorPage { content_type, body } = handler(request, error);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        *response.body_mut() = body;
    }
    if request.method == Method::HEAD {
        let length = response.body().len();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        response.body_mut().clear();
    }
    response.map(Full::new)
}

/// The response that the core describes.
pub(crate) fn plain(error: &Error) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(error.body()));
    *response.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in error.headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
