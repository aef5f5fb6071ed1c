//! The rules of the key store, each as a table.

use super::*;

mod unknown_kids;

const LIMITS: Limits =
    Limits { cache_ttl: Some(100 * SECOND), max_stale: 1000 * SECOND, cooldown: 10 * SECOND, timeout: 3 * SECOND };
const LATER: i64 = i64::MAX / 2;
const KNOWN: Look = Look { kid: Kid(1), known: true };
const UNKNOWN: Look = Look { kid: Kid(2), known: false };

fn at(seconds: i64) -> Now {
    Now { monotonic: seconds * SECOND, unix: 1_800_000_000 + seconds }
}

fn loaded_at(seconds: i64) -> Loaded {
    Loaded { sent: at(seconds), ttl: 100 * SECOND, usable: true }
}

/// With a set that was sent at 0.
fn moment(seconds: i64) -> Moment<'static> {
    Moment { limits: &LIMITS, loaded: Some(loaded_at(0)), now: at(seconds), draw: 0.0 }
}

/// With no set.
fn empty(seconds: i64) -> Moment<'static> {
    Moment { loaded: None, ..moment(seconds) }
}

fn fetch(since: i64) -> Fetch {
    Fetch { number: 0, since: since * SECOND }
}

fn running_since(seconds: i64) -> State {
    State { running: Some(fetch(seconds)), last_started: Some(fetch(seconds)), ..State::default() }
}

fn backing_off() -> State {
    State { backoff_ends: LATER, ..State::default() }
}

fn failed_at(seconds: i64) -> State {
    State { failed_at: Some(seconds * SECOND), ..backing_off() }
}

/// A step, and whether it starts a fetch. If the host runs the fetches, the step is the same one, and the fetch is the
/// host's to start.
fn blocking(state: &mut State, at: &Moment<'_>, look: Look) -> (Step, bool) {
    let mut by_host = State { by_host: true, ..state.clone() };
    let decision = state.first(at, look, Caller::Blocking);
    assert_eq!(by_host.first(at, look, Caller::Blocking), Decision { start: None, ..decision });
    host_starts(&mut by_host, at, decision.start);
    assert!(decision.start.is_none() || decision.start == state.running);
    (decision.step, decision.start.is_some())
}

/// What is started without a host is what the host starts.
fn host_starts(by_host: &mut State, at: &Moment<'_>, start: Option<Fetch>) {
    if let Some(fetch) = start {
        assert!(by_host.wants_fetch());
        assert_eq!(by_host.refresh(at, false), Refresh::Start(fetch));
    }
    assert!(!by_host.wants_fetch());
}

#[test]
fn a_set_ages_by_the_larger_of_both_clocks() {
    let table = [
        (0, 0, Age::Fresh),
        (99, 99, Age::Fresh),
        (100, 100, Age::Aging),
        (199, 199, Age::Aging),
        (200, 200, Age::Old),
        (1199, 1199, Age::Old),
        (1200, 1200, Age::Expired),
        (10, 150, Age::Aging),    // suspended: the monotonic clock stood still
        (10, 5000, Age::Expired), // suspended for long
        (150, -5000, Age::Aging), // the wall clock was set back
        (10, -5000, Age::Fresh),
    ];
    for (monotonic, wall, expected) in table {
        let now = Now { monotonic: at(monotonic).monotonic, unix: at(wall).unix };
        assert_eq!(loaded_at(0).age(&LIMITS, now), expected, "monotonic age {monotonic} s, wall age {wall} s");
    }
    let now = Now { monotonic: i64::MAX, unix: i64::MAX };
    assert_eq!(loaded_at(0).age(&LIMITS, now), Age::Expired, "no overflow at the end of time");
}

#[test]
fn the_ttl_is_the_option_or_cache_control_within_limits_or_300_and_drawn() {
    let free = Limits { cache_ttl: None, ..LIMITS };
    let of = |seconds| Limits { cache_ttl: Some(seconds * SECOND), ..LIMITS };
    let table = [
        (free.clone(), None, true, 1.0, 300),
        (free.clone(), None, true, 0.0, 210),
        (free.clone(), Some(0), true, 1.0, 60),
        (free.clone(), Some(60), true, 0.0, 42),
        (free.clone(), Some(61), true, 1.0, 61),
        (free.clone(), Some(3600), true, 1.0, 3600),
        (free.clone(), Some(i64::MAX), true, 0.5, 3060),
        (free.clone(), Some(-1), true, 1.0, 60),
        (free.clone(), Some(600), false, 0.0, 10),
        (of(100), Some(60), true, 1.0, 100),
        (of(100), Some(60), true, 0.0, 70),
        (of(100), None, false, 1.0, 10),
        (of(10), None, true, 0.0, 7),
        (of(9), None, true, 0.0, 9), // for tests: exact
        (of(1), None, true, 0.0, 1),
        (of(1), None, false, 0.0, 1),
    ];
    for (limits, max_age, usable, draw, expected) in table {
        let name = format!("cache_ttl {:?}, max-age {max_age:?}, usable {usable}, draw {draw}", limits.cache_ttl);
        assert_eq!(limits.ttl(max_age, usable, draw), expected * SECOND, "{name}");
    }
}

