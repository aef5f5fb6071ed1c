//! One refresh at a time, for all callers that wait for keys.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use pomerium_jwt::Verifier;
use tokio::sync::watch;

/// Runs `refresh(false)` on a thread of its own while anybody waits for it.
#[derive(Debug, Default)]
pub(crate) struct Refresher(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    running: bool,
    /// Those who wait for the next refresh. Dropping it wakes them.
    waiting: Option<watch::Sender<()>>,
}

impl Refresher {
    /// Waits for a refresh that begins after this call. Callers that come while one is running get the next, which joins
    /// its fetch, or finds nothing to do if that has ended: so nobody waits for a fetch that was over when it was asked
    /// for. A caller that is dropped harms nobody.
    pub(crate) async fn refreshed(self: &Arc<Self>, verifier: &Arc<Verifier>) {
        let mut waiting = self.join(verifier);
        let _ = waiting.changed().await; // nothing is sent: it ends when the sender is dropped
    }

    fn join(self: &Arc<Self>, verifier: &Arc<Verifier>) -> watch::Receiver<()> {
        let mut state = self.lock();
        let receiver = state.waiting.get_or_insert_with(|| watch::channel(()).0).subscribe();
        if !state.running {
            let (this, verifier) = (self.clone(), verifier.clone());
            let thread = thread::Builder::new().name("pomerium-jwt refresh".to_owned());
            state.running = thread.spawn(move || this.run(&verifier)).is_ok();
        }
        if !state.running {
            state.waiting = None; // no thread: the final answer is that there are no keys
        }
        receiver
    }

    fn run(&self, verifier: &Verifier) {
        while let Some(waiting) = self.next() {
            // How it went is in the final answers
            let _ = catch_unwind(AssertUnwindSafe(|| verifier.refresh(false)));
            drop(waiting);
        }
    }

    fn next(&self) -> Option<watch::Sender<()>> {
        let mut state = self.lock();
        let waiting = mem::take(&mut state.waiting);
        state.running = waiting.is_some();
        waiting
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
