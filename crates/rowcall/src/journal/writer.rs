//! The only thread that writes. Everything that is waiting is committed together: outcomes are synced to the disk, intents alone
//! are not, since the next outcome's sync covers them. After the first failure nothing more is written, and all waiters get the
//! error.
#![expect(
    clippy::disallowed_methods,
    reason = "the journal records at what time of day a row ended, and its thread lets entries gather"
)]

mod replies;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, params};
use tokio::sync::{mpsc as channel, oneshot};

use super::Records;
use super::adjustments;
use super::batches;
use super::columns;
use super::file::{self, Recent};
use super::intervals;
use super::kind::JOURNAL;
use super::parked;
use super::session::Reply;
use super::work::Work;
use crate::adjustment::Adjustment;
use crate::error::Problem;
use crate::identity::{Key, RowKey};
use crate::interval::{Activity, Interval};
use crate::money::Cost;
use crate::outcome::{Effort, FailureKind, Outcome};
use crate::relay::Relayed;
use crate::row::Row;
use crate::sqlite::{integer, text};
use crate::totals::Totals;

/// The maximum number of entries in a commit, so that waiting times stay bounded.
const MOST_TOGETHER: usize = 2048;

/// How long more entries are awaited if the last commit was only [`SHORTLY`] before: a commit, above all its sync, costs more than many
/// entries in one, while an answer takes a thousand times as long as this.
const GATHERING: Duration = Duration::from_micros(300);
const SHORTLY: Duration = Duration::from_millis(2);

/// How many outcomes are collected before their keys are indexed. Sorted and in one batch they touch each page of the index
/// once; one by one, each would touch almost a page of its own.
const INDEXED_TOGETHER: usize = 16_384;

/// An entry to write.
#[derive(Debug)]
pub(super) enum Entry {
    /// A request is about to go out.
    Intent {
        key: Key,
        index: u64,
        attempt: u32,
        /// The cost of the row's requests if the answer to this one is lost.
        cost: Cost,
        done: oneshot::Sender<Result<(), Problem>>,
        settled: Relayed<Result<(), Problem>>,
    },
    /// A row has ended that was requested under the key `asked` and is to be found under another or the same key. Without keys
    /// it was never requested.
    Ended {
        asked: Option<RowKey>,
        key: Option<Key>,
        row: Row,
        outcome: Outcome,
        place: Placing,
        reply: Replies,
    },
    /// A row with a known outcome is at a place where the journal has not recorded it yet.
    Placed { number: i64, row: Row, outcome: Outcome, place: Placing, reply: Replies },
    /// A row was abandoned after this effort.
    GivenUp { key: Key, index: u64, effort: Effort },
    /// The outcome of a row in flight is no longer awaited.
    Dropped { key: Key },
    /// The server's handling of the schema was probed, which took this effort.
    Probed { effort: Effort },
    /// What a run did in the interval that ends now; `run_ms` is when the run started.
    Interval { run_ms: i64, lasted: Duration, activity: Box<Activity> },
    /// The user changed a run while it was under way.
    Adjusted { adjustment: Adjustment },
    /// A run over an input starts.
    Begin,
    /// The run reached the end of its input, which had this many rows.
    Complete { rows: u64 },
    /// Work that its caller waits for.
    Work(Box<dyn Work>),
}

/// How a run's rows relate to the places in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placing {
    /// They are the input, from its first row on: each row's place is recorded.
    Input,
    /// They are some of the rows with a place, which are requested again.
    Again,
    /// They are rows of the input that an earlier run has left without an outcome.
    Rest,
    /// They have no places.
    None,
}

/// The channel for replies.
pub(super) type Replies = channel::UnboundedSender<Reply>;

/// An outcome that is on the disk.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) asked: Option<RowKey>,
    pub(crate) key: Option<Key>,
    pub(crate) number: i64,
    pub(crate) row: Row,
    pub(crate) outcome: Outcome,
    pub(crate) change: Change,
}

/// What was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The outcome.
    Outcome,
    /// The row's place only.
    Place,
}

