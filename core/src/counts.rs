//! How many answers had which code.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::code::ErrorCode;

/// An answer, as it is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    Ok,
    Passed,
    Refused(ErrorCode),
}

/// Counts answers: those of [`ErrorCode::ALL`], then `passed`, then `ok`.
pub(crate) struct Counts([AtomicU64; ErrorCode::ALL.len() + 2]);

impl Counts {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// `keys_needed` is not an answer: the final one comes with the ticket.
    pub(crate) fn add(&self, answer: Counted) {
        let [.., passed, ok] = &self.0;
        let count = match answer {
            Counted::Ok => ok,
            Counted::Passed => passed,
            Counted::Refused(ErrorCode::KeysNeeded) => return,
            Counted::Refused(code) => {
                let row = ErrorCode::ALL.iter().position(|listed| *listed == code).unwrap_or(ErrorCode::ALL.len() - 1);
                &self.0[row]
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> BTreeMap<&'static str, u64> {
        let names = ErrorCode::ALL.iter().map(|code| code.name()).chain(["passed", "ok"]);
        names.zip(self.0.iter().map(|count| count.load(Ordering::Relaxed))).collect()
    }
}
