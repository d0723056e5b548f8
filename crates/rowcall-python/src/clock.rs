//! The busy time of an extractor: how long at least one row was in progress, in any call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rowcall::{Event, EventKind};
use tokio::time::Instant;

/// A clock that runs while rows are in progress.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rows: u64,
    since: Option<Instant>,
    before: Duration,
}

impl Clock {
    /// The observer that starts and stops the clock with the engine's events.
    pub(crate) fn observer(self: &Arc<Self>) -> impl Fn(&Event) + Send + Sync + 'static {
        let clock = Arc::clone(self);
        move |event| match &event.kind {
            EventKind::Taken => clock.begin(),
            EventKind::Known { .. } | EventKind::Ended { .. } | EventKind::Abandoned => clock.end(),
            EventKind::Resumed { .. }
            | EventKind::Probed { .. }
            | EventKind::Sent { .. }
            | EventKind::Answered { .. }
            | EventKind::Collected { .. }
            | EventKind::Batch(_)
            | EventKind::Waits(_)
            | EventKind::Adapted(_)
            | EventKind::Warned(_)
            | EventKind::Reasked { .. }
            | EventKind::Retried { .. }
            | EventKind::Adjusted(_) => {}
        }
    }

    /// How long it has run.
    pub(crate) fn elapsed(&self) -> Duration {
        let state = self.state();
        state.before + state.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn begin(&self) {
        let mut state = self.state();
        state.rows += 1;
        state.since.get_or_insert_with(Instant::now);
    }

    fn end(&self) {
        let mut state = self.state();
        state.rows = state.rows.saturating_sub(1);
        if state.rows == 0
            && let Some(since) = state.since.take()
        {
            state.before += since.elapsed();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
