//! Unknown kids: the fetches they cause, and what is said to them.

use super::*;

#[test]
fn an_unknown_kid_joins_or_starts_one_fetch_a_pause() {
    let paused = || State { pause: Pause { ends: 60 * SECOND, length: SECOND }, ..State::default() };
    let crowded = || State { waiters: MAX_WAITERS, ..running_since(50) };
    let last_place = || State { waiters: MAX_WAITERS - 1, ..running_since(50) };
    let table = [
        ("fresh", 50, State::default(), Step::Wait, true),
        ("fresh, in the pause", 59, paused(), Step::Unavailable, false),
        ("fresh, after the pause", 60, paused(), Step::Wait, true),
        ("fresh, running", 50, running_since(50), Step::Wait, false),
        ("fresh, running, one place left", 50, last_place(), Step::Wait, false),
        ("fresh, running, crowded", 50, crowded(), Step::Unavailable, false),
        ("fresh, backing off: the best evidence that the source is back", 50, backing_off(), Step::Wait, true),
        ("aging: joins the refresh, the pause plays no part", 100, paused(), Step::Wait, true),
        ("aging, backing off", 100, backing_off(), Step::Wait, true),
        ("old, failing, due: joins the attempt", 200, State { backoff_ends: 0, ..failed_at(199) }, Step::Wait, true),
        ("old, failing, backing off", 200, failed_at(199), Step::Wait, true),
    ];
    for (name, age, mut state, step, start) in table {
        let before = state.clone();
        assert_eq!(blocking(&mut state, &moment(age), UNKNOWN), (step, start), "{name}");
        assert_eq!(state.waiters, before.waiters + u32::from(step == Step::Wait), "{name}: waiters");
    }
}

#[test]
fn the_pause_doubles_up_to_the_cooldown_and_shrinks_after_two_quiet_ones() {
    let mut state = State::default();
    let mut now = 50;
    for (length, ends) in [(1, 51), (2, 53), (4, 57), (8, 65), (10, 75), (10, 85)] {
        let begins = now;
        assert_eq!(blocking(&mut state, &moment(now), UNKNOWN), (Step::Wait, true), "at {now}");
        assert_eq!(state.pause, Pause { ends: ends * SECOND, length: length * SECOND }, "stamped before the attempt");
        let running = state.running.expect("just started");
        state.failed(running, &moment(begins));
        assert_eq!(state.pause.ends, ends * SECOND, "with every outcome");
        now = ends;
    }
    let pause = |ends, now, draw| {
        let mut pause = Pause { ends, length: 8 * SECOND };
        pause.stamp(now, LIMITS.cooldown, draw);
        (pause.length, pause.ends - now)
    };
    assert_eq!(pause(0, 20 * SECOND, 0.0), (SECOND, SECOND), "two quiet cooldowns");
    assert_eq!(pause(0, 20 * SECOND - 1, 0.0), (10 * SECOND, 10 * SECOND), "not quite");
    assert_eq!(pause(0, 20 * SECOND, 1.0), (SECOND, 3 * SECOND / 2), "drawn from 1 to 1.5");
    assert_eq!(pause(0, 0, 0.5), (10 * SECOND, 25 * SECOND / 2));
}

