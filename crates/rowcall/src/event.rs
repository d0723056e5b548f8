//! What may be watched: every step of every row, as it happens. Whoever watches cannot fail a run. The one fold of these
//! into numbers is `stats.rs`.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

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
    /// What it was.
    pub kind: EventKind,
}

/// The things that happen to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// Nothing happened to a row yet: the run goes on where others have left off, and this is what they came to.
    Resumed {
        /// What the runs before have spent.
        totals: Arc<Totals>,
    },
    /// Nothing happened to a row yet: the server has been asked what it makes of the schema, see [`Client::probe`](crate::Client::probe).
    Probed {
        /// What that took.
        effort: Effort,
    },
    /// It was taken from the source.
    Taken,
    /// It is not asked about: its outcome is in the journal or the cache, or an equal row has brought it.
    Known {
        /// Why it has no value; `None` if it has one.
        failure: Option<Reason>,
        /// Where its outcome comes from.
        from: KnownFrom,
    },
    /// A request was sent.
    Sent {
        /// Which request of the row this is, counted from 1.
        attempt: u32,
        /// Which prompt of the row this is, counted from 1; more than 1 is a re-ask.
        prompt: u32,
        /// What it had to wait for last, if it had to wait for admission.
        waited_for: Option<Bound>,
        /// How long it waited for admission.
        waited: Duration,
    },
    /// A request was answered, or failed; one that is given up because its run is dropped has failed with its connection.
    Answered {
        /// Which request of the row this is, counted from 1.
        attempt: u32,
        /// From the first byte out to the last byte in.
        latency: Duration,
        /// How long the server says that it worked on it.
        processing: Option<Duration>,
        /// Tokens, if the answer told; or what went wrong.
        result: Result<Option<Usage>, Arc<Fault>>,
        /// What it cost, as far as that is known.
        cost: Cost,
    },
    /// A failed request will be sent again after this long.
    Waits(Duration),
    /// What the server has refused in its request is asked in another way from now on, for this row and all others.
    Adapted(String),
    /// Something beside the rows went wrong, and the run goes on: a sentence fragment.
    Warned(String),
    /// An answer gave no value, and the model is asked again.
    Reasked {
        /// How many violations the answer had.
        violations: usize,
    },
    /// The row is over.
    Ended {
        /// Why it has no value; `None` if it has one.
        failure: Option<Reason>,
        /// What it took.
        effort: Effort,
    },
    /// The run was stopped, or dropped, before the row was over; nothing is known of it.
    Abandoned,
}

/// Where the outcome of a row comes from that is not asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownFrom {
    /// The journal.
    Journal,
    /// The cache: an earlier run, or one at the same time, has asked the very same.
    Cache,
    /// A row of the same run that is asked the very same.
    EqualRow,
}

/// Who watches. It is called on the engine's threads, so it must be quick and must not block.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// Those who watch a run.
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

    /// A request is sent: the row's `attempt`th, of its `prompt`th prompt, after it was `held` back for so long. It costs `lost`
    /// if its answer is.
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

/// A request that was sent and not answered yet. Dropped before its end, as a cancelled run's is, it has failed.
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
