//! A moment as prices need it: the day, the minute and the day of the week, in UTC.

use std::time::SystemTime;

use serde::{Deserialize, Deserializer, de};

const SECONDS_A_DAY: i64 = 86_400;

/// A moment, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Seconds since 1970.
    seconds: i64,
}

impl Moment {
    /// A moment in seconds since the start of 1970, UTC.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds }
    }

    /// The beginning of a day such as `2026-12-01` in UTC; `None` if the text is not a day.
    pub fn of_day(text: &str) -> Option<Self> {
        Some(Self { seconds: day(text)? * SECONDS_A_DAY })
    }

    /// Seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Days since 1970.
    pub fn day(self) -> i64 {
        self.seconds.div_euclid(SECONDS_A_DAY)
    }

    /// Minutes since midnight.
    pub fn minute(self) -> u32 {
        (self.seconds.rem_euclid(SECONDS_A_DAY) / 60) as u32
    }

    /// The day of the week, 1 being Monday and 7 Sunday.
    pub fn weekday(self) -> u32 {
        // 1970 began on a Thursday.
        ((self.day() + 3).rem_euclid(7) + 1) as u32
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
        };
        Self { seconds }
    }
}

/// Days since 1970 of a date such as `2026-12-01`.
pub(crate) fn day(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    // Years begin in March, so that a leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    Some(year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Reads a day from a table.
pub(super) fn day_from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    day(&text)
        .map(Some)
        .ok_or_else(|| de::Error::custom(format!("`{text}` is not a day, expected one such as `2026-12-01`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_in_the_calendar() {
        for (text, days, weekday) in [
            ("1970-01-01", 0, 4),
            ("2000-02-29", 11_016, 2),
            ("2000-03-01", 11_017, 3),
            ("2026-11-28", 20_785, 6),
            ("2026-12-01", 20_788, 2),
            ("2100-03-01", 47_541, 1),
        ] {
            let moment = Moment::of_day(text).expect(text);
            assert_eq!((moment.day(), moment.weekday(), moment.minute()), (days, weekday, 0), "{text}");
        }
        for text in [
            "2026-13-01",
            "2026-02-29",
            "2100-02-29",
            "2026-1-01",
            "2026-12-1x",
            "20261201",
            "",
            "2026-00-10",
        ] {
            assert_eq!(Moment::of_day(text), None, "{text}");
        }
    }

    #[test]
    fn minutes_are_those_of_the_day() {
        let noon = Moment::from_seconds(20_785 * SECONDS_A_DAY + 12 * 3600 + 59);
        assert_eq!((noon.day(), noon.minute()), (20_785, 720));
        let before = Moment::from_seconds(-1);
        assert_eq!((before.day(), before.minute(), before.weekday()), (-1, 1439, 3));
    }
}
