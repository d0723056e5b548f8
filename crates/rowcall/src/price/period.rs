//! A price with what it depends on, as a table has it: the service, days, hours, and the length of the prompt. Also the rules that a table's
//! entries must keep, so that a mistake in a user's table is not taken for a price.

use std::fmt;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::moment::day_from_text;
use super::{Moment, Most, Rates};
use crate::error::{Problem, did_you_mean};
use crate::money::Usd;

/// Servers' names for the standard service.
const STANDARD: [&str; 5] = ["default", "standard", "on_demand", "auto", "standard_only"];

/// The services that tables name. Others may come, but a name that is nearly one of these is a mistake.
const SERVICES: [&str; 7] = ["batch", "flex", "priority", "fast", "ultrafast", "scale", "performance"];

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// The range of plausible prices, in picodollars per token: $0.001 to $10,000 per million tokens. Those of today are between $0.001 and
/// $600. Zero is a price as well.
const PLAUSIBLE: RangeInclusive<u64> = 1_000..=10_000_000_000;

/// The hint for a rate that is not in picodollars.
const UNIT: &str = "prices are whole picodollars per token: US dollars per million tokens times 1,000,000, such as `150000` for $0.15";

/// A price with what it depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Period {
    /// The service; the standard one if not given.
    #[serde(default, rename = "for")]
    pub(super) service: Service,
    /// The first day, in UTC.
    #[serde(default, deserialize_with = "day_from_text")]
    pub(super) from: Option<i64>,
    /// Ranges of minutes of the day, in UTC, ends excluded; any time if empty.
    #[serde(default, deserialize_with = "hours")]
    pub(super) hours: Vec<(u32, u32)>,
    /// Days of the week, 1 being Monday; all if empty.
    #[serde(default, deserialize_with = "days")]
    pub(super) days: Vec<u32>,
    #[serde(default, deserialize_with = "rate")]
    pub(super) i: Option<u64>,
    #[serde(default, deserialize_with = "rate")]
    pub(super) o: Option<u64>,
    #[serde(default, deserialize_with = "rate")]
    pub(super) r: Option<u64>,
    #[serde(default, deserialize_with = "rate")]
    pub(super) w: Option<u64>,
    #[serde(default, deserialize_with = "rate")]
    pub(super) h: Option<u64>,
    #[serde(default, deserialize_with = "rate")]
    pub(super) t: Option<u64>,
    /// The rates for a whole request whose input has more tokens than this, smallest threshold first.
    #[serde(default, deserialize_with = "above")]
    pub(super) above: Vec<(u64, Rates)>,
}

/// The service: the standard one, or another by its name in the table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(super) enum Service {
    #[default]
    Standard,
    /// Any service: the user has set the price.
    Any,
    Named(String),
}

impl From<String> for Service {
    fn from(name: String) -> Self {
        Self::Named(name)
    }
}

impl Service {
    /// The service that a server's name for a tier means.
    pub(super) fn of(tier: Option<&str>) -> Self {
        let name = tier.unwrap_or_default().to_ascii_lowercase();
        if name.is_empty() || STANDARD.contains(&name.as_str()) { Self::Standard } else { Self::Named(name) }
    }
}

impl Period {
    pub(super) fn holds(&self, service: &Service, at: Moment) -> bool {
        (self.service == *service || self.service == Service::Any)
            && self.from.is_none_or(|day| at.day() >= day)
            && (self.days.is_empty() || self.days.contains(&at.weekday()))
            && (self.hours.is_empty()
                || self.hours.iter().any(|(from, to)| (*from..*to).contains(&at.minute())))
    }

    pub(super) fn rates(&self, input_tokens: u64) -> Rates {
        let tier = self.above.iter().rfind(|(threshold, _)| input_tokens > *threshold);
        tier.map_or(self.base(), |(_, rates)| *rates)
    }

    /// The most that this many tokens can cost, whichever tier the actual number falls into.
    pub(super) fn at_most(&self, most: Most) -> Option<Usd> {
        let thresholds = self.above.iter().map(|(threshold, _)| *threshold);
        let inputs = thresholds.filter(|threshold| *threshold < most.input_tokens).chain([most.input_tokens]);
        let mut costs =
            inputs.map(|input_tokens| self.rates(input_tokens).at_most(Most { input_tokens, ..most }));
        costs.try_fold(Usd::ZERO, |dearest, cost| Some(dearest.max(cost?)))
    }

    /// The same with each rate reduced to this percentage, rounded up.
    pub(super) fn reduced(&self, percent: u64) -> Self {
        let reduced = |rate: Option<u64>| rate.map(|rate| (rate * percent).div_ceil(100));
        let above = self.above.iter().map(|(threshold, rates)| {
            let Rates { input, output, cached, written, written_long, reasoning } = *rates;
            let rates = Rates {
                input: reduced(input),
                output: reduced(output),
                cached: reduced(cached),
                written: reduced(written),
                written_long: reduced(written_long),
                reasoning: reduced(reasoning),
            };
            (*threshold, rates)
        });
        Self {
            i: reduced(self.i),
            o: reduced(self.o),
            r: reduced(self.r),
            w: reduced(self.w),
            h: reduced(self.h),
            t: reduced(self.t),
            above: above.collect(),
            ..self.clone()
        }
    }

