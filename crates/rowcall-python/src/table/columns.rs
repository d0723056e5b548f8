//! The columns that a table gets: those of the values, `_error`, and what each row took. `rowcall-data` decides the
//! Arrow type of a value.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use rowcall::{Extractor, FailureKind, Outcome, Problem};
use rowcall_data::arrow::{self, Shape};
use rowcall_data::took;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The column that says why a row has no value.
pub(super) const ERROR_COLUMN: &str = "_error";

/// The column of what a row took.
const META_COLUMN: &str = "_meta";

/// The column of values that are not objects.
const VALUE_COLUMN: &str = "value";

/// What separates the names in a nested field's column.
const STEP: char = '.';

/// Which columns are added.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Look {
    /// The name of one column for the whole value.
    into: Option<String>,
    /// A prefix for the names of the value's columns.
    prefix: Option<String>,
    /// Whether each nested field has its own column, and whatever is not flat is text.
    flatten: bool,
    /// Whether to add what each row took.
    meta: bool,
    /// Whether existing columns of these names are replaced.
    replace: bool,
}

/// One column of the values.
#[derive(Debug, Clone)]
struct Leaf {
    name: String,
    /// The fields on the path to it.
    path: Vec<String>,
    shape: Shape,
}

/// The columns added to a table.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    look: Look,
    shape: Shape,
    leaves: Vec<Leaf>,
    pub(super) schema: SchemaRef,
}

impl Columns {
    /// The columns for values of this JSON Schema.
    ///
    /// # Errors
    /// A name that rowcall reserves, or that two columns would share.
    pub(crate) fn new(values: &Value, look: Look) -> Result<Self, Problem> {
        let whole = Shape::of(values);
        let shape = if look.flatten { whole.flat() } else { whole };
        let leaves = leaves(&shape, &look);
        let meta = meta_fields(&look);
        let error = if look.flatten { DataType::Utf8 } else { Shape::error().data_type() };
        let fields = leaves.iter().map(|leaf| Field::new(&leaf.name, leaf.shape.data_type(), true));
        let fields = fields.chain([Field::new(ERROR_COLUMN, error, true)]).chain(meta).collect::<Vec<_>>();
        let mut names = HashSet::new();
        if let Some(twice) = fields.iter().map(Field::name).find(|name| !names.insert(name.as_str())) {
            return Err(taken(twice, &look));
        }
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { look, shape, leaves, schema })
    }

    /// Checks that they do not clash with the input's columns, and that the template finds all columns that it needs.
    ///
    /// # Errors
    /// A column that exists already, and a variable without a column.
    pub(crate) fn check(&self, input: &[String], extractor: &Extractor<Value>) -> Result<(), Problem> {
        let is_there = |field: &&Arc<Field>| !self.look.replace && input.contains(field.name());
        if let Some(field) = self.schema.fields().iter().find(is_there) {
            return Err(self.clash(field.name()));
        }
        match extractor.variables().into_iter().find(|name| !input.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let message = format!("the template uses `{name}`, but the table has no such column");
                Err(Problem::new(message).hint(format!("the columns are `{}`", input.join("`, `"))))
            }
        }
    }

    fn clash(&self, name: &str) -> Problem {
        let is_whole = self.look.into.as_deref() == Some(name);
        let (what, hint) = match name {
            ERROR_COLUMN => ("which says why a row has no value", "drop or rename it"),
            _ if name.starts_with(META_COLUMN) && self.look.meta => {
                ("which says what a row took", "drop or rename it, or leave out `meta=True`")
            }
            _ if is_whole => ("which `into` uses for the whole value", "choose another name with `into=`"),
            _ => (
                "which is a field of the value",
                "rename the value's columns with `prefix=\"answer_\"`, put the value into one column with \
                 `into=\"answer\"`, or ask again about some rows of an earlier result with `only=`",
            ),
        };
        Problem::new(format!("the table already has a column `{name}`, {what}")).hint(hint)
    }

    /// The row of these columns for an outcome.
    pub(super) fn row(&self, outcome: &Outcome) -> Value {
        let mut row = match &outcome.result {
            Ok(value) => self.of_value(value),
            Err(failure) => self.of_error(&json!({
                "kind": failure.kind.name(),
                "message": failure.message,
                "violations": failure.violations,
            })),
        };
        if self.look.meta {
            let took = took(outcome).into_iter();
            if self.look.flatten {
                row.extend(took.map(|(name, value)| (meta_column(name), value)));
            } else {
                let took = took.map(|(name, value)| (name.to_owned(), value)).collect();
                row.insert(META_COLUMN.to_owned(), Value::Object(took));
            }
        }
        Value::Object(row)
    }

    /// The row for one that was not asked about.
    pub(super) fn unasked() -> Value {
        Value::Object(Map::new())
    }

    /// The row for one that was not done when its call ended.
    pub(super) fn abandoned(&self) -> Value {
        let message = "the call ended before the row was done";
        Value::Object(self.of_error(&json!({ "kind": "abandoned", "message": message })))
    }

    /// The columns of these rows. A row whose value does not fit its column gets an error instead.
    pub(super) fn batch(&self, mut rows: Vec<Value>) -> Result<RecordBatch, ArrowError> {
        if let Ok(batch) = arrow::batch(&self.schema, &rows) {
            return Ok(batch);
        }
        for row in &mut rows {
            if let Err(error) = arrow::batch(&self.schema, std::slice::from_ref(row)) {
                let misfit = self.misfit(row, &error);
                let Value::Object(fields) = row else { continue };
                fields.retain(|name, _| name.starts_with(META_COLUMN));
                fields.extend(self.of_error(&misfit));
            }
        }
        arrow::batch(&self.schema, &rows)
    }

    fn of_value(&self, value: &Value) -> Map<String, Value> {
        let value = self.shape.fit(value);
        let column = |leaf: &Leaf| {
            let found = leaf.path.iter().try_fold(&value, |within, step| within.get(step));
            Some((leaf.name.clone(), found?.clone()))
        };
        let row: Map<String, Value> = self.leaves.iter().filter_map(column).collect();
        let rounds = |leaf: &Leaf| row.get(&leaf.name).is_some_and(|value| leaf.shape.rounds(value));
        if self.leaves.iter().any(rounds) {
            let error = ArrowError::ComputeError("a number would be rounded".to_owned());
            return self.of_error(&self.misfit(&Value::Object(row), &error));
        }
        row
    }

    fn of_error(&self, error: &Value) -> Map<String, Value> {
        let word = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let error = if self.look.flatten {
            format!("{}: {}", word("kind"), word("message")).into()
        } else {
            error.clone()
        };
        Map::from_iter([(ERROR_COLUMN.to_owned(), error)])
    }

    /// Why the row does not fit the columns.
    fn misfit(&self, row: &Value, error: &ArrowError) -> Value {
        let found = self.leaves.iter().find_map(|leaf| {
            let path: String = leaf.path.iter().map(|step| arrow::step(step)).collect();
            leaf.shape.misfit(row.get(&leaf.name)?, &path)
        });
        let (path, message) = found.unwrap_or_else(|| (String::new(), error.to_string()));
        json!({
            "kind": FailureKind::Invalid.name(),
            "message": "the value does not fit its column",
            "violations": [{ "path": path, "message": message }],
        })
    }
}

