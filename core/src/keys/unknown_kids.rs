//! Kids that the set in use does not have: since when each is asked for, which were withdrawn, and the pause between the
//! fetches that they cause. One pause covers them all; `policy.rs` has the decisions.
//!
//! A kid is remembered as a hash, keyed at random for each process: what strangers send takes little memory and cannot
//! be made to collide.

use std::collections::VecDeque;

use super::ttl::scaled;
use crate::clock::SECOND;

/// At most this many kids of either sort are remembered. A flood must not take memory.
const REMEMBERED: usize = 64;

/// A token's kid and algorithm, hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kid(pub(crate) u64);

/// Kids that were asked for without success, and kids of earlier sets. Times are monotonic nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Kids {
    /// The least recently asked first.
    asked: VecDeque<(Kid, i64)>,
    /// The longest withdrawn first.
    withdrawn: VecDeque<Kid>,
}

impl Kids {
    /// A token with this kid has arrived, and no key matches it.
    pub(super) fn ask(&mut self, kid: Kid, now: i64) {
        let since = self.since(kid).unwrap_or(now);
        self.asked.retain(|(other, _)| *other != kid);
        self.asked.push_back((kid, since));
        if self.asked.len() > REMEMBERED {
            self.asked.pop_front();
        }
    }

    /// When the kid was first asked for, if that is remembered.
    pub(super) fn since(&self, kid: Kid) -> Option<i64> {
        self.asked.iter().find(|(other, _)| *other == kid).map(|(_, since)| *since)
    }

    /// A set had the kid, and the set that replaces it does not.
    pub(super) fn withdraw(&mut self, kid: Kid) {
        self.withdrawn.retain(|other| *other != kid);
        self.withdrawn.push_back(kid);
        if self.withdrawn.len() > REMEMBERED {
            self.withdrawn.pop_front();
        }
    }

    /// Whether an earlier set had the kid. Says nothing about a kid that the set in use has.
    pub(super) fn is_withdrawn(&self, kid: Kid) -> bool {
        self.withdrawn.contains(&kid)
    }
}

/// The pause between fetches that unknown kids cause: 1 s at first, doubling up to the cooldown, 1 s again after two quiet ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pause {
    /// When the next such fetch may start.
    pub(super) ends: i64,
    /// Before the draw; 0 before the first.
    pub(super) length: i64,
}

impl Pause {
    pub(super) fn is_over(&self, now: i64) -> bool {
        now >= self.ends
    }

    /// Drawn from 1 to 1.5 of its length, so that a fleet does not fetch in step.
    pub(super) fn stamp(&mut self, now: i64, cooldown: i64, draw: f64) {
        let quiet = now >= self.ends.saturating_add(cooldown.saturating_mul(2));
        let next = if quiet { SECOND } else { (2 * self.length).max(SECOND) };
        self.length = next.min(cooldown);
        self.ends = now + scaled(self.length, 1.0 + draw / 2.0);
    }
}
