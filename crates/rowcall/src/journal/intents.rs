//! Intents: that a request is about to be sent is written before it is. Those who wait for that are many, so they are told by one of
//! their own runtime: a wake from another thread is a system call for each.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::Journal;
use super::writer::Entry;
use crate::error::Problem;
use crate::identity::Key;

/// What became of the intents of one commit.
pub(super) type Settled = (Vec<oneshot::Sender<Result<(), Problem>>>, Result<(), Problem>);

/// One run's way to note intents.
#[derive(Debug, Clone)]
pub(crate) struct Intents {
    journal: Arc<Journal>,
    settled: mpsc::UnboundedSender<Settled>,
}

/// Tells those who wait. It is to be driven as long as anyone notes intents.
#[derive(Debug)]
pub(crate) struct Spread(mpsc::UnboundedReceiver<Settled>);

impl Intents {
    /// A way to note intents, and what has to be driven for it.
    pub(super) fn new(journal: Arc<Journal>) -> (Self, Spread) {
        let (settled, received) = mpsc::unbounded_channel();
        (Self { journal, settled }, Spread(received))
    }

    /// Waits until it is written that a request about this row is about to go out: the row's `attempt`th, counted from 1.
    ///
    /// # Errors
    /// If it cannot be written; nothing must be sent then.
    pub(crate) async fn note(&self, key: Key, index: u64, attempt: u32) -> Result<(), Problem> {
        let (done, written) = oneshot::channel();
        self.journal.writer.write(Entry::Intent { key, index, attempt, done, settled: self.settled.clone() });
        written.await.unwrap_or_else(|_| Err(Problem::new("the journal's writer is gone")))
    }
}

impl Spread {
    /// Tells those who wait, for ever or until nobody can note intents any more.
    pub(crate) async fn drive(mut self) {
        while let Some((waiting, result)) = self.0.recv().await {
            for done in waiting {
                // Whoever has been cancelled needs no answer.
                let _ = done.send(result.clone());
            }
        }
    }
}
