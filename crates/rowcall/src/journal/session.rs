//! A run's view of the journal: the run submits rows and outcomes, and gets replies when they are looked up or on the disk.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::intents::Intents;
use super::lookup::{Known, Question, Wanted};
use super::writer::{Entry, Placing, Replies, Written, now_ms, record};
use super::{Journal, Records};
use crate::error::Problem;
use crate::identity::{EqualRows, Key, RowKey};
use crate::interval::Activity;
use crate::outcome::{Effort, Outcome};
use crate::relay::Relay;
use crate::row::Row;

/// The number of runs since the process started, which identifies a run.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// A reply of the journal to a run.
#[derive(Debug)]
pub(crate) enum Reply {
    /// What is known about the rows of the oldest pending lookup, in order.
    Known(Result<Vec<(Key, Option<Known>)>, Problem>),
    /// What is recorded at the requested places.
    Places(Result<Vec<(Row, Outcome)>, Problem>),
    /// These outcomes are on the disk.
    Written(Vec<Written>),
    /// This row's outcome could not be written.
    Unwritten { asked: Option<RowKey>, index: u64, problem: Problem },
}

/// One run's connection to the journal.
#[derive(Debug)]
pub(crate) struct Session {
    journal: Arc<Journal>,
    equal: EqualRows,
    run: u64,
    /// When it started, in milliseconds since 1970.
    started_ms: i64,
    placing: Placing,
    replies: Replies,
    received: mpsc::UnboundedReceiver<Reply>,
}

impl Session {
    /// Starts a run. Only one run at a time keeps the places of its rows.
    pub(super) fn new(journal: Arc<Journal>, equal: EqualRows, placing: Placing) -> Self {
        let (replies, received) = mpsc::unbounded_channel();
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        if placing == Placing::Input {
            journal.writer.write(Entry::Begin);
        }
        Self { journal, equal, run, started_ms: now_ms(), placing, replies, received }
    }

    /// A handle for recording intents, and the future that drives it.
    pub(crate) fn intents(&self) -> (Intents, Relay<Result<(), Problem>>) {
        Intents::new(Arc::clone(&self.journal))
    }

    /// Whether the journal may know a row with this key. If not, the row need not be looked up.
    pub(crate) fn may_know(&self, key: Key) -> bool {
        match (self.placing, self.equal) {
            (Placing::Again, _) | (_, EqualRows::AskEach) => true,
            (Placing::Input | Placing::Rest | Placing::None, EqualRows::Share) => {
                self.journal.recent.may_know(key)
            }
        }
    }

    /// Whether outcomes that are held back for ordering can be loaded again from their places.
    pub(crate) fn can_hold_back(&self) -> bool {
        self.placing == Placing::Input && self.journal.records == Records::Kept
    }

    /// Whether the journal may know an outcome that belongs to one row alone, by the row's own key.
    pub(crate) fn may_know_own(&self, own: Key) -> bool {
        match self.placing {
            // The row will be requested in any case.
            Placing::Again => false,
            Placing::Input | Placing::Rest | Placing::None => self.journal.recent.may_know(own),
        }
    }

    /// Looks up what is known about a row under its own key; the reply is [`Reply::Known`].
    pub(crate) fn look_up_own(&self, own: Key, row: &Row) {
        let wanted = vec![Wanted { key: own, own: None, index: row.index, record: self.record(row) }];
        let (equal, reply) = (EqualRows::Share, self.replies.clone());
        self.journal.lookup.ask(Question::Known { wanted, equal, run: self.run, reply });
    }

