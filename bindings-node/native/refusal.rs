//! Refusals on their way to JavaScript: `src/errors.ts` makes a VerifyError of each.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use napi::bindgen_prelude::{BigInt, Either};
use napi_derive::napi;
use pomerium_jwt::{Error, ErrorCode, Ticket};

/// What a VerifyError is made of. Returned and not thrown: a thrown error of Node-API carries a message and a code only,
/// and would record the stack a second time.
#[napi(object, object_from_js = false)]
pub struct Refusal {
    /// The stable name of the code.
    pub code: &'static str,
    /// One sentence for logs.
    pub message: String,
    /// The headers of the response.
    pub headers: BTreeMap<&'static str, String>,
    /// The body of the response.
    pub body: String,
    /// With `keys_needed`: what the final call takes.
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
    let facts = |code: ErrorCode| CodeFacts {
        code: code.name(),
        number: code.number(),
        kind: code.kind().name(),
        status: code.status(),
    };
    ErrorCode::ALL.iter().copied().map(facts).collect()
}

/// A refusal of the JavaScript half: a call that its types do not allow, and what one route demands.
#[napi]
pub fn refusal(code: String, message: String) -> napi::Result<Refusal> {
    match code.parse() {
        Ok(code) => Ok(Refusal::new(code, message)),
        Err(unknown) => Err(napi::Error::from_reason(unknown.to_string())),
    }
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Error::new(code, message).into()
    }

    /// With the ticket that came with `keys_needed`.
    pub(crate) fn with_ticket(self, ticket: Ticket) -> Self {
        if ticket.is_final() { Self { ticket: Some(ticket.number().into()), ..self } } else { self }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            code: error.code().name(),
            message: error.message().to_owned(),
            body: error.body(),
            headers: error.headers().into_iter().collect(),
            ticket: None,
        }
    }
}

/// Runs the core. A panic becomes `internal`: it must not unwind into Node.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Refusal> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.map_err(Refusal::from),
        Err(_) => Err(Refusal::new(ErrorCode::Internal, "the library panicked; what it said is on standard error")),
    }
}

/// What a method returns: what it has, or why not.
pub(crate) fn either<T>(outcome: Result<T, Refusal>) -> Either<T, Refusal> {
    match outcome {
        Ok(value) => Either::A(value),
        Err(refusal) => Either::B(refusal),
    }
}
