//! Who gets in. Every integration calls [`Verifier::admit`], and none has a rule of its own.

use super::verify::Verifier;
use crate::{
    code::ErrorCode,
    counts::Counted,
    error::Error,
    keys::{Patience, Ticket},
    request::{Admission, Request},
};

impl Verifier {
    /// Decides whether a request gets in, and who sent it: every integration calls this. If keys have to be fetched
    /// first, it waits for them, at most `timeout`.
    ///
    /// In this order: a request whose path is in `exempt_paths` passes, unless it is an upgrade; one without a token
    /// passes if `optional` is set, or if its endpoint is marked public and it is not an upgrade; everything else is
    /// decided by [`verify`](Self::verify).
    ///
    /// # Errors
    /// As `verify`. The response is [`status`](Error::status), [`headers`](Error::headers) and [`body`](Error::body);
    /// the message is for the log alone.
    pub fn admit(&self, request: &Request<'_>) -> Result<Admission, Error> {
        self.admit_with(request, Patience::Wait)
    }

    /// As [`admit`](Self::admit), but never waits: `keys_needed` and the ticket as
    /// [`try_verify`](Self::try_verify) has them.
    ///
    /// # Errors
    /// As `admit`, and `keys_needed`.
    pub fn try_admit(&self, request: &Request<'_>, ticket: Option<&mut Ticket>) -> Result<Admission, Error> {
        self.admit_with(request, Patience::Ticket(ticket))
    }

    fn admit_with(&self, request: &Request<'_>, patience: Patience<'_>) -> Result<Admission, Error> {
        let rules = &self.request;
        let outcome = if rules.exempts(request) {
            Ok(Admission::Passed)
        } else {
            match self.judge_text(request.token, patience) {
                Err(error) if error.code() == ErrorCode::TokenMissing && rules.passes_without_token(request) => {
                    Ok(Admission::Passed)
                }
                judged => judged.map(Admission::Verified),
            }
        };
        self.count(match &outcome {
            Ok(Admission::Passed) => Counted::Passed,
            Ok(Admission::Verified(_)) => Counted::Ok,
            Err(error) => Counted::Refused(error.code()),
        });
        outcome
    }
}
