//! Validation by the user's model: Python threads answer the engine's checks, and the instances are kept for the
//! outcomes. Engine threads never take the interpreter's lock. `validator.rs` defines how the Python threads take
//! turns.

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
use crate::rows::{Rows, Shown};
use crate::validator::{Job, Queue, Rule, Validator};

/// The rules for a value, as Python callables.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Rules {
    /// From JSON bytes to an instance; raises if the value is invalid.
    validate: Py<PyAny>,
    /// From an exception to violations as pairs of path and message; `None` if it is not a violation.
    explain: Py<PyAny>,
    /// From an instance to JSON bytes.
    dump: Py<PyAny>,
    keywords: Option<Py<PyDict>>,
    /// From a row to the keyword arguments of its validation, instead of `keywords`.
    of_row: Option<Py<PyAny>>,
    /// From a row and its instance to violations as pairs of path and message.
    check: Option<Py<PyAny>>,
    /// Whether the schema applies as well, because the user wrote it.
    has_schema: bool,
}

#[pymethods]
impl Rules {
    #[new]
    #[pyo3(signature = (validate, explain, dump, keywords=None, of_row=None, check=None, has_schema=false))]
    fn new(
        validate: Py<PyAny>,
        explain: Py<PyAny>,
        dump: Py<PyAny>,
        keywords: Option<Py<PyDict>>,
        of_row: Option<Py<PyAny>>,
        check: Option<Py<PyAny>>,
        has_schema: bool,
    ) -> Self {
        Self { validate, explain, dump, keywords, of_row, check, has_schema }
    }

    /// The user's context may refer to the extractor that has these rules, and so may the user's model.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for held in [&self.validate, &self.explain, &self.dump] {
            visit.call(held)?;
        }
        visit.call(&self.keywords)?;
        visit.call(&self.of_row)?;
        visit.call(&self.check)
    }
}

impl Rules {
    /// Whether a verdict also depends on the row.
    fn sees_rows(&self) -> bool {
        self.of_row.is_some() || self.check.is_some()
    }

    /// The verdict on a JSON value, for this row if it is passed.
    pub(crate) fn apply(&self, py: Python<'_>, json: &[u8], row: Option<&Shown>, keep: Keep) -> Verdict {
        let row = match row.map(|row| row.to_python(py)).transpose() {
            Ok(row) => row,
            Err(error) => return Verdict::Broken(error),
        };
        let instance = match self.instance(py, json, row.as_ref()) {
            Ok(instance) => instance,
            Err(error) => return self.explained(py, error),
        };
        match self.checked(py, row, &instance) {
            Ok(violations) if violations.is_empty() => {}
            Ok(violations) => return Verdict::Invalid(violations),
            Err(error) => return Verdict::Broken(error),
        }
        let kept = match keep {
            _ if self.has_schema => Ok(Kept::Json(json.to_vec())),
            Keep::Instance => Ok(Kept::Instance(instance.unbind())),
            Keep::Json => {
                self.dump.bind(py).call1((instance,)).and_then(|json| json.extract()).map(Kept::Json)
            }
        };
        kept.map_or_else(|error| self.explained(py, error), Verdict::Valid)
    }

