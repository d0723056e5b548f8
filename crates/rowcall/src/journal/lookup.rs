//! What the journal knows of rows: their outcomes by key, and what stands at their places. A thread of its own answers the
//! runs, so that a slow disk does not hold up the engine.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{self, OUTCOME};
use super::file::Recent;
use super::kind::JOURNAL;
use super::session::Reply;
use super::writer::Replies;
use crate::error::Problem;
use crate::identity::{EqualRows, Key};
use crate::outcome::Outcome;
use crate::row::Row;
use crate::sqlite::{integer, natural};

/// SQLite's own cache of a reader, in KiB: small, since the system's is behind it and memory is not to grow with the journal.
const CACHE_KIB: i64 = 1024;

/// A row to look for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) key: Key,
    /// The key of an outcome that other rows with the same key may not have, if there may be one.
    pub(crate) own: Option<Key>,
    pub(crate) index: u64,
    /// The record as the journal would keep it.
    pub(crate) record: Option<Bytes>,
}

/// What the journal knows of a row.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) number: i64,
    pub(crate) outcome: Outcome,
    /// What the journal has at the row's place.
    pub(crate) place: Place,
}

/// What stands at the place of a row, beside the outcome that is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// That outcome, with the row's record.
    Same,
    /// Another outcome, with the row's record.
    OtherOutcome,
    /// Nothing, or another record.
    OtherRow,
}

/// Something that a run wants to know.
#[derive(Debug)]
pub(super) enum Question {
    /// What is known of these rows, which of them come again being told apart by their `run`.
    Known { wanted: Vec<Wanted>, equal: EqualRows, run: u64, reply: Replies },
    /// Which keys the rows at these places go by; they are to be asked about whatever is known of them.
    Keys { wanted: Vec<Wanted>, equal: EqualRows, reply: Replies },
    /// What stands at these places.
    Places { places: Range<u64>, reply: Replies },
    /// Nothing: the run is over, and what was noted to answer it is of no more use.
    Over { run: u64 },
}

/// The thread, seen from outside. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Lookup {
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

impl Lookup {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has none.
    pub(super) fn start(finder: Finder) -> Result<Self, Problem> {
        let (sender, questions) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("rowcall-journal-lookup".to_owned())
            .spawn(move || finder.answer(&questions))
            .map_err(|error| Problem::new(format!("no thread can be started for the journal: {error}")))?;
        Ok(Self { questions: Some(sender), thread: Some(thread) })
    }

    /// Asks. Questions are answered in the order in which they are asked.
    pub(super) fn ask(&self, question: Question) {
        // The thread lives as long as the sender, and answers everyone, whatever happens to it.
        let _ = self.questions.as_ref().map(|questions| questions.send(question));
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Looks things up in a journal that may be written to meanwhile.
#[derive(Debug)]
pub(super) struct Finder {
    path: PathBuf,
    connection: Connection,
    recent: Arc<Recent>,
}

impl Finder {
    /// A finder with a connection of its own.
    pub(super) fn new(path: PathBuf, connection: Connection, recent: Arc<Recent>) -> rusqlite::Result<Self> {
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.execute_batch(
            "CREATE TEMP TABLE seen (run INTEGER, key BLOB, times INTEGER NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID",
        )?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self { path, connection, recent })
    }

    fn answer(self, questions: &Receiver<Question>) {
        while let Ok(question) = questions.recv() {
            let (answer, reply) = match question {
                Question::Known { wanted, equal, run, reply } => {
                    let found = JOURNAL.caught(&self.path, || self.known(&wanted, equal, run));
                    (Reply::Known(found), reply)
                }
                Question::Keys { wanted, equal, reply } => {
                    (Reply::Known(JOURNAL.caught(&self.path, || self.keys(&wanted, equal))), reply)
                }
                Question::Places { places, reply } => {
                    (Reply::Places(JOURNAL.caught(&self.path, || self.places(&places))), reply)
                }
                Question::Over { run } => {
                    // What cannot be removed is in nobody's way.
                    let _ = self.forget(run);
                    continue;
                }
            };
            let _ = reply.send(answer);
        }
    }

    /// What is known of each of `wanted`, with the key that it goes by.
    pub(super) fn known(
        &self,
        wanted: &[Wanted],
        equal: EqualRows,
        run: u64,
    ) -> rusqlite::Result<Vec<(Key, Option<Known>)>> {
        self.reading(|| {
            let key = |wanted: &Wanted| match equal {
                EqualRows::Share => Ok(wanted.key),
                EqualRows::AskEach => Ok(wanted.key.occurrence(self.seen_before(wanted.key, run)?)),
            };
            let keys = wanted.iter().map(key).collect::<rusqlite::Result<Vec<_>>>()?;
            // The recent ones before the file is first looked into, from when on it stands still: what the writer indexes meanwhile
            // is found here, what it had indexed before is found there.
            let recent: Vec<_> =
                self.recent.with(|recent| keys.iter().map(|key| recent.get(key).copied()).collect());
            let found = |((wanted, key), recent): ((&Wanted, Key), Option<i64>)| {
                let number = recent.map_or_else(|| self.indexed(key), |number| Ok(Some(number)))?;
                let Some(number) = number else { return Ok((key, None)) };
                let outcome = self.outcome(number, wanted.index)?;
                let place = self.place(number, wanted)?;
                Ok((key, Some(Known { number, outcome, place })))
            };
            wanted.iter().zip(keys).zip(recent).map(found).collect()
        })
    }

    /// The keys that `wanted` go by: where equal rows are asked each, those of the outcomes that stand at their places; where they
    /// share outcomes, their own if that is whose outcome stands there.
    fn keys(&self, wanted: &[Wanted], equal: EqualRows) -> rusqlite::Result<Vec<(Key, Option<Known>)>> {
        let sql = "SELECT o.key FROM places p JOIN outcomes o ON o.seq = p.outcome \
                   WHERE p.idx = ? AND o.key IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut at_place = |wanted: &Wanted| {
            statement.query_row([integer(wanted.index)], |row| columns::key(row, 0)).optional()
        };
        let mut key = |wanted: &Wanted| {
            let found = match (equal, wanted.own) {
                (EqualRows::Share, None) => None,
                (EqualRows::Share, Some(own)) => at_place(wanted)?.filter(|found| *found == own),
                (EqualRows::AskEach, _) => at_place(wanted)?,
            };
            Ok((found.unwrap_or(wanted.key), None))
        };
        wanted.iter().map(&mut key).collect()
    }

