//! The columns of a typed output, and batches of them from rows: the record's columns in their own types, the value's in those
//! of the schema, `_error` and what a row took. `shape.rs` decides the type of a value.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_json::ReaderBuilder;
use arrow_json::reader::Decoder;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef};
use rowcall::{FailureKind, Hint, Problem, Setting};
use serde_json::{Map, Value, json};

use super::carried::{carried, raised};
use super::schema_text;
use super::shape::{Shape, step};
use crate::format::OutputFormat;
use crate::layout::{
    ERROR_FIELD, Layout, META_FIELD, META_FIELDS, Meta, Place, Rest, UNVALIDATED_FIELD, Values, rest_field,
};
use crate::output::{LeftOut, OutputOptions, OutputRow};
use crate::record;

/// How many rows are made into a batch at once.
const BATCH_ROWS: usize = 1024;

/// The columns of an output, and the rows that wait to be a batch.
pub(crate) struct Table {
    /// What is written.
    schema: SchemaRef,
    /// What is read from JSON.
    carried: SchemaRef,
    decoder: Option<Decoder>,
    layout: Layout,
    record: HashMap<String, Kept>,
    value: Vec<(String, Shape)>,
    rest: Option<String>,
    waiting: Vec<Waiting>,
}

/// How a column of the record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// In its own type.
    Typed,
    /// As text, since the input's columns have no types: a string as it is, anything else as JSON.
    Text,
}

/// A row that waits. Each part is the fields of an object, without braces.
struct Waiting {
    record: String,
    value: Vec<(usize, Value)>,
    rest: Option<Value>,
    error: Option<Value>,
    took: String,
}

impl Table {
    /// The columns of an output in this format.
    ///
    /// # Errors
    /// A column of the input that the format cannot hold.
    pub(crate) fn new(format: OutputFormat, options: &OutputOptions) -> Result<Self, Problem> {
        let layout = &options.layout;
        let reserved: HashSet<String> = layout.reserved().into_iter().collect();
        let (mut fields, kept, metadata) = if let Some(text) = &options.record_schema {
            let schema = schema_text::from_text(text)?;
            let fields = schema.fields().iter().map(|field| written(field, format));
            (fields.collect::<Result<Vec<_>, _>>()?, Kept::Typed, schema.metadata().clone())
        } else {
            let text = |name: &String| Arc::new(Field::new(name, DataType::Utf8, true));
            (options.columns.iter().map(text).collect(), Kept::Text, HashMap::new())
        };
        fields.retain(|field| !reserved.contains(field.name()));
        let record: HashMap<_, _> = fields.iter().map(|field| (field.name().clone(), kept)).collect();
        let value = value_columns(layout, &options.schema, options.explode.as_deref());
        let of_value = value.iter().map(|(name, shape)| Arc::new(Field::new(name, shape.data_type(), true)));
        fields.extend(of_value);
        let rest = (layout.rest == Rest::Column)
            .then(|| rest_field(|name| !fields.iter().any(|field| field.name() == name)));
        fields.extend(rest.iter().map(|name| Arc::new(Field::new(name, DataType::Utf8, true))));
        fields.push(Arc::new(Field::new(ERROR_FIELD, Shape::error().data_type(), true)));
        if layout.meta == Meta::Shown {
            fields.push(Arc::new(Field::new(META_FIELD, DataType::Struct(meta_fields()), true)));
        }
        if layout.values == Values::Unvalidated {
            fields.push(Arc::new(Field::new(UNVALIDATED_FIELD, DataType::Boolean, true)));
        }
        let unfit = |error: ArrowError| Problem::new(format!("the output cannot be written: {error}"));
        let read = fields.iter().map(|field| {
            Ok(Arc::new(Field::new(field.name(), carried(field.data_type())?, field.is_nullable())))
        });
        let read = read.collect::<Result<Vec<FieldRef>, _>>().map_err(unfit)?;
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        Ok(Self {
            schema,
            carried: Arc::new(Schema::new(read)),
            decoder: None,
            layout: layout.clone(),
            record,
            value,
            rest,
            waiting: Vec::new(),
        })
    }

