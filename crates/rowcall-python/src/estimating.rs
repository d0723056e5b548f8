//! Estimates the requests for rows from Python, without sending any.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pyo3::prelude::*;
use rowcall::cache::CacheContents;
use rowcall::{CacheOptions, Error, Extractor, Range, Result, Row, RunEstimate, RunEstimator, Source, Usd};
use serde_json::{Value, json};

use crate::table::TableSource;
use crate::{failure, json as conversion, runtime};

/// The number of a table's rows that are read at a time.
const READ_TOGETHER: usize = 512;

/// Sums the estimates of rows.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Estimating(Mutex<RunEstimator>);

impl Estimating {
    /// An estimator for this extractor; rows whose answers are in the cache cost nothing.
    ///
    /// # Errors
    /// If the cache cannot be read.
    pub(crate) fn new(extractor: &Extractor<Value>, cache: Option<&CacheOptions>) -> Result<Self> {
        let census = cache.map(|cache| extractor.cache_census(cache, CacheContents::open(&cache.path)?));
        Ok(Self(Mutex::new(extractor.run_estimator(census.transpose()?))))
    }

    /// Adds the rows of a table.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn add_table(&self, py: Python<'_>, mut table: TableSource) -> PyResult<()> {
        let runtime = runtime::handle(py)?;
        let added = py.detach(|| {
            loop {
                let rows = runtime.block_on(table.next(READ_TOGETHER))?;
                if rows.is_empty() {
                    return Ok(());
                }
                rows.iter().try_for_each(|row| self.estimator().add(row))?;
            }
        });
        added.map_err(|error: Error| failure::of_run(py, &error))
    }

    fn estimator(&self) -> MutexGuard<'_, RunEstimator> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Estimating {
    /// Adds a row.
    fn add(&self, py: Python<'_>, row: &Bound<'_, PyAny>) -> PyResult<()> {
        let row = Row { index: 0, fields: Ok(conversion::fields(row)?), record: Bytes::new() };
        py.detach(|| self.estimator().add(&row)).map_err(|error| failure::of_run(py, &error))
    }

    /// The estimate for all rows so far, under the names of `Estimate` in `_estimate.py`.
    fn estimate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let estimator = self.estimator();
        let (estimate, counting) = (estimator.estimate(), estimator.counting());
        drop(estimator);
        conversion::to_python(py, &as_json(&estimate, counting))
    }
}

fn as_json(estimate: &RunEstimate, counting: &str) -> Value {
    let RunEstimate {
        rows,
        unaskable,
        equal,
        cached,
        input_tokens,
        output_tokens,
        cost,
        dearest,
        by_batch,
        most,
    } = *estimate;
    let amounts = |Range { low, likely, high }: Range<Usd>| [low, likely, high].map(Usd::dollars);
    let [low, likely, high] = cost.map(amounts).map_or([None, None, None], |amounts| amounts.map(Some));
    json!({
        "rows": rows,
        "asked": estimate.asked(),
        "equal": equal,
        "cached": cached,
        "unaskable": unaskable,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens.likely,
        "output_tokens_low": output_tokens.low,
        "output_tokens_high": output_tokens.high,
        "cost": likely,
        "cost_low": low,
        "cost_high": high,
        "cost_at_most": most.map(Usd::dollars),
        "cost_at_dearest": dearest.map(Usd::dollars),
        "cost_by_batch": by_batch.filter(|batch| *batch > Usd::ZERO).map(Usd::dollars),
        "counting": counting,
    })
}
