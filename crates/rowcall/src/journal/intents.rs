//! Intents: that a request is about to be sent is written before it is. Those who wait for that are many, so they are told through a
//! relay.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Journal;
use super::writer::Entry;
use crate::error::Problem;
use crate::identity::Key;
use crate::money::Cost;
use crate::outcome::Effort;
use crate::relay::{Relay, Relayed};

/// One run's way to note intents.
#[derive(Debug, Clone)]
pub(crate) struct Intents {
    journal: Arc<Journal>,
    settled: Relayed<Result<(), Problem>>,
}

/// A row that is being asked about. Dropped before it is over, as a cancelled run's is, it leaves what may have been paid for in
/// vain.
#[derive(Debug)]
pub(crate) struct Asking {
    intents: Intents,
    key: Key,
    is_over: bool,
}

impl Intents {
    /// The row with this key is being asked about from now on.
    pub(crate) fn asking(&self, key: Key) -> Asking {
        Asking { intents: self.clone(), key, is_over: false }
    }

    /// A way to note intents, and what has to be driven for it.
    pub(super) fn new(journal: Arc<Journal>) -> (Self, Relay<Result<(), Problem>>) {
        let (settled, relay) = Relay::new();
        (Self { journal, settled }, relay)
    }

    /// Waits until it is written that a request about this row is about to go out: the row's `attempt`th, counted from 1. If its answer
    /// is lost, the row has cost `cost`.
    ///
    /// # Errors
    /// If it cannot be written; nothing must be sent then.
    pub(crate) async fn note(&self, key: Key, index: u64, attempt: u32, cost: Cost) -> Result<(), Problem> {
        let (done, written) = oneshot::channel();
        let settled = self.settled.clone();
        self.journal.writer.write(Entry::Intent { key, index, attempt, cost, done, settled });
        written.await.unwrap_or_else(|_| Err(Problem::new("the journal's writer is gone")))
    }

    /// Nothing was sent after the row's latest intent was noted.
    pub(crate) fn withdraw(&self, key: Key, index: u64) {
        self.journal.writer.write(Entry::GivenUp { key, index, effort: Effort::default() });
    }
}

impl Asking {
    /// The journal has been told how the row ended.
    pub(crate) fn end(mut self) {
        self.is_over = true;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if !self.is_over {
            self.intents.journal.writer.write(Entry::Dropped { key: self.key });
        }
    }
}
