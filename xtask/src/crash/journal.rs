//! Reads what a killed run has left in its journal. It reads a copy, so that the next run finds the journal
//! unchanged.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::Result;

/// Suffixes of the journal's file and of the files that SQLite writes next to it.
pub(super) const FILES: [&str; 3] = ["", "-wal", "-journal"];

/// A row that was in flight, as recorded in the tables `intents` and `possibly_paid`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) row: u64,
    key: Vec<u8>,
    attempts: i64,
}

/// The contents of a journal. All lists are sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The number of outcomes.
    pub(super) outcomes: u64,
    /// Rows with an outcome, or with any other record that they were asked about.
    pub(super) known: u64,
    /// Rows that have both an intent and an outcome.
    ended_but_intended: u64,
    pub(super) intents: Vec<Asked>,
    pub(super) possibly_paid: Vec<Asked>,
}

impl Found {
    /// The contents of the journal at `journal`, which is copied to the new folder `copies`. A missing journal is
    /// valid.
    ///
    /// # Errors
    /// A journal that cannot be copied or read, or that SQLite finds damaged.
    pub(super) fn read(journal: &Path, copies: &Path) -> Result<Self> {
        let copied =
            copy(journal, copies).map_err(|error| format!("the journal cannot be copied: {error}"))?;
        if !copied.exists() {
            return Ok(Self::default());
        }
        read(&copied).map_err(|error| format!("the journal cannot be read: {error}"))?
    }

    /// All requests that may have been billed without a recorded answer: those found by the runs after the kills, and
    /// those that the next run will find.
    pub(super) fn cut_off(&self) -> Vec<Asked> {
        let mut all = [&*self.possibly_paid, &*self.intents].concat();
        all.sort();
        all
    }

    /// For how many rows the last kill has left an intent without an outcome; `before` was found after the previous
    /// kill.
    ///
    /// # Errors
    /// An entry that has disappeared, or one that should not exist.
    pub(super) fn left_since(&self, before: &Self) -> Result<u64> {
        if self.ended_but_intended > 0 {
            return Err(format!("{} rows have both an intent and an outcome", self.ended_but_intended));
        }
        if self.outcomes < before.outcomes {
            let (now, then) = (self.outcomes, before.outcomes);
            return Err(format!("the journal had {then} outcomes at the kill before and has {now} now"));
        }
        if self.possibly_paid == before.cut_off() {
            return Ok(self.intents.len() as u64);
        }
        // A run that is killed early has neither taken over the intents nor added any.
        if (&self.possibly_paid, &self.intents) == (&before.possibly_paid, &before.intents) {
            return Ok(0);
        }
        Err(format!(
            "{} rows were cut off by the kills before, but the journal has {} as possibly paid, or others",
            before.cut_off().len(),
            self.possibly_paid.len()
        ))
    }
}

/// Copies the files of a journal that exist; returns the path of the copy.
fn copy(journal: &Path, copies: &Path) -> std::io::Result<PathBuf> {
    fs::create_dir_all(copies)?;
    for ending in FILES {
        let file = beside(journal, ending);
        if file.exists() {
            fs::copy(file, beside(&copies.join("journal"), ending))?;
        }
    }
    Ok(copies.join("journal"))
}

