//! The keys of a row, and the key that rows sharing an outcome have in common.

use super::Recall;
use crate::identity::{EqualRows, Key, KeyOf, RowKey};
use crate::row::Row;
use crate::validity;

impl Recall {
    /// Whether equal rows are identified separately, because the prompt of a rerun may differ between them.
    pub(super) fn separates_equal_rows(&self) -> bool {
        self.plan.known_as.as_ref().is_some_and(|known_as| known_as.separates_equal_rows)
    }

    /// The key that rows sharing an outcome have in common.
    pub(super) fn shared(&self, key: RowKey) -> Key {
        if self.separates_equal_rows() { key.asked } else { key.key }
    }

    /// The row's own key, for an outcome that other rows with the same request may not share; `None` if the check gives the same
    /// result for all of them, or if rows share nothing.
    pub(super) fn own_key(&self, key: RowKey, row: &Row) -> Option<RowKey> {
        if validity::differs_by_row(&self.plan) { self.of_row(key, row) } else { None }
    }

    /// The key that may identify a row in the journal instead of its request: a rerun row keeps the key that it had.
    pub(super) fn possible_own(&self, key: RowKey, row: &Row) -> Option<RowKey> {
        if self.plan.known_as.is_some() { self.of_row(key, row) } else { self.own_key(key, row) }
    }

    /// The key of this row alone, if rows share outcomes.
    pub(super) fn of_row(&self, key: RowKey, row: &Row) -> Option<RowKey> {
        match (self.plan.equal_rows, key.of) {
            (EqualRows::Share, KeyOf::Prompt) => {
                Some(RowKey { key: key.key.of_row(row), of: KeyOf::Row, asked: key.asked })
            }
            (EqualRows::Share | EqualRows::AskEach, KeyOf::Prompt | KeyOf::Row) => None,
        }
    }
}
