//! The five scenarios of `conformance/scenarios.md`, followed step by step with the Rust verifier.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pomerium_jwt::{Error, ErrorCode, Identity, Verifier};
use serde_json::Value;

use crate::{issuer::Issuer, shell::Shell};

type Scenario = (&'static str, fn(&Issuer));

#[test]
fn the_five_scenarios() {
    let scenarios: [Scenario; 5] = [
        ("1. cold start under concurrency", cold_start),
        ("2. rotation under load", rotation),
        ("3. a withdrawn key", withdrawn_key),
        ("4. the key server hangs", hanging_server),
        ("5. an outage shorter than max_stale", outage),
    ];
    // They sleep nearly all of the time: all at once
    thread::scope(|scope| {
        let running = scenarios.map(|(name, run)| {
            let issuer = Issuer::start(&Shell::new(), "");
            let thread = thread::Builder::new().name(name.to_owned());
            thread.spawn_scoped(scope, move || run(&issuer)).expect("a thread")
        });
        let failed = running.into_iter().map(|thread| thread.join()).filter(Result::is_err).count();
        assert_eq!(failed, 0, "scenarios failed: see above");
    });
}

fn cold_start(issuer: &Issuer) {
    let token = new_token(issuer);
    let verifier = new_verifier(issuer, 60);
    assert_eq!(fetches(issuer), 0, "construction touches no network");
    let barrier = Barrier::new(16);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                accept(&verifier, &token);
            });
        }
    });
    assert_eq!(fetches(issuer), 1);
}

fn rotation(issuer: &Issuer) {
    let verifier = new_verifier(issuer, 1);
    let stop = AtomicBool::new(false);
    // How many tokens one caller verified, and under which headers (that is, kids)
    let load = || {
        let (mut verified, mut headers) = (0, Vec::new());
        while !stop.load(Ordering::Relaxed) {
            let token = new_token(issuer);
            accept(&verifier, &token);
            verified += 1;
            headers.extend(token.split('.').next().map(str::to_owned));
            headers.dedup();
            thread::sleep(seconds(0.02));
        }
        (verified, headers.len())
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
        thread::sleep(seconds(1.0));
        for step in ["append", "swap", "drop"] {
            issuer.request(&format!("POST /rotate?step={step}"));
            thread::sleep(seconds(2.0));
        }
        stop.store(true, Ordering::Relaxed);
        for caller in callers {
            let (verified, kids) = caller.join().expect("nothing refused");
            assert!(verified >= 20 && kids == 2, "{verified} tokens under {kids} kids");
        }
    });
    for _ in 0..2 {
        thread::sleep(seconds(2.0));
        issuer.request("POST /rotate");
        accept(&verifier, &new_token(issuer));
    }
}

fn withdrawn_key(issuer: &Issuer) {
    issuer.request("POST /rotate?step=append");
    let token = new_token(issuer);
    let (busy, idle) = (new_verifier(issuer, 2), new_verifier(issuer, 2));
    accept(&busy, &token);
    accept(&idle, &token);
    issuer.request("POST /withdraw");
    let withdrawn = Instant::now();

    thread::scope(|scope| {
        scope.spawn(|| {
            sleep_until(withdrawn + seconds(4.1));
            assert_eq!(call(&idle, &token).code(), Some(ErrorCode::KeyNotFound));
        });
        let calls = steadily(&busy, &token, withdrawn + seconds(6.0));
        let died = calls.iter().all(|call| !call.accepted() || call.began < withdrawn + seconds(4.0));
        assert!(died, "accepted later than 2 ttl after it was withdrawn");
        let first_refusal = calls.iter().position(|call| !call.accepted()).expect("a refusal");
        let codes: Vec<Option<ErrorCode>> = calls[first_refusal..].iter().map(Call::code).collect();
        assert!(codes.iter().all(|code| *code == Some(ErrorCode::KeyNotFound)), "{codes:?}");
    });

    let token = new_token(issuer);
    assert_eq!(call(&busy, &token).code(), Some(ErrorCode::KeyNotFound));
    assert_eq!(call(&idle, &token).code(), Some(ErrorCode::KeyNotFound));
    thread::sleep(seconds(2.0));
    issuer.request("POST /rotate");
    let token = new_token(issuer);
    accept(&busy, &token);
    accept(&idle, &token);
}

