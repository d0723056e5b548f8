//! A moment in the simulator's time, and as the time of day in headers.

use std::time::Duration;

/// One moment in two clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The time since the first request.
    pub(crate) story: Duration,
    /// The time since 1970.
    pub(crate) unix: Duration,
}

/// A Unix time in RFC 3339 and UTC, rounded up to whole seconds: `2026-11-22T17:16:34Z`.
pub(crate) fn rfc3339(unix: Duration) -> String {
    let seconds = unix.as_secs() + u64::from(unix.subsec_nanos() > 0);
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of the `days`th day after 1 January 1970.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_times_are_formatted_as_dates() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (1_795_367_794, "2026-11-22T17:16:34Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(rfc3339(Duration::from_nanos(1)), "1970-01-01T00:00:01Z");
    }
}
