//! The ways to form the sum that a verification needs: their answers are the same, their times are not.

use std::{
    fmt,
    sync::atomic::{AtomicU8, Ordering::Relaxed},
};

/// A way to verify. Not for users, who get the fastest one; for tests and comparisons of this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Way {
    /// One addition after the other in 64-bit arithmetic, on every processor.
    Scalar = 1,
    /// Eight additions at a time by AVX-512 IFMA.
    Ifma,
}

/// The way of this process as a number, 0 before somebody asked.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl Way {
    /// What this processor can do, the fastest last.
    #[must_use]
    pub fn all() -> &'static [Self] {
        #[cfg(target_arch = "x86_64")]
        if crate::ifma::is_available() {
            return &[Self::Scalar, Self::Ifma];
        }
        &[Self::Scalar]
    }

    /// The way that [`crate::Key::verify`] takes.
    #[inline]
    #[must_use]
    pub fn current() -> Self {
        match CURRENT.load(Relaxed) {
            1 => Self::Scalar,
            2 => Self::Ifma,
            _ => {
                let fastest = Self::all()[Self::all().len() - 1];
                fastest.make_current();
                fastest
            }
        }
    }

    /// Has the whole process take this way, so that callers who cannot choose can be compared. Where a processor lacks
    /// a way, the scalar one is taken all the same.
    pub fn make_current(self) {
        CURRENT.store(self as u8, Relaxed);
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scalar => "scalar",
            Self::Ifma => "AVX-512 IFMA",
        })
    }
}
