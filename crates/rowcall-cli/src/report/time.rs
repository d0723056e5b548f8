//! Formats times for people.

use std::time::{Duration, SystemTime};

/// A time given in milliseconds since 1970, in UTC: `2026-11-30 01:23:45`.
pub(crate) fn utc(milliseconds: i64) -> String {
    let since = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
    let time = SystemTime::UNIX_EPOCH + since;
    let text = humantime::format_rfc3339_seconds(time).to_string();
    text.trim_end_matches('Z').replace('T', " ")
}

/// A duration: `0.8 s`, `5 min`, `3 h 20 min`.
pub(crate) fn long(milliseconds: f64) -> String {
    let seconds = milliseconds / 1_000.0;
    match seconds {
        ..1.0 => format!("{milliseconds:.0} ms"),
        ..10.0 => format!("{seconds:.1} s"),
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h {:.0} min", (seconds / 3_600.0).floor(), seconds % 3_600.0 / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(utc(1_700_000_000_123), "2023-11-14 22:13:20");
        for (milliseconds, text) in [
            (12.0, "12 ms"),
            (1_234.0, "1.2 s"),
            (61_000.0, "61 s"),
            (600_000.0, "10 min"),
            (7_260_000.0, "2 h 1 min"),
        ] {
            assert_eq!(long(milliseconds), text);
        }
    }
}
