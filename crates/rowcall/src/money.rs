//! Money: US dollars as whole picodollars, so that sums are exact, and costs that are known only in part. For prices, see
//! `price.rs`.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

use crate::error::Problem;

/// Decimal places of a dollar.
const DIGITS: usize = 12;

/// The most dollars, rounded down.
const MOST: f64 = 18e6;

/// An amount of US dollars, in picodollars: a price of one micro-dollar per million tokens is one picodollar per token. More
/// than 18 million dollars count as 18 million.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usd(u64);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The largest amount that can be represented.
    pub const MAX: Self = Self(u64::MAX);

    /// An amount in picodollars.
    pub const fn from_picodollars(picodollars: u64) -> Self {
        Self(picodollars)
    }

    /// In picodollars.
    pub const fn picodollars(self) -> u64 {
        self.0
    }

    /// An amount as people write it: `5`, `0.15`, `$2.50`.
    ///
    /// # Errors
    /// If it is not a decimal number from 0 to 18 million with at most 12 decimal places.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = || {
            let message = format!("`{text}` is not an amount, expected US dollars such as `5` or `0.15`");
            Problem::new(message)
        };
        let too_large = || {
            Problem::new(format!("the amount `{text}` is too large, expected US dollars up to 18 million"))
        };
        let trimmed = text.trim();
        let amount = trimmed.strip_prefix('$').unwrap_or(trimmed);
        let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + part.len() == 0 || !are_digits(whole) || !are_digits(part) {
            let is_large = amount.parse().is_ok_and(|amount: f64| amount.is_finite() && amount > MOST);
            return Err(if is_large { too_large() } else { wrong() });
        }
        if part.len() > DIGITS {
            return Err(Problem::new(format!(
                "the amount `{text}` is too precise, expected US dollars with at most {DIGITS} decimal places"
            )));
        }
        let digits = format!("{whole}{part:0<DIGITS$}");
        digits.parse().map(Self).map_err(|_| too_large())
    }

    /// The nearest 64-bit float to the amount in US dollars, for statistics and other programs; sums are made of exact amounts.
    pub fn dollars(self) -> f64 {
        self.decimal().parse().unwrap_or(f64::MAX)
    }

    /// Exactly this amount for people, such as `$1.23456`, where [`Display`](fmt::Display) rounds: what the user has set is shown as it
    /// was set.
    pub fn exactly(self) -> String {
        dollar_sign(&self.decimal())
    }

    /// The exact amount as a decimal number without a sign: `0.00002510` is written `0.0000251`.
    pub fn decimal(self) -> String {
        let digits = format!("{:0>width$}", self.0, width = DIGITS + 1);
        let (whole, part) = digits.split_at(digits.len() - DIGITS);
        let part = part.trim_end_matches('0');
        if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
    }

    /// This amount, multiplied.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Usd {
    type Output = Self;

    /// Saturates at zero.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// For people: whole cents from ten dollars up, four significant digits below, always rounded up.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = match self.0 {
            0 => return f.write_str("$0"),
            10_000_000_000_000.. => 2,
            // The leading zeros after the point, and four more digits.
            amount => DIGITS.saturating_sub(amount.ilog10() as usize + 1).saturating_add(4).min(DIGITS),
        };
        let unit = 10_u64.pow((DIGITS - places) as u32);
        f.write_str(&dollar_sign(&Self(self.0.div_ceil(unit).saturating_mul(unit)).decimal()))
    }
}

/// A decimal number as an amount of dollars, with cents.
fn dollar_sign(decimal: &str) -> String {
    let behind = decimal.split_once('.').map_or(0, |(_, part)| part.len());
    let point = if behind == 0 { "." } else { "" };
    format!("${decimal}{point}{}", "0".repeat(2_usize.saturating_sub(behind)))
}

/// What something has cost, as far as known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// The sum of the requests whose cost is known.
    pub known: Usd,
    /// Requests that may have cost an unknown amount: their answers were lost, reported no usage, or have no price.
    pub unknown: u64,
    /// Of these, the requests with a known maximum cost.
    pub bounded: u64,
    /// The most that the bounded requests can have cost together.
    pub most: Usd,
}

impl Cost {
    /// A known cost.
    pub const fn known(amount: Usd) -> Self {
        Self { known: amount, unknown: 0, bounded: 0, most: Usd::ZERO }
    }

    /// The unknown cost of one request.
    pub const UNKNOWN: Self = Self { known: Usd::ZERO, unknown: 1, bounded: 0, most: Usd::ZERO };

    /// The unknown cost of one request, at most `most`.
    pub const fn at_most(most: Usd) -> Self {
        Self { known: Usd::ZERO, unknown: 1, bounded: 1, most }
    }

    /// The whole amount, if all of it is known.
    pub fn exact(self) -> Option<Usd> {
        (self.unknown == 0).then_some(self.known)
    }

    /// The most that the whole cost can be, if it is bounded.
    pub fn ceiling(self) -> Option<Usd> {
        (self.unknown == self.bounded).then_some(self.known + self.most)
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.known += other.known;
        self.unknown = self.unknown.saturating_add(other.unknown);
        self.bounded = self.bounded.saturating_add(other.bounded);
        self.most += other.most;
    }
}

