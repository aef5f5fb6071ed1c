//! Who is calling? Verifies the JWT that [Pomerium] puts into the header `X-Pomerium-Jwt-Assertion`, strictly and fast.
//!
//! ```
//! use pomerium_jwt::{Options, Request, Verifier};
//!
//! /// What the web server says of a request.
//! struct Incoming<'a> {
//!     assertion: &'a str, // the values of the header X-Pomerium-Jwt-Assertion, joined by commas; "" if there are none
//!     path: &'a str,      // as the client sent it, without the query
//!     upgrade: &'a str,   // the values of the header Upgrade, joined by commas
//! }
//!
//! /// The response: its status and its body.
//! fn respond(verifier: &Verifier, incoming: &Incoming<'_>) -> (u16, String) {
//!     let request = Request {
//!         token: incoming.assertion.as_bytes(),
//!         path: incoming.path.as_bytes(),
//!         upgrade: Request::is_upgrade(incoming.upgrade),
//!         ..Request::default()
//!     };
//!     match verifier.admit(&request) {
//!         Ok(admission) => match admission.identity() {
//!             Some(identity) => (200, format!("Hello {}", identity.subject)),
//!             None => (200, "Hello".to_owned()), // the path needs no token
//!         },
//!         Err(error) => {
//!             eprintln!("{error}"); // the message is for the log alone
//!             (error.status(), error.body()) // and error.headers()
//!         }
//!     }
//! }
//!
//! // One for the application, shared between threads. Nothing is fetched yet.
//! let options = Options::for_route("https://app.example.com").exempt_paths(["/health"]);
//! let verifier = Verifier::new(options)?;
//! eprintln!("{}", verifier.summary());
//!
//! let health = Incoming { assertion: "", path: "/health", upgrade: "" };
//! assert_eq!(respond(&verifier, &health), (200, "Hello".to_owned()));
//! let stranger = Incoming { assertion: "", path: "/", upgrade: "" };
//! assert_eq!(respond(&verifier, &stranger), (401, r#"{"error":"token_missing"}"#.to_owned()));
//! # Ok::<(), pomerium_jwt::Error>(())
//! ```
//!
//! # What is checked
//! [`Options::route`], the `from:` URL of the application's route in Pomerium, is enough for most: it gives issuer,
//! audience and the address of the keys. Every option has a method on [`Options`], which can also be read from JSON
//! ([`Options::from_json`]) and from the environment ([`Options::from_env`]); [`OPTIONS`] lists them.
//! Nothing in a token is believed before its signature holds. The [`Identity`] is what Pomerium says of the user:
//! typed fields, and the verified [`Claims`] for everything else.
//!
//! # Where the keys come from
//! By default from the route, `https://app.example.com/.well-known/pomerium/jwks.json`; [`Options::jwks_url`],
//! [`jwks`](Options::jwks), [`jwks_file`](Options::jwks_file), [`public_key`](Options::public_key) and
//! [`public_key_file`](Options::public_key_file) name another source. A fetched set is kept, refreshed in the
//! background by a thread that ends with its fetch, and used for a while after the source has failed. A token never
//! decides what is fetched. [`Verifier::status`], [`health`](Verifier::health) and [`metrics`](Verifier::metrics) say
//! how the keys are.
//!
//! # Waiting
//! [`Verifier::verify`] and [`admit`](Verifier::admit) are synchronous: nearly always they answer at once, from the
//! keys at hand. Only if keys have to be fetched first they wait, at most [`timeout`](Options::timeout). An async
//! runtime must not wait: [`try_verify`](Verifier::try_verify) and [`try_admit`](Verifier::try_admit) answer
//! `keys_needed` instead, together with a [`Ticket`]. A host without sockets, threads or a clock fetches the keys
//! itself: [`Verifier::for_host`].
//!
//! # Errors
//! Every failure is an [`Error`]: a stable [`ErrorCode`] of a [`ErrorKind`], a sentence for logs, [`Facts`] for
//! programs, and the response to send. What to do about each code is its [`meaning`](ErrorCode::meaning).
//! [`Verifier::inspect`] explains a token check by check, for people.
//!
//! # Features
//! - `fetch` (default): keys from an address, with `ureq` and `rustls`. Without it the crate opens no socket.
//! - `rs256` (default): RS256 in addition to ES256, with `ring`.
//! - `ring-es256`: ES256 checked by `ring` instead of `pomerium-jwt-es256`; [`es256_checked_by`] says what is in use.
//!
//! [Pomerium]: https://www.pomerium.com
#![forbid(unsafe_code)]
#![deny(missing_docs)]

/// The programs in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod algorithm;
mod claims;
mod clock;
mod code;
mod counts;
mod error;
mod identity;
mod json;
mod keys;
mod metrics;
mod names;
mod options;
mod request;
mod response;
mod route;
mod summary;
mod time;
mod token;
mod url;
mod verifier;
mod verifier_status;
mod wording;

#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
pub use clock::{Clock, Now};
pub use code::{ErrorCode, ErrorKind, UnknownCode};
pub use error::{Error, Facts};
pub use identity::{Claims, Identity};
#[doc(hidden)]
pub use json::member_text;
pub use keys::{Health, KeyRequest, KeyStatus, LastError, LastErrorCode, State, Ticket, es256_checked_by};
pub use options::{JwkSet, OPTIONS, OptionGroup, OptionKind, OptionSpec, Options, Overlay};
pub use request::{Admission, Request};
pub use verifier::{Check, Inspection, Outcome, Verifier};
pub use verifier_status::{Pinned, Status};
