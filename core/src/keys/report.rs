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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::LastErrorCode;

    fn report(running: bool, asked: Option<i64>, again: i64, last_error: Option<&str>) -> Report<'static> {
        let error = |message: &str| LastError { code: LastErrorCode::Connect, message: message.to_owned(), at: 0 };
        let last_error = last_error.map(|message| Arc::new(error(message)));
        Report { source: "jwks_url", last_error, running, asked: asked.map(|seconds| seconds * SECOND), again }
    }

    #[test]
    fn the_sentences_say_what_was_asked_and_when_it_is_asked_again() {
        let rows = [
            (
                report(true, Some(1), 0, None),
                "the fetch from jwks_url is still running; see timeout",
                "was asked 1 s ago, and has not answered yet",
            ),
            (report(false, Some(9), 0, None), "no keys, from jwks_url", "was asked 9 s ago, asked again with the next"),
            (report(false, None, SECOND + 1, None), "no keys, from jwks_url", "not been asked yet, asked again in 2 s"),
            (
                report(false, Some(2), SECOND, Some("oops")),
                "the last fetch: oops",
                "asked again in 1 s; the last fetch: oops",
            ),
        ];
        for (report, no_keys, no_key_yet) in rows {
            for (error, part) in [(report.no_keys("no keys"), no_keys), (report.no_key_yet("why"), no_key_yet)] {
                assert!(error.message().contains(part), "{error} does not say {part:?}");
            }
        }
    }

    #[test]
    fn seconds_are_rounded_up() {
        for (nanoseconds, seconds) in [(i64::MIN, 0), (-1, 0), (0, 0), (1, 1), (SECOND, 1), (SECOND + 1, 2)] {
            assert_eq!(seconds_to(nanoseconds), seconds, "{nanoseconds}");
        }
    }
}
