//! Where the keys come from: which of the options says so, and the set it gives at this moment.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use arc_swap::ArcSwap;
use std::sync::Arc;

use super::{KeySet, Trust, jwk::MAX_BYTES};
use crate::{
    clock::Now,
    error::{Code, Error},
    names,
    options::Options,
    status::{KeyState, LastError, LastErrorCode},
};

/// The key source, as configured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// `jwks`.
    Inline(String),
    /// `jwks_file`.
    File(PathBuf),
    /// `public_key`.
    Pem(String),
    /// `public_key_file`.
    PemFile(PathBuf),
    /// `jwks_url`, given or derived.
    Url(String),
}

impl Source {
    /// The one source that the options give.
    ///
    /// # Errors
    /// A sentence for `invalid_options` if they give several, or a bad address.
    pub(crate) fn explicit(options: &Options) -> Result<Option<Self>, String> {
        let given = [
            ("jwks_url", options.jwks_url.clone().map(Source::Url)),
            ("jwks", options.jwks.clone().map(Source::Inline)),
            ("jwks_file", options.jwks_file.as_ref().map(|path| Source::File(path.into()))),
            ("public_key", options.public_key.clone().map(Source::Pem)),
            ("public_key_file", options.public_key_file.as_ref().map(|path| Source::PemFile(path.into()))),
        ];
        let mut given = given.into_iter().filter_map(|(name, source)| Some((name, source?)));
        let Some((name, source)) = given.next() else { return Ok(None) };
        if let Some((other, _)) = given.next() {
            return Err(format!("{name} and {other} are both key sources: give one"));
        }
        if let Source::Url(url) = &source {
            check_url(url)?;
        }
        Ok(Some(source))
    }

    /// For `status` and for the log line at start.
    pub(crate) fn describe(&self) -> String {
        match self {
            Source::Inline(_) => "jwks".to_owned(),
            Source::File(path) => format!("jwks_file {}", path.display()),
            Source::Pem(_) => "public_key".to_owned(),
            Source::PemFile(path) => format!("public_key_file {}", path.display()),
            Source::Url(url) => format!("jwks_url {url}"),
        }
    }
}

/// `http(s)://host[:port][/path][?query]` in printable ASCII.
fn check_url(url: &str) -> Result<(), String> {
    let wrong = || format!("jwks_url {}: write https://host[:port]/path", crate::error::quoted(url));
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or_else(wrong)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let printable = url.bytes().all(|b| b.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&b)) && url.len() <= 2048;
    (printable && is_authority(authority)).then_some(()).ok_or_else(wrong)
}

/// `host[:port]`, where the host may be an IPv6 address in brackets.
pub(crate) fn is_authority(text: &str) -> bool {
    let Some(bracketed) = text.strip_prefix('[') else { return names::is_authority(text) };
    let Some((address, port)) = bracketed.split_once(']') else { return false };
    address.parse::<std::net::Ipv6Addr>().is_ok() && (port.is_empty() || names::is_authority(&format!("host{port}")))
}

/// Reads a whole file of at most [`MAX_BYTES`].
fn read(option: &str, path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("{option} {}: {error}", path.display());
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > MAX_BYTES as u64 {
        return Err(format!("{option} {} has {size} bytes, {MAX_BYTES} are accepted", path.display()));
    }
    fs::read(path).map_err(failed)
}

/// The keys of one source.
pub(crate) struct Store {
    source: Source,
    trust: Trust,
    set: ArcSwap<KeySet>,
    watch: Watch,
}

/// What is known of `jwks_file`.
#[derive(Default)]
struct Watch {
    /// The monotonic milliseconds before which the file is not looked at again.
    next: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    stamp: Option<Stamp>,
    read_at: Option<i64>,
    error: Option<LastError>,
}

/// What changes when a file does. Kubernetes swaps links, which shows in the inode.
#[derive(Debug, PartialEq)]
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

