//! Time as the verifier sees it: the one place that reads the machine's clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// Nanoseconds since some moment of this process. Never goes back, and stops while the machine is suspended.
    pub(crate) monotonic: i64,
    /// Unix time in seconds. May jump both ways; negative on a machine whose clock is set before 1970.
    pub(crate) unix: i64,
}

/// Where readings come from, so that tests need not wait.
pub(crate) trait Clock: Send + Sync {
    fn now(&self) -> Now;
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
        Now { monotonic: i64::try_from(self.start.elapsed().as_nanos()).unwrap_or(i64::MAX), unix }
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
