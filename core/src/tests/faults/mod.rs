//! The faults of a key source, of the network and of the machine, each produced for real, each with the code, the
//! message and the time it has to end with.
//!
//! | | |
//! |---|---|
//! | `bodies` | answers and connections that are broken |
//! | `tls` | certificates, and where trust comes from |
//! | `addresses` | plain http away from loopback, `connect_to` |
//! | `proxies` | the environment's proxies |
//! | `machine` | threads, clocks, many verifiers, `status` |
//! | `forks` | a fork in the middle of a fetch |
//!
//! `tests/dial.rs` has the faults of name resolution, which a machine's own resolver cannot produce.

mod addresses;
mod bodies;
pub(crate) mod child;
mod forks;
mod machine;
mod proxies;
mod source;
mod tls;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pomerium_jwt_issuer::{Assertion, SigningKey};

use crate::{ErrorCode, LastErrorCode, Options, Status, Verifier, clock::TestClock, keys::Sender};
use source::{Peer, good_keys, key};

/// Longer than anything takes beyond the option `timeout`, so that only a hang is found.
const PATIENCE: Duration = Duration::from_secs(20);

/// The `timeout` of a fetch that has to use it up: 3 seconds, as the messages in the tables say.
const SHORT: Duration = Duration::from_secs(3);

/// How a fetch has to end.
enum Expected {
    Keys,
    /// `keys_empty`, and parts of its message.
    Empty(&'static [&'static str]),
    /// `keys_unavailable`, with this in `last_error`: the code, and parts of the message.
    Failure(LastErrorCode, &'static [&'static str]),
}

/// One fault.
struct Case {
    name: &'static str,
    options: Options,
    expected: Expected,
}

/// What a verifier made of a fault.
struct Outcome {
    code: Option<ErrorCode>,
    message: String,
    elapsed: Duration,
    status: Status,
    slowest_status: Duration,
}

/// The options of an application whose keys are at this address, with a `timeout` that no fetch needs on the busiest
/// machine, nor a resolver that has to try several servers. A fetch that has to use it up gets [`SHORT`].
fn options(jwks_url: String) -> Options {
    let mut options = Options::for_route("https://app.example.com");
    options.jwks_url = Some(jwks_url);
    options.timeout = Some(Duration::from_secs(60));
    options
}

fn assertion() -> Assertion {
    Assertion::new("app.example.com", 1_795_354_137)
        .user("alice", "alice@example.com", "Alice")
        .expires_at(4_000_000_000)
}

/// A token of the key that every good source publishes.
fn token() -> String {
    assertion().mint(key())
}

/// A token of a key that nobody has published.
fn foreign_token() -> String {
    assertion().mint(&SigningKey::generate())
}

