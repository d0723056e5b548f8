//! From an Arrow table to an Arrow table: record batches become rows, and values become columns next to them.
//! `table/columns.rs` defines these columns.

mod columns;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_json::{LineDelimitedWriter, WriterBuilder};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use rowcall::{Error, Extractor, Halt, OrderBy, Outcome, Problem, Result, Row, Sink, Source, Unreadable};
use serde_json::{Map, Value};

use crate::delivery::{Delivered, judged};
use crate::failure;
use crate::progress::Progress;
use crate::validation::Judge;

pub(crate) use columns::{Columns, Look};

/// Rows whose values are held as JSON until their columns are built.
const MOST_ROWS: usize = 8192;

/// The schema and batches of an object with Arrow's PyCapsule interface.
///
/// # Errors
/// `ConfigError` if it cannot be read as a table.
pub(crate) fn read(table: &Bound<'_, PyAny>) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
    let py = table.py();
    let kind = table.get_type().name()?;
    let unreadable = |error: PyErr| {
        let message = format!("the table of type `{kind}` cannot be read: {}", error.value(py));
        failure::of_config(
            py,
            &Problem::new(message).hint("expected rows with named columns of one type each"),
        )
    };
    let reader = table.extract::<AnyRecordBatch>().map_err(unreadable)?.into_reader()?;
    let batches = py.detach(move || {
        let schema = reader.schema();
        reader.collect::<std::result::Result<Vec<_>, _>>().map(|batches| (schema, batches))
    });
    let (schema, batches) = batches.map_err(|error| unreadable(PyValueError::new_err(error.to_string())))?;
    Ok((schema, batches.iter().flat_map(slices).collect()))
}

/// The batch in slices of at most [`MOST_ROWS`].
fn slices(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let rows = batch.num_rows();
    (0..rows).step_by(MOST_ROWS).map(move |first| batch.slice(first, MOST_ROWS.min(rows - first)))
}

/// The rows of a table, with the columns that the templates need.
#[derive(Debug)]
pub(crate) struct TableSource {
    batches: std::vec::IntoIter<RecordBatch>,
    batch: Option<RecordBatch>,
    columns: Vec<usize>,
    asked: Asked,
    total: u64,
    next: u64,
}

/// Which rows of a table are asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// For each row, whether it is asked about; `None` for all.
    pub(crate) only: Option<Vec<bool>>,
    /// Those that failed in an earlier step, by their indexes.
    pub(crate) failed: HashMap<u64, Unreadable>,
}

impl Asked {
    fn has(&self, index: u64) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| {
            usize::try_from(index).is_ok_and(|at| only.get(at).copied().unwrap_or_default())
        })
    }

    /// How many of `rows` rows are asked about.
    pub(crate) fn count(&self, rows: u64) -> u64 {
        self.only.as_ref().map_or(rows, |only| only.iter().filter(|asked| **asked).count() as u64)
    }
}

impl TableSource {
    /// The rows of `batches` that are `asked` about, with the columns that are `needed`.
    pub(crate) fn new(batches: Vec<RecordBatch>, needed: &[bool], asked: Asked) -> Self {
        let columns = needed.iter().enumerate().filter(|(_, needed)| **needed);
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        Self {
            columns: columns.map(|(at, _)| at).collect(),
            total: asked.count(rows),
            asked,
            batches: batches.into_iter(),
            batch: None,
            next: 0,
        }
    }

    fn slice(&mut self, max: usize) -> Option<RecordBatch> {
        let mut batch = self.batch.take().filter(|batch| batch.num_rows() > 0);
        while batch.is_none() {
            batch = Some(self.batches.next()?).filter(|batch| batch.num_rows() > 0);
        }
        let batch = batch?;
        let count = max.min(batch.num_rows());
        self.batch = Some(batch.slice(count, batch.num_rows() - count));
        Some(batch.slice(0, count))
    }
}

