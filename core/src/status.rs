//! What operators see of a verifier: all that metrics and alerts need.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

use crate::error::Code;
pub use crate::keys::KeyStatus;

/// A verifier's state at one moment. It serialises to the JSON object of the C ABI's `pomerium_jwt_status`.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The option the keys come from, with its address or path.
    pub source: String,
    /// `static`, `empty`, `fresh`, `aging`, `old` or `expired`.
    pub state: &'static str,
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
    /// How many verifications ended with which code; `ok` counts the accepted ones.
    pub counts: BTreeMap<&'static str, u64>,
    /// How many fetches were started.
    pub fetches: u64,
    /// How many of them failed.
    pub fetch_failures: u64,
    /// How long the last fetch took that ended, in seconds; none before the first, and for static sources.
    pub fetch_seconds: Option<f64>,
    /// SHA-256 in hex over the thumbprints of `keys`, sorted and one after the other: equal if two instances have the
    /// same keys. None without any.
    pub key_set: Option<String>,
    /// What probes ask for.
    pub health: Health,
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

/// The stage at which loading the keys failed.
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
    /// The address may not be asked: plain http away from loopback.
    Refused,
    /// No thread could be started.
    Spawn,
}

/// What trust on first use holds on to; a part that is configured is not pinned.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pinned {
    /// The `iss` of the first verified token.
    pub issuer: Option<String>,
    /// Its whole `aud`.
    pub audience: Option<Vec<String>>,
}

/// The part of [`Status`] that the key store knows.
pub(crate) struct KeyState {
    pub(crate) source: String,
    pub(crate) state: &'static str,
    pub(crate) age: Option<u64>,
    pub(crate) ttl: Option<u64>,
    pub(crate) keys: Vec<KeyStatus>,
    pub(crate) last_success: Option<i64>,
    pub(crate) last_error: Option<LastError>,
    pub(crate) next_attempt: Option<u64>,
    pub(crate) fetches: u64,
    pub(crate) fetch_failures: u64,
    pub(crate) fetch_seconds: Option<f64>,
    pub(crate) key_set: Option<String>,
    pub(crate) health: Health,
}

/// Counts verifications by their outcome.
pub(crate) struct Counts([AtomicU64; Code::ALL.len() + 1]);

impl Counts {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// `None` is success.
    pub(crate) fn add(&self, outcome: Option<Code>) {
        let slot = Code::ALL.iter().position(|code| Some(*code) == outcome).unwrap_or(Code::ALL.len());
        self.0[slot].fetch_add(1, Ordering::Relaxed);
    }

    /// Those that occurred.
    pub(crate) fn read(&self) -> BTreeMap<&'static str, u64> {
        let names = Code::ALL.iter().map(|code| code.name()).chain(["ok"]);
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        names.zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}
