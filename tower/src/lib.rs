//! A [tower](https://docs.rs/tower) layer that lets requests through to a service if they carry a valid token of
//! Pomerium, and answers the others itself. **It covers the service that it wraps and nothing else**: put it around the
//! whole application, router included, as below. What stands in front of it (CORS, and whatever else answers by itself)
//! and what is served next to it is not protected. axum's `Router::layer` covers what was added to the router before it;
//! around the routes, as below, it covers all. A WebSocket or a stream is checked when it
//! is opened: see [`Caller::expires_in`].
//!
//! ```
//! use axum::{Router, body::Body, extract::Request, routing::get};
//! use pomerium_jwt_tower::{Caller, Options, PomeriumLayer};
//! use tower::{Layer as _, ServiceExt as _};
//!
//! async fn hello(caller: Caller) -> String {
//!     format!("Hello {}\n", caller.subject)
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let pomerium = PomeriumLayer::new(Options::for_route("https://app.example.com"))?;
//! let routes = Router::new().route("/", get(hello));
//! let application = Router::new().fallback_service(pomerium.layer(routes)); // for axum::serve
//!
//! let refused = application.oneshot(Request::new(Body::empty())).await.unwrap();
//! assert_eq!(refused.status(), 401);
//! # Ok::<(), pomerium_jwt_tower::Error>(()) }).unwrap();
//! ```
//!
//! - **Options** given in code are laid over those of the environment (`POMERIUM_JWT_ROUTE` and so on): code wins, and a
//!   warning at start names the variables that it overrides.
//! - **The identity** is in the request's extensions, as [`Caller`] if there is one and as [`Admitted`] in any case. With
//!   the feature `axum` both are extractors, and [`Refused`] is a response.
//! - **Keys** are fetched when they are needed, by one thread for all requests that wait. No executor is ever blocked, and
//!   any runtime will do.
//! - **gRPC** calls are refused as gRPC demands it. The options `exempt_paths` and `header_name` take full methods,
//!   `/package.Service/Method`, and names of metadata.
//! - **The path** that `exempt_paths` is compared with is that of the request's URI when it reaches the layer. Middleware in
//!   front that rewrites the URI decides what is exempt. Within axum's router (with the feature `axum`) it is what the
//!   client has sent, below `nest` the whole path, and none is exempt if a middleware in between has rewritten it.
//! - **The log** is [`tracing`]'s: one line at start, and refusals as warnings, at most one a second for each code.
//! - **Other frameworks**, such as actix-web, call [`Guard::admit`].
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "axum")]
mod axum;
mod caller;
mod facts;
mod grpc;
mod guard;
mod layer;
mod refresher;
mod refusal_log;
mod response;

pub use caller::{Admitted, Caller, Refused};
pub use guard::Guard;
pub use layer::{PomeriumLayer, PomeriumService, ResponseFuture};
pub use pomerium_jwt::{Admission, Error, ErrorCode, ErrorKind, Health, Identity, Options, Request, Verifier};
pub use response::{ErrorPage, ResponseBody};
