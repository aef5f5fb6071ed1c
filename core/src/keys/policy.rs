//! When keys are used, when they are fetched, and who waits: rules alone, with no clock, lock, thread or socket.
//!
//! Every method takes the time and changes nothing but its own state, so that each rule is a table test and the
//! promises can be simulated. `flight.rs` carries the decisions out.
//!
//! | age | until | a token whose key is known |
//! |---|---|---|
//! | fresh | ttl | used at once |
//! | aging | 2 ttl | used at once; a refresh starts behind it |
//! | old | 2 ttl + max_stale | used at once while the source fails; else one fetch first, all callers wait for it |
//! | expired | | fetch first |

use crate::clock::{Now, SECOND};

/// At most this many tokens with unknown kids wait for one fetch; the others are answered at once.
pub(super) const MAX_WAITERS: u32 = 64;

/// The options of the policy, in nanoseconds: see [`Settings`](crate::options::Settings).
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// `cache_ttl`, where it is set.
    pub(crate) ttl: Option<i64>,
    pub(crate) max_stale: i64,
    pub(crate) cooldown: i64,
    pub(crate) timeout: i64,
}

/// The ttl where neither `cache_ttl` nor Cache-Control says otherwise.
const DEFAULT_TTL: i64 = 300 * SECOND;
/// A set without a usable key is asked for again soon: somebody is about to configure one.
const UNUSABLE_TTL: i64 = 10 * SECOND;

impl Limits {
    /// The ttl of a set whose response allowed `max_age` seconds.
    pub(crate) fn ttl(&self, max_age: Option<i64>, usable: bool) -> i64 {
        let advised = max_age.map_or(DEFAULT_TTL, |seconds| seconds.clamp(60, 3600) * SECOND);
        let ttl = self.ttl.unwrap_or(advised);
        if usable { ttl } else { ttl.min(UNUSABLE_TTL) }
    }
}

/// What the policy knows of the set in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// When the request that brought the set was sent.
    pub(crate) sent: Now,
    /// In nanoseconds.
    pub(crate) ttl: i64,
}

/// How old the set in use is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    Fresh,
    Aging,
    Old,
    Expired,
}

impl Age {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Age::Fresh => "fresh",
            Age::Aging => "aging",
            Age::Old => "old",
            Age::Expired => "expired",
        }
    }
}

impl Loaded {
    /// The larger of both clocks' ages: the monotonic one stands still while the machine is suspended, the wall clock
    /// may have been set back.
    pub(crate) fn nanoseconds(&self, now: Now) -> i64 {
        let wall = now.unix.saturating_sub(self.sent.unix).saturating_mul(SECOND);
        (now.monotonic - self.sent.monotonic).max(wall)
    }

    pub(crate) fn age(&self, limits: &Limits, now: Now) -> Age {
        let age = self.nanoseconds(now);
        match age {
            _ if age < self.ttl => Age::Fresh,
            _ if age < 2 * self.ttl => Age::Aging,
            _ if age < 2 * self.ttl + limits.max_stale => Age::Old,
            _ => Age::Expired,
        }
    }
}

/// What a verification does about its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The key is known: use it.
    Use,
    /// Wait for the fetch, then ask [`State::last`].
    Wait,
    /// `keys_unavailable`, or `keys_empty` if the set in use has no usable key.
    Unavailable,
    /// `key_not_found`.
    NotFound,
}

/// A step, and whether a fetch has to start: before it (`Wait`) or behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) step: Step,
    pub(crate) start: bool,
}

/// What a call of `refresh` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresh {
    Nothing,
    Join,
    Start,
}

/// What has happened so far. All times are monotonic nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    /// When the fetch in flight was started.
    flying: Option<i64>,
    /// When a fetch was asked for that a caller of `verify_cached` promised to run with `refresh`.
    wanted: Option<i64>,
    /// Tokens with unknown kids that wait for the fetch in flight or wanted.
    waiters: u32,
    failures: u32,
    failed_at: Option<i64>,
    next_attempt: i64,
    cooldown_ends: i64,
    forced_at: Option<i64>,
}