impl Store {
    /// Reads what can be read without a network.
    ///
    /// # Errors
    /// A sentence for `invalid_options`.
    pub(crate) fn new(source: Source, trust: Trust, now: Now) -> Result<Self, String> {
        let mut seen = Seen::default();
        let set = match &source {
            Source::Inline(text) => {
                KeySet::parse(text.as_bytes(), &trust, None).map_err(|why| format!("jwks: {why}"))?
            }
            Source::File(path) => {
                seen.stamp = Stamp::of(path);
                seen.read_at = Some(now.unix);
                parse_file(path, &trust, None)?
            }
            Source::Pem(text) => {
                KeySet::parse_pem(text.as_bytes(), &trust, None).map_err(|why| format!("public_key: {why}"))?
            }
            Source::PemFile(path) => KeySet::parse_pem(&read("public_key_file", path)?, &trust, None)
                .map_err(|why| format!("public_key_file {}: {why}", path.display()))?,
            Source::Url(_) => KeySet::new(Vec::new()),
        };
        let watch = Watch { next: AtomicU64::new(in_a_second(now)), seen: Mutex::new(seen) };
        Ok(Self { source, trust, set: ArcSwap::from_pointee(set), watch })
    }

    /// The set to verify with; looks first whether `jwks_file` has changed, at most once a second.
    pub(crate) fn current(&self, now: Now) -> Result<Arc<KeySet>, Error> {
        self.look_at_file(now);
        self.at_hand()
    }

    /// The set in use, as it is.
    pub(crate) fn at_hand(&self) -> Result<Arc<KeySet>, Error> {
        match &self.source {
            Source::Url(url) => Err(Error::new(Code::KeysUnavailable, format!("{url} has not been fetched"))),
            _ => Ok(self.set.load_full()),
        }
    }

    fn look_at_file(&self, now: Now) {
        let Source::File(path) = &self.source else { return };
        let due = self.watch.next.load(Ordering::Relaxed);
        let moment = milliseconds(now);
        let won = moment >= due
            && self.watch.next.compare_exchange(due, in_a_second(now), Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if won {
            self.reread(path, now, false);
        }
    }

    /// Reads the file again if it has changed. A bad new file keeps the last good set.
    fn reread(&self, path: &Path, now: Now, force: bool) -> Option<LastError> {
        let mut seen = self.watch.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of(path);
        if !force && stamp == seen.stamp {
            return seen.error.clone();
        }
        seen.stamp = stamp;
        match parse_file(path, &self.trust, Some(&self.set.load())) {
            Ok(set) => {
                self.set.store(Arc::new(set));
                seen.read_at = Some(now.unix);
                seen.error = None;
            }
            Err(message) => seen.error = Some(LastError { code: LastErrorCode::Body, message, at: now.unix }),
        }
        seen.error.clone()
    }

    /// Reads `jwks_file` again, whether it has changed or not; other static sources have nothing to do.
    pub(crate) fn refresh(&self, now: Now) -> Result<(), Error> {
        match &self.source {
            Source::File(path) => {
                self.reread(path, now, true);
                Ok(())
            }
            Source::Url(_) => self.at_hand().map(|_| ()),
            _ => Ok(()),
        }
    }

    /// What `status` says of the source and the set in use.
    pub(crate) fn state(&self) -> KeyState {
        let seen = self.watch.seen.lock().unwrap_or_else(PoisonError::into_inner);
        KeyState {
            source: self.source.describe(),
            state: if matches!(self.source, Source::Url(_)) { "empty" } else { "static" },
            keys: self.set.load().status(),
            last_success: seen.read_at,
            last_error: seen.error.clone(),
        }
    }
}

fn parse_file(path: &Path, trust: &Trust, previous: Option<&KeySet>) -> Result<KeySet, String> {
    KeySet::parse(&read("jwks_file", path)?, trust, previous)
        .map_err(|why| format!("jwks_file {}: {why}", path.display()))
}

fn milliseconds(now: Now) -> u64 {
    u64::try_from(now.monotonic.as_millis()).unwrap_or(u64::MAX)
}

fn in_a_second(now: Now) -> u64 {
    milliseconds(now).saturating_add(1000)
}
