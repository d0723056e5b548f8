//! `--examples`: rows with their values from a file, in the form of an output or with the value in its own field. The library checks
//! that they are valid.

use std::path::Path;

use rowcall::{AnsweredRow, Error, Problem, Result, Row, Schema, Source};
use rowcall_data::{Input, InputFormat, InputOptions};
use serde_json::{Map, Value};

/// Fields that may hold the whole value, besides that of `--into`.
const WHOLE: [&str; 2] = ["value", "output"];

/// The field of an output that says why a row failed: null, or empty in CSV, for a row with a value.
const ERROR: &str = "_error";

/// The field, or the prefix of columns, in which an output says what a row took.
const META: &str = "_meta";
const COLUMN_OF_META: &str = "_meta_";

/// Rows read at a time.
const ROWS_AT_A_TIME: usize = 512;

/// The rows of the file at `path` with their values, which are in the field `into` if that is given.
///
/// # Errors
/// If the file cannot be read, or a row has no value; with the line, if the format has lines.
pub(crate) async fn read(path: &Path, schema: &Schema, into: Option<&str>) -> Result<Vec<AnsweredRow>> {
    let format = InputFormat::of(path).map_err(|problem| {
        Error::Config(problem.hint("examples are read from `.jsonl`, `.json`, `.csv` and `.tsv`"))
    })?;
    let lines = lines(path, format);
    let mut input = Input::open(path, InputOptions { format: Some(format), ..InputOptions::default() })?;
    let mut examples = Vec::new();
    loop {
        let rows = input.next(ROWS_AT_A_TIME).await.map_err(as_config)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let location = location(path, &row, &lines);
            let refused =
                |reason: String| Error::Config(Problem::new(format!("{location}: {reason}")).hint(HINT));
            // This message already names the file and the line.
            let fields = row
                .fields
                .map_err(|unreadable| Error::Config(Problem::new(unreadable.message).hint(HINT)))?;
            let (fields, value) = split(fields, schema, into).map_err(refused)?;
            let value = if is_text_only(format) { typed(value, schema) } else { value };
            examples.push(AnsweredRow { fields, value, place: Some(location) });
        }
    }
    if examples.is_empty() {
        let message = format!("the examples `{}` are empty, expected at least one row", path.display());
        return Err(Error::Config(Problem::new(message).hint(HINT)));
    }
    Ok(examples)
}

const HINT: &str = "an example is a row as in an output: the input's fields with the value's fields beside them, or with the whole value in `value`";

/// Nothing has been sent yet, so a bad file is wrong usage.
fn as_config(error: Error) -> Error {
    match error {
        Error::Source(problem) => Error::Config(problem),
        other => other,
    }
}

/// The line numbers of the records, if each line is a record and the file can be read again.
fn lines(path: &Path, format: InputFormat) -> Vec<usize> {
    match format {
        InputFormat::JsonLines => {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let records = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
            records.map(|(number, _)| number).collect()
        }
        InputFormat::Csv
        | InputFormat::Tsv
        | InputFormat::Json
        | InputFormat::Text
        | InputFormat::Parquet
        | InputFormat::Arrow
        | InputFormat::Spreadsheet => Vec::new(),
    }
}

fn location(path: &Path, row: &Row, lines: &[usize]) -> String {
    let path = path.display();
    match lines.get(row.index as usize) {
        Some(line) => format!("the examples `{path}`, line {line}"),
        None => format!("the examples `{path}`, record {}", row.index + 1),
    }
}

/// Splits a record into the row's fields and the value.
fn split(
    mut fields: Map<String, Value>,
    schema: &Schema,
    into: Option<&str>,
) -> std::result::Result<(Map<String, Value>, Value), String> {
    if fields.get(ERROR).is_some_and(|error| !error.is_null() && *error != "") {
        return Err(format!("the row failed (`{ERROR}` is not empty), so it has no value"));
    }
    fields.retain(|name, _| name != ERROR && name != META && !name.starts_with(COLUMN_OF_META));
    let properties = schema.properties().unwrap_or_default();
    let is_beside = into.is_none() && properties.iter().any(|name| fields.contains_key(name));
    let mut names = into.into_iter().chain(WHOLE);
    if !is_beside && let Some(value) = names.find_map(|name| fields.shift_remove(name)) {
        return Ok((fields, value));
    }
    let value: Map<_, _> = properties
        .into_iter()
        .filter_map(|name| fields.shift_remove(&name).map(|value| (name, value)))
        .collect();
    if value.is_empty() {
        let names: Vec<_> = into.into_iter().chain(WHOLE).map(|name| format!("`{name}`")).collect();
        return Err(format!(
            "the row has no value, neither in the schema's fields nor in {}",
            names.join(" or ")
        ));
    }
    Ok((fields, Value::Object(value)))
}

/// Whether all fields of a record are text.
fn is_text_only(format: InputFormat) -> bool {
    match format {
        InputFormat::Csv | InputFormat::Tsv | InputFormat::Text => true,
        InputFormat::JsonLines
        | InputFormat::Json
        | InputFormat::Parquet
        | InputFormat::Arrow
        | InputFormat::Spreadsheet => false,
    }
}

/// A value from texts as in a CSV output: a text that the schema does not accept is read as JSON, and an empty one as null or absent.
/// A text that fits neither way is kept, so that the library reports it.
fn typed(value: Value, schema: &Schema) -> Value {
    let mut value = schema.coerce(value);
    let Value::Object(fields) = &value else {
        return if schema.validates(&value) { value } else { from_json(&value).unwrap_or(value) };
    };
    for name in fields.keys().cloned().collect::<Vec<_>>() {
        if is_valid_at(&value, &name, schema) {
            continue;
        }
        let Some(field) = value.get_mut(&name) else { continue };
        if let Some(read) = from_json(field) {
            *field = read;
        }
        if field.is_null()
            && !is_valid_at(&value, &name, schema)
            && let Value::Object(fields) = &mut value
        {
            fields.shift_remove(&name);
        }
    }
    value
}

fn from_json(text: &Value) -> Option<Value> {
    match text.as_str()? {
        "" => Some(Value::Null),
        text => serde_json::from_str(text).ok(),
    }
}

/// Whether a field of `value` has no violation of its own.
fn is_valid_at(value: &Value, name: &str, schema: &Schema) -> bool {
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    !schema.violations(value).iter().any(|violation| violation.path == pointer)
}

#[cfg(test)]
mod tests;
