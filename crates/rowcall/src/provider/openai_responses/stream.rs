//! Reads a streamed response. The last event contains the whole response, so almost all others can be skipped.

use serde_json::Value;

use super::super::{openai_error, sse};
use crate::fault::{Fault, FaultKind};
use crate::request::Response;

/// The complete body for the stream in `response`; for a stream that ended in an error, the error body.
///
/// # Errors
/// If the stream ends before the answer does.
pub(super) fn whole(response: &Response) -> Result<Vec<u8>, Fault> {
    let mut done = Vec::new();
    for event in sse::events(&response.body) {
        let Ok(mut data) = serde_json::from_str::<Value>(&event.data) else { break };
        if let Some(error) = openai_error::in_event(event.name, &data) {
            return Ok(error.to_string().into_bytes());
        }
        let kind = data.get("type").and_then(Value::as_str).unwrap_or(event.name);
        match kind {
            "response.completed" | "response.incomplete" | "response.failed" => {
                let whole = data.get_mut("response").map(Value::take).unwrap_or_default();
                return Ok(with_items(whole, done).to_string().into_bytes());
            }
            "response.output_item.done" => done.extend(data.get_mut("item").map(Value::take)),
            _ => {}
        }
    }
    Err(openai_error::in_success(
        response,
        FaultKind::Connection,
        "the stream ended before the answer did".to_owned(),
    ))
}

/// The whole response, with the items that were sent one by one if the server omits them from the last event.
fn with_items(mut whole: Value, items: Vec<Value>) -> Value {
    let is_empty = whole.get("output").and_then(Value::as_array).is_none_or(Vec::is_empty);
    if is_empty && let Some(fields) = whole.as_object_mut() {
        fields.insert("output".to_owned(), Value::Array(items));
    }
    whole
}
