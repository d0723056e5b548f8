//! The user's model as the authority on values: the engine's checks are answered by threads of Python's, and the instances are kept
//! for the outcomes. Engine threads never take the interpreter's lock. How those threads take turns is `validator.rs`.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use pyo3::{PyTraverseError, PyVisit};
use rowcall::{Authority, Check, Row, Scope, Violation};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::failure;
use crate::validator::{Job, Queue, Rule, Validator};

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

    /// The user's context may hold the extractor that these are the rules of, and the user's model as well.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for held in [&self.validate, &self.explain, &self.dump] {
            visit.call(held)?;
        }
        visit.call(&self.keywords)
    }
}

impl Rules {
    /// What comes of a value in JSON.
    pub(crate) fn apply(&self, py: Python<'_>, json: &[u8], keep: Keep) -> Verdict {
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

/// The rules of one call, as the engine's check, and what they have kept for outcomes that are yet to come.
pub(crate) struct Judge {
    rule: Arc<Rule>,
    queue: Arc<Queue>,
    kept: Mutex<HashMap<u64, Kept>>,
    broken: Mutex<Option<PyErr>>,
    breaking: tokio::sync::Notify,
}

impl Judge {
    pub(crate) fn new(rules: Py<Rules>, keep: Keep, validator: &Validator) -> Self {
        // A validator may ask a model itself.
        let queue = validator.queue();
        queue.waits_here();
        Self {
            rule: Arc::new(Rule::new(rules, keep)),
            queue,
            kept: Mutex::default(),
            broken: Mutex::default(),
            breaking: tokio::sync::Notify::new(),
        }
    }

    /// What was kept of the row's value when it was checked.
    pub(crate) fn take_kept(&self, row: u64) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&row)
    }

    async fn validate(&self, values: Vec<Value>) -> Vec<Verdict> {
        let (jobs, replies): (Vec<_>, Vec<_>) = values.iter().map(|value| self.job(value)).unzip();
        self.queue.push(jobs);
        let mut verdicts = Vec::with_capacity(replies.len());
        for reply in replies {
            let Ok(verdict) = reply.await else {
                self.break_off(failure::of_the_end());
                return std::future::pending().await;
            };
            verdicts.push(verdict);
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
        (Job { call: Arc::clone(&self.rule), json, reply }, answer)
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

    /// It is not shown the row.
    fn scope(&self) -> Scope {
        Scope::Value
    }
}
