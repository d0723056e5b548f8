//! What a model's tokens cost, by the time of the request, the length of the prompt and the tier. An unknown price is `None`,
//! never 0 and never that of something else. `price/table.rs` has the price table, `price/period.rs` its entries; `docs/cost.md`
//! explains them.

mod given;
mod moment;
mod period;
mod table;

use std::sync::Arc;

use serde::Deserialize;

use crate::money::{Cost, Usd};
use crate::turn::Usage;

pub use moment::Moment;
pub(crate) use moment::day;
use period::{Period, Service};
pub use table::{OLD_AFTER_DAYS, PriceSource, Prices};

/// The service of batches, as tables name it.
const BATCH: &str = "batch";

/// How many seconds after the time that we record a server may register the request.
const LATE: i64 = 60;

/// What a model's tokens cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Where periods overlap, the last one holds.
    periods: Arc<[Period]>,
}

/// Picodollars per token of each kind; `None` if unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Input that was neither read from the provider's cache nor written to it.
    #[serde(default, rename = "i", deserialize_with = "period::rate")]
    pub input: Option<u64>,
    /// Output.
    #[serde(default, rename = "o", deserialize_with = "period::rate")]
    pub output: Option<u64>,
    /// Input read from the cache; priced as other input if `None`.
    #[serde(default, rename = "r", deserialize_with = "period::rate")]
    pub cached: Option<u64>,
    /// Input written to the cache; priced as other input if `None`.
    #[serde(default, rename = "w", deserialize_with = "period::rate")]
    pub written: Option<u64>,
    /// Input written to the cache for longer: an hour at Anthropic, twelve at OpenAI.
    #[serde(default, rename = "h", deserialize_with = "period::rate")]
    pub written_long: Option<u64>,
    /// Reasoning, if priced separately from other output.
    #[serde(default, rename = "t", deserialize_with = "period::rate")]
    pub reasoning: Option<u64>,
}

/// The most tokens that a request can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Most {
    /// Of input.
    pub(crate) input_tokens: u64,
    /// Of output, if they are limited.
    pub(crate) output_tokens: Option<u64>,
}

impl Rates {
    /// What these tokens cost; `None` if a price is missing or the counts contradict one another.
    pub fn cost(&self, usage: &Usage) -> Option<Usd> {
        let Usage { input_tokens, cached_tokens, cache_write_tokens, cache_write_long_tokens, .. } = *usage;
        let short = cache_write_tokens.checked_sub(cache_write_long_tokens)?;
        let plain = input_tokens.checked_sub(cached_tokens.checked_add(cache_write_tokens)?)?;
        let answer = usage.output_tokens.checked_sub(usage.reasoning_tokens)?;
        let (input, output) = (self.input?, self.output?);
        let long = match (self.written_long, self.written) {
            (Some(price), _) => Some(price),
            // These writes cost more than others, by an unknown amount.
            (None, Some(_)) => None,
            (None, None) => Some(input),
        };
        let parts = [
            (plain, Some(input)),
            (cached_tokens, Some(self.cached.unwrap_or(input))),
            (short, Some(self.written.unwrap_or(input))),
            (cache_write_long_tokens, long),
            (answer, Some(output)),
            (usage.reasoning_tokens, Some(self.reasoning.unwrap_or(output))),
        ];
        let mut sum: u128 = 0;
        for (tokens, price) in parts.into_iter().filter(|(tokens, _)| *tokens > 0) {
            sum += u128::from(tokens) * u128::from(price?);
        }
        u64::try_from(sum).ok().map(Usd::from_picodollars)
    }
}

impl Rates {
    /// The most that this many tokens cost, however many of them are cached, written or reasoning.
    fn at_most(&self, most: Most) -> Option<Usd> {
        let dearest =
            |price: u64, others: [Option<u64>; 3]| others.into_iter().flatten().fold(price, u64::max);
        let input = dearest(self.input?, [self.cached, self.written, self.written_long]);
        let output = dearest(self.output?, [self.reasoning, None, None]);
        let sum = u128::from(most.input_tokens) * u128::from(input)
            + u128::from(most.output_tokens?) * u128::from(output);
        u64::try_from(sum).ok().map(Usd::from_picodollars)
    }
}

impl Price {
    fn new(periods: Vec<Period>) -> Option<Self> {
        (!periods.is_empty()).then(|| Self { periods: periods.into() })
    }

    /// What a request cost that was sent at this moment, answered in this tier, as the server names it, and took these tokens;
    /// `None` if unknown.
    pub fn cost(&self, usage: &Usage, tier: Option<&str>, at: Moment) -> Option<Usd> {
        self.rates(usage.input_tokens, tier, at)?.cost(usage)
    }

    /// The rates for a request with this many input tokens; `None` if no price is known for this tier at this moment.
    pub fn rates(&self, input_tokens: u64, tier: Option<&str>, at: Moment) -> Option<Rates> {
        Some(self.period(tier, at)?.rates(input_tokens))
    }

    /// The most that a request can cost if it is sent at this moment or within a minute, asks for this tier or for none in
    /// particular, and takes at most `most`. `None` if any of that has no price.
    pub(crate) fn at_most(&self, most: Most, tier: Option<&str>, at: Moment) -> Option<Usd> {
        let asked = self.dearest(most, tier, at)?;
        // If a tier is full, the request may get the standard service.
        let standard = self.dearest(most, None, at)?;
        Some(asked.max(standard))
    }

