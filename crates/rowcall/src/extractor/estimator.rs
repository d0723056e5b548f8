//! Estimates of what rows would take, without asking about them.

#![expect(clippy::disallowed_methods, reason = "what a row would cost depends on the time of day")]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::{CacheCensus, Extractor};
use crate::config::Plan;
use crate::error::Result;
use crate::estimate::{self, Range, RowEstimate, RunEstimate};
use crate::extract::first_weight;
use crate::identity::{EqualRows, Key};
use crate::price::Moment;
use crate::row::Row;
use crate::tokenizer::Counting;
use crate::turn::Usage;
use crate::weight::Weight;

impl<T> Extractor<T> {
    /// Estimates what rows would take, without asking about them.
    pub fn estimator(&self) -> Estimator {
        let output = estimate::answer(self.plan.schema.as_json());
        let counting = Counting::of(self.plan.account.offer.provider.name, &self.plan.account.offer.name);
        let now = Moment::from(SystemTime::now());
        Estimator { plan: Arc::clone(&self.plan), counting, counted: Counted::default(), output, now }
    }

    /// A way to add up what all rows of an input would take. Rows that `census` finds in the cache take nothing.
    pub fn run_estimator(&self, census: Option<CacheCensus>) -> RunEstimator {
        let shares = self.plan.equal_rows == EqualRows::Share;
        let (keys, sum) = (HashSet::new(), RunEstimate::new());
        RunEstimator { estimator: self.estimator(), census, shares, keys, sum }
    }
}

/// The first rows of which it is known which are equal. Those behind them are taken to be different.
const MOST_KEYS: usize = 5_000_000;

/// Adds up what rows would take.
#[derive(Debug)]
pub struct RunEstimator {
    estimator: Estimator,
    census: Option<CacheCensus>,
    /// Whether equal rows are asked about once.
    shares: bool,
    keys: HashSet<Key>,
    sum: RunEstimate,
}

impl RunEstimator {
    /// Adds the next row.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if the cache cannot be read.
    pub fn add(&mut self, row: &Row) -> Result<()> {
        self.sum.rows += 1;
        let Some(estimate) = self.estimator.row(row) else {
            self.sum.unaskable += 1;
            return Ok(());
        };
        if self.shares && self.keys.len() < MOST_KEYS && !self.keys.insert(estimate.key) {
            self.sum.equal += 1;
        } else if self.census.as_ref().map_or(Ok(false), |census| census.knows(row))? {
            self.sum.cached += 1;
        } else {
            self.sum.add(&estimate);
        }
        Ok(())
    }

    /// What the rows so far would take.
    pub fn estimate(&self) -> RunEstimate {
        self.sum
    }

    /// How tokens of input are counted: the name of an encoding, an approximation of one, or a quarter of the bytes (the simulator's way).
    pub fn counting(&self) -> &'static str {
        self.estimator.counting.name()
    }
}

/// Tokens are counted for this many rows, and after them for one row in [`ONE_OF`].
const ALL_COUNTED: u64 = 20_000;
const ONE_OF: u64 = 32;

/// What was counted so far. Counting takes a second for about 5 MB with an encoding, for about 35 MB with the approximation, so a large
/// input is sampled.
#[derive(Debug, Default)]
struct Counted {
    rows: AtomicU64,
    bytes: AtomicU64,
    tokens: AtomicU64,
}

impl Counted {
    /// The tokens of a row with this many bytes: counted, or extrapolated from what was counted before.
    fn tokens(&self, bytes: usize, count: impl FnOnce() -> u64) -> u64 {
        let row = self.rows.fetch_add(1, Ordering::Relaxed);
        if row < ALL_COUNTED || row.is_multiple_of(ONE_OF) {
            let tokens = count();
            self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            self.tokens.fetch_add(tokens, Ordering::Relaxed);
            return tokens;
        }
        let (all_bytes, all_tokens) =
            (self.bytes.load(Ordering::Relaxed), self.tokens.load(Ordering::Relaxed));
        let tokens = u128::from(all_tokens) * bytes as u128 / u128::from(all_bytes.max(1));
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }
}

/// Estimates what rows would take, at current prices.
#[derive(Debug)]
pub struct Estimator {
    plan: Arc<Plan>,
    counting: Counting,
    counted: Counted,
    output: Range<u64>,
    now: Moment,
}

impl Estimator {
    /// What the row would take if it were asked about once; `None` if it cannot be. Nothing is sent, and no file is read.
    pub fn row(&self, row: &Row) -> Option<RowEstimate> {
        let (Weight { bytes, most }, prompt, key) = first_weight(&self.plan, row)?;
        let target = self.plan.approach.target();
        let input_tokens = self.counted.tokens(bytes, || self.counting.input(&prompt, &target));
        let limit = most.and_then(|most| most.output_tokens).unwrap_or(u64::MAX);
        let output_tokens = self.output.map(|tokens| tokens.min(limit));
        let (pricing, tier) = (&self.plan.account.pricing, self.plan.service_tier.as_deref());
        let cost = |output_tokens, tier, at| {
            pricing.cost(&Usage { input_tokens, output_tokens, ..Usage::default() }, tier, at)
        };
        let now = |output_tokens| cost(output_tokens, tier, self.now);
        let [low, likely, high] = [output_tokens.low, output_tokens.likely, output_tokens.high].map(now);
        Some(RowEstimate {
            key,
            bytes,
            input_tokens,
            output_tokens,
            cost: low.zip(likely).zip(high).map(|((low, likely), high)| Range { low, likely, high }),
            dearest: estimate::next_day(self.now).filter_map(|at| cost(output_tokens.likely, tier, at)).max(),
            by_batch: cost(output_tokens.likely, Some("batch"), self.now)
                .filter(|by_batch| Some(*by_batch) < likely),
            most: pricing.at_most(most, tier, self.now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_input_is_sampled() {
        let counted = Counted::default();
        let asked = AtomicU64::new(0);
        let rows = 10 * ALL_COUNTED;
        let sum: u64 = (0..rows)
            .map(|row| {
                let bytes = 100 + row % 900;
                counted.tokens(usize::try_from(bytes).expect("small"), || {
                    asked.fetch_add(1, Ordering::Relaxed);
                    bytes / 5
                })
            })
            .sum();
        let exact: u64 = (0..rows).map(|row| (100 + row % 900) / 5).sum();
        assert!(sum.abs_diff(exact) * 200 < exact, "{sum} is not {exact}");
        assert!(asked.into_inner() < rows / 7);
    }
}
