//! Anthropic's Messages: `POST {base}/v1/messages`. The system message is a separate field, and an output limit is required. This
//! file encodes requests; `answer.rs` decodes messages, and `stream.rs` assembles streamed ones.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::offer::SAMPLING;
use super::{
    Form, Mode, Parameters, Target, anthropic_error, body, correction, openai_error, push_field, push_json,
    sse,
};
use crate::fault::{Fault, FaultKind};
use crate::request::{Request, Response};
use crate::turn::{Attachment, AttachmentContent, Completion, Prompt, Turn};
use answer::{blocks, is_of_type};

mod answer;
mod stream;

pub(super) const PATH: &str = "/v1/messages";

/// The newest version of the API. It accepts no sampling parameter, not even at its default value.
static VERSION: [(HeaderName, HeaderValue); 1] = version("2026-10-21");

/// The version of the API under which models that still have sampling parameters accept them.
pub(super) static SAMPLING_VERSION: [(HeaderName, HeaderValue); 1] = version("2023-06-01");

pub(super) const LIMIT_FIELD: &str = "max_tokens";

/// Anthropic requires an output limit, and thinking counts towards it. This one is generous for a record, needs no stream, and even
/// when doubled twice does not exceed the 64,000 tokens of the smallest models with structured output (Claude 4.5).
const DEFAULT_OUTPUT_LIMIT: u32 = 16_000;

/// Answers that may be longer are streamed, since idle connections are closed. The official Python SDK assumes 128,000 tokens an
/// hour and rejects calls without a stream that may take more than ten minutes.
const LONGEST_UNSTREAMED: u64 = 128_000 / 6;

/// The number of bytes, about 1,000 tokens, from which the constant prefix is marked for the prompt cache. Anthropic caches no
/// prefix of less than 512 to 4,096 tokens, depending on the model, and charges 1.25 times the price for writing one.
const CACHEABLE: usize = 4_096;

const fn version(date: &'static str) -> [(HeaderName, HeaderValue); 1] {
    [(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(date))]
}

pub(super) fn decode(response: &Response) -> Result<Completion, Fault> {
    if !response.is_success() {
        return Err(anthropic_error::classify(response));
    }
    let unreadable = |what: String| openai_error::in_success(response, FaultKind::Server, what);
    let message = if sse::is_stream(response) {
        stream::whole(response)?
    } else {
        let text = str::from_utf8(sse::without_mark(&response.body))
            .map_err(|_| unreadable("the body is not a message: it is not UTF-8".to_owned()))?;
        body::read(text, answer::is_input)
            .map_err(|error| unreadable(format!("the body is not a message: {error}")))?
    };
    if message.get("error").is_some_and(|error| !openai_error::is_empty(error)) {
        return Err(anthropic_error::classify(response));
    }
    answer::read(&message)
        .ok_or_else(|| unreadable("the body is not a message: it has no content".to_owned()))
}

pub(super) fn encode(target: &Target, prompt: &Prompt) -> Request {
    let extra = &target.parameters.extra;
    let mut body = Vec::with_capacity(1024);
    body.extend_from_slice(b"{\"model\":");
    push_json(&mut body, &target.model);
    let limit = if let Some(users) = extra.get(LIMIT_FIELD) {
        users.as_u64().unwrap_or(0)
    } else {
        let limit = sent_limit(target, prompt).unwrap_or(DEFAULT_OUTPUT_LIMIT);
        push_field(&mut body, LIMIT_FIELD, &limit);
        u64::from(limit)
    };
    if limit > LONGEST_UNSTREAMED {
        push_field(&mut body, "stream", &true);
    }
    let system = target.system(prompt);
    let mark = mark(target, prompt, system.as_deref());
    match (&system, mark) {
        (None, _) => {}
        (Some(text), Mark::System) => push_field(&mut body, "system", &marked(text)),
        (Some(text), Mark::Nothing | Mark::Example(_)) => push_field(&mut body, "system", text),
    }
    push_field(&mut body, "messages", &messages(target, prompt, mark));
    body.extend_from_slice(&target.tail);
    body.push(b'}');
    let samples =
        target.parameters.temperature.is_some() || SAMPLING.iter().any(|name| extra.contains_key(*name));
    let headers = if samples { &SAMPLING_VERSION } else { &VERSION };
    Request { path: Arc::clone(&target.path), headers, body: body.into() }
}

/// The output limit that is sent; `None` if the user has set one that is not a number.
pub(super) fn sent_limit(target: &Target, prompt: &Prompt) -> Option<u32> {
    let is_set = target.parameters.extra.contains_key(LIMIT_FIELD);
    target.output_limit(prompt, LIMIT_FIELD).or((!is_set).then_some(DEFAULT_OUTPUT_LIMIT))
}

/// The last block of the constant prefix, up to which the prompt is to be cached.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Nothing,
    System,
    /// The answer of the example at this index among the turns.
    Example(usize),
}

