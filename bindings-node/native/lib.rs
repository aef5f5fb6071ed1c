//! The native half of the Node package `pomerium-jwt`: translates bytes, waiting and errors, and decides nothing.
//!
//! What applications see stands in `src/*.ts`; `src/native.ts` is the list of what is exported here.
#![deny(missing_docs)]

mod issuer;
mod refusal;
mod verifier;
