//! The options of the key store's policy, and the ttl that follows from them.

use crate::clock::SECOND;

/// The ttl if neither `cache_ttl` nor Cache-Control says otherwise.
pub(super) const DEFAULT_TTL: i64 = 300 * SECOND;
/// A ttl below this is used as it is: it is for tests.
const EXACT_TTL: i64 = 10 * SECOND;
/// A set without a usable key is asked for again soon: somebody is about to configure one.
const UNUSABLE_TTL: i64 = 10 * SECOND;

/// The options of the policy, in nanoseconds: see [`Settings`](crate::options::Settings).
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// `cache_ttl`, if it is set.
    pub(crate) cache_ttl: Option<i64>,
    pub(crate) max_stale: i64,
    pub(crate) cooldown: i64,
    pub(crate) timeout: i64,
}

impl Limits {
    /// The ttl of a set whose response allowed `max_age` seconds: by a draw from 0 to 1 it is 0.7 to 1.0 of that, so
    /// that a fleet which once fetched in the same second does not do so for ever.
    pub(crate) fn ttl(&self, max_age: Option<i64>, usable: bool, draw: f64) -> i64 {
        let advised = max_age.map_or(DEFAULT_TTL, |seconds| seconds.clamp(60, 3600) * SECOND);
        let asked_for = self.cache_ttl.unwrap_or(advised);
        let ttl = if asked_for < EXACT_TTL { asked_for } else { scaled(asked_for, 0.7 + 0.3 * draw) };
        if usable { ttl } else { ttl.min(UNUSABLE_TTL) }
    }
}

/// A fraction or a multiple of a duration.
pub(super) fn scaled(nanoseconds: i64, factor: f64) -> i64 {
    (nanoseconds as f64 * factor) as i64
}
