//! What the key store promises to an application, on real sockets, whether the library fetches the keys or its host
//! does. The clock is ours, so ages need no waiting.

mod app;
mod host;
mod recovery;
mod requests;
mod status;

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pomerium_jwt_issuer::{Assertion, Fault, Rotation, Server, ServerOptions, SigningKey, Withdrawal, key_set};

use crate::{Error, ErrorCode, Identity, Options, Status, Ticket, Verifier, clock::TestClock};
use app::{App, Way};

/// The longest that is drawn from a `cache_ttl` of 60, and the shortest.
const TTL: i64 = 60;
const SHORTEST_TTL: i64 = 42;
const MAX_STALE: i64 = 1000;
const COOLDOWN: i64 = 10;
/// Longer than anything takes, so that only a hang is found.
const PATIENCE: Duration = Duration::from_secs(20);

/// The `timeout` of a fetch that has to use it up.
const SHORT: Duration = Duration::from_secs(3);

/// Each of these tests runs both ways.
macro_rules! both_ways {
    ($($test:ident)*) => {
        mod by_the_library {
            $(#[test] fn $test() { super::$test(super::Way::ByTheLibrary); })*
        }
        mod by_the_host {
            $(#[test] fn $test() { super::$test(super::Way::ByTheHost); })*
        }
    };
}
use both_ways;

both_ways! {
    sixty_four_threads_starting_cold_cause_one_fetch
    a_rotation_by_the_documented_steps_refuses_nothing_under_load
    a_new_key_without_the_append_step_costs_one_fetch_and_the_next_one_a_pause
    a_withdrawn_key_dies_within_two_ttl
    an_outage_shorter_than_max_stale_refuses_nothing_and_a_longer_one_says_why
    a_source_that_hangs_costs_an_idle_application_one_wait_and_a_busy_one_none
    a_flood_of_unknown_kids_causes_few_fetches_and_delays_no_known_key
    an_unchanged_set_is_confirmed_by_its_etag
    a_caller_that_cannot_wait_gets_a_ticket
    refresh_reports_and_forces
    verify_at_uses_the_keys_at_hand
    a_set_to_start_with_answers_at_once_and_is_refreshed_in_the_background
    an_empty_set_is_explained_and_asked_for_again_soon
    a_forked_child_verifies_and_refreshes_at_rest_and_while_a_fetch_hangs
}

fn sixty_four_threads_starting_cold_cause_one_fetch(way: Way) {
    let app = App::new(way);
    let token = app.token();
    let gate = Barrier::new(64);
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                gate.wait();
                assert_eq!(app.code(&token), None);
            });
        }
    });
    assert_eq!(app.server.fetches(), 1);
    let status = app.status();
    assert_eq!((status.state.name(), status.fetches, status.fetch_failures), ("fresh", 1, 0));
    assert_eq!((status.counts["ok"], status.counts.values().sum::<u64>()), (64, 64), "{:?}", status.counts);
}

fn a_rotation_by_the_documented_steps_refuses_nothing_under_load(way: Way) {
    let app = App::new(way);
    assert_eq!(app.code(&app.token()), None);
    let running = AtomicBool::new(true);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while running.load(Ordering::Relaxed) {
                    assert_eq!(app.code(&app.token()), None, "{:?}", app.status());
                }
            });
        }
        for step in [Rotation::Append, Rotation::Swap, Rotation::Drop] {
            app.server.rotate(step).expect("rotation");
            let fetches = app.server.fetches();
            app.pass(TTL);
            app.until("the background refresh", |status| status.fetches > fetches && status.state.name() == "fresh");
        }
        running.store(false, Ordering::Relaxed);
    });
    let counts = app.status().counts;
    assert_eq!(counts["ok"], counts.values().sum::<u64>(), "{counts:?}");
}

