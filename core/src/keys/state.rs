//! What the key store says of itself, for [`Status`](crate::Status).

use std::fmt;

use serde::Serialize;

/// The part of [`Status`](crate::Status) that comes from the key store.
pub(crate) struct KeyState {
    pub(crate) source: String,
    pub(crate) state: State,
    pub(crate) age: Option<u64>,
    pub(crate) ttl: Option<u64>,
    pub(crate) keys: Vec<KeyStatus>,
    pub(crate) last_success: Option<i64>,
    pub(crate) last_error: Option<LastError>,
    pub(crate) next_attempt: Option<u64>,
    pub(crate) fetches: u64,
    pub(crate) fetch_successes: u64,
    pub(crate) fetch_failures: u64,
    pub(crate) fetch_seconds: Option<f64>,
    pub(crate) key_set: Option<String>,
    pub(crate) health: Health,
}

/// How old the key set in use is, for [`Status::state`](crate::Status::state).
///
/// ```
/// use pomerium_jwt::State;
///
/// assert_eq!(State::Aging.to_string(), "aging");
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Given in the options, or read from a file: it does not age.
    Static,
    /// No set has been fetched yet.
    Empty,
    /// Younger than its ttl.
    Fresh,
    /// Younger than twice its ttl: used, and fetched again in the background.
    Aging,
    /// Older than that: fetched before it is used, and used all the same while the source fails.
    Old,
    /// Older than `max_stale` allows: no longer used.
    Expired,
}

impl State {
    /// Every state, in the order in which a set reaches them.
    ///
    /// ```
    /// use pomerium_jwt::State;
    ///
    /// assert!(State::ALL.contains(&State::Fresh));
    /// ```
    pub const ALL: &'static [State] =
        &[State::Static, State::Empty, State::Fresh, State::Aging, State::Old, State::Expired];

    /// The stable name: `static`, `empty`, `fresh`, `aging`, `old` or `expired`.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::State::Old.name(), "old");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::Static => "static",
            State::Empty => "empty",
            State::Fresh => "fresh",
            State::Aging => "aging",
            State::Old => "old",
            State::Expired => "expired",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One key of the set in use, as [`Status`](crate::Status) shows it.
///
/// ```
/// # use pomerium_jwt::{Options, Verifier};
/// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
/// for key in verifier.status().keys.iter().filter(|key| !key.usable) {
///     eprintln!("{:?}: {:?}", key.kid, key.reason);
/// }
/// # Ok::<(), pomerium_jwt::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyStatus {
    /// The key's `kid`, if it has one.
    pub kid: Option<String>,
    /// `ES256` or `RS256`; for a key that is not usable what it says of itself.
    pub alg: Option<String>,
    /// `EC P-256` or `RSA`; for a key that is not usable what it says of itself. Not in the JSON of the C ABI.
    #[serde(skip)]
    pub key_type: Option<String>,
    /// The RFC 7638 thumbprint in hex, if the key could be read.
    pub thumbprint: Option<String>,
    /// Whether tokens are checked with it.
    pub usable: bool,
    /// Why not, if it is not usable.
    pub reason: Option<String>,
}

/// Whether an instance can verify tokens. It is ready if `keys_loaded || !asked`; `stale` is a warning: the
/// instance is still ready and alive.
///
/// Alert on `last_error` that lasts for minutes, on `keys_loaded` that stays false, and on counts of `keys_*` codes; not
/// on [`Status::state`](crate::Status::state) alone: the keys of an idle application are `old`, and will be fetched
/// before they are used.
///
/// ```
/// # use pomerium_jwt::{Options, Verifier};
/// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
/// let health = verifier.health();
/// println!("ready: {}, stale: {}", health.keys_loaded || !health.asked, health.stale);
/// # Ok::<(), pomerium_jwt::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Always true: there is a verifier.
    pub configured: bool,
    /// Whether the keys have been asked for; true for static sources.
    pub asked: bool,
    /// Whether there is a usable key that has not expired.
    pub keys_loaded: bool,
    /// Whether the keys are old and the last fetch failed.
    pub stale: bool,
}

/// Why the keys could not be loaded.
///
/// ```
/// use std::error::Error as _;
///
/// use pomerium_jwt::{Error, LastError};
///
/// /// When the fetch failed that an error is about.
/// fn failed_at(error: &Error) -> Option<i64> {
///     Some(error.source()?.downcast_ref::<LastError>()?.at)
/// }
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastError {
    /// The stage that failed.
    pub code: LastErrorCode,
    /// One sentence, naming the option to change.
    pub message: String,
    /// When, in Unix seconds.
    pub at: i64,
}

impl fmt::Display for LastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What [`source`](std::error::Error::source) of an error about fetched keys gives.
impl std::error::Error for LastError {}

/// The stage at which the keys could not be loaded.
///
/// ```
/// use std::error::Error as _;
///
/// use pomerium_jwt::{Error, LastError, LastErrorCode};
///
/// fn is_certificate(error: &Error) -> bool {
///     let failure = error.source().and_then(|cause| cause.downcast_ref::<LastError>());
///     failure.is_some_and(|failure| failure.code == LastErrorCode::Tls)
/// }
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LastErrorCode {
    /// The name could not be resolved.
    Dns,
    /// No connection, or it was lost.
    Connect,
    /// The certificate or the handshake was not accepted.
    Tls,
    /// The whole request took longer than `timeout`.
    Timeout,
    /// The status of the answer was not 200, nor 304 to a request that allows it.
    Status,
    /// The answer, or the file, cannot be read as a JWK Set.
    Body,
    /// Plain http to an address other than loopback.
    Refused,
    /// No thread could be started.
    Spawn,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read_is_the_name_and_the_sentence() {
        assert_eq!(State::Aging.to_string(), "aging");
        let error = LastError { code: LastErrorCode::Dns, message: "a sentence".to_owned(), at: 1 };
        assert_eq!(error.to_string(), "a sentence");
    }
}