#[test]
fn failures_back_off() {
    let ttl = |seconds| Some(Loaded { ttl: seconds * SECOND, ..loaded_at(0) });
    let table = [
        (1, None, 1.0, 1.0),
        (2, None, 1.0, 2.0),
        (3, None, 1.0, 4.0),
        (4, None, 1.0, 5.0), // no set is in use: an application without keys is not kept waiting
        (99, None, 1.0, 5.0),
        (4, ttl(3600), 1.0, 8.0),
        (7, ttl(3600), 1.0, 60.0),
        (u32::MAX, ttl(3600), 1.0, 60.0),
        (u32::MAX, ttl(3600), 0.0, 30.0),
        (99, ttl(100), 1.0, 50.0), // half of the ttl
        (99, ttl(2), 1.0, 1.0),
        (1, ttl(3600), 0.0, 1.0), // at least 1 s
        (2, ttl(3600), 0.5, 1.5),
    ];
    for (failures, in_use, draw, expected) in table {
        let nanoseconds = (expected * SECOND as f64) as i64;
        assert_eq!(backoff(failures, in_use, draw), nanoseconds, "{failures} failures, {in_use:?}, draw {draw}");
    }
}

#[test]
fn a_failure_counts_and_a_success_ends_all_that_failures_did() {
    let mut state = State { waiters: 7, ..running_since(50) };
    state.failed(fetch(50), &Moment { draw: 1.0, ..moment(52) });
    assert_eq!((state.running, state.waiters, state.failures), (None, 0, 1));
    assert_eq!((state.failed_at, state.backoff_ends), (Some(52 * SECOND), 53 * SECOND));
    let again = state.start(53 * SECOND);
    state.failed(again, &Moment { draw: 1.0, ..moment(55) });
    assert_eq!((state.failures, state.backoff_ends), (2, 57 * SECOND), "doubled");
    let again = state.start(57 * SECOND);
    state.waiters = 7;
    state.succeeded(again);
    assert_eq!((state.running, state.waiters, state.failures), (None, 0, 0));
    assert_eq!((state.failed_at, state.backoff_ends), (None, 0));
}

/// What the table of ages says, for a token whose key is known.
#[test]
fn a_known_key_is_used_as_its_age_allows() {
    let idle = State::default;
    let failing_and_due = |now| State { backoff_ends: 0, ..failed_at(now) };
    let also_running = |state: State, now| State { running: Some(fetch(now)), ..state };
    let wanted = || State { wanted: Some(198 * SECOND), ..idle() };
    let table = [
        ("fresh", 99, idle(), Step::Use, false),
        ("fresh, running", 99, running_since(98), Step::Use, false),
        ("aging", 100, idle(), Step::Use, true),
        ("aging, running", 100, running_since(99), Step::Use, false),
        ("aging, backing off", 100, backing_off(), Step::Use, false),
        ("aging, wanted: the caller may never come", 199, wanted(), Step::Use, true),
        ("old", 200, idle(), Step::Wait, true),
        ("old, running", 200, running_since(199), Step::Wait, false),
        ("old, wanted: runs it itself", 200, wanted(), Step::Wait, true),
        ("old, running for as long as a fetch may", 200, running_since(197), Step::Use, false),
        ("old, running for nearly as long", 200, running_since(198), Step::Wait, false),
        ("old, failing", 200, failed_at(200), Step::Use, false),
        ("old, failing and due", 200, failing_and_due(200), Step::Use, true),
        ("old, failing, running", 200, also_running(failed_at(200), 199), Step::Use, false),
        ("old, failed ttl + timeout ago", 303, failing_and_due(200), Step::Use, true),
        ("old, failed longer ago", 304, failing_and_due(200), Step::Wait, true),
        ("expired", 1200, idle(), Step::Wait, true),
        ("expired, running", 1200, running_since(1197), Step::Wait, false),
        ("expired, backing off", 1200, failed_at(1200), Step::Unavailable, false),
        ("expired, failing and due", 1200, failing_and_due(1200), Step::Wait, true),
        ("expired, the long backoff of better days is cut short", 1203, failed_at(1199), Step::Unavailable, false),
        ("expired, 5 s after the failure", 1204, failed_at(1199), Step::Wait, true),
    ];
    for (name, age, mut state, step, start) in table {
        assert_eq!(blocking(&mut state, &moment(age), KNOWN), (step, start), "{name}");
    }
}

