//! The totals of a journal's runs: updated with every commit, so that outcomes need not be added up.

use serde::{Deserialize, Serialize};

use crate::money::Cost;
use crate::outcome::Effort;
use crate::turn::Usage;

/// The totals of all runs of a journal so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Rows of the input that have an outcome.
    pub rows: u64,
    /// Distinct outcomes: as many as rows if no two rows are equal.
    pub outcomes: u64,
    /// Of these, values from a cache, for which nothing was asked.
    pub cached: u64,
    /// Requests sent, as far as known.
    pub requests: u64,
    /// Re-asks: prompts after an invalid answer, or one that was cut or paused.
    pub reasks: u64,
    /// Tokens of all answers that reported them.
    pub usage: Usage,
    /// Requests that may have been billed but reported no usage.
    pub unmetered: u64,
    /// What they cost, as far as known.
    pub cost: Cost,
    /// Rows that were in flight when a run ended without their outcome: their requests may have been billed for nothing.
    /// A row counts each time.
    pub possibly_paid: u64,
    /// Whether the latest run reached the end of its input.
    pub complete: bool,
    /// Rows that the latest run found at another place, or with another record, than the run before.
    pub moved: u64,
}

impl Totals {
    /// Whether none of it can have been billed, as when no row was ever accepted.
    pub(crate) fn is_unpaid(&self) -> bool {
        self.unmetered == 0 && self.usage == Usage::default()
    }

    /// Adds what a probe took, which has no re-asks.
    pub(crate) fn add_probe(&mut self, effort: &Effort) {
        self.add(&Effort { prompts: 1, ..*effort });
    }

    /// Adds what a row took.
    pub(crate) fn add(&mut self, effort: &Effort) {
        let Effort { attempts, prompts, usage, unmetered, cost, latency: _ } = effort;
        self.requests = self.requests.saturating_add(u64::from(*attempts));
        self.reasks = self.reasks.saturating_add(u64::from(prompts.saturating_sub(1)));
        self.usage += *usage;
        self.unmetered = self.unmetered.saturating_add(u64::from(*unmetered));
        self.cost += *cost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_saturate() {
        let usage = Usage { input_tokens: u64::MAX, ..Usage::default() };
        let effort = Effort { attempts: 1, prompts: 2, usage, unmetered: 1, ..Effort::default() };
        let most =
            Totals { requests: u64::MAX, reasks: u64::MAX, unmetered: u64::MAX, usage, ..Totals::default() };
        let mut totals = most.clone();
        totals.add(&effort);
        assert_eq!(totals, most);
    }
}
