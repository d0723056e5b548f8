//! Rows asked in batches: a second way to take the conversations of `extract.rs` through requests. A batch is one attempt of many rows,
//! which wait in the journal meanwhile. `run.rs` hands rows over and takes them back; everything in between happens in one task.

mod cached;
mod collect;
mod find;
mod lane;
mod line_id;
mod room;
mod row_result;
mod rows;
mod send;
mod watch;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::cache::CacheSession;
use crate::config::{Batching, Plan};
use crate::error::Error;
use crate::extract::PreparedRow;
use crate::halt::Halt;
use crate::identity::RowKey;
use crate::journal::parked::KnownBy;
use crate::journal::{Journal, Placing};
use crate::outcome::Outcome;
use crate::row::Row;
pub(crate) use lane::drive;

/// Events that wait for the run. They are few, so that results are read no faster than they are recorded.
const MOST_WAITING: usize = 64;

/// What the run sends to the lane.
#[derive(Debug)]
pub(crate) enum ToLane {
    /// Ask about this row.
    Ask(Box<PreparedRow>),
    /// The source has ended, and all its rows are here or finished. If it was the input, it had this many rows.
    SourceEnded(Option<u64>),
}

/// What the lane reports to the run.
#[derive(Debug)]
pub(crate) enum FromLane {
    /// These rows are in the journal and need no memory until they come back.
    Parked(Vec<(Option<RowKey>, u64)>),
    /// This row has ended.
    Ended(Box<PreparedRow>, Outcome),
    /// This row has ended with an answer from the cache.
    Cached(Box<PreparedRow>, Outcome),
    /// A row has ended that this run has not taken from its source.
    EndedApart(Box<PreparedRow>, Outcome),
    /// Ask about this row online.
    Online(Box<PreparedRow>),
    /// The run ends before this row could be parked.
    Abandoned(Box<PreparedRow>),
    /// The equal row of these has ended: look them up again.
    Again(Vec<Row>),
    /// The run must stop.
    Failed(Error),
    /// No more rows will come back. Some may be left in batches; if none are, the input has this many rows, as far as known.
    Over {
        /// Rows left in the queue or in batches.
        left: u64,
        /// The number of rows of the input.
        input: Option<u64>,
    },
}

/// A run's end of the lane.
#[derive(Debug)]
pub(crate) struct Lane {
    to: mpsc::UnboundedSender<ToLane>,
    from: mpsc::Receiver<FromLane>,
    /// Whether the lane knows that the source has ended.
    knows_end: bool,
    is_over: bool,
    /// Rows left without an outcome.
    left: u64,
    /// The number of rows of the input, if it is known and none are left.
    input: Option<u64>,
}

/// What the lane's task works with.
#[derive(Debug)]
pub(crate) struct LaneTask {
    plan: Arc<Plan>,
    known_by: KnownBy,
    journal: Arc<Journal>,
    batching: Arc<Batching>,
    halt: Halt,
    cache: Option<CacheSession>,
    inbox: mpsc::UnboundedReceiver<ToLane>,
    outbox: mpsc::Sender<FromLane>,
}

impl Lane {
    /// The lane of a run of this plan, with its task; `None` if rows are not sent in batches.
    pub(crate) fn new(
        plan: &Arc<Plan>,
        placing: Placing,
        halt: &Halt,
        cache: Option<&CacheSession>,
    ) -> Option<(Self, LaneTask)> {
        let (batching, journal) = (plan.batch.clone()?, plan.journal.clone()?);
        let known_by = match placing {
            Placing::Input => KnownBy::Key,
            Placing::Rest => KnownBy::Position,
            // The rows are asked at once.
            Placing::Again | Placing::None => return None,
        };
        let (to, inbox) = mpsc::unbounded_channel();
        let (outbox, from) = mpsc::channel(MOST_WAITING);
        let task = LaneTask {
            plan: Arc::clone(plan),
            known_by,
            journal,
            batching,
            halt: halt.clone(),
            cache: cache.cloned(),
            inbox,
            outbox,
        };
        Some((Self { to, from, knows_end: false, is_over: false, left: 0, input: None }, task))
    }

    /// Hands over a row. Returns it if the lane takes no more.
    pub(crate) fn ask(&self, prepared: PreparedRow) -> Option<Box<PreparedRow>> {
        match self.to.send(ToLane::Ask(Box::new(prepared))) {
            Err(mpsc::error::SendError(ToLane::Ask(prepared))) => Some(prepared),
            Ok(()) | Err(mpsc::error::SendError(ToLane::SourceEnded(_))) => None,
        }
    }

    /// Says once that the source has ended, the input after this many rows.
    pub(crate) fn end_source(&mut self, rows: Option<u64>) {
        if !self.knows_end {
            self.knows_end = true;
            let _ = self.to.send(ToLane::SourceEnded(rows));
        }
    }

    /// Whether no more rows will come back.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Rows left without an outcome.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The number of rows of the input, if it is known and none are left.
    pub(crate) fn input(&self) -> Option<u64> {
        self.input
    }

    /// The next event; none ever once the lane is over. Cancelling the wait loses nothing.
    pub(crate) async fn next(&mut self) -> FromLane {
        if self.is_over {
            return std::future::pending().await;
        }
        let event = self.from.recv().await.unwrap_or(FromLane::Over { left: 0, input: None });
        if let FromLane::Over { left, input } = &event {
            self.is_over = true;
            (self.left, self.input) = (*left, *input);
        }
        event
    }
}
