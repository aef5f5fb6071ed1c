//! Refusals as Python's exceptions, which are defined in `pomerium_jwt/_errors.py`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use pomerium_jwt::{Code, Error};
use pyo3::{intern, prelude::*, sync::PyOnceLock};

/// Any refusal of the core.
pub(crate) fn refused(py: Python<'_>, error: &Error) -> PyErr {
    raise(py, error.code(), error.message(), error.retry_after())
}

/// `invalid_argument`, in a sentence that says what to write instead.
pub(crate) fn invalid_argument(py: Python<'_>, message: &str) -> PyErr {
    raise(py, Code::InvalidArgument, message, None)
}

pub(crate) fn internal(py: Python<'_>, message: &str) -> PyErr {
    raise(py, Code::Internal, message, None)
}

/// Runs the core. A panic becomes `internal`: pyo3's own exception for it is no `Exception`, and would end a server's
/// worker.
pub(crate) fn guarded<T>(py: Python<'_>, work: impl FnOnce() -> Result<T, Error>) -> PyResult<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.map_err(|error| refused(py, &error)),
        Err(_) => Err(internal(py, "the library panicked; what it said is on standard error")),
    }
}

fn raise(py: Python<'_>, code: Code, message: &str, retry_after: Option<Duration>) -> PyErr {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || {
        MAKE.get_or_try_init(py, || py.import("pomerium_jwt._errors")?.getattr(intern!(py, "make")).map(Bound::unbind))
    };
    // Retry-After has whole seconds
    let seconds = retry_after.map(|time| time.as_secs() + u64::from(time.subsec_nanos() > 0));
    let kind = code.kind();
    let arguments = (code.name(), code.number(), kind.name(), message, kind.http_status(), seconds);
    match make().and_then(|make| make.bind(py).call1(arguments)) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}
