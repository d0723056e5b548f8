//! What a run is told, and what is still to be found out for it.

use super::Candidate;
use crate::error::Problem;
use crate::extract::Opening;
use crate::identity::Key;
use crate::journal::Known;
use crate::outcome::Outcome;
use crate::row::Row;

/// A row with how it ended.
pub(crate) type Done = (Row, Outcome);

/// What a run is told.
#[derive(Debug)]
pub(crate) enum Recalled {
    /// Nothing is known of this row: ask.
    Ask(Opening),
    /// These values are known from elsewhere: judge each for its row, and say so by [`Recall::take_judged`].
    Judge(Vec<Candidate>),
    /// This row is over, and with a journal it is on the disk.
    Release(Done),
    /// What the journal has at the places that were to be loaded.
    Loaded(Vec<Done>),
    /// The journal takes no more.
    Broken(Problem),
}

/// Rows that are being looked up, as they were given to the journal.
#[derive(Debug)]
pub(super) enum LookedUp {
    /// By what they are asked.
    ByPrompt(Vec<Opening>),
    /// One row by its own key. If nothing is known by that, it may have what is known by what it is asked.
    ByRow(Box<(Opening, Option<Known>)>),
    /// A row that has no prompt, by this key. If nothing is known by that, this is its outcome.
    Unasked(Box<Done>, Key),
}

/// What becomes of rows that waited for one that is known now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// They get its outcome.
    Shares,
    /// Each is looked up, since it may have an outcome of its own.
    IsLookedUp,
    /// Another one becomes the first.
    GoesOn,
}
