//! Refusals as Python's exceptions, which are defined in `pomerium_jwt/_errors.py`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pomerium_jwt::{Error, ErrorCode};
use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{IntoPyDict, PyBytes},
};

/// Any refusal of the core, with the response that an integration copies.
pub(crate) fn refused(py: Python<'_>, error: &Error) -> PyErr {
    match exception(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// `invalid_argument`, in a sentence that says what to write instead.
pub(crate) fn invalid_argument(py: Python<'_>, message: &str) -> PyErr {
    refused(py, &Error::new(ErrorCode::InvalidArgument, message))
}

pub(crate) fn internal(py: Python<'_>, message: &str) -> PyErr {
    refused(py, &Error::new(ErrorCode::Internal, message))
}

/// The exception for options that cannot even be handed to the core.
#[pyfunction]
#[pyo3(signature = (message, /))]
pub(crate) fn invalid_options<'py>(py: Python<'py>, message: &str) -> PyResult<Bound<'py, PyAny>> {
    exception(py, &Error::new(ErrorCode::InvalidOptions, message))
}

/// Runs the core. A panic becomes `internal`: pyo3's own exception for it is not an `Exception`, and would end a
/// server's worker.
pub(crate) fn guarded<T>(py: Python<'_>, work: impl FnOnce() -> Result<T, Error>) -> PyResult<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.map_err(|error| refused(py, &error)),
        Err(_) => Err(internal(py, "the library panicked; what it said is on standard error")),
    }
}

fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE
        .get_or_try_init(py, || py.import("pomerium_jwt._errors")?.getattr(intern!(py, "make")).map(Bound::unbind))?;
    let code = error.code();
    let arguments = (
        code.name(),
        code.number(),
        error.kind().name(),
        error.message(),
        error.status(),
        error.retry_after_seconds(),
        error.headers().into_py_dict(py)?,
        PyBytes::new(py, error.body().as_bytes()),
    );
    make.bind(py).call1(arguments)
}
