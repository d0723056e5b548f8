//! Samples a run's statistics at intervals, for the journal's curves.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Plan;
use crate::interval::Activity;
use crate::stats::Stats;

/// Samples a run's statistics.
#[derive(Debug)]
pub(crate) struct Sampler {
    plan: Arc<Plan>,
    before: Stats,
    since: Instant,
}

impl Sampler {
    /// A sampler for a run that starts now.
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        let before = stats(&plan);
        Self { plan, before, since: Instant::now() }
    }

    /// Waits until `length` has passed since the last sample.
    pub(crate) async fn wait(&self, length: Duration) {
        tokio::time::sleep_until(self.since + length).await;
    }

    /// What happened since the last sample, and how long that is; `None` if nothing did.
    pub(crate) fn take(&mut self) -> Option<(Duration, Activity)> {
        let (now, stats) = (Instant::now(), stats(&self.plan));
        let activity = Activity::between(&self.before, &stats, self.plan.concurrency());
        let lasted = now.duration_since(self.since);
        (self.before, self.since) = (stats, now);
        (!activity.is_idle()).then_some((lasted, activity))
    }
}

fn stats(plan: &Plan) -> Stats {
    plan.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
