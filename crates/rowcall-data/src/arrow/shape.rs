//! The Arrow type for the values of a JSON Schema: values of one shape get their own type, values of several shapes
//! are JSON text.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_json::ReaderBuilder;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use serde_json::{Map, Value, json};

/// The shape of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// One of Arrow's own types, read directly from JSON.
    Plain(DataType),
    /// A string as it is, anything else as JSON text.
    Text,
    /// A list of values of one shape.
    List(Box<Self>),
    /// An object with these fields.
    Struct(Vec<(String, Self)>),
    /// An object whose fields all have values of this shape.
    Map(Box<Self>),
}

impl Shape {
    /// The shape of the values of `schema`.
    pub fn of(schema: &Value) -> Self {
        of(schema, schema, &[])
    }

    /// The shape of `_error`.
    pub fn error() -> Self {
        let text = |name: &str| (name.to_owned(), Self::Text);
        let violation = Self::Struct(vec![text("path"), text("message")]);
        Self::Struct(vec![
            text("kind"),
            text("message"),
            ("violations".to_owned(), Self::List(Box::new(violation))),
        ])
    }

    /// The shape with everything that is neither an object nor flat as JSON text.
    pub fn flat(self) -> Self {
        match self {
            Self::List(_) | Self::Map(_) => Self::Text,
            Self::Struct(members) => {
                Self::Struct(members.into_iter().map(|(name, shape)| (name, shape.flat())).collect())
            }
            Self::Plain(_) | Self::Text => self,
        }
    }

    /// The fields of an object; `None` for other values.
    pub fn fields(&self) -> Option<Vec<Field>> {
        match self {
            Self::Struct(members) => {
                Some(members.iter().map(|(name, shape)| Field::new(name, shape.data_type(), true)).collect())
            }
            Self::Plain(_) | Self::Text | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The Arrow type.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Plain(data_type) => data_type.clone(),
            Self::Text => DataType::Utf8,
            Self::List(items) => DataType::new_list(items.data_type(), true),
            Self::Struct(_) => DataType::Struct(Fields::from(self.fields().unwrap_or_default())),
            Self::Map(values) => {
                let entry = Fields::from(vec![
                    Field::new("key", DataType::Utf8, false),
                    Field::new("value", values.data_type(), true),
                ]);
                DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entry), false)), false)
            }
        }
    }

    /// `value` in the form that a column of this shape reads.
    pub fn fit(&self, value: &Value) -> Value {
        match (self, value) {
            (_, Value::Null) => Value::Null,
            (Self::Plain(_), value) | (Self::Text, value @ Value::String(_)) => value.clone(),
            (Self::List(items), Value::Array(values)) => {
                values.iter().map(|value| items.fit(value)).collect()
            }
            (Self::Struct(members), Value::Object(object)) => {
                let fitted = members.iter().filter_map(|(name, shape)| {
                    object.get(name).map(|value| (name.clone(), shape.fit(value)))
                });
                Value::Object(fitted.collect())
            }
            (Self::Map(values), Value::Object(object)) => {
                let fitted = object.iter().map(|(name, value)| (name.clone(), values.fit(value)));
                Value::Object(fitted.collect())
            }
            (Self::Text, value) => Value::String(value.to_string()),
            // A value that contradicts its schema does not fit, which building the column reports.
            (Self::List(_) | Self::Struct(_) | Self::Map(_), value) => value.clone(),
        }
    }

    /// Whether a column of this shape would round a number in `value`, which is fitted.
    pub fn rounds(&self, value: &Value) -> bool {
        rounds(self, value)
    }

    /// The first location in the fitted `value` at `path` that does not fit a column of this shape, with the problem.
    pub fn misfit(&self, value: &Value, path: &str) -> Option<(String, String)> {
        let under = |name: &str| format!("{path}{}", step(name));
        match (self, value) {
            (_, Value::Null) | (Self::Text, _) => None,
            (Self::List(items), Value::Array(values)) => {
                let mut items_at = values.iter().zip(0_usize..);
                items_at.find_map(|(value, at)| items.misfit(value, &under(&at.to_string())))
            }
            (Self::Struct(members), Value::Object(object)) => {
                members.iter().find_map(|(name, shape)| shape.misfit(object.get(name)?, &under(name)))
            }
            (Self::Map(values), Value::Object(object)) => {
                object.iter().find_map(|(name, value)| values.misfit(value, &under(name)))
            }
            (Self::Plain(DataType::Float64), Value::Number(number))
                if !rowcall::is_exact_as_float(number) =>
            {
                let message = format!(
                    "`{number}` has more digits than the column's type `{}` holds",
                    DataType::Float64
                );
                Some((path.to_owned(), message))
            }
            (Self::Plain(_) | Self::List(_) | Self::Struct(_) | Self::Map(_), value) => {
                let data_type = self.data_type();
                let field = Field::new("value", data_type.clone(), true);
                let row = json!({ "value": value });
                batch(&Arc::new(Schema::new(vec![field])), &[row]).err()?;
                Some((path.to_owned(), format!("`{value}` does not fit the column's type `{data_type}`")))
            }
        }
    }
}

