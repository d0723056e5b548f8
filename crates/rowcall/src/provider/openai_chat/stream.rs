//! Assembles a streamed chat completion: from the chunks of a stream to the body that the server would have sent without one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{openai_error, sse};
use super::answer;
use super::message::{self, THOUGHTS};
use crate::fault::{Fault, FaultKind};
use crate::request::Response;
use crate::turn::Finish;

/// The data of the last event.
const END: &str = "[DONE]";

/// The content of the chunks so far.
#[derive(Debug, Default)]
struct Whole {
    content: String,
    refusal: String,
    thoughts: String,
    /// By index, which each piece of a call carries.
    calls: BTreeMap<u64, Call>,
    finish_reason: Option<String>,
    /// Whether the server has sent the end mark.
    is_ended: bool,
    model: Value,
    usage: Value,
    service_tier: Value,
}

#[derive(Debug, Default)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

/// The complete body for the stream in `response`; for a stream that ended in an error, the error body.
///
/// # Errors
/// If the stream ends before the answer does: with neither a finish reason nor an end mark.
pub(super) fn whole(response: &Response) -> Result<Vec<u8>, Fault> {
    let mut whole = Whole::default();
    for event in sse::events(&response.body) {
        // The end mark, or a chunk that was cut off.
        let Ok(chunk) = serde_json::from_str::<Value>(&event.data) else {
            whole.is_ended = event.data.trim() == END;
            break;
        };
        if let Some(error) = openai_error::in_event(event.name, &chunk) {
            return Ok(error.to_string().into_bytes());
        }
        whole.add(chunk);
    }
    match whole.body() {
        Some(body) => Ok(body.to_string().into_bytes()),
        None => Err(openai_error::in_success(
            response,
            FaultKind::Connection,
            "the stream ended before the answer did".to_owned(),
        )),
    }
}

impl Whole {
    fn add(&mut self, mut chunk: Value) {
        // Groq sends the usage in its own field.
        for pointer in ["/usage", "/x_groq/usage"] {
            if let Some(usage) = chunk.pointer_mut(pointer).filter(|usage| usage.is_object()) {
                self.usage = usage.take();
            }
        }
        if let Some(tier) = chunk.get_mut("service_tier").filter(|tier| tier.is_string()) {
            self.service_tier = tier.take();
        }
        if self.model.is_null()
            && let Some(model) = chunk.get_mut("model").filter(|model| model.is_string())
        {
            self.model = model.take();
        }
        let choices = chunk.get("choices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // Only one answer is ever requested.
        let Some(choice) = choices.first().filter(|choice| index(choice).unwrap_or(0) == 0) else { return };
        if let Some(reason) =
            choice.get("finish_reason").and_then(Value::as_str).filter(|word| !word.is_empty())
            // A later finish reason from a gateway does not override that the model was cut off.
            && !self.finish_reason.as_deref().is_some_and(|said| answer::finish(said) == Finish::Length)
        {
            self.finish_reason = Some(reason.to_owned());
        }
        // Gateways that cannot stream send the whole message as a single chunk.
        let Some(delta) = choice.get("delta").or_else(|| choice.get("message")) else { return };
        push_text(&mut self.content, delta.get("content"));
        push_text(&mut self.refusal, delta.get("refusal"));
        for name in THOUGHTS {
            push_text(&mut self.thoughts, delta.get(name));
        }
        if let Some(piece) = delta.get("function_call").filter(|piece| piece.is_object()) {
            self.add_to_call(&json!({"index": 0, "function": piece}));
        }
        for piece in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            self.add_to_call(piece);
        }
    }

    /// Adds a piece of a call. A piece without an index starts a call if it has a new id, and continues the last one if not.
    fn add_to_call(&mut self, piece: &Value) {
        let word = |pointer: &str| piece.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let at = match (index(piece), self.calls.last_key_value()) {
            (Some(index), _) => index,
            (None, None) => 0,
            (None, Some((last, call))) => {
                let is_another = !word("/id").is_empty() && word("/id") != call.id;
                last.saturating_add(u64::from(is_another))
            }
        };
        let call = self.calls.entry(at).or_default();
        // Some servers repeat these two in every piece.
        for (field, word) in [(&mut call.id, word("/id")), (&mut call.name, word("/function/name"))] {
            if field.is_empty() {
                word.clone_into(field);
            }
        }
        if let Some(arguments) = piece.pointer("/function/arguments") {
            call.arguments.push_str(&message::arguments(arguments));
        }
    }

    /// The complete body, if the stream is complete.
    fn body(self) -> Option<Value> {
        // Some gateways drop the finish reason of a complete stream. A stream without any content is not complete.
        let has_content = !(self.content.is_empty() && self.calls.is_empty() && self.refusal.is_empty());
        let finish_reason =
            self.finish_reason.or_else(|| (self.is_ended && has_content).then(String::new))?;
        let call = |Call { id, name, arguments }: Call| {
            let function = json!({"name": name, "arguments": arguments});
            json!({"id": id, "type": "function", "function": function})
        };
        let calls: Vec<_> = self.calls.into_values().map(call).collect();
        let content = Some(self.content).filter(|content| calls.is_empty() || !content.is_empty());
        let message = json!({
            "role": "assistant",
            "content": content,
            "refusal": self.refusal,
            "reasoning_content": self.thoughts,
            "tool_calls": calls,
        });
        let choice = json!({"index": 0, "message": message, "finish_reason": finish_reason});
        Some(
            json!({"model": self.model, "choices": [choice], "usage": self.usage, "service_tier": self.service_tier}),
        )
    }
}

fn index(of: &Value) -> Option<u64> {
    of.get("index").and_then(Value::as_u64)
}

/// Appends a piece of text, or the text of each part in a list, as from Mistral's thinking models.
fn push_text(text: &mut String, piece: Option<&Value>) {
    if let Some(piece) = piece {
        text.push_str(&message::text(piece));
    }
}
