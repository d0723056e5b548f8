//! Finds keys that occur twice in an object of a JSON text; a parsed value keeps only the last.

use serde_json::Value;

/// Whether some object of `text`, which is valid JSON and was parsed into `value`, has a duplicate key.
pub(crate) fn repeats_key(text: &str, value: &Value) -> bool {
    count_keys(value) != count_members(text)
}

/// How many keys the objects in a value have.
fn count_keys(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.len() + fields.values().map(count_keys).sum::<usize>(),
        Value::Array(items) => items.iter().map(count_keys).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// How many members the objects in a valid JSON text have: each has a colon outside of strings.
fn count_members(text: &str) -> usize {
    let (mut members, mut is_inside, mut is_escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_inside,
            b'"' => is_inside = !is_inside,
            b':' if !is_inside => members += 1,
            _ => {}
        }
    }
    members
}
