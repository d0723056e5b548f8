//! Decodes a response of OpenAI's Responses: the items of its output become text, calls or a refusal, and the turn to replay in a
//! re-ask.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{called_or_said, openai_error, sse};
use super::assistant;
use crate::fault::{Fault, FaultKind};
use crate::request::Response;
use crate::turn::{Completion, Content, Finish, ToolCall, Usage};

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    output: Option<Vec<Value>>,
    #[serde(default)]
    incomplete_details: Value,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    service_tier: Value,
    #[serde(default)]
    error: Value,
}

/// Decodes a response that is not a stream.
pub(super) fn read(response: &Response) -> Result<Completion, Fault> {
    if !response.is_success() {
        return openai_error::judge(response);
    }
    let unreadable = |what: String| openai_error::in_success(response, FaultKind::Server, what);
    let envelope: Envelope = serde_json::from_slice(sse::without_mark(&response.body))
        .map_err(|error| unreadable(format!("the body is not a response: {error}")))?;
    if !openai_error::is_empty(&envelope.error) {
        return openai_error::judge(response);
    }
    let status = envelope.status.as_deref().unwrap_or_default();
    if let Some((kind, words)) = unanswered(status) {
        return Err(openai_error::in_success(response, kind, words));
    }
    let Some(items) = envelope.output else {
        return Err(openai_error::unwrapped(response)
            .unwrap_or_else(|| unreadable("the body has no output".to_owned())));
    };
    let reason = envelope.incomplete_details.get("reason").and_then(Value::as_str);
    let is_cut = status != "completed" || items.iter().any(|item| word(item, "status") == "incomplete");
    let finish_reason = match (reason.filter(|_| is_cut), is_cut) {
        (Some(reason), _) => reason,
        (None, true) if status == "completed" => "incomplete",
        (None, _) => status,
    };
    Ok(Completion {
        content: content(&items),
        finish: match finish_reason {
            "completed" => Finish::Stop,
            "" => Finish::Unstated,
            "content_filter" => Finish::ContentFilter,
            // An answer that is incomplete for any other reason must not be repaired by guessing, either.
            _ => Finish::Length,
        },
        finish_reason: finish_reason.to_owned(),
        usage: usage(&envelope.usage),
        service_tier: envelope.service_tier.as_str().map(str::to_owned),
        model: envelope.model.unwrap_or_default(),
        raw_turn: items.iter().filter_map(replayable).collect(),
        continuation: None,
        body: bytes::Bytes::new(),
    })
}

/// The fault for a status without an answer, if it is one. If one response has to be fetched later, so would every other response of
/// the run.
fn unanswered(status: &str) -> Option<(FaultKind, String)> {
    match status {
        "queued" | "in_progress" => {
            let words = format!(
                "the response is `{status}` and must be fetched later, expected an answer (was `background` set?)"
            );
            Some((FaultKind::UnsupportedParameter, words))
        }
        "failed" => Some((FaultKind::Server, "the response failed without a reason".to_owned())),
        "cancelled" => Some((FaultKind::Server, "the response was cancelled".to_owned())),
        _ => None,
    }
}

/// The content: a refusal takes precedence over calls, and calls over text.
fn content(items: &[Value]) -> Content {
    let refusal = joined(items, "refusal", "refusal");
    if !refusal.is_empty() {
        return Content::Refusal(refusal);
    }
    let calls: Vec<_> = of_type(items, "function_call").map(call).collect();
    called_or_said(calls, joined(items, "output_text", "text"), thoughts(items))
}

/// The reasoning as text: the summary, or the reasoning itself where the server shows it.
fn thoughts(items: &[Value]) -> String {
    let parts = of_type(items, "reasoning")
        .flat_map(|item| ["summary", "content"].map(|name| item.get(name).and_then(Value::as_array)));
    parts.flatten().flatten().map(|part| word(part, "text")).collect()
}

fn call(item: &Value) -> ToolCall {
    ToolCall {
        name: word(item, "name").to_owned(),
        arguments: word(item, "arguments").to_owned(),
        came_parsed: false,
    }
}

/// The parts of one type in all messages, concatenated; if messages have phases, only those of the final answer count.
fn joined(items: &[Value], part: &'static str, field: &str) -> String {
    let is_final = |item: &Value| word(item, "phase") == "final_answer";
    let has_final = of_type(items, "message").any(is_final);
    let messages = of_type(items, "message").filter(|item| !has_final || is_final(item));
    let said = messages.map(|item| match item.get("content") {
        // Some gateways send just the text, as requests may.
        Some(Value::String(text)) if part == "output_text" => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter(|found| word(found, "type") == part).map(|found| word(found, field)).collect()
        }
        _ => String::new(),
    });
    said.collect()
}

fn of_type<'a>(items: &'a [Value], kind: &'static str) -> impl Iterator<Item = &'a Value> {
    items.iter().filter(move |item| word(item, "type") == kind)
}

fn word<'a>(of: &'a Value, field: &str) -> &'a str {
    of.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// An item to replay in a re-ask, if the server accepts it: without its id, since it was not stored. Only reasoning needs its id, and
/// is replayed only if the item contains all of it, encrypted.
fn replayable(item: &Value) -> Option<Value> {
    let of = |names: &[&str]| -> Map<String, Value> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone()))).collect()
    };
    match word(item, "type") {
        "message" => {
            let mut message = assistant(&joined(std::slice::from_ref(item), "output_text", "text"));
            // Models with phases lose track without them.
            if let (Some(phase), Some(fields)) = (item.get("phase"), message.as_object_mut()) {
                fields.insert("phase".to_owned(), phase.clone());
            }
            Some(message)
        }
        "function_call" => Some(Value::Object(of(&["type", "call_id", "name", "arguments"]))),
        "reasoning" if item.get("encrypted_content").is_some_and(Value::is_string) => {
            let mut reasoning = of(&["type", "id", "encrypted_content"]);
            reasoning.insert("summary".to_owned(), item.get("summary").cloned().unwrap_or(json!([])));
            Some(Value::Object(reasoning))
        }
        _ => None,
    }
}

fn usage(wire: &Value) -> Option<Usage> {
    let tokens = |pointer: &str| wire.pointer(pointer).and_then(Value::as_u64);
    let (input, output) = (tokens("/input_tokens")?, tokens("/output_tokens")?);
    let sum = input.checked_add(output)?;
    if tokens("/total_tokens").is_some_and(|total| total != sum) {
        return None;
    }
    let usage = Usage {
        input_tokens: input,
        cached_tokens: tokens("/input_tokens_details/cached_tokens").unwrap_or(0),
        cache_write_tokens: tokens("/input_tokens_details/cache_write_tokens").unwrap_or(0),
        cache_write_long_tokens: tokens("/input_tokens_details/cache_write_tokens_details/ttl_12h_tokens")
            .unwrap_or(0),
        output_tokens: output,
        reasoning_tokens: tokens("/output_tokens_details/reasoning_tokens").unwrap_or(0),
    };
    usage.plausible()
}
