//! Many rows: windows, spawning, and the end of a run. What is done about one row is `extract.rs`; when an outcome goes out is
//! `order.rs`.
#![expect(clippy::disallowed_methods, reason = "rows are spawned here and nowhere else")]

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::config::Plan;
use crate::error::{Error, Result};
use crate::event::EventKind;
use crate::extract::{Ended, extract};
use crate::halt::Halt;
use crate::order::{Order, OrderBy};
use crate::outcome::Outcome;
use crate::row::Row;
use crate::source::{Sink, Source};

/// Rows in flight, at the least: enough that a fast account never waits for the source, few enough to stay in a few megabytes.
const SMALLEST_WINDOW: usize = 1024;

/// Rows in flight per attempt in flight, so that there is always one ready to start while others wait to retry.
const WINDOW_PER_PLACE: usize = 4;

/// Rows taken from the source at a time.
const BATCH: usize = 64;

/// One execution of a plan over a source.
#[derive(Debug)]
pub(crate) struct Run<S> {
    plan: Arc<Plan>,
    source: S,
    source_ended: bool,
    window: usize,
    tasks: JoinSet<(Row, Ended)>,
    order: Order<(Row, Outcome)>,
    halt: Halt,
    stopped_by: Option<Error>,
}

/// A row with how it ended.
pub(crate) type Done = (Row, Outcome);

impl<S: Source> Run<S> {
    /// A run whose outcomes are released in this order. Nothing is taken from the source yet.
    pub(crate) fn new(plan: Arc<Plan>, source: S, order: OrderBy) -> Self {
        let window = SMALLEST_WINDOW.max(WINDOW_PER_PLACE.saturating_mul(plan.concurrency()));
        Self::with_window(plan, source, order, window)
    }

    /// A run that takes a row only when the one before it is over.
    pub(crate) fn one_by_one(plan: Arc<Plan>, source: S) -> Self {
        Self::with_window(plan, source, OrderBy::Input, 1)
    }

    fn with_window(plan: Arc<Plan>, source: S, order: OrderBy, window: usize) -> Self {
        Self {
            plan,
            source,
            source_ended: false,
            window,
            tasks: JoinSet::new(),
            order: Order::new(order),
            halt: Halt::default(),
            stopped_by: None,
        }
    }

    /// The same run, ended from outside by `halt`: no new requests, those in flight are awaited.
    pub(crate) fn halted_by(mut self, halt: Halt) -> Self {
        self.halt = halt;
        self
    }

    /// The next outcomes, or none at the end. Cancelling the wait loses nothing; dropping the run stops all its work.
    ///
    /// # Errors
    /// Whatever stopped the run, once everything that was done has been released.
    pub(crate) async fn next(&mut self) -> Result<VecDeque<Done>> {
        loop {
            if self.order.has_ready() {
                return Ok(self.order.take_ready());
            }
            let room = self.room();
            let nothing_to_take = self.source_ended || self.halt.is_on();
            if self.tasks.is_empty() && nothing_to_take {
                self.order.close_gaps();
                return match self.stopped_by.take() {
                    _ if self.order.has_ready() => Ok(self.order.take_ready()),
                    Some(error) => Err(error),
                    None => Ok(VecDeque::new()),
                };
            }
            tokio::select! {
                Some(joined) = self.tasks.join_next() => {
                    self.take_in(joined);
                    while let Some(joined) = self.tasks.try_join_next() {
                        self.take_in(joined);
                    }
                }
                rows = self.source.next(room.min(BATCH)), if room > 0 && !nothing_to_take => match rows {
                    Ok(rows) if rows.is_empty() => self.source_ended = true,
                    Ok(rows) => rows.into_iter().for_each(|row| self.spawn(row)),
                    Err(error) => self.end_source(error),
                },
                () = self.halt.wait(), if !nothing_to_take => {}
            }
        }
    }

    /// How many rows may be taken now. It waits for a batch's worth of room, since taking rows one at a time costs more.
    fn room(&self) -> usize {
        let room = self.window.saturating_sub(self.tasks.len());
        let held_too_many = self.order.holding() >= self.window;
        if held_too_many || room < BATCH.min(self.window) { 0 } else { room }
    }

    fn spawn(&mut self, row: Row) {
        self.plan.observers.emit(row.index, EventKind::Taken);
        let (plan, halt) = (Arc::clone(&self.plan), self.halt.clone());
        self.tasks.spawn(async move {
            let ended = extract(&plan, &row, &halt).await;
            (row, ended)
        });
    }

    fn take_in(&mut self, joined: std::result::Result<(Row, Ended), tokio::task::JoinError>) {
        let (row, ended) = match joined {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return,
        };
        report(&self.plan, row.index, &ended);
        match ended {
            Ended::Done(outcome) => self.order.push(row.index, (row, outcome)),
            Ended::Abandoned => {}
            Ended::Fatal(fault) => self.stop(Error::Stopped(Box::new(fault))),
        }
    }

    /// Takes no more rows, but finishes those that were taken: they are not to blame for what came after them.
    fn end_source(&mut self, error: Error) {
        self.source_ended = true;
        self.stopped_by.get_or_insert(error);
    }

    /// Takes no more rows and sends no more requests; the first reason is the one that is told.
    fn stop(&mut self, error: Error) {
        self.halt.set();
        self.stopped_by.get_or_insert(error);
    }
}

/// Tells observers how a row ended.
pub(crate) fn report(plan: &Plan, row: u64, ended: &Ended) {
    let kind = match ended {
        Ended::Done(outcome) => EventKind::Ended {
            failure: outcome.result.as_ref().err().map(|failure| failure.kind),
            effort: outcome.effort,
        },
        Ended::Abandoned | Ended::Fatal(_) => EventKind::Abandoned,
    };
    plan.observers.emit(row, kind);
}

/// Carries all of `run`'s outcomes to `sink`.
///
/// # Errors
/// Whatever stopped the run, or kept the sink from taking an outcome; a sink that fails stops the run at once.
pub(crate) async fn pour<S: Source>(mut run: Run<S>, sink: &mut impl Sink) -> Result<()> {
    loop {
        let done = run.next().await?;
        if done.is_empty() {
            return Ok(());
        }
        sink.write(done.into()).await?;
    }
}
