//! What rows would take, without asking about them.

#![expect(clippy::disallowed_methods, reason = "what a row would cost depends on the time of day")]

use std::sync::Arc;
use std::time::SystemTime;

use super::Extractor;
use crate::config::Plan;
use crate::estimate::{self, Range, RowEstimate};
use crate::extract::first_weight;
use crate::price::Moment;
use crate::row::Row;
use crate::turn::Usage;
use crate::weight::Weight;

impl<T> Extractor<T> {
    /// A way to say what rows would take without asking about them.
    pub fn estimator(&self) -> Estimator {
        let output = estimate::answer(self.plan.schema.as_json());
        Estimator { plan: Arc::clone(&self.plan), output, now: Moment::from(SystemTime::now()) }
    }
}

/// Says what rows would take, at the prices of now.
#[derive(Debug)]
pub struct Estimator {
    plan: Arc<Plan>,
    output: Range<u64>,
    now: Moment,
}

impl Estimator {
    /// What the row would take if it were asked about once; `None` if it cannot be. Nothing is sent, and no file is read.
    pub fn row(&self, row: &Row) -> Option<RowEstimate> {
        let (Weight { bytes, most }, key) = first_weight(&self.plan, row)?;
        let input_tokens = estimate::tokens(bytes);
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