    fn instance<'py>(
        &self,
        py: Python<'py>,
        json: &[u8],
        row: Option<&Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of_row = match (&self.of_row, row) {
            (Some(of_row), Some(row)) => Some(of_row.bind(py).call1((row,))?.cast_into::<PyDict>()?),
            (_, _) => None,
        };
        let keywords = of_row.as_ref().or_else(|| Some(self.keywords.as_ref()?.bind(py)));
        self.validate.bind(py).call((PyBytes::new(py, json),), keywords)
    }

    fn checked(
        &self,
        py: Python<'_>,
        row: Option<Py<PyAny>>,
        instance: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<Violation>> {
        let Some(check) = &self.check else { return Ok(Vec::new()) };
        let found: Vec<(String, String)> = check.bind(py).call1((row, instance))?.extract()?;
        Ok(found.into_iter().map(|(path, message)| Violation::at(path, message)).collect())
    }

    fn explained(&self, py: Python<'_>, error: PyErr) -> Verdict {
        let found = self.explain.bind(py).call1((error.value(py),));
        match found.and_then(|found| found.extract::<Option<Vec<(String, String)>>>()) {
            Ok(Some(found)) if !found.is_empty() => Verdict::Invalid(
                found.into_iter().map(|(path, message)| Violation::at(path, message)).collect(),
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
    /// The instance as JSON.
    Json,
}

/// What was kept of a valid value.
#[derive(Debug)]
pub(crate) enum Kept {
    Instance(Py<PyAny>),
    Json(Vec<u8>),
}

/// The result of validating a value.
#[derive(Debug)]
pub(crate) enum Verdict {
    Valid(Kept),
    Invalid(Vec<Violation>),
    /// The user's code raised something that is not a violation.
    Broken(PyErr),
}

/// The rules of one call as the engine's check, with the values kept for outcomes still to come.
pub(crate) struct Judge {
    rule: Arc<Rule>,
    sees_rows: bool,
    has_schema: bool,
    /// The rows that Python passed, if it did.
    rows: Option<Arc<Rows>>,
    queue: Arc<Queue>,
    kept: Mutex<HashMap<u64, Kept>>,
    broken: Mutex<Option<PyErr>>,
    breaking: tokio::sync::Notify,
}

impl Judge {
    pub(crate) fn new(rules: Py<Rules>, keep: Keep, validator: &Validator, rows: Option<Arc<Rows>>) -> Self {
        // A validator may call a model itself.
        let queue = validator.queue();
        queue.waits_here();
        Self {
            sees_rows: rules.get().sees_rows(),
            has_schema: rules.get().has_schema,
            rows,
            rule: Arc::new(Rule::new(rules, keep)),
            queue,
            kept: Mutex::default(),
            broken: Mutex::default(),
            breaking: tokio::sync::Notify::new(),
        }
    }

    /// The value that was kept when the row was checked.
    pub(crate) fn take_kept(&self, row: u64) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&row)
    }

    async fn validate(&self, values: Vec<(Row, Value)>) -> Vec<Verdict> {
        let (jobs, replies): (Vec<_>, Vec<_>) =
            values.into_iter().map(|(row, value)| self.job(row, &value)).unzip();
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

    /// Ends the run, because the user's code raised something that is not a violation.
    pub(crate) fn break_off(&self, error: PyErr) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.breaking.notify_one();
    }

    /// Waits until the user's code raises something that is not a violation.
    pub(crate) async fn broken(&self) -> PyErr {
        loop {
            let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).take();
            match broken {
                Some(error) => return error,
                None => self.breaking.notified().await,
            }
        }
    }

    fn job(&self, row: Row, value: &Value) -> (Job, oneshot::Receiver<Verdict>) {
        let (reply, answer) = oneshot::channel();
        let json = serde_json::to_vec(value).unwrap_or_default();
        let row = self.sees_rows.then(|| Box::new(Shown { row, rows: self.rows.clone() }));
        (Job { call: Arc::clone(&self.rule), json, row, reply }, answer)
    }
}

impl Check for Judge {
    fn check<'a>(
        &'a self,
        rows: Vec<(Row, Value)>,
    ) -> Pin<Box<dyn Future<Output = Vec<Vec<Violation>>> + Send + 'a>> {
        Box::pin(async move {
            let indexes: Vec<_> = rows.iter().map(|(row, _)| row.index).collect();
            let verdicts = self.validate(rows).await;
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
                        // Asking the model again would not fix the user's code.
                        return std::future::pending().await;
                    }
                }
            }
            violations
        })
    }

    /// What the user's model accepts is valid: its JSON Schema only approximates it.
    fn authority(&self) -> Authority {
        if self.has_schema { Authority::Both } else { Authority::Check }
    }

    fn scope(&self) -> Scope {
        if self.sees_rows { Scope::RowAndValue } else { Scope::Value }
    }
}