    pub(super) fn base(&self) -> Rates {
        let Self { i, o, r, w, h, t, .. } = *self;
        Rates { input: i, output: o, cached: r, written: w, written_long: h, reasoning: t }
    }
}

impl Period {
    /// Checks what can be read but cannot be meant.
    ///
    /// # Errors
    /// For the first such value.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if let Service::Named(name) = &self.service {
            check_service(name)?;
        }
        for (from, to) in &self.hours {
            if from >= to || *to > DAY {
                let message = format!(
                    "`hours` has `[{from}, {to}]`, expected minutes of the day from 0 to {DAY}, the smaller first"
                );
                return Err(Problem::new(message)
                    .hint("hours that cross midnight are two ranges, such as `[[1320, 1440], [0, 120]]`"));
            }
        }
        if let Some(day) = self.days.iter().find(|day| !(1..=7).contains(*day)) {
            return Err(Problem::new(format!("`days` has `{day}`, expected 1 for Monday to 7 for Sunday")));
        }
        if self.i.is_none() || self.o.is_none() {
            let message = "it has no `i` or no `o`, expected the prices of input and output";
            return Err(Problem::new(message).hint(UNIT));
        }
        let above = self.above.iter().map(|(_, rates)| *rates);
        for rates in std::iter::once(self.base()).chain(above) {
            rates.check()?;
        }
        if !self.above.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err(Problem::new(
                "its tiers are not in order, expected the smallest number of tokens first",
            ));
        }
        Ok(())
    }
}

impl Rates {
    fn check(&self) -> Result<(), Problem> {
        let Self { input, output, cached, written, written_long, reasoning } = *self;
        let all = [
            ("i", input),
            ("o", output),
            ("r", cached),
            ("w", written),
            ("h", written_long),
            ("t", reasoning),
        ];
        for (letter, rate) in all.into_iter().filter_map(|(letter, rate)| Some((letter, rate?))) {
            if rate != 0 && !PLAUSIBLE.contains(&rate) {
                let million = Usd::from_picodollars(rate).times(1_000_000);
                let message = format!(
                    "`{letter}` is `{rate}`, which is {million} per million tokens, expected $0.001 to $10,000"
                );
                return Err(Problem::new(message).hint(UNIT));
            }
        }
        Ok(())
    }
}

fn check_service(name: &str) -> Result<(), Problem> {
    if name.is_empty() || STANDARD.contains(&name) {
        let message = format!("`for` is `{name}`, expected a service other than the standard one");
        return Err(
            Problem::new(message).hint("leave out `for`: without it a price is that of the standard service")
        );
    }
    let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-+".contains(&byte);
    if !name.bytes().all(of_name) {
        let message =
            format!("`for` is `{name}`, expected the name of a service in lower case, such as `batch`");
        return Err(Problem::new(message));
    }
    // Anthropic's tiers may name a speed and a region as well: `priority+us`.
    match did_you_mean(name, SERVICES).filter(|_| !SERVICES.contains(&name) && !name.contains('+')) {
        Some(hint) => {
            Err(Problem::new(format!("`for` is `{name}`, expected the name of a service")).hint(hint))
        }
        None => Ok(()),
    }
}

/// A whole number, with the words for what it counts.
struct Whole(&'static str);

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }
}

/// A rate.
struct Rate(u64);

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str =
            "whole picodollars per token, which are US dollars per million tokens times 1,000,000";
        deserializer.deserialize_u64(Whole(EXPECTED)).map(Self)
    }
}

/// Reads a rate, which may be null.
pub(super) fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<Rate>::deserialize(deserializer)?.map(|Rate(rate)| rate))
}

/// A small number of the table that is not a rate.
fn number<'de, D: Deserializer<'de>>(deserializer: D, expected: &'static str) -> Result<u32, D::Error> {
    let number = deserializer.deserialize_u64(Whole(expected))?;
    u32::try_from(number)
        .map_err(|_| de::Error::custom(format!("`{number}` is too large, expected {expected}")))
}

/// A minute of the day.
struct Minute(u32);

impl<'de> Deserialize<'de> for Minute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number(deserializer, "minutes of the day in UTC, such as `[540, 1020]` for 9:00 to 17:00").map(Self)
    }
}

fn hours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(u32, u32)>, D::Error> {
    let hours = Vec::<(Minute, Minute)>::deserialize(deserializer)?;
    Ok(hours.into_iter().map(|(Minute(from), Minute(to))| (from, to)).collect())
}

/// A day of the week.
struct Day(u32);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number(deserializer, "days of the week, 1 for Monday to 7 for Sunday").map(Self)
    }
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    Ok(Vec::<Day>::deserialize(deserializer)?.into_iter().map(|Day(day)| day).collect())
}

/// A number of input tokens.
struct Threshold(u64);

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(Whole("a number of input tokens")).map(Self)
    }
}

fn above<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(u64, Rates)>, D::Error> {
    let above = Vec::<(Threshold, Rates)>::deserialize(deserializer)?;
    Ok(above.into_iter().map(|(Threshold(above), rates)| (above, rates)).collect())
}
