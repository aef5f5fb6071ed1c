//! Keys that are fetched: carries out what `policy.rs` decides. All waiting, all threads and the fork stamp are here.
//!
//! The set in use is one immutable snapshot; a token whose key is in a fresh set takes no lock. Everything that can
//! block sits in one [`Flight`], stamped with its process: a child of `fork()` finds the stamp wrong and starts with a
//! fresh one, whatever state its parent's threads had left the locks in.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::{
    Algorithm, KeySet, Patience, Trust,
    policy::{Age, Decision, Limits, Loaded, Refresh, State, Step},
};
use crate::{
    clock::{Clock, Now, SECOND},
    error::{Code, Error},
    status::{KeyState, LastError, LastErrorCode},
};

/// Brings a key set. The one implementation is `http.rs`; tests have their own.
pub(crate) trait Fetcher: Send + Sync {
    /// One attempt, bounded by `timeout`. `etag` is that of the set in use.
    fn fetch(&self, etag: Option<&str>) -> Result<Fetched, Failure>;
}

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "fetch"), allow(dead_code, reason = "nothing fetches"))]
pub(crate) enum Fetched {
    Set { body: Vec<u8>, etag: Option<String>, max_age: Option<i64> },
    NotModified { max_age: Option<i64> },
}

/// Why a fetch brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: LastErrorCode,
    message: String,
}

impl Failure {
    pub(crate) fn new(code: LastErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Starts a short-lived thread. `thread::spawn` would panic where the system gives none.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

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
    flight: ArcSwap<Flight>,
    fetches: AtomicU64,
    failures: AtomicU64,
}

/// The set in use, with what the policy has to know of it.
struct Snapshot {
    keys: Arc<KeySet>,
    loaded: Loaded,
    etag: Option<String>,
}

/// Everything that can block, for one process.
struct Flight {
    process: u32,
    board: Mutex<Board>,
    landed: Condvar,
}

#[derive(Default)]
struct Board {
    state: State,
    /// How many fetches have ended.
    landings: u64,
    last_success: Option<i64>,
    last_error: Option<LastError>,
}

impl Flight {
    fn new() -> Self {
        Self { process: process::id(), board: Mutex::default(), landed: Condvar::new() }
    }

    /// Held for a few instructions at a time, never across anything that waits.
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
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
            let ttl = limits.ttl(None, keys.is_usable());
            let sent = Now { monotonic: now.monotonic - ttl, unix: now.unix - ttl / SECOND };
            Arc::new(Snapshot { keys: Arc::new(keys), loaded: Loaded { sent, ttl }, etag: None })
        });
        let shared = Shared {
            source,
            trust,
            limits,
            fetcher,
            clock,
            snapshot: ArcSwapOption::new(snapshot),
            flight: ArcSwap::from_pointee(Flight::new()),
            fetches: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn source(&self) -> &str {
        &self.shared.source
    }

    /// The set that holds the key for this `kid` and `alg`, or the reason why there is none.
    pub(crate) fn acquire(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Now,
        patience: Patience<'_>,
    ) -> Result<Arc<KeySet>, Error> {
        // no lock: this is the path of nearly every token
        if let Some(snapshot) = self.shared.snapshot.load().as_ref()
            && snapshot.loaded.age(&self.shared.limits, now) == Age::Fresh
            && snapshot.keys.choose(kid, algorithm).is_some()
        {
            return Ok(snapshot.keys.clone());
        }
        match patience {
            Patience::AtHand | Patience::Ticket(None) => self.shared.last(kid, algorithm, now, now.monotonic),
            Patience::Ticket(Some(ticket)) if *ticket != 0 => self.shared.last(kid, algorithm, now, *ticket),
            Patience::Ticket(Some(ticket)) => self.shared.first(kid, algorithm, now, Some(ticket)),
            Patience::Wait => self.shared.first(kid, algorithm, now, None),
        }
    }

    /// Joins a fetch or starts one where that is due.
    pub(crate) fn refresh(&self, force: bool) -> Result<(), Error> {
        let shared = &self.shared;
        let now = shared.clock.now();
        let flight = shared.flight();
        let mut board = flight.board();
        let before = board.landings;
        match board.state.refresh(&shared.limits, shared.loaded().as_ref(), now, force) {
            Refresh::Nothing => return Ok(()),
            Refresh::Join => drop(board),
            Refresh::Start => {
                board.state.take_off(now);
                drop(board);
                shared.fly_for_waiter(&flight);
            }
        }
        shared.wait(&flight, before);
        let board = flight.board();
        if board.landings == before {
            return Err(shared.unavailable(&board, shared.clock.now(), "the fetch is taking longer than timeout"));
        }
        match &board.last_error {
            None => Ok(()),
            Some(_) => Err(shared.unavailable(&board, shared.clock.now(), "the keys could not be fetched")),
        }
    }

    pub(crate) fn state(&self) -> KeyState {
        let shared = &self.shared;
        let now = shared.clock.now();
        let flight = shared.flight();
        let board = flight.board();
        let snapshot = shared.snapshot.load_full();
        let loaded = snapshot.as_ref().map(|snapshot| snapshot.loaded);
        let in_seconds = |nanoseconds: i64| u64::try_from(nanoseconds / SECOND).unwrap_or(0);
        KeyState {
            source: shared.source.clone(),
            state: loaded.map_or("empty", |loaded| loaded.age(&shared.limits, now).name()),
            age: loaded.map(|loaded| in_seconds(loaded.nanoseconds(now))),
            ttl: loaded.map(|loaded| in_seconds(loaded.ttl)),
            keys: snapshot.map(|snapshot| snapshot.keys.status()).unwrap_or_default(),
            last_success: board.last_success,
            last_error: board.last_error.clone(),
            next_attempt: Some(board.state.seconds_to_next_attempt(now)),
            fetches: shared.fetches.load(Ordering::Relaxed),
            fetch_failures: shared.failures.load(Ordering::Relaxed),
        }
    }
}

