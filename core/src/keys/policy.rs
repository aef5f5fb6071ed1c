//! When keys are used, when they are fetched, and who waits: rules alone, with no clock, lock, thread or socket.
//!
//! Time and the random draw are arguments, and a method changes nothing but its own state, so that each rule is a table
//! test and the promises can be simulated. `remote.rs` carries the decisions out.
//!
//! Fetches are run by this library, or by its host: then a fetch that is due is marked as wanted, and the host
//! starts it with [`State::refresh`]. All other rules are the same.
//!
//! | age | until | a token whose key is known |
//! |---|---|---|
//! | fresh | ttl | used at once |
//! | aging | 2 ttl | used at once; a refresh starts in the background |
//! | old | 2 ttl + max_stale | used at once while the source fails; else one fetch first, all callers wait for it |
//! | expired | | fetch first |

use super::{
    age::{Age, Loaded},
    ttl::{DEFAULT_TTL, Limits, scaled},
    unknown_kids::{Kid, Kids, Pause},
};
use crate::clock::{Now, SECOND};

/// At most this many tokens with unknown kids wait for one fetch; the others are judged at once.
pub(super) const MAX_WAITERS: u32 = 64;
/// How long Pomerium may sign with a key before every replica publishes it.
const PUBLISHED_WITHIN: i64 = 2 * SECOND;
/// The longest backoff while a set is in use, and while none is: an application without keys is not kept waiting.
const LONGEST_BACKOFF: i64 = 60 * SECOND;
const LONGEST_BACKOFF_WITHOUT_KEYS: i64 = 5 * SECOND;

/// All that a decision depends on apart from the state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) limits: &'a Limits,
    /// The last set that was loaded, of any age.
    pub(crate) loaded: Option<Loaded>,
    pub(crate) now: Now,
    /// At random, from 0 to 1: what a pause or a backoff of this moment is multiplied by.
    pub(crate) draw: f64,
}

impl Moment<'_> {
    /// A set that was never loaded is as good as expired.
    pub(crate) fn age(&self) -> Age {
        self.loaded.map_or(Age::Expired, |loaded| loaded.age(self.limits, self.now))
    }

    /// The set in use: loaded and not expired.
    pub(crate) fn in_use(&self) -> Option<Loaded> {
        self.loaded.filter(|_| self.age() != Age::Expired)
    }
}

/// A token, as the policy sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) kid: Kid,
    /// Whether the last set loaded has its key.
    pub(crate) known: bool,
}

/// What a verification does about its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The key is known: use it.
    Use,
    /// Wait for the fetch, then ask [`State::last`]; a caller in two steps calls `refresh` for that.
    Wait,
    /// `keys_unavailable`.
    Unavailable,
    /// `keys_empty`: the set in use has no usable key.
    Empty,
    /// `key_not_found`.
    NotFound,
}

/// How the caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// In the call itself.
    Blocking,
    /// Elsewhere: it calls `refresh`, then asks with its ticket.
    TwoStep,
}

/// A step, and the fetch that has to be started for it: before it if it is to wait, else in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) step: Step,
    pub(crate) start: Option<Fetch>,
}

/// What a call of `refresh` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresh {
    Nothing,
    Join(Fetch),
    Start(Fetch),
}

/// One fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fetch {
    /// No two fetches of one state have the same.
    pub(crate) number: u64,
    /// When it was started.
    pub(crate) since: i64,
}

/// What has happened so far. All times are monotonic nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    /// The host runs the fetches.
    by_host: bool,
    running: Option<Fetch>,
    /// The last fetch that was started, running or not.
    last_started: Option<Fetch>,
    /// When a fetch was last asked for that a caller in two steps promised to run with `refresh`, or that the host has
    /// to run; none while one runs.
    wanted: Option<i64>,
    /// Tokens with unknown kids that wait for the fetch running or wanted.
    waiters: u32,
    failures: u32,
    failed_at: Option<i64>,
    backoff_ends: i64,
    /// Before the next fetch for an unknown kid.
    pause: Pause,
    forced_at: Option<i64>,
    kids: Kids,
}

impl State {
    /// The state of a store whose host runs the fetches.
    pub(super) fn by_host() -> Self {
        Self { by_host: true, ..Self::default() }
    }

    /// To be called before anything else happens: a wanted fetch that nobody has run within `timeout` is given up, and
    /// a fetch that has not ended a second after its timeout is lost, which counts as failed. A host that was stopped
    /// in the middle must not hold everybody for ever. Gives the fetch that was lost.
    pub(crate) fn settle(&mut self, at: &Moment<'_>) -> Option<Fetch> {
        let now = at.now.monotonic;
        if self.running.is_none() && self.wanted.is_some_and(|wanted| now - wanted >= at.limits.timeout) {
            self.wanted = None;
            self.waiters = 0;
        }
        let lost = self.running.filter(|fetch| now - fetch.since > at.limits.timeout + SECOND)?;
        self.fail(lost.since + at.limits.timeout + SECOND, at);
        Some(lost)
    }

