//! A number within bounds and with given multiples, computed in decimals so that a multiple of 0.1 is exact.

use serde_json::{Number, Value};

use super::conjunction::Conjunction;
use crate::chance::Chance;

/// The requirements for a number.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    low: Option<(f64, Open)>,
    high: Option<(f64, Open)>,
    steps: Vec<f64>,
    whole: bool,
}

/// Whether the bound itself is excluded.
type Open = bool;

impl Bounds {
    /// The bounds that all schemas of `all` set; `whole` for integers.
    pub(super) fn of(all: &Conjunction<'_>, whole: bool) -> Self {
        let numbers = |word: &'static str| all.values(word).filter_map(Value::as_f64);
        let lows = numbers("minimum")
            .map(|low| (low, false))
            .chain(numbers("exclusiveMinimum").map(|low| (low, true)));
        let highs = numbers("maximum")
            .map(|high| (high, false))
            .chain(numbers("exclusiveMaximum").map(|high| (high, true)));
        // Of two equal bounds, the open one applies.
        let low = lows.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let high = highs.min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        Self { low, high, steps: numbers("multipleOf").filter(|step| *step > 0.0).collect(), whole }
    }

    pub(super) fn fit(&self, value: f64) -> bool {
        let above = self.low.is_none_or(|(low, open)| value > low || value >= low && !open);
        let below = self.high.is_none_or(|(high, open)| value < high || value <= high && !open);
        let whole = !self.whole || value.fract() == 0.0;
        above && below && whole && self.steps.iter().all(|step| is_multiple(value, *step))
    }

    /// A number, within `likely` if the bounds allow it; `None` if there is none.
    pub(super) fn make(&self, chance: Chance, salt: u64, likely: (f64, f64)) -> Option<Value> {
        let free = !self.whole && self.steps.is_empty();
        let stepped = if free {
            (2..12).find_map(|decimals| self.on_grid(Decimal { digits: 1, decimals }, chance, salt, likely))
        } else {
            self.step().and_then(|step| self.on_grid(step, chance, salt, likely))
        };
        stepped.or_else(|| self.odd_one())
    }

    /// The least common multiple of all required steps.
    fn step(&self) -> Option<Decimal> {
        let one = self.whole.then_some(1.0);
        let mut steps = one.iter().chain(&self.steps).map(|step| Decimal::of(*step));
        let first = steps.next()??;
        steps.try_fold(first, |common, step| common.common_multiple(step?))
    }

    /// A multiple of `step` within the bounds.
    fn on_grid(&self, step: Decimal, chance: Chance, salt: u64, (least, most): (f64, f64)) -> Option<Value> {
        let width = step.value();
        let from = self.low.map_or_else(
            || self.high.map_or(least, |(high, _)| high - 100.0 * width.max(0.01)),
            |(low, _)| low,
        );
        let to = self.high.map_or_else(
            || self.low.map_or(most, |(low, _)| low + 100.0 * width.max(0.01)),
            |(high, _)| high,
        );
        let (narrow_from, narrow_to) = (from.max(least), to.min(most));
        let (from, to) = if narrow_from <= narrow_to && narrow_to - narrow_from >= width {
            (narrow_from, narrow_to)
        } else {
            (from, to)
        };
        let (first, last) = ((from / width).ceil(), (to / width).floor());
        if !(first.abs() < 1e15 && last.abs() < 1e15) {
            return None;
        }
        // One more on either side, as the division above may round; candidates that do not fit are skipped.
        let (first, count) = (first as i64 - 1, (last - first) as i64 + 3);
        let start = chance.below(count.max(1) as u64).wrapping_add(salt).cast_signed();
        (0..count.min(4_096)).find_map(|n| {
            let index = first + (start.wrapping_add(n)).rem_euclid(count);
            let value = step.times(index)?;
            self.fit(value.as_f64()?).then_some(value)
        })
    }

    /// Without a suitable grid: a bound, the middle, or zero.
    fn odd_one(&self) -> Option<Value> {
        let low = self.low.map_or(f64::MIN, |(low, _)| low);
        let high = self.high.map_or(f64::MAX, |(high, _)| high);
        let middle = low / 2.0 + high / 2.0;
        let candidates = [0.0, low, high, middle, low.next_up(), high.next_down()];
        candidates.into_iter().find(|value| self.fit(*value)).and_then(|value| number(value, self.whole))
    }
}

/// A JSON number; an integer without a fraction, within 64 bits.
pub(super) fn number(value: f64, whole: bool) -> Option<Value> {
    if whole && value.fract() == 0.0 && value.abs() < 9.0e15 {
        return Some(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}

pub(super) fn is_multiple(value: f64, step: f64) -> bool {
    let exact = || {
        let (value, step) = (Decimal::of(value)?, Decimal::of(step)?);
        let (value, step) = value.aligned(step)?;
        Some(step != 0 && value % step == 0)
    };
    exact().unwrap_or_else(|| (value / step).fract() == 0.0)
}

/// `digits` / 10^`decimals`.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    digits: i128,
    decimals: u32,
}

impl Decimal {
    /// The number as the shortest decimal that represents it.
    fn of(value: f64) -> Option<Self> {
        let written = format!("{value}");
        let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        let decimals = fraction.len() as u32;
        (decimals <= 18).then_some(Self { digits, decimals })
    }

    fn value(self) -> f64 {
        self.digits as f64 / 10_f64.powi(self.decimals.cast_signed())
    }

    /// Both numbers' digits with the same number of decimals.
    fn aligned(self, other: Self) -> Option<(i128, i128)> {
        let decimals = self.decimals.max(other.decimals);
        let scaled =
            |number: Self| number.digits.checked_mul(10_i128.checked_pow(decimals - number.decimals)?);
        Some((scaled(self)?, scaled(other)?))
    }

    fn common_multiple(self, other: Self) -> Option<Self> {
        let (a, b) = self.aligned(other)?;
        let (mut x, mut y) = (a, b);
        while y != 0 {
            (x, y) = (y, x % y);
        }
        let digits = (a / x.max(1)).checked_mul(b)?;
        Some(Self { digits, decimals: self.decimals.max(other.decimals) })
    }

    /// `count` times the number, as a JSON number.
    fn times(self, count: i64) -> Option<Value> {
        let digits = self.digits.checked_mul(i128::from(count))?;
        let unit = 10_i128.checked_pow(self.decimals)?;
        if digits % unit == 0 {
            return i64::try_from(digits / unit).ok().map(Value::from);
        }
        let sign = if digits < 0 { "-" } else { "" };
        let digits = digits.unsigned_abs();
        let unit = unit.unsigned_abs();
        let width = self.decimals as usize;
        let written = format!("{sign}{}.{:0width$}", digits / unit, digits % unit);
        Number::from_f64(written.parse().ok()?).map(Value::Number)
    }
}
