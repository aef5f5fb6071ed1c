//! An application, its callers and a key source on a simulated clock. `promises.rs` makes worlds of it.

use std::collections::BTreeMap;

use super::*;

mod plans;
mod promises;

/// What a key source does with the fetches that start now. Times are in thousandths of `timeout`.
#[derive(Debug, Clone, Copy)]
enum Source {
    Answers(i64),
    Fails(i64),
    Hangs,
    /// The fetch answers long after its timeout, as on a host that is stopped.
    Stops,
}

/// Who signed a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signer {
    /// Pomerium, with the key that it signs with now.
    Pomerium,
    /// A thief, with the key that was withdrawn last.
    Thief,
    /// A stranger, with one of many keys.
    Stranger(u64),
}

/// How a caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Blocking,
    /// Calls `refresh` after so many thousandths of `timeout`.
    TwoStep(i64),
    /// Promises to, and goes away.
    Abandons,
}

/// What happens in a world.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// Nothing, for so many nanoseconds.
    Idle(i64),
    Source(Source),
    /// A new key, alone from now on.
    Rotate,
    /// A new key that does not sign yet; the newest key signs; the keys that do not sign go.
    Append,
    Swap,
    Drop,
    /// The key that signs goes, and another one comes that does not sign.
    Withdraw,
    Call(Signer, Manner),
    Force,
    Status,
}

/// A world before it begins. Each event has its own random numbers, which no earlier event changes.
#[derive(Debug, Clone)]
struct Plan {
    limits: Limits,
    events: Vec<(u64, Event)>,
}

/// xorshift64: the same numbers for the same seed.
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        let mut random = Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.below(2);
        random
    }

    fn below(&mut self, limit: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % limit.max(1).unsigned_abs()) as i64
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        least + self.below(most - least + 1)
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as i64) as usize]
    }

    fn draw(&mut self) -> f64 {
        self.below(1001) as f64 / 1000.0
    }
}

/// One verification.
#[derive(Debug, Clone, Copy)]
struct Call {
    signer: Signer,
    key: u64,
    arrived: i64,
    /// When it was answered; a caller that went away never is.
    ended: Option<i64>,
    step: Step,
    /// How old the set in use was when the token came, and whether it had the key.
    age: Age,
    known: bool,
    /// The set in use when the token was answered.
    loaded: Option<Loaded>,
    /// The fetch it waited for.
    waited_for: Option<Fetch>,
}

impl Call {
    fn is_good(&self) -> bool {
        self.signer == Signer::Pomerium
    }

    fn waited(&self) -> i64 {
        self.ended.map_or(0, |ended| ended - self.arrived)
    }
}

/// One fetch.
#[derive(Debug, Clone)]
struct Attempt {
    fetch: Fetch,
    ends: i64,
    /// The keys it brings, if it brings any.
    brings: Option<Vec<u64>>,
}

/// What the source does has changed.
#[derive(Debug, Clone, Copy)]
struct Change {
    at: i64,
    source: Source,
    /// Of the set in use.
    age: Age,
}

enum Task {
    FetchEnds(usize),
    WaitsEnd(usize),
    Refreshes(usize),
}

struct World {
    /// The host runs the fetches: it starts one when a call wants it.
    by_host: bool,
    limits: Limits,
    now: i64,
    random: Random,
    state: State,
    loaded: Option<Loaded>,
    keys: Vec<u64>,
    source: Source,
    published: Vec<u64>,
    signing: u64,
    newest: u64,
    /// When each key ceased to be published.
    withdrawn: BTreeMap<u64, i64>,
    tasks: BTreeMap<(i64, u64), Task>,
    scheduled: u64,
    waiting: Vec<usize>,
    calls: Vec<Call>,
    attempts: Vec<Attempt>,
    /// When a fetch was started, or wanted, for an unknown kid.
    stamps: Vec<i64>,
    changes: Vec<Change>,
    complaint: Option<String>,
}

impl World {
    fn new(limits: Limits, by_host: bool) -> Self {
        Self {
            by_host,
            limits,
            now: 0,
            random: Random::new(0),
            state: if by_host { State::by_host() } else { State::default() },
            loaded: None,
            keys: Vec::new(),
            source: Source::Answers(10),
            published: vec![0],
            signing: 0,
            newest: 0,
            withdrawn: BTreeMap::new(),
            tasks: BTreeMap::new(),
            scheduled: 0,
            waiting: Vec::new(),
            calls: Vec::new(),
            attempts: Vec::new(),
            stamps: Vec::new(),
            changes: Vec::new(),
            complaint: None,
        }
    }

