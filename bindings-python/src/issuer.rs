//! The signer of `pomerium_jwt.testing`.

use std::time::{SystemTime, UNIX_EPOCH};

use pomerium_jwt_issuer::{Assertion, SigningKey, key_set};
use pyo3::prelude::*;

use crate::error::invalid_argument;

/// Signs as Pomerium would, with a key of its own.
#[pyclass(module = "pomerium_jwt._native", frozen)]
pub(crate) struct Signer {
    key: SigningKey,
}

#[pymethods]
impl Signer {
    #[new]
    fn new() -> Self {
        Self { key: SigningKey::generate() }
    }

    /// The token of a request to `host` at `now` with these claims, a JSON object.
    #[pyo3(signature = (host, now, claims, /))]
    fn token(&self, py: Python<'_>, host: &str, now: i64, claims: &str) -> PyResult<String> {
        let claims = serde_json::from_str(claims).map_err(|error| invalid_argument(py, &error.to_string()))?;
        let assertion = Assertion::from_claims(host, now, claims).map_err(|why| invalid_argument(py, &why))?;
        Ok(assertion.mint(&self.key))
    }

    /// The time of the clock that verifiers use, in Unix seconds. Python's own may be frozen by a test.
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    /// The JWK Set as Pomerium serves it.
    fn key_set(&self) -> String {
        key_set([&self.key])
    }
}
