//! The state of a verifier, for operators: everything that metrics and alerts need.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::keys::{Health, KeyStatus, LastError, State};

/// A verifier's state at one moment. It serialises to the JSON object of the C ABI's `pomerium_jwt_status`.
///
/// ```
/// # use pomerium_jwt::{Options, Verifier};
/// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
/// let status = verifier.status();
/// assert_eq!((status.source.as_str(), status.counts["ok"]), ("jwks", 0));
/// # Ok::<(), pomerium_jwt::Error>(())
/// ```
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

/// The names that trust on first use has pinned; a part that is configured is not pinned.
///
/// ```
/// # use pomerium_jwt::{Options, Verifier};
/// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
/// assert!(verifier.status().pinned.is_none(), "nothing is pinned if everything is configured");
/// # Ok::<(), pomerium_jwt::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pinned {
    /// The `iss` of the first verified token.
    pub issuer: Option<String>,
    /// Its whole `aud`.
    pub audience: Option<Vec<String>>,
}
