//! Everything of a fetched source that can block, for one process.
//!
//! A child of `fork()` has its parent's memory and none of its threads: a lock may be held and a fetch may be running
//! for ever. So all of it sits in one [`Process`], stamped with the process id, and a child starts with a fresh one.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    Algorithm,
    kids::Kid,
    policy::{Fetch, State},
};
use crate::status::LastError;

/// The [`Process`] of the calling process.
pub(super) struct Processes(ArcSwap<Process>);

impl Processes {
    pub(super) fn new() -> Self {
        Self(ArcSwap::from_pointee(Process::new()))
    }

    pub(super) fn current(&self) -> Arc<Process> {
        let process = self.0.load_full();
        if process.id == process::id() {
            return process;
        }
        self.0.compare_and_swap(&process, Arc::new(Process::new()));
        self.0.load_full()
    }
}

/// The state of the fetches, and those who wait for them.
pub(super) struct Process {
    id: u32,
    /// Strangers choose the kids that are hashed.
    hasher: RandomState,
    progress: Mutex<Progress>,
    finished: Condvar,
}

/// What the policy knows, and what `status` shows of the fetches.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) state: State,
    pub(super) last_error: Option<Arc<LastError>>,
    pub(super) fetch_seconds: Option<f64>,
}

impl Process {
    fn new() -> Self {
        let id = process::id();
        Self { id, hasher: RandomState::new(), progress: Mutex::default(), finished: Condvar::new() }
    }

    /// Held for a few instructions at a time, never across anything that waits.
    pub(super) fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn kid(&self, kid: Option<&str>, algorithm: Algorithm) -> Kid {
        Kid(self.hasher.hash_one((kid, algorithm.name())))
    }

    /// Waits until the fetch has ended, and at most this long.
    pub(super) fn wait(&self, fetch: Fetch, longest: Duration) {
        let running = |progress: &mut Progress| progress.state.running() == Some(fetch);
        drop(self.finished.wait_timeout_while(self.lock(), longest, running));
    }

    /// A fetch has ended.
    pub(super) fn wake_waiters(&self) {
        self.finished.notify_all();
    }
}

/// From 0 to 1, to spread the fetches of many processes; not for secrets. Forked processes share the keys of
/// `RandomState`, hence the process id.
pub(super) fn random() -> f64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(process::id());
    (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
#[path = "../tests/progress.rs"]
mod tests;