    /// Looks up what is known about these rows, each with its own key if it may have one; the reply is [`Reply::Known`].
    pub(crate) fn look_up<'a>(&self, rows: impl Iterator<Item = (Key, Option<Key>, &'a Row)>) {
        let wanted = rows
            .map(|(key, own, row)| Wanted { key, own, index: row.index, record: self.record(row) })
            .collect();
        let reply = self.replies.clone();
        self.journal.lookup.ask(match (self.placing, self.equal) {
            // The rest's rows are known by their positions if each is asked.
            (Placing::Again, _) | (Placing::Rest, EqualRows::AskEach) => {
                Question::Keys { wanted, equal: self.equal, reply }
            }
            (Placing::Rest, EqualRows::Share) | (Placing::Input | Placing::None, _) => {
                Question::Known { wanted, equal: self.equal, run: self.run, reply }
            }
        });
    }

    /// Looks up what is recorded at these places; the reply is [`Reply::Places`].
    pub(crate) fn load(&self, places: Range<u64>) {
        self.journal.lookup.ask(Question::Places { places, reply: self.replies.clone() });
    }

    /// Writes the outcome of a row that was requested under `asked` and is to be found under `key`; the reply is [`Reply::Written`].
    pub(crate) fn end(&self, asked: Option<RowKey>, key: Option<Key>, row: Row, outcome: Outcome) {
        let (place, reply) = (self.placing, self.replies.clone());
        self.journal.writer.write(Entry::Ended { asked, key, row, outcome, place, reply });
    }

    /// Writes an outcome as [`end`](Self::end) does, for a row that is not one of the run's: it gets no place, and there is no reply.
    pub(crate) fn end_apart(&self, asked: Option<RowKey>, key: Option<Key>, row: Row, outcome: Outcome) {
        let (place, (reply, _)) = (Placing::None, mpsc::unbounded_channel());
        self.journal.writer.write(Entry::Ended { asked, key, row, outcome, place, reply });
    }

    /// Records that the input has this many rows, all of which have an outcome.
    pub(crate) fn complete_input(&self, rows: u64) {
        self.journal.writer.write(Entry::Complete { rows });
    }

    /// How the run's rows relate to the places in the journal.
    pub(crate) fn placing(&self) -> Placing {
        self.placing
    }

    /// Writes the place of a row with a known outcome; the reply is [`Reply::Written`].
    pub(crate) fn place(&self, number: i64, row: Row, outcome: Outcome) {
        let (place, reply) = (self.placing, self.replies.clone());
        self.journal.writer.write(Entry::Placed { number, row, outcome, place, reply });
    }

    /// Records that a row was abandoned.
    pub(crate) fn give_up(&self, key: Key, index: u64, effort: Effort) {
        self.journal.writer.write(Entry::GivenUp { key, index, effort });
    }

    /// The length of the intervals to record; `None` for runs whose rows have no places, which may overlap with others.
    pub(crate) fn interval(&self) -> Option<Duration> {
        match self.placing {
            Placing::Input | Placing::Again | Placing::Rest => Some(self.journal.interval()),
            Placing::None => None,
        }
    }

    /// Records what the run did in the interval that ends now.
    pub(crate) fn note_interval(&self, lasted: Duration, activity: Activity) {
        let activity = Box::new(activity);
        self.journal.writer.write(Entry::Interval { run_ms: self.started_ms, lasted, activity });
    }

    /// Records that the input has ended, after this many rows.
    pub(crate) fn complete(&self, rows: u64) {
        match self.placing {
            Placing::Input => self.journal.writer.write(Entry::Complete { rows }),
            Placing::Again | Placing::Rest | Placing::None => {}
        }
    }

    /// The next reply. Cancelling the wait loses no reply.
    pub(crate) async fn next(&mut self) -> Reply {
        // This session holds a sender itself, so the channel is never closed.
        match self.received.recv().await {
            Some(reply) => reply,
            None => std::future::pending().await,
        }
    }

    fn record(&self, row: &Row) -> Option<Bytes> {
        match (self.journal.records, row.record.is_empty()) {
            (Records::LeftOut, _) => None,
            (Records::Kept, false) => Some(row.record.clone()),
            (Records::Kept, true) => {
                record(row, Records::Kept).ok().flatten().map(|text| Bytes::from(text.into_owned()))
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        match self.equal {
            EqualRows::AskEach => self.journal.lookup.ask(Question::Over { run: self.run }),
            EqualRows::Share => {}
        }
        self.journal.end(self.placing);
    }
}
