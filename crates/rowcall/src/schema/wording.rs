//! How values and limits are put into words, in bounded length, for violations and for problems with a schema.

use serde_json::Value;

use crate::error::did_you_mean;

/// Characters of a value or a pattern that are shown, at most.
const SHOWN: usize = 80;

/// Characters of a list of allowed values or names that are shown, at most.
const LISTED: usize = 300;

/// `text`, its end left out past 80 characters.
pub(super) fn cut(text: &str) -> String {
    cut_to(SHOWN, text)
}

/// `text`, its end left out past 300 characters.
pub(super) fn cut_long(text: &str) -> String {
    cut_to(LISTED, text)
}

fn cut_to(most: usize, text: &str) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// A value in backticks: a string without its quotes, anything else as JSON.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", cut(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            format!("`{}`", cut(&value.to_string()))
        }
    }
}

/// A value as JSON.
pub(super) fn quoted(value: &Value) -> String {
    cut(&value.to_string())
}

/// Values as JSON, separated by commas, with their number if not all are shown.
pub(super) fn listed(values: &[Value]) -> String {
    enumerated(values.iter().map(quoted))
}

fn enumerated(parts: impl ExactSizeIterator<Item = String>) -> String {
    let total = parts.len();
    let mut list = String::new();
    for (number, part) in parts.enumerate() {
        if list.len() + part.len() > LISTED && number > 0 {
            return format!("{list}, … ({total} in all)");
        }
        if number > 0 {
            list.push_str(", ");
        }
        list.push_str(&part);
    }
    list
}

/// Properties that the schema does not know, with those that it does.
pub(super) fn unexpected(names: &[String], known: &[String]) -> String {
    let word = if names.len() == 1 { "property" } else { "properties" };
    let names_shown = enumerated(names.iter().map(|name| format!("`{}`", cut(name))));
    let near = match names {
        [name] if is_short(name) => {
            did_you_mean(name, known.iter().map(String::as_str).filter(|name| is_short(name)))
        }
        _ => None,
    };
    match near {
        Some(near) => format!("unexpected {word} {names_shown}, {near}"),
        None if known.is_empty() => format!("unexpected {word} {names_shown}"),
        None => format!(
            "unexpected {word} {names_shown} (known: {})",
            enumerated(known.iter().map(|name| cut(name)))
        ),
    }
}

/// Likeness takes the product of both lengths to find out.
fn is_short(name: &str) -> bool {
    name.len() <= SHOWN
}

pub(super) fn too_many(value: &Value, unit: &str, most: u64) -> String {
    format!("has {}, expected at most {most}", counted(value, unit))
}

pub(super) fn too_few(value: &Value, unit: &str, least: u64) -> String {
    format!("has {}, expected at least {least}", counted(value, unit))
}

/// How many items, characters or properties `value` has.
fn counted(value: &Value, unit: &str) -> String {
    let count = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        Value::String(text) => text.chars().count(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    number_of(count as u64, unit)
}

/// "1 item", "2 items", "2 properties".
pub(super) fn number_of(count: u64, unit: &str) -> String {
    match (count, unit.strip_suffix('y')) {
        (1, _) => format!("1 {unit}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {unit}s"),
    }
}

pub(super) fn not_of_format(value: &Value, format: &str) -> String {
    let shown = shown(value);
    let form = match format {
        "date" => "YYYY-MM-DD",
        "date-time" => "RFC 3339, such as 2026-01-31T12:00:00Z",
        "time" => "RFC 3339, such as 12:00:00Z",
        "duration" => "ISO 8601, such as P1DT2H",
        "email" => "such as name@example.org",
        "uri" => "absolute, such as https://example.org/",
        "uuid" => "such as 123e4567-e89b-12d3-a456-426614174000",
        _ => return format!("{shown} is not a valid `{format}`"),
    };
    format!("{shown} is not a valid `{format}` ({form})")
}
