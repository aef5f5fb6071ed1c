//! What a fetch is to the key store: one attempt that brings a key set or says why not.

use std::{io, thread};

use crate::status::LastErrorCode;

/// Brings a key set. The one implementation is `http.rs`; tests have their own.
pub(crate) trait Fetcher: Send + Sync {
    /// One attempt, bounded by `timeout`. `etag` is that of the set in use.
    fn fetch(&self, etag: Option<&str>) -> Result<Fetched, Failure>;
}

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "fetch"), allow(dead_code, reason = "nothing fetches"))]
pub(crate) enum Fetched {
    Set { body: Vec<u8>, etag: Option<String>, max_age: Option<i64> },
    NotModified { max_age: Option<i64> },
}

/// Why a fetch brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(super) code: LastErrorCode,
    pub(super) message: String,
}

impl Failure {
    pub(crate) fn new(code: LastErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Starts a short-lived thread. `thread::spawn` would panic if the system gives none.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}