fn a_new_key_without_the_append_step_costs_one_fetch_and_the_next_one_a_pause(way: Way) {
    let app = App::new(way);
    assert_eq!(app.code(&app.token()), None);
    app.server.rotate(Rotation::AtOnce).expect("rotation");
    assert_eq!(app.code(&app.token()), None, "an unknown kid is fetched for at once");
    app.server.rotate(Rotation::AtOnce).expect("rotation");
    let error = app.verify(&app.token()).expect_err("in the pause of 1 to 1.5 s");
    assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{error}");
    let message = error.message();
    assert!(message.contains("was asked 0 s ago, asked again in ") && message.contains("the key set holds"), "{error}");
    assert!((1..=2).contains(&error.retry_after().expect("a fetched source").as_secs()), "{error:?}");
    app.pass(2);
    assert_eq!(app.code(&app.token()), None);
    assert_eq!(app.server.fetches(), 3);
}

fn a_withdrawn_key_dies_within_two_ttl(way: Way) {
    let busy = App::new(way);
    let token = busy.token();
    busy.refresh(false).expect("keys"); // the token's kid is never asked for in vain
    assert_eq!(busy.code(&token), None);
    busy.server.rotate(Rotation::AtOnce).expect("rotation");
    busy.pass(TTL);
    assert_eq!(busy.code(&token), None, "aging: used at once, a refresh runs in the background");
    busy.until("the background refresh", |status| status.fetches == 2 && status.state.name() == "fresh");
    assert_eq!(busy.code(&token), Some(ErrorCode::KeyNotFound), "an earlier set had it: at once");
    assert_eq!(busy.server.fetches(), 3, "and yet a fetch");
    assert_eq!(busy.code(&token), Some(ErrorCode::KeyNotFound));

    let idle = App::new(way);
    let token = idle.token();
    idle.refresh(false).expect("keys");
    assert_eq!(idle.code(&token), None);
    idle.server.withdraw(Withdrawal::Signing);
    idle.server.rotate(Rotation::AtOnce).expect("rotation");
    idle.pass(2 * TTL);
    assert_eq!(idle.code(&token), Some(ErrorCode::KeyNotFound), "old and idle: fetched before use");
}

fn an_outage_shorter_than_max_stale_refuses_nothing_and_a_longer_one_says_why(way: Way) {
    let app = App::new(way);
    let token = app.token();
    assert_eq!(app.code(&token), None);
    app.server.fault(Fault::InternalServerError);
    for failures in 1..=10 {
        app.pass((2 * SHORTEST_TTL + MAX_STALE - 20) / 10);
        assert_eq!(app.code(&token), None, "{:?}", app.status());
        app.until("the attempt to fail", |status| status.fetch_failures == failures);
    }
    app.pass(2 * (TTL - SHORTEST_TTL) + 40);
    let error = app.verify(&token).expect_err("expired");
    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
    assert!(error.message().contains("too old") && error.message().contains("500"), "{error}");
    app.server.fault(Fault::None);
    app.pass(5);
    assert_eq!(app.code(&token), None, "the source is back, and without keys no backoff is longer");
}

fn a_source_that_hangs_costs_an_idle_application_one_wait_and_a_busy_one_none(way: Way) {
    let app = App::impatient(way);
    let token = app.token();
    assert_eq!(app.code(&token), None);
    app.server.fault(Fault::Hang);
    app.pass(TTL);
    for _ in 0..3 {
        assert_eq!(app.code(&token), None);
    }
    assert!(app.status().last_error.is_none(), "aging: the answers came while the fetch was still hanging");
    app.until("the fetch to give up", |status| status.fetch_failures == 1);

    app.pass(2 * TTL);
    let (code, waited) = app.timed(&token);
    assert_eq!(code, None, "the last good keys answer");
    assert!(waited >= SHORT * 9 / 10, "an idle application's old set is fetched first: {waited:?}");
    app.until("the fetch to give up", |status| status.fetch_failures >= 2);
    let failures = app.status().fetch_failures;
    assert_eq!(app.code(&token), None);
    assert_eq!(app.status().fetch_failures, failures, "no second wait while the source is known to fail");
}

