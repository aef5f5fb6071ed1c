//! The error: a code, a sentence for logs, the facts as data, and the response to answer with.

use std::{
    error, fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::Serialize;

use crate::{
    code::{ErrorCode, ErrorKind},
    time::system_time,
};

/// Why there is no verified identity.
///
/// The message is for logs, never for the HTTP client: it may name expected issuers and key ids. Of a token whose
/// signature has not been verified it quotes at most the `kid`, and only a harmless one.
///
/// [`status`](Self::status), [`headers`](Self::headers) and [`body`](Self::body) are the response.
/// [`source`](std::error::Error::source) is the cause, if there is one: of an error about fetched keys the
/// [`LastError`](crate::LastError), which says at which stage the fetch failed.
///
/// ```
/// use pomerium_jwt::{ErrorCode, Options, Verifier};
///
/// let verifier = Verifier::new(Options::for_route("https://app.example.com"))?;
/// let error = verifier.verify("").unwrap_err();
/// assert_eq!((error.code(), error.status()), (ErrorCode::TokenMissing, 401));
/// assert_eq!(error.body(), r#"{"error":"token_missing"}"#);
/// # Ok::<(), pomerium_jwt::Error>(())
/// ```
#[derive(Clone)]
pub struct Error {
    code: ErrorCode,
    message: String,
    retry_after: Option<Duration>,
    facts: Option<Box<Facts>>,
    cause: Option<Arc<dyn error::Error + Send + Sync>>,
}

impl Error {
    /// An error with this code, for bindings whose own faults have the same codes. The message is one sentence for logs
    /// and quotes no token.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode};
    ///
    /// let error = Error::new(ErrorCode::InvalidArgument, "now is not a number");
    /// assert_eq!(error.to_string(), "invalid_argument: now is not a number");
    /// ```
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None, facts: None, cause: None }
    }

    pub(crate) fn options(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidOptions, message)
    }

    /// The same error, for which another attempt can succeed after this time.
    pub(crate) fn after(self, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    /// The same error, with what the failed check compared.
    pub(crate) fn about(self, facts: Facts) -> Self {
        Self { facts: Some(Box::new(facts)), ..self }
    }

    /// The same error, with what it comes from.
    pub(crate) fn caused_by(self, cause: Arc<dyn error::Error + Send + Sync>) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// The stable code.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode};
    ///
    /// let is_expired = |error: &Error| error.code() == ErrorCode::TokenExpired;
    /// assert!(!is_expired(&Error::new(ErrorCode::TokenMissing, "no token")));
    /// ```
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What the error is about.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode, ErrorKind};
    ///
    /// assert_eq!(Error::new(ErrorCode::TokenMissing, "no token").kind(), ErrorKind::Token);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.code.kind()
    }

    /// One sentence with the facts that help, for logs.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode};
    ///
    /// assert_eq!(Error::new(ErrorCode::TokenMissing, "no token").message(), "no token");
    /// ```
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// When another attempt can succeed, for the HTTP header Retry-After: at least one second, for errors of
    /// [`ErrorKind::Keys`] whose source is fetched, `keys_needed` excepted.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use pomerium_jwt::{Error, ErrorCode};
    ///
    /// assert_eq!(Error::new(ErrorCode::TokenMissing, "no token").retry_after(), None::<Duration>);
    /// ```
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// [`retry_after`](Self::retry_after) as the header has it: in whole seconds, rounded up, at least 1.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode};
    ///
    /// assert_eq!(Error::new(ErrorCode::TokenMissing, "no token").retry_after_seconds(), None);
    /// ```
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        let round_up = |time: Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
        self.retry_after.map(|time| round_up(time).max(1))
    }

    /// What the failed check compared, for errors about claims and groups.
    ///
    /// ```
    /// use pomerium_jwt::{Error, Facts};
    ///
    /// /// What the token has and what would be right, for a log with fields of its own.
    /// fn fields(error: &Error) -> Option<(&str, String, String)> {
    ///     match error.facts()? {
    ///         Facts::Time { claim, value, now, .. } => Some((claim, value.to_string(), now.to_string())),
    ///         Facts::Mismatch { claim, actual, expected, .. } => Some((claim, actual.join(" "), expected.join(" "))),
    ///         _ => None,
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_deref()
    }

    /// Of `token_expired`: when the token expired, without the leeway.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode};
    ///
    /// assert_eq!(Error::new(ErrorCode::TokenMissing, "no token").expired_at(), None);
    /// ```
    #[must_use]
    pub fn expired_at(&self) -> Option<SystemTime> {
        match self.facts() {
            Some(Facts::Time { value, .. }) if self.code == ErrorCode::TokenExpired => Some(system_time(*value)),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Without the facts, which may hold more personal data than the message quotes.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

/// Two errors are equal if they say the same; what caused them is not compared.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        let said = |error: &Self| (error.code, error.retry_after);
        said(self) == said(other) && self.message == other.message && self.facts == other.facts
    }
}

impl Eq for Error {}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn error::Error + 'static))
    }
}

/// What a failed check compared, as data: see [`Error::facts`]. The values are those of the verified token, whole, and
/// may be personal data.
///
/// ```
/// use pomerium_jwt::Facts;
///
/// fn is_for_another_host(facts: &Facts) -> bool {
///     matches!(facts, Facts::Mismatch { claim, .. } if claim == "aud")
/// }
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Facts {
    /// A time: of `token_expired`, `token_not_yet_valid`, `token_issued_in_future` and `token_too_old`.
    #[non_exhaustive]
    Time {
        /// `exp`, `nbf` or `iat`.
        claim: &'static str,
        /// The claim's value in Unix seconds.
        value: i64,
        /// The time that it was compared with, in Unix seconds.
        now: i64,
    },
    /// Names: of `issuer_mismatch`, `audience_mismatch`, `claim_mismatch` and `group_required`.
    #[non_exhaustive]
    Mismatch {
        /// The claim: `iss`, `aud`, `groups` or one of `expect_claims`.
        claim: String,
        /// The strings that the token has there; none if it has no such claim, or one of another type.
        actual: Vec<String>,
        /// What is accepted, as the options have it, one of which is enough; empty if nothing is configured.
        expected: Vec<String>,
    },
}
