//! The totals of all cases, and the table that shows them.

use std::fmt;

/// Counts over all cases.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// At random instants.
    pub(super) kills: u64,
    /// Of these, with requests in flight.
    pub(super) in_flight: u64,
    /// At writes and syncs of the journal; `None` if not tested.
    pub(super) syscall_kills: Option<u64>,
    /// At writes and syncs of a cache; `None` if not tested.
    pub(super) cache_kills: Option<u64>,
    /// Rows that were asked about again after an answer that was not in the cache yet.
    pub(super) uncached: u64,
    /// The most of these after one kill.
    pub(super) most_uncached: u64,
    /// Rows of an undisturbed run that a resumed one lacks.
    pub(super) lost: u64,
    /// Rows that differ from those of an undisturbed run.
    pub(super) wrong: u64,
    /// Rows reported as possibly paid, counted each time.
    pub(super) possibly_paid: u64,
    /// Prompts that were sent again although they had been answered.
    pub(super) answered_twice: u64,
    /// The most rows with an intent and no outcome at one kill.
    pub(super) most_intents: u64,
    /// The problem of each failed case that is kept.
    pub(super) problems: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tried =
            |kills: Option<u64>| kills.map_or_else(|| "not run".to_owned(), |kills| kills.to_string());
        for (name, count) in [
            ("kills at random instants", self.kills.to_string()),
            ("  with requests in flight", self.in_flight.to_string()),
            ("kills at the journal's writes and syncs", tried(self.syscall_kills)),
            ("kills at the cache's writes and syncs", tried(self.cache_kills)),
            ("  rows asked again after an answer", self.uncached.to_string()),
            ("  most of these after one kill", self.most_uncached.to_string()),
            ("rows lost", self.lost.to_string()),
            ("rows wrong", self.wrong.to_string()),
            ("rows reported as possibly paid", self.possibly_paid.to_string()),
            ("prompts asked again after an answer", self.answered_twice.to_string()),
            ("most rows with an intent at one kill", self.most_intents.to_string()),
            ("failed cases", self.problems.len().to_string()),
        ] {
            writeln!(f, "{name:42}{count:>8}")?;
        }
        Ok(())
    }
}
