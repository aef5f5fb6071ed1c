//! What the rules promise, each in 300 random worlds. A failure prints the smallest world that still breaks the promise.

use super::{plans::*, *};

/// The world itself complains about two.
#[test]
fn at_most_one_fetch_is_running() {
    holds(|world| world.attempts.is_empty().then(|| "nothing was fetched".to_owned()), chaos);
}

#[test]
fn every_wait_ends_within_timeout() {
    let promise = |world: &World| {
        let fetch = |call: &Call| world.attempts.iter().find(|attempt| Some(attempt.fetch) == call.waited_for).cloned();
        world.calls.iter().find_map(|call| {
            let (fetch, ended) = (fetch(call)?, call.ended?);
            let late = ended > fetch.ends || ended > fetch.fetch.since + world.limits.timeout;
            late.then(|| format!("a wait that outlasts its fetch: {call:?}"))
        })
    };
    holds(promise, chaos);
}

/// Unless the source takes longer than a ttl to answer: then there is no time to fetch before the set is old.
#[test]
fn under_steady_traffic_nobody_waits() {
    let promise = |world: &World| {
        let good = world.calls.iter().filter(|call| call.is_good());
        let mut before = 0;
        for call in good {
            if before > 0 && call.arrived - before > world.loaded?.ttl / 2 {
                return None; // the traffic is not steady
            }
            before = call.arrived;
            if call.known && call.age != Age::Expired && (call.ended != Some(call.arrived) || call.step != Step::Use) {
                return Some(format!("waited: {call:?}"));
            }
        }
        None
    };
    holds(promise, |random| {
        let mut planner = Planner::new(random);
        planner.load();
        for _ in 0..40 {
            let ttl = planner.ttl();
            let time = planner.random.below(ttl);
            planner.traffic(time, ttl / 6);
            planner.anything();
        }
        planner.answers_within(planner.ttl() * 7 / 10);
        planner.plan
    });
}

/// Steps, each seen by all before the next: what Pomerium documents.
#[test]
fn a_rotation_by_steps_refuses_nothing_while_the_source_answers() {
    let promise = |world: &World| {
        let refused =
            world.calls.iter().find(|call| call.is_good() && call.ended.is_some() && call.step != Step::Use)?;
        Some(format!("refused: {refused:?}"))
    };
    holds(promise, |random| {
        let mut planner = Planner { manner: blocking, ..Planner::new(random) };
        lasting(&mut planner.plan);
        planner.load();
        for event in [Event::Append, Event::Swap, Event::Drop, Event::Append, Event::Swap, Event::Drop] {
            planner.add(event);
            let time = planner.random.between(1, 1000);
            planner.add(Event::Source(Source::Answers(time)));
            let (ttl, timeout) = (planner.ttl(), planner.plan.limits.timeout);
            planner.traffic(2 * ttl + 2 * timeout, ttl / 2);
        }
        planner.plan
    });
}

/// The verifications that used a key which was withdrawn more than 2 ttl before.
fn used_for_too_long(world: &World) -> impl Iterator<Item = (&Call, i64)> {
    world.calls.iter().filter_map(|call| {
        let (ended, withdrawn) = (call.ended?, *world.withdrawn.get(&call.key)?);
        let longest = 2 * call.loaded?.ttl;
        (call.step == Step::Use && ended > withdrawn + longest).then_some((call, ended))
    })
}

#[test]
fn a_withdrawn_key_dies_within_two_ttl_while_the_source_answers_within_half_a_ttl() {
    let promise =
        |world: &World| used_for_too_long(world).next().map(|(call, _)| format!("used for too long: {call:?}"));
    holds(promise, |random| {
        let mut planner = Planner::new(random);
        planner.load();
        for _ in 0..60 {
            let time = planner.random.between(1, 1000);
            planner.add(Event::Source(Source::Answers(time)));
            planner.idle();
            if planner.random.below(4) == 0 {
                planner.add(Event::Withdraw);
                planner.add(Event::Swap);
            }
            let manner = any_manner(planner.random);
            planner.add(Event::Call(Signer::Thief, manner));
            planner.good();
        }
        planner.answers_within(planner.ttl() * 7 / 10 / 2);
        planner.plan
    });
}

