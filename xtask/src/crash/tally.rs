//! What all cases together came to, and the table that shows it.

use std::fmt;

/// Counts over all cases.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// At instants by the clock.
    pub(super) kills: u64,
    /// Of these, with requests under way.
    pub(super) in_flight: u64,
    /// At writes and syncs of the journal; none where that was not tried.
    pub(super) syscall_kills: Option<u64>,
    /// Rows that an undisturbed run has and a resumed one has not.
    pub(super) lost: u64,
    /// Rows that are not as an undisturbed run has them.
    pub(super) wrong: u64,
    /// Rows that were reported to be possibly paid, each time that they were.
    pub(super) possibly_paid: u64,
    /// Prompts that were asked again although they had been answered.
    pub(super) answered_twice: u64,
    /// Rows with an intent and no outcome at one kill, at most.
    pub(super) most_intents: u64,
    /// What is not as it must be, one for each case that is kept.
    pub(super) problems: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let syscall_kills =
            self.syscall_kills.map_or_else(|| "not run".to_owned(), |kills| kills.to_string());
        for (name, count) in [
            ("kills at random instants", self.kills.to_string()),
            ("  with requests in flight", self.in_flight.to_string()),
            ("kills at the journal's writes and syncs", syscall_kills),
            ("rows lost", self.lost.to_string()),
            ("rows wrong", self.wrong.to_string()),
            ("rows reported as possibly paid", self.possibly_paid.to_string()),
            ("prompts asked again after an answer", self.answered_twice.to_string()),
            ("most rows with an intent at one kill", self.most_intents.to_string()),
            ("cases that are not as they must be", self.problems.len().to_string()),
        ] {
            writeln!(f, "{name:42}{count:>8}")?;
        }
        Ok(())
    }
}
