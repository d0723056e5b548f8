//! Rows that wait in the journal while a batch has them, and take no memory.

use super::Recall;
use crate::identity::RowKey;
use crate::outcome::Outcome;
use crate::row::Row;

impl Recall {
    /// This row is in the journal until it comes back, and takes no memory. Rows that wait for it are looked up again.
    pub(crate) fn park(&mut self, key: Option<RowKey>, index: u64) {
        self.unsettled.remove(&index);
        let waiting = self.waited(key);
        self.admit(waiting);
    }

    /// A parked row is back.
    pub(crate) fn unpark(&mut self, index: u64) {
        self.unsettled.insert(index);
    }

    /// Parked rows are back, and something may be known of them by now.
    pub(crate) fn look_again(&mut self, rows: Vec<Row>) {
        self.unsettled.extend(rows.iter().map(|row| row.index));
        self.admit(rows);
    }

    /// Records the outcome of a row that is not one of the run's.
    pub(crate) fn end_apart(&mut self, asked: Option<RowKey>, row: Row, outcome: Outcome) {
        let known_by = asked.map(|asked| self.known_by(asked, &row, &outcome));
        if let Some(session) = &self.session {
            session.end_apart(asked, known_by.map(|key| key.key), row, outcome);
        }
    }

    /// Records that the input has `rows` rows and all have an outcome.
    pub(crate) fn complete_input(&self, rows: u64) {
        if let Some(session) = &self.session {
            session.complete_input(rows);
        }
    }
}
