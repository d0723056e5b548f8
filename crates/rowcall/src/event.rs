//! The events of a run: every step of every row, as it happens. An observer cannot fail a run. `stats.rs` folds events
//! into numbers.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::adjustment::Adjustment;
use crate::fault::{Fault, FaultKind};
use crate::money::Cost;
use crate::outcome::{Effort, Reason};
use crate::standing::Bound;
use crate::totals::Totals;
use crate::turn::Usage;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The row it happened to, counted from 0.
    pub row: u64,
    /// What happened.
    pub kind: EventKind,
}

/// The things that happen to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// Before any row: the run continues earlier ones, and these are their totals.
    Resumed {
        /// What the earlier runs spent.
        totals: Arc<Totals>,
    },
    /// Before any row: the server was probed for how it enforces the schema, see [`Client::probe`](crate::Client::probe).
    Probed {
        /// What that took.
        effort: Effort,
    },
    /// The row was taken from the source.
    Taken,
    /// The row is not asked about: its outcome is in the journal or the cache, or comes from an equal row.
    Known {
        /// Why it has no value; `None` if it has one.
        failure: Option<Reason>,
        /// The origin of its outcome.
        from: KnownFrom,
    },
    /// A request was sent.
    Sent {
        /// Which request of the row this is, counted from 1.
        attempt: u32,
        /// Which prompt of the row this is, counted from 1; more than 1 is a re-ask.
        prompt: u32,
        /// The limit it waited for last, if it had to wait for admission.
        waited_for: Option<Bound>,
        /// How long it waited for admission.
        waited: Duration,
    },
    /// A request was answered, or failed. A request whose run is dropped counts as a failed connection.
    Answered {
        /// Which request of the row this is, counted from 1.
        attempt: u32,
        /// From the first byte out to the last byte in.
        latency: Duration,
        /// How long the server worked on it, by its own report.
        processing: Option<Duration>,
        /// Tokens, if the answer reported them; or what went wrong.
        result: Result<Option<Usage>, Arc<Fault>>,
        /// What it cost, as far as known.
        cost: Cost,
    },
    /// The result of a request in a batch was collected. There is no `Sent` or `Answered` for it.
    Collected {
        /// Which request of the row this is, counted from 1.
        attempt: u32,
        /// Tokens, if the answer reported them; or what went wrong.
        result: Result<Option<Usage>, Arc<Fault>>,
        /// What it cost, as far as known.
        cost: Cost,
    },
    /// Something happened to a batch, whatever row the event names.
    Batch(Arc<BatchNews>),
    /// A failed request will be sent again after this long.
    Waits(Duration),
    /// The server rejected part of the request; from now on that part is sent differently, for this row and all others.
    Adapted(String),
    /// Something other than a row failed, and the run continues: a sentence fragment.
    Warned(String),
    /// An answer gave no value, and the model is asked again.
    Reasked {
        /// How many violations the answer had.
        violations: usize,
    },
    /// The row is finished.
    Ended {
        /// Why it has no value; `None` if it has one.
        failure: Option<Reason>,
        /// What it took.
        effort: Effort,
    },
    /// The run was stopped or dropped before the row was finished; it has no outcome.
    Abandoned,
    /// The row, which failed earlier in this run, is asked about again: see [`RunControl::retry_failed`](crate::RunControl::retry_failed).
    Retried {
        /// Why it had no value.
        failure: Reason,
    },
    /// Not about a row: the user changed the run while it was under way.
    Adjusted(Adjustment),
}

/// What happened to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchNews {
    /// The batch's number in the journal, from 1.
    pub number: i64,
    /// Its id at the provider, once it has one.
    pub id: Option<String>,
    /// How many rows were sent in it.
    pub rows: u64,
    /// What happened.
    pub step: BatchStep,
}

