//! The state of a verifier, for operators: everything that metrics and alerts need.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

pub use crate::keys::KeyStatus;

/// A verifier's state at one moment. It serialises to the JSON object of the C ABI's `pomerium_jwt_status`.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The option the keys come from, with its address or path.
    pub source: String,
    /// How old the set in use is.
    pub state: State,
    /// Seconds since the set in use was asked for; none for static sources.
    pub age: Option<u64>,
    /// Seconds for which the set in use is fresh: drawn for each set from 0.7 to 1.0 of what `cache_ttl` or Cache-Control
    /// asks for. None for static sources.
    pub ttl: Option<u64>,
    /// The set in use, with the keys that are not usable and why.
    pub keys: Vec<KeyStatus>,
    /// When the keys were last read or fetched, in Unix seconds.
    pub last_success: Option<i64>,
    /// The last failure since then.
    pub last_error: Option<LastError>,
    /// Seconds until the next request can cause a fetch, at least 1; none for static sources.
    pub next_attempt: Option<u64>,
    /// What trust on first use has pinned.
    pub pinned: Option<Pinned>,
    /// How many answers had which code, every code, also at 0; `ok` counts the verified ones, `passed` the admissions
    /// without an identity.
    pub counts: BTreeMap<&'static str, u64>,
    /// How many fetches were started.
    pub fetches: u64,
    /// How many of them failed.
    pub fetch_failures: u64,
    /// How many of them brought a key set. Not `fetches - fetch_failures`: one that is running is neither.
    #[serde(skip)]
    pub(crate) fetch_successes: u64,
    /// How long the last fetch took that ended, in seconds; none before the first, and for static sources.
    pub fetch_seconds: Option<f64>,
    /// SHA-256 in hex over the thumbprints of `keys`, sorted and one after the other: equal if two instances have the
    /// same keys. None if there are no keys.
    pub key_set: Option<String>,
    /// For health probes.
    pub health: Health,
    /// The line of [`Verifier::summary`](crate::Verifier::summary).
    pub summary: String,
    /// The option of this name.
    pub header_name: String,
    /// The option of this name.
    pub optional: bool,
    /// The option of this name; empty if it is not set.
    pub exempt_paths: Vec<String>,
    /// The option of this name; empty if it is not set.
    pub require_group: Vec<String>,
}

/// How old the key set in use is, for [`Status::state`].
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

/// Whether an instance can verify tokens. It is ready if `keys_loaded || !asked`; `stale` is a warning, and neither
/// unready nor unlive.
///
/// Alert on `last_error` that lasts for minutes, on `keys_loaded` that stays false, and on counts of `keys_*` codes; not
/// on [`Status::state`] alone: the keys of an idle application are `old`, and will be fetched before they are used.
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
    /// The answer was neither 200 nor 304.
    Status,
    /// The answer, or the file, is not a JWK Set.
    Body,
    /// Plain http to an address other than loopback.
    Refused,
    /// No thread could be started.
    Spawn,
}

/// The names that trust on first use has pinned; a part that is configured is not pinned.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pinned {
    /// The `iss` of the first verified token.
    pub issuer: Option<String>,
    /// Its whole `aud`.
    pub audience: Option<Vec<String>>,
}

/// The part of [`Status`] that comes from the key store.
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
