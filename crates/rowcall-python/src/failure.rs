//! Failures of rows and errors of runs as Python exceptions. `_errors.py` maps kinds to classes.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rowcall::{Error, Failure, Fault, Problem};
use serde_json::Value;

use crate::json;

/// The function that makes exceptions, once it is imported.
static OF: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception for a row without a value.
pub(crate) fn of_row(py: Python<'_>, index: Option<u64>, failure: &Failure) -> PyErr {
    let mut details = serde_json::to_value(failure).unwrap_or_default();
    if let (Value::Object(details), Some(completion)) = (&mut details, &failure.completion) {
        details.insert("completion".to_owned(), json::body(&completion.body));
        details.insert("text".to_owned(), completion.text().into());
    }
    made(py, failure.kind.name(), &failure.message, failure.hint(), index, &details)
}

/// The exception for an error that stopped a run.
pub(crate) fn of_run(py: Python<'_>, error: &Error) -> PyErr {
    match error {
        Error::Row { index, failure } => of_row(py, Some(*index), failure),
        Error::Stopped(fault) => of_fault(py, fault, &fault.to_string(), error.hint()),
        Error::Refused { rows: _, fault } => of_fault(py, fault, &error.to_string(), error.hint()),
        Error::Config(problem) => of_problem(py, "config", problem),
        Error::Source(problem) => of_problem(py, "source", problem),
        Error::Journal(problem) => of_problem(py, "journal", problem),
        Error::Sink(problem) => of_problem(py, "sink", problem),
        Error::Limit(problem) => of_problem(py, "limit", problem),
        // A later version of the library may add kinds.
        other => made(py, "error", &other.to_string(), other.hint(), None, &Value::Null),
    }
}

/// The exception for an invalid setting.
pub(crate) fn of_config(py: Python<'_>, problem: &Problem) -> PyErr {
    of_problem(py, "config", problem)
}

/// The exception for using something after it was closed.
pub(crate) fn of_closed(what: &str) -> PyErr {
    python::ClosedError::new_err(format!("the {what} is closed"))
}

/// The exception for a call after the interpreter has begun to shut down.
pub(crate) fn of_the_end() -> PyErr {
    python::Error::new_err("the interpreter is shutting down and cannot validate values any more")
}

/// Exception classes defined in Python.
mod python {
    pyo3::import_exception!(rowcall._errors, ClosedError);
    pyo3::import_exception!(rowcall._errors, Error);
}

fn of_problem(py: Python<'_>, kind: &str, problem: &Problem) -> PyErr {
    made(py, kind, &problem.message, problem.hint.as_deref(), None, &Value::Null)
}

fn of_fault(py: Python<'_>, fault: &Fault, message: &str, hint: Option<&str>) -> PyErr {
    let details = serde_json::to_value(fault).map(|fault| serde_json::json!({ "fault": fault }));
    made(py, fault.kind.name(), message, hint, None, &details.unwrap_or_default())
}

fn made(
    py: Python<'_>,
    kind: &str,
    message: &str,
    hint: Option<&str>,
    index: Option<u64>,
    details: &Value,
) -> PyErr {
    let exception = OF
        .import(py, "rowcall._errors", "of")
        .and_then(|of| of.call1((kind, message, hint, index, json::to_python(py, details)?)));
    exception.map_or_else(|error| error, PyErr::from_value)
}
