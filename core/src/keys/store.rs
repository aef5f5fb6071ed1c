//! What holds the keys: those of a static source, or those that are fetched.

use std::sync::Arc;

use super::{
    cache::Settings,
    fetcher::Fetcher,
    key_set::{Found, KeySet, Trust},
    local::Local,
    remote::Remote,
    request::KeyRequest,
    snapshot::Wanted,
    source::{FetchOptions, Source, check_host_fetching},
    state::{KeyState, LastErrorCode},
    ticket::Patience,
    ttl::Limits,
    unusable::Unusable,
};
use crate::{algorithm::Algorithm, clock::Clock, error::Error};

/// Who sends the requests for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// This library, with the feature `fetch`.
    Library,
    /// The application that it is part of.
    Host,
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
        fetch: FetchOptions,
        sender: Sender,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Unusable> {
        let described = source.describe();
        let Source::Url { url, initial } = source else {
            return Local::new(&source, &trust, clock).map(Store::Local);
        };
        let fetcher = match sender {
            Sender::Library => Some(fetcher(url.clone(), fetch)?),
            Sender::Host => {
                check_host_fetching(&url, &fetch)?;
                None
            }
        };
        let initial = initial.map(|text| KeySet::parse(text.as_bytes(), &trust, None));
        let initial = initial.transpose().map_err(|why| why.of("jwks_initial"))?;
        let settings = Settings { source: described, url, trust, limits };
        Ok(Store::Remote(Remote::new(settings, fetcher, clock, initial)))
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
            (Store::Remote(remote), patience) => remote.acquire(Wanted { kid, algorithm }, patience),
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

    /// Whether the host has to send a request.
    pub(crate) fn wants_fetch(&self) -> bool {
        matches!(self, Store::Remote(remote) if remote.wants_fetch())
    }

    /// The request that the host has to send now, if there is one.
    pub(crate) fn next_request(&self, force: bool) -> Option<KeyRequest> {
        match self {
            Store::Local(local) => {
                local.refresh();
                None
            }
            Store::Remote(remote) => remote.next_request(force),
        }
    }

    /// The answer to the host's request.
    pub(crate) fn feed_response<N: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        request: KeyRequest,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
        body: &[u8],
    ) -> Result<(), Error> {
        match self {
            Store::Local(_) => Err(KeyRequest::of_another_verifier()),
            Store::Remote(remote) => remote.feed_response(request, status, headers, body),
        }
    }

    /// The host's request has not been answered.
    pub(crate) fn feed_failure(&self, request: KeyRequest, code: LastErrorCode, message: &str) -> Result<(), Error> {
        match self {
            Store::Local(_) => Err(KeyRequest::of_another_verifier()),
            Store::Remote(remote) => remote.feed_failure(request, code, message),
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
fn fetcher(url: String, fetch: FetchOptions) -> Result<Arc<dyn Fetcher>, Unusable> {
    Ok(Arc::new(super::http::Client::new(url, fetch)?))
}

#[cfg(not(feature = "fetch"))]
fn fetcher(_: String, _: FetchOptions) -> Result<Arc<dyn Fetcher>, Unusable> {
    Err("this build cannot fetch keys, because its feature fetch is off: give jwks, jwks_file or public_key, or make the verifier \
         with Verifier::for_host"
        .into())
}