    /// All that happens in a world, and then what still runs.
    fn run(plan: &Plan, by_host: bool) -> Self {
        let mut world = Self::new(plan.limits.clone(), by_host);
        for (seed, event) in &plan.events {
            world.random = Random::new(*seed);
            world.happen(*event);
        }
        world.pass(world.limits.timeout * 3);
        world
    }

    fn complain(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        self.complaint.get_or_insert_with(|| format!("at {now}: {}", what()));
    }

    fn clock(&self) -> Now {
        // the wall clock's seconds do not change with the monotonic ones
        Now { monotonic: self.now, unix: (self.now + SECOND / 3) / SECOND }
    }

    fn with_state<T>(&mut self, work: impl FnOnce(&mut State, &Moment<'_>) -> T) -> T {
        let (now, draw) = (self.clock(), self.random.draw());
        let at = Moment { limits: &self.limits, loaded: self.loaded, now, draw };
        self.state.settle(&at);
        work(&mut self.state, &at)
    }

    fn schedule(&mut self, when: i64, task: Task) {
        self.scheduled += 1;
        self.tasks.insert((when, self.scheduled), task);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Idle(time) => self.pass(time),
            Event::Source(source) => {
                let (at, age) = (self.now, self.with_state(|_, at| at.age()));
                self.source = source;
                self.changes.push(Change { at, source, age });
            }
            Event::Rotate => {
                self.add_key();
                self.signing = self.newest;
                self.publish(vec![self.newest]);
            }
            Event::Append => self.add_key(),
            Event::Swap => self.signing = self.newest,
            Event::Drop => self.publish(self.published.iter().copied().filter(|key| *key == self.signing).collect()),
            Event::Withdraw => {
                self.add_key();
                self.publish(vec![self.newest]);
            }
            Event::Call(signer, manner) => self.call(signer, manner),
            Event::Force => {
                if let Refresh::Start(fetch) = self.with_state(|state, at| state.refresh(at, true)) {
                    self.start(fetch);
                }
            }
            Event::Status => {
                if let Some(fetch) = self.with_state(|state, at| state.look_after(at)) {
                    self.start(fetch);
                }
                self.host_starts();
            }
        }
    }

    /// What a host does after each answer.
    fn host_starts(&mut self) {
        if self.by_host
            && self.state.wants_fetch()
            && let Refresh::Start(fetch) = self.with_state(|state, at| state.refresh(at, false))
        {
            self.start(fetch);
        }
    }

    fn add_key(&mut self) {
        self.newest += 1;
        self.published.push(self.newest);
    }

    fn publish(&mut self, keys: Vec<u64>) {
        let gone: Vec<u64> = self.published.iter().copied().filter(|key| !keys.contains(key)).collect();
        self.withdrawn.extend(gone.into_iter().map(|key| (key, self.now)));
        self.published = keys;
    }

    fn pass(&mut self, time: i64) {
        let end = self.now + time;
        while let Some(entry) = self.tasks.first_entry().filter(|entry| entry.key().0 <= end) {
            self.now = entry.key().0;
            match entry.remove() {
                Task::FetchEnds(attempt) => self.fetch_ends(attempt),
                Task::WaitsEnd(attempt) => self.end_waits(self.attempts[attempt].fetch),
                Task::Refreshes(call) => self.second_step(call),
            }
        }
        self.now = end;
    }

    fn start(&mut self, fetch: Fetch) {
        let lost = self.now - self.limits.timeout - SECOND;
        if self.attempts.last().is_some_and(|last| last.ends > self.now && last.fetch.since >= lost) {
            self.complain(|| "two fetches are running".to_owned());
        }
        let of_timeout = |thousandths: i64| (self.limits.timeout / 1000 * thousandths).min(self.limits.timeout);
        let (lasts, good) = match self.source {
            Source::Answers(time) => (of_timeout(time), true),
            Source::Fails(time) => (of_timeout(time), false),
            Source::Hangs => (self.limits.timeout, false),
            Source::Stops => (3 * self.limits.timeout + 5 * SECOND, true),
        };
        let brings = good.then(|| self.published.clone());
        let attempt = self.attempts.len();
        self.attempts.push(Attempt { fetch, ends: self.now + lasts, brings });
        self.schedule(self.now + lasts, Task::FetchEnds(attempt));
        self.schedule(self.now + self.limits.timeout, Task::WaitsEnd(attempt));
    }

