//! For hosts that forget everything between two requests, such as PHP: what they would otherwise have to keep themselves.

use std::{
    collections::BTreeMap,
    ffi::{OsString, c_char},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use arc_swap::ArcSwapOption;
use pomerium_jwt::{Error, ErrorCode, Options};

use crate::{
    PomeriumJwtVerifier,
    call::{OutPtr, bytes, call, catch_panic},
};

/// As pomerium_jwt_options_over_env, with these environment variables instead of the process's: `variables` is a JSON
/// object of strings; names without the prefix POMERIUM_JWT_ are passed over. For hosts that know variables which the
/// process does not have. The caller frees both with pomerium_jwt_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_options_over_variables(
    options: *const c_char,
    len: usize,
    variables: *const c_char,
    variables_len: usize,
    merged: *mut *mut c_char,
    message: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (merged, message) = unsafe { (OutPtr::new(merged), OutPtr::new(message)) };
    call(message, || {
        // SAFETY: the header's conventions for text
        let (options, variables) =
            unsafe { (bytes(options, len, "options")?, bytes(variables, variables_len, "variables")?) };
        let variables: BTreeMap<String, String> = serde_json::from_slice(variables)
            .map_err(|_| Error::new(ErrorCode::InvalidArgument, "variables is not a JSON object of strings"))?;
        let variables = variables.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let overlay = Options::from_json(options)?.over_variables(variables)?;
        merged.fill_text(|| overlay.options.to_json());
        Ok(overlay.warning())
    })
}

/// Tells whether to write a line to the log now: 1 if so, else 0. `code` 0 asks for the line at start, the summary of
/// pomerium_jwt_describe, which is due once in a process for the same text. Any other code asks for the warning of a refusal, which is due at most once a second
/// in a process; *held is then how many with this code were not written since the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_log_due(verifier: *const PomeriumJwtVerifier, code: i32, held: *mut u64) -> i32 {
    // SAFETY: the header's conventions for verifiers and out-pointers
    let (verifier, held) = unsafe { (verifier.as_ref(), held.as_mut()) };
    let due = catch_panic(|| match (code, verifier) {
        (0, Some(verifier)) => is_new(&verifier.verifier.summary()).then_some(0),
        (0, None) => None,
        (code, _) => tally(code).due(now()),
    });
    let due = due.flatten();
    if let Some(held) = held {
        *held = due.unwrap_or(0);
    }
    i32::from(due.is_some())
}

/// The lines at start that were written. One immutable list, replaced whole, as that of the shared verifiers is.
static ANNOUNCED: ArcSwapOption<Vec<String>> = ArcSwapOption::const_empty();

/// Whether this line was not written before; after a handful of lines none is new.
fn is_new(summary: &str) -> bool {
    const MOST: usize = 64;
    let is_due = |list: &[String]| list.len() < MOST && !list.iter().any(|written| written == summary);
    if !ANNOUNCED.load().as_deref().is_none_or(|list| is_due(list)) {
        return false;
    }
    let mut due = false;
    ANNOUNCED.rcu(|list| {
        let mut longer = list.as_deref().cloned().unwrap_or_default();
        due = is_due(&longer);
        if due {
            longer.push(summary.to_owned());
        }
        Some(Arc::new(longer))
    });
    due
}

/// How many refusals with one code wait for the next line. No lock, which a `fork()` could leave held.
struct Tally {
    /// In milliseconds of `now`.
    next: AtomicU64,
    held: AtomicU64,
}

static TALLIES: [Tally; ErrorCode::ALL.len()] =
    [const { Tally { next: AtomicU64::new(0), held: AtomicU64::new(0) } }; ErrorCode::ALL.len()];

fn tally(code: i32) -> &'static Tally {
    let place = ErrorCode::ALL.iter().position(|one| one.number() == code);
    &TALLIES[place.unwrap_or(TALLIES.len() - 1)] // the last is `internal`
}

impl Tally {
    fn due(&self, now: u64) -> Option<u64> {
        const PAUSE: u64 = 1_000;
        let next = self.next.load(Relaxed);
        if now < next || self.next.compare_exchange(next, now + PAUSE, Relaxed, Relaxed).is_err() {
            self.held.fetch_add(1, Relaxed);
            return None;
        }
        Some(self.held.swap(0, Relaxed))
    }
}

/// Milliseconds since the first call.
fn now() -> u64 {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGIN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_says_how_many_were_held_back() {
        let tally = Tally { next: AtomicU64::new(0), held: AtomicU64::new(0) };
        let asked: Vec<_> = [0, 1, 999, 1_000, 1_001, 5_000, 6_000].into_iter().map(|now| tally.due(now)).collect();
        assert_eq!(asked, [Some(0), None, None, Some(2), None, Some(1), Some(0)]);
    }

    #[test]
    fn each_code_has_a_tally_of_its_own() {
        let places: Vec<_> = ErrorCode::ALL.iter().map(|code| std::ptr::from_ref(tally(code.number()))).collect();
        assert!(places.iter().enumerate().all(|(place, one)| !places[..place].contains(one)));
        assert_eq!(std::ptr::from_ref(tally(12_345)), places[places.len() - 1]);
    }
}