/// For people: `$0.0251`, or `at least $0.0251, at most $0.0312, cost of 3 requests unknown`.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { known, unknown, .. } = *self;
        let requests = if unknown == 1 { "request" } else { "requests" };
        match (known, unknown, self.ceiling()) {
            (known, 0, _) => write!(f, "{known}"),
            (Usd::ZERO, unknown, None) => write!(f, "unknown, of {unknown} {requests}"),
            (Usd::ZERO, unknown, Some(most)) => {
                write!(f, "at most {most}, cost of {unknown} {requests} unknown")
            }
            (known, unknown, None) => write!(f, "at least {known}, cost of {unknown} {requests} unknown"),
            (known, unknown, Some(most)) => {
                write!(f, "at least {known}, at most {most}, cost of {unknown} {requests} unknown")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_is_read_and_written_exactly() {
        for (text, picodollars, decimal) in [
            ("5", 5_000_000_000_000, "5"),
            ("$0.15", 150_000_000_000, "0.15"),
            (".5", 500_000_000_000, "0.5"),
            ("0.000000000001", 1, "0.000000000001"),
            ("0", 0, "0"),
            (" 2.50 ", 2_500_000_000_000, "2.5"),
            ("10.", 10_000_000_000_000, "10"),
        ] {
            let amount = Usd::parse(text).expect(text);
            assert_eq!((amount.picodollars(), amount.decimal().as_str()), (picodollars, decimal));
        }
        for text in ["", "$", ".", "-1", "+1", "1e3", "five", "NaN", "inf", "1,5", "١"] {
            let problem = Usd::parse(text).expect_err(text);
            assert!(problem.message.contains("is not an amount, expected US dollars"), "{}", problem.message);
        }
        for text in ["99999999999", "1e30", "18446745"] {
            let problem = Usd::parse(text).expect_err(text);
            assert!(
                problem.message.contains("is too large, expected US dollars up to 18"),
                "{}",
                problem.message
            );
        }
        let problem = Usd::parse("0.0000000000001").expect_err("13 places");
        assert!(problem.message.contains("at most 12 decimal places"), "{}", problem.message);
    }

    #[test]
    fn an_amount_is_never_rounded_down_for_display() {
        for (decimal, shown) in [
            ("0", "$0"),
            ("5", "$5.00"),
            ("0.0000251", "$0.0000251"),
            ("0.000025104", "$0.00002511"),
            ("1.00001", "$1.0001"),
            ("0.9999999", "$1.00"),
            ("1234.561", "$1234.57"),
            ("0.000000000001", "$0.000000000001"),
        ] {
            assert_eq!(Usd::parse(decimal).expect(decimal).to_string(), shown, "{decimal}");
        }
    }

    #[test]
    fn an_amount_that_the_user_has_set_is_shown_as_it_was_set() {
        for (decimal, shown, dollars) in [
            ("1.23456", "$1.23456", 1.23456_f64),
            ("5", "$5.00", 5.0),
            ("12.5", "$12.50", 12.5),
            ("1234.567", "$1234.567", 1234.567),
            ("0.000000000001", "$0.000000000001", 1e-12),
        ] {
            let amount = Usd::parse(decimal).expect(decimal);
            assert_eq!((amount.exactly().as_str(), amount.dollars().to_bits()), (shown, dollars.to_bits()));
        }
    }

    #[test]
    fn an_unknown_cost_is_reported() {
        let mut cost = Cost::known(Usd::parse("0.25").expect("an amount"));
        assert_eq!((cost.to_string(), cost.exact()), ("$0.25".to_owned(), Some(cost.known)));
        cost += Cost::UNKNOWN;
        assert_eq!(cost.to_string(), "at least $0.25, cost of 1 request unknown");
        assert_eq!(cost.exact(), None);
        cost += Cost { unknown: 2, ..Cost::default() };
        assert_eq!(cost.to_string(), "at least $0.25, cost of 3 requests unknown");
        assert_eq!((cost.ceiling(), Cost::default().ceiling()), (None, Some(Usd::ZERO)));
        assert_eq!(Cost::UNKNOWN.to_string(), "unknown, of 1 request");
    }

    #[test]
    fn an_unknown_cost_is_bounded_if_each_part_is() {
        let amount = |text| Usd::parse(text).expect("an amount");
        let mut cost = Cost::at_most(amount("0.125"));
        assert_eq!(
            (cost.to_string().as_str(), cost.exact()),
            ("at most $0.125, cost of 1 request unknown", None)
        );
        cost += Cost::known(amount("0.5"));
        cost += Cost::at_most(amount("0.125"));
        assert_eq!(cost.to_string(), "at least $0.50, at most $0.75, cost of 2 requests unknown");
        assert_eq!(cost.ceiling(), Some(amount("0.75")));
        cost += Cost::UNKNOWN;
        assert_eq!(cost.to_string(), "at least $0.50, cost of 3 requests unknown");
    }

    proptest! {
        #[test]
        fn a_decimal_is_read_back(picodollars: u64) {
            let amount = Usd::from_picodollars(picodollars);
            prop_assert_eq!(Usd::parse(&amount.decimal()).ok(), Some(amount));
            // The displayed amount may be larger, by less than a thousandth.
            if picodollars < u64::MAX / 2 {
                let shown = Usd::parse(&amount.to_string()).expect("an amount");
                prop_assert!(shown >= amount && (shown - amount).picodollars() <= picodollars / 999);
            }
        }
    }
}
