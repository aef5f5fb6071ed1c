//! The verifier: which calls hold the interpreter's lock, and which let go of it.

use pomerium_jwt::{Admission, Error, ErrorCode, Options, Ticket, Verifier};
use pyo3::{intern, prelude::*, sync::PyOnceLock};
use serde::Serialize;

use crate::{
    error::{guarded, internal},
    facts::{Facts, Flag, Integer, token_bytes},
    identity::Identity,
};

/// The base of `pomerium_jwt.Verifier`.
#[pyclass(name = "Verifier", module = "pomerium_jwt._native", frozen, subclass)]
pub(crate) struct NativeVerifier {
    core: Verifier,
}

#[pymethods]
impl NativeVerifier {
    /// With a `base` these are request options over the keys, pins and counts of the base.
    #[new]
    #[pyo3(signature = (options, base = None, /))]
    fn new(py: Python<'_>, options: &str, base: Option<&Bound<'_, Self>>) -> PyResult<Self> {
        let core = guarded(py, || match base {
            Some(base) => base.get().core.with(Options::from_json(options)?),
            None => Verifier::from_json(options),
        })?;
        Ok(Self { core })
    }

    /// Who sent this token: the raw text of the header, "" if there was none, several values joined by commas.
    ///
    /// If keys have to be fetched first it waits for them, at most `timeout`, while other threads run; under gevent
    /// other greenlets run too. Raises TokenError, KeysUnavailable or another VerifyError.
    #[pyo3(signature = (token, /))]
    fn verify(slf: &Bound<'_, Self>, token: &Bound<'_, PyAny>) -> PyResult<Identity> {
        let token = token_bytes(token)?;
        waiting(slf, |core, ticket| core.try_verify(&token, ticket)).map(Identity::from)
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
        let token = token_bytes(token)?;
        match self.step(py, Ticket::from_number(ticket.0), |core, ticket| core.try_verify(&token, ticket))? {
            Ok(identity) => Ok(Bound::new(py, Identity::from(identity))?.into_any()),
            Err(ticket) => Ok(ticket.number().into_pyobject(py)?.into_any()),
        }
    }

    /// Whether a request gets in, for integrations: the identity, or None if it passes without one (`exempt_paths`,
    /// `optional`). Waits as verify does; raises VerifyError, whose `status`, `headers` and `body` are the response.
    ///
    /// token: all values of the header joined by commas, "" if there are none.
    /// path: as the client sent it, with every mount prefix, undecoded and without the query; "" if what comes later
    /// routes by something else.
    /// upgrade: whether the Upgrade header asks for one (`is_upgrade`), or the server reports a WebSocket.
    /// marked_public: for hosts whose own marks on endpoints are known after routing.
    #[pyo3(
        signature = (token, path, *, upgrade = Flag(false), marked_public = Flag(false)),
        text_signature = "($self, token, path, *, upgrade=False, marked_public=False)"
    )]
    fn admit(
        slf: &Bound<'_, Self>,
        token: &Bound<'_, PyAny>,
        path: &Bound<'_, PyAny>,
        upgrade: Flag,
        marked_public: Flag,
    ) -> PyResult<Option<Identity>> {
        let facts = Facts::new(token, path, &upgrade, &marked_public)?;
        waiting(slf, |core, ticket| core.try_admit(&facts.request(), ticket)).map(identity)
    }

    /// As admit, but never waits: a ticket instead of an answer, as verify_cached has it.
    #[pyo3(
        signature = (token, path, *, upgrade = Flag(false), marked_public = Flag(false), ticket = Integer(0)),
        text_signature = "($self, token, path, *, upgrade=False, marked_public=False, ticket=0)"
    )]
    fn admit_cached<'py>(
        &self,
        py: Python<'py>,
        token: &Bound<'py, PyAny>,
        path: &Bound<'py, PyAny>,
        upgrade: Flag,
        marked_public: Flag,
        ticket: Integer,
    ) -> PyResult<Bound<'py, PyAny>> {
        let facts = Facts::new(token, path, &upgrade, &marked_public)?;
        match self.step(py, Ticket::from_number(ticket.0), |core, ticket| core.try_admit(&facts.request(), ticket))? {
            Ok(admission) => identity(admission).into_pyobject(py),
            Err(ticket) => Ok(ticket.number().into_pyobject(py)?.into_any()),
        }
    }

    /// Brings the keys up to date: joins a fetch in flight or starts one that is due. `force=True` is for operators and
    /// for warming up: it fetches at once, at most once a second. Waits at most `timeout`. Raises KeysUnavailable.
    #[pyo3(signature = (force = Flag(false)), text_signature = "($self, force=False)")]
    fn refresh(&self, py: Python<'_>, force: Flag) -> PyResult<()> {
        guarded(py, || py.detach(|| self.core.refresh(force.0)))
    }

    /// The line that an integration logs when it starts: what is accepted, where keys come from, the header, and each
    /// request option that is set.
    #[getter]
    fn summary(&self) -> String {
        self.core.summary()
    }

    /// The option `header_name`: the request header that carries the token.
    #[getter]
    fn header_name(&self) -> &str {
        self.core.header_name()
    }

    /// What a monitoring system scrapes, in the text format of OpenMetrics 1.0: send it as
    /// `application/openmetrics-text; version=1.0.0; charset=utf-8`. It holds no user, path or token.
    fn metrics(&self, py: Python<'_>) -> PyResult<String> {
        guarded(py, || Ok(self.core.metrics()))
    }

    /// The status as JSON.
    fn status_json(&self, py: Python<'_>) -> PyResult<String> {
        to_json(py, &guarded(py, || Ok(self.core.status()))?)
    }

    /// The health as JSON.
    fn health_json(&self, py: Python<'_>) -> PyResult<String> {
        to_json(py, &guarded(py, || Ok(self.core.health()))?)
    }
}

