//! Refusals in the log: clients choose how many there are, and with which paths.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use pomerium_jwt::{Error, ErrorCode};

/// At most one line for each code within this time.
const PAUSE: Duration = Duration::from_secs(1);

/// So many characters of a path are shown.
const LONGEST_PATH: usize = 200;

type Write = dyn Fn(&Line) + Send + Sync;

/// Writes at most one warning a second for the same code, with a count.
pub(crate) struct RefusalLog {
    recent: Mutex<HashMap<ErrorCode, Recent>>,
    write: Box<Write>,
}

/// One line: how many refusals there were, and the last one of them.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    code: ErrorCode,
    count: u64,
    message: String,
    path: String,
}

struct Recent {
    written: Instant,
    /// What has come in since then.
    held: Option<Line>,
}

impl RefusalLog {
    /// The function to call for each refusal.
    #[allow(clippy::new_ret_no_self, reason = "a report function is all that is needed of it")]
    pub(crate) fn new() -> impl Fn(&Error, &str) + Send + Sync + 'static {
        Self::writing(|line| {
            let Line { code, count, message, path } = line;
            tracing::warn!(%code, count, path = ?path, "pomerium-jwt: refused: {message}");
        })
    }

    fn writing(write: impl Fn(&Line) + Send + Sync + 'static) -> impl Fn(&Error, &str) + Send + Sync + 'static {
        let log = Arc::new(Self { recent: Mutex::default(), write: Box::new(write) });
        move |error: &Error, path: &str| log.report(error, path)
    }

    fn report(self: &Arc<Self>, error: &Error, path: &str) {
        let line = Line { code: error.code(), count: 1, message: error.message().to_owned(), path: shortened(path) };
        if let Some(line) = self.hold(line, Instant::now()) {
            (self.write)(&line);
        }
    }

    /// The line to write now, if it is not to be held back. The first one that is held starts a thread of at most a
    /// second, so that the last refusals of a burst are written too.
    fn hold(self: &Arc<Self>, line: Line, now: Instant) -> Option<Line> {
        let mut recent = self.lock();
        let entry = recent
            .get_mut(&line.code)
            .filter(|entry| now.duration_since(entry.written) < PAUSE || entry.held.is_some());
        let Some(entry) = entry else {
            recent.insert(line.code, Recent { written: now, held: None });
            return Some(line);
        };
        let count = entry.held.as_ref().map_or(0, |held| held.count);
        entry.held = Some(Line { count: count + line.count, ..line });
        if count > 0 {
            return None;
        }
        let (this, code, rest) = (self.clone(), entry.held.as_ref()?.code, PAUSE.saturating_sub(now - entry.written));
        let thread = thread::Builder::new().name("pomerium-jwt log".to_owned());
        let spawned = thread.spawn(move || {
            thread::sleep(rest);
            this.flush(code);
        });
        // no thread: better a line too many than one that never comes
        if spawned.is_ok() { None } else { entry.held.take() }
    }

    fn flush(&self, code: ErrorCode) {
        let mut recent = self.lock();
        let held = recent.get_mut(&code).and_then(|entry| {
            entry.written = Instant::now();
            mem::take(&mut entry.held)
        });
        drop(recent);
        if let Some(line) = held {
            (self.write)(&line);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ErrorCode, Recent>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shortened(path: &str) -> String {
    match path.char_indices().nth(LONGEST_PATH) {
        None => path.to_owned(),
        Some((end, _)) => format!("{}...", &path[..end]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_burst_is_two_lines_and_every_refusal_is_counted() {
        let (sender, lines) = mpsc::channel();
        let report = RefusalLog::writing(move |line| sender.send(line.clone()).expect("it is read"));
        let begin = Instant::now();
        for number in 1..=1000 {
            report(&Error::new(ErrorCode::TokenMissing, "there is none"), &format!("/{number}"));
        }
        report(&Error::new(ErrorCode::TokenExpired, "long ago"), "/other");

        let (mut missing, mut expired) = (Vec::new(), Vec::new());
        while missing.iter().map(|line: &Line| line.count).sum::<u64>() < 1000 || expired.is_empty() {
            let line = lines.recv().expect("a line for every refusal");
            if line.code == ErrorCode::TokenMissing { missing.push(line) } else { expired.push(line) }
        }
        assert_eq!((missing[0].count, &*missing[0].path), (1, "/1"), "the first one is written at once");
        assert!(missing.len() as u64 <= 1 + begin.elapsed().as_secs(), "more than one a second: {missing:?}");
        assert_eq!(missing.last().map(|line| &*line.path), Some("/1000"));
        assert_eq!((expired.len(), expired[0].count), (1, 1), "every code for itself");
    }

    #[test]
    fn paths_are_cut_between_characters() {
        assert_eq!(shortened("/a"), "/a");
        assert_eq!(shortened(&"é".repeat(201)), format!("{}...", "é".repeat(200)));
        assert_eq!(shortened(&"é".repeat(200)), "é".repeat(200));
    }
}