#[test]
fn else_a_withdrawn_key_dies_a_ttl_and_a_timeout_after_the_last_fetch_that_failed_or_was_slow() {
    let promise = |world: &World| {
        let timeout = world.limits.timeout;
        used_for_too_long(world).find_map(|(call, ended)| {
            let ttl = call.loaded?.ttl;
            let excused = world.attempts.iter().any(|attempt| {
                let since = ended - attempt.ends;
                let failed = attempt.brings.is_none() && (0..=ttl.max(2 * SECOND) + timeout).contains(&since);
                let slow = since <= 0 && ended - attempt.fetch.since >= timeout.min(ttl / 2);
                failed || slow
            });
            (!excused).then(|| format!("used for too long: {call:?}"))
        })
    };
    holds(promise, chaos);
}

#[test]
fn a_hanging_source_costs_one_wait_and_another_after_every_pause_longer_than_half_a_ttl() {
    let promise = |world: &World| {
        let ttl = world.loaded?.ttl;
        let mut busy_until = i64::MIN;
        let mut paused = true;
        let mut waited_for = None;
        for call in &world.calls {
            paused |= call.arrived.saturating_sub(busy_until) > ttl / 2;
            busy_until = busy_until.max(call.ended.unwrap_or(call.arrived));
            if !call.is_good() || call.age == Age::Expired || call.waited_for.is_none() {
                continue;
            }
            if call.waited() > world.limits.timeout {
                return Some(format!("waited for longer than timeout: {call:?}"));
            }
            if call.waited_for != waited_for && !paused {
                return Some(format!("waited once more: {call:?}"));
            }
            (waited_for, paused) = (call.waited_for, false);
        }
        None
    };
    holds(promise, |random| {
        let mut planner = Planner { manner: blocking, ..Planner::new(random) };
        planner.load();
        planner.add(Event::Source(Source::Hangs));
        for _ in 0..30 {
            planner.idle();
            let ttl = planner.ttl() * 7 / 10;
            let time = planner.random.below(3 * ttl);
            planner.traffic(time, ttl / 3);
            if planner.random.below(4) == 0 {
                planner.junk();
            }
        }
        planner.plan
    });
}

/// A source that answers, fails in several ways, and answers again.
fn outage(random: &mut Random, rotates: bool) -> Plan {
    let mut planner = Planner { manner: patient, ..Planner::new(random) };
    lasting(&mut planner.plan);
    if rotates && planner.random.below(2) == 0 {
        // a backoff that is much longer than a pause and a fetch
        let limits = &mut planner.plan.limits;
        limits.cache_ttl = limits.cache_ttl.map(|ttl| ttl.max(120 * SECOND));
        limits.cooldown = limits.cooldown.min(2 * SECOND);
        limits.timeout = limits.timeout.min(2 * SECOND);
    }
    planner.load();
    let ttl = planner.ttl();
    let time = planner.random.below(3 * ttl);
    planner.traffic(time, ttl / 6);
    if planner.random.below(2) == 0 {
        planner.idle();
    }
    if rotates && planner.random.below(2) == 0 {
        planner.add(Event::Rotate);
    }
    let longest = planner.random.of(&[ttl, 4 * ttl, planner.plan.limits.max_stale.min(100 * ttl)]);
    for _ in 0..10 {
        let time = planner.random.of(&[1, 300, 1000]);
        let source = planner.random.of(&[Source::Fails(time), Source::Hangs]);
        planner.add(Event::Source(source));
        let time = planner.random.below(longest / 10 + 1);
        let pause = planner.random.of(&[ttl / 6, ttl, 3 * ttl]).max(longest / 200);
        planner.traffic(time, pause);
    }
    if rotates {
        planner.add(Event::Rotate);
    }
    let time = planner.random.between(1, 1000);
    planner.add(Event::Source(Source::Answers(time)));
    let pause = planner.random.of(&[SECOND / 5, SECOND, ttl]);
    let longest = planner.plan.limits.cooldown * 3 / 2 + 3 * planner.plan.limits.timeout + 20 * SECOND;
    planner.traffic(longest, pause.max(longest / 200));
    planner.plan
}