    /// The first look at a token.
    pub(crate) fn first(&mut self, at: &Moment<'_>, look: Look, caller: Caller) -> Decision {
        let now = at.now.monotonic;
        if !look.known {
            self.kids.ask(look.kid, now);
        }
        let (due, age) = (self.is_due(at), at.age());
        if age == Age::Expired || (age == Age::Old && !self.is_failing(at)) {
            if self.is_running() || due {
                return self.wait(now, caller);
            }
            if age == Age::Expired {
                return Decision { step: Step::Unavailable, start: None };
            }
        }
        let refreshes = due && age != Age::Fresh;
        if look.known {
            return Decision { step: Step::Use, start: self.start_if(refreshes, now) };
        }
        self.first_of_unknown(at, look.kid, caller, refreshes)
    }

    /// Joins a fetch running or wanted, or the refresh that is due; else starts one if the pause is over, even if the
    /// backoff has not ended: a kid never seen is the best evidence that the source is back.
    fn first_of_unknown(&mut self, at: &Moment<'_>, kid: Kid, caller: Caller, refreshes: bool) -> Decision {
        let now = at.now.monotonic;
        if self.is_running() && self.waiters >= MAX_WAITERS {
            let step = self.judge(at, kid, now);
            return Decision { step, start: self.start_if(refreshes, now) };
        }
        if !self.is_running() && !refreshes {
            if !self.pause.is_over(now) {
                return Decision { step: self.judge(at, kid, now), start: None };
            }
            // stamped before the attempt: a source that fails is not asked more often
            self.pause.stamp(now, at.limits.cooldown, at.draw);
        }
        self.waiters += 1;
        self.wait(now, caller)
    }

    /// The answer after the wait, or at once if no wait is wanted. `arrived` is when the token came.
    pub(crate) fn last(&self, at: &Moment<'_>, look: Look, arrived: i64) -> Step {
        match at.in_use() {
            None => Step::Unavailable,
            Some(_) if look.known => Step::Use,
            Some(_) => self.judge(at, look.kid, arrived),
        }
    }

    /// A caller of `refresh`. `force` ignores ttl, pause and backoff, at most once a second.
    pub(crate) fn refresh(&mut self, at: &Moment<'_>, force: bool) -> Refresh {
        let now = at.now.monotonic;
        if let Some(running) = self.running {
            return Refresh::Join(running);
        }
        let wanted = match force {
            true => self.forced_at.is_none_or(|forced| now - forced >= SECOND),
            false => self.wants_fetch() || (self.is_due(at) && at.age() != Age::Fresh),
        };
        if !wanted {
            return Refresh::Nothing;
        }
        if force {
            self.forced_at = Some(now);
        }
        Refresh::Start(self.start(now))
    }

    /// Whether a fetch is wanted that nobody has started yet.
    pub(crate) fn wants_fetch(&self) -> bool {
        self.wanted.is_some()
    }

    /// Somebody looks at `status` or `health`. An instance without a usable key is not ready and gets no requests:
    /// without this it would never fetch again.
    pub(crate) fn look_after(&mut self, at: &Moment<'_>) -> Option<Fetch> {
        let usable = at.in_use().is_some_and(|loaded| loaded.usable);
        let start = !usable && at.age() != Age::Fresh && self.is_due(at);
        self.start_if(start, at.now.monotonic)
    }

    /// The fetch has brought a set. A fetch that was lost changes nothing.
    pub(crate) fn succeeded(&mut self, fetch: Fetch) {
        if self.running == Some(fetch) {
            self.end();
            self.failures = 0;
            self.failed_at = None;
            self.backoff_ends = 0;
        }
    }

    /// The fetch has failed; the last good set stays. A fetch that was lost has failed before and changes nothing.
    pub(crate) fn failed(&mut self, fetch: Fetch, at: &Moment<'_>) {
        if self.running == Some(fetch) {
            self.fail(at.now.monotonic, at);
        }
    }

    /// A set had this kid, and the set that replaces it does not.
    pub(crate) fn withdraw(&mut self, kid: Kid) {
        self.kids.withdraw(kid);
    }

    /// The fetch running.
    pub(crate) fn running(&self) -> Option<Fetch> {
        self.running
    }

    /// When the source was last asked.
    pub(crate) fn last_asked(&self) -> Option<i64> {
        self.last_started.map(|fetch| fetch.since)
    }

