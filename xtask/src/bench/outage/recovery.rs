//! Finds when answers are as frequent after an outage as before it, from the number sent in each tenth of a second.

/// The window for measuring the rate, in tenths of a second: answers come in waves.
const WINDOW: usize = 5;

/// The rate before is averaged over this many windows, since a single one may contain an extra wave.
const WINDOWS: usize = 2;

/// The full rate is this share of the rate before, since waves and windows are not aligned.
const FULL: f64 = 0.9;

/// Seconds from the end of an outage until the beginning of the first half second with as many answers as the average
/// of the last second before it. `None` if there is no such half second.
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
    fn the_full_rate_is_measured_over_half_a_second() {
        let mut tenths = vec![40; 20];
        tenths.extend([0; 50]);
        tenths.extend([0, 0, 10, 20, 39, 40, 37, 38, 40]);
        assert_eq!(seconds(&tenths, 2, 7), Some(0.4));
        tenths.truncate(74);
        assert_eq!(seconds(&tenths, 2, 7), None);
        assert_eq!(seconds(&[], 2, 7), None);
    }
}