fn hanging_server(issuer: &Issuer) {
    let token = new_token(issuer);
    let (busy, idle) = (new_verifier(issuer, 5), new_verifier(issuer, 5));
    accept(&busy, &token);
    accept(&idle, &token);
    issuer.request("POST /fault?kind=hang");
    let before = fetches(issuer);
    for call in steadily(&busy, &token, Instant::now() + seconds(11.0)) {
        assert!(call.accepted(), "{:?}", call.result);
        assert!(call.took < seconds(1.0), "a call waited for {:?}", call.took);
    }
    assert!(fetches(issuer) >= before + 2, "it has tried");

    let (first, second) = (call(&idle, &token), call(&idle, &token));
    assert!(first.accepted() && second.accepted(), "{:?} {:?}", first.result, second.result);
    assert!((seconds(1.0)..seconds(4.0)).contains(&first.took), "the first took {:?}", first.took);
    assert!(second.took < seconds(1.0), "the second took {:?}", second.took);

    issuer.request("POST /fault?kind=none");
    assert!(until_fresh(&busy, &token).iter().all(Call::accepted));
}

fn outage(issuer: &Issuer) {
    let token = new_token(issuer);
    let (busy, idle) = (new_verifier(issuer, 2), new_verifier(issuer, 2));
    accept(&busy, &token);
    accept(&idle, &token);
    issuer.request("POST /fault?kind=reset");
    for call in steadily(&busy, &token, Instant::now() + seconds(7.0)) {
        assert!(call.accepted(), "{:?}", call.result);
    }
    accept(&idle, &token);
    assert!(busy.status().last_error.is_some() && idle.status().last_error.is_some());

    issuer.request("POST /rotate");
    issuer.request("POST /fault?kind=none");
    until_fresh(&busy, &token);
    thread::sleep(seconds(1.0));
    accept(&busy, &new_token(issuer));
}

fn new_token(issuer: &Issuer) -> String {
    issuer.request("GET /mint?sub=alice")
}

fn fetches(issuer: &Issuer) -> u64 {
    let stats: Value = serde_json::from_str(&issuer.request("GET /stats")).expect("JSON");
    stats["fetches"].as_u64().expect("a number")
}

fn new_verifier(issuer: &Issuer, cache_ttl: u64) -> Verifier {
    let url = &issuer.url;
    let options =
        format!(r#"{{"route":"{url}","cache_ttl":{cache_ttl},"timeout":2,"refetch_cooldown":1,"max_stale":60}}"#);
    Verifier::from_json(options).expect("options")
}

/// One call of `verify`.
struct Call {
    began: Instant,
    took: Duration,
    result: Result<Identity, Error>,
}

impl Call {
    fn accepted(&self) -> bool {
        self.result.as_ref().is_ok_and(|identity| identity.subject == "alice")
    }

    fn code(&self) -> Option<ErrorCode> {
        self.result.as_ref().err().map(Error::code)
    }
}

fn call(verifier: &Verifier, token: &str) -> Call {
    let began = Instant::now();
    let result = verifier.verify(token);
    Call { began, took: began.elapsed(), result }
}

fn accept(verifier: &Verifier, token: &str) {
    let call = call(verifier, token);
    assert!(call.accepted(), "{:?}", call.result);
}

/// One call every 0.05 seconds until then.
fn steadily(verifier: &Verifier, token: &str, until: Instant) -> Vec<Call> {
    let mut calls = Vec::new();
    while Instant::now() < until {
        calls.push(call(verifier, token));
        thread::sleep(seconds(0.05));
    }
    calls
}

/// Calls steadily until the keys are fresh.
fn until_fresh(verifier: &Verifier, token: &str) -> Vec<Call> {
    let end = Instant::now() + seconds(10.0);
    let mut calls = Vec::new();
    while verifier.status().state.name() != "fresh" {
        assert!(Instant::now() < end, "not fresh within 10 seconds: {:?}", verifier.status());
        calls.extend(steadily(verifier, token, Instant::now() + seconds(0.05)));
    }
    calls
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn sleep_until(instant: Instant) {
    thread::sleep(instant.saturating_duration_since(Instant::now()));
}
