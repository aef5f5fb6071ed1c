//! The set in use, and the end of every fetch, by the core or its host.
//!
//! The set is one immutable snapshot; a token whose key is in a fresh set takes no lock. Callers do not pass the time:
//! the clock is read before the first look, which takes no lock, again once the lock is held, and when a request is made.

use std::{
    sync::{
        Arc, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;

use super::{
    age::{Age, Loaded},
    answer::{Failure, Fetched},
    key_set::{Found, KeySet, Trust},
    policy::{self, Fetch, Look, Moment, Step},
    process::{Process, Processes, Progress, random},
    report::{Report, seconds_to},
    request::KeyRequest,
    snapshot::{Snapshot, Wanted},
    state::{Health, KeyState, LastError, LastErrorCode, State},
    ttl::Limits,
};
use crate::{
    clock::{Clock, Now, SECOND},
    error::Error,
};

/// The address of a key set, and how its keys are kept.
pub(super) struct Settings {
    /// For messages and `status`.
    pub(super) source: String,
    pub(super) url: String,
    pub(super) trust: Trust,
    pub(super) limits: Limits,
}

/// The keys of one address.
pub(super) struct Cache {
    source: String,
    url: Arc<str>,
    trust: Trust,
    limits: Limits,
    clock: Arc<dyn Clock>,
    snapshot: ArcSwapOption<Snapshot>,
    processes: Processes,
    fetches: AtomicU64,
    successes: AtomicU64,
    failures: AtomicU64,
}

/// The set in use at one moment.
pub(super) struct View<'c> {
    snapshot: Option<Arc<Snapshot>>,
    pub(super) at: Moment<'c>,
}

impl View<'_> {
    pub(super) fn find(&self, wanted: Wanted<'_>) -> Option<Found> {
        self.snapshot.as_ref()?.find(wanted)
    }
}

