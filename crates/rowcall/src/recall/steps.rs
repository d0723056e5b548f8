//! The events that a run gets from its recall, and the look-ups that are under way.

use super::Candidate;
use crate::error::Problem;
use crate::extract::PreparedRow;
use crate::identity::Key;
use crate::journal::Known;
use crate::outcome::Outcome;
use crate::row::Row;

/// A row with how it ended.
pub(crate) type Done = (Row, Outcome);

/// An event for the run.
#[derive(Debug)]
pub(crate) enum RecallEvent {
    /// Nothing is known of this row: ask about it.
    Ask(PreparedRow),
    /// These values are known from elsewhere: validate each for its row, and report back with [`Recall::take_judged`].
    Judge(Vec<Candidate>),
    /// This row is finished, and on disk if there is a journal.
    Release(Done),
    /// What the journal has at the requested places.
    Loaded(Vec<Done>),
    /// The journal cannot be written to any more.
    Broken(Problem),
}

/// Rows that are being looked up, in the order in which the journal was asked.
#[derive(Debug)]
pub(super) enum LookedUp {
    /// By their prompts.
    ByPrompt(Vec<PreparedRow>),
    /// One row by its own key. If nothing is known under that key, it may get what is known under its prompt.
    ByRow(Box<(PreparedRow, Option<Known>)>),
    /// A row without a prompt, by this key. If nothing is known under it, this is its outcome.
    Unasked(Box<Done>, Key),
}

/// What to do with rows that waited for one that is now known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// They get its outcome.
    Shares,
    /// Each is looked up, since it may have its own outcome.
    IsLookedUp,
    /// Another one becomes the first.
    GoesOn,
}