/// The first outage: its beginning, the age of the set in use then, and its end.
fn outage_of(world: &World) -> Option<(i64, Age, i64)> {
    let answers = |change: &&Change| matches!(change.source, Source::Answers(_));
    let began = world.changes.iter().find(|change| !answers(change))?;
    let ended = world.changes.iter().filter(answers).find(|change| change.at >= began.at && change.at > 0);
    let ended = ended.filter(|ended| ended.at > began.at);
    Some((began.at, began.age, ended.map_or(world.now, |ended| ended.at)))
}

fn refused(call: &&Call) -> bool {
    call.is_good() && call.ended.is_some() && call.step != Step::Use
}

#[test]
fn no_good_token_is_refused_in_an_outage_shorter_than_max_stale_less_timeout() {
    let promise = |world: &World| {
        let (began, age, ended) = outage_of(world)?;
        let over = ended.min(began + world.limits.max_stale - world.limits.timeout);
        let during = |call: &&Call| (began..over).contains(&call.arrived) && matches!(age, Age::Fresh | Age::Aging);
        let call = world.calls.iter().filter(during).find(refused)?;
        Some(format!("refused in the outage from {began} to {ended}: {call:?}"))
    };
    holds(promise, |random| outage(random, false));
}

#[test]
fn after_an_outage_that_ends_with_another_key_good_tokens_are_refused_for_at_most_a_pause_and_a_fetch() {
    let promise = |world: &World| {
        let (_, _, ended) = outage_of(world)?;
        let after = |call: &&Call| call.arrived >= ended;
        let expired = world.calls.iter().filter(after).any(|call| call.age == Age::Expired);
        let pause = world.limits.cooldown * 3 / 2;
        let bound = world.limits.timeout + if expired { pause.max(5 * SECOND) } else { pause };
        let late = |call: &&Call| call.arrived >= ended + bound;
        let call = world.calls.iter().filter(late).find(refused)?;
        Some(format!("refused, though the outage ended at {ended}: {call:?}"))
    };
    holds(promise, |random| outage(random, true));
}

#[test]
fn unknown_kids_cause_one_fetch_a_cooldown_and_a_handful_more_after_a_quiet_time() {
    let promise = |world: &World| {
        let cooldown = world.limits.cooldown;
        let handful = 2 + i64::from((cooldown / SECOND).ilog2());
        let busy = world.stamps.chunk_by(|before, after| after - before <= 2 * cooldown);
        busy.filter_map(|stamps| Some((stamps.len() as i64, stamps.last()? - stamps.first()?))).find_map(
            |(fetches, time)| {
                let allowed = handful + time / cooldown;
                (fetches > allowed).then(|| format!("{fetches} fetches in {time} ns, {allowed} are allowed"))
            },
        )
    };
    holds(promise, |random| {
        let mut planner = Planner::new(random);
        planner.load();
        for _ in 0..100 {
            let cooldown = planner.plan.limits.cooldown;
            let longest = planner.random.of(&[SECOND, SECOND, cooldown / 2, cooldown, 5 * cooldown]);
            let time = planner.random.below(longest);
            planner.add(Event::Idle(time));
            planner.any_source();
            planner.junk();
        }
        planner.plan
    });
}

#[test]
fn a_source_that_answers_within_timeout_always_loads() {
    let promise = |world: &World| {
        let answered = world.attempts.iter().rev().find(|attempt| attempt.brings.is_some())?;
        if world.loaded.map(|loaded| loaded.sent.monotonic) != Some(answered.fetch.since) {
            return Some(format!("not loaded: {answered:?}"));
        }
        world.calls.iter().filter(|call| call.waited_for.is_some()).find_map(|call| {
            let fetch = world.attempts.iter().find(|attempt| Some(attempt.fetch) == call.waited_for)?;
            let has_key = fetch.brings.as_ref().is_some_and(|keys| keys.contains(&call.key));
            (has_key && call.ended.is_some() && call.step != Step::Use).then(|| format!("in vain: {call:?}, {fetch:?}"))
        })
    };
    holds(promise, |random| {
        let mut plan = chaos(random);
        lasting(&mut plan);
        for (_, event) in &mut plan.events {
            if let Event::Source(Source::Answers(time)) = event {
                *time = 1000; // at the last moment
            }
        }
        plan
    });
}