fn a_flood_of_unknown_kids_causes_few_fetches_and_delays_no_known_key(way: Way) {
    let app = App::impatient(way);
    let good = app.token();
    let foreign = app.foreign_token();
    assert_eq!(app.code(&good), None);
    let percentile = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() * 99 / 100]
    };
    let sample = |count: usize| {
        percentile(
            (0..count)
                .map(|_| app.timed(&good))
                .map(|(code, time)| {
                    assert_eq!(code, None);
                    time
                })
                .collect(),
        )
    };
    let calm = sample(300);
    let start = Instant::now();
    app.server.fault(Fault::Hang); // the worst moment for a flood
    let flooded = thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..100_000 {
                let code = app.code(&foreign).expect("nobody knows this key");
                assert!(matches!(code, ErrorCode::KeysUnavailable | ErrorCode::KeyNotFound));
            }
        });
        sample(300)
    });
    println!("p99 of a known key: {calm:?} before, {flooded:?} during a flood of 100,000 unknown kids");
    assert!(flooded < SHORT * 9 / 10, "a known key waited for an unknown one: {flooded:?}");
    // one at first, one for the flood, then one after each pause: 1 s, 2 s, 4 s ... and the cooldown
    let seconds = start.elapsed().as_secs();
    let allowed = 2 + u64::from((seconds + 1).ilog2()) + seconds / COOLDOWN as u64;
    assert!(app.server.fetches() <= allowed, "{} fetches, {allowed} allowed", app.server.fetches());
}

fn an_unchanged_set_is_confirmed_by_its_etag(way: Way) {
    let app = App::new(way);
    let token = app.token();
    assert_eq!(app.code(&token), None);
    app.pass(TTL);
    app.refresh(false).expect("refresh");
    assert_eq!(app.server.stats().not_modified, 1);
    app.pass(TTL);
    app.refresh(false).expect("refresh");
    assert_eq!(app.server.stats().not_modified, 2, "the ETag outlives a 304");
    assert_eq!((app.status().age, app.status().state.name()), (Some(0), "fresh"));
    assert_eq!(app.code(&token), None);
}

fn a_caller_that_cannot_wait_gets_a_ticket(way: Way) {
    let app = App::new(way);
    let token = app.token();
    let mut ticket = Ticket::new();
    let error = app.verifier.try_verify(&token, Some(&mut ticket)).expect_err("no keys yet");
    assert_eq!((error.code(), app.server.fetches()), (ErrorCode::KeysNeeded, 0));
    assert!(ticket.is_final());
    app.refresh(false).expect("refresh");
    assert!(app.verifier.try_verify(&token, Some(&mut ticket)).is_ok());
    app.refresh(false).expect("nothing to do");
    assert_eq!(app.server.fetches(), 1);

    let foreign = app.foreign_token();
    let mut ticket = Ticket::new();
    let code = |ticket: Option<&mut Ticket>| app.verifier.try_verify(&foreign, ticket).unwrap_err().code();
    assert_eq!(code(None), ErrorCode::KeysUnavailable, "without a ticket the call is final");
    assert_eq!(code(Some(&mut ticket)), ErrorCode::KeysNeeded);
    app.refresh(false).expect("refresh");
    assert_eq!(code(Some(&mut ticket)), ErrorCode::KeysUnavailable, "the key may be about to be published");
    assert_eq!(code(Some(&mut ticket)), ErrorCode::KeysUnavailable, "a call with a ticket is final");
    assert_eq!(app.server.fetches(), 2);
    app.pass(2);
    let mut ticket = Ticket::new();
    assert_eq!(code(Some(&mut ticket)), ErrorCode::KeysNeeded);
    app.refresh(false).expect("refresh");
    assert_eq!(code(Some(&mut ticket)), ErrorCode::KeyNotFound, "asked for 2 s after the kid was first asked for");
    assert_eq!(app.server.fetches(), 3);
}

