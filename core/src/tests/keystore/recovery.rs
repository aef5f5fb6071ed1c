//! Outages, sources that hang, and tokens of keys that nobody knows.

use super::*;

both_ways! {
    an_outage_that_ends_with_another_key_refuses_nothing_once_the_source_is_back
    a_foreign_token_is_unavailable_for_some_seconds_and_not_found_from_then_on
    a_good_token_whose_key_is_about_to_be_published_is_never_not_found
    more_unknown_kids_than_may_wait_at_once_can_wait_one_after_the_other
    a_wait_is_never_longer_than_timeout
    a_timeout_longer_than_the_ttl_makes_nobody_wait_under_steady_traffic
    a_fetch_that_does_not_end_is_given_up_and_its_end_changes_nothing
    a_ticket_that_nobody_comes_back_with_holds_nobody
    the_sixty_fifth_unknown_kid_does_not_wait
}

/// Before, the backoff of up to half a ttl held for the new key too: 21 s of refusals.
fn an_outage_that_ends_with_another_key_refuses_nothing_once_the_source_is_back(way: Way) {
    let app = App::new(way);
    let token = app.token();
    assert_eq!(app.code(&token), None);
    app.server.fault(Fault::InternalServerError);
    app.pass(TTL);
    for failures in 1..=6 {
        assert_eq!(app.code(&token), None);
        app.until("the attempt to fail", |status| status.fetch_failures == failures);
        app.pass(TTL / 2);
    }
    assert_eq!(app.code(&token), None);
    app.until("the attempt to fail", |status| status.fetch_failures == 7);
    app.server.fault(Fault::None);
    app.server.rotate(Rotation::AtOnce).expect("rotation");
    assert_eq!(app.code(&app.token()), None, "an unknown kid is the best evidence that the source is back");
}

fn a_foreign_token_is_unavailable_for_some_seconds_and_not_found_from_then_on(way: Way) {
    let app = App::new(way);
    assert_eq!(app.code(&app.token()), None);
    let foreign = app.foreign_token();
    let codes: Vec<ErrorCode> = (0..100)
        .map(|_| {
            app.pass(1);
            app.code(&foreign).expect("nobody knows this key")
        })
        .collect();
    let unavailable = codes.iter().take_while(|code| **code == ErrorCode::KeysUnavailable).count();
    assert!((2..=5).contains(&unavailable), "{codes:?}");
    assert!(codes[unavailable..].iter().all(|code| *code == ErrorCode::KeyNotFound), "never 503 after 401: {codes:?}");
    assert!(app.server.fetches() <= 2 + 4 + 100 / COOLDOWN as u64, "{} fetches", app.server.fetches());
}

/// The signer and the key set change within half a second of each other.
fn a_good_token_whose_key_is_about_to_be_published_is_never_not_found(way: Way) {
    let app = App::new(way);
    assert_eq!(app.code(&app.token()), None);
    let key = SigningKey::generate();
    let token = app.assertion().mint(&key);
    let error = app.verify(&token).expect_err("not published yet");
    assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{error}");
    assert!(error.message().contains("asked 0 s ago"), "{error}");
    assert!(error.retry_after().is_some());
}

fn more_unknown_kids_than_may_wait_at_once_can_wait_one_after_the_other(way: Way) {
    let app = App::new(way);
    assert_eq!(app.code(&app.token()), None);
    for rotation in 1..=70 {
        app.server.rotate(Rotation::AtOnce).expect("rotation");
        app.pass(3 * COOLDOWN / 2);
        assert_eq!(app.code(&app.token()), None, "rotation {rotation}");
    }
}

fn a_wait_is_never_longer_than_timeout(way: Way) {
    let app = App::impatient(way);
    let token = app.token();
    app.server.fault(Fault::Hang);
    let (code, waited) = app.timed(&token);
    assert_eq!(code, Some(ErrorCode::KeysUnavailable));
    assert!((SHORT * 9 / 10..SHORT * 2).contains(&waited), "{waited:?}");
}

/// With a timeout longer than the ttl, callers once waited for a source that hung, again and again.
fn a_timeout_longer_than_the_ttl_makes_nobody_wait_under_steady_traffic(way: Way) {
    let app = App::with(way, |options| {
        options.cache_ttl = Some(Duration::from_secs(1));
        options.timeout = Some(SHORT);
    });
    let token = app.token();
    assert_eq!(app.code(&token), None);
    app.server.fault(Fault::Hang);
    let start = Instant::now();
    while app.server.fetches() < 3 {
        let (code, waited) = app.timed(&token);
        assert_eq!(code, None);
        assert!(waited < SHORT / 2, "waited {waited:?} after {:?}", start.elapsed());
        assert!(start.elapsed() < PATIENCE, "it does not try again");
        thread::sleep(Duration::from_millis(20));
    }
}

/// As on a host that is stopped for a while: time passes, the fetch does not end.
fn a_fetch_that_does_not_end_is_given_up_and_its_end_changes_nothing(way: Way) {
    let app = App::impatient(way);
    let token = app.token();
    assert_eq!(app.code(&token), None);
    app.server.fault(Fault::Hang);
    app.pass(TTL);
    assert_eq!(app.code(&token), None, "a refresh starts in the background");
    app.until("the fetch to start", |status| status.fetches == 2);
    app.server.fault(Fault::None);
    app.pass(TTL);
    let error = app.status().last_error.expect("the fetch is lost");
    assert!(error.message.contains("given up"), "{error:?}");
    assert_eq!(app.code(&token), None);
    app.until("another fetch", |status| status.fetches == 3 && status.last_error.is_none());
    thread::sleep(SHORT + Duration::from_millis(500)); // the lost one ends with its own timeout
    let status = app.status();
    assert_eq!((status.state.name(), status.fetches, status.fetch_failures), ("fresh", 3, 1), "{status:?}");
    assert_eq!(status.last_error, None);
}

/// A caller that promised to run a fetch and went away.
fn a_ticket_that_nobody_comes_back_with_holds_nobody(way: Way) {
    let app = App::new(way);
    let token = app.token();
    let mut abandoned = Ticket::new();
    let error = app.verifier.try_verify(&token, Some(&mut abandoned)).expect_err("no keys yet");
    assert_eq!(error.code(), ErrorCode::KeysNeeded);
    assert_eq!(app.code(&token), None, "another caller fetches itself");
    assert_eq!(app.server.fetches(), 1);
    assert!(app.verifier.try_verify(&token, Some(&mut abandoned)).is_ok());
}

fn the_sixty_fifth_unknown_kid_does_not_wait(way: Way) {
    let app = App::new(way);
    assert_eq!(app.code(&app.token()), None);
    let foreign = app.foreign_token();
    for number in 1..=65 {
        let mut ticket = Ticket::new();
        let code = app.verifier.try_verify(&foreign, Some(&mut ticket)).expect_err("unknown").code();
        let expected = if number <= 64 { ErrorCode::KeysNeeded } else { ErrorCode::KeysUnavailable };
        assert_eq!(code, expected, "number {number}");
    }
    assert_eq!(app.server.fetches(), 1, "nobody has called refresh");
}
