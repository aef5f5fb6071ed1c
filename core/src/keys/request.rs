//! The request to the source of the keys, for every sender.

use std::{sync::Arc, time::Duration};

use super::{policy::Fetch, snapshot::Snapshot};
use crate::{clock::Now, code::ErrorCode, error::Error};

/// One request for keys, for a host that sends it itself: see [`Verifier::for_host`](crate::Verifier::for_host).
///
/// It is a `GET` of [`url`](Self::url) with [`headers`](Self::headers) and without a body, to be answered within
/// [`timeout`](Self::timeout). Follow no redirect: it could lead anywhere.
///
/// ```
/// # use pomerium_jwt::{Now, Options, Verifier};
/// # use std::time::Duration;
/// # let clock = || Now::new(Duration::from_secs(1), 1_800_000_000);
/// let verifier = Verifier::for_host(Options::for_route("https://app.example.com"), clock)?;
/// let request = verifier.next_request(false).expect("no keys yet");
/// assert_eq!(request.url(), "https://app.example.com/.well-known/pomerium/jwks.json");
/// assert_eq!(request.headers(), [("Accept", "application/json")]); // later If-None-Match too
/// # Ok::<(), pomerium_jwt::Error>(())
/// ```
#[derive(Debug)]
pub struct KeyRequest {
    pub(super) url: Arc<str>,
    pub(super) timeout: Duration,
    /// When it was made; the age of the set that it brings counts from here.
    pub(super) sent: Now,
    pub(super) fetch: Fetch,
    /// The set in use, which a 304 confirms.
    pub(super) current: Option<Arc<Snapshot>>,
}

impl KeyRequest {
    /// The keys of one address must never be taken for those of another.
    pub(super) fn of_another_verifier() -> Error {
        Error::new(ErrorCode::InvalidArgument, "the request was made by another verifier")
    }

    /// The option `jwks_url`, given or derived.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The ETag of the set in use, for `If-None-Match`; none if there is no such set.
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.current.as_ref()?.etag.as_deref()
    }

    /// The headers to send.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, &str)> {
        let etag = self.etag().map(|etag| ("If-None-Match", etag));
        [("Accept", "application/json")].into_iter().chain(etag).collect()
    }

    /// How long the whole request may take: the option `timeout`. A second later it counts as lost.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}
