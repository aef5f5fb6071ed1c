//! Each rule as a table, and the promises that follow from them as a simulation. Nothing here sleeps.

use super::*;

const LIMITS: Limits =
    Limits { ttl: Some(100 * SECOND), max_stale: 1000 * SECOND, cooldown: 10 * SECOND, timeout: 3 * SECOND };

fn at(seconds: i64) -> Now {
    Now { monotonic: seconds * SECOND, unix: 1_800_000_000 + seconds }
}

fn loaded_at(seconds: i64) -> Loaded {
    Loaded { sent: at(seconds), ttl: 100 * SECOND }
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
fn the_ttl_is_the_option_or_cache_control_within_limits_or_300() {
    let free = Limits { ttl: None, ..LIMITS };
    let short = Limits { ttl: Some(SECOND), ..LIMITS };
    let table = [
        (&free, None, true, 300),
        (&free, Some(0), true, 60),
        (&free, Some(60), true, 60),
        (&free, Some(61), true, 61),
        (&free, Some(3600), true, 3600),
        (&free, Some(i64::MAX), true, 3600),
        (&free, Some(-1), true, 60),
        (&free, Some(600), false, 10),
        (&LIMITS, Some(60), true, 100),
        (&LIMITS, None, false, 10),
        (&short, None, false, 1),
    ];
    for (limits, max_age, usable, expected) in table {
        assert_eq!(limits.ttl(max_age, usable), expected * SECOND, "max-age {max_age:?}, usable {usable}");
    }
}

#[test]
fn failures_back_off() {
    let long = Loaded { sent: at(0), ttl: 3600 * SECOND };
    let short = Loaded { sent: at(0), ttl: 2 * SECOND };
    let table = [
        (1, None, 1.0, 1.0),
        (2, None, 1.0, 2.0),
        (3, None, 1.0, 4.0),
        (4, None, 1.0, 5.0), // no set was ever loaded: an application that starts is not kept waiting
        (99, None, 1.0, 5.0),
        (4, Some(&long), 1.0, 8.0),
        (7, Some(&long), 1.0, 60.0),
        (u32::MAX, Some(&long), 1.0, 60.0),
        (u32::MAX, Some(&long), 0.0, 30.0),
        (99, Some(&loaded_at(0)), 1.0, 50.0), // half of the ttl
        (99, Some(&short), 1.0, 1.0),
        (1, Some(&long), 0.0, 1.0), // at least 1 s
        (2, Some(&long), 0.5, 1.5),
    ];
    for (failures, loaded, random, expected) in table {
        let nanoseconds = (expected * SECOND as f64) as i64;
        assert_eq!(backoff(failures, loaded, random), nanoseconds, "{failures} failures, {loaded:?}, random {random}");
    }
}

/// What the table of ages says, for a token whose key is known.
#[test]
fn a_known_key_is_used_as_its_age_allows() {
    let idle = State::default();
    let flying = State { flying: Some(0), ..idle.clone() };
    let backing_off = State { next_attempt: i64::MAX, ..idle.clone() };
    let failing = |now: i64| State { failed_at: Some((now - 100) * SECOND), next_attempt: i64::MAX, ..idle.clone() };
    let failed_long_ago = |now: i64| State { failed_at: Some((now - 101) * SECOND), ..idle.clone() };
    let failing_and_due = |now: i64| State { next_attempt: 0, ..failing(now) };
    let table = [
        ("fresh", 99, idle.clone(), Step::Use, false),
        ("fresh, in flight", 99, flying.clone(), Step::Use, false),
        ("aging", 100, idle.clone(), Step::Use, true),
        ("aging, in flight", 100, flying.clone(), Step::Use, false),
        ("aging, backing off", 100, backing_off.clone(), Step::Use, false),
        ("old", 200, idle.clone(), Step::Wait, true),
        ("old, in flight", 200, flying.clone(), Step::Wait, false),
        ("old, backing off after a success", 200, backing_off.clone(), Step::Use, false),
        ("old, failing", 200, failing(200), Step::Use, false),
        ("old, failing and due", 200, failing_and_due(200), Step::Use, true),
        ("old, failing, in flight", 200, State { flying: Some(0), ..failing(200) }, Step::Use, false),
        ("old, failed longer ago than a ttl", 200, failed_long_ago(200), Step::Wait, true),
        ("expired", 1200, idle.clone(), Step::Wait, true),
        ("expired, in flight", 1200, flying.clone(), Step::Wait, false),
        ("expired, backing off", 1200, backing_off.clone(), Step::Unavailable, false),
        ("expired, failing and due", 1200, failing_and_due(1200), Step::Wait, true),
    ];
    for (name, age, mut state, step, start) in table {
        let decision = state.first(&LIMITS, Some(&loaded_at(0)), at(age), true);
        assert_eq!(decision, Decision { step, start }, "{name}");
    }
    for (name, mut state, step, start) in [
        ("never loaded", idle, Step::Wait, true),
        ("never loaded, in flight", flying, Step::Wait, false),
        ("never loaded, backing off", backing_off, Step::Unavailable, false),
    ] {
        assert_eq!(state.first(&LIMITS, None, at(0), false), Decision { step, start }, "{name}");
        assert_eq!((state.waiters, state.cooldown_ends), (0, 0), "{name}: the cooldown plays no part");
    }
}

#[test]
fn an_unknown_kid_joins_or_starts_one_fetch_a_cooldown() {
    let idle = State::default();
    let cooling = State { cooldown_ends: 60 * SECOND, ..idle.clone() };
    let flying = State { flying: Some(0), ..idle.clone() };
    let crowded = State { waiters: MAX_WAITERS, ..flying.clone() };
    let backing_off = State { next_attempt: i64::MAX, ..idle.clone() };
    let failing = State { failed_at: Some(199 * SECOND), ..idle.clone() };
    let table = [
        ("fresh", 50, idle.clone(), Step::Wait, true),
        ("fresh, cooling down", 59, cooling.clone(), Step::Unavailable, false),
        ("fresh, cooled down", 60, cooling.clone(), Step::Wait, true),
        ("fresh, in flight", 50, flying.clone(), Step::Wait, false),
        ("fresh, in flight, crowded", 50, crowded.clone(), Step::Unavailable, false),
        ("fresh, backing off", 50, backing_off.clone(), Step::Unavailable, false),
        ("aging: the refresh behind is joined, the cooldown plays no part", 100, cooling, Step::Wait, true),
        ("aging, backing off", 100, backing_off, Step::Unavailable, false),
        ("old, failing, due: the attempt behind is joined", 200, failing, Step::Wait, true),
    ];
    for (name, age, mut state, step, start) in table {
        let before = state.clone();
        let decision = state.first(&LIMITS, Some(&loaded_at(0)), at(age), false);
        assert_eq!(decision, Decision { step, start }, "{name}");
        assert_eq!(state.waiters, before.waiters + u32::from(step == Step::Wait), "{name}: waiters");
    }
    let mut state = idle;
    state.first(&LIMITS, Some(&loaded_at(0)), at(50), false);
    assert_eq!(state.cooldown_ends, 60 * SECOND, "stamped before the attempt, whatever becomes of it");
    state.take_off(at(50));
    state.failed(Some(&loaded_at(0)), at(51), 1.0);
    assert_eq!((state.cooldown_ends, state.waiters), (60 * SECOND, 0));
}

#[test]
fn the_answer_after_the_wait_depends_on_when_the_set_was_asked_for() {
    let set = loaded_at(100);
    let table = [
        ("known", Some(&set), 150, true, 100, Step::Use),
        ("known, though the token came later", Some(&set), 150, true, 150, Step::Use),
        ("known and old", Some(&set), 1299, true, 1299, Step::Use),
        ("unknown, asked for when the token came", Some(&set), 150, false, 100, Step::NotFound),
        ("unknown, asked for before the token came", Some(&set), 150, false, 101, Step::Unavailable),
        ("known but expired", Some(&set), 1300, true, 1300, Step::Unavailable),
        ("never loaded", None, 150, false, 100, Step::Unavailable),
    ];
    for (name, loaded, now, known, arrived, expected) in table {
        assert_eq!(State::last(&LIMITS, loaded, at(now), known, arrived * SECOND), expected, "{name}");
    }
}

#[test]
fn refresh_joins_starts_or_does_nothing() {
    let idle = State::default();
    let flying = State { flying: Some(0), ..idle.clone() };
    let wanted = State { wanted: Some(0), ..idle.clone() };
    let backing_off = State { next_attempt: i64::MAX, cooldown_ends: i64::MAX, ..idle.clone() };
    let forced = State { forced_at: Some(50 * SECOND), ..backing_off.clone() };
    let table = [
        ("fresh", 50, idle.clone(), false, Refresh::Nothing),
        ("fresh, wanted", 50, wanted, false, Refresh::Start),
        ("fresh, in flight", 50, flying.clone(), false, Refresh::Join),
        ("aging", 100, idle.clone(), false, Refresh::Start),
        ("aging, backing off", 100, backing_off.clone(), false, Refresh::Nothing),
        ("forced", 50, idle, true, Refresh::Start),
        ("forced, in flight", 50, flying, true, Refresh::Join),
        ("forced, backing off and cooling down", 50, backing_off, true, Refresh::Start),
        ("forced twice in a second", 50, forced.clone(), true, Refresh::Nothing),
        ("forced again a second later", 51, forced, true, Refresh::Start),
    ];
    for (name, age, mut state, force, expected) in table {
        assert_eq!(state.refresh(&LIMITS, Some(&loaded_at(0)), at(age), force), expected, "{name}");
    }
    assert_eq!(State::default().refresh(&LIMITS, None, at(0), false), Refresh::Start, "never loaded");
}

#[test]
fn a_wanted_fetch_counts_as_one_in_flight_until_it_is_given_up() {
    let mut state = State::default();
    let wait = |start| Decision { step: Step::Wait, start };
    assert_eq!(state.first(&LIMITS, None, at(0), false), wait(true));
    state.want(at(0));
    assert_eq!(state.first(&LIMITS, None, at(2), false), wait(false), "the next caller waits for the same fetch");
    assert_eq!(state.refresh(&LIMITS, None, at(2), false), Refresh::Start, "refresh finds it due");
    assert_eq!(state.first(&LIMITS, None, at(3), false), wait(true), "nobody came to run it within timeout");
    state.take_off(at(3));
    assert_eq!((state.wanted, state.flying_since()), (None, Some(3 * SECOND)));
    state.succeeded();
    assert_eq!(state, State::default());
}

#[test]
fn retry_after_covers_backoff_and_cooldown_in_whole_seconds() {
    let table =
        [(0, 0, 1), (1, 0, 1), (SECOND, 0, 1), (SECOND + 1, 0, 2), (0, 5 * SECOND, 5), (7 * SECOND, 5 * SECOND, 7)];
    for (next_attempt, cooldown_ends, expected) in table {
        let state = State { next_attempt, cooldown_ends, ..State::default() };
        assert_eq!(state.seconds_to_next_attempt(at(0)), expected, "{next_attempt} {cooldown_ends}");
    }
    let state = State { next_attempt: 7 * SECOND, ..State::default() };
    assert_eq!(state.seconds_to_next_attempt(at(100)), 1, "long past");
}

/// An application, its callers and a key server on a simulated clock.
struct World {
    now: i64,
    state: State,
    loaded: Option<(Loaded, u64)>,
    /// End, whether it will succeed, when it was sent, which key it will bring.
    flight: Option<(i64, bool, i64, u64)>,
    key: u64,
    withdrawn_at: i64,
    server_up_since: Option<i64>,
    unknown_fetches: Vec<i64>,
    seed: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let up = Some(0);
        let mut world = World {
            now: 0,
            state: State::default(),
            loaded: None,
            flight: None,
            key: 0,
            withdrawn_at: 0,
            server_up_since: up,
            unknown_fetches: Vec::new(),
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        };
        world.call(0);
        world
    }

    /// xorshift64: the same run for the same seed.
    fn random(&mut self, below: i64) -> i64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        i64::try_from(self.seed % below.unsigned_abs()).unwrap()
    }

    fn clock(&self) -> Now {
        Now { monotonic: self.now, unix: self.now / SECOND }
    }

    fn start(&mut self) {
        assert!(self.flight.is_none(), "two fetches in flight");
        self.state.take_off(self.clock());
        let up = self.server_up_since.is_some();
        let takes = if up { self.random(SECOND) } else { [SECOND / 10, LIMITS.timeout][self.random(2) as usize] };
        self.flight = Some((self.now + takes, up, self.now, self.key));
    }

    fn land_if_over(&mut self) {
        let Some((end, good, sent, key)) = self.flight.filter(|flight| flight.0 <= self.now) else { return };
        self.flight = None;
        let landed = Now { monotonic: end, unix: end / SECOND };
        if good {
            let sent = Now { monotonic: sent, unix: sent / SECOND };
            self.loaded = Some((Loaded { sent, ttl: 100 * SECOND }, key));
            self.state.succeeded();
        } else {
            let random = self.random(1000) as f64 / 1000.0;
            self.state.failed(self.loaded.map(|(loaded, _)| loaded).as_ref(), landed, random);
        }
    }

    fn pass(&mut self, time: i64) {
        let end = self.now + time;
        while let Some((landing, ..)) = self.flight.filter(|flight| flight.0 <= end) {
            self.now = landing;
            self.land_if_over();
        }
        self.now = end;
    }

    /// One token signed with `key`; what it was told, and how long that took.
    fn call(&mut self, key: u64) -> (Step, i64) {
        let arrived = self.now;
        let known = |world: &World| world.loaded.is_some_and(|(_, loaded)| loaded == key);
        let loaded = self.loaded.map(|(loaded, _)| loaded);
        let known_now = known(self);
        let cooldown = self.state.cooldown_ends;
        let decision = self.state.first(&LIMITS, loaded.as_ref(), self.clock(), known_now);
        if self.state.cooldown_ends != cooldown {
            self.unknown_fetches.push(self.now);
        }
        if decision.start {
            self.start();
        }
        if decision.step != Step::Wait {
            return (decision.step, 0);
        }
        let (end, _, started, _) = self.flight.expect("who waits, waits for a flight");
        let wait = (end.min(started + LIMITS.timeout) - self.now).max(0);
        self.pass(wait);
        let loaded = self.loaded.map(|(loaded, _)| loaded);
        (State::last(&LIMITS, loaded.as_ref(), self.clock(), known(self), arrived), self.now - arrived)
    }
}

