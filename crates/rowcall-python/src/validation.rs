//! The user's model as the authority on values: the engine's checks are queued here, and a thread of Python's takes all that
//! wait, validates them, and keeps the instances for the outcomes. Engine threads never take the interpreter's lock.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rowcall::{Authority, Check, Row, Violation};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::runtime;

/// How long the interpreter's lock is held at a time, at most, if single values do not take longer.
const TURN: Duration = Duration::from_millis(1);

/// What a value must satisfy, in Python's words.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Rules {
    /// From JSON in bytes to an instance; raises if there is none.
    validate: Py<PyAny>,
    /// From an exception to violations as pairs of path and message; `None` for one that tells of no violation.
    explain: Py<PyAny>,
    /// From an instance to JSON in bytes.
    dump: Py<PyAny>,
    keywords: Option<Py<PyDict>>,
}

#[pymethods]
impl Rules {
    #[new]
    #[pyo3(signature = (validate, explain, dump, keywords=None))]
    fn new(validate: Py<PyAny>, explain: Py<PyAny>, dump: Py<PyAny>, keywords: Option<Py<PyDict>>) -> Self {
        Self { validate, explain, dump, keywords }
    }
}

impl Rules {
    fn apply(&self, py: Python<'_>, json: &[u8], keep: Keep) -> Verdict {
        let keywords = self.keywords.as_ref().map(|keywords| keywords.bind(py));
        let kept = self.validate.bind(py).call((PyBytes::new(py, json),), keywords).and_then(|instance| {
            Ok(match keep {
                Keep::Instance => Kept::Instance(instance.unbind()),
                Keep::Json => Kept::Json(self.dump.bind(py).call1((instance,))?.extract()?),
            })
        });
        match kept {
            Ok(kept) => Verdict::Valid(kept),
            Err(error) => self.explained(py, error),
        }
    }

    fn explained(&self, py: Python<'_>, error: PyErr) -> Verdict {
        let told = self.explain.bind(py).call1((error.value(py),));
        match told.and_then(|told| told.extract::<Option<Vec<(String, String)>>>()) {
            Ok(Some(told)) if !told.is_empty() => Verdict::Invalid(
                told.into_iter().map(|(path, message)| Violation::at(path, message)).collect(),
            ),
            Ok(Some(_) | None) => Verdict::Broken(error),
            Err(error) => Verdict::Broken(error),
        }
    }
}

/// What is kept of a valid value for its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The instance.
    Instance,
    /// What the instance is as JSON.
    Json,
}

/// What was kept of a valid value.
#[derive(Debug)]
pub(crate) enum Kept {
    Instance(Py<PyAny>),
    Json(Vec<u8>),
}

/// What came of validating a value.
#[derive(Debug)]
pub(crate) enum Verdict {
    Valid(Kept),
    Invalid(Vec<Violation>),
    /// The user's code raised what tells of no violation.
    Broken(PyErr),
}

/// Where values wait for the thread that validates.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Validator(Arc<Queue>);

#[derive(Default)]
struct Queue {
    jobs: Mutex<Jobs>,
    more: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    closed: bool,
    /// Whether the thread waits for jobs.
    is_idle: bool,
}

struct Job {
    rules: Arc<Py<Rules>>,
    json: Vec<u8>,
    keep: Keep,
    reply: oneshot::Sender<Verdict>,
}

#[pymethods]
impl Validator {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// Validates what comes until it is closed: the work of a thread.
    fn serve(&self, py: Python<'_>) {
        let mut jobs = VecDeque::new();
        let mut done = Vec::new();
        loop {
            // Whoever waits for an answer is told while the interpreter's lock is free.
            let is_open = py.detach(|| {
                for (reply, verdict) in done.drain(..) {
                    let reply: oneshot::Sender<Verdict> = reply;
                    // Nobody waits any more for a row that was given up.
                    let _ = reply.send(verdict);
                }
                if jobs.is_empty() {
                    return self.0.wait(&mut jobs);
                }
                runtime::pause();
                true
            });
            if !is_open {
                return;
            }
            let turn = Instant::now();
            while let Some(Job { rules, json, keep, reply }) = jobs.pop_front() {
                if !reply.is_closed() {
                    done.push((reply, rules.get().apply(py, &json, keep)));
                }
                if turn.elapsed() > TURN {
                    break;
                }
            }
        }
    }

