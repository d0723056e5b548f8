//! A JSON number as a decimal: compared, divided and written without rounding, in time bounded by the length of its text
//! regardless of its exponent.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

/// Represents an exponent that does not fit a 64-bit integer.
const FARTHEST: i64 = i64::MAX / 4;

/// A number as sign, significant digits and a power of ten: `-1.20e3` is `-`, `12` and 2. Equal numbers are equal in all three.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    pub(super) is_negative: bool,
    /// Without zeros at either end; empty for zero.
    pub(super) digits: String,
    pub(super) exponent: i64,
}

impl Decimal {
    /// The value of `text`, which is a JSON number.
    pub(crate) fn of(text: &str) -> Self {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, clamped(exponent)),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let shortened = all.trim_end_matches('0');
        let zeros = all.len() - shortened.len();
        let exponent = exponent - length(fraction.len()) + length(zeros);
        let digits = shortened.trim_start_matches('0').to_owned();
        let is_zero = digits.is_empty();
        Self { is_negative: is_negative && !is_zero, digits, exponent: if is_zero { 0 } else { exponent } }
    }

    /// The value of `value`, if it is a number.
    pub(crate) fn of_value(value: &Value) -> Option<Self> {
        value.as_number().map(|number| Self::of(number.as_str()))
    }

    fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Whether it has no fraction.
    pub(crate) fn is_whole(&self) -> bool {
        self.exponent >= 0
    }

    /// Whether it is a whole multiple of `unit`, which is not zero.
    pub(crate) fn is_multiple_of(&self, unit: &Self) -> bool {
        if self.is_zero() || unit.is_zero() {
            return self.is_zero();
        }
        // The digits have no trailing zeros, so nothing is a multiple of a unit with a higher power of ten.
        let Ok(zeros) = usize::try_from(self.exponent - unit.exponent) else { return false };
        // Each zero removes a factor of 2 and one of 5 from the unit, which has no more of them than bits.
        let zeros = zeros.min(unit.digits.len() * 4);
        let mut rest = Vec::new();
        for digit in self.digits.bytes().chain(std::iter::repeat_n(b'0', zeros)) {
            rest.push(digit);
            while is_at_least(&rest, unit.digits.as_bytes()) {
                subtract(&mut rest, unit.digits.as_bytes());
            }
            if rest.first() == Some(&b'0') {
                rest.remove(0);
            }
        }
        rest.iter().all(|digit| *digit == b'0')
    }

    /// Compares the sizes of two numbers without their signs.
    fn cmp_size(&self, other: &Self) -> Ordering {
        let magnitude = |of: &Self| of.exponent + length(of.digits.len());
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => {
                magnitude(self).cmp(&magnitude(other)).then_with(|| self.digits.cmp(&other.digits))
            }
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.cmp_size(other),
            (true, true) => other.cmp_size(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    /// The same text for equal numbers, such as `-12e2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative { "-" } else { "" };
        write!(f, "{sign}{}e{}", self.digits, self.exponent)
    }
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(FARTHEST)
}

/// Parses an exponent; one that does not fit an integer is clamped.
fn clamped(exponent: &str) -> i64 {
    let farthest = if exponent.starts_with('-') { -FARTHEST } else { FARTHEST };
    exponent.parse().unwrap_or(farthest).clamp(-FARTHEST, FARTHEST)
}

/// Whether a number in digits, with at most one leading zero, is at least as large as another.
fn is_at_least(one: &[u8], other: &[u8]) -> bool {
    let one = if one.first() == Some(&b'0') { &one[1..] } else { one };
    one.len().cmp(&other.len()).then_with(|| one.cmp(other)).is_ge()
}

/// Subtracts the smaller number `other` from `one`, and removes leading zeros from the result.
fn subtract(one: &mut Vec<u8>, other: &[u8]) {
    let mut borrowed = 0;
    for (at, digit) in one.iter_mut().rev().enumerate() {
        let taken = other.iter().rev().nth(at).map_or(0, |digit| digit - b'0') + borrowed;
        let held = *digit - b'0';
        borrowed = u8::from(held < taken);
        *digit = b'0' + (held + 10 * borrowed - taken);
    }
    let zeros = one.iter().take_while(|digit| **digit == b'0').count();
    one.drain(..zeros);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_their_values() {
        let ascending = [
            "-1e99999999999999999999",
            "-1e400",
            "-9007199254740993",
            "-9007199254740992.5",
            "-1",
            "-1e-400",
            "0",
            "1e-99999999999999999999",
            "1e-400",
            "0.1",
            "0.10000000000000000001",
            "0.11",
            "1",
            "9007199254740992",
            "9007199254740992.0000000001",
            "9007199254740993",
            "10000000000000000000000",
            "10000000000000000000001",
            "1e400",
        ];
        for (at, text) in ascending.iter().enumerate() {
            for (other_at, other) in ascending.iter().enumerate() {
                assert_eq!(Decimal::of(text).cmp(&Decimal::of(other)), at.cmp(&other_at), "{text} {other}");
            }
        }
        for same in [["1.0", "1"], ["-0.0", "0"], ["1.20e3", "1200"], ["1E+2", "100.00"], ["12e-1", "1.2"]] {
            let [one, other] = same.map(Decimal::of);
            assert_eq!(one, other);
            assert_eq!(one.to_string(), other.to_string());
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (number, unit, is_multiple) in [
            ("0.3", "0.1", true),
            ("1070468.14", "0.01", true),
            ("0.30000000000000000001", "0.1", false),
            ("0.3", "0.30000000000000000001", false),
            ("12345678901234567890123", "3", true),
            ("12345678901234567890124", "3", false),
            ("1e37", "0.03", false),
            ("3e37", "0.03", true),
            ("1e400", "7", false),
            ("7e400", "7", true),
            ("1e400", "1024", true),
            ("5", "10", false),
            ("-20", "10", true),
            ("0", "7", true),
            ("1e-400", "1", false),
            ("36893488147419103232", "18446744073709551616", true),
            ("36893488147419103233", "18446744073709551616", false),
            ("1.5", "0.25", true),
            ("1.6", "0.25", false),
        ] {
            assert_eq!(
                Decimal::of(number).is_multiple_of(&Decimal::of(unit)),
                is_multiple,
                "{number} {unit}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn multiples_have_no_remainder(number in 0_u64..u64::MAX, unit in 1_u64..10_000, shift in 0_i32..30) {
            let scaled = |number: u64| Decimal::of(&format!("{number}e-{shift}"));
            proptest::prop_assert_eq!(scaled(number).is_multiple_of(&scaled(unit)), number % unit == 0);
        }
    }
}
