//! Fetches that take longer than they may: how long callers wait, and what becomes of the end.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Instant,
};

use pomerium_jwt_issuer::{SigningKey, key_set};

use super::*;
use crate::{
    algorithm::Algorithm,
    clock::{SECOND, SystemClock},
    keys::{answer::Fetched, key_set::Trust, ttl::Limits},
};

const TIMEOUT: Duration = Duration::from_secs(2);

/// Ends with a failure after so long, in spite of `timeout`.
struct Slow(Duration);

impl Fetcher for Slow {
    fn fetch(&self, _: Option<&str>) -> Result<Fetched, Failure> {
        thread::sleep(self.0);
        Err(Failure::new(LastErrorCode::Timeout, "slow"))
    }
}

fn remote(takes: Duration) -> Remote {
    let timeout = i64::try_from(TIMEOUT.as_nanos()).expect("short");
    let limits = Limits { cache_ttl: None, max_stale: 0, cooldown: SECOND, timeout };
    let trust = Trust { algorithms: vec![Algorithm::Es256], pins: None };
    Remote::new(settings(trust, limits), Some(Arc::new(Slow(takes))), Arc::new(SystemClock::new()), None)
}

fn settings(trust: Trust, limits: Limits) -> Settings {
    Settings { source: "a slow source".to_owned(), url: "https://keys.example.test/".to_owned(), trust, limits }
}

fn wanted(kid: Option<&str>) -> Wanted<'_> {
    Wanted { kid, algorithm: Algorithm::Es256 }
}

fn wait(remote: &Remote) -> Error {
    remote.acquire(wanted(None), Patience::Wait).expect_err("no keys")
}

#[test]
fn a_wait_ends_timeout_after_the_start_of_the_fetch_and_not_after_its_own() {
    let remote = remote(3 * TIMEOUT);
    let start = Instant::now();
    thread::scope(|scope| {
        let first = scope.spawn(|| wait(&remote));
        thread::sleep(TIMEOUT / 2);
        let second = wait(&remote);
        let refreshed = remote.refresh(false).expect_err("still running");
        let waited = start.elapsed();
        assert!((TIMEOUT..2 * TIMEOUT).contains(&waited), "both waits ended after {waited:?}");
        for error in [first.join().expect("no panic"), second, refreshed] {
            assert_eq!(error.code(), ErrorCode::KeysUnavailable);
            assert!(error.message().contains("still running; see timeout"), "{error}");
        }
    });
    assert_eq!(remote.state().fetches, 1);
}

#[test]
fn a_wait_ends_with_its_fetch() {
    let remote = remote(TIMEOUT / 5);
    let start = Instant::now();
    let error = wait(&remote);
    assert!(error.message().contains("slow"), "{error}");
    assert!(start.elapsed() < TIMEOUT * 4 / 5, "{:?}", start.elapsed());
}

/// A clock that is put forward by hand.
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Now {
        let seconds = i64::try_from(self.0.load(Ordering::SeqCst)).expect("a test");
        Now { monotonic: seconds * SECOND, unix: seconds }
    }
}

/// The first fetch ends when it is told to, with one key; the others bring another key at once.
struct Late {
    fetches: AtomicU64,
    end: Mutex<mpsc::Receiver<()>>,
    at: mpsc::SyncSender<&'static str>,
    sets: [String; 2],
}

impl Fetcher for Late {
    fn fetch(&self, _: Option<&str>) -> Result<Fetched, Failure> {
        let first = self.fetches.fetch_add(1, Ordering::SeqCst) == 0;
        if first {
            let _ = self.at.send("the beginning");
            let _ = self.end.lock().expect("no panic").recv();
            let _ = self.at.send("the end");
        }
        let body = self.sets[usize::from(!first)].clone().into_bytes();
        Ok(Fetched::Set { body, etag: None, max_age: None })
    }
}

/// Loses the first fetch, lets another one bring keys or not, then lets the first one end. Says which of the two keys
/// are there, before and after. `initial`: a third one is from the start.
fn late_end(initial: bool, another: bool) -> ([bool; 2], [bool; 2]) {
    let [first, second, third] = [1, 2, 3].map(|scalar| SigningKey::from_scalar(&[scalar; 32]).expect("below n"));
    let (end, told) = mpsc::channel();
    let (at, reached) = mpsc::sync_channel(0);
    let sets = [key_set([&first]), key_set([&second])];
    let late = Late { fetches: AtomicU64::new(0), end: Mutex::new(told), at, sets };
    let clock = Arc::new(Hand(AtomicU64::new(100)));
    let trust = Trust { algorithms: vec![Algorithm::Es256], pins: None };
    let limits = Limits { cache_ttl: None, max_stale: 0, cooldown: SECOND, timeout: SECOND };
    let older = key_set([&third]).into_bytes();
    let older = initial.then(|| KeySet::parse(&older, &trust, None).expect("a key set"));
    let remote = Remote::new(settings(trust, limits), Some(Arc::new(late)), clock.clone(), older);
    let kids = [first.thumbprint(), second.thumbprint()];
    let has = |patience: fn() -> Patience<'static>| {
        [0, 1].map(|key| remote.acquire(wanted(Some(&kids[key])), patience()).is_ok())
    };
    if initial {
        let found = remote.acquire(wanted(Some(&third.thumbprint())), Patience::Wait);
        assert!(found.is_ok(), "the set to start with is used at once, and refreshed");
    } else {
        remote.look_after();
    }
    assert_eq!(reached.recv(), Ok("the beginning"));
    clock.0.fetch_add(10, Ordering::SeqCst);
    assert_eq!(remote.state().fetch_failures, 1, "the first fetch is lost");
    if another {
        remote.refresh(false).expect("the second fetch");
    }
    let before = has(|| Patience::AtHand);
    end.send(()).expect("the first fetch is running");
    assert_eq!(reached.recv(), Ok("the end"));
    let start = Instant::now();
    while !another && remote.state().last_success.is_none() && start.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(Duration::from_millis(100)); // what must not happen would have happened
    assert_eq!((remote.state().fetch_failures, remote.state().fetches), (1, 1 + u64::from(another)));
    (before, has(|| Patience::AtHand))
}

#[test]
fn a_lost_fetch_that_ends_late_never_replaces_a_newer_set() {
    assert_eq!(late_end(false, true), ([false, true], [false, true]));
}

#[test]
fn a_lost_fetch_that_ends_late_is_better_than_nothing_and_than_an_older_set() {
    for initial in [false, true] {
        assert_eq!(late_end(initial, false), ([false, false], [true, false]), "an older set: {initial}");
    }
}
