//! Keys that are fetched: carries out what `policy.rs` decides.
//!
//! The set in use is one immutable snapshot; a token whose key is in a fresh set takes no lock. All waiting is in
//! `progress.rs`. Callers do not pass the time: the clock is read before the first look, which takes no lock, again once
//! the lock is held, and when a request is sent.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;

pub(crate) use super::fetcher::{Failure, Fetched, Fetcher, spawn};
use super::{
    Algorithm, Found, KeySet, Patience, Ticket, Trust,
    age::{Age, Loaded},
    policy::{Caller, Decision, Fetch, Limits, Look, Moment, Refresh, Step},
    progress::{Process, Processes, Progress, random},
    report::{Report, seconds_to},
};
use crate::{
    clock::{Clock, Now, SECOND},
    error::{Error, ErrorCode},
    status::{Health, KeyState, LastError, LastErrorCode, State},
};

/// The keys of one address.
pub(crate) struct Remote {
    shared: Arc<Shared>,
}

struct Shared {
    source: String,
    trust: Trust,
    limits: Limits,
    fetcher: Box<dyn Fetcher>,
    clock: Arc<dyn Clock>,
    snapshot: ArcSwapOption<Snapshot>,
    processes: Processes,
    fetches: AtomicU64,
    successes: AtomicU64,
    failures: AtomicU64,
}

/// The set in use, with what the policy has to know about it.
struct Snapshot {
    keys: Arc<KeySet>,
    loaded: Loaded,
    etag: Option<String>,
    /// False for `jwks_initial`.
    fetched: bool,
}

/// The key that a token names.
#[derive(Clone, Copy)]
struct Wanted<'t> {
    kid: Option<&'t str>,
    algorithm: Algorithm,
}

/// The set in use at one moment.
struct View<'s> {
    snapshot: Option<Arc<Snapshot>>,
    at: Moment<'s>,
}

impl View<'_> {
    fn find(&self, wanted: Wanted<'_>) -> Option<Found> {
        Found::choose(&self.snapshot.as_ref()?.keys, wanted.kid, wanted.algorithm)
    }
}

