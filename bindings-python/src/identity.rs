//! The identity as Python sees it. Fields become Python's objects when they are read, claims when they are first used.

use pyo3::{
    exceptions::{PyOverflowError, PyValueError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyString, PyTuple},
};
use serde::{Deserialize, Serialize};

use crate::error::{internal, invalid_argument};

/// Who is calling, as Pomerium says and its signature proves. Immutable; its repr shows no personal data.
#[pyclass(module = "pomerium_jwt", frozen, eq, hash)]
pub(crate) struct Identity {
    fields: Fields,
    claims: PyOnceLock<Py<PyAny>>,
}

/// What makes two identities equal, and what pickle keeps.
#[derive(PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Fields {
    subject: String,
    user: Option<String>,
    email: Option<String>,
    name: Option<String>,
    groups: Vec<String>,
    session_id: Option<String>,
    token_id: Option<String>,
    issuer: String,
    audience: Vec<String>,
    issued_at: Option<i64>,
    expires_at: i64,
    anonymous: bool,
    claims_text: String,
}

impl From<pomerium_jwt::Identity> for Identity {
    fn from(verified: pomerium_jwt::Identity) -> Self {
        let fields = Fields {
            claims_text: verified.claims.text().to_owned(),
            subject: verified.subject,
            user: verified.user,
            email: verified.email,
            name: verified.name,
            groups: verified.groups,
            session_id: verified.session_id,
            token_id: verified.token_id,
            issuer: verified.issuer,
            audience: verified.audience,
            issued_at: verified.issued_at,
            expires_at: verified.expires_at,
            anonymous: verified.anonymous,
        };
        Self { fields, claims: PyOnceLock::new() }
    }
}

#[pymethods]
impl Identity {
    /// `sub`: the user's id at the identity provider. Empty only when `anonymous`.
    #[getter]
    fn subject(&self) -> &str {
        &self.fields.subject
    }

    /// `user`: equals the subject in current versions of Pomerium. None when missing or empty.
    #[getter]
    fn user(&self) -> Option<&str> {
        self.fields.user.as_deref()
    }

    /// `email`. None when missing or empty.
    #[getter]
    fn email(&self) -> Option<&str> {
        self.fields.email.as_deref()
    }

    /// `name`: the display name. None when missing or empty.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.fields.name.as_deref()
    }

    /// `groups`: ids and names from the directory.
    #[getter]
    fn groups<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.fields.groups)
    }

    /// `sid`: the session, or the service account. Set for some anonymous requests too: no proof of a user.
    #[getter]
    fn session_id(&self) -> Option<&str> {
        self.fields.session_id.as_deref()
    }

    /// `jti`: fresh for each request (Pomerium 0.27 and later). None when missing or empty.
    #[getter]
    fn token_id(&self) -> Option<&str> {
        self.fields.token_id.as_deref()
    }

    /// `iss`.
    #[getter]
    fn issuer(&self) -> &str {
        &self.fields.issuer
    }

    /// `aud`.
    #[getter]
    fn audience<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.fields.audience)
    }

    /// `iat` in Unix seconds: the request (Pomerium 0.29 and later), before it the session's begin. None when missing.
    #[getter]
    fn issued_at(&self) -> Option<i64> {
        self.fields.issued_at
    }

    /// `exp` in Unix seconds: five minutes after the request. Long connections outlive it.
    #[getter]
    fn expires_at(&self) -> i64 {
        self.fields.expires_at
    }

    /// `expires_at` as an aware datetime in UTC; the last one there is for a time after the year 9999.
    #[getter]
    fn expires_at_datetime<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let module = py.import(intern!(py, "datetime"))?;
        let (class, utc) = (module.getattr("datetime")?, module.getattr("timezone")?.getattr("utc")?);
        class.call_method1("fromtimestamp", (self.fields.expires_at, &utc)).or_else(|error| {
            if !error.is_instance_of::<PyOverflowError>(py) && !error.is_instance_of::<PyValueError>(py) {
                return Err(error);
            }
            let zone = PyDict::new(py);
            zone.set_item("tzinfo", utc)?;
            class.getattr("max")?.call_method("replace", (), Some(&zone))
        })
    }

    /// Nobody is signed in: `sub` was empty and `allow_anonymous` is set. A signed token is no signed-in user.
    #[getter]
    fn anonymous(&self) -> bool {
        self.fields.anonymous
    }

    /// Whether somebody is signed in.
    #[getter]
    fn is_user(&self) -> bool {
        !self.fields.anonymous
    }

    /// The verified payload as its own JSON text, for a reader of your own.
    #[getter]
    fn claims_text(&self) -> &str {
        &self.fields.claims_text
    }

    /// The verified payload as a dict, decoded on first use.
    #[getter]
    fn claims<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let decode = || {
            let loads = py.import(intern!(py, "json"))?.getattr(intern!(py, "loads"))?;
            loads.call1((self.claims_text(),)).map(Bound::unbind)
        };
        Ok(self.claims.get_or_try_init(py, decode)?.bind(py).clone())
    }

    /// Whether the user is in this group.
    #[pyo3(signature = (group, /))]
    fn in_group(&self, group: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.has(group)
    }

    /// Whether the user is in one of these groups at least.
    #[pyo3(signature = (*groups))]
    fn in_any_group(&self, groups: &Bound<'_, PyTuple>) -> PyResult<bool> {
        groups.iter().try_fold(false, |found, group| Ok(self.has(&group)? || found))
    }

    /// Whether the user is in each of these groups.
    #[pyo3(signature = (*groups))]
    fn in_all_groups(&self, groups: &Bound<'_, PyTuple>) -> PyResult<bool> {
        groups.iter().try_fold(true, |found, group| Ok(self.has(&group)? && found))
    }

    fn __repr__(&self) -> String {
        let Fields { anonymous, groups, issuer, expires_at, .. } = &self.fields;
        let anonymous = if *anonymous { "True" } else { "False" };
        format!("<Identity anonymous={anonymous} groups={} issuer={issuer:?} expires_at={expires_at}>", groups.len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let restore = py.import("pomerium_jwt._native")?.getattr("restore_identity")?;
        let text = serde_json::to_string(&self.fields).map_err(|error| internal(py, &error.to_string()))?;
        Ok((restore, (text,)))
    }
}

impl Identity {
    fn has(&self, group: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(name) = group.cast::<PyString>() else {
            let kind = group.get_type().name()?;
            return Err(invalid_argument(group.py(), &format!("a group is str, not {kind}; write several one by one")));
        };
        // A str that is no Unicode text equals none of ours
        Ok(name.to_str().is_ok_and(|name| self.fields.groups.iter().any(|own| own == name)))
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl std::hash::Hash for Identity {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.fields.hash(state);
    }
}

/// What pickle calls.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn restore_identity(py: Python<'_>, text: &str) -> PyResult<Identity> {
    let fields = serde_json::from_str(text).map_err(|_| invalid_argument(py, "this is no pickled Identity"))?;
    Ok(Identity { fields, claims: PyOnceLock::new() })
}