/// The path of `journal` with `ending` appended.
pub(super) fn beside(journal: &Path, ending: &str) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn read(journal: &Path) -> rusqlite::Result<Result<Found>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(journal, flags)?;
    let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if said != "ok" {
        return Ok(Err(format!("SQLite finds the journal damaged: {said}")));
    }
    if !connection.table_exists(None, "intents")? {
        return Ok(Ok(Found::default()));
    }
    let keys = |table: &str| -> rusqlite::Result<BTreeSet<Vec<u8>>> {
        let mut statement =
            connection.prepare(&format!("SELECT DISTINCT key FROM {table} WHERE key IS NOT NULL"))?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let rows = |table: &str| -> rusqlite::Result<Vec<Asked>> {
        let mut statement =
            connection.prepare(&format!("SELECT idx, key, attempts FROM {table} ORDER BY 1, 2, 3"))?;
        let asked = |row: &rusqlite::Row<'_>| {
            Ok(Asked { row: row.get::<_, i64>(0)?.cast_unsigned(), key: row.get(1)?, attempts: row.get(2)? })
        };
        statement.query_map([], asked)?.collect()
    };
    let (ended, intended, paid) = (keys("outcomes")?, keys("intents")?, keys("possibly_paid")?);
    let outcomes: i64 = connection.query_row("SELECT count(*) FROM outcomes", [], |row| row.get(0))?;
    Ok(Ok(Found {
        outcomes: outcomes.cast_unsigned(),
        known: (&(&ended | &intended) | &paid).len() as u64,
        ended_but_intended: (&ended & &intended).len() as u64,
        intents: rows("intents")?,
        possibly_paid: rows("possibly_paid")?,
    }))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{Asked, Found, beside};

    fn asked(row: u64) -> Asked {
        Asked { row, key: vec![row as u8], attempts: 1 }
    }

    fn found(outcomes: u64, possibly_paid: &[u64], intents: &[u64]) -> Found {
        let all = |rows: &[u64]| rows.iter().map(|row| asked(*row)).collect();
        Found {
            outcomes,
            possibly_paid: all(possibly_paid),
            intents: all(intents),
            known: outcomes + (possibly_paid.len() + intents.len()) as u64,
            ended_but_intended: 0,
        }
    }

    #[test]
    fn every_intent_must_be_taken_over_once() {
        let before = found(3, &[1], &[4, 5]);
        for (now, expected) in [
            (found(3, &[1, 4, 5], &[]), Some(0)),
            (found(9, &[1, 4, 5], &[4, 6, 7]), Some(3)),
            (before.clone(), Some(0)),
            (found(3, &[1, 4], &[]), None),
            (found(3, &[1], &[4]), None),
            (found(3, &[1, 4, 4, 5], &[]), None),
            (found(2, &[1, 4, 5], &[]), None),
            (Found { ended_but_intended: 1, ..found(9, &[1, 4, 5], &[6]) }, None),
            (Found::default(), None),
        ] {
            assert_eq!(now.left_since(&before).ok(), expected, "{now:?}");
        }
    }

    #[test]
    fn a_journal_is_read_including_its_log_and_left_unchanged() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("a.journal");
        let read = |n: u64| Found::read(&journal, &folder.path().join(n.to_string()));
        assert_eq!(read(0), Ok(Found::default()));

        let writer = Connection::open(&journal).expect("it can be made");
        let tables = "PRAGMA journal_mode = WAL; CREATE TABLE outcomes (key BLOB);
            CREATE TABLE intents (key BLOB, idx INTEGER, attempts INTEGER);
            CREATE TABLE possibly_paid (key BLOB, idx INTEGER, attempts INTEGER);
            INSERT INTO outcomes VALUES (x'02'), (x'02'), (NULL); INSERT INTO intents VALUES (x'04', 4, 1);
            INSERT INTO possibly_paid VALUES (x'02', 2, 1);";
        writer.execute_batch(tables).expect("tables");
        let expected = Found { known: 2, ..found(3, &[2], &[4]) };
        assert_eq!(read(1), Ok(expected));
        assert!(beside(&journal, "-wal").metadata().expect("a log").len() > 0);
        writer.execute_batch("INSERT INTO intents VALUES (x'02', 2, 1)").expect("a row");
        assert_eq!(read(2).map(|found| found.ended_but_intended), Ok(1));
        drop(writer);

        std::fs::write(&journal, "no journal at all, but long enough to be read as one".repeat(99))
            .expect("a file");
        assert!(read(3).is_err());
    }
}
