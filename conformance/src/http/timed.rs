//! What takes time, over 32 connections: keys that cannot be loaded, a rotation, withdrawn keys (`scenarios.md`).
//!
//! The application is started once, with an issuer of its own, and each case continues from the one before it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pomerium_jwt_issuer::{Fault, Rotation, Server, ServerOptions, Withdrawal};
use serde_json::json;

use super::{
    case::{Case, Exchange, Expect, Feature, Running, get, script},
    expect,
    starts::Start,
    wire::{Answer, Connection},
};

const CONNECTIONS: usize = 32;
/// Of the scenario, in seconds.
const TTL: u64 = 1;

pub(crate) fn start() -> Result<Start, String> {
    let issuer = Server::start(ServerOptions::default()).map_err(|why| format!("the issuer: {why}"))?;
    issuer.fault(Fault::Hang);
    let environment = vec![
        ("POMERIUM_JWT_ROUTE", issuer.url().to_owned()),
        ("POMERIUM_JWT_CACHE_TTL", TTL.to_string()),
        ("POMERIUM_JWT_TIMEOUT", "2".to_owned()),
        ("POMERIUM_JWT_REFETCH_COOLDOWN", "1".to_owned()),
        ("POMERIUM_JWT_MAX_STALE", "60".to_owned()),
        ("POMERIUM_JWT_EXEMPT_PATHS", "/health".to_owned()),
        ("REWRITE", "/moved=/health".to_owned()),
    ];
    Ok(Start { name: "timed", environment, cases: cases(&Arc::new(issuer)), refused: None, timed: true })
}

fn cases(issuer: &Arc<Server>) -> Vec<Case> {
    let with = |id: &str, check: fn(&Running<'_>, &Server) -> Result<(), String>| {
        let issuer = issuer.clone();
        script(id, move |running| check(running, &issuer))
    };
    vec![
        with("keys-unavailable-holds-up-nobody-else", exempt_meanwhile),
        with("keys-unavailable", unavailable),
        get("rewritten-to-an-exempt-path", "/moved").needs(Feature::Rewrite).refused("token_missing"),
        with("keys-come-back", come_back),
        with("rotation", rotation),
        with("rotation-at-once", rotation_at_once),
        with("keys-empty", empty),
    ]
}

/// Alice's request, with a token of this moment.
fn alice(issuer: &Server) -> Exchange {
    let token = issuer.mint(&issuer.assertion().user("alice", "alice@example.com", "Alice"));
    Exchange(get("", "/reports").token(token), Expect::Json(json!({"reached": true, "subject": "alice"})))
}

/// The issuer hangs and requests wait for it. What needs no keys is answered meanwhile. A loaded machine can be late once;
/// an application that makes it wait does so every time.
fn exempt_meanwhile(running: &Running<'_>, issuer: &Server) -> Result<(), String> {
    for _ in 0..3 {
        if exempt_while_others_wait(running, issuer).is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_secs(2 * TTL)); // then the next request waits again
    }
    exempt_while_others_wait(running, issuer)
}

fn exempt_while_others_wait(running: &Running<'_>, issuer: &Server) -> Result<(), String> {
    let refused = Exchange(alice(issuer).0, Expect::Refused("keys_unavailable"));
    // What a server loads for its first request is not measured
    running.expect(&Exchange(get("", "/"), Expect::Refused("token_missing")))?;
    let waited = AtomicBool::new(false);
    let wait = || {
        let begin = Instant::now();
        running.expect(&refused)?;
        waited.fetch_or(begin.elapsed() > Duration::from_secs(1), Ordering::Relaxed);
        Ok::<_, String>(())
    };
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..CONNECTIONS / 4).map(|_| scope.spawn(wait)).collect();
        thread::sleep(Duration::from_millis(300));
        let begin = Instant::now();
        let answered = running.expect(&Exchange(get("", "/health"), Expect::Health));
        let took = begin.elapsed();
        waiting.into_iter().try_for_each(|thread| thread.join().expect("a connection does not panic"))?;
        answered?;
        // The others wait for `timeout`, which is 2 s
        match (waited.load(Ordering::Relaxed), took < Duration::from_millis(1500)) {
            (true, true) => Ok(()),
            (false, _) => Err("no request has waited for the keys".to_owned()),
            (true, false) => Err(format!("/health took {took:?} while others waited")),
        }
    })
}

/// All of 32 requests are told when to come again, and none waits for another.
fn unavailable(running: &Running<'_>, issuer: &Server) -> Result<(), String> {
    let refused = Exchange(alice(issuer).0, Expect::Refused("keys_unavailable"));
    let begin = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(|| running.expect(&refused))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a connection does not panic"))
    })?;
    // One timeout is 2 s; 32 one after the other would take a minute
    match begin.elapsed() {
        took if took > Duration::from_secs(20) => Err(format!("32 refusals took {} s", took.as_secs())),
        _ => Ok(()),
    }
}