fn mark(target: &Target, prompt: &Prompt, system: Option<&str>) -> Mark {
    // Users who set their own marks decide for themselves.
    if target.parameters.extra.contains_key("cache_control") {
        return Mark::Nothing;
    }
    let examples = prompt.turns.iter().enumerate().filter_map(|(at, turn)| match turn {
        Turn::Example(example) => Some((at, example.question.len())),
        Turn::System(_) | Turn::User { .. } | Turn::Invalid { .. } => None,
    });
    let (mut length, mut last) = (system.map_or(0, str::len), Mark::System);
    for (at, question) in examples {
        length += question;
        last = Mark::Example(at);
    }
    if length < CACHEABLE { Mark::Nothing } else { last }
}

/// A text at whose end the cached prefix ends.
fn marked(text: &str) -> Value {
    json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}])
}

fn messages(target: &Target, prompt: &Prompt, mark: Mark) -> Vec<Value> {
    let mut messages = Vec::with_capacity(prompt.turns.len());
    for (at, turn) in prompt.turns.iter().enumerate() {
        match turn {
            // Sent in its own field.
            Turn::System(_) => {}
            Turn::Example(example) => {
                let answer = target.form.wire.express(&example.value).to_string();
                let answer = if mark == Mark::Example(at) { marked(&answer) } else { Value::String(answer) };
                messages.push(json!({"role": "user", "content": example.question}));
                messages.push(json!({"role": "assistant", "content": answer}));
            }
            Turn::User { text, attachments } if attachments.is_empty() => {
                messages.push(json!({"role": "user", "content": text}));
            }
            Turn::User { text, attachments } => {
                let mut blocks: Vec<_> = attachments.iter().map(block).collect();
                // A blank block of text is rejected.
                if !text.trim().is_empty() {
                    blocks.push(json!({"type": "text", "text": text}));
                }
                messages.push(json!({"role": "user", "content": blocks}));
            }
            Turn::Invalid { raw_turn, violations } => {
                // A message without content is rejected; two user messages in a row count as one.
                if !blocks(raw_turn).is_empty() {
                    messages.push(raw_turn.clone());
                }
                messages.push(reply(raw_turn, &correction(violations, &target.form.wire)));
            }
        }
    }
    // A paused turn is resumed by sending it as the last message.
    messages.extend(prompt.continuation.as_deref().and_then(|turn| serde_json::from_str(turn).ok()));
    messages
}

/// The block for an attachment: an image, or else a document.
fn block(attachment: &Attachment) -> Value {
    let media_type = &attachment.media_type;
    let kind = if media_type.starts_with("image/") { "image" } else { "document" };
    let source = match &attachment.content {
        AttachmentContent::Url(url) => json!({"type": "url", "url": url}),
        // A path is not a URL; the server's error about it is better than an answer about nothing.
        AttachmentContent::File(path) => json!({"type": "url", "url": path.display().to_string()}),
        AttachmentContent::Base64(data) => {
            json!({"type": "base64", "media_type": media_type, "data": &**data})
        }
    };
    json!({"type": kind, "source": source})
}

/// The body's fields that do not depend on the prompt: the request for the schema and the user's parameters. Extra fields come last
/// and win.
pub(super) fn fields(form: &Form, parameters: &Parameters) -> Map<String, Value> {
    let wire = &form.wire;
    let asked = match form.mode {
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
            tool.insert("strict".to_owned(), json!(form.is_strict()));
            tool.insert("input_schema".to_owned(), wire.schema.clone());
            let choice = json!({"type": "tool", "name": wire.name, "disable_parallel_tool_use": true});
            vec![("tools", json!([tool])), ("tool_choice", choice)]
        }
        // There is no JSON mode.
        Mode::Json | Mode::Prompt => Vec::new(),
    };
    let temperature = parameters.temperature.map(|temperature| ("temperature", json!(temperature)));
    let mut fields: Map<_, _> =
        asked.into_iter().chain(temperature).map(|(name, value)| (name.to_owned(), value)).collect();
    for (name, value) in &parameters.extra {
        match (fields.get_mut(name), value) {
            // `effort` goes next to the format.
            (Some(Value::Object(ours)), Value::Object(users)) if name == "output_config" => {
                ours.extend(users.clone());
            }
            _ => {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    fields
}

/// The user's turn after an invalid answer: a `tool_result` with an error for each `tool_use`, which must have one, or else text.
fn reply(raw_turn: &Value, text: &str) -> Value {
    let results: Vec<_> = blocks(raw_turn)
        .iter()
        .filter(|block| is_of_type(block, "tool_use"))
        .map(|call| json!({"type": "tool_result", "tool_use_id": call.get("id"), "is_error": true, "content": text}))
        .collect();
    if results.is_empty() {
        return json!({"role": "user", "content": text});
    }
    json!({"role": "user", "content": results})
}

#[cfg(test)]
mod tests;