/// 300 worlds of idle times, outages, withdrawals and floods; the promises hold in each.
#[test]
fn the_promises_hold_in_random_worlds() {
    for seed in 1..=300 {
        let mut world = World::new(seed);
        let mut outage_began_old = false;
        let mut last_failed_wait = i64::MIN / 2;
        for _ in 0..400 {
            let idle = [SECOND / 10, 5 * SECOND, 40 * SECOND, 500 * SECOND][world.random(4) as usize];
            world.pass(idle);
            match world.random(20) {
                0 => {
                    world.server_up_since = None;
                    let age = world.loaded.map(|(loaded, _)| loaded.nanoseconds(world.clock()));
                    outage_began_old = age.is_none_or(|age| age > 200 * SECOND);
                }
                1 | 2 => {
                    world.server_up_since.get_or_insert(world.now);
                }
                3 if world.server_up_since.is_some() => {
                    world.key += 1;
                    world.withdrawn_at = world.now;
                }
                _ => {}
            }
            let (in_use, age) = match world.loaded {
                Some((loaded, key)) => (key, loaded.nanoseconds(world.clock())),
                None => (0, i64::MAX),
            };
            let (step, waited) = world.call(in_use);
            assert!(waited <= LIMITS.timeout, "seed {seed}: a wait of {waited} ns is longer than timeout");
            if age < 200 * SECOND {
                assert_eq!((step, waited), (Step::Use, 0), "seed {seed}: nobody waits for a key that is not old");
            }
            if age < 1200 * SECOND - LIMITS.timeout && !outage_began_old && world.server_up_since.is_none() {
                assert_eq!(step, Step::Use, "seed {seed}: a good token is refused in a short outage");
            }
            let up_for = world.server_up_since.map_or(0, |since| world.now - since);
            if step == Step::Use && in_use < world.key && up_for > world.now - world.withdrawn_at {
                let lived = world.now - world.withdrawn_at;
                assert!(lived <= 200 * SECOND, "seed {seed}: a withdrawn key lived for {lived} ns");
            }
            if waited > 0 && world.server_up_since.is_none() {
                assert!(
                    age >= 1200 * SECOND - LIMITS.timeout || world.now - last_failed_wait > 100 * SECOND,
                    "seed {seed}: a source that hangs costs an idle application one wait"
                );
                last_failed_wait = world.now;
            }
            if world.random(5) == 0 {
                for _ in 0..50 {
                    world.call(u64::MAX);
                }
            }
        }
        for pair in world.unknown_fetches.windows(2) {
            assert!(pair[1] - pair[0] >= LIMITS.cooldown, "seed {seed}: two unknown-kid fetches within a cooldown");
        }
    }
}
