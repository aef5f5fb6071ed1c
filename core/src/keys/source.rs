//! Where the keys come from: which of the options says so, and the store that holds them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    Algorithm, Found, KeySet, Trust,
    local::Local,
    policy::Limits,
    remote::{Fetcher, Remote},
};
use crate::{clock::Clock, error::Error, names, status::KeyState};

/// The key source, as configured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// `jwks`.
    Inline(String),
    /// `jwks_file`.
    File(PathBuf),
    /// `public_key`.
    Pem(String),
    /// `public_key_file`.
    PemFile(PathBuf),
    /// `jwks_url`, given or derived, and `jwks_initial`.
    Url { url: String, initial: Option<String> },
}

impl Source {
    /// For `status` and for the log line at start.
    pub(crate) fn describe(&self) -> String {
        match self {
            Source::Inline(_) => "jwks".to_owned(),
            Source::File(path) => format!("jwks_file {}", path.display()),
            Source::Pem(_) => "public_key".to_owned(),
            Source::PemFile(path) => format!("public_key_file {}", path.display()),
            Source::Url { url, .. } => format!("jwks_url {url}"),
        }
    }
}

/// How keys are fetched.
#[derive(Debug, Clone, Default)]
#[cfg_attr(not(feature = "fetch"), allow(dead_code, reason = "nothing fetches"))]
pub(crate) struct Fetch {
    pub(crate) connect_to: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) ca_pem: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) allow_http: bool,
}

/// `http(s)://host[:port][/path][?query]` in printable ASCII.
pub(crate) fn check_url(url: &str) -> Result<(), String> {
    let wrong = || format!("jwks_url {}: write https://host[:port]/path", crate::error::quoted(url));
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or_else(wrong)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let printable = url.bytes().all(|b| b.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&b)) && url.len() <= 2048;
    (printable && is_authority(authority)).then_some(()).ok_or_else(wrong)
}

/// `host[:port]`. The host may be an IPv6 address in brackets.
pub(crate) fn is_authority(text: &str) -> bool {
    let Some(bracketed) = text.strip_prefix('[') else { return names::is_authority(text) };
    let Some((address, port)) = bracketed.split_once(']') else { return false };
    address.parse::<std::net::Ipv6Addr>().is_ok() && (port.is_empty() || names::is_authority(&format!("host{port}")))
}

/// The keys of one source.
pub(crate) enum Store {
    /// Given in the options, or in a file.
    Local(Local),
    /// Fetched.
    Remote(Remote),
}

impl Store {
    /// Reads what can be read without a network.
    ///
    /// # Errors
    /// A sentence for `invalid_options`.
    pub(crate) fn new(
        source: Source,
        trust: Trust,
        limits: Limits,
        fetch: Fetch,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let described = source.describe();
        let Source::Url { url, initial } = source else {
            return Local::new(&source, &trust, clock).map(Store::Local);
        };
        let fetcher = fetcher(url, fetch)?;
        let initial = initial.map(|text| KeySet::parse(text.as_bytes(), &trust, None));
        let initial = initial.transpose().map_err(|why| format!("jwks_initial: {why}"))?;
        Ok(Store::Remote(Remote::new(described, trust, limits, fetcher, clock, initial)))
    }

    /// The key for this `kid` and `alg`, with the set that holds it.
    ///
    /// # Errors
    /// `key_not_found`, or one of the kind `keys`.
    pub(crate) fn acquire(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        patience: Patience<'_>,
    ) -> Result<Found, Error> {
        match (self, patience) {
            (Store::Local(local), Patience::AtHand) => Found::find(local.at_hand(), kid, algorithm),
            (Store::Local(local), _) => Found::find(local.current(), kid, algorithm),
            (Store::Remote(remote), patience) => remote.acquire(kid, algorithm, patience),
        }
    }

    /// Brings the keys up to date.
    pub(crate) fn refresh(&self, force: bool) -> Result<(), Error> {
        match self {
            Store::Local(local) => {
                local.refresh();
                Ok(())
            }
            Store::Remote(remote) => remote.refresh(force),
        }
    }

    /// The option the keys come from, with its address or path.
    pub(crate) fn source(&self) -> String {
        match self {
            Store::Local(local) => local.source().to_owned(),
            Store::Remote(remote) => remote.source().to_owned(),
        }
    }

    /// Starts a due fetch in the background if no usable key is loaded; never waits. An instance that is not ready gets
    /// no requests, and would otherwise never fetch again.
    pub(crate) fn look_after(&self) {
        if let Store::Remote(remote) = self {
            remote.look_after();
        }
    }

    /// What `status` says of the source and the set in use.
    pub(crate) fn state(&self) -> KeyState {
        match self {
            Store::Local(local) => local.state(),
            Store::Remote(remote) => remote.state(),
        }
    }
}

#[cfg(feature = "fetch")]
fn fetcher(url: String, fetch: Fetch) -> Result<Box<dyn Fetcher>, String> {
    Ok(Box::new(super::http::Request::new(url, fetch)?))
}

#[cfg(not(feature = "fetch"))]
fn fetcher(_: String, _: Fetch) -> Result<Box<dyn Fetcher>, String> {
    Err("this build cannot fetch keys, because its feature fetch is off: give jwks, jwks_file or public_key".to_owned())
}

/// How long a verification may take to get its key.
pub(crate) enum Patience<'t> {
    /// Waits for a fetch, at most `timeout`.
    Wait,
    /// Never waits; no ticket: the call is final.
    Ticket(Option<&'t mut Ticket>),
    /// Uses the keys that are loaded and starts nothing.
    AtHand,
}

/// What a caller that must not wait holds from its first call to its second; see
/// [`Verifier::try_verify`](crate::Verifier::try_verify). One for each request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticket(i64);

impl Ticket {
    /// For the first call of a request.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Whether the call with this ticket is the second one, which is final.
    #[must_use]
    pub const fn is_final(self) -> bool {
        self.0 != 0
    }

    /// For other languages, which carry it as an integer: 0 for the first call.
    #[doc(hidden)]
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}
