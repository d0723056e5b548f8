//! Rows as a report reads them: all outcomes with their end times, without records, or a single row. Also what only reports need from a
//! journal.

use rusqlite::{OptionalExtension, Row as Columns};

use super::contents::Contents;
use super::lookup::row;
use super::{Adjusted, adjustments, columns, file, intervals};
use crate::error::Result;
use crate::identity::Key;
use crate::interval::Interval;
use crate::outcome::Outcome;
use crate::row::Row;
use crate::sqlite::{integer, natural};

/// The outcome of a row, with its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended, in milliseconds since 1970.
    pub ended_ms: i64,
}

/// The columns that [`placed`] reads before those of the outcome.
const PLACE: &str = "p.idx, o.ended_at_ms";

impl Contents {
    /// Passes all rows that have an outcome to `visit`, in input order and from one consistent snapshot, even while a run writes to the
    /// journal. Records are not read.
    ///
    /// # Errors
    /// [`Error::Journal`](crate::Error::Journal) if they cannot be read.
    pub fn each_outcome(&self, mut visit: impl FnMut(Placed)) -> Result<()> {
        let mut read = || {
            let outcome = file::outcome_columns(&self.connection)?;
            let mut statement = self.connection.prepare(&format!(
                "SELECT {PLACE}, {outcome} FROM places p JOIN outcomes o ON o.seq = p.outcome ORDER BY p.idx"
            ))?;
            let mut rows = statement.query([])?;
            while let Some(columns) = rows.next()? {
                visit(placed(columns)?);
            }
            Ok(())
        };
        read().map_err(|error| self.trouble(&error))
    }

    /// The row at this position, counted from 0, if it has an outcome. A row without a recorded record has no fields.
    ///
    /// # Errors
    /// [`Error::Journal`](crate::Error::Journal) if it cannot be read.
    pub fn row_at(&self, index: u64) -> Result<Option<(Row, Placed)>> {
        let read = || {
            let outcome = file::outcome_columns(&self.connection)?;
            let sql = format!(
                "SELECT {PLACE}, {outcome}, p.record FROM places p JOIN outcomes o ON o.seq = p.outcome WHERE p.idx = ?"
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query([integer(index)])?;
            let Some(columns) = rows.next()? else { return Ok(None) };
            let record = columns.get_ref(columns.as_ref().column_count() - 1)?.as_str_or_null()?;
            Ok(Some((row(index, record), placed(columns)?)))
        };
        read().map_err(|error| self.trouble(&error))
    }

    /// How many rows share the outcome of an equal row.
    ///
    /// # Errors
    /// [`Error::Journal`](crate::Error::Journal) if it cannot be read.
    pub fn shared_rows(&self) -> Result<u64> {
        let sql = "SELECT count(*) - count(DISTINCT outcome) FROM places";
        let rows = self.connection.query_row(sql, [], |columns| columns.get(0));
        rows.map(natural).map_err(|error| self.trouble(&error))
    }

    /// The key of the row at this position; none for a row that could not be sent.
    ///
    /// # Errors
    /// [`Error::Journal`](crate::Error::Journal) if it cannot be read.
    pub fn key_at(&self, index: u64) -> Result<Option<Key>> {
        let sql = "SELECT o.key FROM places p JOIN outcomes o ON o.seq = p.outcome WHERE p.idx = ? AND o.key IS NOT NULL";
        let key =
            self.connection.query_row(sql, [integer(index)], |columns| columns::key(columns, 0)).optional();
        key.map_err(|error| self.trouble(&error))
    }

    /// The first position of a row with this key.
    ///
    /// # Errors
    /// [`Error::Journal`](crate::Error::Journal) if it cannot be read.
    pub fn place_of_key(&self, key: &[u8]) -> Result<Option<u64>> {
        let sql = "SELECT min(p.idx) FROM outcomes o JOIN places p ON p.outcome = o.seq WHERE o.key = ?";
        let place = self.connection.query_row(sql, [key], |columns| columns.get::<_, Option<i64>>(0));
        place.map(|place| place.map(natural)).map_err(|error| self.trouble(&error))
    }

    /// What its runs did in each interval; empty for journals of versions that did not record it.
    ///
    /// # Errors
    /// [`Error::Journal`](crate::Error::Journal) if it cannot be read.
    pub fn intervals(&self) -> Result<Vec<Interval>> {
        intervals::read(&self.connection).map_err(|error| self.trouble(&error))
    }

    /// What the user changed while runs were under way, at most the latest thousand changes; empty for journals of earlier versions.
    ///
    /// # Errors
    /// [`Error::Journal`](crate::Error::Journal) if they cannot be read.
    pub fn adjustments(&self) -> Result<Vec<Adjusted>> {
        adjustments::read(&self.connection).map_err(|error| self.trouble(&error))
    }

    /// Whether it records what each request came to, for rows with several; earlier versions did not.
    ///
    /// # Errors
    /// [`Error::Journal`](crate::Error::Journal) if it cannot be read.
    pub fn has_histories(&self) -> Result<bool> {
        file::has_column(&self.connection, "history").map_err(|error| self.trouble(&error))
    }

    /// The names of the prices behind its costs: day and hash of a table, or prices as given.
    ///
    /// # Errors
    /// [`Error::Journal`](crate::Error::Journal) if it cannot be read.
    pub fn price_bases(&self) -> Result<Vec<String>> {
        file::bases(&self.connection).map_err(|error| self.trouble(&error))
    }
}

fn placed(columns: &Columns<'_>) -> rusqlite::Result<Placed> {
    let index = natural(columns.get(0)?);
    Ok(Placed { outcome: columns::read(columns, 2, index)?, ended_ms: columns.get(1)? })
}
