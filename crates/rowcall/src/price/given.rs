//! A price as the user gives it: `in=0.15,out=0.60`, in US dollars per million tokens.

use std::fmt;

use super::{Period, Price, Service};
use crate::error::Problem;
use crate::money::Usd;

/// Prices are given per million tokens.
const TOKENS: u64 = 1_000_000;

/// The parts that a price may have.
const NAMES: &str = "`in`, `out`, `cached`, `written`, `written_long` and `reasoning`";

impl Price {
    /// A price such as `in=0.15,out=0.60`, which applies to every tier at all times, in US dollars per million tokens. `cached`, `written`,
    /// `written_long` and `reasoning` may be given as well.
    ///
    /// # Errors
    /// For a part that is unknown or not an amount, and for a price without `in` or `out`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut period = Period { service: Service::Any, ..Period::default() };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, amount) = part.split_once('=').ok_or_else(|| {
                Problem::new(format!("`{part}` in the price `{text}` is not `NAME=USD`, expected {NAMES}"))
            })?;
            let rate = match name.trim() {
                "in" => &mut period.i,
                "out" => &mut period.o,
                "cached" => &mut period.r,
                "written" => &mut period.w,
                "written_long" => &mut period.h,
                "reasoning" => &mut period.t,
                name => {
                    return Err(Problem::new(format!(
                        "`{name}` in the price `{text}` is unknown, expected {NAMES}"
                    )));
                }
            };
            if rate.is_some() {
                let message = format!("the price `{text}` has `{}` twice, expected it once", name.trim());
                return Err(Problem::new(message));
            }
            let million = Usd::parse(amount)?.picodollars();
            if million % TOKENS != 0 {
                let message = format!(
                    "`{amount}` in the price `{text}` is too precise, expected at most 6 decimal places"
                );
                return Err(Problem::new(message));
            }
            *rate = Some(million / TOKENS);
        }
        if period.i.is_none() || period.o.is_none() {
            let message = format!("the price `{text}` has no `in` or no `out`, expected both");
            return Err(
                Problem::new(message).hint("give US dollars per million tokens, such as `in=0.15,out=0.60`")
            );
        }
        Ok(Self { periods: [period].into() })
    }
}

/// A price in the form in which users give it, such as `in=0.15,out=0.6`; for a price from a table, only its latest period.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Period { i, o, r, w, h, t, .. }) = self.periods.last() else { return Ok(()) };
        let rates =
            [("in", i), ("out", o), ("cached", r), ("written", w), ("written_long", h), ("reasoning", t)];
        let given = rates.into_iter().filter_map(|(name, rate)| Some((name, (*rate)?)));
        for (n, (name, rate)) in given.enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{name}={}", Usd::from_picodollars(rate).times(TOKENS).decimal())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::Moment;
    use crate::turn::Usage;

    #[test]
    fn a_given_price_holds_for_every_tier() {
        let price = Price::parse("in=0.15, out=0.60,cached=0.075").expect("a price");
        let usage = Usage { input_tokens: 1000, cached_tokens: 400, output_tokens: 10, ..Usage::default() };
        for tier in [None, Some("default"), Some("flex"), Some("whatever")] {
            let cost = price.cost(&usage, tier, Moment::from_seconds(0)).expect("a cost");
            assert_eq!(cost.decimal(), "0.000126");
        }
    }

    #[test]
    fn a_given_price_is_displayed_as_it_was_given() {
        for text in ["in=0.15,out=0.6", "in=1,out=2,cached=0.1,written=1.25,written_long=2,reasoning=8"] {
            assert_eq!(Price::parse(text).expect("a price").to_string(), text);
        }
    }

    #[test]
    fn malformed_prices_are_rejected() {
        for (text, part) in [
            ("in=1", "has no `in` or no `out`"),
            ("", "has no `in` or no `out`"),
            ("in=1,out=x", "`x` is not an amount"),
            ("in=1,out=2,inn=3", "`inn`"),
            ("0.15", "is not `NAME=USD`"),
            ("in=0.0000001,out=1", "too precise"),
            ("in=1,out=2,in=3", "has `in` twice"),
        ] {
            let problem = Price::parse(text).expect_err(text);
            assert!(problem.message.contains(part), "{}", problem.message);
        }
    }
}
