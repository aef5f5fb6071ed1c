//! Keys that are fetched: carries out what `policy.rs` decides.
//!
//! Fetches are run here, each in a short-lived thread of its own, and callers wait for them; or the host runs them, and
//! then nothing here starts a thread or waits.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::{
    answer::{self, Failure},
    cache::{self, Cache, Settings},
    fetcher::{Fetcher, spawn},
    key_set::{Found, KeySet},
    policy::{Caller, Decision, Fetch, Look, Refresh, State, Step},
    process::Process,
    request::KeyRequest,
    snapshot::Wanted,
    state::{KeyState, LastErrorCode},
    ticket::{Patience, Ticket},
};
use crate::{
    clock::{Clock, Now},
    code::ErrorCode,
    error::Error,
};

/// The keys of one address.
pub(crate) struct Remote {
    cache: Arc<Cache>,
    /// None: the host sends the requests.
    fetcher: Option<Arc<dyn Fetcher>>,
}

impl Remote {
    /// Fetches with this fetcher; without one the host fetches. `initial` is a set to start with.
    pub(super) fn new(
        settings: Settings,
        fetcher: Option<Arc<dyn Fetcher>>,
        clock: Arc<dyn Clock>,
        initial: Option<KeySet>,
    ) -> Self {
        let beginning = if fetcher.is_some() { State::default() } else { State::by_host() };
        Self { cache: Arc::new(Cache::new(settings, clock, initial, beginning)), fetcher }
    }

    pub(super) fn source(&self) -> &str {
        self.cache.source()
    }

    /// The key of a token, or the reason why there is none.
    pub(super) fn acquire(&self, wanted: Wanted<'_>, patience: Patience<'_>) -> Result<Found, Error> {
        if let Some(found) = self.cache.find_fresh(wanted) {
            return Ok(found);
        }
        match patience {
            Patience::AtHand | Patience::Ticket(None) => self.cache.last(wanted, None),
            Patience::Ticket(Some(ticket)) if ticket.is_final() => self.cache.last(wanted, Some(ticket.number())),
            Patience::Ticket(Some(ticket)) => self.first(wanted, Some(ticket)),
            Patience::Wait => self.first(wanted, None),
        }
    }

    /// The first look at a token, and what follows from it.
    fn first(&self, wanted: Wanted<'_>, ticket: Option<&mut Ticket>) -> Result<Found, Error> {
        let cache = &self.cache;
        let process = cache.process();
        let kid = process.kid(wanted);
        let (mut progress, view) = cache.enter(&process);
        let found = view.find(wanted);
        let look = Look { kid, known: found.is_some() };
        let caller = if ticket.is_some() { Caller::TwoStep } else { Caller::Blocking };
        let Decision { step, start } = progress.state.first(&view.at, look, caller);
        let running = progress.state.running();
        let report = cache.report(&progress, &view);
        drop(progress);
        // 0 is a ticket that was not used
        let arrived = view.at.now.monotonic.max(1);
        match (step, ticket) {
            (Step::Wait, Some(ticket)) => {
                *ticket = Ticket::from_number(arrived);
                Err(Error::new(ErrorCode::KeysNeeded, "the keys must be fetched first"))
            }
            (Step::Wait, None) => {
                self.wait_for(&process, running, start, view.at.now);
                cache.last(wanted, Some(arrived))
            }
            _ => {
                self.start_in_background(&process, start);
                cache::answer(wanted, step, found, &view, &report)
            }
        }
    }

    /// Joins a fetch or starts one that is wanted or due.
    ///
    /// # Errors
    /// `keys_unavailable`; `invalid_argument` if fetching is the host's part.
    pub(super) fn refresh(&self, force: bool) -> Result<(), Error> {
        let cache = &self.cache;
        let process = cache.process();
        let (mut progress, view) = cache.enter(&process);
        if self.fetcher.is_none() {
            let why = "this verifier's host fetches the keys: call next_request";
            return Err(Error::new(ErrorCode::InvalidArgument, why));
        }
        let refresh = progress.state.refresh(&view.at, force);
        drop(progress);
        let (fetch, start) = match refresh {
            Refresh::Nothing => return Ok(()),
            Refresh::Join(fetch) => (fetch, None),
            Refresh::Start(fetch) => (fetch, Some(fetch)),
        };
        self.wait_for(&process, Some(fetch), start, view.at.now);
        let (progress, view) = cache.enter(&process);
        let report = cache.report(&progress, &view);
        match progress.state.running() == Some(fetch) {
            true => Err(report.no_keys("the fetch is taking longer than timeout")),
            false if report.last_error.is_none() => Ok(()),
            false => Err(report.no_keys("the keys could not be fetched")),
        }
    }

    /// Starts a due fetch in the background if no usable key is loaded; never waits.
    pub(super) fn look_after(&self) {
        let process = self.cache.process();
        let (mut progress, view) = self.cache.enter(&process);
        let start = progress.state.look_after(&view.at);
        drop(progress);
        self.start_in_background(&process, start);
    }