impl Shared {
    /// The snapshot in use, and whether it has the key.
    fn look(&self, kid: Option<&str>, algorithm: Algorithm) -> (Option<Arc<Snapshot>>, bool) {
        let snapshot = self.snapshot.load_full();
        let known = snapshot.as_ref().is_some_and(|snapshot| snapshot.keys.choose(kid, algorithm).is_some());
        (snapshot, known)
    }

    fn loaded(&self) -> Option<Loaded> {
        self.snapshot.load().as_ref().map(|snapshot| snapshot.loaded)
    }

    /// The flight of this process.
    fn flight(&self) -> Arc<Flight> {
        let flight = self.flight.load_full();
        if flight.process == process::id() {
            return flight;
        }
        self.flight.compare_and_swap(&flight, Arc::new(Flight::new()));
        self.flight.load_full()
    }

    fn first(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Now,
        ticket: Option<&mut i64>,
    ) -> Result<Arc<KeySet>, Error> {
        let flight = self.flight();
        let mut board = flight.board();
        let before = board.landings;
        // under the lock: a fetch that has landed has its set in place
        let (snapshot, known) = self.look(kid, algorithm);
        let loaded = snapshot.as_ref().map(|snapshot| snapshot.loaded);
        let Decision { step, start } = board.state.first(&self.limits, loaded.as_ref(), now, known);
        match (step, ticket) {
            (Step::Wait, Some(ticket)) => {
                if start {
                    board.state.want(now);
                }
                *ticket = now.monotonic.max(1);
                return Err(Error::new(
                    Code::KeysNeeded,
                    "the keys must be fetched: call refresh, then ask with the ticket",
                ));
            }
            (Step::Wait, None) => {
                let fly = start || board.state.flying_since().is_none();
                if fly {
                    board.state.take_off(now);
                }
                drop(board);
                if fly {
                    self.fly_for_waiter(&flight);
                }
                self.wait(&flight, before);
                return self.last(kid, algorithm, self.clock.now(), now.monotonic);
            }
            _ if start => {
                board.state.take_off(now);
                drop(board);
                self.fly_behind(&flight);
            }
            _ => drop(board),
        }
        match (step, snapshot) {
            (Step::Use, Some(snapshot)) => Ok(snapshot.keys.clone()),
            (_, snapshot) => Err(self.refuse(snapshot.as_deref(), Step::Unavailable, kid, algorithm, now)),
        }
    }

    fn last(&self, kid: Option<&str>, algorithm: Algorithm, now: Now, arrived: i64) -> Result<Arc<KeySet>, Error> {
        let (snapshot, known) = self.look(kid, algorithm);
        let loaded = snapshot.as_ref().map(|snapshot| snapshot.loaded);
        match (State::last(&self.limits, loaded.as_ref(), now, known, arrived), snapshot) {
            (Step::Use, Some(snapshot)) => Ok(snapshot.keys.clone()),
            (step, snapshot) => Err(self.refuse(snapshot.as_deref(), step, kid, algorithm, now)),
        }
    }

    /// The error for a token without a key.
    fn refuse(
        &self,
        snapshot: Option<&Snapshot>,
        step: Step,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Now,
    ) -> Error {
        let flight = self.flight();
        let board = flight.board();
        let in_use = snapshot.filter(|snapshot| snapshot.loaded.age(&self.limits, now) != Age::Expired);
        let Some(snapshot) = in_use else {
            let what = if snapshot.is_some() { "the last good keys are too old" } else { "no keys yet" };
            return self.unavailable(&board, now, what);
        };
        match snapshot.keys.find(kid, algorithm) {
            Err(error) if error.code() == Code::KeysEmpty => error.after(retry_after(&board, now)),
            Err(error) if step == Step::NotFound => error,
            Err(error) => self.unavailable(&board, now, error.message()),
            Ok(_) => self.unavailable(&board, now, "the keys arrived this moment"),
        }
    }

