//! Failures of rows and errors of runs as Python exceptions. `_errors.py` maps kinds to classes.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rowcall::{Error, Failure, Fault, Hint, Problem};
use serde_json::Value;

use crate::{json, keywords};

/// The function that makes exceptions, once it is imported.
static OF: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception for a row without a value.
pub(crate) fn of_row(py: Python<'_>, index: Option<u64>, failure: &Failure) -> PyErr {
    let mut details = serde_json::to_value(failure).unwrap_or_default();
    if let (Value::Object(details), Some(completion)) = (&mut details, &failure.completion) {
        details.insert("completion".to_owned(), json::body(&completion.body));
        details.insert("text".to_owned(), completion.text().into());
    }
    let hint = failure.hint().as_ref().map(keywords::spelled);
    made(py, failure.kind.name(), &failure.message, hint, index, &details)
}

/// The exception for an error that stopped a run.
pub(crate) fn of_run(py: Python<'_>, error: &Error) -> PyErr {
    of(py, error, keywords::spelled)
}

/// The exception for an extractor that cannot be made.
pub(crate) fn of_extractor(py: Python<'_>, error: &Error) -> PyErr {
    of(py, error, keywords::spelled_for_extractor)
}

fn of(py: Python<'_>, error: &Error, spelled: fn(&Hint) -> String) -> PyErr {
    let hint = error.hint().as_ref().map(spelled);
    let of_problem =
        |kind, problem: &Problem| made(py, kind, &problem.message, hint.clone(), None, &Value::Null);
    match error {
        Error::Row { index, failure } => of_row(py, Some(*index), failure),
        Error::Stopped(fault) => of_fault(py, fault, &fault.to_string(), hint),
        Error::Refused { rows: _, fault } => of_fault(py, fault, &error.to_string(), hint),
        Error::Config(problem) => of_problem("config", problem),
        Error::Source(problem) => of_problem("source", problem),
        Error::Journal(problem) => of_problem("journal", problem),
        Error::Sink(problem) => of_problem("sink", problem),
        Error::Limit(problem) => of_problem("limit", problem),
        // A later version of the library may add kinds.
        other => made(py, "error", &other.to_string(), hint, None, &Value::Null),
    }
}

/// The exception for an invalid setting.
pub(crate) fn of_config(py: Python<'_>, problem: &Problem) -> PyErr {
    made(py, "config", &problem.message, problem.hint.as_ref().map(keywords::spelled), None, &Value::Null)
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

fn of_fault(py: Python<'_>, fault: &Fault, message: &str, hint: Option<String>) -> PyErr {
    let details = serde_json::to_value(fault).map(|fault| serde_json::json!({ "fault": fault }));
    made(py, fault.kind.name(), message, hint, None, &details.unwrap_or_default())
}

fn made(
    py: Python<'_>,
    kind: &str,
    message: &str,
    hint: Option<String>,
    index: Option<u64>,
    details: &Value,
) -> PyErr {
    let exception = OF
        .import(py, "rowcall._errors", "of")
        .and_then(|of| of.call1((kind, message, hint, index, json::to_python(py, details)?)));
    exception.map_or_else(|error| error, PyErr::from_value)
}
