//! Intents: before a request is sent, the journal records that it is about to be. Many tasks wait for that, so a relay notifies
//! them.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Journal;
use super::writer::Entry;
use crate::error::Problem;
use crate::identity::Key;
use crate::money::Cost;
use crate::outcome::Effort;
use crate::relay::{Relay, Relayed};

/// One run's handle for recording intents.
#[derive(Debug, Clone)]
pub(crate) struct Intents {
    journal: Arc<Journal>,
    settled: Relayed<Result<(), Problem>>,
}

/// A row in flight. If it is dropped before it ends, as in a cancelled run, its requests count as possibly billed without an
/// answer.
#[derive(Debug)]
pub(crate) struct Asking {
    intents: Intents,
    key: Key,
    is_over: bool,
}

impl Intents {
    /// Marks the row with this key as in flight.
    pub(crate) fn asking(&self, key: Key) -> Asking {
        Asking { intents: self.clone(), key, is_over: false }
    }

    /// A handle for recording intents, and the future that drives it.
    pub(super) fn new(journal: Arc<Journal>) -> (Self, Relay<Result<(), Problem>>) {
        let (settled, relay) = Relay::new();
        (Self { journal, settled }, relay)
    }

    /// Waits until the journal has recorded that a request for this row is about to be sent: its attempt number `attempt`, counted
    /// from 1. If its answer is lost, the row has cost `cost`.
    ///
    /// # Errors
    /// If it cannot be recorded; the request must not be sent then.
    pub(crate) async fn note(&self, key: Key, index: u64, attempt: u32, cost: Cost) -> Result<(), Problem> {
        let (done, written) = oneshot::channel();
        let settled = self.settled.clone();
        self.journal.writer.write(Entry::Intent { key, index, attempt, cost, done, settled });
        written.await.unwrap_or_else(|_| Err(Problem::new("the journal's writer has stopped")))
    }

    /// Records that nothing was sent after the row's latest intent.
    pub(crate) fn withdraw(&self, key: Key, index: u64) {
        self.journal.writer.write(Entry::GivenUp { key, index, effort: Effort::default() });
    }
}

impl Asking {
    /// Marks the row as ended: the journal has its outcome.
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
