//! Assembles a streamed response from its chunks into what a plain body would have been.

use serde_json::{Map, Value, json};

use crate::fault::{Fault, FaultKind};
use crate::provider::{gemini_error, openai_error};
use crate::request::Response;

/// The response of a stream: the parts of all chunks in order, and the last value of everything else.
///
/// # Errors
/// The fault that a chunk reports, or a broken connection if the stream ends before the answer does.
pub(super) fn whole(response: &Response, chunks: impl Iterator<Item = Value>) -> Result<Value, Fault> {
    let mut answer = Map::new();
    let mut candidate = Map::new();
    let mut parts = Vec::new();
    for chunk in chunks {
        if chunk.get("error").is_some_and(|error| !openai_error::is_empty(error)) {
            let body = chunk.to_string().into();
            return Err(gemini_error::classify(&Response { body, ..response.clone() }));
        }
        let Value::Object(mut chunk) = chunk else { continue };
        if let Some(Value::Array(candidates)) = chunk.remove("candidates")
            && let Some(Value::Object(mut more)) = candidates.into_iter().find(is_first)
        {
            if let Some(Value::Array(more)) =
                more.get_mut("content").and_then(|content| content.get_mut("parts"))
            {
                parts.append(more);
            }
            more.remove("content");
            candidate.extend(more);
        }
        answer.extend(chunk);
    }
    let is_blocked =
        answer.get("promptFeedback").is_some_and(|feedback| feedback.get("blockReason").is_some());
    if candidate.get("finishReason").is_some_and(Value::is_string) {
        candidate.insert("content".to_owned(), json!({"role": "model", "parts": parts}));
        answer.insert("candidates".to_owned(), json!([candidate]));
    } else if !is_blocked {
        let words = "the stream ended before the answer did".to_owned();
        return Err(openai_error::in_success(response, FaultKind::Connection, words));
    }
    Ok(Value::Object(answer))
}

/// Further candidates come only where a user asks for them, and are not read in a plain body either.
fn is_first(candidate: &Value) -> bool {
    candidate.get("index").is_none_or(|index| index == 0)
}
