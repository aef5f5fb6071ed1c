//! Says in words when the source was asked and when it will be asked again.

use std::{sync::Arc, time::Duration};

use super::{policy::Moment, progress::Progress};
use crate::{clock::SECOND, status::LastError};

/// The state of the fetches, for the error about a token without a key. Taken with the lock held, worded without it.
pub(super) struct Report {
    pub(super) last_error: Option<Arc<LastError>>,
    pub(super) running: bool,
    /// Nanoseconds since the source was last asked.
    asked: Option<i64>,
    /// Nanoseconds until it may be asked again.
    again: i64,
}

impl Report {
    pub(super) fn new(progress: &Progress, at: &Moment<'_>) -> Self {
        Self {
            last_error: progress.last_error.clone(),
            running: progress.state.running().is_some(),
            asked: progress.state.last_asked().map(|asked| at.now.monotonic - asked),
            again: progress.state.next_attempt(at),
        }
    }

    /// Why the key of a token is not there yet, and when it may be.
    pub(super) fn when_asked(&self, source: &str) -> String {
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