/// The steps of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchStep {
    /// It was created.
    Sent,
    /// An earlier run created it, or it was found after its create had been left unanswered.
    Resumed,
    /// The provider described its state anew.
    Runs {
        /// The provider's word.
        state: String,
        /// How many requests are done, if the provider says so.
        done: Option<u64>,
    },
    /// It has ended, in this state.
    Ended {
        /// The provider's word.
        state: String,
    },
    /// Its results are collected.
    Collected {
        /// Rows that have an outcome now.
        settled: u64,
        /// Rows that go back to the queue, or are asked online.
        returned: u64,
        /// Of those, rows without any result, which may have been billed.
        missing: u64,
    },
    /// It was not created or was rejected as a whole; its rows go back to the queue.
    Dropped {
        /// Why.
        why: String,
    },
}

impl std::fmt::Display for BatchNews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, id, rows, step } = self;
        write!(f, "batch {number}: ")?;
        let id = id.as_deref().unwrap_or("without an id");
        match step {
            BatchStep::Sent => write!(f, "sent {rows} rows as `{id}`"),
            BatchStep::Resumed => write!(f, "`{id}` with {rows} rows is known to the provider"),
            BatchStep::Runs { state, done: Some(done) } => write!(f, "{state}, {done} of {rows} rows done"),
            BatchStep::Runs { state, done: None } => f.write_str(state),
            BatchStep::Ended { state } => write!(f, "ended: {state}"),
            BatchStep::Collected { settled, returned, missing } => {
                write!(f, "collected: {settled} rows settled")?;
                if *returned > 0 {
                    write!(f, ", {returned} to be asked again")?;
                }
                if *missing > 0 {
                    write!(f, ", {missing} of these without a result, which may have been billed")?;
                }
                Ok(())
            }
            BatchStep::Dropped { why } => write!(f, "not executed: {why}"),
        }
    }
}

/// The origin of an outcome for a row that is not asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownFrom {
    /// The journal.
    Journal,
    /// The cache: an earlier or concurrent run sent exactly the same request.
    Cache,
    /// A row of the same run with exactly the same request.
    EqualRow,
}

/// A callback for events. It is called on the engine's threads, so it must be quick and must not block.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// The observers of a run.
#[derive(Clone, Default)]
pub(crate) struct Observers(Vec<Observer>);

impl Observers {
    pub(crate) fn add(&mut self, observer: Observer) {
        self.0.push(observer);
    }

    pub(crate) fn emit(&self, row: u64, kind: EventKind) {
        let event = Event { row, kind };
        for observer in &self.0 {
            observer(&event);
        }
    }

    /// Reports that a request is sent: attempt number `attempt` of the row, for its prompt number `prompt`, after admission
    /// `held` it back this long. It costs `lost` if its answer is lost.
    pub(crate) fn sent(
        &self,
        row: u64,
        attempt: u32,
        prompt: u32,
        held: Option<(Bound, Duration)>,
        lost: Cost,
    ) -> Unanswered<'_> {
        let (waited_for, waited) = held.unzip();
        let waited = waited.unwrap_or_default();
        self.emit(row, EventKind::Sent { attempt, prompt, waited_for, waited });
        Unanswered { observers: self, row, attempt, since: Instant::now(), is_answered: false, lost }
    }
}

/// A request that was sent and is not answered yet. If dropped before that, as in a cancelled run, it counts as failed.
#[derive(Debug)]
pub(crate) struct Unanswered<'a> {
    observers: &'a Observers,
    row: u64,
    attempt: u32,
    since: Instant,
    is_answered: bool,
    /// What it costs if its answer is lost.
    lost: Cost,
}

impl Unanswered<'_> {
    /// It was answered, or failed, after `latency`.
    pub(crate) fn end(
        mut self,
        latency: Duration,
        processing: Option<Duration>,
        result: Result<Option<Usage>, Arc<Fault>>,
        cost: Cost,
    ) {
        self.is_answered = true;
        let attempt = self.attempt;
        self.observers.emit(self.row, EventKind::Answered { attempt, latency, processing, result, cost });
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            let fault = Fault::new(FaultKind::Connection, "the run was dropped before the answer came");
            let (attempt, latency, result) = (self.attempt, self.since.elapsed(), Err(Arc::new(fault)));
            let cost = self.lost;
            let answered = EventKind::Answered { attempt, latency, processing: None, result, cost };
            self.observers.emit(self.row, answered);
        }
    }
}

impl std::fmt::Debug for Observers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} observers", self.0.len())
    }
}