/// A field name as a step of a JSON Pointer.
pub fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Whether a column of floats would round a number in `value`, which is fitted.
fn rounds(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Plain(DataType::Float64), Value::Number(number)) => !rowcall::is_exact_as_float(number),
        (Shape::List(items), Value::Array(values)) => values.iter().any(|value| rounds(items, value)),
        (Shape::Struct(members), Value::Object(object)) => {
            members.iter().any(|(name, shape)| object.get(name).is_some_and(|value| rounds(shape, value)))
        }
        (Shape::Map(values), Value::Object(object)) => object.values().any(|value| rounds(values, value)),
        (Shape::Plain(_) | Shape::Text | Shape::List(_) | Shape::Struct(_) | Shape::Map(_), _) => false,
    }
}

/// The record batch of rows that are objects.
///
/// # Errors
/// A value that does not fit its column.
pub fn batch(schema: &SchemaRef, rows: &[Value]) -> Result<RecordBatch, ArrowError> {
    let builder = ReaderBuilder::new(Arc::clone(schema)).with_batch_size(rows.len().max(1));
    let mut decoder = builder.build_decoder()?;
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, row).map_err(|error| ArrowError::JsonError(error.to_string()))?;
        text.push(b'\n');
    }
    // As text, in which numbers keep all their digits.
    let read = decoder.decode(&text)?;
    if read < text.len() {
        let message = format!("{read} of {} bytes were read", text.len());
        return Err(ArrowError::JsonError(message));
    }
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema))))
}

/// The shape of the values of `schema`, a part of `root`. A recursive type has no Arrow type: `open` has the
/// references that are being followed.
fn of(schema: &Value, root: &Value, open: &[&str]) -> Shape {
    let Some(keywords) = schema.as_object() else { return Shape::Text };
    if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return match target {
            Some(target) if !open.contains(&reference) => of(target, root, &[open, &[reference]].concat()),
            Some(_) | None => Shape::Text,
        };
    }
    if let Some(members) = keywords.get("enum").and_then(Value::as_array) {
        return common(members.iter().filter(|member| !member.is_null()).map(of_value));
    }
    if let Some(value) = keywords.get("const") {
        return of_value(value);
    }
    for alternatives in ["anyOf", "oneOf"] {
        if let Some(alternatives) = keywords.get(alternatives).and_then(Value::as_array) {
            let others =
                alternatives.iter().filter(|alternative| alternative.get("type") != Some(&json!("null")));
            return common(others.map(|alternative| of(alternative, root, open)));
        }
    }
    if let Some([only]) = keywords.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        return of(only, root, open);
    }
    match keywords.get("type") {
        Some(Value::String(name)) => of_type(name, keywords, root, open),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            common(names.map(|name| of_type(name, keywords, root, open)))
        }
        None if keywords.contains_key("properties") => of_type("object", keywords, root, open),
        Some(_) | None => Shape::Text,
    }
}

fn of_type(name: &str, keywords: &Map<String, Value>, root: &Value, open: &[&str]) -> Shape {
    match name {
        "string" => match keywords.get("format").and_then(Value::as_str) {
            Some("date") => Shape::Plain(DataType::Date32),
            Some("date-time") => Shape::Plain(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
            Some(_) | None => Shape::Text,
        },
        "integer" => Shape::Plain(DataType::Int64),
        "number" => Shape::Plain(DataType::Float64),
        "boolean" => Shape::Plain(DataType::Boolean),
        "array" => of_array(keywords, root, open),
        "object" => of_object(keywords, root, open),
        _ => Shape::Text,
    }
}

fn of_array(keywords: &Map<String, Value>, root: &Value, open: &[&str]) -> Shape {
    let prefix = keywords.get("prefixItems").and_then(Value::as_array);
    let items = match (prefix, keywords.get("items")) {
        (Some(prefix), _) => common(prefix.iter().map(|item| of(item, root, open))),
        (None, Some(items)) => of(items, root, open),
        (None, None) => Shape::Text,
    };
    Shape::List(Box::new(items))
}

fn of_object(keywords: &Map<String, Value>, root: &Value, open: &[&str]) -> Shape {
    match (keywords.get("properties").and_then(Value::as_object), keywords.get("additionalProperties")) {
        (Some(properties), _) if !properties.is_empty() => Shape::Struct(
            properties.iter().map(|(name, schema)| (name.clone(), of(schema, root, open))).collect(),
        ),
        (_, Some(values @ Value::Object(_))) => Shape::Map(Box::new(of(values, root, open))),
        (_, _) => Shape::Text,
    }
}

fn of_value(value: &Value) -> Shape {
    match value {
        Value::Bool(_) => Shape::Plain(DataType::Boolean),
        Value::Number(number) if number.is_i64() => Shape::Plain(DataType::Int64),
        Value::Number(_) => Shape::Plain(DataType::Float64),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => Shape::Text,
    }
}

/// The shape that all of these share. An integer counts as a number.
fn common(mut shapes: impl Iterator<Item = Shape>) -> Shape {
    let Some(first) = shapes.next() else { return Shape::Text };
    shapes.fold(first, |one, other| match (one, other) {
        (one, other) if one == other => one,
        (Shape::Plain(DataType::Int64), Shape::Plain(DataType::Float64))
        | (Shape::Plain(DataType::Float64), Shape::Plain(DataType::Int64)) => Shape::Plain(DataType::Float64),
        (_, _) => Shape::Text,
    })
}