#[test]
fn without_a_set_everybody_waits_for_one_fetch_and_the_pause_plays_no_part() {
    let table = [
        ("never loaded", State::default(), Step::Wait, true),
        ("running", running_since(0), Step::Wait, false),
        ("backing off", failed_at(0), Step::Unavailable, false),
    ];
    for (name, mut state, step, start) in table {
        assert_eq!(blocking(&mut state, &empty(0), UNKNOWN), (step, start), "{name}");
        assert_eq!((state.waiters, state.pause), (0, Pause::default()), "{name}");
        assert_eq!(state.kids.since(UNKNOWN.kid), Some(0), "{name}: entered all the same");
    }
}

#[test]
fn failing_depends_on_ttl_and_timeout() {
    let with = |ttl, timeout| (Some(Loaded { ttl: ttl * SECOND, ..loaded_at(0) }), timeout * SECOND);
    // (ttl, timeout, for so long after a failure, a fetch counts from so many milliseconds)
    let table = [(60, 3, 63, 3000), (60, 60, 120, 30_000), (1, 2, 4, 500), (2, 60, 62, 1000), (10, 4, 14, 4000)];
    for (ttl, timeout, recently, slow) in table {
        let (loaded, timeout) = with(ttl, timeout);
        let limits = Limits { timeout, ..LIMITS };
        let failing = |state: &State, now: i64| {
            state.is_failing(&Moment { limits: &limits, loaded, now: Now { monotonic: now, unix: 0 }, draw: 0.0 })
        };
        let failed = State { failed_at: Some(0), ..State::default() };
        assert!(failing(&failed, recently * SECOND), "ttl {ttl}");
        assert!(!failing(&failed, recently * SECOND + 1), "ttl {ttl}");
        let slow = slow * SECOND / 1000;
        assert!(failing(&running_since(0), slow), "ttl {ttl}");
        assert!(!failing(&running_since(0), slow - 1), "ttl {ttl}");
        assert!(!failing(&State::default(), 0), "ttl {ttl}");
    }
}

#[test]
fn refresh_joins_starts_or_does_nothing() {
    let idle = State::default;
    let wanted = || State { wanted: Some(0), ..backing_off() };
    let forced = || State { forced_at: Some(50 * SECOND), ..backing_off() };
    let table = [
        ("fresh", 50, idle(), false, "nothing"),
        ("fresh, wanted, in spite of the backoff", 50, wanted(), false, "start"),
        ("fresh, running", 50, running_since(49), false, "join"),
        ("aging", 100, idle(), false, "start"),
        ("aging, backing off", 100, backing_off(), false, "nothing"),
        ("expired, backing off", 1200, failed_at(1199), false, "nothing"),
        ("forced", 50, idle(), true, "start"),
        ("forced, running", 50, running_since(49), true, "join"),
        ("forced, backing off", 50, backing_off(), true, "start"),
        ("forced twice in a second", 50, forced(), true, "nothing"),
        ("forced again a second later", 51, forced(), true, "start"),
    ];
    for (name, age, mut state, force, expected) in table {
        let before = state.running;
        let refresh = state.refresh(&moment(age), force);
        let done = match refresh {
            Refresh::Nothing => "nothing",
            Refresh::Join(fetch) if Some(fetch) == before => "join",
            Refresh::Start(fetch) if Some(fetch) == state.running && before.is_none() => "start",
            _ => "something else",
        };
        assert_eq!(done, expected, "{name}");
    }
    assert!(matches!(State::default().refresh(&empty(0), false), Refresh::Start(_)), "never loaded");
}

