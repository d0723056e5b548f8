//! When answers come as fast after an outage as before it, from how many were sent in each tenth of a second.

/// The rate is measured over so many tenths: answers come in waves.
const WINDOW: usize = 5;

/// The rate before is that of so many windows, of which one alone may have had one wave more than another.
const WINDOWS: usize = 2;

/// The full rate is this share of the one before, since waves and windows are not in step.
const FULL: f64 = 0.9;

/// Seconds from the end of an outage until the beginning of the first half second in which as many were answered as on average in the last
/// second before it. `None` if there is no such half second.
pub(crate) fn seconds(tenths: &[u64], begins: u64, ends: u64) -> Option<f64> {
    let (begins, ends) = (usize::try_from(begins).ok()? * 10, usize::try_from(ends).ok()? * 10);
    let answers = |window: &[u64]| window.iter().sum::<u64>() as f64;
    let before = answers(tenths.get(begins.checked_sub(WINDOWS * WINDOW)?..begins)?) / WINDOWS as f64;
    let after = tenths.get(ends..)?.windows(WINDOW).position(|window| answers(window) >= FULL * before)?;
    Some(after as f64 / 10.0)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn the_full_rate_is_back_when_as_many_are_answered_in_half_a_second() {
        let mut tenths = vec![40; 20];
        tenths.extend([0; 50]);
        tenths.extend([0, 0, 10, 20, 39, 40, 37, 38, 40]);
        assert_eq!(seconds(&tenths, 2, 7), Some(0.4));
        tenths.truncate(74);
        assert_eq!(seconds(&tenths, 2, 7), None);
        assert_eq!(seconds(&[], 2, 7), None);
    }
}
