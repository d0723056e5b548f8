//! Looks up rows in the journal: their outcomes by key, and what is recorded at their places. A separate thread answers the
//! runs, so that a slow disk does not block the engine.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row as Columns, params};

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

/// SQLite's cache per reader, in KiB: small, since the system caches the file as well and memory should not grow with the journal.
const CACHE_KIB: i64 = 1024;

/// The number of the outcome with a key.
const INDEXED: &str = "SELECT outcome FROM keys WHERE key = ?";

/// A row to look up.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) key: Key,
    /// The key of an outcome that belongs to this row alone, if there may be one.
    pub(crate) own: Option<Key>,
    pub(crate) index: u64,
    /// The record as the journal would store it.
    pub(crate) record: Option<Bytes>,
}

/// What the journal knows about a row.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) number: i64,
    pub(crate) outcome: Outcome,
    /// What the journal has recorded at the row's place.
    pub(crate) place: Place,
}

/// What is recorded at the place of a row, compared with the outcome that is known for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The same outcome, with the row's record.
    Same,
    /// Another outcome, with the row's record.
    OtherOutcome,
    /// Nothing, or another record.
    OtherRow,
}

/// A question of a run.
#[derive(Debug)]
pub(super) enum Question {
    /// What is known about these rows; `run` distinguishes repeated rows of a run.
    Known { wanted: Vec<Wanted>, equal: EqualRows, run: u64, reply: Replies },
    /// The keys of the rows at these places, which will be requested whatever is known about them.
    Keys { wanted: Vec<Wanted>, equal: EqualRows, reply: Replies },
    /// What is recorded at these places.
    Places { places: Range<u64>, reply: Replies },
    /// No question: the run is over, and its data can be dropped.
    Over { run: u64 },
}

/// A handle to the thread. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Lookup {
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

impl Lookup {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub(super) fn start(finder: Finder) -> Result<Self, Problem> {
        let (sender, questions) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("rowcall-journal-lookup".to_owned())
            .spawn(move || finder.answer(&questions))
            .map_err(|error| Problem::new(format!("cannot start a thread for the journal: {error}")))?;
        Ok(Self { questions: Some(sender), thread: Some(thread) })
    }

    /// Sends a question. Questions are answered in order.
    pub(super) fn ask(&self, question: Question) {
        // The thread lives as long as the sender and answers every question, even after a failure.
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

/// Looks things up in a journal that may be written to concurrently.
#[derive(Debug)]
pub(super) struct Finder {
    path: PathBuf,
    connection: Connection,
    recent: Arc<Recent>,
}

impl Finder {
    /// A finder with its own connection.
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
                    // A leftover that cannot be removed does no harm.
                    let _ = self.forget(run);
                    continue;
                }
            };
            let _ = reply.send(answer);
        }
    }

    /// What is known about each of `wanted`, with its key.
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
            // The recent outcomes are read before the snapshot of the file starts: outcomes that the writer indexes in between are
            // found here, earlier ones in the file.
            let recent: Vec<_> =
                self.recent.with(|recent| keys.iter().map(|key| recent.get(key).copied()).collect());
            let with_place = format!(
                "SELECT p.outcome, p.record, {OUTCOME} FROM outcomes o LEFT JOIN places p ON p.idx = ?2 \
                 WHERE o.seq = ?1"
            );
            let mut indexed = self.connection.prepare_cached(INDEXED)?;
            let mut outcomes = self.connection.prepare_cached(&with_place)?;
            let mut found = |((wanted, key), recent): ((&Wanted, Key), Option<i64>)| {
                let number = match recent {
                    Some(number) => Some(number),
                    None => indexed.query_row([key.bytes()], |row| row.get(0)).optional()?,
                };
                let Some(number) = number else { return Ok((key, None)) };
                let known = outcomes.query_row(params![number, integer(wanted.index)], |columns| {
                    let outcome = columns::read(columns, 2, wanted.index)?;
                    Ok(Known { number, outcome, place: place(columns, number, wanted)? })
                })?;
                Ok((key, Some(known)))
            };
            wanted.iter().zip(keys).zip(recent).map(&mut found).collect()
        })
    }

    /// The keys of `wanted`: if equal rows are requested separately, those of the outcomes at their places; if they share
    /// outcomes, the row's own key if the outcome at its place has it.
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

    /// The outcomes at `places` with their rows, in order; places without an outcome are omitted.
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

    /// The number of the outcome for `key`.
    pub(super) fn number(&self, key: Key) -> rusqlite::Result<Option<i64>> {
        let recent = self.recent.with(|recent: &mut HashMap<Key, i64>| recent.get(&key).copied());
        recent.map_or_else(|| self.indexed(key), |number| Ok(Some(number)))
    }

    /// The number of the outcome for `key`, if it is in the index.
    fn indexed(&self, key: Key) -> rusqlite::Result<Option<i64>> {
        self.connection.prepare_cached(INDEXED)?.query_row([key.bytes()], |row| row.get(0)).optional()
    }

    /// How often `key` has been seen before in this run.
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

    /// Runs lookups in one transaction, since each one alone would acquire and release SQLite's locks.
    fn reading<T>(&self, look: impl FnOnce() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        let found = look();
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        found
    }
}

/// What is recorded at the place of a wanted row, in the first two columns, compared with the outcome of this number.
fn place(columns: &Columns<'_>, number: i64, wanted: &Wanted) -> rusqlite::Result<Place> {
    let record = columns.get_ref(1)?.as_str_or_null()?.map(str::as_bytes);
    let is_same_row = record == wanted.record.as_deref();
    Ok(match columns.get::<_, Option<i64>>(0)? {
        Some(outcome) if is_same_row && outcome == number => Place::Same,
        Some(_) if is_same_row => Place::OtherOutcome,
        Some(_) | None => Place::OtherRow,
    })
}

/// The row at `index` as stored in the journal: its record, and the fields parsed from it.
pub(super) fn row(index: u64, record: Option<&str>) -> Row {
    let record = record.unwrap_or("{}");
    Row {
        index,
        fields: Ok(serde_json::from_str(record).unwrap_or_default()),
        record: Bytes::copy_from_slice(record.as_bytes()),
    }
}
