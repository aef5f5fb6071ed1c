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
    policy::{Fetch, State},
    snapshot::Wanted,
    state::LastError,
    unknown_kids::Kid,
};
use crate::clock::Now;

/// The [`Process`] of the calling process.
pub(super) struct Processes {
    current: ArcSwap<Process>,
    /// What each process begins with.
    beginning: State,
}

impl Processes {
    pub(super) fn new(beginning: State) -> Self {
        Self { current: ArcSwap::from_pointee(Process::new(beginning.clone())), beginning }
    }

    pub(super) fn current(&self) -> Arc<Process> {
        let process = self.current.load_full();
        if process.id == process_id() {
            return process;
        }
        self.current.compare_and_swap(&process, Arc::new(Process::new(self.beginning.clone())));
        self.current.load_full()
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
    fn new(state: State) -> Self {
        let progress = Mutex::new(Progress { state, ..Progress::default() });
        Self { id: process_id(), hasher: RandomState::new(), progress, finished: Condvar::new() }
    }

    /// Held for a few instructions at a time, never across anything that waits.
    pub(super) fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn kid(&self, wanted: Wanted<'_>) -> Kid {
        Kid(self.hasher.hash_one((wanted.kid, wanted.algorithm.name())))
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

/// WebAssembly has no processes, and `process::id` panics there.
fn process_id() -> u32 {
    if cfg!(target_family = "wasm") { 0 } else { process::id() }
}

/// From 0 to 1, to spread the fetches of many processes; not for secrets. Forked processes share the keys of
/// `RandomState`, hence the process id; on WebAssembly those keys are always the same, hence the time.
pub(super) fn random(now: Now) -> f64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(process_id());
    hasher.write_i64(now.monotonic);
    hasher.write_i64(now.unix);
    (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
#[path = "../tests/process.rs"]
mod tests;
