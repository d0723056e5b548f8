//! Decodes a message: its blocks, why it stopped and its usage. A tool's input arrives as an object, and thinking with signatures
//! that the API expects back.

use serde_json::{Value, json};

use crate::provider::called_or_said;
use crate::turn::{Completion, Content, Finish, ToolCall, Usage};

/// Decodes a message; `None` if it is not one.
pub(super) fn read(message: &Value) -> Option<Completion> {
    let has_content = message.get("content").is_some_and(|content| content.is_array() || content.is_string());
    if !has_content && text(message, "/stop_reason").is_none() {
        return None;
    }
    let finish_reason = text(message, "/stop_reason").unwrap_or_default();
    let finish = match finish_reason {
        "max_tokens" | "model_context_window_exceeded" | "stop_sequence" => Finish::Length,
        "pause_turn" => Finish::Paused,
        "" => Finish::Unstated,
        _ => Finish::Stop,
    };
    // Some gateways send just the text, as requests may.
    let only = text(message, "/content").map(|text| json!({"type": "text", "text": text}));
    let answered = only.as_ref().map_or_else(|| blocks(message), std::slice::from_ref);
    Some(Completion {
        content: if finish_reason == "refusal" {
            Content::Refusal(refusal(message))
        } else {
            content(answered)
        },
        finish,
        finish_reason: finish_reason.to_owned(),
        usage: message.get("usage").and_then(usage),
        service_tier: service_tier(message),
        model: text(message, "/model").unwrap_or_default().to_owned(),
        raw_turn: json!({"role": "assistant", "content": replayable(answered)}),
        continuation: (finish == Finish::Paused && !answered.is_empty())
            .then(|| json!({"role": "assistant", "content": answered}).to_string()),
        body: bytes::Bytes::new(),
    })
}

/// The tier that served it. Faster service and a guaranteed region are priced separately, so they are part of it.
fn service_tier(message: &Value) -> Option<String> {
    let speed = text(message, "/usage/speed").filter(|word| *word != "standard");
    let region =
        text(message, "/usage/inference_geo").filter(|word| !["global", "not_available", ""].contains(word));
    let tier = text(message, "/usage/service_tier").filter(|word| *word != "standard");
    let parts: Vec<&str> = [tier, speed, region].into_iter().flatten().collect();
    if parts.is_empty() {
        text(message, "/usage/service_tier").map(str::to_owned)
    } else {
        Some(parts.join("+"))
    }
}

/// Why the model declined, which it may not explain.
fn refusal(message: &Value) -> String {
    let explanation = text(message, "/stop_details/explanation").filter(|words| !words.is_empty());
    match (explanation, text(message, "/stop_details/category")) {
        (Some(explanation), _) => explanation.to_owned(),
        (None, Some(category)) => format!("no explanation, category `{category}`"),
        (None, None) => "no explanation".to_owned(),
    }
}

/// The calls if there are any, else the text of all text blocks, wherever they are; other blocks are skipped.
fn content(blocks: &[Value]) -> Content {
    let of_type = |wanted: &'static str| blocks.iter().filter(move |block| is_of_type(block, wanted));
    let calls: Vec<_> = of_type("tool_use")
        .map(|block| ToolCall {
            name: text(block, "/name").unwrap_or_default().to_owned(),
            arguments: match block.get("input") {
                None | Some(Value::Null) => "{}".to_owned(),
                // Cut off in a stream, or with a duplicate key.
                Some(Value::String(broken)) => broken.clone(),
                Some(input) => input.to_string(),
            },
            came_parsed: !block.get("input").is_some_and(Value::is_string),
        })
        .collect();
    let said = of_type("text").filter_map(|block| text(block, "/text")).collect();
    called_or_said(calls, said, of_type("thinking").filter_map(|block| text(block, "/thinking")).collect())
}

/// The blocks as received, since thinking carries signatures that the API checks, but without those that the API sends and does not
/// accept back: blank texts, inputs that are not objects, and thinking with nothing after it.
fn replayable(blocks: &[Value]) -> Vec<Value> {
    let is_thinking = |block: &Value| is_of_type(block, "thinking") || is_of_type(block, "redacted_thinking");
    let is_blank = |block: &Value| {
        is_of_type(block, "text") && text(block, "/text").is_none_or(|text| text.trim().is_empty())
    };
    let mut kept: Vec<_> = blocks.iter().filter(|block| !is_blank(block)).cloned().collect();
    for block in kept.iter_mut().filter(|block| is_of_type(block, "tool_use")) {
        if let Some(input) = block.get_mut("input").filter(|input| !input.is_object()) {
            // Anthropic's documentation asks to send broken input back under this name.
            *input = json!({"INVALID_JSON": input.take()});
        }
    }
    if kept.iter().all(is_thinking) {
        kept.clear();
    }
    kept
}

/// The usage. Anthropic does not count cached tokens in `input_tokens`, we do.
pub(super) fn usage(wire: &Value) -> Option<Usage> {
    let count = |pointer: &str| wire.pointer(pointer).and_then(Value::as_u64);
    let (input, output) = (count("/input_tokens")?, count("/output_tokens")?);
    let cached_tokens = count("/cache_read_input_tokens").unwrap_or(0);
    let cache_write_tokens = count("/cache_creation_input_tokens").unwrap_or(0);
    let usage = Usage {
        input_tokens: input.checked_add(cached_tokens)?.checked_add(cache_write_tokens)?,
        cached_tokens,
        cache_write_tokens,
        cache_write_long_tokens: count("/cache_creation/ephemeral_1h_input_tokens").unwrap_or(0),
        output_tokens: output,
        reasoning_tokens: count("/output_tokens_details/thinking_tokens").unwrap_or(0),
    };
    usage.plausible()
}

/// Whether the field of this name is the input of a tool.
pub(super) fn is_input(name: &str, _: &Value) -> bool {
    name == "input"
}

/// The blocks of a message.
pub(super) fn blocks(message: &Value) -> &[Value] {
    message.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn is_of_type(block: &Value, wanted: &str) -> bool {
    text(block, "/type") == Some(wanted)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}