/// Beyond the promises: what a call says does not depend on how it waits, while the source answers.
#[test]
fn an_application_that_starts_while_the_source_answers_refuses_nothing() {
    let promise = |world: &World| world.calls.iter().find(refused).map(|call| format!("refused: {call:?}"));
    holds(promise, |random| {
        let mut planner = Planner { manner: patient, ..Planner::new(random) };
        lasting(&mut planner.plan);
        for _ in 0..20 {
            let time = planner.random.between(1, 1000);
            planner.add(Event::Source(Source::Answers(time)));
            planner.idle();
            planner.good();
            planner.good();
        }
        planner.plan
    });
}

#[test]
fn a_host_that_is_stopped_in_the_middle_of_a_fetch_holds_nobody() {
    let promise = |world: &World| {
        let held = world.calls.iter().find(|call| call.ended.is_some() && call.waited() > world.limits.timeout);
        let back = world.changes.last().filter(|change| matches!(change.source, Source::Answers(_)))?;
        let recovered = back.at + world.limits.timeout + 6 * SECOND;
        let last = world.calls.last().filter(|call| call.step != Step::Use && call.arrived >= recovered);
        held.or(last).map(|call| format!("held, or without keys at last: {call:?}"))
    };
    holds(promise, |random| {
        let mut planner = Planner { manner: blocking, ..Planner::new(random) };
        lasting(&mut planner.plan);
        for _ in 0..40 {
            let source = planner.random.of(&[Source::Stops, Source::Answers(100), Source::Hangs]);
            planner.add(Event::Source(source));
            planner.idle();
            planner.good();
            planner.good();
        }
        planner.add(Event::Source(Source::Answers(100)));
        planner.add(Event::Idle(planner.plan.limits.timeout + 6 * SECOND));
        planner.good();
        planner.plan
    });
}

#[test]
fn a_fleet_of_a_hundred_does_not_fetch_in_step() {
    for by_host in [false, true] {
        fleet(by_host);
    }
}

fn fleet(by_host: bool) {
    const CYCLE: i64 = 60 * SECOND;
    let limits =
        Limits { cache_ttl: Some(CYCLE), timeout: 3 * SECOND, cooldown: 10 * SECOND, max_stale: 3600 * SECOND };
    let mut fetches = Vec::new();
    for member in 0..100 {
        let mut random = Random::new(member);
        let plan = Plan { limits: limits.clone(), events: Vec::new() };
        let mut planner = Planner { plan, random: &mut random, manner: blocking };
        planner.add(Event::Idle(SECOND));
        planner.add(Event::Force);
        planner.add(Event::Idle(10 * SECOND));
        planner.add(Event::Rotate);
        planner.traffic(5 * CYCLE, SECOND);
        let world = World::run(&planner.plan, by_host);
        fetches.extend(world.attempts.iter().map(|attempt| attempt.fetch.since));
    }
    let busiest = |from: i64, to: i64| {
        let mut seconds = BTreeMap::<i64, usize>::new();
        let within = fetches.iter().filter(|since| (from..to).contains(*since));
        within.for_each(|since| *seconds.entry(since / SECOND).or_default() += 1);
        seconds.values().copied().max().unwrap_or_default()
    };
    let rotation = 11 * SECOND;
    assert!(busiest(rotation, rotation + 2 * SECOND) >= 80, "the rotation makes all fetch at once");
    let later = busiest(rotation + 3 * CYCLE, rotation + 4 * CYCLE);
    assert!((1..=20).contains(&later), "{later} of 100 fetched in one second");
}
