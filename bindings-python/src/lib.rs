//! The native half of the Python package `pomerium_jwt`: translates bytes, waiting and errors, and decides nothing.
//!
//! What applications see stands in `python/pomerium_jwt`; this is its module `_native`.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
mod identity;
mod issuer;
mod verifier;

use pyo3::prelude::*;

/// The module `pomerium_jwt._native`. Nothing here relies on the interpreter's lock for its own safety.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use crate::{
        identity::{Identity, restore_identity},
        issuer::Signer,
        verifier::{NativeVerifier, options_from_env},
    };
}
