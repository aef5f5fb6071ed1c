//! Keys that need no network: given in the options, or read from a file that is looked at again.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::SystemTime,
};

use arc_swap::ArcSwap;

use super::{
    file,
    jwk::MAX_BYTES,
    key_set::{KeySet, Trust},
    source::Source,
    state::{Health, KeyState, LastError, LastErrorCode, State},
    unusable::Unusable,
};
use crate::clock::{Clock, SECOND};

/// The keys of one static source.
pub(crate) struct Local {
    source: String,
    clock: Arc<dyn Clock>,
    held: ArcSwap<Held>,
    file: Option<Watch>,
}

/// The set in use and how it was read. Replaced whole, so that nothing here can be left locked by a `fork()`.
#[derive(Clone)]
struct Held {
    keys: Arc<KeySet>,
    stamp: Option<Stamp>,
    read_at: i64,
    error: Option<LastError>,
}

/// `jwks_file`.
struct Watch {
    path: PathBuf,
    trust: Trust,
    /// The monotonic time before which the file is not looked at again.
    next: AtomicI64,
}

impl Local {
    /// Reads the keys of a source that is not an address.
    ///
    /// # Errors
    /// A sentence for `invalid_options`.
    pub(crate) fn new(source: &Source, trust: &Trust, clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        let now = clock.now();
        let about = |why: Unusable| why.of(source.describe());
        let mut stamp = None;
        let mut file = None;
        let keys = match source {
            Source::Inline(text) => KeySet::parse(text.as_bytes(), trust, None).map_err(|why| why.of("jwks"))?,
            Source::File(path) => {
                stamp = Stamp::of(path);
                file = Some(Watch {
                    path: path.clone(),
                    trust: trust.clone(),
                    next: AtomicI64::new(now.monotonic + SECOND),
                });
                read_set(path, trust, None).map_err(about)?
            }
            Source::Pem(text) => KeySet::parse_pem(text.as_bytes(), trust).map_err(|why| why.of("public_key"))?,
            Source::PemFile(path) => {
                file::read(path, MAX_BYTES).and_then(|text| KeySet::parse_pem(&text, trust)).map_err(about)?
            }
            Source::Url { .. } => return Err("an address is not a static source".into()),
        };
        let held = Held { keys: Arc::new(keys), stamp, read_at: now.unix, error: None };
        Ok(Self { source: source.describe(), clock, held: ArcSwap::from_pointee(held), file })
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The set to verify with; looks first whether `jwks_file` has changed, at most once a second.
    pub(crate) fn current(&self) -> Arc<KeySet> {
        if let Some(watch) = &self.file {
            let now = self.clock.now();
            let due = watch.next.load(Ordering::Relaxed);
            let mine = |due| {
                let next = now.monotonic + SECOND;
                watch.next.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            };
            if now.monotonic >= due && mine(due) {
                self.reread(watch, now.unix, false);
            }
        }
        self.at_hand()
    }

    /// The set in use, as it is.
    pub(crate) fn at_hand(&self) -> Arc<KeySet> {
        self.held.load().keys.clone()
    }

    /// Reads `jwks_file` again, whether it has changed or not; other sources have nothing to do.
    pub(crate) fn refresh(&self) {
        if let Some(watch) = &self.file {
            self.reread(watch, self.clock.now().unix, true);
        }
    }

    /// A bad new file keeps the last good set and shows in `status`.
    fn reread(&self, watch: &Watch, now: i64, force: bool) {
        let held = self.held.load_full();
        let stamp = Stamp::of(&watch.path);
        if !force && stamp == held.stamp {
            return;
        }
        let next = match read_set(&watch.path, &watch.trust, Some(&held.keys)) {
            Ok(keys) => Held { keys: Arc::new(keys), stamp, read_at: now, error: None },
            Err(why) => {
                let message = format!("{}: {why}", self.source);
                Held {
                    stamp,
                    error: Some(LastError { code: LastErrorCode::Body, message, at: now }),
                    ..(*held).clone()
                }
            }
        };
        self.held.store(Arc::new(next));
    }

    /// What `status` says.
    pub(crate) fn state(&self) -> KeyState {
        let held = self.held.load();
        KeyState {
            source: self.source.clone(),
            state: State::Static,
            age: None,
            ttl: None,
            keys: held.keys.status(),
            key_set: held.keys.digest(),
            last_success: Some(held.read_at),
            last_error: held.error.clone(),
            next_attempt: None,
            fetches: 0,
            fetch_successes: 0,
            fetch_failures: 0,
            fetch_seconds: None,
            health: Health { configured: true, asked: true, keys_loaded: held.keys.is_usable(), stale: false },
        }
    }
}

/// What changes when a file does. Kubernetes swaps links, which shows in the inode.
#[derive(Debug, Clone, PartialEq)]
struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&data);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self { modified: data.modified().ok(), size: data.len(), inode })
    }
}

fn read_set(path: &Path, trust: &Trust, previous: Option<&KeySet>) -> Result<KeySet, Unusable> {
    KeySet::parse(&file::read(path, MAX_BYTES)?, trust, previous)
}