    /// Lets its thread end. What waits is dropped.
    fn close(&self) {
        let mut jobs = self.0.jobs();
        jobs.closed = true;
        jobs.waiting.clear();
        drop(jobs);
        self.0.more.notify_all();
    }
}

impl Queue {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, new: impl IntoIterator<Item = Job>) {
        let mut jobs = self.jobs();
        if jobs.closed {
            return;
        }
        jobs.waiting.extend(new);
        let is_idle = jobs.is_idle;
        drop(jobs);
        if is_idle {
            self.more.notify_one();
        }
    }

    /// Waits for jobs and takes all there are; tells whether there can be more.
    fn wait(&self, taken: &mut VecDeque<Job>) -> bool {
        let mut jobs = self.jobs();
        jobs.is_idle = true;
        let nothing = |jobs: &mut Jobs| jobs.waiting.is_empty() && !jobs.closed;
        let mut jobs = self.more.wait_while(jobs, nothing).unwrap_or_else(PoisonError::into_inner);
        jobs.is_idle = false;
        taken.append(&mut jobs.waiting);
        !jobs.closed
    }
}

/// The rules of one call, as the engine's check, and what they have kept for outcomes that are yet to come.
pub(crate) struct Judge {
    rules: Arc<Py<Rules>>,
    keep: Keep,
    queue: Arc<Queue>,
    kept: Mutex<HashMap<u64, Kept>>,
    broken: Mutex<Option<PyErr>>,
    breaking: tokio::sync::Notify,
}

impl Judge {
    pub(crate) fn new(rules: Py<Rules>, keep: Keep, validator: &Validator) -> Self {
        Self {
            rules: Arc::new(rules),
            keep,
            queue: Arc::clone(&validator.0),
            kept: Mutex::default(),
            broken: Mutex::default(),
            breaking: tokio::sync::Notify::new(),
        }
    }

    /// What was kept of the row's value when it was checked; none if an equal row's value was.
    pub(crate) fn take_kept(&self, row: u64) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&row)
    }

    /// Validates values that were not checked for their own row.
    pub(crate) async fn validate(&self, values: Vec<Value>) -> Vec<Verdict> {
        let (jobs, replies): (Vec<_>, Vec<_>) = values.iter().map(|value| self.job(value)).unzip();
        self.queue.push(jobs);
        let mut verdicts = Vec::with_capacity(replies.len());
        for reply in replies {
            match reply.await {
                Ok(verdict) => verdicts.push(verdict),
                // The queue was closed, and the process is about to end.
                Err(_) => std::future::pending().await,
            }
        }
        verdicts
    }

    /// The user's code has raised what tells of no violation: the run is to end.
    pub(crate) fn break_off(&self, error: PyErr) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.breaking.notify_one();
    }

    /// Waits until the user's code raises what tells of no violation.
    pub(crate) async fn broken(&self) -> PyErr {
        loop {
            let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).take();
            match broken {
                Some(error) => return error,
                None => self.breaking.notified().await,
            }
        }
    }

    fn job(&self, value: &Value) -> (Job, oneshot::Receiver<Verdict>) {
        let (reply, answer) = oneshot::channel();
        let json = serde_json::to_vec(value).unwrap_or_default();
        (Job { rules: Arc::clone(&self.rules), json, keep: self.keep, reply }, answer)
    }
}

impl Check for Judge {
    fn check<'a>(
        &'a self,
        rows: Vec<(Row, Value)>,
    ) -> Pin<Box<dyn Future<Output = Vec<Vec<Violation>>> + Send + 'a>> {
        Box::pin(async move {
            let (indexes, values): (Vec<_>, Vec<_>) =
                rows.into_iter().map(|(row, value)| (row.index, value)).unzip();
            let verdicts = self.validate(values).await;
            let mut violations = Vec::with_capacity(verdicts.len());
            for (index, verdict) in indexes.into_iter().zip(verdicts) {
                match verdict {
                    Verdict::Valid(kept) => {
                        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(index, kept);
                        violations.push(Vec::new());
                    }
                    Verdict::Invalid(found) => violations.push(found),
                    Verdict::Broken(error) => {
                        self.break_off(error);
                        // Asking again would not mend the user's code.
                        return std::future::pending().await;
                    }
                }
            }
            violations
        })
    }

    /// What the user's model accepts is valid: its JSON Schema is only a picture of it.
    fn authority(&self) -> Authority {
        Authority::Check
    }
}
