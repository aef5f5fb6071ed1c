//! Unix seconds as the standard library's type.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second of the year 9999.
const LATEST: u64 = 253_402_300_799;

/// The moment of these Unix seconds, which are not negative. A system whose clock cannot express so late a time (on
/// Windows that is after the year 60055) gives the last second of the year 9999 instead.
pub(crate) fn system_time(seconds: i64) -> SystemTime {
    let after = |seconds: u64| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    after(u64::try_from(seconds).unwrap_or(0)).or_else(|| after(LATEST)).unwrap_or(UNIX_EPOCH)
}
