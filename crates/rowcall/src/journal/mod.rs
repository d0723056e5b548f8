//! What survives a crash: outcomes, and which requests were about to be sent, in a SQLite file that one process writes and any
//! process may read. `docs/journal.md` explains the tables and what is guaranteed when.

mod adjustments;
pub(crate) mod batches;
mod columns;
mod contents;
mod file;
mod filter;
mod intents;
mod intervals;
mod kind;
mod lookup;
pub(crate) mod parked;
mod placed;
mod session;
mod work;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

pub use adjustments::Adjusted;
pub use batches::{BatchRecord, Collection, RemoteStage};
pub(crate) use contents::Census;
pub use contents::{Contents, Rows};
pub(crate) use intents::{Asking, Intents};
pub(crate) use lookup::{Known, Place};
pub use placed::Placed;
pub(crate) use session::{Reply, Session};
pub(crate) use writer::{Change, Placing, Written, now_ms};

use crate::adjustment::Adjustment;
use crate::error::Problem;
use crate::identity::{EqualRows, Identity, Keys};
use crate::money::Cost;
use crate::outcome::Effort;
use crate::row::Row;
use crate::sqlite::{Lock, text};
use crate::totals::Totals;
use file::{Filtered, Found, Recent};
use kind::JOURNAL;
use lookup::{Finder, Lookup};
use writer::{Entry, Writer, WriterState};

/// How to keep a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalOptions {
    /// Its file. While it is in use, there are two more files of SQLite's and our lock file next to it.
    pub path: PathBuf,
    /// What to do with an existing journal.
    pub existing: Existing,
    /// Whether each row's record is kept.
    pub records: Records,
    /// A text of the caller's, which [`Contents::memo`] returns.
    pub memo: String,
}

impl JournalOptions {
    /// A journal at `path`, with records, that is resumed if it exists.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let (existing, records) = (Existing::default(), Records::default());
        Self { path: path.into(), existing, records, memo: String::new() }
    }
}

/// What to do with an existing journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// It is resumed if its plan made the same requests.
    #[default]
    Resume,
    /// It is resumed in any case: outcomes of identical requests are reused.
    AcceptChanges,
    /// It is removed, and a new one is created.
    StartOver,
}

/// Whether each row's record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Records {
    /// It is: an output can be rebuilt without the input, and ordering takes no memory.
    #[default]
    Kept,
    /// It is not: the journal is smaller and contains nothing of the input except what the answers repeat.
    LeftOut,
}

/// A journal that is open for writing. Dropping it waits until everything is written.
#[derive(Debug)]
pub(crate) struct Journal {
    // In drop order: the writer's connection closes last, and cleans up.
    lookup: Lookup,
    writer: Writer,
    pub(crate) records: Records,
    /// Its file.
    pub(crate) path: PathBuf,
    keys: Keys,
    recent: Arc<Recent>,
    /// The length of the intervals that its runs record, in milliseconds.
    interval_ms: Arc<AtomicU64>,
    resumed: Mutex<Option<Totals>>,
    spent: Cost,
    has_placing_run: AtomicBool,
    _lock: Lock,
    /// Dropped after everything above, including the lock.
    life: Arc<()>,
}

/// Whether a journal is still open: see [`Extractor::journal_hold`](crate::Extractor::journal_hold).
#[derive(Debug, Clone)]
pub struct JournalHold(Weak<()>);

