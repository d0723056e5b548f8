//! `rowcall report` as a function.

use std::path::PathBuf;

use pyo3::prelude::*;

use crate::failure;

/// The page of the report of the journal at this path.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "Python passes an owned path")]
pub(crate) fn report(py: Python<'_>, journal: PathBuf) -> PyResult<String> {
    let page = py.detach(|| rowcall_cli::report_page(&journal));
    page.map_err(|error| failure::of_run(py, &error))
}
