//! The rows of a journal that wait for a result, as a source.

use crate::error::Result;
use crate::journal::Contents;
use crate::row::Row;
use crate::source::Source;

/// Rows that wait for a result, in the order of the input.
#[derive(Debug)]
pub(super) struct ParkedRows {
    contents: Contents,
    next: u64,
}

impl ParkedRows {
    pub(super) fn new(contents: Contents) -> Self {
        Self { contents, next: 0 }
    }
}

impl Source for ParkedRows {
    async fn next(&mut self, most: usize) -> Result<Vec<Row>> {
        let rows = self.contents.parked_rows(self.next, most)?;
        if let Some(last) = rows.last() {
            self.next = last.index + 1;
        }
        Ok(rows)
    }
}