    /// The columns that are written.
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Whether no row waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether there are rows for a batch.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= BATCH_ROWS
    }

    /// Adds a row, and fields without a column to `left_out`.
    pub(crate) fn push(&mut self, row: &OutputRow<'_>, left_out: &mut LeftOut) {
        let mut record = String::new();
        for field in &row.fields {
            match self.record.get(&*field.name) {
                Some(Kept::Typed) => push_field(&mut record, &field.name, field.raw),
                Some(Kept::Text) if field.raw.starts_with('"') || field.raw == "null" => {
                    push_field(&mut record, &field.name, field.raw);
                }
                Some(Kept::Text) => push_field(&mut record, &field.name, &record::quoted(field.raw)),
                None if row.error.is_some() && self.value.iter().any(|(name, _)| *name == field.name) => {}
                None => left_out.add(&field.name),
            }
        }
        let (mut value, mut rest) = (Vec::new(), Map::new());
        for (name, field) in &row.value {
            match self.value.iter().position(|(column, _)| column == name) {
                Some(at) => {
                    let fitted = self.value.get(at).map_or(Value::Null, |(_, shape)| shape.fit(field));
                    value.push((at, fitted));
                }
                None if self.rest.is_some() => {
                    rest.insert((*name).to_owned(), (*field).clone());
                }
                None => left_out.add(name),
            }
        }
        let is_map = self.value.is_empty() && row.error.is_none();
        let rest = (self.rest.is_some() && (!rest.is_empty() || is_map))
            .then(|| Value::String(Value::Object(rest).to_string()));
        let error = row.error.as_ref().and_then(|error| serde_json::to_value(error).ok());
        let error = error.map(|error| Shape::error().fit(&error));
        let mut took = String::new();
        if let (Meta::Shown, Some(meta)) = (self.layout.meta, &row.meta) {
            let meta: Map<String, Value> =
                META_FIELDS.map(str::to_owned).into_iter().zip(meta.clone()).collect();
            push_field(&mut took, META_FIELD, &Value::Object(meta).to_string());
        }
        if let Some(mark) = &row.unvalidated {
            push_field(&mut took, UNVALIDATED_FIELD, &mark.to_string());
        }
        self.waiting.push(Waiting { record, value, rest, error, took });
    }

    /// The waiting rows as a batch, and how many of them have an error instead of a value that does not fit its column.
    ///
    /// # Errors
    /// A record that does not fit the columns that it came from.
    pub(crate) fn batch(&mut self) -> Result<(RecordBatch, u64), ArrowError> {
        let mut rows = std::mem::take(&mut self.waiting);
        let mut misfits = 0;
        for row in &mut rows {
            let rounds = |(at, value): &(usize, Value)| {
                self.value.get(*at).is_some_and(|(_, shape)| shape.rounds(value))
            };
            if row.value.iter().any(rounds) {
                self.make_error(row);
                misfits += 1;
            }
        }
        let batch = if let Ok(batch) = self.decoded(&rows) {
            batch
        } else {
            for row in &mut rows {
                if self.decoded(std::slice::from_ref(row)).is_err() {
                    self.make_error(row);
                    misfits += 1;
                }
            }
            self.decoded(&rows)?
        };
        Ok((raised(&batch, &self.schema)?, misfits))
    }

    /// Replaces a row's value by an error that says where it does not fit.
    fn make_error(&self, row: &mut Waiting) {
        let found = row.value.iter().find_map(|(at, value)| {
            let (name, shape) = self.value.get(*at)?;
            shape.misfit(value, &step(name))
        });
        let (path, message) = found.unwrap_or_default();
        row.error = Some(json!({
            "kind": FailureKind::Invalid.name(),
            "message": "the value does not fit its column",
            "violations": [{ "path": path, "message": message }],
        }));
        (row.value, row.rest) = (Vec::new(), None);
    }

    fn decoded(&mut self, rows: &[Waiting]) -> Result<RecordBatch, ArrowError> {
        let mut text = String::new();
        for row in rows {
            text.push('{');
            let start = text.len();
            text.push_str(&row.record);
            let mut others = String::new();
            for (at, value) in &row.value {
                if let Some((name, _)) = self.value.get(*at) {
                    push_field(&mut others, name, &value.to_string());
                }
            }
            if let (Some(name), Some(rest)) = (&self.rest, &row.rest) {
                push_field(&mut others, name, &rest.to_string());
            }
            if let Some(error) = &row.error {
                push_field(&mut others, ERROR_FIELD, &error.to_string());
            }
            for part in [&others, &row.took] {
                if text.len() > start && !part.is_empty() {
                    text.push(',');
                }
                text.push_str(part);
            }
            text.push_str("}\n");
        }
        let mut decoder = match self.decoder.take() {
            Some(decoder) => decoder,
            None => {
                ReaderBuilder::new(Arc::clone(&self.carried)).with_batch_size(BATCH_ROWS).build_decoder()?
            }
        };
        let read = decoder.decode(text.as_bytes())?;
        if read < text.len() {
            return Err(ArrowError::JsonError(format!("{read} of {} bytes were read", text.len())));
        }
        let batch = decoder.flush()?;
        // After an error there may be something left in it.
        self.decoder = Some(decoder);
        Ok(batch.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&self.carried))))
    }
}