    fn fetch_ends(&mut self, attempt: usize) {
        let Attempt { fetch, brings, .. } = self.attempts[attempt].clone();
        let newest = self.loaded.is_none_or(|loaded| fetch.since > loaded.sent.monotonic);
        match brings {
            Some(_) if self.state.running() != Some(fetch) && !newest => {}
            Some(keys) => {
                let usable = !keys.is_empty();
                let ttl = self.limits.ttl(None, usable, self.random.draw());
                let sent = Now { monotonic: fetch.since, unix: (fetch.since + SECOND / 3) / SECOND };
                self.loaded = Some(Loaded { sent, ttl, usable });
                for key in std::mem::replace(&mut self.keys, keys) {
                    if !self.keys.contains(&key) {
                        self.state.withdraw(Kid(key));
                    }
                }
                self.state.succeeded(fetch);
            }
            None => {
                let (now, draw) = (self.clock(), self.random.draw());
                let at = Moment { limits: &self.limits, loaded: self.loaded, now, draw };
                self.state.failed(fetch, &at);
            }
        }
        self.end_waits(fetch);
    }

    fn end_waits(&mut self, fetch: Fetch) {
        let waiting = std::mem::take(&mut self.waiting);
        let (ended, waiting) = waiting.into_iter().partition(|call| self.calls[*call].waited_for == Some(fetch));
        self.waiting = waiting;
        ended.into_iter().for_each(|call: usize| self.last(call));
    }

    /// The first look at a token.
    fn call(&mut self, signer: Signer, manner: Manner) {
        let key = match signer {
            Signer::Pomerium => self.signing,
            Signer::Thief => self.withdrawn.keys().next_back().copied().unwrap_or(1_000_000),
            Signer::Stranger(number) => 1_000_000 + number,
        };
        let known = self.keys.contains(&key);
        let look = Look { kid: Kid(key), known };
        let blocking = manner == Manner::Blocking && !self.by_host;
        let caller = if blocking { Caller::Blocking } else { Caller::TwoStep };
        let pause = self.state.pause;
        let (Decision { step, start }, age) = self.with_state(|state, at| (state.first(at, look, caller), at.age()));
        if self.state.pause != pause {
            self.stamps.push(self.now);
        }
        let (arrived, loaded) = (self.now, self.loaded);
        let ended = (step != Step::Wait).then_some(self.now);
        let call = Call { signer, key, arrived, ended, step, age, known, loaded, waited_for: None };
        self.calls.push(call);
        if start.is_some() && self.by_host {
            self.complain(|| "a fetch was started which is the host's part".to_owned());
        }
        if let Some(fetch) = start {
            self.start(fetch);
        }
        if step != Step::Wait {
            self.host_starts();
        }
        let call = self.calls.len() - 1;
        match (step, manner) {
            (Step::Wait, Manner::Blocking) if self.by_host => self.second_step(call),
            (Step::Wait, Manner::Blocking) => self.wait(call),
            (Step::Wait, Manner::TwoStep(time)) => {
                self.schedule(self.now + self.limits.timeout / 1000 * time, Task::Refreshes(call));
            }
            _ => {}
        }
    }

    fn wait(&mut self, call: usize) {
        match self.state.running() {
            Some(fetch) => {
                self.calls[call].waited_for = Some(fetch);
                match fetch.since + self.limits.timeout > self.now {
                    true => self.waiting.push(call),
                    false => self.last(call), // it should have ended by now
                }
            }
            None => self.complain(|| "somebody waits for nothing".to_owned()),
        }
    }

    /// `refresh(false)`, then the call with the ticket.
    fn second_step(&mut self, call: usize) {
        match self.with_state(|state, at| state.refresh(at, false)) {
            Refresh::Nothing => self.last(call),
            Refresh::Join(_) => self.wait(call),
            Refresh::Start(fetch) => {
                self.start(fetch);
                self.wait(call);
            }
        }
    }

    fn last(&mut self, call: usize) {
        let Call { key, arrived, .. } = self.calls[call];
        let look = Look { kid: Kid(key), known: self.keys.contains(&key) };
        let step = self.with_state(|state, at| state.last(at, look, arrived));
        let (now, loaded) = (self.now, self.loaded);
        let call = &mut self.calls[call];
        (call.step, call.ended, call.loaded) = (step, Some(now), loaded);
    }
}