    /// The outcomes at `places` with their rows, in order; places without one are left out.
    pub(super) fn places(&self, places: &Range<u64>) -> rusqlite::Result<Vec<(Row, Outcome)>> {
        let sql = format!(
            "SELECT p.idx, p.record, {OUTCOME} FROM places p JOIN outcomes o ON o.seq = p.outcome \
             WHERE p.idx >= ? AND p.idx < ? ORDER BY p.idx"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([integer(places.start), integer(places.end)])?;
        let mut found = Vec::new();
        while let Some(columns) = rows.next()? {
            let index = natural(columns.get(0)?);
            found
                .push((row(index, columns.get_ref(1)?.as_str_or_null()?), columns::read(columns, 2, index)?));
        }
        Ok(found)
    }

    /// The number of the outcome that holds for `key`.
    pub(super) fn number(&self, key: Key) -> rusqlite::Result<Option<i64>> {
        let recent = self.recent.with(|recent: &mut HashMap<Key, i64>| recent.get(&key).copied());
        recent.map_or_else(|| self.indexed(key), |number| Ok(Some(number)))
    }

    /// The number of the outcome that holds for `key`, if it is in the index.
    fn indexed(&self, key: Key) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT outcome FROM keys WHERE key = ?")?
            .query_row([key.bytes()], |row| row.get(0))
            .optional()
    }

    /// How often `key` was seen in this run before now.
    pub(super) fn seen_before(&self, key: Key, run: u64) -> rusqlite::Result<u64> {
        let sql = "INSERT INTO temp.seen VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times";
        let times: i64 = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![integer(run), key.bytes()], |row| row.get(0))?;
        Ok(natural(times - 1))
    }

    /// Forgets which keys were seen in this run.
    pub(super) fn forget(&self, run: u64) -> rusqlite::Result<()> {
        let sql = "DELETE FROM temp.seen WHERE run = ?";
        self.connection.prepare_cached(sql)?.execute([integer(run)]).map(drop)
    }

    fn outcome(&self, number: i64, index: u64) -> rusqlite::Result<Outcome> {
        let sql = format!("SELECT {OUTCOME} FROM outcomes o WHERE o.seq = ?");
        self.connection.prepare_cached(&sql)?.query_row([number], |columns| columns::read(columns, 0, index))
    }

    fn place(&self, number: i64, wanted: &Wanted) -> rusqlite::Result<Place> {
        let sql = "SELECT outcome, record FROM places WHERE idx = ?";
        let found = self.connection.prepare_cached(sql)?.query_row([integer(wanted.index)], |columns| {
            let record = columns.get_ref(1)?.as_str_or_null()?.map(str::as_bytes);
            Ok(match (record == wanted.record.as_deref(), columns.get::<_, i64>(0)? == number) {
                (true, true) => Place::Same,
                (true, false) => Place::OtherOutcome,
                (false, _) => Place::OtherRow,
            })
        });
        Ok(found.optional()?.unwrap_or(Place::OtherRow))
    }

    /// Looks things up in one transaction, since each alone would take and give back SQLite's locks.
    fn reading<T>(&self, look: impl FnOnce() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        let found = look();
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        found
    }
}

/// The row at `index` as the journal keeps it: its record, and the fields in it.
pub(super) fn row(index: u64, record: Option<&str>) -> Row {
    let record = record.unwrap_or("{}");
    Row {
        index,
        fields: Ok(serde_json::from_str(record).unwrap_or_default()),
        record: Bytes::copy_from_slice(record.as_bytes()),
    }
}
