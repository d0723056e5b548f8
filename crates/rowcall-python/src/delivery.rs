//! Carries outcomes from a run to Python: a bounded queue that a run fills as a sink, and that wakes a thread or an
//! event loop. `outcome.rs` defines an outcome in Python.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::PyErr;
use pyo3::exceptions::PyRuntimeError;
use rowcall::{Error, Result, Row, Sink};
use serde_json::Value;
use tokio::sync::Notify;

use crate::bell::Line;
use crate::progress::Progress;
use crate::validation::{Judge, Kept};

/// Outcomes that may wait to be taken; beyond that the run waits.
const MOST_WAITING: usize = 1024;

/// An outcome, with the value that the model's validation produced.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) outcome: rowcall::Outcome<Value>,
    pub(crate) kept: Option<Kept>,
}

impl Delivered {
    /// The outcome with its value as the user's model serializes it.
    pub(crate) fn into_json(self) -> rowcall::Outcome {
        match self.kept {
            Some(Kept::Json(json)) => match serde_json::from_slice(&json) {
                Ok(value) => rowcall::Outcome { result: Ok(value), ..self.outcome },
                Err(_) => self.outcome,
            },
            Some(Kept::Instance(_)) | None => self.outcome,
        }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Everything was delivered.
    Done,
    /// Something stopped the run.
    Stopped(Error),
    /// The user's own code raised an exception.
    Raised(PyErr),
}

/// The outcomes that arrived and were not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Delivered>,
    /// Whether no more outcomes will arrive.
    has_ended: bool,
    /// How it ended, until the first caller takes it.
    ending: Option<Ending>,
    listeners: Vec<(Arc<Line>, u64)>,
}

impl State {
    fn has_something(&self) -> bool {
        !self.ready.is_empty() || self.has_ended
    }
}

/// The result of taking.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Outcomes; empty if none are ready yet.
    Some(Vec<Delivered>),
    /// No more outcomes will arrive.
    End(Ending),
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outcomes that are ready, at most `most`, without waiting. The error that stopped the run is returned once,
    /// the end every time.
    pub(crate) fn take(&self, most: usize) -> Taken {
        let mut state = self.state();
        if state.ready.is_empty() && state.has_ended {
            return Taken::End(state.ending.take().unwrap_or(Ending::Done));
        }
        let count = most.min(state.ready.len());
        let taken = state.ready.drain(..count).collect();
        if state.ready.len() <= MOST_WAITING / 2 {
            self.emptied.notify_one();
        }
        Taken::Some(taken)
    }

    /// Waits until something is ready, for at most `most`.
    pub(crate) fn wait(&self, most: Duration) -> bool {
        let nothing = |state: &mut State| !state.has_something();
        let waited = self.arrived.wait_timeout_while(self.state(), most, nothing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Rings for `number` once something is ready; returns whether something already is.
    pub(crate) fn listen(&self, line: Arc<Line>, number: u64) -> bool {
        let mut state = self.state();
        let is_ready = state.has_something();
        if !is_ready {
            state.listeners.push((line, number));
        }
        is_ready
    }

    /// Stops ringing for `number`.
    pub(crate) fn unlisten(&self, number: u64) {
        self.state().listeners.retain(|(_, listener)| *listener != number);
    }

    /// Ends the queue. Only the first end counts.
    pub(crate) fn end(&self, ending: Ending) {
        let mut state = self.state();
        if !state.has_ended {
            state.has_ended = true;
            state.ending = Some(ending);
        }
        self.wake(state);
    }

    /// Adds outcomes.
    pub(crate) fn push(&self, delivered: impl IntoIterator<Item = Delivered>) {
        let mut state = self.state();
        state.ready.extend(delivered);
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let listeners = std::mem::take(&mut state.listeners);
        drop(state);
        for (line, number) in listeners {
            line.ring(number);
        }
        self.arrived.notify_all();
    }

    async fn room(&self) {
        while self.state().ready.len() >= MOST_WAITING {
            self.emptied.notified().await;
        }
    }
}

/// Ends a queue when it is dropped, so that waiting callers wake up even if the work is cancelled or panics.
pub(crate) struct Ends(pub(crate) Arc<Queue>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end(if std::thread::panicking() {
            Ending::Raised(PyRuntimeError::new_err(
                "the engine panicked; this is a bug in rowcall, please report it",
            ))
        } else {
            Ending::Done
        });
    }
}

/// What to do with the answers as the provider sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completions {
    /// They are delivered with the outcomes.
    Kept,
    /// They are dropped, because all outcomes of such a call are held at once.
    LeftOut,
}

/// The sink that delivers a run's outcomes.
pub(crate) struct Delivery {
    pub(crate) queue: Arc<Queue>,
    pub(crate) judge: Option<Arc<Judge>>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) completions: Completions,
}

impl Sink for Delivery {
    async fn write(&mut self, done: Vec<(Row, rowcall::Outcome)>) -> Result<()> {
        self.queue.room().await;
        self.progress.count(&done);
        let outcomes = done.into_iter().map(|(_, outcome)| match self.completions {
            Completions::Kept => outcome,
            Completions::LeftOut => rowcall::Outcome { completion: None, ..outcome },
        });
        let outcomes = outcomes.collect();
        self.queue.push(judged(self.judge.as_deref(), outcomes));
        Ok(())
    }
}

/// The same, but it accepts no more rows after the first failure.
pub(crate) struct UntilFailure(pub(crate) Delivery);

impl Sink for UntilFailure {
    async fn write(&mut self, done: Vec<(Row, rowcall::Outcome)>) -> Result<()> {
        let has_failed = done.iter().any(|(_, outcome)| outcome.result.is_err());
        self.0.write(done).await?;
        // The consumer of the outcomes sees the failure first.
        if has_failed { Err(Error::Halted) } else { Ok(()) }
    }
}

/// The outcomes with the values kept for them: the engine has had each row's value validated for that row.
pub(crate) fn judged(judge: Option<&Judge>, outcomes: Vec<rowcall::Outcome>) -> Vec<Delivered> {
    let kept = |outcome: &rowcall::Outcome| judge?.take_kept(outcome.index);
    outcomes.into_iter().map(|outcome| Delivered { kept: kept(&outcome), outcome }).collect()
}