    /// What `status` says.
    pub(super) fn state(&self) -> KeyState {
        self.cache.state()
    }
}

/// Fetches that the host runs.
impl Remote {
    /// Whether a call before wants a fetch that has not been started.
    pub(super) fn wants_fetch(&self) -> bool {
        let process = self.cache.process();
        let (progress, _) = self.cache.enter(&process);
        self.fetcher.is_none() && progress.state.wants_fetch()
    }

    /// Starts a fetch that is wanted or due.
    pub(super) fn next_request(&self, force: bool) -> Option<KeyRequest> {
        if self.fetcher.is_some() {
            return None;
        }
        let process = self.cache.process();
        let (mut progress, view) = self.cache.enter(&process);
        let refresh = progress.state.refresh(&view.at, force);
        drop(progress);
        match refresh {
            Refresh::Start(fetch) => Some(self.cache.begin(fetch)),
            Refresh::Nothing | Refresh::Join(_) => None,
        }
    }

    /// The source has answered.
    ///
    /// # Errors
    /// `keys_unavailable` with what is wrong with the answer; `invalid_argument` for the request of another address.
    pub(super) fn feed_response<N: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        request: KeyRequest,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
        body: &[u8],
    ) -> Result<(), Error> {
        self.check(&request)?;
        let fetched = answer::read(request.url(), request.etag().is_some(), status, headers, body);
        let outcome = fetched.and_then(|fetched| self.cache.load(&request, fetched));
        let answer = match &outcome {
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.message.clone()),
        };
        let process = self.cache.process();
        self.cache.finish(&process, &request, outcome);
        answer.map_err(|message| {
            let (progress, view) = self.cache.enter(&process);
            let after = self.cache.report(&progress, &view).retry_after();
            Error::new(ErrorCode::KeysUnavailable, message).after(after)
        })
    }

    /// The source has not answered.
    ///
    /// # Errors
    /// `invalid_argument` for the request of another address.
    pub(super) fn feed_failure(&self, request: KeyRequest, code: LastErrorCode, message: &str) -> Result<(), Error> {
        self.check(&request)?;
        let failure = Failure::new(code, format!("{}: {message}", request.url()));
        self.cache.finish(&self.cache.process(), &request, Err(failure));
        Ok(())
    }

    /// Whether this verifier has made the request.
    fn check(&self, request: &KeyRequest) -> Result<(), Error> {
        if Arc::ptr_eq(&request.url, self.cache.url()) { Ok(()) } else { Err(KeyRequest::of_another_verifier()) }
    }
}

/// Fetches that are run here. If the host runs them, the policy starts none.
impl Remote {
    /// Waits until the fetch has ended, and at most `timeout` after its start. `start`: it is yet to be run. If no
    /// thread can be spawned, the caller runs it itself.
    fn wait_for(&self, process: &Arc<Process>, running: Option<Fetch>, start: Option<Fetch>, now: Now) {
        let (Some(fetcher), Some(fetch)) = (&self.fetcher, running) else { return };
        if start.is_some() && self.spawn(fetcher, process, fetch).is_err() {
            run(&self.cache, &**fetcher, process, fetch);
        }
        let left = fetch.since + self.cache.timeout() - now.monotonic;
        process.wait(fetch, Duration::from_nanos(u64::try_from(left).unwrap_or(0)));
    }

    /// Background refresh: if no thread can be spawned, the fetch counts as failed.
    fn start_in_background(&self, process: &Arc<Process>, start: Option<Fetch>) {
        let (Some(fetcher), Some(fetch)) = (&self.fetcher, start) else { return };
        if let Err(error) = self.spawn(fetcher, process, fetch) {
            let why = format!("no thread could be started to fetch: {error}; raise this process's limit of threads");
            let request = self.cache.begin(fetch);
            self.cache.finish(process, &request, Err(Failure::new(LastErrorCode::Spawn, why)));
        }
    }

    fn spawn(&self, fetcher: &Arc<dyn Fetcher>, process: &Arc<Process>, fetch: Fetch) -> io::Result<()> {
        let (cache, fetcher, process) = (self.cache.clone(), fetcher.clone(), process.clone());
        spawn("pomerium-jwt-keys", move || run(&cache, &*fetcher, &process, fetch))
    }
}

/// One fetch, which finishes in every case.
fn run(cache: &Cache, fetcher: &dyn Fetcher, process: &Process, fetch: Fetch) {
    let request = cache.begin(fetch);
    let attempt = || fetcher.fetch(request.etag()).and_then(|fetched| cache.load(&request, fetched));
    let outcome = catch_unwind(AssertUnwindSafe(attempt))
        .unwrap_or_else(|_| Err(Failure::new(LastErrorCode::Body, "the fetch panicked: please report it")));
    cache.finish(process, &request, outcome);
}

#[cfg(test)]
#[path = "../tests/remote_waits.rs"]
mod waits;
