//! Anthropic's Messages: `POST {base}/v1/messages`. The system part is a field of its own, an output limit is required, and a
//! tool's input comes back as an object.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Mode, Target, correction, openai_error, push_field, push_json};
use crate::fault::{Fault, FaultKind};
use crate::request::{Request, Response};
use crate::schema::WireSchema;
use crate::turn::{Completion, Content, Finish, Prompt, ToolCall, Turn, Usage};
use crate::violation::Violation;

/// The API version; under the newer `2026-10-21` any sampling parameter is refused, under this one only the newest models
/// refuse it.
pub(super) const VERSION: &str = "2023-06-01";

const PATH: &str = "/v1/messages";

const LIMIT_FIELD: &str = "max_tokens";

/// Anthropic requires an output limit; thinking counts towards it, so it is generous for a record.
const DEFAULT_OUTPUT_LIMIT: u32 = 8192;

pub(super) fn encode(target: &Target, prompt: &Prompt) -> Request {
    let mut body = Vec::with_capacity(1024);
    body.extend_from_slice(b"{\"model\":");
    push_json(&mut body, &target.model);
    if !target.parameters.extra.contains_key(LIMIT_FIELD) {
        let limit = target.output_limit(prompt, LIMIT_FIELD).unwrap_or(DEFAULT_OUTPUT_LIMIT);
        push_field(&mut body, LIMIT_FIELD, &limit);
    }
    let mut messages = Vec::with_capacity(prompt.turns.len());
    for turn in &prompt.turns {
        match turn {
            Turn::System(text) => push_field(&mut body, "system", &**text),
            Turn::User(text) => messages.push(json!({"role": "user", "content": text})),
            Turn::Invalid { raw_turn, violations } => {
                messages.push(raw_turn.clone());
                messages.push(reply(raw_turn, violations));
            }
        }
    }
    push_field(&mut body, "messages", &messages);
    body.extend_from_slice(&target.tail);
    body.push(b'}');
    Request { path: PATH, body: body.into() }
}

/// The body's fields that say how the schema is asked for.
pub(super) fn fields(mode: Mode, wire: &WireSchema) -> Map<String, Value> {
    let fields = match mode {
        Mode::Schema => {
            let format = json!({"type": "json_schema", "schema": wire.schema});
            vec![("output_config", json!({"format": format}))]
        }
        Mode::Tool => {
            let mut tool = Map::new();
            tool.insert("name".to_owned(), json!(wire.name));
            if let Some(description) = &wire.description {
                tool.insert("description".to_owned(), json!(description));
            }
            tool.insert("strict".to_owned(), json!(true));
            tool.insert("input_schema".to_owned(), wire.schema.clone());
            let choice = json!({"type": "tool", "name": wire.name, "disable_parallel_tool_use": true});
            vec![("tools", json!([tool])), ("tool_choice", choice)]
        }
    };
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The user's turn after an invalid answer: each `tool_use` must be met by a `tool_result`, here one that is an error;
/// text is met by text.
fn reply(raw_turn: &Value, violations: &[Violation]) -> Value {
    let text = correction(violations);
    let blocks = raw_turn.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let results: Vec<_> = blocks
        .iter()
        .filter(|block| block.get("type").is_some_and(|kind| kind == "tool_use"))
        .map(|call| json!({"type": "tool_result", "tool_use_id": call.get("id"), "is_error": true, "content": text}))
        .collect();
    if results.is_empty() {
        return json!({"role": "user", "content": text});
    }
    json!({"role": "user", "content": results})
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Vec<Value>,
    #[serde(default)]
    model: String,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    stop_details: Option<StopDetails>,
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct StopDetails {
    #[serde(default)]
    explanation: Option<String>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: u64,
}

pub(super) fn decode(response: &Response) -> Result<Completion, Fault> {
    if !response.is_success() {
        return Err(openai_error::classify(response));
    }
    let message: Message = serde_json::from_slice(&response.body).map_err(|error| {
        openai_error::in_success(response, FaultKind::Server, format!("the body is not a message: {error}"))
    })?;
    let finish_reason = message.stop_reason.unwrap_or_default();
    let content = match finish_reason.as_str() {
        "refusal" => Content::Refusal(
            message
                .stop_details
                .and_then(|details| details.explanation)
                .unwrap_or_else(|| "no explanation".to_owned()),
        ),
        _ => content(&message.content),
    };
    Ok(Completion {
        content,
        finish: match finish_reason.as_str() {
            "max_tokens" | "model_context_window_exceeded" | "stop_sequence" => Finish::Length,
            _ => Finish::Stop,
        },
        finish_reason,
        usage: message.usage.map(usage),
        model: message.model,
        // Thinking blocks carry signatures that the API checks, so the blocks go back as they came.
        raw_turn: json!({"role": "assistant", "content": message.content}),
    })
}

/// The calls if there are any, else the text of all text blocks, which need not come first; other blocks are skipped.
fn content(blocks: &[Value]) -> Content {
    let of_type = |wanted: &'static str| {
        blocks.iter().filter(move |block| block.get("type").and_then(Value::as_str) == Some(wanted))
    };
    let calls: Vec<_> = of_type("tool_use")
        .map(|block| ToolCall {
            name: block.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            arguments: block.get("input").map(Value::to_string).unwrap_or_default(),
        })
        .collect();
    if !calls.is_empty() {
        return Content::Calls(calls);
    }
    Content::Text(of_type("text").filter_map(|block| block.get("text").and_then(Value::as_str)).collect())
}

/// Anthropic counts cached tokens beside `input_tokens`, we count them within.
fn usage(wire: WireUsage) -> Usage {
    let cached_tokens = wire.cache_read_input_tokens.unwrap_or(0);
    let cache_write_tokens = wire.cache_creation_input_tokens.unwrap_or(0);
    Usage {
        input_tokens: wire.input_tokens + cached_tokens + cache_write_tokens,
        cached_tokens,
        cache_write_tokens,
        output_tokens: wire.output_tokens,
        reasoning_tokens: wire.output_tokens_details.map_or(0, |details| details.thinking_tokens),
    }
}