impl NativeVerifier {
    /// One call that never waits: its answer, or the ticket with which to ask again once keys were fetched.
    ///
    /// Holds the interpreter's lock. Measured on two cores with tokens of 13.6 µs: letting go of it (`Python::detach`)
    /// costs 0.1 to 0.4 µs if no other thread wants it, and lets two threads that do nothing but verify do 1.2 times as
    /// much. But next to a thread that computes, the mean rises from 15 to 40 µs to 100 to 300 µs: a thread that has let
    /// go waits for the interpreter's switch interval of 5 ms. So only a call that can wait anyway lets go.
    fn step<T>(
        &self,
        py: Python<'_>,
        mut ticket: Ticket,
        ask: impl FnOnce(&Verifier, Option<&mut Ticket>) -> Result<T, Error>,
    ) -> PyResult<Result<T, Ticket>> {
        let outcome = guarded(py, || match ask(&self.core, Some(&mut ticket)) {
            Err(error) if error.code() == ErrorCode::KeysNeeded => Ok(None),
            outcome => outcome.map(Some),
        })?;
        Ok(outcome.ok_or(ticket))
    }
}

/// Asks at once and, if keys have to be fetched first, again after waiting for them as this process waits.
fn waiting<T>(
    verifier: &Bound<'_, NativeVerifier>,
    ask: impl Fn(&Verifier, Option<&mut Ticket>) -> Result<T, Error>,
) -> PyResult<T> {
    static WAIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let (py, own) = (verifier.py(), verifier.get());
    let mut ticket = match own.step(py, Ticket::new(), &ask)? {
        Ok(answer) => return Ok(answer),
        Err(ticket) => ticket,
    };
    let wait = WAIT
        .get_or_try_init(py, || py.import("pomerium_jwt._waiting")?.getattr(intern!(py, "wait")).map(Bound::unbind))?;
    wait.bind(py).call1((verifier,))?;
    guarded(py, || ask(&own.core, Some(&mut ticket)))
}

fn identity(admission: Admission) -> Option<Identity> {
    match admission {
        Admission::Verified(identity) => Some(identity.into()),
        Admission::Passed => None,
    }
}

fn to_json(py: Python<'_>, value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| internal(py, &error.to_string()))
}

/// The options of the environment variables POMERIUM_JWT_*, as JSON.
#[pyfunction]
pub(crate) fn options_from_env(py: Python<'_>) -> PyResult<String> {
    guarded(py, || Options::from_env().map(|options| options.to_json()))
}

/// These options laid over the environment's, as JSON, and the warning that names what they override.
#[pyfunction]
#[pyo3(signature = (options, /))]
pub(crate) fn options_over_env(py: Python<'_>, options: &str) -> PyResult<(String, Option<String>)> {
    guarded(py, || {
        let overlay = Options::from_json(options)?.over_env()?;
        Ok((overlay.options.to_json(), overlay.warning()))
    })
}
