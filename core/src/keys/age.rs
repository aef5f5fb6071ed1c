//! How old a key set is, on two clocks.

use super::{state::State, ttl::Limits};
use crate::clock::{Now, SECOND};

/// What the policy knows of the set in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// When the request that brought the set was sent.
    pub(crate) sent: Now,
    /// In nanoseconds.
    pub(crate) ttl: i64,
    /// Whether it has a usable key.
    pub(crate) usable: bool,
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
    pub(crate) const fn state(self) -> State {
        match self {
            Age::Fresh => State::Fresh,
            Age::Aging => State::Aging,
            Age::Old => State::Old,
            Age::Expired => State::Expired,
        }
    }
}

impl Loaded {
    /// The larger of both clocks' ages: the monotonic one stops while the machine is suspended, the wall clock
    /// may have been set back. The wall clock shows whole seconds: of a difference of two, one is certain.
    pub(crate) fn nanoseconds(&self, now: Now) -> i64 {
        let wall = now.unix.saturating_sub(self.sent.unix).saturating_sub(1).saturating_mul(SECOND);
        now.monotonic.saturating_sub(self.sent.monotonic).max(wall)
    }

    pub(crate) fn age(&self, limits: &Limits, now: Now) -> Age {
        let age = self.nanoseconds(now);
        match age {
            _ if age < self.ttl => Age::Fresh,
            _ if age < 2 * self.ttl => Age::Aging,
            _ if age < (2 * self.ttl).saturating_add(limits.max_stale) => Age::Old,
            _ => Age::Expired,
        }
    }
}