    fn unavailable(&self, board: &Board, now: Now, what: &str) -> Error {
        let why = match &board.last_error {
            Some(error) => format!("{what}; the last fetch: {}", error.message),
            None if board.state.flying_since().is_some() => {
                format!("{what}; the fetch from {} goes on, see timeout", self.source)
            }
            None => format!("{what}, from {}", self.source),
        };
        Error::new(Code::KeysUnavailable, why).after(retry_after(board, now))
    }

    /// Somebody waits: where no thread can be had, the caller fetches itself.
    fn fly_for_waiter(self: &Arc<Self>, flight: &Arc<Flight>) {
        if self.launch(flight).is_err() {
            self.fly(flight);
        }
    }

    /// Nobody waits: where no thread can be had, the refresh has failed.
    fn fly_behind(self: &Arc<Self>, flight: &Arc<Flight>) {
        if let Err(error) = self.launch(flight) {
            self.fetches.fetch_add(1, Ordering::Relaxed);
            let why = format!("no thread could be started to fetch: {error}; raise this process's limit of threads");
            self.land(flight, self.clock.now(), Err(Failure::new(LastErrorCode::Spawn, why)));
        }
    }

    fn launch(self: &Arc<Self>, flight: &Arc<Flight>) -> io::Result<()> {
        let (shared, own) = (self.clone(), flight.clone());
        spawn("pomerium-jwt-keys", move || shared.fly(&own))
    }

    /// One fetch. Whatever happens in it, it lands.
    fn fly(&self, flight: &Flight) {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let sent = self.clock.now();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.fetch(sent)))
            .unwrap_or_else(|_| Err(Failure::new(LastErrorCode::Body, "the fetch panicked: please report it")));
        self.land(flight, sent, outcome);
    }

    fn fetch(&self, sent: Now) -> Result<Snapshot, Failure> {
        let current = self.snapshot.load_full();
        let etag = current.as_ref().and_then(|snapshot| snapshot.etag.as_deref());
        match (self.fetcher.fetch(etag)?, current) {
            (Fetched::NotModified { max_age }, Some(current)) => {
                let ttl = self.limits.ttl(max_age, current.keys.is_usable());
                let etag = current.etag.clone();
                Ok(Snapshot { keys: current.keys.clone(), loaded: Loaded { sent, ttl }, etag })
            }
            (Fetched::NotModified { .. }, None) => {
                Err(Failure::new(LastErrorCode::Status, format!("{} answered 304 to a first request", self.source)))
            }
            (Fetched::Set { body, etag, max_age }, current) => {
                let previous = current.as_ref().map(|snapshot| snapshot.keys.as_ref());
                let keys = KeySet::parse(&body, &self.trust, previous).map_err(|why| {
                    let fix = "is this the address of the key set, and not of a login page?";
                    Failure::new(LastErrorCode::Body, format!("{}: {why}; {fix}", self.source))
                })?;
                let ttl = self.limits.ttl(max_age, keys.is_usable());
                Ok(Snapshot { keys: Arc::new(keys), loaded: Loaded { sent, ttl }, etag })
            }
        }
    }

    /// The end of a fetch, good or bad: the set is replaced whole, or the last good one stays.
    fn land(&self, flight: &Flight, sent: Now, outcome: Result<Snapshot, Failure>) {
        let now = self.clock.now();
        let mut board = flight.board();
        match outcome {
            Ok(snapshot) => {
                self.snapshot.store(Some(Arc::new(snapshot)));
                board.state.succeeded();
                board.last_success = Some(sent.unix);
                board.last_error = None;
            }
            Err(Failure { code, message }) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                board.state.failed(self.loaded().as_ref(), now, random());
                board.last_error = Some(LastError { code, message, at: now.unix });
            }
        }
        board.landings += 1;
        flight.landed.notify_all();
    }

    /// Until the flight lands, and at most `timeout` after its start.
    fn wait(&self, flight: &Flight, before: u64) {
        let board = flight.board();
        let Some(since) = board.state.flying_since() else { return };
        let left = since + self.limits.timeout - self.clock.now().monotonic;
        let left = Duration::from_nanos(u64::try_from(left).unwrap_or(0));
        let waited = flight.landed.wait_timeout_while(board, left, |board| board.landings == before);
        drop(waited);
    }
}

fn retry_after(board: &Board, now: Now) -> Duration {
    Duration::from_secs(board.state.seconds_to_next_attempt(now))
}

/// From 0 to 1, to spread the retries of many processes; nothing secret rests on it.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
