//! A candidate: the outcome of an equal row or an earlier run, which a row may take over.

use crate::event::KnownFrom;
use crate::identity::RowKey;
use crate::journal::{Known, Place};
use crate::outcome::{Effort, Outcome};
use crate::row::Row;

/// An outcome from elsewhere that a row may take over.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) row: Row,
    pub(crate) outcome: Outcome,
    /// The key that has the outcome.
    pub(super) key: RowKey,
    /// Its number in the journal, if there is one.
    pub(super) number: Option<i64>,
    pub(super) is_in_place: bool,
    pub(super) from: KnownFrom,
    /// Whether the value is the invalid one of a failure, which the current rules may accept.
    pub(super) is_second_look: bool,
}

impl Candidate {
    /// The outcome of an equal row, which is not at the row's place in the journal.
    pub(super) fn new(row: Row, key: RowKey, number: Option<i64>, outcome: &Outcome) -> Self {
        let outcome = Outcome { index: row.index, ..outcome.clone() };
        Self {
            row,
            outcome,
            key,
            number,
            is_in_place: false,
            from: KnownFrom::EqualRow,
            is_second_look: false,
        }
    }

    /// What the journal has for a row under this key.
    pub(super) fn known(row: Row, key: RowKey, known: Known) -> Self {
        let Known { number, outcome, place } = known;
        Self {
            row,
            outcome,
            key,
            number: Some(number),
            is_in_place: place == Place::Same,
            from: KnownFrom::Journal,
            is_second_look: false,
        }
    }

    /// The same candidate with the best invalid value of its failure as the outcome, since the current rules may accept that value.
    /// Unchanged if the failure kept no value.
    pub(super) fn second_look(self) -> Self {
        let best = self.outcome.result.as_ref().err().and_then(|failure| failure.best.clone());
        let Some(best) = best else { return self };
        // The journal already has the effort.
        let outcome = Outcome { result: Ok(best), effort: Effort::default(), ..self.outcome };
        Self { outcome, is_second_look: true, ..self }
    }
}
