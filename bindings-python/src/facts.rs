//! The facts of a request and other arguments, as Python hands them over.

use std::borrow::Cow;

use pomerium_jwt::Request;
use pyo3::{
    prelude::*,
    types::{PyBool, PyBytes, PyString},
};

use crate::error::invalid_argument;

/// The facts of a request, owned or borrowed from Python's objects.
pub(crate) struct Facts<'a> {
    token: Cow<'a, [u8]>,
    path: Cow<'a, [u8]>,
    upgrade: bool,
    marked_public: bool,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(
        token: &'a Bound<'_, PyAny>,
        path: &'a Bound<'_, PyAny>,
        upgrade: &Flag,
        marked_public: &Flag,
    ) -> PyResult<Self> {
        Ok(Self {
            token: token_bytes(token)?,
            path: bytes(path, "a path is str or bytes: if you do not know it write \"\"")?,
            upgrade: upgrade.0,
            marked_public: marked_public.0,
        })
    }

    pub(crate) fn request(&self) -> Request<'_> {
        Request { token: &self.token, path: &self.path, upgrade: self.upgrade, marked_public: self.marked_public }
    }
}

/// The bytes of a token.
pub(crate) fn token_bytes<'a>(token: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    bytes(token, "a token is str or bytes: for a request without the header write \"\"")
}

/// A str that is not Unicode text is handed on as it is: the core refuses it as it refuses any other bytes.
fn bytes<'a>(value: &'a Bound<'_, PyAny>, wanted: &str) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(text) = value.cast::<PyString>() {
        if let Ok(text) = text.to_str() {
            return Ok(text.as_bytes().into());
        }
        return value.call_method1("encode", ("utf-8", "surrogatepass"))?.extract::<Vec<u8>>().map(Cow::Owned);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().into());
    }
    Err(invalid_argument(value.py(), &format!("{wanted}; this is of type {}", value.get_type().name()?)))
}

/// Whether the values of a request's Upgrade header, joined by commas, ask for an upgrade: everything but nothing and
/// `h2c`.
#[pyfunction]
#[pyo3(signature = (joined, /))]
pub(crate) fn is_upgrade(joined: &Bound<'_, PyAny>) -> PyResult<bool> {
    bytes(joined, "the values of a header are str or bytes, joined by commas").map(Request::is_upgrade)
}

/// An argument that is a whole number.
pub(crate) struct Integer(pub(crate) i64);

impl<'py> FromPyObject<'_, 'py> for Integer {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let refuse = |_| invalid_argument(value.py(), "a time or ticket is a whole number, 0 to 2^53-1");
        value.extract().map(Self).map_err(refuse)
    }
}

/// An argument that is True or False.
pub(crate) struct Flag(pub(crate) bool);

impl<'py> FromPyObject<'_, 'py> for Flag {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let refuse = |_| invalid_argument(value.py(), "force, upgrade and marked_public take True or False");
        value.cast::<PyBool>().map(|flag| Self(flag.is_true())).map_err(refuse)
    }
}
