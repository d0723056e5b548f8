//! Samples a run's statistics at intervals, for the journal's curves.

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::Plan;
use crate::interval::Activity;
use crate::stats::Stats;

/// Samples a run's statistics.
#[derive(Debug)]
pub(crate) struct Sampler {
    plan: Arc<Plan>,
    before: Stats,
    since: Instant,
    /// The length of the interval.
    length: Duration,
    /// The end of the interval, which a run waits for several times per row. Timers need a runtime, so it is made by the first wait.
    end: Option<Pin<Box<Sleep>>>,
}

impl Sampler {
    /// A sampler for a run that starts now, whose first interval has this length.
    pub(crate) fn new(plan: Arc<Plan>, length: Duration) -> Self {
        let before = stats(&plan);
        Self { plan, before, since: Instant::now(), length, end: None }
    }

    /// Waits until the interval ends.
    pub(crate) async fn wait(&mut self) {
        let Self { since, length, end, .. } = self;
        end.get_or_insert_with(|| Box::pin(sleep_until(*since + *length))).as_mut().await;
    }

    /// What happened since the last sample, and how long that is; `None` if nothing did. The next interval has the length `next`.
    pub(crate) fn take(&mut self, next: Duration) -> Option<(Duration, Activity)> {
        let (now, stats) = (Instant::now(), stats(&self.plan));
        let mut activity = Activity::between(&self.before, &stats, self.plan.concurrency());
        let limits = self.plan.account.admission.known_limits();
        activity.limits =
            limits.iter().map(|limit| (limit.to_string(), limit.amount.round() as u64)).collect();
        let lasted = now.duration_since(self.since);
        (self.before, self.since, self.length) = (stats, now, next);
        if let Some(end) = &mut self.end {
            end.as_mut().reset(now + next);
        }
        (!activity.is_idle()).then_some((lasted, activity))
    }
}

fn stats(plan: &Plan) -> Stats {
    plan.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
