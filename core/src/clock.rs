//! Time as the verifier sees it: the one place that reads the machine's clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// One reading of both clocks: what a [`Clock`] says.
///
/// ```
/// use pomerium_jwt::Now;
/// use std::time::Duration;
///
/// let now = Now::new(Duration::from_millis(1500), 1_800_000_000);
/// assert_eq!(now, Now::new(Duration::from_millis(1500), 1_800_000_000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Nanoseconds since some moment of this process. Never goes back, and stops while the machine is suspended.
    pub(crate) monotonic: i64,
    /// Unix time in seconds. May jump both ways; negative on a machine whose clock is set before 1970.
    pub(crate) unix: i64,
}

impl Now {
    /// `monotonic` is the time since some moment of this process and never goes back: the ages of keys and all waiting
    /// go by it. `unix` is the time in Unix seconds, which may be set: tokens are judged by it. On a host with one clock,
    /// both are of that one.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let now = pomerium_jwt::Now::new(Duration::from_secs(12), 1_800_000_000);
    /// ```
    #[must_use]
    pub fn new(monotonic: Duration, unix: i64) -> Self {
        Self { monotonic: i64::try_from(monotonic.as_nanos()).unwrap_or(i64::MAX), unix }
    }
}

/// Where a verifier of [`Verifier::for_host`](crate::Verifier::for_host) gets the time from. Any closure that returns a
/// [`Now`] is one.
///
/// ```
/// use pomerium_jwt::{Clock, Now};
/// use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
///
/// let start = Instant::now();
/// let clock = move || {
///     let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
///     Now::new(start.elapsed(), unix.as_secs() as i64)
/// };
/// assert!(Clock::now(&clock) != Now::new(Duration::ZERO, 0));
/// ```
pub trait Clock: Send + Sync {
    /// Reads both clocks. It is called several times per verification.
    fn now(&self) -> Now;
}

impl<F: Fn() -> Now + Send + Sync> Clock for F {
    fn now(&self) -> Now {
        self()
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub(crate) struct SystemClock {
    start: Instant,
}

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let unix = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        };
        Now::new(self.start.elapsed(), unix)
    }
}

#[cfg(all(test, feature = "fetch"))]
pub(crate) use testing::TestClock;

#[cfg(all(test, feature = "fetch"))]
mod testing {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    use super::{Clock, Now, SECOND, SystemClock};

    /// For tests: the machine's clocks, which can be put forward, and the wall clock alone both ways.
    pub(crate) struct TestClock {
        system: SystemClock,
        ahead: AtomicI64,
        wall: AtomicI64,
    }

    impl TestClock {
        pub(crate) fn new() -> Arc<Self> {
            Arc::new(Self { system: SystemClock::new(), ahead: AtomicI64::new(0), wall: AtomicI64::new(0) })
        }

        /// So many seconds pass.
        pub(crate) fn pass(&self, seconds: i64) {
            self.ahead.fetch_add(seconds, Ordering::SeqCst);
        }

        /// The wall clock is set, or the machine sleeps.
        pub(crate) fn jump(&self, seconds: i64) {
            self.wall.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    impl Clock for TestClock {
        fn now(&self) -> Now {
            let (now, ahead) = (self.system.now(), self.ahead.load(Ordering::SeqCst));
            let unix = now.unix + ahead + self.wall.load(Ordering::SeqCst);
            Now { monotonic: now.monotonic + ahead * SECOND, unix }
        }
    }
}