/// Runs all cases at once, prints the table, and complains about all that are wrong.
fn judge(cases: Vec<Case>) {
    let judged: Vec<(String, Vec<String>)> = thread::scope(|scope| {
        let running: Vec<_> = cases.iter().map(|case| scope.spawn(|| case.judge())).collect();
        running.into_iter().map(|case| case.join().expect("a case does not panic")).collect()
    });
    let mut wrong = Vec::new();
    for (line, complaints) in judged {
        println!("{line}");
        wrong.extend(complaints);
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

impl Case {
    fn new(name: &'static str, mut options: Options, expected: Expected) -> Self {
        if matches!(expected, Expected::Failure(LastErrorCode::Timeout, _)) {
            options.timeout = Some(SHORT);
        }
        Self { name, options, expected }
    }

    /// The line of the table, and what is wrong. Twice: with no keys yet, and with keys to continue with.
    fn judge(&self) -> (String, Vec<String>) {
        let mut complaints = Vec::new();
        let mut complain = |what: String| complaints.push(format!("{}: {what}", self.name));

        let cold = observe(&self.options, &token());
        let error = cold.status.last_error.as_ref();
        self.compare(&cold, &mut complain);

        let mut options = self.options.clone();
        options.jwks_initial = Some(good_keys().into());
        let warm = observe(&options, &token());
        if warm.code.is_some() {
            complain(format!("a token with a known key was refused meanwhile: {}", warm.message));
        }
        let expected = if matches!(self.expected, Expected::Failure(..)) { "aging" } else { "fresh" };
        if warm.status.state.name() != expected {
            complain(format!("state is {} afterwards, not {expected}", warm.status.state.name()));
        }
        for outcome in [&cold, &warm] {
            let limit = self.options.timeout.unwrap_or_default() + PATIENCE;
            if outcome.elapsed > limit || outcome.slowest_status > PATIENCE / 4 {
                complain(format!("took {:?}, status {:?}", outcome.elapsed, outcome.slowest_status));
            }
        }
        let code = cold.code.map_or("ok", |code| code.name());
        let kind = error.map_or("-".to_owned(), |error| format!("{:?}", error.code).to_lowercase());
        let said = error.map_or(cold.message.as_str(), |error| error.message.as_str());
        let line = format!("{:<44} {code:<16} {kind:<8} {:>5.2} s  {said}", self.name, cold.elapsed.as_secs_f64());
        (line, complaints)
    }

    fn compare(&self, outcome: &Outcome, complain: &mut impl FnMut(String)) {
        let error = outcome.status.last_error.as_ref();
        let (code, kind, parts) = match self.expected {
            Expected::Keys => (None, None, [].as_slice()),
            Expected::Empty(parts) => (Some(ErrorCode::KeysEmpty), None, parts),
            Expected::Failure(kind, parts) => (Some(ErrorCode::KeysUnavailable), Some(kind), parts),
        };
        if outcome.code != code || error.map(|error| error.code) != kind {
            complain(format!("{:?} with {error:?}, expected {code:?} with {kind:?}", outcome.code));
        }
        let url = self.options.jwks_url.as_deref().unwrap_or_default();
        if kind.is_some() && !outcome.message.contains(url) {
            complain(format!("the caller is not told of {url}: {}", outcome.message));
        }
        let said = error.map_or(outcome.message.as_str(), |error| error.message.as_str());
        for part in parts {
            if !said.contains(part) {
                complain(format!("the message does not say `{part}`: {said}"));
            }
        }
    }
}

/// Verifies once, looks at `status` all the while, and waits for the fetch to end.
fn observe(options: &Options, token: &str) -> Outcome {
    let verifier = Verifier::new(options.clone()).expect("options");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| slowest_status(&verifier, &over));
        let start = Instant::now();
        let answer = verifier.verify(token);
        let elapsed = start.elapsed();
        let status = finished(&verifier);
        let foreign = verifier.verify(foreign_token());
        over.store(true, Ordering::SeqCst);
        assert!(foreign.is_err(), "a token of an unknown key was accepted");
        Outcome {
            code: answer.as_ref().err().map(|error| error.code()),
            message: answer.err().map(|error| error.message().to_owned()).unwrap_or_default(),
            elapsed,
            status,
            slowest_status: watch.join().expect("status"),
        }
    })
}

fn slowest_status(verifier: &Verifier, over: &AtomicBool) -> Duration {
    let mut slowest = Duration::ZERO;
    while !over.load(Ordering::SeqCst) {
        let start = Instant::now();
        let _ = verifier.status();
        slowest = slowest.max(start.elapsed());
        thread::sleep(Duration::from_millis(5));
    }
    slowest
}

/// Waits until the first fetch has ended.
fn finished(verifier: &Verifier) -> Status {
    until(verifier, "the fetch to end", |status| status.last_error.is_some() || status.last_success.is_some())
}

fn until(verifier: &Verifier, what: &str, happened: impl Fn(&Status) -> bool) -> Status {
    let start = Instant::now();
    loop {
        let status = verifier.status();
        if happened(&status) {
            return status;
        }
        assert!(start.elapsed() < PATIENCE * 4, "waited for {what}: {status:?}");
        thread::sleep(Duration::from_millis(1));
    }
}
