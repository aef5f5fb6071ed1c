//! Unix times as people read them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pomerium_jwt::Error;

use crate::report::internal;

/// The first second of the year 10000, which dates cannot express.
const END_OF_DATES: i64 = 253_402_300_800;

/// The machine's clock in Unix seconds.
pub(crate) fn now() -> Result<i64, Error> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_err(|_| internal("the system clock is set to a time before 1970"))?;
    Ok(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// `Tue, 14 Nov 2023 22:18:20 GMT`; none outside the years 1970 to 9999.
pub(crate) fn date(time: i64) -> Option<String> {
    let seconds = u64::try_from(time).ok().filter(|_| time < END_OF_DATES)?;
    Some(httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds)))
}

/// `5 min`: in the unit that a person would say.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_end_with_the_year_9999() {
        let table = [
            (0, Some("Thu, 01 Jan 1970 00:00:00 GMT")),
            (1_700_000_300, Some("Tue, 14 Nov 2023 22:18:20 GMT")),
            (END_OF_DATES - 1, Some("Fri, 31 Dec 9999 23:59:59 GMT")),
            (END_OF_DATES, None),
            (i64::MAX, None),
            (-1, None),
        ];
        for (time, expected) in table {
            assert_eq!(date(time).as_deref(), expected, "{time}");
        }
    }

    #[test]
    fn spans_are_in_the_unit_a_person_would_say() {
        let table =
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"), (172_800, "2 days")];
        for (seconds, expected) in table {
            assert_eq!(span(seconds), expected);
        }
    }
}
