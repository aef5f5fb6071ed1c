//! Who is calling? Verifies the JWT that Pomerium puts into `X-Pomerium-Jwt-Assertion`, strictly and fast.
//!
//! [`Verifier`] holds the checks, [`Options`] what to check against, [`Identity`] the answer, [`Error`] the refusal
//! with its stable [`ErrorCode`]. Nothing in a token is believed before its signature holds.
//!
//! ```
//! use pomerium_jwt::{ErrorCode, Options, Verifier};
//!
//! let mut options = Options::for_route("https://app.example.com");
//! options.jwks = Some(r#"{"keys":[]}"#.to_owned()); // left out, the keys are fetched from the route
//! let verifier = Verifier::new(options)?;
//! let refused = verifier.verify("").unwrap_err();
//! assert_eq!((refused.code(), refused.kind().http_status()), (ErrorCode::TokenMissing, 401));
//! # Ok::<(), pomerium_jwt::Error>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

/// The programs in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod claims;
mod clock;
mod error;
mod identity;
mod json;
mod keys;
mod names;
mod options;
mod request;
mod status;
mod token;
mod verifier;

#[cfg(all(test, feature = "fetch"))]
mod faults_tests;
#[cfg(all(test, feature = "fetch"))]
mod keystore_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod verifier_tests;

pub use error::{Error, ErrorCode, ErrorKind};
pub use identity::{Claims, Identity};
#[doc(hidden)]
pub use json::member_text;
pub use keys::Ticket;
pub use options::{OPTIONS, OptionGroup, OptionKind, OptionSpec, Options, Overlay};
pub use request::{Admission, Request};
pub use status::{Health, KeyStatus, LastError, LastErrorCode, Pinned, Status};
pub use verifier::{Check, Inspection, Outcome, Verifier};