fn push_field(fields: &mut String, name: &str, raw: &str) {
    if !fields.is_empty() {
        fields.push(',');
    }
    fields.push_str(&record::quoted(name));
    fields.push(':');
    fields.push_str(raw);
}

/// The value's columns: one for each field beside the record's, or one for the whole.
fn value_columns(layout: &Layout, schema: &Value, explode: Option<&str>) -> Vec<(String, Shape)> {
    let whole = Shape::of(schema);
    match &layout.place {
        Place::Under(name) => match whole {
            Shape::List(items) if explode == Some(name) => vec![(name.clone(), *items)],
            whole => vec![(name.clone(), whole)],
        },
        Place::Beside(properties) => {
            let members = match whole {
                Shape::Struct(members) => members,
                Shape::Plain(_) | Shape::Text | Shape::List(_) | Shape::Map(_) => Vec::new(),
            };
            let mut members: HashMap<_, _> = members.into_iter().collect();
            let column = |name: &String| {
                let shape = members.remove(name).unwrap_or(Shape::Text);
                match shape {
                    Shape::List(items) if explode == Some(name) => (name.clone(), *items),
                    shape => (name.clone(), shape),
                }
            };
            properties.iter().map(column).collect()
        }
    }
}

fn meta_fields() -> Fields {
    let field = |name: &str| {
        let data_type = match name {
            "model" | "finish_reason" => DataType::Utf8,
            "cost_usd" | "latency_s" => DataType::Float64,
            "from_cache" => DataType::Boolean,
            _ => DataType::Int64,
        };
        Field::new(name, data_type, true)
    };
    META_FIELDS.into_iter().map(field).collect()
}

/// The input's column as the format holds it.
///
/// # Errors
/// A type that it cannot hold.
fn written(field: &FieldRef, format: OutputFormat) -> Result<FieldRef, Problem> {
    if format == OutputFormat::Arrow {
        return Ok(Arc::clone(field));
    }
    let data_type = in_parquet(field.data_type()).ok_or_else(|| {
        let message = format!(
            "Parquet cannot hold the column `{}` of the input: it has the type `{}`",
            field.name(),
            field.data_type()
        );
        Problem::new(message).hint(
            Hint::from("use ")
                .with(Setting::OutputFormat.exactly("arrow"))
                .with(", or leave the column out of the input"),
        )
    })?;
    Ok(Arc::new(Field::clone(field).with_data_type(data_type)))
}

/// The type that Parquet has for this one. A column of nulls is text: a reader takes the types of a data set from its first part.
fn in_parquet(data_type: &DataType) -> Option<DataType> {
    let field =
        |field: &FieldRef| Some(Arc::new(Field::clone(field).with_data_type(in_parquet(field.data_type())?)));
    Some(match data_type {
        DataType::Null => DataType::Utf8,
        DataType::Interval(IntervalUnit::MonthDayNano) | DataType::Union(_, _) => return None,
        DataType::RunEndEncoded(_, values) => in_parquet(values.data_type())?,
        DataType::List(items) | DataType::ListView(items) => DataType::List(field(items)?),
        DataType::LargeList(items) | DataType::LargeListView(items) => DataType::LargeList(field(items)?),
        DataType::FixedSizeList(items, length) => DataType::FixedSizeList(field(items)?, *length),
        DataType::Map(entries, sorted) => DataType::Map(field(entries)?, *sorted),
        DataType::Struct(members) if members.is_empty() => return None,
        DataType::Struct(members) => DataType::Struct(members.iter().map(field).collect::<Option<Fields>>()?),
        other => other.clone(),
    })
}