impl Remote {
    /// `initial` is a set to start with, as if fetched one ttl ago.
    pub(crate) fn new(
        source: String,
        trust: Trust,
        limits: Limits,
        fetcher: Box<dyn Fetcher>,
        clock: Arc<dyn Clock>,
        initial: Option<KeySet>,
    ) -> Self {
        let now = clock.now();
        let snapshot = initial.map(|keys| {
            let usable = keys.is_usable();
            let ttl = limits.ttl(None, usable, random());
            let sent = Now { monotonic: now.monotonic - ttl, unix: now.unix - ttl / SECOND };
            Arc::new(Snapshot {
                keys: Arc::new(keys),
                loaded: Loaded { sent, ttl, usable },
                etag: None,
                fetched: false,
            })
        });
        let shared = Shared {
            source,
            trust,
            limits,
            fetcher,
            clock,
            snapshot: ArcSwapOption::new(snapshot),
            processes: Processes::new(),
            fetches: AtomicU64::new(0),
            successes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn source(&self) -> &str {
        &self.shared.source
    }

    /// The key for this `kid` and `alg`, or the reason why there is none.
    pub(crate) fn acquire(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        patience: Patience<'_>,
    ) -> Result<Found, Error> {
        let shared = &self.shared;
        // no lock: this is the path of nearly every token
        if let Some(snapshot) = shared.snapshot.load().as_ref()
            && snapshot.loaded.age(&shared.limits, shared.clock.now()) == Age::Fresh
            && let Some(found) = Found::choose(&snapshot.keys, kid, algorithm)
        {
            return Ok(found);
        }
        let wanted = Wanted { kid, algorithm };
        match patience {
            Patience::AtHand | Patience::Ticket(None) => shared.last(wanted, None),
            Patience::Ticket(Some(ticket)) if ticket.is_final() => shared.last(wanted, Some(ticket.number())),
            Patience::Ticket(Some(ticket)) => shared.first(wanted, Some(ticket)),
            Patience::Wait => shared.first(wanted, None),
        }
    }

    /// Joins a fetch or starts one that is wanted or due.
    pub(crate) fn refresh(&self, force: bool) -> Result<(), Error> {
        let shared = &self.shared;
        let process = shared.processes.current();
        let (mut progress, view) = shared.enter(&process);
        let refresh = progress.state.refresh(&view.at, force);
        drop(progress);
        let fetch = match refresh {
            Refresh::Nothing => return Ok(()),
            Refresh::Join(fetch) => fetch,
            Refresh::Start(fetch) => {
                shared.fetch_for_waiter(&process, fetch);
                fetch
            }
        };
        shared.wait(&process, fetch, view.at.now);
        let (progress, view) = shared.enter(&process);
        let report = Report::new(&progress, &view.at);
        match progress.state.running() == Some(fetch) {
            true => Err(shared.unavailable(&report, "the fetch is taking longer than timeout")),
            false if report.last_error.is_none() => Ok(()),
            false => Err(shared.unavailable(&report, "the keys could not be fetched")),
        }
    }

    /// Starts a due fetch in the background if no usable key is loaded; never waits.
    pub(crate) fn look_after(&self) {
        let process = self.shared.processes.current();
        let (mut progress, view) = self.shared.enter(&process);
        let start = progress.state.look_after(&view.at);
        drop(progress);
        if let Some(fetch) = start {
            self.shared.fetch_in_background(&process, fetch);
        }
    }

    pub(crate) fn state(&self) -> KeyState {
        let shared = &self.shared;
        let process = shared.processes.current();
        let (progress, View { snapshot, at }) = shared.enter(&process);
        let in_seconds = |nanoseconds: i64| u64::try_from(nanoseconds / SECOND).unwrap_or(0);
        let age = at.loaded.map(|loaded| loaded.age(at.limits, at.now));
        let keys = snapshot.as_ref().map(|snapshot| &snapshot.keys);
        // of the set and not of the process: the child of a fork has its parent's set
        let fetched = snapshot.as_ref().filter(|snapshot| snapshot.fetched);
        KeyState {
            source: shared.source.clone(),
            state: age.map_or(State::Empty, Age::state),
            age: at.loaded.map(|loaded| in_seconds(loaded.nanoseconds(at.now))),
            ttl: at.loaded.map(|loaded| in_seconds(loaded.ttl)),
            keys: keys.map(|keys| keys.status()).unwrap_or_default(),
            key_set: keys.and_then(|keys| keys.digest()),
            last_success: fetched.map(|snapshot| snapshot.loaded.sent.unix),
            last_error: progress.last_error.as_deref().cloned(),
            next_attempt: Some(seconds_to(progress.state.next_attempt(&at)).max(1)),
            fetches: shared.fetches.load(Ordering::Relaxed),
            fetch_successes: shared.successes.load(Ordering::Relaxed),
            fetch_failures: shared.failures.load(Ordering::Relaxed),
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

impl Shared {
    /// The set in use, now. To be called with the lock held: then no fetch replaces the set in the meantime.
    fn view(&self) -> View<'_> {
        let snapshot = self.snapshot.load_full();
        let loaded = snapshot.as_ref().map(|snapshot| snapshot.loaded);
        View { snapshot, at: Moment { limits: &self.limits, loaded, now: self.clock.now(), draw: random() } }
    }

    /// Takes the lock. A fetch that is lost is found here.
    fn enter<'p>(&self, process: &'p Process) -> (MutexGuard<'p, Progress>, View<'_>) {
        let mut progress = process.lock();
        let view = self.view();
        if progress.state.settle(&view.at).is_some() {
            self.failures.fetch_add(1, Ordering::Relaxed);
            let message = format!("{}: the fetch was given up, it did not end within timeout", self.source);
            let at = view.at.now.unix;
            progress.last_error = Some(Arc::new(LastError { code: LastErrorCode::Timeout, message, at }));
            process.wake_waiters();
        }
        (progress, view)
    }

    fn first(self: &Arc<Self>, wanted: Wanted<'_>, ticket: Option<&mut Ticket>) -> Result<Found, Error> {
        let process = self.processes.current();
        let kid = process.kid(wanted.kid, wanted.algorithm);
        let (mut progress, view) = self.enter(&process);
        let found = view.find(wanted);
        let look = Look { kid, known: found.is_some() };
        let caller = if ticket.is_some() { Caller::TwoStep } else { Caller::Blocking };
        let Decision { step, start } = progress.state.first(&view.at, look, caller);
        let running = progress.state.running();
        let report = Report::new(&progress, &view.at);
        drop(progress);
        let arrived = view.at.now.monotonic.max(1);
        match (step, ticket, running) {
            (Step::Wait, Some(ticket), _) => {
                *ticket = Ticket::from_number(arrived);
                return Err(Error::new(ErrorCode::KeysNeeded, "the keys must be fetched first"));
            }
            (Step::Wait, None, Some(fetch)) => {
                if start.is_some() {
                    self.fetch_for_waiter(&process, fetch);
                }
                self.wait(&process, fetch, view.at.now);
                return self.last(wanted, Some(arrived));
            }
            _ => {}
        }
        if let Some(fetch) = start {
            self.fetch_in_background(&process, fetch);
        }
        self.answer(wanted, step, found, &view, &report)
    }

    /// The final answer, after the wait. Without a time of arrival the token has just arrived.
    fn last(&self, wanted: Wanted<'_>, arrived: Option<i64>) -> Result<Found, Error> {
        let process = self.processes.current();
        let kid = process.kid(wanted.kid, wanted.algorithm);
        let (progress, view) = self.enter(&process);
        let found = view.find(wanted);
        let look = Look { kid, known: found.is_some() };
        let step = progress.state.last(&view.at, look, arrived.unwrap_or(view.at.now.monotonic));
        let report = Report::new(&progress, &view.at);
        drop(progress);
        self.answer(wanted, step, found, &view, &report)
    }

    /// The key, or the error for a token without one.
    fn answer(
        &self,
        wanted: Wanted<'_>,
        step: Step,
        found: Option<Found>,
        view: &View<'_>,
        report: &Report,
    ) -> Result<Found, Error> {
        let in_use = view.snapshot.as_ref().filter(|_| view.at.in_use().is_some());
        match (step, found, in_use) {
            (Step::Use, Some(found), _) => Ok(found),
            (Step::NotFound, _, Some(set)) => Err(set.keys.explain(wanted.kid, wanted.algorithm)),
            (Step::Empty, _, Some(set)) => {
                Err(set.keys.explain(wanted.kid, wanted.algorithm).after(report.retry_after()))
            }
            (_, _, Some(set)) => {
                let why = set.keys.explain(wanted.kid, wanted.algorithm);
                let why = format!("{}; {}", why.message(), report.when_asked(&self.source));
                Err(Error::new(ErrorCode::KeysUnavailable, why).after(report.retry_after()))
            }
            (_, _, None) if view.snapshot.is_some() => Err(self.unavailable(report, "the last good keys are too old")),
            (_, _, None) => Err(self.unavailable(report, "no keys yet")),
        }
    }

    fn unavailable(&self, report: &Report, what: &str) -> Error {
        let source = &self.source;
        let why = match &report.last_error {
            Some(error) => format!("{what}; the last fetch: {}", error.message),
            None if report.running => format!("{what}; the fetch from {source} is still running, see timeout"),
            None => format!("{what}, from {source}"),
        };
        Error::new(ErrorCode::KeysUnavailable, why).after(report.retry_after())
    }

    /// For a caller that waits: if no thread can be spawned, the caller fetches itself.
    fn fetch_for_waiter(self: &Arc<Self>, process: &Arc<Process>, fetch: Fetch) {
        if self.launch(process, fetch).is_err() {
            self.run(process, fetch);
        }
    }

    /// Background refresh: if no thread can be spawned, the fetch counts as failed.
    fn fetch_in_background(self: &Arc<Self>, process: &Arc<Process>, fetch: Fetch) {
        if let Err(error) = self.launch(process, fetch) {
            self.fetches.fetch_add(1, Ordering::Relaxed);
            let why = format!("no thread could be started to fetch: {error}; raise this process's limit of threads");
            self.finish(process, fetch, self.clock.now(), Err(Failure::new(LastErrorCode::Spawn, why)));
        }
    }

    fn launch(self: &Arc<Self>, process: &Arc<Process>, fetch: Fetch) -> io::Result<()> {
        let (shared, own) = (self.clone(), process.clone());
        spawn("pomerium-jwt-keys", move || shared.run(&own, fetch))
    }

    /// One fetch. Whatever happens in it, it finishes.
    fn run(&self, process: &Process, fetch: Fetch) {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let sent = self.clock.now();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.fetch(sent)))
            .unwrap_or_else(|_| Err(Failure::new(LastErrorCode::Body, "the fetch panicked: please report it")));
        self.finish(process, fetch, sent, outcome);
    }

    fn fetch(&self, sent: Now) -> Result<Snapshot, Failure> {
        let current = self.snapshot.load_full();
        let etag = current.as_ref().and_then(|snapshot| snapshot.etag.as_deref());
        let (keys, etag, max_age) = match (self.fetcher.fetch(etag)?, current) {
            (Fetched::NotModified { max_age }, Some(current)) => (current.keys.clone(), current.etag.clone(), max_age),
            (Fetched::NotModified { .. }, None) => {
                let message = format!("{} answered 304 to a first request", self.source);
                return Err(Failure::new(LastErrorCode::Status, message));
            }
            (Fetched::Set { body, etag, max_age }, current) => {
                let previous = current.as_ref().map(|snapshot| snapshot.keys.as_ref());
                let keys = KeySet::parse(&body, &self.trust, previous).map_err(|why| {
                    let fix = "is this the address of the key set, and not of a login page?";
                    Failure::new(LastErrorCode::Body, format!("{}: {why}; {fix}", self.source))
                })?;
                (Arc::new(keys), etag, max_age)
            }
        };
        let usable = keys.is_usable();
        let loaded = Loaded { sent, ttl: self.limits.ttl(max_age, usable, random()), usable };
        Ok(Snapshot { keys, loaded, etag, fetched: true })
    }

    /// The end of a fetch, good or bad: the set is replaced whole, or the last good one stays.
    ///
    /// A fetch that was lost has been counted as failed and another one may be running: its set is used if it is the
    /// newest there is; everything else about it is ignored.
    fn finish(&self, process: &Process, fetch: Fetch, sent: Now, outcome: Result<Snapshot, Failure>) {
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
            withdrawn.for_each(|(name, algorithm)| progress.state.withdraw(process.kid(Some(name), algorithm)));
        }
        self.snapshot.store(Some(Arc::new(after)));
    }

    /// Waits until the fetch has ended, and at most `timeout` after its start.
    fn wait(&self, process: &Process, fetch: Fetch, now: Now) {
        let left = fetch.since + self.limits.timeout - now.monotonic;
        process.wait(fetch, Duration::from_nanos(u64::try_from(left).unwrap_or(0)));
    }
}

#[cfg(test)]
#[path = "../tests/remote_waits.rs"]
mod waits;