impl State {
    /// The first look at a token: `known` says whether the set in use has its key.
    pub(crate) fn first(&mut self, limits: &Limits, loaded: Option<&Loaded>, now: Now, known: bool) -> Decision {
        let in_flight = self.in_flight(limits, now);
        let due = !in_flight && now.monotonic >= self.next_attempt;
        let age = loaded.map_or(Age::Expired, |loaded| loaded.age(limits, now));
        let answer = |step, start| Decision { step, start };

        if age == Age::Expired || (age == Age::Old && !self.failing(loaded, now)) {
            if in_flight || due {
                return answer(Step::Wait, due);
            }
            if age == Age::Expired {
                return answer(Step::Unavailable, false);
            }
        }
        let behind = due && age != Age::Fresh;
        if known {
            return answer(Step::Use, behind);
        }
        if in_flight && self.waiters >= MAX_WAITERS {
            return answer(Step::Unavailable, behind);
        }
        if in_flight || behind {
            self.waiters += 1;
            return answer(Step::Wait, behind);
        }
        if due && now.monotonic >= self.cooldown_ends {
            // stamped before the attempt: a source that fails is not asked more often
            self.cooldown_ends = now.monotonic + limits.cooldown;
            self.waiters += 1;
            return answer(Step::Wait, true);
        }
        answer(Step::Unavailable, false)
    }

    /// The answer after the wait, or at once where no wait is wanted. `arrived` is when the token came, monotonic.
    pub(crate) fn last(limits: &Limits, loaded: Option<&Loaded>, now: Now, known: bool, arrived: i64) -> Step {
        match loaded {
            Some(loaded) if loaded.age(limits, now) != Age::Expired => match known {
                true => Step::Use,
                false if loaded.sent.monotonic >= arrived => Step::NotFound,
                false => Step::Unavailable,
            },
            _ => Step::Unavailable,
        }
    }

    /// A caller of `refresh`. `force` ignores ttl, cooldown and backoff, at most once a second.
    pub(crate) fn refresh(&mut self, limits: &Limits, loaded: Option<&Loaded>, now: Now, force: bool) -> Refresh {
        if self.flying.is_some() {
            return Refresh::Join;
        }
        if force {
            if self.forced_at.is_some_and(|at| now.monotonic - at < SECOND) {
                return Refresh::Nothing;
            }
            self.forced_at = Some(now.monotonic);
            return Refresh::Start;
        }
        let fresh = loaded.is_some_and(|loaded| loaded.age(limits, now) == Age::Fresh);
        if now.monotonic >= self.next_attempt && (self.wanted.is_some() || !fresh) {
            return Refresh::Start;
        }
        Refresh::Nothing
    }

    /// A caller without a thread to wait in has been told to fetch.
    pub(crate) fn want(&mut self, now: Now) {
        self.wanted = Some(now.monotonic);
    }

    /// A fetch starts.
    pub(crate) fn take_off(&mut self, now: Now) {
        self.flying = Some(now.monotonic);
        self.wanted = None;
    }

    /// The fetch ended with a set.
    pub(crate) fn succeeded(&mut self) {
        self.flying = None;
        self.wanted = None;
        self.waiters = 0;
        self.failures = 0;
        self.failed_at = None;
    }

    /// The fetch failed. `random` is from 0 to 1; `loaded` the last good set, which stays.
    pub(crate) fn failed(&mut self, loaded: Option<&Loaded>, now: Now, random: f64) {
        self.flying = None;
        self.waiters = 0;
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now.monotonic);
        self.next_attempt = now.monotonic + backoff(self.failures, loaded, random);
    }

    /// When the fetch in flight was started.
    pub(crate) fn flying_since(&self) -> Option<i64> {
        self.flying
    }

    /// Whole seconds until a fetch may start, cooldown included, at least 1: Retry-After.
    pub(crate) fn seconds_to_next_attempt(&self, now: Now) -> u64 {
        let left = self.next_attempt.max(self.cooldown_ends) - now.monotonic;
        u64::try_from(left).unwrap_or(0).div_ceil(SECOND.unsigned_abs()).max(1)
    }

    /// A wanted fetch counts as one in flight, unless whoever was to run it has given up.
    fn in_flight(&self, limits: &Limits, now: Now) -> bool {
        self.flying.is_some() || self.wanted.is_some_and(|at| now.monotonic - at < limits.timeout)
    }

    fn failing(&self, loaded: Option<&Loaded>, now: Now) -> bool {
        let ttl = loaded.map_or(DEFAULT_TTL, |loaded| loaded.ttl);
        self.failed_at.is_some_and(|at| now.monotonic - at <= ttl)
    }
}

/// 1 s doubling to min(60 s, ttl / 2), to 5 s while no set was ever loaded; times 0.5 to 1; at least 1 s.
fn backoff(failures: u32, loaded: Option<&Loaded>, random: f64) -> i64 {
    let longest = loaded.map_or(5 * SECOND, |loaded| (loaded.ttl / 2).min(60 * SECOND));
    let doubled = SECOND << failures.saturating_sub(1).min(6);
    let scaled = doubled.min(longest) as f64 * (0.5 + random / 2.0);
    (scaled as i64).max(SECOND)
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
