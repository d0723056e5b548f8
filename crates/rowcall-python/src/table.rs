//! From an Arrow table to an Arrow table: rows from record batches, values into columns beside them. Which column a value goes
//! into is `table/shape.rs`.

mod shape;

use std::sync::{Arc, Mutex, PoisonError};

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

/// A run over a table, and in the end its values.
#[pyclass(frozen, module = "rowcall._rowcall")]
#[derive(Clone)]
pub(crate) struct TableRun {
    input_schema: SchemaRef,
    input: Vec<RecordBatch>,
    columns: Columns,
    made: Arc<Mutex<Option<Vec<RecordBatch>>>>,
}

#[pymethods]
impl TableRun {
    /// The added columns, once the run has ended; with the input's before them if `joined`.
    fn table(&self, joined: bool) -> PyResult<PyTable> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
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
        let batches = batches.collect::<std::result::Result<Vec<_>, _>>();
        let batches = batches.map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))?;
        PyTable::try_new(batches, schema)
    }
}

impl TableRun {
    /// Nothing yet.
    pub(crate) fn new(input_schema: SchemaRef, input: Vec<RecordBatch>, columns: Columns) -> Self {
        Self { input_schema, input, columns, made: Arc::default() }
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
        let lengths: Vec<usize> = self.input.iter().map(RecordBatch::num_rows).collect();
        let mut sink =
            Columned { judge, columns: self.columns.clone(), lengths, rows: Vec::new(), made: Vec::new() };
        // In input order, so that a batch is made as soon as its rows are there.
        extractor.run(source, &mut sink, OrderBy::Input, halt).await?;
        sink.close_batches()?;
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(sink.made);
        Ok(())
    }
}

/// Makes batches of columns as long as the input's.
struct Columned {
    judge: Option<Arc<Judge>>,
    columns: Columns,
    lengths: Vec<usize>,
    rows: Vec<Value>,
    made: Vec<RecordBatch>,
}

impl Columned {
    /// Makes the batches whose rows are all there.
    fn close_batches(&mut self) -> Result<()> {
        while let Some(length) =
            self.lengths.get(self.made.len()).copied().filter(|length| *length <= self.rows.len())
        {
            let rows: Vec<Value> = self.rows.drain(..length).collect();
            let batch = self.columns.batch(rows);
            self.made.push(batch.map_err(|error| {
                Error::Sink(Problem::new(format!("the values do not fit their columns: {error}")))
            })?);
        }
        Ok(())
    }
}

impl Sink for Columned {
    async fn write(&mut self, done: Vec<(Row, Outcome)>) -> Result<()> {
        let outcomes = done.into_iter().map(|(_, outcome)| outcome).collect();
        let outcomes = judged(self.judge.as_deref(), outcomes).into_iter().map(Delivered::into_json);
        self.rows.extend(outcomes.map(|outcome| self.columns.row(&outcome)));
        self.close_batches()
    }
}
