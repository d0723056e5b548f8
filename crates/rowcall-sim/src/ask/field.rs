//! Reads a field of a request's body: a text, the texts of its parts, an object.

use serde_json::{Map, Value};

/// The text in a field of a body that is checked elsewhere; empty if there is none.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The text of a content: the string itself, or the texts of its parts joined.
pub(crate) fn texts(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten();
    let texts = content.as_str().into_iter().chain(parts.filter_map(|part| part.get("text")?.as_str()));
    texts.collect()
}

/// The object in a field of a body that is checked elsewhere, if there is one.
pub(crate) fn object<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a Map<String, Value>> {
    object.get(field).and_then(Value::as_object)
}
