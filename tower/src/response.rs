//! A refusal as a response.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request,
};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;
use pomerium_jwt::Error;

use crate::grpc;

pin_project! {
    /// The body of a response: a refusal's, or the application's.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        either: Either<Full<Bytes>, B>,
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn refusal(body: Bytes) -> Self {
        Self { either: Either::Left(Full::new(body)) }
    }

    pub(crate) fn application(body: B) -> Self {
        Self { either: Either::Right(body) }
    }
}

/// Empty, for middleware in front that answers by itself.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::refusal(Bytes::new())
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.project().either.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.either.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.either.size_hint()
    }
}

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
pub(crate) fn refusal(error: &Error, request: &request::Parts, handler: Option<&ErrorHandler>) -> Response<Bytes> {
    if grpc::is_call(request) {
        let (mut parts, body) = Response::new(Bytes::new()).into_parts();
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
    response
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