/// A handle to the thread. Dropping it waits until everything is written.
#[derive(Debug)]
pub(super) struct Writer {
    entries: Option<Sender<Entry>>,
    thread: Option<JoinHandle<()>>,
}

/// The state of the thread.
#[derive(Debug)]
pub(super) struct WriterState {
    pub(super) path: PathBuf,
    /// Whether there are tables of batches.
    pub(super) has_batches: bool,
    pub(super) connection: Connection,
    pub(super) records: Records,
    pub(super) recent: Arc<Recent>,
    pub(super) totals: Totals,
    /// The number of the prices that costs are based on, if any.
    pub(super) basis: Option<i64>,
    /// The first place from which on there are no outcomes yet.
    pub(super) places: u64,
    /// The length of the intervals that runs record, in milliseconds.
    pub(super) interval_ms: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub(super) fn start(state: WriterState) -> Result<Self, Problem> {
        let (sender, entries) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("rowcall-journal".to_owned())
            .spawn(move || state.write(&entries))
            .map_err(|error| Problem::new(format!("cannot start a thread for the journal: {error}")))?;
        Ok(Self { entries: Some(sender), thread: Some(thread) })
    }

    /// Queues an entry for writing.
    pub(super) fn write(&self, entry: Entry) {
        // The thread lives as long as the sender and replies to everyone, even after a failure.
        if let Some(entries) = &self.entries {
            let _ = entries.send(entry);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.entries = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sync {
    Now,
    WithTheNext,
}

impl WriterState {
    fn write(mut self, entries: &Receiver<Entry>) {
        let path = self.path.clone();
        let mut broken: Option<Problem> = None;
        let mut sync = None;
        let mut committed: Option<Instant> = None;
        while let Ok(first) = entries.recv() {
            if committed.is_some_and(|before| before.elapsed() < SHORTLY) {
                thread::sleep(GATHERING);
            }
            let mut group = vec![first];
            group.extend(entries.try_iter().take(MOST_TOGETHER - 1));
            if broken.is_none() {
                let done = JOURNAL.caught(&path, || self.commit(&group, &mut sync)).and_then(|numbers| {
                    replies::report(std::mem::take(&mut group), &numbers);
                    JOURNAL.caught(&path, || self.index_if_due())
                });
                if let Err(problem) = done {
                    // SQLite rolls the transaction back, now or when the file is next opened.
                    let _ = self.connection.execute_batch("ROLLBACK");
                    broken = Some(problem);
                }
            }
            if let Some(problem) = &broken {
                replies::refuse(group, problem);
            }
            committed = Some(Instant::now());
        }
    }

    /// Writes all of `group` in one transaction. Returns the number of each entry's outcome, if it has one.
    fn commit(&mut self, group: &[Entry], synced: &mut Option<Sync>) -> rusqlite::Result<Vec<i64>> {
        let has_outcome = group.iter().any(|entry| matches!(entry, Entry::Ended { .. } | Entry::Work(_)));
        let sync = if has_outcome { Sync::Now } else { Sync::WithTheNext };
        if *synced != Some(sync) {
            self.run(match sync {
                Sync::Now => "PRAGMA synchronous = FULL",
                Sync::WithTheNext => "PRAGMA synchronous = NORMAL",
            })?;
            *synced = Some(sync);
        }
        let (before, places_before) = (self.totals.clone(), self.places);
        let now = now_ms();
        self.run("BEGIN IMMEDIATE")?;
        let mut numbers = Vec::with_capacity(group.len());
        let mut keyed = Vec::new();
        let written = (|| {
            for entry in group {
                let number = self.apply(entry, now)?;
                if let Entry::Ended { key: Some(key), .. } = entry {
                    keyed.push((*key, number));
                }
                numbers.push(number);
            }
            if self.totals != before {
                let spent = text(&self.totals)?;
                self.connection.prepare_cached("UPDATE totals SET spent = ?")?.execute([spent])?;
            }
            self.run("COMMIT")
        })();
        if let Err(error) = written {
            (self.totals, self.places) = (before, places_before);
            return Err(error);
        }
        self.recent.add(&keyed);
        Ok(numbers)
    }

    fn apply(&mut self, entry: &Entry, now: i64) -> rusqlite::Result<i64> {
        match entry {
            Entry::Intent { key, index, attempt, cost, done: _, settled: _ } => {
                self.connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO intents (key, idx, attempts, cost_picousd, cost_unknown, \
                         cost_bounded, cost_most_picousd) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    )?
                    .execute(params![
                        key.bytes(),
                        integer(*index),
                        attempt,
                        integer(cost.known.picodollars()),
                        integer(cost.unknown),
                        integer(cost.bounded),
                        integer(cost.most.picodollars()),
                    ])?;
                Ok(0)
            }
            Entry::Ended { asked: _, key: None, row, outcome, place, reply: _ } => {
                if *place != Placing::None
                    && let Some(number) = self.same_unasked(row, outcome)?
                {
                    return Ok(number);
                }
                self.end(None, row, outcome, *place, now)
            }
            Entry::Ended { asked, key: Some(key), row, outcome, place, reply: _ } => {
                let asked = asked.map_or(*key, |asked| asked.key);
                self.forget(asked)?;
                if self.has_batches {
                    parked::settle(&self.connection, asked)?;
                }
                self.end(Some(*key), row, outcome, *place, now)
            }
            Entry::Placed { number, row, outcome, place, reply: _ } => {
                self.place(*number, row, outcome, *place)?;
                Ok(*number)
            }
            Entry::GivenUp { key, index, effort } => {
                self.forget(*key)?;
                self.totals.add(effort);
                if !effort.is_unpaid() {
                    self.totals.possibly_paid += 1;
                    self.connection
                        .prepare_cached(
                            "INSERT INTO possibly_paid (key, idx, attempts, why, found_at_ms, cost_at_most_picousd) \
                             VALUES (?, ?, ?, 'given up', ?, ?)",
                        )?
                        .execute(params![
                            key.bytes(),
                            integer(*index),
                            effort.attempts,
                            now,
                            effort.cost.ceiling().map(|most| integer(most.picodollars())),
                        ])?;
                }
                Ok(0)
            }
            Entry::Dropped { key } => {
                let (moved, cost) = file::drop_intent(&self.connection, *key, now)?;
                self.totals.possibly_paid += moved;
                self.totals.cost += cost;
                self.forget(*key)?;
                Ok(0)
            }
            Entry::Probed { effort } => {
                self.totals.add_probe(effort);
                Ok(0)
            }
            Entry::Interval { run_ms, lasted, activity } => {
                let lasted_ms = u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX);
                let started_ms = now.saturating_sub(integer(lasted_ms));
                let activity = Activity::clone(activity);
                let interval = Interval { run_ms: *run_ms, started_ms, lasted_ms, activity };
                let length = self.interval_ms.load(Ordering::Relaxed);
                let length = intervals::add(&self.connection, &interval, length)?;
                self.interval_ms.store(length, Ordering::Relaxed);
                Ok(0)
            }
            Entry::Adjusted { adjustment } => {
                adjustments::add(&self.connection, adjustment, now)?;
                Ok(0)
            }
            Entry::Work(work) => {
                work.run(&self.connection)?;
                // It may have made the tables.
                self.has_batches = self.has_batches || batches::has_tables(&self.connection)?;
                Ok(0)
            }
            Entry::Begin => {
                self.totals.complete = false;
                self.totals.moved = 0;
                self.places = file::places(&self.connection)?;
                Ok(0)
            }
            Entry::Complete { rows } => {
                self.totals.rows -= file::cut_places(&self.connection, *rows)?.min(self.totals.rows);
                self.totals.complete = true;
                Ok(0)
            }
        }
    }

    /// Records that no request for this row is about to be sent or in flight.
    fn forget(&self, key: Key) -> rusqlite::Result<()> {
        self.connection.prepare_cached("DELETE FROM intents WHERE key = ?")?.execute([key.bytes()]).map(drop)
    }

    fn end(
        &mut self,
        key: Option<Key>,
        row: &Row,
        outcome: &Outcome,
        place: Placing,
        now: i64,
    ) -> rusqlite::Result<i64> {
        let with = columns::With { key, ended_at_ms: now, basis: self.basis };
        let number = columns::insert(&self.connection, outcome, with)?;
        self.totals.outcomes += 1;
        self.totals.cached += u64::from(outcome.from_cache);
        self.totals.add(&outcome.effort);
        self.place(number, row, outcome, place)?;
        Ok(number)
    }

    fn place(&mut self, number: i64, row: &Row, outcome: &Outcome, place: Placing) -> rusqlite::Result<()> {
        if place == Placing::None {
            return Ok(());
        }
        if self.has_batches {
            parked::place(&self.connection, row.index)?;
        }
        let failure = outcome.failure_kind().map(FailureKind::name);
        let record = record(row, self.records)?;
        if matches!(place, Placing::Again | Placing::Rest) || row.index < self.places {
            let sql = "UPDATE places SET outcome = ?2, failure = ?3, record = ?4 WHERE idx = ?1";
            let there = params![integer(row.index), number, failure, record];
            if self.connection.prepare_cached(sql)?.execute(there)? > 0 {
                self.totals.moved += u64::from(place == Placing::Input);
                return Ok(());
            }
        }
        self.connection
            .prepare_cached("INSERT INTO places (idx, outcome, failure, record) VALUES (?, ?, ?, ?)")?
            .execute(params![integer(row.index), number, failure, record])?;
        self.totals.rows += 1;
        Ok(())
    }

    /// The outcome at the row's place, if an earlier run put the same one there without a request.
    fn same_unasked(&self, row: &Row, outcome: &Outcome) -> rusqlite::Result<Option<i64>> {
        if row.index >= self.places {
            return Ok(None);
        }
        let sql = "SELECT o.seq, o.failure, p.record FROM places p JOIN outcomes o ON o.seq = p.outcome \
                   WHERE p.idx = ? AND o.key IS NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query([integer(row.index)])?;
        let Some(columns) = found.next()? else { return Ok(None) };
        let failure = outcome.result.as_ref().err().map(text).transpose()?;
        let same = columns.get_ref(1)?.as_str_or_null()? == failure.as_deref()
            && columns.get_ref(2)?.as_str_or_null()? == record(row, self.records)?.as_deref();
        Ok(if same { Some(columns.get(0)?) } else { None })
    }

    /// Adds the recent outcomes to the index of keys once there are enough. Sorted, they touch each of its pages once.
    fn index_if_due(&self) -> rusqlite::Result<()> {
        let mut due: Vec<(Key, i64)> = self.recent.with(|recent| {
            if recent.len() < INDEXED_TOGETHER {
                return Vec::new();
            }
            recent.iter().map(|(key, number)| (*key, *number)).collect()
        });
        let Some(last) = due.iter().map(|(_, number)| *number).max() else { return Ok(()) };
        due.sort_unstable();
        self.run("BEGIN IMMEDIATE")?;
        let mut insert =
            self.connection.prepare_cached("INSERT OR REPLACE INTO keys (key, outcome) VALUES (?, ?)")?;
        for (key, number) in &due {
            insert.execute(params![key.bytes(), number])?;
        }
        self.connection.prepare_cached("UPDATE totals SET indexed = ?")?.execute([last])?;
        self.run("COMMIT")?;
        self.recent.with(|recent| recent.retain(|_, number| *number > last));
        Ok(())
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

/// The text of the row's record; a row made from a Rust value has only fields.
pub(super) fn record(row: &Row, records: Records) -> rusqlite::Result<Option<Cow<'_, str>>> {
    Ok(match (records, &row.fields) {
        (Records::LeftOut, _) => None,
        (Records::Kept, Ok(fields)) if row.record.is_empty() => Some(text(fields)?.into()),
        (Records::Kept, _) => Some(String::from_utf8_lossy(&row.record)),
    })
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
