//! From an Arrow table to an Arrow table: rows from record batches, values into columns beside them. Which column a value goes
//! into is `table/shape.rs`.

mod shape;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_json::{LineDelimitedWriter, WriterBuilder};
use arrow_schema::{ArrowError, Field, SchemaRef};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use rowcall::{
    Error, Extractor, Failure, FailureKind, Halt, OrderBy, Outcome, Problem, Result, Row, Sink, Source,
};
use serde_json::{Map, Value, json};

use crate::delivery::{Delivered, judged};
use crate::failure;
use crate::validation::Judge;
use shape::Shape;

/// The column that tells why a row has no value.
const ERROR_COLUMN: &str = "_error";

/// The column of values that are no objects.
const VALUE_COLUMN: &str = "value";

/// Rows whose values are held as JSON until their columns are made.
const MOST_ROWS: usize = 8192;

/// Schema and batches of what has Arrow's PyCapsule interface.
///
/// # Errors
/// `ConfigError` for what cannot be read as a table.
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

/// The batch in parts of at most [`MOST_ROWS`].
fn slices(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let rows = batch.num_rows();
    (0..rows).step_by(MOST_ROWS).map(move |first| batch.slice(first, MOST_ROWS.min(rows - first)))
}

/// What is added to a table.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    /// The values' own fields, or the whole value under one name.
    shape: Shape,
    under: Option<String>,
    schema: SchemaRef,
}

impl Columns {
    /// The columns for values of this JSON Schema: a column for each field, or one for the whole value, named by `into`.
    ///
    /// # Errors
    /// A name that is one of ours.
    pub(crate) fn new(values: &Value, into: Option<String>) -> std::result::Result<Self, Problem> {
        let shape = Shape::of(values);
        let (fields, under) = match (shape.fields(), into) {
            (Some(fields), None) => (fields, None),
            (_, into) => {
                let name = into.unwrap_or_else(|| VALUE_COLUMN.to_owned());
                (vec![Field::new(&name, shape.data_type(), true)], Some(name))
            }
        };
        if under.as_deref() == Some(ERROR_COLUMN) {
            let message = format!("`into` is `{ERROR_COLUMN}`, the name of a column that rowcall adds");
            return Err(Problem::new(message).hint("give the value another name"));
        }
        if fields.iter().any(|field| field.name() == ERROR_COLUMN) {
            let message =
                format!("the value's field `{ERROR_COLUMN}` has the name of a column that rowcall adds");
            return Err(Problem::new(message).hint("put the value into a column of its own with `into=`"));
        }
        let error = Field::new(ERROR_COLUMN, Shape::error().data_type(), true);
        let schema = arrow_schema::Schema::new(fields.into_iter().chain([error]).collect::<Vec<_>>());
        Ok(Self { shape, under, schema: Arc::new(schema) })
    }

    /// Whether they can stand beside the input's columns, which the template must find all it needs in.
    ///
    /// # Errors
    /// A column that would be there twice, and a variable without a column.
    pub(crate) fn check(
        &self,
        input: &[String],
        extractor: &Extractor<Value>,
    ) -> std::result::Result<(), Problem> {
        if let Some(field) = self.schema.fields().iter().find(|field| input.contains(field.name())) {
            let name = field.name();
            let (what, hint) = if name == ERROR_COLUMN {
                ("in which a run tells why a row has no value", "drop or rename it")
            } else if self.under.as_ref() == Some(name) {
                ("which the whole value was to get", "give another name with `into=`")
            } else {
                (
                    "which is a field of the value",
                    "put the value into a column of its own with `into=\"answer\"`",
                )
            };
            return Err(Problem::new(format!("the table has a column `{name}` already, {what}")).hint(hint));
        }
        match extractor.variables().into_iter().find(|name| !input.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let message = format!("the template uses `{name}`, which is no column of the table");
                Err(Problem::new(message).hint(format!("the columns are `{}`", input.join("`, `"))))
            }
        }
    }

    /// The row of these columns for an outcome.
    fn row(&self, outcome: &Outcome) -> Value {
        match &outcome.result {
            Ok(value) => {
                let value = self.shape.fit(value);
                let rounds = self.shape.rounds(&value);
                let row = match (&self.under, value) {
                    (None, object) => object,
                    (Some(name), value) => Value::Object(Map::from_iter([(name.clone(), value)])),
                };
                if rounds {
                    let error = ArrowError::ComputeError("a number would be rounded".to_owned());
                    return json!({ ERROR_COLUMN: self.misfit(&row, &error) });
                }
                row
            }
            Err(failure) => json!({ ERROR_COLUMN: error(failure) }),
        }
    }

    /// The columns of these rows. A row with a value that does not fit its column has an error in its place.
    fn batch(&self, mut rows: Vec<Value>) -> std::result::Result<RecordBatch, ArrowError> {
        if let Ok(batch) = shape::batch(&self.schema, &rows) {
            return Ok(batch);
        }
        for row in &mut rows {
            if let Err(error) = shape::batch(&self.schema, std::slice::from_ref(row)) {
                *row = json!({ ERROR_COLUMN: self.misfit(row, &error) });
            }
        }
        shape::batch(&self.schema, &rows)
    }

    /// Why the row does not fit the columns.
    fn misfit(&self, row: &Value, error: &ArrowError) -> Value {
        let value = match &self.under {
            None => row,
            Some(name) => row.get(name).unwrap_or(&Value::Null),
        };
        let (path, message) =
            self.shape.misfit(value, "").unwrap_or_else(|| (String::new(), error.to_string()));
        json!({
            "kind": FailureKind::Invalid.name(),
            "message": "the value does not fit its column",
            "violations": [{ "path": path, "message": message }],
        })
    }
}

