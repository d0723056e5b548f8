//! What survives a crash: outcomes, and which requests were about to be sent, in a SQLite file that one process writes and any
//! may read. What the tables mean, and what is promised when, is told in `docs/journal.md`.

mod columns;
mod contents;
mod file;
mod filter;
mod intents;
mod kind;
mod lookup;
mod session;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

pub(crate) use contents::Census;
pub use contents::{Contents, Rows};
pub(crate) use intents::{Asking, Intents};
pub(crate) use lookup::{Known, Place};
pub(crate) use session::{Reply, Session};
pub(crate) use writer::{News, Placing, Written};

use crate::error::Problem;
use crate::identity::{EqualRows, Identity, Keys};
use crate::money::Cost;
use crate::outcome::Effort;
use crate::sqlite::{Lock, text};
use crate::totals::Totals;
use file::{Filtered, Found, Recent};
use kind::JOURNAL;
use lookup::{Finder, Lookup};
use writer::{Entry, Pen, Writer};

/// How a journal is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalOptions {
    /// Its file. SQLite keeps two more beside it while it is in use, and we a lock.
    pub path: PathBuf,
    /// What is done with a journal that is there.
    pub existing: Existing,
    /// Whether each row's record is kept.
    pub records: Records,
    /// A text of the caller's own, found again by [`Contents::memo`].
    pub memo: String,
}

impl JournalOptions {
    /// A journal at `path` that is resumed if it is there, with records.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let (existing, records) = (Existing::default(), Records::default());
        Self { path: path.into(), existing, records, memo: String::new() }
    }
}

/// What is done with a journal that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// It is resumed, if it was made by a plan that asks the same.
    #[default]
    Resume,
    /// It is resumed in any case: what the plan would ask in the same words is known.
    AcceptChanges,
    /// It is removed.
    StartOver,
}

/// Whether each row's record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Records {
    /// An output can be rebuilt without the input, and order costs no memory.
    #[default]
    Kept,
    /// Neither, but the journal is smaller and has nothing of the input but what the answers repeat.
    LeftOut,
}

/// A journal that is open for writing. Dropping it waits until all is written.
#[derive(Debug)]
pub(crate) struct Journal {
    // In the order in which they are to be dropped: the writer's connection is the last to close, and tidies up.
    lookup: Lookup,
    writer: Writer,
    records: Records,
    keys: Keys,
    recent: Arc<Recent>,
    resumed: Mutex<Option<Totals>>,
    spent: Cost,
    has_placing_run: AtomicBool,
    _lock: Lock,
    /// Gone once all before it is, the lock included.
    life: Arc<()>,
}

/// Whether a journal is still open: see [`Extractor::journal_hold`](crate::Extractor::journal_hold).
#[derive(Debug, Clone)]
pub struct JournalHold(Weak<()>);

impl JournalHold {
    /// Whether it is closed, and can be opened again.
    pub fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl Journal {
    /// Opens the journal for a plan that asks `identity` at the prices of `basis`, or makes one.
    ///
    /// # Errors
    /// A journal of a plan that asks something else, one that another process writes to, a file that is no journal, and
    /// whatever keeps it from being written to. Nothing has been changed then, but that [`Existing::StartOver`] may have removed
    /// what was there.
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
        let pen = Pen { path: path.clone(), connection, records: *records, recent, totals, basis, places };
        Ok(Self {
            lookup: Lookup::start(finder)?,
            writer: Writer::start(pen)?,
            records: *records,
            keys,
            recent: known,
            resumed: Mutex::new(resumed),
            spent,
            has_placing_run: AtomicBool::new(false),
            _lock: lock,
            life: Arc::default(),
        })
    }

    /// What makes the keys that rows are known by here.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What all requests had cost when it was opened.
    pub(crate) fn spent(&self) -> Cost {
        self.spent
    }

    /// The server was asked what it makes of the schema, which took this effort.
    pub(crate) fn probed(&self, effort: Effort) {
        self.writer.write(Entry::Probed { effort });
    }

    /// What the journal held when it was opened, once: whoever asks first tells the others.
    pub(crate) fn take_resumed(&self) -> Option<Totals> {
        self.resumed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn hold(&self) -> JournalHold {
        JournalHold(Arc::downgrade(&self.life))
    }

    /// A run begins whose rows are `placing` to the journal. Of several at a time only one can have an input's places.
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
            Placing::Again | Placing::None => {}
        }
    }
}

#[cfg(test)]
mod tests;
