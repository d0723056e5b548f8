//! By which keys a row may be known, and what rows have in common that share an outcome.

use super::Recall;
use crate::identity::{EqualRows, Key, KeyOf, RowKey};
use crate::row::Row;
use crate::validity;

impl Recall {
    /// Whether rows are asked in other words than those by which they are known: each is known by its own key then.
    pub(super) fn tells_apart(&self) -> bool {
        self.plan.known_as.as_ref().is_some_and(|known_as| known_as.tells_apart)
    }

    /// What rows have in common that share an outcome.
    pub(super) fn shared(&self, key: RowKey) -> Key {
        if self.tells_apart() { key.asked } else { key.key }
    }

    /// What a row goes by whose outcome other rows that are asked the very same may not share: none where the check finds the same
    /// for all of them, or where they share nothing.
    pub(super) fn own_key(&self, key: RowKey, row: &Row) -> Option<RowKey> {
        if validity::differs_by_row(&self.plan) { self.of_row(key, row) } else { None }
    }

    /// What a row may go by in the journal instead of what it is asked: one that is asked again goes by what it went by before.
    pub(super) fn possible_own(&self, key: RowKey, row: &Row) -> Option<RowKey> {
        if self.plan.known_as.is_some() { self.of_row(key, row) } else { self.own_key(key, row) }
    }

    /// The key of this row alone, where rows share outcomes.
    pub(super) fn of_row(&self, key: RowKey, row: &Row) -> Option<RowKey> {
        match (self.plan.equal_rows, key.of) {
            (EqualRows::Share, KeyOf::Prompt) => {
                Some(RowKey { key: key.key.of_row(row), of: KeyOf::Row, asked: key.asked })
            }
            (EqualRows::Share | EqualRows::AskEach, KeyOf::Prompt | KeyOf::Row) => None,
        }
    }
}