fn leaves(shape: &Shape, look: &Look) -> Vec<Leaf> {
    let prefix = look.prefix.as_deref().unwrap_or_default();
    let mut found = Vec::new();
    match (shape, &look.into) {
        (Shape::Struct(members), None) => {
            for (name, member) in members {
                add(&mut found, format!("{prefix}{name}"), vec![name.clone()], member, look.flatten);
            }
        }
        (_, into) => {
            let name = into.as_deref().unwrap_or(VALUE_COLUMN);
            add(&mut found, format!("{prefix}{name}"), Vec::new(), shape, look.flatten);
        }
    }
    found
}

fn add(found: &mut Vec<Leaf>, name: String, path: Vec<String>, shape: &Shape, flatten: bool) {
    match shape {
        Shape::Struct(members) if flatten => {
            for (field, member) in members {
                let path = path.iter().chain([field]).cloned().collect();
                add(found, format!("{name}{STEP}{field}"), path, member, flatten);
            }
        }
        Shape::Struct(_) | Shape::Plain(_) | Shape::Text | Shape::List(_) | Shape::Map(_) => {
            found.push(Leaf { name, path, shape: shape.clone() });
        }
    }
}

/// The columns of what a row took.
fn meta_fields(look: &Look) -> Vec<Field> {
    if !look.meta {
        return Vec::new();
    }
    let names = took(&Outcome::unasked(0, rowcall::Failure::unasked(FailureKind::Input, ""))).into_iter();
    let fields = names.map(|(name, _)| {
        let data_type = match name {
            "model" | "finish_reason" => DataType::Utf8,
            "cost_usd" | "latency_s" => DataType::Float64,
            "from_cache" => DataType::Boolean,
            _ => DataType::Int64,
        };
        (name, data_type)
    });
    if look.flatten {
        return fields.map(|(name, data_type)| Field::new(meta_column(name), data_type, true)).collect();
    }
    let fields: Vec<_> = fields.map(|(name, data_type)| Field::new(name, data_type, true)).collect();
    vec![Field::new(META_COLUMN, DataType::Struct(fields.into()), true)]
}

fn meta_column(name: &str) -> String {
    format!("{META_COLUMN}_{name}")
}

/// The problem that two columns would be called `name`.
fn taken(name: &str, look: &Look) -> Problem {
    if name == ERROR_COLUMN || name == META_COLUMN {
        let (what, hint) = match &look.into {
            Some(into) if into == name => ("`into` is", "give the value another name"),
            _ => ("a field of the value has", "put the value into one column with `into=`"),
        };
        return Problem::new(format!("{what} `{name}`, the name of a column that rowcall adds")).hint(hint);
    }
    Problem::new(format!("two fields of the value would have the column `{name}`"))
        .hint("leave out `flatten=True`, or give the value's fields other names")
}
