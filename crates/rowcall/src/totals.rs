//! What a journal's runs have spent in all: kept with every commit, so that nobody has to add up outcomes.

use serde::{Deserialize, Serialize};

use crate::money::Cost;
use crate::outcome::Effort;
use crate::turn::Usage;

/// What all runs of a journal came to so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Rows of the input that have an outcome.
    pub rows: u64,
    /// Outcomes: as many as rows if no two rows are equal.
    pub outcomes: u64,
    /// Of these, values that came from a cache, so that nothing was asked for them.
    pub cached: u64,
    /// Requests sent, as far as they are known of.
    pub requests: u64,
    /// Prompts that asked again: after an invalid answer, or one that was cut or paused.
    pub reasks: u64,
    /// Tokens of all answers that reported them.
    pub usage: Usage,
    /// Requests that may have been billed but reported no tokens.
    pub unmetered: u64,
    /// What they cost, as far as that is known.
    pub cost: Cost,
    /// Rows that were being asked about when a run ended without their outcome: their requests may have been paid for in
    /// vain. A row counts each time.
    pub possibly_paid: u64,
    /// Whether the latest run has come to the end of its input.
    pub complete: bool,
    /// Rows that the latest run has found at another place, or with another record, than the run before.
    pub moved: u64,
}

impl Totals {
    /// Whether nothing of it can have been billed, as where no row was ever accepted.
    pub(crate) fn is_unpaid(&self) -> bool {
        self.unmetered == 0 && self.usage == Usage::default()
    }

    /// Adds what asking a server about a schema took, which asks again for nothing.
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
    fn what_is_more_than_can_be_counted_is_the_most_that_can_be() {
        let usage = Usage { input_tokens: u64::MAX, ..Usage::default() };
        let effort = Effort { attempts: 1, prompts: 2, usage, unmetered: 1, ..Effort::default() };
        let most =
            Totals { requests: u64::MAX, reasks: u64::MAX, unmetered: u64::MAX, usage, ..Totals::default() };
        let mut totals = most.clone();
        totals.add(&effort);
        assert_eq!(totals, most);
    }
}