    /// The same for a request whose tier the provider chooses: the most expensive of all except a batch. A tier without a price is left
    /// out, since nothing bounds it.
    fn at_most_in_any(&self, most: Most, at: Moment) -> Option<Usd> {
        let standard = self.dearest(most, None, at)?;
        let services = self.services(at).into_iter().filter(|service| *service != BATCH);
        Some(services.filter_map(|service| self.dearest(most, Some(service), at)).fold(standard, Usd::max))
    }

    fn dearest(&self, most: Most, tier: Option<&str>, at: Moment) -> Option<Usd> {
        let later = Moment::from_seconds(at.seconds().saturating_add(LATE));
        let (now, later) = (self.period(tier, at)?.at_most(most)?, self.period(tier, later)?.at_most(most)?);
        Some(now.max(later))
    }

    /// The price in a batch, whatever tier an answer names: the table's own price for batches, or this percentage of a price that the user
    /// has given; `None` if the table has no price for batches.
    pub(crate) fn in_batch(&self, percent: u64) -> Option<Self> {
        let of_batch = |period: &&Period| period.service == Service::Named(BATCH.to_owned());
        let named = self.periods.iter().filter(of_batch);
        let named: Vec<_> = named.map(|period| Period { service: Service::Any, ..period.clone() }).collect();
        let given = self.periods.iter().filter(|period| period.service == Service::Any);
        let given = given.map(|period| period.reduced(percent)).collect();
        Self::new(named).or_else(|| Self::new(given))
    }

    /// The rates, each with the number of input tokens from which it applies; the first applies from 0.
    pub fn tiers(&self, tier: Option<&str>, at: Moment) -> Vec<(u64, Rates)> {
        let Some(period) = self.period(tier, at) else { return Vec::new() };
        let above = period.above.iter().map(|(threshold, rates)| (threshold.saturating_add(1), *rates));
        std::iter::once((0, period.base())).chain(above).collect()
    }

    /// The services other than the standard one that have prices at this moment, as the table names them.
    pub fn services(&self, at: Moment) -> Vec<&str> {
        let mut names = Vec::new();
        for period in &*self.periods {
            if let Service::Named(name) = &period.service
                && period.holds(&period.service, at)
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// Whether the standard price depends on when a request is sent.
    pub fn changes(&self) -> bool {
        let usual = self.periods.iter().filter(|period| period.service == Service::Standard);
        usual.count() > 1
    }

    fn period(&self, tier: Option<&str>, at: Moment) -> Option<&Period> {
        let service = Service::of(tier);
        self.periods.iter().rfind(|period| period.holds(&service, at))
    }
}

/// Who chooses the tier of a request that asks for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// Nobody: it gets the standard service.
    Standard,
    /// The account's settings at the provider.
    Account,
}

/// The tier in which an answer was served, if it is neither the one asked for nor the standard one.
pub(crate) fn unasked_tier<'a>(asked: Option<&str>, served: Option<&'a str>) -> Option<&'a str> {
    let service = Service::of(served);
    served.filter(|_| service != Service::Standard && service != Service::of(asked))
}

/// What attempts on an account cost, and the table that says so.
#[derive(Debug, Clone)]
pub(crate) enum Pricing {
    /// Nothing is billed.
    Free,
    /// According to these prices.
    By {
        price: Price,
        /// The table, as a journal names it.
        basis: Arc<str>,
        /// Who chooses the tier of a request that asks for none.
        unasked: Unasked,
    },
    /// Not known.
    Unknown,
}

impl Pricing {
    /// What an answered request cost, by its token counts.
    pub(crate) fn cost(&self, usage: &Usage, tier: Option<&str>, at: Moment) -> Option<Usd> {
        match self {
            Self::Free => Some(Usd::ZERO),
            Self::By { price, .. } => price.cost(usage, tier, at),
            Self::Unknown => None,
        }
    }

    /// The same for requests in a batch, which costs this percentage of a price that the user has given.
    pub(crate) fn in_batch(&self, percent: u64) -> Self {
        match self {
            Self::Free => Self::Free,
            Self::By { price, basis, unasked: _ } => match price.in_batch(percent) {
                Some(price) => Self::By { price, basis: Arc::clone(basis), unasked: Unasked::Standard },
                None => Self::Unknown,
            },
            Self::Unknown => Self::Unknown,
        }
    }

    /// The table that costs are computed from, if any.
    pub(crate) fn basis(&self) -> Option<&str> {
        match self {
            Self::By { basis, .. } => Some(basis),
            Self::Free | Self::Unknown => None,
        }
    }

    /// The most that a request can cost that asks for this tier or for none, if known.
    pub(crate) fn at_most(&self, most: Option<Most>, tier: Option<&str>, at: Moment) -> Option<Usd> {
        match self {
            Self::Free => Some(Usd::ZERO),
            Self::By { price, unasked, .. } => match (tier, unasked) {
                (None, Unasked::Account) => price.at_most_in_any(most?, at),
                (Some(tier), _) if tier.eq_ignore_ascii_case("auto") => price.at_most_in_any(most?, at),
                (Some(_), _) | (None, Unasked::Standard) => price.at_most(most?, tier, at),
            },
            Self::Unknown => None,
        }
    }

    /// The cost of a request whose answer was lost but that may have been billed, at most `most`.
    pub(crate) fn of_lost(&self, most: Option<Usd>) -> Cost {
        match self {
            Self::Free => Cost::default(),
            Self::By { .. } | Self::Unknown => most.map_or(Cost::UNKNOWN, Cost::at_most),
        }
    }
}

#[cfg(test)]
mod tests;
