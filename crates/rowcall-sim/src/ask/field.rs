//! What stands in a field of a request's body: a text, the texts of its parts, an object.

use serde_json::{Map, Value};

/// The text of a field of a body that has been, or will be, judged; empty if there is none.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// What a content says: the text that it is, or those of its parts together.
pub(crate) fn texts(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten();
    let texts = content.as_str().into_iter().chain(parts.filter_map(|part| part.get("text")?.as_str()));
    texts.collect()
}

/// The object in a field of a body that has been, or will be, judged, if one is there.
pub(crate) fn object<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a Map<String, Value>> {
    object.get(field).and_then(Value::as_object)
}
