//! How rows are sent in batches, as the user wants it and as the provider allows it.
#![expect(clippy::disallowed_methods, reason = "prices depend on the time of day")]

use std::time::{Duration, SystemTime};

use super::Account;
use crate::error::Problem;
use crate::price::{Moment, Pricing};
use crate::provider::batch::Terms;
use crate::turn::Usage;

/// The user's settings for batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchOptions {
    /// Where an invalid answer is sent back with its errors.
    pub reask: Reask,
    /// Whether the run waits for the results.
    pub stay: Stay,
    /// How often the provider is asked how far a batch is; `None` for every second at first and every minute at last.
    pub poll: Option<Duration>,
    /// The most rows in a batch, in place of the provider's own limit.
    pub most_rows: Option<u32>,
}

/// Where an invalid answer is sent back with its errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reask {
    /// At once and at full price: invalid answers are few, and another batch may take a day.
    #[default]
    Online,
    /// In the next batch.
    Batch,
}

/// Whether a run waits for the results of its batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stay {
    /// It does.
    #[default]
    Wait,
    /// It ends once everything is sent. A later run with the same journal collects the results.
    Detach,
}

/// Checked settings for batches.
#[derive(Debug, Clone)]
pub(crate) struct Batching {
    pub(crate) options: BatchOptions,
    pub(crate) terms: &'static Terms,
    /// What requests in a batch cost.
    pub(crate) pricing: Pricing,
}

impl Batching {
    /// Batches for this account.
    ///
    /// # Errors
    /// If the provider has none that we know how to use.
    pub(crate) fn new(account: &Account, options: BatchOptions) -> Result<Self, Problem> {
        let (provider, protocol) = (account.offer.provider.name, account.offer.protocol);
        let terms = Terms::of(provider, protocol).ok_or_else(|| {
            let message = format!(
                "provider `{provider}` has no batches that rowcall can use with protocol `{}`, expected one of: {}",
                protocol.name(),
                Terms::providers().join(", ")
            );
            Problem::new(message).hint("ask online instead")
        })?;
        let pricing = account.pricing.in_batch(terms.price_percent);
        Ok(Self { options, terms, pricing })
    }

    /// Whether a request costs less than at these prices, now.
    pub(crate) fn is_cheaper(&self, online: &Pricing) -> bool {
        let usage = Usage { input_tokens: 1_000, output_tokens: 1_000, ..Usage::default() };
        let now = Moment::from(SystemTime::now());
        let (batch, online) = (self.pricing.cost(&usage, None, now), online.cost(&usage, None, now));
        batch.zip(online).is_some_and(|(batch, online)| batch < online)
    }

    /// The most rows in a batch.
    pub(crate) fn most_rows(&self) -> u64 {
        let most = self.options.most_rows.unwrap_or(self.terms.most_rows);
        u64::from(most.clamp(1, self.terms.most_rows))
    }
}
