//! What `status`, `health` and `counts` say, and what they start.

use super::*;
use crate::Health;

both_ways! {
    an_instance_that_gets_no_requests_fetches_because_somebody_looks
    without_a_usable_key_an_instance_is_not_loaded_and_asks_again
    an_idle_application_is_old_and_not_stale
    a_verification_in_two_steps_is_counted_once
    the_status_names_the_key_set_and_what_a_fetch_took
}

fn health(app: &App) -> (bool, bool, bool) {
    let Health { configured, asked, keys_loaded, stale } = app.health();
    assert!(configured);
    (asked, keys_loaded, stale)
}

/// Nobody sends requests to an instance that is not ready.
fn an_instance_that_gets_no_requests_fetches_because_somebody_looks(way: Way) {
    let app = App::new(way);
    assert_eq!(app.server.fetches(), 0, "construction touches no network");
    let first = app.health();
    assert!(first.asked && !first.keys_loaded, "{first:?}");
    app.until("the keys", |status| status.health.keys_loaded);
    for _ in 0..10 {
        assert_eq!(health(&app), (true, true, false));
    }
    assert_eq!(app.server.fetches(), 1);
}

fn without_a_usable_key_an_instance_is_not_loaded_and_asks_again(way: Way) {
    let app = App::new(way);
    app.server.withdraw(Withdrawal::All);
    assert_eq!(app.code(&app.foreign_token()), Some(ErrorCode::KeysEmpty));
    let status = app.status();
    assert_eq!((status.state.name(), status.ttl), ("fresh", Some(10)), "the source has answered");
    assert_eq!(health(&app), (true, false, false));
    assert_eq!((status.key_set, app.server.fetches()), (None, 1));

    app.server.rotate(Rotation::AtOnce).expect("rotation");
    app.pass(10);
    app.until("the keys", |status| status.health.keys_loaded);
    assert_eq!(app.code(&app.token()), None);
    assert_eq!(app.server.fetches(), 2, "a probe has brought the keys");
}

fn an_idle_application_is_old_and_not_stale(way: Way) {
    let app = App::new(way);
    let token = app.token();
    assert_eq!(app.code(&token), None);
    app.pass(3 * TTL);
    let status = app.status();
    assert_eq!((status.state.name(), status.fetches), ("old", 1), "{status:?}");
    assert_eq!(health(&app), (true, true, false));

    app.server.fault(Fault::InternalServerError);
    assert_eq!(app.code(&token), None, "the last good keys");
    assert_eq!(health(&app), (true, true, true), "old, and the last fetch has failed");
    app.pass(2 * TTL + MAX_STALE);
    assert_eq!(health(&app), (true, false, false), "expired");
}

fn a_verification_in_two_steps_is_counted_once(way: Way) {
    let app = App::new(way);
    let token = app.token();
    let mut ticket = Ticket::new();
    assert!(app.verifier.try_verify(&token, Some(&mut ticket)).is_err());
    app.refresh(false).expect("refresh");
    assert!(app.verifier.try_verify(&token, Some(&mut ticket)).is_ok());
    let counts = app.status().counts;
    assert_eq!((counts.get("ok"), counts.get("keys_needed").copied().unwrap_or(0)), (Some(&1), 0), "{counts:?}");
    assert_eq!(counts.values().sum::<u64>(), 1, "{counts:?}");
}

fn the_status_names_the_key_set_and_what_a_fetch_took(way: Way) {
    let (app, other) = (App::impatient(way), App::impatient(way));
    other.server.rotate(Rotation::Append).expect("rotation");
    app.server.fault(Fault::Hang); // asking for the status starts a fetch, which must not end before it is read
    let before = app.status();
    assert_eq!((before.fetch_seconds, before.key_set, before.next_attempt), (None, None, Some(1)));
    app.server.fault(Fault::None);
    app.until("the fetch to end, well or not", |status| status.fetch_seconds.is_some());
    app.pass(2);
    for app in [&app, &other] {
        app.refresh(false).expect("refresh");
    }
    let (status, others) = (app.status(), other.status());
    let seconds = status.fetch_seconds.expect("a fetch has ended");
    assert!((0.0..20.0).contains(&seconds), "{seconds}");
    assert!((SHORTEST_TTL..=TTL).contains(&(status.ttl.expect("a set") as i64)), "{status:?}");
    let key_set = status.key_set.expect("there are keys");
    assert!(key_set.len() == 64 && key_set.bytes().all(|b| b.is_ascii_hexdigit()), "{key_set}");
    assert_ne!(Some(key_set), others.key_set);

    let text = serde_json::to_value(app.status()).expect("status");
    let members = ["fetch_seconds", "key_set", "health", "ttl", "next_attempt"];
    assert!(members.iter().all(|member| !text[member].is_null()), "{text}");
    assert_eq!(
        text["health"],
        serde_json::json!({"configured": true, "asked": true, "keys_loaded": true, "stale": false})
    );
}

#[test]
fn static_keys_are_loaded_or_not_and_never_stale() {
    let key = SigningKey::generate();
    for (keys, loaded) in [(key_set([&key]), true), (key_set([]), false)] {
        let mut options = Options::for_route("https://app.example.com");
        options.jwks = Some(keys.into());
        let verifier = Verifier::new(options).expect("options");
        let status = verifier.status();
        assert_eq!(status.health, verifier.health());
        assert_eq!((status.health.asked, status.health.keys_loaded, status.health.stale), (true, loaded, false));
        assert_eq!((status.key_set.is_some(), status.fetch_seconds, status.next_attempt), (loaded, None, None));
    }
}