/// The issuer answers again: good requests are let in as soon as the next attempt is due.
fn come_back(running: &Running<'_>, issuer: &Server) -> Result<(), String> {
    issuer.fault(Fault::None);
    let alice = alice(issuer);
    // In every process that the server has: so many in a row meet each of them
    let begin = Instant::now();
    let mut in_a_row = 0;
    while in_a_row < CONNECTIONS {
        eventually(running, &alice, &["keys_unavailable"], Duration::from_secs(15))?;
        in_a_row = if running.expect(&alice).is_ok() { in_a_row + 1 } else { 0 };
        if begin.elapsed() > Duration::from_secs(20) {
            return Err("some are still refused".to_owned());
        }
    }
    Ok(())
}

/// The documented steps, while 32 connections ask: nobody is refused.
fn rotation(running: &Running<'_>, issuer: &Server) -> Result<(), String> {
    let (over, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let ask = || steadily(running, issuer, &over, &asked);
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(ask)).collect();
        let mut rotated = Ok(());
        for (step, seconds) in [(Rotation::Append, 2 * TTL), (Rotation::Swap, 2 * TTL), (Rotation::Drop, TTL)] {
            rotated = rotated.and(issuer.rotate(step));
            thread::sleep(Duration::from_millis(seconds * 1_000 + 100));
        }
        over.store(true, Ordering::Relaxed);
        let outcome = threads.into_iter().try_for_each(|thread| thread.join().expect("a connection does not panic"));
        outcome.and(rotated.map_err(str::to_owned))
    })?;
    match asked.load(Ordering::Relaxed) {
        count if count >= CONNECTIONS * 2 => Ok(()),
        count => Err(format!("only {count} requests in all this time")),
    }
}

/// One connection, a new token each time, until it is over.
fn steadily(running: &Running<'_>, issuer: &Server, over: &AtomicBool, asked: &AtomicUsize) -> Result<(), String> {
    let mut connection = running.open()?;
    while !over.load(Ordering::Relaxed) {
        let begin = Instant::now();
        let Exchange(request, expect) = alice(issuer);
        connection.send(&request.bytes());
        match connection.answer(false)? {
            // The server has closed it after the last answer, as it may
            Answer::Closed => connection = Connection::open(running.address)?,
            // On a busy machine a request may wait until its key is gone
            answer
                if begin.elapsed() > Duration::from_secs(TTL)
                    && expect::compare(&answer, &Expect::Refused("key_not_found"), false).is_ok() => {}
            answer => {
                expect::compare(&answer, &expect, false)?;
                asked.fetch_add(1, Ordering::Relaxed);
            }
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// A new key without the steps: the first request under it is let in, and the old key dies within 2 ttl.
fn rotation_at_once(running: &Running<'_>, issuer: &Server) -> Result<(), String> {
    // One and a half times the cooldown: a late token of the case before may have used it up
    thread::sleep(Duration::from_millis(1_500));
    let old = alice(issuer).0;
    issuer.rotate(Rotation::AtOnce)?;
    let begin = Instant::now();
    running.expect(&alice(issuer))?;
    // Another process of the server may not have fetched yet
    let refused = Exchange(old, Expect::Refused("key_not_found"));
    while let Err(why) = running.expect(&refused) {
        if begin.elapsed() > Duration::from_millis(2 * TTL * 1_000 + 2_500) {
            return Err(format!("the old key, 2 ttl after it was withdrawn: {why}"));
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// A key set without a key: 503, since that is Pomerium's fault and not the token's.
fn empty(running: &Running<'_>, issuer: &Server) -> Result<(), String> {
    let alice = alice(issuer);
    running.expect(&alice)?;
    issuer.withdraw(Withdrawal::All);
    let refused = Exchange(alice.0, Expect::Refused("keys_empty"));
    let begin = Instant::now();
    loop {
        match running.expect(&refused) {
            Ok(()) => return Ok(()),
            Err(_) if begin.elapsed() < Duration::from_secs(2 * TTL + 5) => thread::sleep(Duration::from_millis(100)),
            Err(why) => return Err(why),
        }
    }
}

/// The answer comes within this time; until then there are only these refusals.
fn eventually(
    running: &Running<'_>,
    exchange: &Exchange,
    until: &[&'static str],
    time: Duration,
) -> Result<(), String> {
    let begin = Instant::now();
    loop {
        let answer = running.ask(&exchange.0)?;
        let Err(why) = expect::compare(&answer, &exchange.1, false) else { return Ok(()) };
        let waiting = until.iter().any(|code| expect::compare(&answer, &Expect::Refused(code), false).is_ok());
        if !waiting || begin.elapsed() > time {
            return Err(why);
        }
        thread::sleep(Duration::from_millis(100));
    }
}
