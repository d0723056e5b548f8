//! A sample of an input's rows, asked about before a run over all of it.

use std::sync::{Arc, Mutex, PoisonError};

use super::Extractor;
use crate::config::Plan;
use crate::error::Result;
use crate::event::{EventKind, Observers};
use crate::halt::Halt;
use crate::journal::Placing;
use crate::outcome::Outcome;
use crate::row::Row;
use crate::run::{Run, drive};
use crate::source::{Sink, Source};
use crate::stats::Stats;
use crate::totals::Totals;

impl<T> Extractor<T> {
    /// Asks about some rows of an input before a run over all of it, which then finds their outcomes in the journal. The statistics count
    /// what the sample took as spent before the run, but do not count its rows.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn ask_first(&self, rows: Vec<Row>, halt: Halt) -> Result<Vec<(Row, Outcome)>> {
        let mut plan = Plan::clone(&self.plan);
        let observers = plan.observers.clone();
        plan.observers = Observers::default();
        let others = observers.clone();
        plan.observers.add(Arc::new(move |event| match &event.kind {
            EventKind::Resumed { .. }
            | EventKind::Probed { .. }
            | EventKind::Adapted(_)
            | EventKind::Warned(_)
            | EventKind::Adjusted(_) => {
                others.emit(event.row, event.kind.clone());
            }
            EventKind::Taken
            | EventKind::Known { .. }
            | EventKind::Sent { .. }
            | EventKind::Answered { .. }
            | EventKind::Collected { .. }
            | EventKind::Batch(_)
            | EventKind::Waits(_)
            | EventKind::Reasked { .. }
            | EventKind::Ended { .. }
            | EventKind::Abandoned
            | EventKind::Retried { .. } => {}
        }));
        let spent = Arc::new(Mutex::new(Stats::default()));
        let folded = Arc::clone(&spent);
        plan.observers.add(Arc::new(move |event| {
            if !matches!(event.kind, EventKind::Resumed { .. } | EventKind::Probed { .. }) {
                folded.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
            }
        }));
        let mut done = Collected::default();
        let ran =
            drive(Run::apart(Arc::new(plan), Given(rows), Placing::None).halted_by(halt), &mut done).await;
        let Stats { requests, reasks, usage, unmetered, cost, .. } =
            spent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let totals = Totals { requests, reasks, usage, unmetered, cost, ..Totals::default() };
        observers.emit(0, EventKind::Resumed { totals: Arc::new(totals) });
        ran.map(|()| done.0)
    }
}

/// A source of rows that are already in memory.
#[derive(Debug)]
struct Given(Vec<Row>);

impl Source for Given {
    async fn next(&mut self, max: usize) -> Result<Vec<Row>> {
        let left = self.0.split_off(max.min(self.0.len()));
        Ok(std::mem::replace(&mut self.0, left))
    }
}

/// A sink that keeps outcomes in memory.
#[derive(Debug, Default)]
struct Collected(Vec<(Row, Outcome)>);

impl Sink for Collected {
    async fn write(&mut self, done: Vec<(Row, Outcome)>) -> Result<()> {
        self.0.extend(done);
        Ok(())
    }
}
