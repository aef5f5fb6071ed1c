//! The verifiers that live as long as the process: one for each text of options.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use pomerium_jwt::{Error, ErrorCode, Verifier};

use crate::PomeriumJwtVerifier;

/// A program has a handful of them. If there are more, the options hold something that changes, and none is ever freed.
const MOST: usize = 64;

type Shared = (Arc<[u8]>, Arc<PomeriumJwtVerifier>);

/// Nothing is ever taken out. One immutable list, replaced whole: with no lock to be held by another thread, a child
/// of `fork()` finds it usable without a stamp of the process, and keeps its parent's verifiers with their keys.
static LIST: ArcSwapOption<Vec<Shared>> = ArcSwapOption::const_empty();

/// The verifier for these options, valid until the process ends.
pub(crate) fn find_or_make(options: &[u8]) -> Result<*const PomeriumJwtVerifier, Error> {
    if let Some(found) = find(LIST.load().as_ref(), options) {
        return Ok(found);
    }
    // Making one touches no network: if two threads make the same one, the later one's is dropped
    let made = Arc::new(PomeriumJwtVerifier { verifier: Verifier::from_json(options)?, shared: true });
    LIST.rcu(|list| {
        let mut longer = list.as_deref().cloned().unwrap_or_default();
        if longer.len() < MOST && find(list.as_ref(), options).is_none() {
            longer.push((options.into(), made.clone()));
        }
        Some(Arc::new(longer))
    });
    find(LIST.load().as_ref(), options).ok_or_else(|| {
        let why = format!("{MOST} different options are shared already: give the same text every time");
        Error::new(ErrorCode::InvalidOptions, why)
    })
}

fn find(list: Option<&Arc<Vec<Shared>>>, options: &[u8]) -> Option<*const PomeriumJwtVerifier> {
    let (_, found) = list?.iter().find(|(text, _)| **text == *options)?;
    Some(Arc::as_ptr(found))
}
