//! The simulation as connections share it, and a request's visit to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use crate::batches::BatchRequest;
use crate::protocol::Call;
use crate::reply::Reply;
use crate::simulation::{Hold, Simulation};

/// The simulation as connections share it.
#[derive(Debug)]
pub(crate) struct Shared {
    simulation: Mutex<Simulation>,
    began: Instant,
    /// How many model answers were sent completely; answers that are held back wait for it.
    answered: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(simulation: Simulation) -> Arc<Self> {
        let (simulation, answered) = (Mutex::new(simulation), watch::Sender::new(0));
        Arc::new(Self { simulation, began: Instant::now(), answered })
    }

    /// After a panic elsewhere, the counters are still worth showing.
    pub(crate) fn simulation(&self) -> MutexGuard<'_, Simulation> {
        self.simulation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything but the scenario.
    pub(crate) fn reset(&self) {
        self.simulation().reset();
        self.answered.send_replace(0);
    }

    /// Whether the server is down now.
    pub(crate) fn is_away(&self) -> bool {
        let now = self.began.elapsed();
        self.simulation().is_away(now)
    }

    /// The simulation's answer to a request to a batch API.
    pub(crate) fn answer_batch_request(&self, request: &BatchRequest<'_>) -> Reply {
        let now = self.began.elapsed();
        self.simulation().answer_batch_request(now, request)
    }

    fn leave(&self, hold: &Hold, sent: Option<&Reply>) {
        let now = self.began.elapsed();
        self.simulation().leave(now, hold, sent);
    }

    /// Waits until `answers` answers were sent completely.
    pub(crate) async fn until_answered(&self, answers: u64) {
        // The sender is `self`, so the channel cannot be closed.
        let _ = self.answered.subscribe().wait_for(|answered| *answered >= answers).await;
    }
}

/// A request in progress; notifies the simulation when it is over, even if it is dropped.
pub(crate) struct Visit {
    shared: Arc<Shared>,
    hold: Hold,
    over: bool,
}

impl Visit {
    pub(crate) fn begin(shared: &Arc<Shared>) -> Self {
        shared.simulation().stats.in_flight.enter();
        Self { shared: Arc::clone(shared), hold: Hold::default(), over: false }
    }

    /// The simulation's answer to the request.
    pub(crate) fn play(&mut self, call: Call<'_>) -> Reply {
        let now = self.shared.began.elapsed();
        self.shared.simulation().play(now, call, &mut self.hold)
    }

    /// The answer's last byte was passed to the connection.
    pub(crate) fn sent(mut self, reply: &Reply) {
        self.over = true;
        self.shared.leave(&self.hold, Some(reply));
        self.shared.answered.send_modify(|answered| *answered += 1);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if !self.over {
            self.shared.leave(&self.hold, None);
        }
    }
}
