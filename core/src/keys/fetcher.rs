//! Sends requests for keys, if the host does not.

use std::{io, thread};

use super::answer::{Failure, Fetched};

/// Brings a key set. The one implementation is `http`; tests have their own.
pub(crate) trait Fetcher: Send + Sync {
    /// One attempt, bounded by `timeout`. `etag` is that of the set in use.
    fn fetch(&self, etag: Option<&str>) -> Result<Fetched, Failure>;
}

/// Starts a short-lived thread. `thread::spawn` would panic if the system gives none.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}