impl JournalHold {
    /// Whether the journal is closed and can be opened again.
    pub fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl Journal {
    /// Opens or creates the journal for a plan with this `identity`, at the prices of `basis`.
    ///
    /// # Errors
    /// If the journal is of a plan with other requests, if another process writes to it, if the file is not a journal, or if it
    /// cannot be written to. Nothing has been changed then, except that [`Existing::StartOver`] may have removed the old
    /// journal.
    pub(crate) fn open(
        options: &JournalOptions,
        identity: &Identity,
        basis: Option<&str>,
    ) -> Result<Self, Problem> {
        let JournalOptions { path, existing, records, memo } = options;
        let lock = Lock::take(&JOURNAL, path)?;
        if *existing == Existing::StartOver {
            contents::remove(path)?;
        }
        let (connection, found) = file::open_to_write(path, identity, memo)?;
        let (mut totals, indexed, places) = {
            let read = || {
                let (totals, indexed) = file::totals(&connection)?;
                Ok((totals, indexed, file::places(&connection)?))
            };
            read().map_err(|error: rusqlite::Error| JOURNAL.problem(path, &error))?
        };
        let known = file::plan(&connection).map_err(|error| JOURNAL.problem(path, &error))?;
        let (noted, keys) =
            file::noted(&connection, identity).map_err(|error| JOURNAL.problem(path, &error))?;
        let changes = known.as_ref().map_or_else(Vec::new, |(known, _)| identity.changes(known));
        let holds_nothing =
            file::holds_nothing(&connection, &totals).map_err(|error| JOURNAL.problem(path, &error))?;
        if !changes.is_empty() && !holds_nothing && *existing == Existing::Resume {
            return Err(contents::changed(path, &changes));
        }
        let mut begin = || {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            file::upgrade(&connection)?;
            let (rows, cost) = file::take_over(&connection, writer::now_ms())?;
            totals.possibly_paid += rows;
            totals.cost += cost;
            let basis = basis.map(|name| file::basis(&connection, name)).transpose()?;
            if known.as_ref() != Some(&(noted.clone(), memo.clone())) {
                file::add_plan(&connection, &noted, memo)?;
            }
            connection.execute("UPDATE totals SET spent = ?", [text(&totals)?])?;
            connection.execute_batch("COMMIT")?;
            let filtered = if totals.outcomes < filter::MOST_KEYS { Filtered::Yes } else { Filtered::No };
            Ok((Recent::load(&connection, indexed, filtered)?, basis))
        };
        let (recent, basis) = begin().map_err(|error: rusqlite::Error| JOURNAL.problem(path, &error))?;
        let recent = Arc::new(recent);
        let reader = file::open_to_read(path)?;
        let finder = Finder::new(path.clone(), reader, Arc::clone(&recent))
            .map_err(|error| JOURNAL.problem(path, &error))?;
        let spent = totals.cost;
        let resumed = (found == Found::Journal).then(|| totals.clone());
        let known = Arc::clone(&recent);
        let interval_ms = Arc::new(AtomicU64::new(intervals::SHORTEST_MS));
        let has_batches = batches::has_tables(&connection).map_err(|error| JOURNAL.problem(path, &error))?;
        let state = WriterState {
            path: path.clone(),
            has_batches,
            connection,
            records: *records,
            recent,
            totals,
            basis,
            places,
            interval_ms: Arc::clone(&interval_ms),
        };
        Ok(Self {
            lookup: Lookup::start(finder)?,
            writer: Writer::start(state)?,
            records: *records,
            path: path.clone(),
            keys,
            recent: known,
            interval_ms,
            resumed: Mutex::new(resumed),
            spent,
            has_placing_run: AtomicBool::new(false),
            _lock: lock,
            life: Arc::default(),
        })
    }

    /// How the keys of rows are made in this journal.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The cost of all requests up to when the journal was opened.
    pub(crate) fn spent(&self) -> Cost {
        self.spent
    }

    /// Records that the server's handling of the schema was probed, which took this effort.
    pub(crate) fn probed(&self, effort: Effort) {
        self.writer.write(Entry::Probed { effort });
    }

    /// The totals when the journal was opened; only the first call returns them, and its caller shares them.
    pub(crate) fn take_resumed(&self) -> Option<Totals> {
        self.resumed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The length of the intervals that its runs record.
    fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms.load(Ordering::Relaxed))
    }

    /// Whether records are kept.
    pub(crate) fn has_records(&self) -> bool {
        self.records == Records::Kept
    }

    /// Records that the user changed a run while it was under way.
    pub(crate) fn adjusted(&self, adjustment: Adjustment) {
        self.writer.write(Entry::Adjusted { adjustment });
    }

    /// The journal's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The record of a row, as the journal keeps it.
    ///
    /// # Errors
    /// If its fields do not serialise.
    pub(crate) fn record_of(row: &Row) -> Result<String, Problem> {
        let record = writer::record(row, Records::Kept);
        let record = record.map_err(|error| Problem::new(format!("a row cannot be kept: {error}")))?;
        Ok(record.unwrap_or_default().into_owned())
    }

    pub(crate) fn hold(&self) -> JournalHold {
        JournalHold(Arc::downgrade(&self.life))
    }

    /// Starts a run; `placing` says how its rows relate to the input. Only one of several concurrent runs can keep an input's places.
    pub(crate) fn begin(self: &Arc<Self>, equal: EqualRows, placing: Placing) -> Session {
        let placing = match placing {
            Placing::Input if self.has_placing_run.swap(true, Ordering::AcqRel) => Placing::None,
            placing => placing,
        };
        Session::new(Arc::clone(self), equal, placing)
    }

    fn end(&self, placing: Placing) {
        match placing {
            Placing::Input => self.has_placing_run.store(false, Ordering::Release),
            Placing::Again | Placing::Rest | Placing::None => {}
        }
    }
}

#[cfg(test)]
mod tests;
