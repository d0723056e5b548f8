//! JSON that a model writes as text where the wire form has no schema for it. As in an answer, it must be complete, and no object
//! may repeat a key.

use serde_json::{Value, json};

use crate::repeated_key::repeats_key;
use crate::schema::breach::{Breach, Expected};
use crate::violation::escaped;

/// The only key of an object that replaces a text without a complete value. It cannot be a name in a value, since
/// these are not characters.
const SPOILT: &str = "\u{10FFFE}spoilt\u{10FFFE}";

/// The value that a text holds; `None` if it does not look like JSON.
///
/// # Errors
/// The reason why a text that looks like JSON is invalid.
pub(super) fn read(text: &str) -> Result<Option<Value>, String> {
    let trimmed = text.trim();
    match serde_json::from_str::<Value>(trimmed) {
        Ok(value) if repeats_key(trimmed, &value) => {
            Err("holds JSON with a key more than once in an object, expected each key once".to_owned())
        }
        Ok(value) => Ok(Some(value)),
        Err(error) if trimmed.starts_with(['{', '[']) || is_open_string(trimmed) => Err(if error.is_eof() {
            "holds JSON that ends before it is complete, expected one whole value".to_owned()
        } else {
            format!("begins like JSON and cannot be read, expected one value as JSON: {error}")
        }),
        Err(_) => Ok(None),
    }
}

/// Whether a text begins with a quote that nothing closes.
fn is_open_string(text: &str) -> bool {
    text.starts_with('"') && !text.get(1..).unwrap_or_default().contains('"')
}

/// What stands for a text that holds no whole value, until all else is in its place.
pub(super) fn spoilt(text: &str, why: &str) -> Value {
    json!({ SPOILT: [text, why] })
}

/// Puts the texts back and says what is wrong with them. `path` leads to `value`.
pub(super) fn take_spoilt(value: &mut Value, path: &mut String, found: &mut Vec<Breach>) {
    let length = path.len();
    match value {
        Value::Object(fields) => {
            if let Some(Value::Array(parts)) = fields.get_mut(SPOILT)
                && let [text, Value::String(why)] = parts.as_mut_slice()
            {
                found.push(Breach::new(path, std::mem::take(why), Expected::Other));
                *value = text.take();
                return;
            }
            for (name, field) in fields {
                path.push('/');
                path.push_str(&escaped(name));
                take_spoilt(field, path, found);
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter_mut().enumerate() {
                path.push_str(&format!("/{position}"));
                take_spoilt(item, path, found);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
