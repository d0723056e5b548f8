//! `--examples`: rows with their values from a file, in the form of an output of ours or with the value under a name of its own.
//! Whether they are valid is the library's business.

use std::path::Path;

use rowcall::{AnsweredRow, Error, Problem, Result, Row, Schema, Source};
use rowcall_data::{Input, InputFormat, InputOptions};
use serde_json::{Map, Value};

/// Names under which the whole value may stand, if not under that of `--into`.
const WHOLE: [&str; 2] = ["value", "output"];

/// Where an output tells why a row has no value: null, or empty in CSV, if it has one.
const ERROR: &str = "_error";

/// Where an output tells what a row took, as one field or as columns.
const META: &str = "_meta";
const COLUMN_OF_META: &str = "_meta_";

/// Rows read at a time.
const ROWS_AT_A_TIME: usize = 512;

/// The rows of the file at `path` with their values, which satisfy `schema` and stand under `into` if that is given.
///
/// # Errors
/// If the file cannot be read, with the line as far as the format has lines, or a row has no value.
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
            let place = place(path, &row, &lines);
            let refused =
                |reason: String| Error::Config(Problem::new(format!("{place}: {reason}")).hint(HINT));
            // That names the file and the line itself.
            let fields = row
                .fields
                .map_err(|unreadable| Error::Config(Problem::new(unreadable.message).hint(HINT)))?;
            let (fields, value) = split(fields, schema, into).map_err(refused)?;
            let value = if is_text_only(format) { typed(value, schema) } else { value };
            examples.push(AnsweredRow { fields, value, place: Some(place) });
        }
    }
    if examples.is_empty() {
        let message = format!("the examples `{}` are none, expected at least one", path.display());
        return Err(Error::Config(Problem::new(message).hint(HINT)));
    }
    Ok(examples)
}

const HINT: &str = "an example is a row of an output: the input's fields, and beside them the value's, or the value under `value`";

/// Nothing has been sent yet, so what is wrong with the file is wrong usage.
fn as_config(error: Error) -> Error {
    match error {
        Error::Source(problem) => Error::Config(problem),
        other => other,
    }
}

/// The numbers of the lines that are records, if a line is a record and the text can be read again.
fn lines(path: &Path, format: InputFormat) -> Vec<usize> {
    match format {
        InputFormat::JsonLines => {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let records = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
            records.map(|(number, _)| number).collect()
        }
        InputFormat::Csv | InputFormat::Tsv | InputFormat::Json | InputFormat::Text => Vec::new(),
    }
}

fn place(path: &Path, row: &Row, lines: &[usize]) -> String {
    let path = path.display();
    match lines.get(row.index as usize) {
        Some(line) => format!("the examples `{path}`, line {line}"),
        None => format!("the examples `{path}`, record {}", row.index + 1),
    }
}

/// Takes a record apart into the row's fields and the value.
fn split(
    mut fields: Map<String, Value>,
    schema: &Schema,
    into: Option<&str>,
) -> std::result::Result<(Map<String, Value>, Value), String> {
    if fields.get(ERROR).is_some_and(|error| !error.is_null() && *error != "") {
        return Err(format!("has failed (`{ERROR}` is not empty), so it has no value to go by"));
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
            "has no value, neither in fields of the schema nor under {}",
            names.join(" or ")
        ));
    }
    Ok((fields, Value::Object(value)))
}

/// Whether all fields of a record are texts.
fn is_text_only(format: InputFormat) -> bool {
    match format {
        InputFormat::Csv | InputFormat::Tsv | InputFormat::Text => true,
        InputFormat::JsonLines | InputFormat::Json => false,
    }
}

/// A value from texts as an output in CSV has them: what the schema does not take as a text is read as JSON, and an empty one as
/// null or absent. What fits in no way is left as it is, to be told.
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

/// Whether nothing is wrong with a field of `value` itself.
fn is_valid_at(value: &Value, name: &str, schema: &Schema) -> bool {
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    !schema.violations(value).iter().any(|violation| violation.path == pointer)
}

#[cfg(test)]
mod tests;
