//! Refusals on their way to JavaScript, where `src/errors.ts` makes a VerifyError of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{BigInt, Either};
use napi_derive::napi;
use pomerium_jwt::{Code, Error};

/// What a VerifyError is made of. Returned and not thrown: a thrown error of Node-API carries a message and a code only,
/// and would record the stack a second time.
#[napi(object, object_from_js = false)]
pub struct Refusal {
    /// The stable name of the code.
    pub code: &'static str,
    /// One sentence for logs.
    pub message: String,
    /// Whole seconds after which another attempt can succeed.
    pub retry_after: Option<u32>,
    /// With `keys_needed`: what `finish` takes.
    pub ticket: Option<BigInt>,
}

/// What follows from a code.
#[napi(object, object_from_js = false)]
pub struct CodeFacts {
    /// The stable name.
    pub code: &'static str,
    /// The stable number.
    pub number: i32,
    /// What the error is about.
    pub kind: &'static str,
    /// The HTTP status to answer with.
    pub status: u16,
}

/// Every code there is.
#[napi]
pub fn codes() -> Vec<CodeFacts> {
    let facts = |code: Code| CodeFacts {
        code: code.name(),
        number: code.number(),
        kind: code.kind().name(),
        status: code.kind().http_status(),
    };
    Code::ALL.into_iter().map(facts).collect()
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.name(), message: message.into(), retry_after: None, ticket: None }
    }

    /// With the ticket that came with `keys_needed`.
    pub(crate) fn with_ticket(self, ticket: i64) -> Self {
        if ticket == 0 { self } else { Self { ticket: Some(ticket.into()), ..self } }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        // Retry-After has whole seconds
        let seconds = error.retry_after().map(|time| time.as_secs() + u64::from(time.subsec_nanos() > 0));
        let retry_after = seconds.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
        Self { retry_after, ..Self::new(error.code(), error.message()) }
    }
}

/// Runs the core. A panic becomes `internal`: it must not unwind into Node.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Refusal> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.map_err(Refusal::from),
        Err(_) => Err(Refusal::new(Code::Internal, "the library panicked; what it said is on standard error")),
    }
}

/// What a method returns: what it has, or why not.
pub(crate) fn either<T>(outcome: Result<T, Refusal>) -> Either<T, Refusal> {
    match outcome {
        Ok(value) => Either::A(value),
        Err(refusal) => Either::B(refusal),
    }
}
