//! The state of a verifier, for operators: everything that metrics and alerts need.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

use crate::{
    error::{ErrorCode, quoted},
    keys::{Health, KeyStatus, LastError, State},
    names::Names,
    request::RequestRules,
};

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

/// The names that trust on first use has pinned; a part that is configured is not pinned.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pinned {
    /// The `iss` of the first verified token.
    pub issuer: Option<String>,
    /// Its whole `aud`.
    pub audience: Option<Vec<String>>,
}

/// An answer, as it is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    Ok,
    Passed,
    Refused(ErrorCode),
}

/// Counts answers: those of [`ErrorCode::ALL`], then `passed`, then `ok`.
pub(crate) struct Counts([AtomicU64; ErrorCode::ALL.len() + 2]);

impl Counts {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// `keys_needed` is not an answer: the final one comes with the ticket.
    pub(crate) fn add(&self, answer: Counted) {
        let [.., passed, ok] = &self.0;
        let count = match answer {
            Counted::Ok => ok,
            Counted::Passed => passed,
            Counted::Refused(ErrorCode::KeysNeeded) => return,
            Counted::Refused(code) => {
                let row = ErrorCode::ALL.iter().position(|listed| *listed == code).unwrap_or(ErrorCode::ALL.len() - 1);
                &self.0[row]
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> BTreeMap<&'static str, u64> {
        let names = ErrorCode::ALL.iter().map(|code| code.name()).chain(["passed", "ok"]);
        names.zip(self.0.iter().map(|count| count.load(Ordering::Relaxed))).collect()
    }
}

/// The line that describes a verifier when it starts.
pub(crate) struct Summary<'a> {
    pub(crate) issuer: Option<&'a Names>,
    pub(crate) audience: Option<&'a Names>,
    pub(crate) source: &'a str,
    pub(crate) request: &'a RequestRules,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accepted = |names: Option<&Names>| names.map_or("any, until one is pinned".to_owned(), Names::accepted);
        if self.issuer == self.audience && self.issuer.is_some() {
            write!(f, "accepts issuer and audience {}", accepted(self.issuer))?;
        } else {
            write!(f, "accepts issuer {} and audience {}", accepted(self.issuer), accepted(self.audience))?;
        }
        write!(f, "; keys: {}; header: {}", self.source, self.request.header_name())?;
        if self.request.optional() {
            f.write_str("; optional: requests without a token pass")?;
        }
        let exempt = self.request.exempt_paths();
        if !exempt.is_empty() {
            write!(f, "; exempt_paths: {}", exempt.join(", "))?;
        }
        let groups: Vec<String> = self.request.require_group().iter().map(|group| quoted(group)).collect();
        if !groups.is_empty() {
            write!(f, "; require_group: {}", groups.join(", "))?;
        }
        if self.issuer.is_none() || self.audience.is_none() {
            f.write_str("; WARNING: trust_on_first_use pins what the first token says: for development only")?;
        }
        Ok(())
    }
}

/// The metrics of a status, in the text format of OpenMetrics 1.0.
pub(crate) fn metrics(status: &Status) -> String {
    let mut text = Metrics(String::new());
    text.family("pomerium_jwt_verifications", "counter", "Answers of verify and admit by code.");
    for (code, count) in &status.counts {
        text.sample("pomerium_jwt_verifications_total", &[("code", code)], count);
    }
    text.family("pomerium_jwt_fetches", "counter", "Fetches of the key set by result.");
    for (result, count) in [("failure", status.fetch_failures), ("success", status.fetch_successes)] {
        text.sample("pomerium_jwt_fetches_total", &[("result", result)], count);
    }
    if let Some(age) = status.age {
        text.family("pomerium_jwt_keys_age_seconds", "gauge", "Time since the key set in use was asked for.");
        text.sample("pomerium_jwt_keys_age_seconds", &[], age);
    }
    if let Some(time) = status.last_success {
        let name = "pomerium_jwt_keys_last_success_timestamp_seconds";
        text.family(name, "gauge", "When the keys were last read or fetched.");
        text.sample(name, &[], time);
    }
    text.family("pomerium_jwt_keys_state", "gauge", "1 for the state of the key set in use.");
    for state in State::ALL {
        text.sample("pomerium_jwt_keys_state", &[("state", state.name())], u8::from(*state == status.state));
    }
    text.family("pomerium_jwt_key", "info", "Keys that tokens are checked with.");
    let usable = status.keys.iter().filter(|key| key.usable);
    let kids: BTreeSet<&str> = usable.filter_map(|key| key.kid.as_deref().or(key.thumbprint.as_deref())).collect();
    for kid in kids {
        text.sample("pomerium_jwt_key_info", &[("kid", kid)], 1);
    }
    text.0 + "# EOF\n"
}

/// OpenMetrics text being written.
struct Metrics(String);

impl Metrics {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.0 += &format!("# TYPE {name} {kind}\n# HELP {name} {help}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        let escaped = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.0 += &format!("{name}{labels} {value}\n");
    }
}
