//! The identity as Python sees it. Fields and claims become Python's objects when they are read.

use crate::error::{invalid_argument, refused};
use pomerium_jwt::{Admission, Error, ErrorCode};
use pyo3::{
    exceptions::{PyOverflowError, PyValueError},
    intern,
    prelude::*,
    types::{PyDict, PyList, PyString, PyTuple},
};

/// Who is calling, as Pomerium says and its signature proves. Immutable; its repr shows no personal data.
#[pyclass(module = "pomerium_jwt", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Identity(pomerium_jwt::Identity);

impl From<pomerium_jwt::Identity> for Identity {
    fn from(verified: pomerium_jwt::Identity) -> Self {
        Self(verified)
    }
}

#[pymethods]
impl Identity {
    /// `sub`: the user's id at the identity provider. Empty only when `anonymous`.
    #[getter]
    fn subject(&self) -> &str {
        &self.0.subject
    }

    /// `user`: equals the subject in current versions of Pomerium. None when missing or empty.
    #[getter]
    fn user(&self) -> Option<&str> {
        self.0.user.as_deref()
    }

    /// `email`. None when missing or empty.
    #[getter]
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// `name`: the display name. None when missing or empty.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// `groups`: ids and names from the directory.
    #[getter]
    fn groups<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.groups)
    }

    /// `sid`: the session, or the service account. Set for some anonymous requests too: no proof of a user.
    #[getter]
    fn session_id(&self) -> Option<&str> {
        self.0.session_id.as_deref()
    }

    /// `jti`: fresh for each request (Pomerium 0.27 and later). None when missing or empty.
    #[getter]
    fn token_id(&self) -> Option<&str> {
        self.0.token_id.as_deref()
    }

    /// `iss`.
    #[getter]
    fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// `aud`.
    #[getter]
    fn audience<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.audience)
    }

    /// `iat` in Unix seconds: the request (Pomerium 0.29 and later), before it the session's beginning. None when missing.
    #[getter]
    fn issued_at(&self) -> Option<i64> {
        self.0.issued_at
    }

    /// `exp` in Unix seconds: five minutes after the request. Long connections outlive it.
    #[getter]
    fn expires_at(&self) -> i64 {
        self.0.expires_at
    }

    /// `expires_at` as an aware datetime in UTC; the last one there is for a time after the year 9999.
    #[getter]
    fn expires_at_datetime<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let module = py.import(intern!(py, "datetime"))?;
        let (class, utc) = (module.getattr("datetime")?, module.getattr("timezone")?.getattr("utc")?);
        class.call_method1("fromtimestamp", (self.0.expires_at, &utc)).or_else(|error| {
            if !error.is_instance_of::<PyOverflowError>(py) && !error.is_instance_of::<PyValueError>(py) {
                return Err(error);
            }
            let zone = PyDict::new(py);
            zone.set_item("tzinfo", utc)?;
            class.getattr("max")?.call_method("replace", (), Some(&zone))
        })
    }

    /// Nobody is signed in: `sub` was empty and `allow_anonymous` is set. A signed token is not a signed-in user.
    #[getter]
    fn anonymous(&self) -> bool {
        self.0.anonymous
    }

    /// Whether somebody is signed in.
    #[getter]
    fn is_user(&self) -> bool {
        self.0.is_user()
    }

    /// The verified payload as its own JSON text, for a reader of your own.
    #[getter]
    fn claims_text(&self) -> &str {
        self.0.claims.text()
    }

    /// The verified payload as a dict of your own, decoded at each access: keep it if you read it often.
    #[getter]
    fn claims<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import(intern!(py, "json"))?.getattr(intern!(py, "loads"))?.call1((self.claims_text(),))
    }

    /// The typed fields as a dict that JSON can say; claims are left out.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = &self.0;
        let dict = PyDict::new(py);
        dict.set_item("subject", &fields.subject)?;
        dict.set_item("user", &fields.user)?;
        dict.set_item("email", &fields.email)?;
        dict.set_item("name", &fields.name)?;
        dict.set_item("groups", PyList::new(py, &fields.groups)?)?;
        dict.set_item("session_id", &fields.session_id)?;
        dict.set_item("token_id", &fields.token_id)?;
        dict.set_item("issuer", &fields.issuer)?;
        dict.set_item("audience", PyList::new(py, &fields.audience)?)?;
        dict.set_item("issued_at", fields.issued_at)?;
        dict.set_item("expires_at", fields.expires_at)?;
        dict.set_item("anonymous", fields.anonymous)?;
        Ok(dict)
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
        let pomerium_jwt::Identity { anonymous, groups, issuer, expires_at, .. } = &self.0;
        let anonymous = if *anonymous { "True" } else { "False" };
        format!("<Identity anonymous={anonymous} groups={} issuer={issuer:?} expires_at={expires_at}>", groups.len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let restore = py.import("pomerium_jwt._native")?.getattr("restore_identity")?;
        Ok((restore, (self.claims_text().to_owned(),)))
    }
}

impl Identity {
    fn has(&self, group: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(name) = group.cast::<PyString>() else {
            let kind = group.get_type().name()?;
            return Err(invalid_argument(group.py(), &format!("a group is str, not {kind}; write several one by one")));
        };
        // A str that is not Unicode text equals none of ours
        Ok(name.to_str().is_ok_and(|name| self.0.in_group(name)))
    }
}

/// What pickle calls.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn restore_identity(py: Python<'_>, text: &str) -> PyResult<Identity> {
    let restored = pomerium_jwt::Identity::from_verified(text.to_owned());
    restored.map(Identity).map_err(|_| invalid_argument(py, "this is not a pickled Identity"))
}

/// What one route demands in addition: a signed-in user. Gives the identity back; raises TokenError for None, which a
/// request without a token has, and for an anonymous identity.
#[pyfunction]
#[pyo3(signature = (identity, /))]
pub(crate) fn require_user<'py>(identity: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Identity>> {
    demanded(identity, "require_user")
}

/// What one route demands in addition: a signed-in user in at least one of these groups. As require_user, and raises
/// AccessDenied for a user in none of them.
#[pyfunction]
#[pyo3(signature = (identity, /, *groups))]
pub(crate) fn require_group<'py>(
    identity: &Bound<'py, PyAny>,
    groups: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, Identity>> {
    let py = identity.py();
    if groups.is_empty() {
        return Err(invalid_argument(py, "require_group got no groups: name at least one"));
    }
    let identity = demanded(identity, "require_group")?;
    if identity.get().in_any_group(groups)? {
        return Ok(identity);
    }
    let message = format!("the user is in none of the groups that this route demands: {}", groups.repr()?);
    Err(refused(py, &Error::new(ErrorCode::GroupRequired, message)))
}

fn demanded<'py>(identity: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, Identity>> {
    let py = identity.py();
    if identity.is_none() {
        Admission::Passed.require_user().map_err(|error| refused(py, &error))?;
    }
    let Ok(identity) = identity.cast::<Identity>() else {
        let message = format!("{name} takes an Identity or None first; for Flask's views use pomerium_jwt.flask");
        return Err(invalid_argument(py, &message));
    };
    identity.get().0.require_user().map_err(|error| refused(py, &error))?;
    Ok(identity.clone())
}