#[test]
fn a_caller_in_two_steps_wants_a_fetch_and_a_wanted_fetch_counts_as_running() {
    let mut state = State::default();
    let two_steps = |state: &mut State, at: &Moment<'_>| {
        state.settle(at);
        state.first(at, UNKNOWN, Caller::TwoStep)
    };
    let wait = Decision { step: Step::Wait, start: None };
    assert_eq!(two_steps(&mut state, &moment(50)), wait);
    assert_eq!((state.wanted, state.waiters), (Some(50 * SECOND), 1));
    assert_eq!(state.pause.ends, 51 * SECOND, "stamped");
    assert_eq!(two_steps(&mut state, &moment(52)), wait);
    assert_eq!((state.wanted, state.waiters), (Some(52 * SECOND), 2), "joins, and has as long to come as the first");
    state.waiters = MAX_WAITERS;
    assert_eq!(two_steps(&mut state, &moment(52)).step, Step::Unavailable, "crowded");
    assert!(matches!(state.refresh(&moment(52), false), Refresh::Start(_)), "the first to come runs it");
    assert_eq!(state.wanted, None);

    let mut state = State::default();
    assert_eq!(two_steps(&mut state, &empty(50)), wait);
    state.settle(&empty(53));
    assert_eq!(state.wanted, None, "nobody ran it within timeout: given up");
    assert_eq!(two_steps(&mut state, &empty(53)), wait);
    let decision = state.first(&empty(54), KNOWN, Caller::Blocking);
    assert_eq!((decision.step, decision.start, state.wanted), (Step::Wait, state.running, None), "runs it itself");

    let mut state = State { waiters: MAX_WAITERS, wanted: Some(0), ..State::default() };
    state.settle(&moment(3));
    assert_eq!((state.wanted, state.waiters), (None, 0), "given up, and so are those who waited");
}

#[test]
fn a_fetch_that_does_not_end_is_lost() {
    let mut state = State { waiters: 5, ..running_since(50) };
    assert_eq!(state.settle(&moment(54)), None, "timeout and a second");
    assert_eq!(state.settle(&moment(90)), Some(fetch(50)));
    assert_eq!((state.running, state.waiters, state.failures), (None, 0, 1));
    assert_eq!((state.failed_at, state.backoff_ends), (Some(54 * SECOND), 55 * SECOND), "from when it was lost");

    let next = state.start(90 * SECOND);
    assert_ne!(next.number, fetch(50).number);
    let before = state.clone();
    state.succeeded(fetch(50));
    state.failed(fetch(50), &moment(91));
    assert_eq!(state, before, "its end changes nothing");
    state.succeeded(next);
    assert_eq!((state.running, state.failures), (None, 0));
}

#[test]
fn a_look_at_the_status_starts_a_due_fetch_if_no_usable_key_is_loaded() {
    let unusable = |seconds| Moment {
        loaded: Some(Loaded { usable: false, ttl: 10 * SECOND, ..loaded_at(0) }),
        ..moment(seconds)
    };
    let wanted = || State { wanted: Some(0), ..State::default() };
    let table = [
        ("never loaded", empty(0), State::default(), true),
        ("never loaded, backing off", empty(0), failed_at(0), false),
        ("never loaded, running", empty(0), running_since(0), false),
        ("never loaded, wanted", empty(0), wanted(), true),
        ("expired", moment(1200), State::default(), true),
        ("no usable key, asked just now", unusable(9), State::default(), false),
        ("no usable key, no longer fresh", unusable(10), State::default(), true),
        ("old with a usable key: fetched when it is used", moment(1199), State::default(), false),
    ];
    for (name, at, mut state, starts) in table {
        let mut by_host = State { by_host: true, ..state.clone() };
        let start = state.look_after(&at);
        assert_eq!(by_host.look_after(&at), None);
        host_starts(&mut by_host, &at, start);
        assert_eq!((start.is_some(), start.is_none() || start == state.running), (starts, true), "{name}");
    }
}

#[test]
fn the_next_attempt_is_that_of_the_next_request() {
    let paused = |ends| State { pause: Pause { ends: ends * SECOND, length: SECOND }, ..State::default() };
    let backoff = |ends, state: State| State { backoff_ends: ends * SECOND, ..state };
    let table = [
        ("no set", empty(50), State::default(), 0),
        ("no set, backing off", empty(50), backoff(53, failed_at(50)), 3),
        ("no set, running", empty(50), running_since(50), 0),
        ("fresh: an unknown kid", moment(50), State::default(), 0),
        ("fresh, in a pause", moment(50), paused(57), 7),
        ("fresh, in a long pause: when the set ages", moment(90), paused(500), 10),
        ("aging, in a pause: a refresh is due", moment(150), paused(500), 0),
        ("aging, in a pause and backing off", moment(150), backoff(160, paused(170)), 10),
        ("aging, in a short pause and backing off", moment(150), backoff(190, paused(170)), 20),
        ("expired: 5 s after the failure", moment(1200), failed_at(1199), 4),
    ];
    for (name, at, state, expected) in table {
        assert_eq!(state.next_attempt(&at), expected * SECOND, "{name}");
    }
}