#[test]
fn the_answer_after_the_wait_depends_on_when_the_kid_was_first_asked_for() {
    let unusable = Loaded { usable: false, ..loaded_at(100) };
    let set = Some(loaded_at(100));
    // asked for at 97: a set that was sent at 99 or later decides
    let mut state = State::default();
    state.kids.ask(UNKNOWN.kid, 97 * SECOND);
    state.kids.withdraw(Kid(3));
    let other = Look { kid: Kid(9), known: false };
    let withdrawn = Look { kid: Kid(3), known: false };
    let table = [
        ("known", set, 150, KNOWN, 100, Step::Use),
        ("known, though the token came later", set, 150, KNOWN, 150, Step::Use),
        ("known and old", set, 1299, KNOWN, 1299, Step::Use),
        ("unknown, first asked for 3 s before", set, 150, UNKNOWN, 150, Step::NotFound),
        ("unknown, came 2 s before", set, 150, other, 98, Step::NotFound),
        ("unknown, came 1 s before", set, 150, other, 99, Step::Unavailable),
        ("withdrawn", set, 150, withdrawn, 150, Step::NotFound),
        ("no usable key", Some(unusable), 150, UNKNOWN, 98, Step::Empty),
        ("no usable key, withdrawn", Some(unusable), 150, withdrawn, 150, Step::Empty),
        ("known but expired", set, 1300, KNOWN, 1300, Step::Unavailable),
        ("withdrawn but expired", set, 1300, withdrawn, 1300, Step::Unavailable),
        ("no usable key, expired", Some(unusable), 1300, UNKNOWN, 98, Step::Unavailable),
        ("never loaded", None, 150, UNKNOWN, 100, Step::Unavailable),
        ("a ticket from nowhere", set, 150, other, i64::MIN / SECOND, Step::NotFound),
    ];
    for (name, loaded, now, look, arrived, expected) in table {
        let step = state.last(&Moment { loaded, ..moment(now) }, look, arrived * SECOND);
        assert_eq!(step, expected, "{name}");
    }
    let before = state.clone();
    state.last(&moment(150), other, 0);
    assert_eq!(state, before, "final calls enter nothing");
}

#[test]
fn a_foreign_kid_is_unavailable_at_first_and_not_found_from_then_on() {
    let mut state = State::default();
    let mut loaded = loaded_at(0);
    let mut answers = Vec::new();
    for half in 100..130 {
        let now = Now { monotonic: half * SECOND / 2, unix: 1_800_000_000 + half / 2 };
        let at = Moment { loaded: Some(loaded), now, draw: 0.5, ..moment(0) };
        let Decision { step, start } = state.first(&at, UNKNOWN, Caller::Blocking);
        if let Some(fetch) = start {
            loaded.sent = now;
            state.succeeded(fetch);
            answers.push(state.last(&Moment { loaded: Some(loaded), ..at }, UNKNOWN, now.monotonic));
        } else {
            answers.push(step);
        }
    }
    let changes = answers.iter().position(|step| *step == Step::NotFound).expect("401 at last");
    assert!((6..=9).contains(&changes), "after 3 to 4.5 s: {answers:?}");
    assert!(answers[..changes].iter().all(|step| *step == Step::Unavailable), "{answers:?}");
    assert!(answers[changes..].iter().all(|step| *step == Step::NotFound), "never 503 after 401: {answers:?}");
}

#[test]
fn a_withdrawn_kid_is_not_found_at_once_and_still_causes_a_fetch() {
    let mut state = State::default();
    state.withdraw(UNKNOWN.kid);
    assert_eq!(blocking(&mut state, &moment(50), UNKNOWN), (Step::Wait, true));
    assert_eq!(state.last(&moment(50), UNKNOWN, 50 * SECOND), Step::NotFound);
    let running = state.running.expect("started");
    state.succeeded(running);
    assert_eq!(blocking(&mut state, &moment(50), UNKNOWN), (Step::NotFound, false), "in the pause");
}

#[test]
fn sixty_four_kids_are_remembered_and_the_least_recently_asked_goes_first() {
    let mut kids = Kids::default();
    for number in 0..64 {
        kids.ask(Kid(number), number as i64);
    }
    kids.ask(Kid(0), 100);
    assert_eq!(kids.since(Kid(0)), Some(0), "the first time counts");
    kids.ask(Kid(64), 101);
    assert_eq!((kids.since(Kid(0)), kids.since(Kid(1)), kids.since(Kid(2))), (Some(0), None, Some(2)));
    kids.ask(Kid(1), 102);
    assert_eq!(kids.since(Kid(1)), Some(102), "one that has gone counts from its next arrival");

    for number in 0..65 {
        kids.withdraw(Kid(number));
    }
    assert!(!kids.is_withdrawn(Kid(0)) && kids.is_withdrawn(Kid(1)) && kids.is_withdrawn(Kid(64)));
    kids.withdraw(Kid(1));
    kids.withdraw(Kid(65));
    assert!(kids.is_withdrawn(Kid(1)) && !kids.is_withdrawn(Kid(2)), "withdrawn once more, remembered for longer");
}
