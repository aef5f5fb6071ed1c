//! The native half of the Python package `pomerium_jwt`: translates bytes, waiting and errors, and decides nothing.
//!
//! What applications see is in `python/pomerium_jwt`; this is its module `_native`.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
mod facts;
mod identity;
mod issuer;
mod verifier;

use std::sync::OnceLock;

use pyo3::{exceptions::PyImportError, prelude::*};

/// The module `pomerium_jwt._native`. Nothing here relies on the interpreter's lock for its own safety.
#[pymodule(gil_used = false)]
mod _native {
    use super::{Bound, PyModule, PyModuleMethods, PyResult, claim_the_process};

    #[pymodule_export]
    use crate::{
        error::invalid_options,
        facts::is_upgrade,
        identity::{Identity, require_group, require_user, restore_identity},
        issuer::Signer,
        verifier::{NativeVerifier, options_from_env, options_over_env},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        claim_the_process(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// Refuses a second interpreter. Types and exceptions belong to the interpreter that made them, and this library holds
/// one of each: in a second interpreter no `except` would match, and newer versions of CPython crash.
fn claim_the_process(py: Python<'_>) -> PyResult<()> {
    /// The first interpreter's `sys`. It is kept, so no other object can get its address.
    static OWNER: OnceLock<Py<PyModule>> = OnceLock::new();
    let sys = py.import("sys")?;
    if OWNER.get_or_init(|| sys.clone().unbind()).is(&sys) {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "pomerium_jwt is in use in another interpreter of this process, and it works in one only. Apache with mod_wsgi: \
         set WSGIApplicationGroup %{GLOBAL}, and for several applications a WSGIDaemonProcess each. uWSGI: set \
         single-interpreter = true, or run a process for each application",
    ))
}
