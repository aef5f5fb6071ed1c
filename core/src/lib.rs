//! Who is calling? Verifies the JWT that Pomerium puts into `X-Pomerium-Jwt-Assertion`, strictly and fast.
//!
//! [`Verifier`] holds the checks, [`Options`] what to check against, [`Identity`] the answer, [`Error`] the refusal
//! with its stable [`ErrorCode`]. Nothing in a token is believed before its signature holds.
//!
//! ```
//! use pomerium_jwt::{ErrorCode, Options, Verifier};
//!
//! let options = Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#);
//! let verifier = Verifier::new(options)?; // without jwks, the keys are fetched from the route
//! let refused = verifier.verify("").unwrap_err();
//! assert_eq!((refused.code(), refused.status()), (ErrorCode::TokenMissing, 401));
//! # Ok::<(), pomerium_jwt::Error>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

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
mod route;
mod status;
mod summary;
mod time;
mod token;
mod url;
mod verifier;
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
pub use keys::{ES256_CHECKED_BY, Health, KeyRequest, KeyStatus, LastError, LastErrorCode, State, Ticket};
pub use options::{JwkSet, OPTIONS, OptionGroup, OptionKind, OptionSpec, Options, Overlay};
pub use request::{Admission, Request};
pub use status::{Pinned, Status};
pub use verifier::{Check, Inspection, Outcome, Verifier};