impl Source for TableSource {
    async fn next(&mut self, max: usize) -> Result<Vec<Row>> {
        loop {
            let Some(slice) = self.slice(max) else { return Ok(Vec::new()) };
            let fields = fields(&slice, &self.columns)
                .map_err(|error| Error::Source(Problem::new(format!("the table cannot be read: {error}"))))?;
            let first = self.next;
            self.next += slice.num_rows() as u64;
            let asked = fields.into_iter().zip(first..).filter(|(_, index)| self.asked.has(*index));
            let row = |(fields, index)| {
                let fields = self.asked.failed.get(&index).map_or(Ok(fields), |failed| Err(failed.clone()));
                Row { index, fields, record: bytes::Bytes::new() }
            };
            let rows: Vec<_> = asked.map(row).collect();
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
    }

    fn len_hint(&self) -> Option<u64> {
        Some(self.total)
    }
}

fn fields(
    slice: &RecordBatch,
    columns: &[usize],
) -> std::result::Result<Vec<Map<String, Value>>, ArrowError> {
    if columns.is_empty() {
        return Ok(vec![Map::new(); slice.num_rows()]);
    }
    let builder = WriterBuilder::new().with_explicit_nulls(true);
    let mut writer: LineDelimitedWriter<Vec<u8>> = builder.build(Vec::new());
    writer.write(&slice.project(columns)?)?;
    writer.finish()?;
    let text = writer.into_inner();
    let lines = serde_json::Deserializer::from_slice(&text).into_iter();
    lines.collect::<std::result::Result<_, _>>().map_err(|error| ArrowError::JsonError(error.to_string()))
}

/// A run over a table, and its values so far.
#[pyclass(frozen, module = "rowcall._rowcall")]
#[derive(Clone)]
pub(crate) struct TableRun {
    input_schema: SchemaRef,
    input: Vec<RecordBatch>,
    columns: Columns,
    /// The added columns of each input batch. Locked while a batch is built.
    parts: Arc<Mutex<Vec<Part>>>,
}

/// The added columns of one batch.
#[derive(Debug)]
enum Part {
    Open {
        /// The row's fields, once it is done.
        rows: Vec<Option<Value>>,
        left: usize,
    },
    Made(RecordBatch),
}

#[pymethods]
impl TableRun {
    /// The added columns, after the input's own if `joined`. Unfinished rows have an error that says so.
    fn table(&self, py: Python<'_>, joined: bool) -> PyResult<PyTable> {
        let invalid = |error: ArrowError| PyValueError::new_err(error.to_string());
        let made = py.detach(|| self.made()).map_err(invalid)?;
        if !joined {
            return PyTable::try_new(made, Arc::clone(&self.columns.schema));
        }
        let fields = self.input_schema.fields().iter().chain(self.columns.schema.fields()).cloned();
        let schema = arrow_schema::Schema::new_with_metadata(
            fields.collect::<Vec<_>>(),
            self.input_schema.metadata().clone(),
        );
        let schema = Arc::new(schema);
        let batches = self.input.iter().zip(&made).map(|(input, added)| {
            let columns: Vec<ArrayRef> = input.columns().iter().chain(added.columns()).cloned().collect();
            RecordBatch::try_new(Arc::clone(&schema), columns)
        });
        let batches = batches.collect::<std::result::Result<Vec<_>, _>>().map_err(invalid)?;
        PyTable::try_new(batches, schema)
    }
}

impl TableRun {
    /// An empty run, except for the rows that are not `asked` about.
    pub(crate) fn new(
        input_schema: SchemaRef,
        input: Vec<RecordBatch>,
        columns: Columns,
        asked: &Asked,
    ) -> Self {
        let mut indexes = 0_u64..;
        let parts = input.iter().map(|batch| {
            let row = |index| (!asked.has(index)).then(Columns::unasked);
            let rows: Vec<_> = indexes.by_ref().take(batch.num_rows()).map(row).collect();
            let left = rows.iter().filter(|row| row.is_none()).count();
            Part::Open { rows, left }
        });
        let parts = Arc::new(Mutex::new(parts.collect()));
        Self { input_schema, input, columns, parts }
    }

    /// Asks about all rows and builds the columns of their outcomes.
    ///
    /// # Errors
    /// The error that stopped the run.
    pub(crate) async fn carry_out(
        self,
        extractor: &Extractor<Value>,
        source: TableSource,
        judge: Option<Arc<Judge>>,
        progress: Arc<Progress>,
        halt: Halt,
    ) -> Result<()> {
        let starts = self.input.iter().scan(0, |next, batch| {
            let first = *next;
            *next += batch.num_rows() as u64;
            Some(first)
        });
        let mut sink = Columned { judge, progress, starts: starts.collect(), run: self.clone() };
        // Outcomes are stored by position, so a finished row need not wait for earlier ones.
        extractor.run(source, &mut sink, OrderBy::Completed, halt).await
    }

    fn parts(&self) -> MutexGuard<'_, Vec<Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The columns of all batches.
    fn made(&self) -> std::result::Result<Vec<RecordBatch>, ArrowError> {
        let parts = self.parts();
        let made = parts.iter().map(|part| match part {
            Part::Made(batch) => Ok(batch.clone()),
            Part::Open { rows, left: _ } => {
                let rows = rows.iter().map(|row| row.clone().unwrap_or_else(|| self.columns.abandoned()));
                self.columns.batch(rows.collect())
            }
        });
        made.collect()
    }
}

/// Stores outcomes at the positions of their rows.
struct Columned {
    judge: Option<Arc<Judge>>,
    progress: Arc<Progress>,
    /// The first row of each batch.
    starts: Vec<u64>,
    run: TableRun,
}

impl Columned {
    /// Stores a row, and builds its batch once that is complete.
    fn put(&self, index: u64, row: Value) -> Result<()> {
        let at = self.starts.partition_point(|start| *start <= index).saturating_sub(1);
        let mut parts = self.run.parts();
        let (Some(part), Some(start)) = (parts.get_mut(at), self.starts.get(at)) else { return Ok(()) };
        let Part::Open { rows, left } = part else { return Ok(()) };
        let Some(slot) = rows.get_mut(usize::try_from(index - start).unwrap_or(usize::MAX)) else {
            return Ok(());
        };
        *left -= usize::from(slot.is_none());
        *slot = Some(row);
        if *left == 0 {
            let rows = std::mem::take(rows).into_iter().flatten().collect();
            let batch = self.run.columns.batch(rows).map_err(|error| {
                Error::Sink(Problem::new(format!("the values do not fit their columns: {error}")))
            })?;
            *part = Part::Made(batch);
        }
        Ok(())
    }
}

impl Sink for Columned {
    async fn write(&mut self, done: Vec<(Row, Outcome)>) -> Result<()> {
        self.progress.count(&done);
        let outcomes = done.into_iter().map(|(_, outcome)| outcome).collect();
        for outcome in judged(self.judge.as_deref(), outcomes).into_iter().map(Delivered::into_json) {
            self.put(outcome.index, self.run.columns.row(&outcome))?;
        }
        Ok(())
    }
}