fn refresh_reports_and_forces(way: Way) {
    let app = App::new(way);
    app.refresh(true).expect("warm-up");
    app.refresh(true).expect("at most one a second");
    assert_eq!(app.server.fetches(), 1);
    app.pass(1);
    app.server.fault(Fault::Garbage);
    let error = app.refresh(true).expect_err("garbage");
    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
    assert!(error.message().contains("not strict JSON"), "{error}");
    assert_eq!(app.code(&app.token()), None, "the last good set stays");
    let status = serde_json::to_value(app.status()).expect("status");
    assert_eq!(status["last_error"]["code"], "body");
    assert_eq!(status["state"], "fresh");
}

fn verify_at_uses_the_keys_at_hand(way: Way) {
    let app = App::new(way);
    let token = app.token();
    let at = |token: &str| app.verifier.verify_at(token, 3_999_999_999).err().map(|error| error.code());
    assert_eq!(at(&token), Some(ErrorCode::KeysUnavailable));
    app.refresh(false).expect("refresh");
    assert_eq!(at(&token), None);
    assert_eq!(at(&app.foreign_token()), Some(ErrorCode::KeysUnavailable));
    assert_eq!(app.server.fetches(), 1);
}

fn a_set_to_start_with_answers_at_once_and_is_refreshed_in_the_background(way: Way) {
    let key = SigningKey::generate();
    let app = App::with(way, |options| options.jwks_initial = Some(key_set([&key]).into()));
    assert_eq!(app.status().state.name(), "aging");
    assert_eq!(app.code(&app.assertion().mint(&key)), None);
    app.until("the background refresh", |status| status.state.name() == "fresh");
    assert_eq!(app.code(&app.assertion().mint(&key)), Some(ErrorCode::KeyNotFound), "the source knows better");
}

fn an_empty_set_is_explained_and_asked_for_again_soon(way: Way) {
    let app = App::new(way);
    let token = app.token();
    app.server.withdraw(Withdrawal::All);
    let error = app.verify(&token).expect_err("empty");
    assert_eq!(error.code(), ErrorCode::KeysEmpty);
    assert!(error.message().contains("is signing_key set in Pomerium?"), "{error}");
    assert!(error.retry_after().is_some());
    assert_eq!(app.status().ttl, Some(10));
    app.server.rotate(Rotation::AtOnce).expect("rotation");
    app.pass(10);
    assert_eq!(app.code(&app.token()), None);
}

/// The child of a `fork()` has its parent's memory and none of its threads.
fn a_forked_child_verifies_and_refreshes_at_rest_and_while_a_fetch_hangs(way: Way) {
    for hanging in [false, true] {
        let app = App::impatient(way);
        let token = app.token();
        assert_eq!(app.code(&token), None);
        if hanging {
            app.server.fault(Fault::Hang);
            app.pass(TTL);
            assert_eq!(app.code(&token), None, "a fetch starts in the background");
            app.until("the fetch to start", |status| status.fetches == 2);
            app.server.fault(Fault::None); // no time passes: the fetch is not lost, and runs for ever in the child
        } else {
            app.pass(3 * TTL);
        }
        let child = match fork::fork().expect("fork") {
            fork::Fork::Child => {
                // the test harness must not continue in here: in every case the child ends
                let status = app.status();
                let good = status.health.asked && status.health.keys_loaded && status.last_success.is_some();
                let good = good && app.code(&token).is_none() && app.refresh(true).is_ok();
                std::process::exit(if good { 0 } else { 1 });
            }
            fork::Fork::Parent(child) => child,
        };
        assert_eq!(app.code(&token), None, "the parent verifies too");
        let status = fork::waitpid(child).expect("waitpid");
        assert_eq!(status, 0, "hanging {hanging}: the child must verify and refresh");
    }
}
