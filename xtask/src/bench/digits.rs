//! Formats numbers, and computes medians.

/// The median, or the mean of the two middle numbers; 0 if there are none.
pub(crate) fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    let upper = numbers.get(numbers.len() / 2).copied().unwrap_or_default();
    let lower = numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    lower.midpoint(upper)
}

/// A whole number with thousands separators: `100,000`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{median, thousands};

    #[test]
    fn the_median_is_in_the_middle() {
        for (numbers, expected) in [
            (&[][..], 0.0),
            (&[3.0], 3.0),
            (&[9.0, 1.0], 5.0),
            (&[9.0, 1.0, 2.0], 2.0),
            (&[4.0, 9.0, 1.0, 2.0], 3.0),
        ] {
            assert!((median(numbers.iter().copied()) - expected).abs() < f64::EPSILON, "{numbers:?}");
        }
    }

    #[test]
    fn thousands_have_separators() {
        for (number, expected) in [(0.0, "0"), (999.4, "999"), (1000.0, "1,000"), (1_234_567.0, "1,234,567")]
        {
            assert_eq!(thousands(number), expected);
        }
    }
}
