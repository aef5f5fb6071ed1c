//! The verifier: which calls hold the interpreter's lock, and which let go of it.

use std::borrow::Cow;

use pomerium_jwt::{Code, Options, Verifier};
use pyo3::{
    prelude::*,
    types::{PyBool, PyBytes, PyString},
};

use crate::{
    error::{guarded, internal, invalid_argument},
    identity::Identity,
};

/// The base of `pomerium_jwt.Verifier`.
#[pyclass(name = "Verifier", module = "pomerium_jwt._native", frozen, subclass)]
pub(crate) struct NativeVerifier {
    core: Verifier,
}

#[pymethods]
impl NativeVerifier {
    #[new]
    #[pyo3(signature = (options, /))]
    fn new(py: Python<'_>, options: &str) -> PyResult<Self> {
        Ok(Self { core: guarded(py, || Verifier::from_json(options))? })
    }

    /// Who sent this token: the raw text of the header, "" if there was none, several values joined by commas.
    ///
    /// Where keys have to be fetched first it waits for them, at most `timeout`, and other threads go on meanwhile.
    /// Raises TokenError, KeysUnavailable or another VerifyError.
    #[pyo3(signature = (token, /))]
    fn verify(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<Identity> {
        let token = token_bytes(token)?;
        match self.step(py, &token, 0)? {
            Ok(identity) => Ok(identity),
            Err(mut ticket) => guarded(py, || {
                py.detach(|| {
                    // The answer with the ticket says why there are no keys
                    let _ = self.core.refresh(false);
                    self.core.verify_cached(&token, Some(&mut ticket))
                })
            })
            .map(Identity::from),
        }
    }

    /// As verify, at the time `now` in Unix seconds instead of the clock's, with the keys at hand. Pins nothing.
    #[pyo3(signature = (token, now, /))]
    fn verify_at(&self, py: Python<'_>, token: &Bound<'_, PyAny>, now: Integer) -> PyResult<Identity> {
        let token = token_bytes(token)?;
        guarded(py, || self.core.verify_at(&token, now.0)).map(Identity::from)
    }

    /// As verify, but never waits: a ticket instead of an identity asks for one `refresh()`, and then for the same call
    /// with the ticket, which gives no other ticket.
    #[pyo3(signature = (token, ticket = Integer(0), /), text_signature = "($self, token, ticket=0, /)")]
    fn verify_cached<'py>(
        &self,
        py: Python<'py>,
        token: &Bound<'py, PyAny>,
        ticket: Integer,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.step(py, &token_bytes(token)?, ticket.0)? {
            Ok(identity) => Ok(Bound::new(py, identity)?.into_any()),
            Err(ticket) => Ok(ticket.into_pyobject(py)?.into_any()),
        }
    }

    /// Brings the keys up to date: joins a fetch in flight or starts one that is due. `force=True` is for operators and
    /// for warming up: it fetches at once, at most once a second. Waits at most `timeout`. Raises KeysUnavailable.
    #[pyo3(signature = (force = Flag(false)), text_signature = "($self, force=False)")]
    fn refresh(&self, py: Python<'_>, force: Flag) -> PyResult<()> {
        guarded(py, || py.detach(|| self.core.refresh(force.0)))
    }

    /// The status as JSON.
    fn status_json(&self, py: Python<'_>) -> PyResult<String> {
        let status = guarded(py, || Ok(self.core.status()))?;
        serde_json::to_string(&status).map_err(|error| internal(py, &error.to_string()))
    }
}

impl NativeVerifier {
    /// One call that never waits: the identity, or the ticket with which to ask again once keys were fetched.
    ///
    /// Holds the interpreter's lock. Measured on two cores with tokens of 13.6 µs: to let go of it (`Python::detach`)
    /// costs 0.1 to 0.4 µs where nobody else wants it and lets two threads that do nothing but verify do 1.2 times as
    /// much. But beside a thread that computes, the mean rises from 15 to 40 µs to 100 to 300 µs, since whoever let go
    /// waits for the interpreter's switch interval of 5 ms. So only what can wait anyway lets go.
    fn step(&self, py: Python<'_>, token: &[u8], mut ticket: i64) -> PyResult<Result<Identity, i64>> {
        let outcome = guarded(py, || match self.core.verify_cached(token, Some(&mut ticket)) {
            Err(error) if error.code() == Code::KeysNeeded => Ok(None),
            outcome => outcome.map(Some),
        })?;
        Ok(outcome.map(Identity::from).ok_or(ticket))
    }
}

/// The bytes of a token. A str that is no Unicode text is handed on as it is: the core refuses it as it refuses any
/// other bytes that are no token.
fn token_bytes<'a>(token: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(text) = token.cast::<PyString>() {
        if let Ok(text) = text.to_str() {
            return Ok(text.as_bytes().into());
        }
        return token.call_method1("encode", ("utf-8", "surrogatepass"))?.extract::<Vec<u8>>().map(Cow::Owned);
    }
    if let Ok(bytes) = token.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().into());
    }
    let kind = token.get_type().name()?;
    let message = format!("a token is str or bytes, not {kind}: for a request without the header write \"\"");
    Err(invalid_argument(token.py(), &message))
}

/// An argument that is a whole number.
struct Integer(i64);

impl<'py> FromPyObject<'_, 'py> for Integer {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let refuse = |_| invalid_argument(value.py(), "a time or ticket is a whole number, 0 to 2^53-1");
        value.extract().map(Self).map_err(refuse)
    }
}

/// An argument that is True or False.
struct Flag(bool);

impl<'py> FromPyObject<'_, 'py> for Flag {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let flag = value.cast::<PyBool>().map_err(|_| invalid_argument(value.py(), "force takes True or False"))?;
        Ok(Self(flag.is_true()))
    }
}

/// The options of the environment variables POMERIUM_JWT_*, as JSON.
#[pyfunction]
pub(crate) fn options_from_env(py: Python<'_>) -> PyResult<String> {
    guarded(py, || Options::from_env().map(|options| options.to_json()))
}
