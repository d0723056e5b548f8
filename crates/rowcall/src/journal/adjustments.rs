//! What the user changed while runs were under way. Only the latest changes are kept.

use rusqlite::{Connection, params};

use crate::adjustment::Adjustment;

/// The maximum number of changes that are kept.
const MOST: i64 = 1_000;

/// The table, added to journals of earlier versions when they are next written to.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS adjustments (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, \
     name TEXT NOT NULL, change TEXT NOT NULL);";

/// A change to a run while it was under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What was changed: one of [`NAMES`](crate::adjustment::NAMES).
    pub name: String,
    /// The change in words.
    pub change: String,
}

/// Adds a change.
pub(super) fn add(connection: &Connection, adjustment: &Adjustment, at_ms: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO adjustments (at_ms, name, change) VALUES (?, ?, ?)";
    let mut insert = connection.prepare_cached(sql)?;
    insert.execute(params![at_ms, adjustment.name(), adjustment.to_string()])?;
    let oldest = connection.last_insert_rowid() - MOST;
    connection.execute("DELETE FROM adjustments WHERE seq <= ?", [oldest]).map(drop)
}

/// All changes, in order; none for a journal without the table.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<Adjusted>> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'adjustments'";
    if !connection.query_row(sql, [], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT at_ms, name, change FROM adjustments ORDER BY seq")?;
    let read =
        |row: &rusqlite::Row<'_>| Ok(Adjusted { at_ms: row.get(0)?, name: row.get(1)?, change: row.get(2)? });
    statement.query_map([], read)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::integer;

    #[test]
    fn the_latest_changes_are_kept() {
        let connection = Connection::open_in_memory().expect("a database");
        assert_eq!(read(&connection).expect("a journal without the table"), []);
        connection.execute_batch(TABLE).expect("a table");
        for slots in 0..MOST + 10 {
            let adjustment = Adjustment::Concurrency(usize::try_from(slots).ok());
            add(&connection, &adjustment, slots).expect("added");
        }
        let all = read(&connection).expect("read");
        assert_eq!((integer(all.len() as u64), all[0].at_ms), (MOST, 10));
        assert_eq!(all[0].change, "concurrency set to 10");
    }
}
