//! Rows from a journal, as a source for asking again. Their fields are read from the records as they would be from an
//! input.

use rowcall::journal::Rows;
use rowcall::{Result, Row, Source, Unreadable, UnreadableKind};

use crate::input::{Earlier, fields_of};

/// The rows of a journal, without what is known about them.
#[derive(Debug)]
pub struct KeptRows {
    rows: Rows,
    page: std::vec::IntoIter<Row>,
}

impl KeptRows {
    /// A source of these rows.
    pub fn new(rows: Rows) -> Self {
        Self { rows, page: Vec::new().into_iter() }
    }
}

impl Source for KeptRows {
    async fn next(&mut self, max: usize) -> Result<Vec<Row>> {
        if self.page.len() == 0 {
            let page = self.rows.next_page()?;
            self.page = page.into_iter().map(|(row, _)| read(row)).collect::<Vec<_>>().into_iter();
        }
        Ok(self.page.by_ref().take(max.max(1)).collect())
    }
}

fn read(row: Row) -> Row {
    let fields = fields_of(&row.record).map_err(|Earlier { why, violations }| Unreadable {
        kind: UnreadableKind::Input,
        message: format!("row {}: {why}", row.index),
        violations,
    });
    Row { fields, ..row }
}