    /// Nanoseconds until the next request can start a fetch: if keys are missing after the backoff, for an unknown kid
    /// after its pause, for any token once the set is no longer fresh.
    pub(crate) fn next_attempt(&self, at: &Moment<'_>) -> i64 {
        let allowed = match at.in_use() {
            None => self.allowed(at),
            Some(loaded) => {
                let fresh = loaded.ttl - loaded.nanoseconds(at.now);
                self.pause.ends.min(self.allowed(at).max(at.now.monotonic.saturating_add(fresh)))
            }
        };
        if self.is_running() { 0 } else { (allowed - at.now.monotonic).max(0) }
    }

    /// A fetch that is wanted counts as one running.
    fn is_running(&self) -> bool {
        self.running.is_some() || self.wanted.is_some()
    }

    /// Whether a fetch may start in the background. A wanted fetch does not prevent it: the caller that promised to
    /// run it may never come, and joins if it does.
    fn is_due(&self, at: &Moment<'_>) -> bool {
        self.running.is_none() && at.now.monotonic >= self.allowed(at)
    }

    /// When the backoff ends. One that was drawn for a set in use is cut short when the set expires.
    fn allowed(&self, at: &Moment<'_>) -> i64 {
        match (at.in_use(), self.failed_at) {
            (None, Some(failed_at)) => self.backoff_ends.min(failed_at + LONGEST_BACKOFF_WITHOUT_KEYS),
            _ => self.backoff_ends,
        }
    }

    /// Whether the source is known to fail: the last good keys then answer without another wait.
    fn is_failing(&self, at: &Moment<'_>) -> bool {
        let (now, timeout) = (at.now.monotonic, at.limits.timeout);
        let ttl = at.loaded.map_or(DEFAULT_TTL, |loaded| loaded.ttl);
        let recently = ttl.max(2 * SECOND).saturating_add(timeout);
        self.failed_at.is_some_and(|failed_at| now - failed_at <= recently)
            || self.running.is_some_and(|fetch| now - fetch.since >= timeout.min(ttl / 2))
    }

    /// What is said to a token whose key the set in use does not have.
    /// It is missing for certain only if the set was requested long enough after the kid was first seen.
    fn judge(&self, at: &Moment<'_>, kid: Kid, arrived: i64) -> Step {
        let Some(loaded) = at.in_use() else { return Step::Unavailable };
        let since = self.kids.since(kid).map_or(arrived, |since| since.min(arrived));
        let asked_since = loaded.sent.monotonic >= since.saturating_add(PUBLISHED_WITHIN);
        if !loaded.usable {
            Step::Empty
        } else if asked_since || self.kids.is_withdrawn(kid) {
            Step::NotFound
        } else {
            Step::Unavailable
        }
    }

    /// The caller waits for the fetch running; if there is none it starts one, or promises to.
    fn wait(&mut self, now: i64, caller: Caller) -> Decision {
        let mut start = None;
        if self.running.is_none() {
            match caller {
                Caller::Blocking => start = self.start_if(true, now),
                // the last one counts: those before may have gone
                Caller::TwoStep => self.wanted = Some(now),
            }
        }
        Decision { step: Step::Wait, start }
    }

    /// Starts a fetch; if that is the host's part, it is wanted from now on.
    fn start_if(&mut self, condition: bool, now: i64) -> Option<Fetch> {
        if condition && self.by_host {
            self.wanted = Some(now);
        }
        (condition && !self.by_host).then(|| self.start(now))
    }

    fn start(&mut self, now: i64) -> Fetch {
        let number = self.last_started.map_or(0, |last| last.number + 1);
        let fetch = Fetch { number, since: now };
        self.running = Some(fetch);
        self.last_started = Some(fetch);
        self.wanted = None;
        fetch
    }

    fn fail(&mut self, failed_at: i64, at: &Moment<'_>) {
        self.end();
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(failed_at);
        self.backoff_ends = failed_at + backoff(self.failures, at.in_use(), at.draw);
    }

    fn end(&mut self) {
        self.running = None;
        self.waiters = 0;
    }
}

/// 1 s doubling to half of the ttl, at most 60 s; to 5 s while no set is in use. The draw takes 0.5 to 1 of that, at
/// least 1 s.
fn backoff(failures: u32, in_use: Option<Loaded>, draw: f64) -> i64 {
    let longest = in_use.map_or(LONGEST_BACKOFF_WITHOUT_KEYS, |loaded| (loaded.ttl / 2).min(LONGEST_BACKOFF));
    let doubled = SECOND << failures.saturating_sub(1).min(6);
    scaled(doubled.min(longest), 0.5 + draw / 2.0).max(SECOND)
}

#[cfg(test)]
#[path = "../tests/policy/mod.rs"]
mod tests;
