//! What earlier runs of the journal have spent. The statistics include it, but a receiver counts what each process sends from its own start, so
//! that the same request would be counted once for each process.

use rowcall::{Cost, Stats, Usage};

/// What was spent before the time from which a process counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Earlier {
    requests: u64,
    reasks: u64,
    usage: Usage,
    unmetered: u64,
    cost: Cost,
}

impl Earlier {
    /// All that is in these statistics.
    pub(super) fn of(stats: &Stats) -> Self {
        let Stats { requests, reasks, usage, unmetered, cost, .. } = *stats;
        Self { requests, reasks, usage, unmetered, cost }
    }

    /// Adds what the journal's runs have spent.
    pub(super) fn add(&mut self, totals: &rowcall::Totals) {
        self.requests = self.requests.saturating_add(totals.requests);
        self.reasks = self.reasks.saturating_add(totals.reasks);
        self.usage += totals.usage;
        self.unmetered = self.unmetered.saturating_add(totals.unmetered);
        self.cost += totals.cost;
    }

    /// The statistics without it.
    pub(super) fn without(&self, mut stats: Stats) -> Stats {
        let Self { requests, reasks, usage, unmetered, cost } = self;
        stats.requests = stats.requests.saturating_sub(*requests);
        stats.reasks = stats.reasks.saturating_sub(*reasks);
        stats.unmetered = stats.unmetered.saturating_sub(*unmetered);
        let left = |all: u64, earlier: u64| all.saturating_sub(earlier);
        stats.usage = Usage {
            input_tokens: left(stats.usage.input_tokens, usage.input_tokens),
            cached_tokens: left(stats.usage.cached_tokens, usage.cached_tokens),
            cache_write_tokens: left(stats.usage.cache_write_tokens, usage.cache_write_tokens),
            cache_write_long_tokens: left(stats.usage.cache_write_long_tokens, usage.cache_write_long_tokens),
            output_tokens: left(stats.usage.output_tokens, usage.output_tokens),
            reasoning_tokens: left(stats.usage.reasoning_tokens, usage.reasoning_tokens),
        };
        stats.cost = Cost {
            known: stats.cost.known - cost.known,
            unknown: left(stats.cost.unknown, cost.unknown),
            bounded: left(stats.cost.bounded, cost.bounded),
            most: stats.cost.most - cost.most,
        };
        stats
    }
}