fn error(failure: &Failure) -> Value {
    json!({
        "kind": failure.kind.name(),
        "message": failure.message,
        "violations": failure.violations,
    })
}

/// The rows of a table, with those of its columns that the templates need.
#[derive(Debug)]
pub(crate) struct TableSource {
    batches: std::vec::IntoIter<RecordBatch>,
    batch: Option<RecordBatch>,
    columns: Vec<usize>,
    total: u64,
    next: u64,
}

impl TableSource {
    /// The rows of `batches` with those of their columns that are `needed`.
    pub(crate) fn new(batches: Vec<RecordBatch>, needed: &[bool]) -> Self {
        let columns = needed.iter().enumerate().filter(|(_, needed)| **needed);
        Self {
            columns: columns.map(|(at, _)| at).collect(),
            total: batches.iter().map(|batch| batch.num_rows() as u64).sum(),
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
        let Some(slice) = self.slice(max) else { return Ok(Vec::new()) };
        let fields = fields(&slice, &self.columns)
            .map_err(|error| Error::Source(Problem::new(format!("the table cannot be read: {error}"))))?;
        let first = self.next;
        self.next += slice.num_rows() as u64;
        let rows = fields.into_iter().zip(first..);
        Ok(rows
            .map(|(fields, index)| Row { index, fields: Ok(fields), record: bytes::Bytes::new() })
            .collect())
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

/// A run over a table, and its values as far as they have come.
#[pyclass(frozen, module = "rowcall._rowcall")]
#[derive(Clone)]
pub(crate) struct TableRun {
    input_schema: SchemaRef,
    input: Vec<RecordBatch>,
    columns: Columns,
    /// The added columns of each batch of the input. Locked for as long as a batch takes.
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
    /// The added columns, with the input's before them if `joined`. Rows that are not done yet have an error that says so.
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

    /// How many rows are done.
    fn done(&self) -> usize {
        let done = |part: &Part| match part {
            Part::Open { rows, left } => rows.len() - left,
            Part::Made(batch) => batch.num_rows(),
        };
        self.parts().iter().map(done).sum()
    }
}

impl TableRun {
    /// Nothing yet.
    pub(crate) fn new(input_schema: SchemaRef, input: Vec<RecordBatch>, columns: Columns) -> Self {
        let parts = input.iter().map(|batch| {
            let left = batch.num_rows();
            Part::Open { rows: vec![None; left], left }
        });
        let parts = Arc::new(Mutex::new(parts.collect()));
        Self { input_schema, input, columns, parts }
    }

    /// Asks about all rows and makes the columns of their outcomes.
    ///
    /// # Errors
    /// Whatever stopped the run.
    pub(crate) async fn carry_out(
        self,
        extractor: &Extractor<Value>,
        source: TableSource,
        judge: Option<Arc<Judge>>,
        halt: Halt,
    ) -> Result<()> {
        let starts = self.input.iter().scan(0, |next, batch| {
            let first = *next;
            *next += batch.num_rows() as u64;
            Some(first)
        });
        let mut sink = Columned { judge, starts: starts.collect(), run: self.clone() };
        // Each row has its place: what is done does not wait for the rows before it.
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
                let rows = rows.iter().map(|row| row.clone().unwrap_or_else(abandoned));
                self.columns.batch(rows.collect())
            }
        });
        made.collect()
    }
}

/// What stands for a row that was not done when its call ended.
fn abandoned() -> Value {
    let error = json!({ "kind": "abandoned", "message": "the call ended before the row was done" });
    json!({ ERROR_COLUMN: error })
}

/// Puts outcomes into the places of their rows.
struct Columned {
    judge: Option<Arc<Judge>>,
    /// The first row of each batch.
    starts: Vec<u64>,
    run: TableRun,
}

impl Columned {
    /// Puts a row into its place, and makes its batch if all of that is there.
    fn put(&self, index: u64, row: Value) -> Result<()> {
        let at = self.starts.partition_point(|start| *start <= index).saturating_sub(1);
        let mut parts = self.run.parts();
        let (Some(part), Some(start)) = (parts.get_mut(at), self.starts.get(at)) else { return Ok(()) };
        let Part::Open { rows, left } = part else { return Ok(()) };
        let Some(place) = rows.get_mut(usize::try_from(index - start).unwrap_or(usize::MAX)) else {
            return Ok(());
        };
        *left -= usize::from(place.is_none());
        *place = Some(row);
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
        let outcomes = done.into_iter().map(|(_, outcome)| outcome).collect();
        for outcome in judged(self.judge.as_deref(), outcomes).into_iter().map(Delivered::into_json) {
            self.put(outcome.index, self.run.columns.row(&outcome))?;
        }
        Ok(())
    }
}
