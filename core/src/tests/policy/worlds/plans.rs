//! Random worlds: what happens in them, and the smallest one that breaks a promise.

use super::*;

const WORLDS: u64 = 300;

/// Makes worlds, runs each both ways, and complains about the first in which the promise does not hold.
pub(super) fn holds(promise: fn(&World) -> Option<String>, plan: fn(&mut Random) -> Plan) {
    let broken = |plan: &Plan| {
        [false, true].into_iter().find_map(|by_host| {
            let world = World::run(plan, by_host);
            let why = world.complaint.clone().or_else(|| promise(&world))?;
            Some(if by_host { format!("by the host: {why}") } else { why })
        })
    };
    for seed in 0..WORLDS {
        let plan = plan(&mut Random::new(seed));
        if broken(&plan).is_some() {
            let smallest = shrink(plan, &broken);
            let why = broken(&smallest).unwrap_or_default();
            panic!("world {seed}: {why}\nthe smallest such world: {}", describe(&smallest));
        }
    }
}

/// Drops events for as long as the promise stays broken.
fn shrink(mut plan: Plan, broken: &impl Fn(&Plan) -> Option<String>) -> Plan {
    let mut piece = plan.events.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < plan.events.len() {
            let mut smaller = plan.clone();
            smaller.events.drain(at..(at + piece).min(plan.events.len()));
            match broken(&smaller) {
                Some(_) => plan = smaller,
                None => at += piece,
            }
        }
        piece /= 2;
    }
    plan
}

/// One event a line, each after the time at which it happens.
fn describe(plan: &Plan) -> String {
    let mut text = format!("{:?}", plan.limits);
    let mut now = 0;
    for (_, event) in &plan.events {
        match event {
            Event::Idle(time) => now += time,
            event => text += &format!("\n{now:>16} {event:?}"),
        }
    }
    text + &format!("\n{now:>16} the end")
}

/// Events in the order in which they are added.
pub(super) struct Planner<'r> {
    pub(super) plan: Plan,
    pub(super) random: &'r mut Random,
    /// How callers wait.
    pub(super) manner: fn(&mut Random) -> Manner,
}

impl<'r> Planner<'r> {
    pub(super) fn new(random: &'r mut Random) -> Self {
        let small = random.below(2) == 0;
        let range =
            |random: &mut Random, most: i64| random.between(1, if small { most.min(12) } else { most }) * SECOND;
        let limits = Limits {
            cache_ttl: Some(range(random, 3600)),
            timeout: range(random, 60),
            cooldown: range(random, 3600),
            max_stale: random.of(&[0, 10, 1000, 100_000]) * SECOND,
        };
        let mut planner = Self { plan: Plan { limits, events: Vec::new() }, random, manner: any_manner };
        planner.add(Event::Idle(SECOND * 3600));
        planner
    }

    pub(super) fn ttl(&self) -> i64 {
        self.plan.limits.cache_ttl.unwrap_or_default()
    }

    pub(super) fn add(&mut self, event: Event) {
        let seed = self.random.below(i64::MAX).unsigned_abs();
        self.plan.events.push((seed, event));
    }

    pub(super) fn good(&mut self) {
        let manner = (self.manner)(self.random);
        self.add(Event::Call(Signer::Pomerium, manner));
    }

    /// The keys are there, as in an application that has started well.
    pub(super) fn load(&mut self) {
        self.add(Event::Source(Source::Answers(10)));
        self.add(Event::Force);
        self.add(Event::Idle(self.plan.limits.timeout / 50));
    }

    /// Good tokens for so long, with pauses of at most so long between.
    pub(super) fn traffic(&mut self, time: i64, pause: i64) {
        let mut passed = 0;
        while passed < time {
            let next = self.random.between(pause / 2, pause);
            self.good();
            self.add(Event::Idle(next));
            passed += next;
        }
    }

    pub(super) fn any_source(&mut self) {
        let time = self.random.of(&[1, 100, 400, 900, 1000]);
        let source =
            self.random.of(&[Source::Answers(time), Source::Answers(time), Source::Fails(time), Source::Hangs]);
        self.add(Event::Source(source));
    }

    /// No answer takes longer than this.
    pub(super) fn answers_within(&mut self, longest: i64) {
        let longest = (longest.saturating_mul(1000) / self.plan.limits.timeout).min(1000);
        for (_, event) in &mut self.plan.events {
            if let Event::Source(Source::Answers(time)) = event {
                *time = (*time).min(longest);
            }
        }
    }

    pub(super) fn junk(&mut self) {
        for _ in 0..self.random.of(&[1, 3, 80]) {
            let (number, manner) = (self.random.below(100).unsigned_abs(), any_manner(self.random));
            self.add(Event::Call(Signer::Stranger(number), manner));
        }
    }

    /// What does not touch the keys of Pomerium.
    pub(super) fn anything(&mut self) {
        match self.random.below(10) {
            0..4 => self.any_source(),
            4 | 5 => self.junk(),
            6 => self.add(Event::Status),
            7 => self.add(Event::Force),
            _ => {}
        }
    }

    pub(super) fn idle(&mut self) {
        let ttl = self.ttl();
        let longest = self.random.of(&[SECOND, ttl / 3, ttl, 3 * ttl, 2 * ttl + self.plan.limits.max_stale]);
        let time = self.random.below(longest);
        self.add(Event::Idle(time));
    }
}

pub(super) fn any_manner(random: &mut Random) -> Manner {
    let time = random.below(1500);
    random.of(&[Manner::Blocking, Manner::Blocking, Manner::TwoStep(time), Manner::Abandons])
}

/// One who does what was promised, and in time.
pub(super) fn patient(random: &mut Random) -> Manner {
    let time = random.below(900);
    random.of(&[Manner::Blocking, Manner::Blocking, Manner::TwoStep(time)])
}

pub(super) fn blocking(_: &mut Random) -> Manner {
    Manner::Blocking
}

/// A set that is asked for is not expired when it comes: so it is with every ttl that Cache-Control can give.
pub(super) fn lasting(plan: &mut Plan) {
    let limits = &mut plan.limits;
    limits.cache_ttl = limits.cache_ttl.map(|ttl| ttl.max(limits.timeout));
}

/// Everything that can happen, in any order.
pub(super) fn chaos(random: &mut Random) -> Plan {
    let mut planner = Planner::new(random);
    for _ in 0..60 {
        planner.idle();
        planner.anything();
        let rotation = planner.random.of(&[
            None,
            None,
            Some(Event::Rotate),
            Some(Event::Append),
            Some(Event::Swap),
            Some(Event::Drop),
            Some(Event::Withdraw),
        ]);
        rotation.into_iter().for_each(|event| planner.add(event));
        for _ in 0..planner.random.below(4) {
            let signer = planner.random.of(&[Signer::Pomerium, Signer::Pomerium, Signer::Thief]);
            let manner = any_manner(planner.random);
            planner.add(Event::Call(signer, manner));
        }
    }
    planner.plan
}
