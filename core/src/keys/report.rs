//! Says in words why there is no key: when the source was asked, what it said, and when it will be asked again.

use std::{sync::Arc, time::Duration};

use super::{policy::Moment, process::Progress, state::LastError};
use crate::{clock::SECOND, code::ErrorCode, error::Error};

/// The state of the fetches, for the error about a token without a key. Taken with the lock held, worded without it.
pub(super) struct Report<'s> {
    source: &'s str,
    pub(super) last_error: Option<Arc<LastError>>,
    running: bool,
    /// Nanoseconds since the source was last asked.
    asked: Option<i64>,
    /// Nanoseconds until it may be asked again.
    again: i64,
}

impl<'s> Report<'s> {
    pub(super) fn new(source: &'s str, progress: &Progress, at: &Moment<'_>) -> Self {
        Self {
            source,
            last_error: progress.last_error.clone(),
            running: progress.state.running().is_some(),
            asked: progress.state.last_asked().map(|asked| at.now.monotonic - asked),
            again: progress.state.next_attempt(at),
        }
    }

    /// There are no keys that could be used.
    pub(super) fn no_keys(&self, what: &str) -> Error {
        let source = self.source;
        self.unavailable(match &self.last_error {
            Some(error) => format!("{what}; the last fetch: {}", error.message),
            None if self.running => format!("{what}; the fetch from {source} is still running; see timeout"),
            None => format!("{what}, from {source}"),
        })
    }

    /// The set in use does not have the key of a token, and may have it soon. `why` says what it has.
    pub(super) fn no_key_yet(&self, why: &str) -> Error {
        self.unavailable(format!("{why}; {}", self.when_asked()))
    }

    fn unavailable(&self, message: String) -> Error {
        let error = Error::new(ErrorCode::KeysUnavailable, message).after(self.retry_after());
        match &self.last_error {
            Some(cause) => error.caused_by(cause.clone()),
            None => error,
        }
    }

    fn when_asked(&self) -> String {
        let source = self.source;
        let asked = match self.asked {
            Some(ago) => format!("{source} was asked {} s ago", ago / SECOND),
            None => format!("{source} has not been asked yet"),
        };
        let asked = match seconds_to(self.again) {
            _ if self.running => format!("{asked}, and has not answered yet"),
            0 => format!("{asked}, asked again with the next request"),
            seconds => format!("{asked}, asked again in {seconds} s"),
        };
        match &self.last_error {
            Some(error) => format!("{asked}; the last fetch: {}", error.message),
            None => asked,
        }
    }

    pub(super) fn retry_after(&self) -> Duration {
        Duration::from_secs(seconds_to(self.again).max(1))
    }
}

/// In whole seconds, rounded up.
pub(super) fn seconds_to(nanoseconds: i64) -> u64 {
    u64::try_from(nanoseconds).unwrap_or(0).div_ceil(SECOND.unsigned_abs())
}
