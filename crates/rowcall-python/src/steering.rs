//! Changes to calls under way, as Python asks for them.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use pyo3::prelude::*;
use rowcall::{Adjustment, RunControl};
use serde_json::Value;

use crate::failure;
use crate::progress::Progress;

/// The controls of an extractor's calls.
#[derive(Debug, Default)]
pub(crate) struct Controls(Mutex<Vec<(Weak<Progress>, RunControl)>>);

impl Controls {
    /// Adds a call.
    pub(crate) fn add(&self, progress: &Arc<Progress>, control: &RunControl) {
        let mut controls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        controls.retain(|(progress, _)| is_under_way(progress));
        controls.push((Arc::downgrade(progress), control.clone()));
    }

    /// The controls of the calls that are under way.
    pub(crate) fn under_way(&self) -> Vec<RunControl> {
        let controls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = controls.iter().filter(|(progress, _)| is_under_way(progress));
        under_way.map(|(_, control)| control.clone()).collect()
    }
}

fn is_under_way(progress: &Weak<Progress>) -> bool {
    progress.upgrade().is_some_and(|progress| !progress.is_over())
}

/// The changes of a JSON object, checked for these calls.
///
/// # Errors
/// The first that cannot be made.
pub(crate) fn checked(py: Python<'_>, changes: &str, controls: &[RunControl]) -> PyResult<Vec<Adjustment>> {
    let changes = serde_json::from_str(changes).unwrap_or(Value::Null);
    let changes = Adjustment::parse_all(&changes).map_err(|problem| failure::of_config(py, &problem))?;
    for control in controls {
        control.check(&changes).map_err(|error| failure::of_run(py, &error))?;
    }
    Ok(changes)
}