impl Cache {
    /// `initial` is a set to start with, as if fetched one ttl ago. `beginning` is the state of the fetches in a process
    /// that has made none.
    pub(super) fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        initial: Option<KeySet>,
        beginning: policy::State,
    ) -> Self {
        let Settings { source, url, trust, limits } = settings;
        let now = clock.now();
        let snapshot = initial.map(|keys| {
            let usable = keys.is_usable();
            let ttl = limits.ttl(None, usable, random(now));
            let sent = Now { monotonic: now.monotonic - ttl, unix: now.unix - ttl / SECOND };
            let loaded = Loaded { sent, ttl, usable };
            Arc::new(Snapshot { keys: Arc::new(keys), loaded, etag: None, fetched: false })
        });
        Self {
            source,
            url: url.into(),
            trust,
            limits,
            clock,
            snapshot: ArcSwapOption::new(snapshot),
            processes: Processes::new(beginning),
            fetches: AtomicU64::new(0),
            successes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn url(&self) -> &Arc<str> {
        &self.url
    }

    /// The option `timeout`, in nanoseconds.
    pub(super) fn timeout(&self) -> i64 {
        self.limits.timeout
    }

    pub(super) fn process(&self) -> Arc<Process> {
        self.processes.current()
    }

    /// The key, if the set in use is fresh and has it. Takes no lock: this is the path of nearly every token.
    pub(super) fn find_fresh(&self, wanted: Wanted<'_>) -> Option<Found> {
        let snapshot = self.snapshot.load();
        let fresh = snapshot.as_ref().filter(|set| set.loaded.age(&self.limits, self.clock.now()) == Age::Fresh);
        fresh?.find(wanted)
    }

    /// The set in use, now. To be called with the lock held: then no fetch replaces the set in the meantime.
    fn view(&self) -> View<'_> {
        let snapshot = self.snapshot.load_full();
        let loaded = snapshot.as_ref().map(|snapshot| snapshot.loaded);
        let now = self.clock.now();
        View { snapshot, at: Moment { limits: &self.limits, loaded, now, draw: random(now) } }
    }

    /// Takes the lock. A fetch that is lost is found here.
    pub(super) fn enter<'p>(&self, process: &'p Process) -> (MutexGuard<'p, Progress>, View<'_>) {
        let mut progress = process.lock();
        let view = self.view();
        if progress.state.settle(&view.at).is_some() {
            self.failures.fetch_add(1, Ordering::Relaxed);
            let message = format!("{}: the fetch was given up because it did not end within timeout", self.source);
            let at = view.at.now.unix;
            progress.last_error = Some(Arc::new(LastError { code: LastErrorCode::Timeout, message, at }));
            process.wake_waiters();
        }
        (progress, view)
    }

    /// The state of the fetches, for an error.
    pub(super) fn report(&self, progress: &Progress, view: &View<'_>) -> Report<'_> {
        Report::new(&self.source, progress, &view.at)
    }

    /// The final answer, after the wait. Without a time of arrival the token has just arrived.
    pub(super) fn last(&self, wanted: Wanted<'_>, arrived: Option<i64>) -> Result<Found, Error> {
        let process = self.process();
        let kid = process.kid(wanted);
        let (progress, view) = self.enter(&process);
        let found = view.find(wanted);
        let look = Look { kid, known: found.is_some() };
        let step = progress.state.last(&view.at, look, arrived.unwrap_or(view.at.now.monotonic));
        let report = self.report(&progress, &view);
        drop(progress);
        answer(wanted, step, found, &view, &report)
    }

    /// The beginning of a fetch that the policy has started.
    pub(super) fn begin(&self, fetch: Fetch) -> KeyRequest {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        KeyRequest {
            url: self.url.clone(),
            timeout: Duration::from_nanos(self.limits.timeout.unsigned_abs()),
            sent: self.clock.now(),
            fetch,
            current: self.snapshot.load_full(),
        }
    }

    /// Reads the set that a fetch brought.
    pub(super) fn load(&self, request: &KeyRequest, fetched: Fetched) -> Result<Snapshot, Failure> {
        let current = request.current.as_ref();
        let (keys, etag, max_age) = match (fetched, current) {
            (Fetched::NotModified { max_age }, Some(current)) => (current.keys.clone(), current.etag.clone(), max_age),
            (Fetched::NotModified { .. }, None) => {
                let message = format!("{} answered 304 to a first request", self.source);
                return Err(Failure::new(LastErrorCode::Status, message));
            }
            (Fetched::Set { body, etag, max_age }, current) => {
                let previous = current.map(|snapshot| snapshot.keys.as_ref());
                let keys = KeySet::parse(&body, &self.trust, previous).map_err(|why| {
                    let fix = "is this the address of the key set, and not of a login page?";
                    Failure::new(LastErrorCode::Body, format!("{}: {why}; {fix}", self.source))
                })?;
                (Arc::new(keys), etag, max_age)
            }
        };
        let (sent, usable) = (request.sent, keys.is_usable());
        let loaded = Loaded { sent, ttl: self.limits.ttl(max_age, usable, random(self.clock.now())), usable };
        Ok(Snapshot { keys, loaded, etag, fetched: true })
    }

    /// The end of a fetch, good or bad: the set is replaced whole, or the last good one stays.
    ///
    /// A fetch that was lost has been counted as failed and another one may be running: its set is used if it is the
    /// newest there is; everything else about it is ignored.
    pub(super) fn finish(&self, process: &Process, request: &KeyRequest, outcome: Result<Snapshot, Failure>) {
        let (fetch, sent) = (request.fetch, request.sent);
        let mut progress = process.lock();
        let view = self.view();
        let now = view.at.now;
        let in_time = progress.state.running() == Some(fetch);
        let newest = view.at.loaded.is_none_or(|loaded| sent.monotonic > loaded.sent.monotonic);
        match outcome {
            Ok(snapshot) if in_time || newest => {
                self.replace(&mut progress, process, view.snapshot.as_deref(), snapshot);
                progress.last_error = progress.last_error.take().filter(|_| !in_time);
                self.successes.fetch_add(u64::from(in_time), Ordering::Relaxed);
                progress.state.succeeded(fetch);
            }
            Err(Failure { code, message }) if in_time => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                progress.state.failed(fetch, &view.at);
                progress.last_error = Some(Arc::new(LastError { code, message, at: now.unix }));
            }
            _ => return,
        }
        progress.fetch_seconds = Some((now.monotonic - sent.monotonic) as f64 / SECOND as f64);
        process.wake_waiters();
    }

    /// Puts a new set in place. The kids that it no longer has are withdrawn.
    fn replace(&self, progress: &mut Progress, process: &Process, before: Option<&Snapshot>, after: Snapshot) {
        if let Some(before) = before {
            let withdrawn = before.keys.names().filter(|name| !after.keys.names().any(|kept| kept == *name));
            withdrawn.for_each(|(kid, algorithm)| {
                progress.state.withdraw(process.kid(Wanted { kid: Some(kid), algorithm }));
            });
        }
        self.snapshot.store(Some(Arc::new(after)));
    }

    /// What `status` says.
    pub(super) fn state(&self) -> KeyState {
        let process = self.process();
        let (progress, View { snapshot, at }) = self.enter(&process);
        let in_seconds = |nanoseconds: i64| u64::try_from(nanoseconds / SECOND).unwrap_or(0);
        let age = at.loaded.map(|loaded| loaded.age(at.limits, at.now));
        let keys = snapshot.as_ref().map(|snapshot| &snapshot.keys);
        // of the set and not of the process: the child of a fork has its parent's set
        let fetched = snapshot.as_ref().filter(|snapshot| snapshot.fetched);
        KeyState {
            source: self.source.clone(),
            state: age.map_or(State::Empty, Age::state),
            age: at.loaded.map(|loaded| in_seconds(loaded.nanoseconds(at.now))),
            ttl: at.loaded.map(|loaded| in_seconds(loaded.ttl)),
            keys: keys.map(|keys| keys.status()).unwrap_or_default(),
            key_set: keys.and_then(|keys| keys.digest()),
            last_success: fetched.map(|snapshot| snapshot.loaded.sent.unix),
            last_error: progress.last_error.as_deref().cloned(),
            next_attempt: Some(seconds_to(progress.state.next_attempt(&at)).max(1)),
            fetches: self.fetches.load(Ordering::Relaxed),
            fetch_successes: self.successes.load(Ordering::Relaxed),
            fetch_failures: self.failures.load(Ordering::Relaxed),
            fetch_seconds: progress.fetch_seconds,
            health: Health {
                configured: true,
                asked: progress.state.last_asked().is_some() || fetched.is_some(),
                keys_loaded: at.in_use().is_some_and(|loaded| loaded.usable),
                stale: age == Some(Age::Old) && progress.last_error.is_some(),
            },
        }
    }
}

/// The key, or the error for a token without one.
pub(super) fn answer(
    wanted: Wanted<'_>,
    step: Step,
    found: Option<Found>,
    view: &View<'_>,
    report: &Report<'_>,
) -> Result<Found, Error> {
    let explain = |set: &Arc<Snapshot>| set.keys.explain(wanted.kid, wanted.algorithm);
    let in_use = view.snapshot.as_ref().filter(|_| view.at.in_use().is_some());
    match (step, found, in_use) {
        (Step::Use, Some(found), _) => Ok(found),
        (Step::NotFound, _, Some(set)) => Err(explain(set)),
        (Step::Empty, _, Some(set)) => Err(explain(set).after(report.retry_after())),
        (_, _, Some(set)) => Err(report.no_key_yet(explain(set).message())),
        (_, _, None) if view.snapshot.is_some() => Err(report.no_keys("the last good keys are too old")),
        (_, _, None) => Err(report.no_keys("no keys yet")),
    }
}
