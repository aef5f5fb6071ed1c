//! The native half of the Node package `pomerium-jwt`: translates bytes, waiting and errors, and decides nothing.
//!
//! What applications see stands in `src/*.ts`; `src/native.ts` is the list of what is exported here.
// Not forbid: what the napi macros write has to allow it. The word stands nowhere here, says tools/tidy
#![deny(unsafe_code)]
#![deny(missing_docs)]

// Public: the napi macros take only what is
pub mod issuer;
pub mod refusal;
pub mod verifier;
