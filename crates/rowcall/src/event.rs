//! What may be watched: every step of every row, as it happens. Whoever watches cannot fail a run. The one fold of these
//! into numbers is `stats.rs`.

use std::sync::Arc;
use std::time::Duration;

use crate::fault::Fault;
use crate::outcome::{Effort, FailureKind};
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
    /// It was taken from the source.
    Taken,
    /// It is not asked about: its outcome is in the journal, or an equal row has brought it.
    Known {
        /// Why it has no value; `None` if it has one.
        failure: Option<FailureKind>,
    },
    /// A request was sent.
    Sent {
        /// Which request of the row this is, counted from 1.
        attempt: u32,
        /// Which prompt of the row this is, counted from 1; more than 1 is a re-ask.
        prompt: u32,
        /// What it had to wait for last, if it had to wait for admission.
        waited_for: Option<Bound>,
    },
    /// A request was answered, or failed.
    Answered {
        /// Which request of the row this is, counted from 1.
        attempt: u32,
        /// From the first byte out to the last byte in.
        latency: Duration,
        /// How long the server says that it worked on it.
        processing: Option<Duration>,
        /// Tokens, if the answer told; or what went wrong.
        result: Result<Option<Usage>, Arc<Fault>>,
    },
    /// A failed request will be sent again after this long.
    Waits(Duration),
    /// What the server has refused in its request is asked in another way from now on, for this row and all others.
    Adapted(String),
    /// An answer gave no value, and the model is asked again.
    Reasked {
        /// How many violations the answer had.
        violations: usize,
    },
    /// The row is over.
    Ended {
        /// Why it has no value; `None` if it has one.
        failure: Option<FailureKind>,
        /// What it took.
        effort: Effort,
    },
    /// The run was stopped before the row was over; nothing is known of it.
    Abandoned,
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
}

impl std::fmt::Debug for Observers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} observers", self.0.len())
    }
}
