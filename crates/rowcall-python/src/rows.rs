//! The rows of a call as Python passed them, until their outcomes are taken: validators and outcomes use them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use rowcall::Row;
use serde_json::Value;

use crate::json;

/// Rows by their indexes.
#[derive(Debug, Default)]
pub(crate) struct Rows(Mutex<HashMap<u64, Py<PyAny>>>);

impl Rows {
    /// A single row.
    pub(crate) fn one(row: &Bound<'_, PyAny>) -> Arc<Self> {
        let rows = Self::default();
        rows.add(0, row);
        Arc::new(rows)
    }

    pub(crate) fn add(&self, index: u64, row: &Bound<'_, PyAny>) {
        self.rows().insert(index, row.clone().unbind());
    }

    /// Removes and returns the row, which is no longer needed.
    pub(crate) fn take(&self, index: u64) -> Option<Py<PyAny>> {
        self.rows().remove(&index)
    }

    fn get(&self, py: Python<'_>, index: u64) -> Option<Py<PyAny>> {
        self.rows().get(&index).map(|row| row.clone_ref(py))
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<u64, Py<PyAny>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row that is passed to a validator.
pub(crate) struct Shown {
    pub(crate) row: Row,
    /// Where the original object is; rows of tables and files are dictionaries.
    pub(crate) rows: Option<Arc<Rows>>,
}

impl Shown {
    /// The row as Python sees it.
    pub(crate) fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Some(given) = self.rows.as_ref().and_then(|rows| rows.get(py, self.row.index)) {
            return Ok(given);
        }
        let fields = self.row.fields.clone().map(Value::Object).unwrap_or_default();
        Ok(json::to_python(py, &fields)?.unbind())
    }
}
