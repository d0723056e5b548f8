//! Events on their way to Python: the engine's threads put them into a queue, and a Python thread takes them in
//! batches.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;
use rowcall::{Event, EventKind, KnownFrom, Usd};
use serde_json::{Value, json};

use crate::json;

/// Events that may wait. Later ones are counted and dropped, since an observer must not slow a run down.
const MOST_WAITING: usize = 65_536;

/// Events handed over at a time.
const BATCH: usize = 256;

/// The queue of events of one extractor.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Events(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Each with the time when it happened.
    waiting: VecDeque<(Event, SystemTime)>,
    missed: u64,
    closed: bool,
}

/// An event as Python gets it: the row, the kind, the details, and when it happened, in seconds since 1970.
type Item<'py> = (u64, &'static str, Bound<'py, PyAny>, f64);

#[pymethods]
impl Events {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// Waits for events and takes them as (row, kind, details, time); `None` once the queue is closed.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Vec<Item<'py>>>> {
        let taken = py.detach(|| self.0.wait());
        let item = |(event, time): (Event, SystemTime)| {
            let (kind, details) = describe(&event.kind);
            let time = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            Ok((event.row, kind, json::to_python(py, &details)?, time))
        };
        taken.map(|events| events.into_iter().map(item).collect()).transpose()
    }

    /// How many events were dropped because too many waited.
    #[getter]
    fn missed(&self) -> u64 {
        self.0.state().missed
    }

    /// Lets the thread that takes events end after the waiting ones.
    fn close(&self) {
        self.0.state().closed = true;
        self.0.more.notify_all();
    }
}

impl Events {
    /// The observer that puts the engine's events into the queue.
    pub(crate) fn observer(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let queue = Arc::clone(&self.0);
        move |event| queue.push(event)
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[expect(clippy::disallowed_methods, reason = "the time of day, for looking at events afterwards")]
    fn push(&self, event: &Event) {
        let mut state = self.state();
        if state.waiting.len() >= MOST_WAITING {
            state.missed += 1;
            return;
        }
        let is_first = state.waiting.is_empty();
        state.waiting.push_back((event.clone(), SystemTime::now()));
        drop(state);
        if is_first {
            self.more.notify_one();
        }
    }

    fn wait(&self) -> Option<Vec<(Event, SystemTime)>> {
        let nothing = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let mut state = self.more.wait_while(self.state(), nothing).unwrap_or_else(PoisonError::into_inner);
        let count = state.waiting.len().min(BATCH);
        (count > 0).then(|| state.waiting.drain(..count).collect())
    }
}

/// An event's name and details.
fn describe(kind: &EventKind) -> (&'static str, Value) {
    match kind {
        EventKind::Resumed { totals } => {
            ("resumed", json!({ "rows": totals.rows, "requests": totals.requests }))
        }
        EventKind::Probed { effort } => (
            "probed",
            json!({
                "requests": effort.attempts,
                "usage": effort.usage,
                "cost": effort.cost.exact().map(Usd::dollars),
            }),
        ),
        EventKind::Taken => ("taken", Value::Null),
        EventKind::Known { failure, from } => (
            "known",
            json!({
                "failure": failure.as_ref().map(|reason| reason.kind.name()),
                "message": failure.as_ref().map(|reason| &*reason.message),
                "from": match from {
                    KnownFrom::Journal => "journal",
                    KnownFrom::Cache => "cache",
                    KnownFrom::EqualRow => "equal row",
                },
            }),
        ),
        EventKind::Sent { attempt, prompt, waited_for, waited } => (
            "sent",
            json!({
                "attempt": attempt,
                "prompt": prompt,
                "waited_for": waited_for.as_ref().map(ToString::to_string),
                "waited": waited.as_secs_f64(),
            }),
        ),
        EventKind::Answered { attempt, latency, processing: _, result, cost } => {
            let latency = latency.as_secs_f64();
            match result {
                Ok(usage) => (
                    "answered",
                    json!({
                        "attempt": attempt,
                        "latency": latency,
                        "usage": usage,
                        "cost": cost.exact().map(Usd::dollars),
                    }),
                ),
                Err(fault) => (
                    "failed",
                    json!({
                        "attempt": attempt,
                        "latency": latency,
                        "fault": fault.kind.name(),
                        "message": fault.message,
                    }),
                ),
            }
        }
        EventKind::Collected { attempt, result: Ok(usage), cost } => (
            "collected",
            json!({ "attempt": attempt, "usage": usage, "cost": cost.exact().map(Usd::dollars) }),
        ),
        EventKind::Collected { attempt, result: Err(fault), cost: _ } => (
            "failed",
            json!({
                "attempt": attempt,
                "latency": Value::Null,
                "fault": fault.kind.name(),
                "message": fault.message,
            }),
        ),
        EventKind::Batch(news) => (
            "batch",
            json!({
                "batch": news.number,
                "id": news.id,
                "rows": news.rows,
                "message": news.to_string(),
            }),
        ),
        EventKind::Waits(wait) => ("waits", json!({ "seconds": wait.as_secs_f64() })),
        EventKind::Adapted(what) => ("adapted", json!({ "change": what })),
        EventKind::Warned(what) => ("warned", json!({ "message": what })),
        EventKind::Reasked { violations } => ("reasked", json!({ "violations": violations })),
        EventKind::Ended { failure, effort } => (
            "ended",
            json!({
                "failure": failure.as_ref().map(|reason| reason.kind.name()),
                "message": failure.as_ref().map(|reason| &*reason.message),
                "attempts": effort.attempts,
                "prompts": effort.prompts,
                "usage": effort.usage,
            }),
        ),
        EventKind::Abandoned => ("abandoned", Value::Null),
        EventKind::Retried { failure } => {
            ("retried", json!({ "failure": failure.kind.name(), "message": &*failure.message }))
        }
        EventKind::Adjusted(adjustment) => {
            ("adjusted", json!({ "name": adjustment.name(), "change": adjustment.to_string() }))
        }
    }
}
