//! The layer, and the service that it makes.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use pomerium_jwt::{Admission, Error, Health, Options, Ticket, Verifier};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    caller::Admitted,
    facts::{Facts, shown_uri},
    guard::Guard,
    response::{ErrorHandler, ErrorPage, ResponseBody, refusal},
};

/// Lets requests through to a service if they are admitted, and answers the others itself: 401 if the token is refused,
/// 403 for groups, 503 if there are no keys, and `{"error":"token_expired"}` as the body.
///
/// Clones share everything. See the documentation of the crate for where it belongs.
#[derive(Clone)]
pub struct PomeriumLayer {
    guard: Guard,
    error_handler: Option<ErrorHandler>,
}

impl PomeriumLayer {
    /// A layer with these options laid over the environment's: code wins, option by option, and a warning names the
    /// variables that it overrides.
    ///
    /// # Errors
    /// `invalid_options`, in a sentence that says what to write instead.
    pub fn new(options: Options) -> Result<Self, Error> {
        Guard::new(options).map(Self::from)
    }

    /// A layer with the options of the environment, such as `POMERIUM_JWT_ROUTE`.
    ///
    /// # Errors
    /// `invalid_options`, naming the variable.
    pub fn from_env() -> Result<Self, Error> {
        Guard::from_env().map(Self::from)
    }

    /// A layer that asks this verifier. The environment is not read.
    #[must_use]
    pub fn from_verifier(verifier: impl Into<Arc<Verifier>>) -> Self {
        Self::from(Guard::from_verifier(verifier))
    }

    /// A layer with other request options over the same keys: see [`Guard::with`].
    ///
    /// # Errors
    /// `invalid_options` for any other option, and for a bad value.
    pub fn with(&self, options: Options) -> Result<Self, Error> {
        Ok(Self { guard: self.guard.with(options)?, ..self.clone() })
    }

    /// Calls this for each refusal instead of logging a warning: see [`Guard::on_refused`].
    #[must_use]
    pub fn on_refused(self, report: impl Fn(&Error, &str) + Send + Sync + 'static) -> Self {
        Self { guard: self.guard.on_refused(report), ..self }
    }

    /// Renders the body of refusals, such as an HTML page. It can let nobody in, and is not asked for gRPC.
    #[must_use]
    pub fn error_handler(
        self,
        handler: impl Fn(&http::request::Parts, &Error) -> ErrorPage + Send + Sync + 'static,
    ) -> Self {
        Self { error_handler: Some(Arc::new(handler)), ..self }
    }

    /// For health probes. Never waits. Serialises to `{"configured":..,"asked":..,"keys_loaded":..,"stale":..}`.
    #[must_use]
    pub fn health(&self) -> Health {
        self.guard.health()
    }

    /// The verifier that decides.
    #[must_use]
    pub fn verifier(&self) -> &Arc<Verifier> {
        self.guard.verifier()
    }
}

impl From<Guard> for PomeriumLayer {
    fn from(guard: Guard) -> Self {
        Self { guard, error_handler: None }
    }
}

impl fmt::Debug for PomeriumLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PomeriumLayer").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for PomeriumLayer {
    type Service = PomeriumService<S>;

    fn layer(&self, inner: S) -> PomeriumService<S> {
        PomeriumService { layer: self.clone(), inner }
    }
}

/// A service behind the [`PomeriumLayer`].
#[derive(Debug, Clone)]
pub struct PomeriumService<S> {
    layer: PomeriumLayer,
    inner: S,
}

impl<S, A, B> Service<Request<A>> for PomeriumService<S>
where
    S: Service<Request<A>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    A: Send + 'static,
    B: 'static,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, B, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let mut ticket = Ticket::new();
        let first = {
            let facts = Facts::of(&request, self.layer.guard.header());
            self.layer.guard.first(&facts.request(), &mut ticket)
        };
        let state = match first {
            Some(outcome) => match self.layer.judged(request, outcome) {
                Ok(request) => State::Admitted { future: self.inner.call(request) },
                Err(response) => State::Refused { response: Some(*response) },
            },
            None => {
                let next = self.inner.clone();
                let ready = mem::replace(&mut self.inner, next); // the one that poll_ready was called on
                State::Waiting { future: Box::pin(waiting(self.layer.clone(), ready, request, ticket)) }
            }
        };
        ResponseFuture { state }
    }
}

/// The rest of a call after keys have been fetched.
async fn waiting<S, A, B>(
    layer: PomeriumLayer,
    mut inner: S,
    request: Request<A>,
    mut ticket: Ticket,
) -> Result<Response<ResponseBody<B>>, S::Error>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    layer.guard.refreshed().await;
    let outcome = layer.guard.last(&Facts::of(&request, layer.guard.header()).request(), &mut ticket);
    match layer.judged(request, outcome) {
        Ok(request) => inner.call(request).await.map(|response| response.map(ResponseBody::application)),
        Err(response) => Ok(response.map(ResponseBody::refusal)),
    }
}

impl PomeriumLayer {
    /// The request with its caller, or the response that refuses it.
    fn judged<A>(
        &self,
        mut request: Request<A>,
        outcome: Result<Admission, Error>,
    ) -> Result<Request<A>, Box<Response<Bytes>>> {
        match outcome {
            Ok(admission) => {
                let uri = shown_uri(&request).clone();
                Admitted::insert(admission, &self.guard, uri, request.extensions_mut());
                Ok(request)
            }
            Err(error) => {
                self.guard.report(&error, shown_uri(&request).path());
                let (parts, _) = request.into_parts();
                Err(Box::new(refusal(&error, &parts, self.error_handler.as_ref())))
            }
        }
    }
}

pin_project! {
    /// The response to come.
    pub struct ResponseFuture<F, B, E> {
        #[pin]
        state: State<F, B, E>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<F, B, E> {
        Admitted { #[pin] future: F },
        Refused { response: Option<Response<Bytes>> },
        Waiting { future: Pin<Box<dyn Future<Output = Result<Response<ResponseBody<B>>, E>> + Send>> },
    }
}

impl<F, B, E> Future for ResponseFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projected::Admitted { future } => {
                let response = ready!(future.poll(context))?;
                Poll::Ready(Ok(response.map(ResponseBody::application)))
            }
            Projected::Refused { response } => {
                let response = response.take().expect("a future that is ready is not polled again");
                Poll::Ready(Ok(response.map(ResponseBody::refusal)))
            }
            Projected::Waiting { future } => future.as_mut().poll(context),
        }
    }
}

impl<F, B, E> fmt::Debug for ResponseFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
