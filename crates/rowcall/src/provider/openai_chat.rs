//! OpenAI's Chat Completions and the many more or less compatible servers: `POST {base}/chat/completions`. This file encodes
//! requests; `answer.rs` decodes responses, `message.rs` the message in them, and `stream.rs` assembles streamed ones.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Form, Mode, Parameters, Target, correction, push_field, push_json, sse};
use crate::fault::Fault;
use crate::request::{Request, Response};
use crate::turn::{Attachment, AttachmentContent, Completion, Prompt, Turn};

mod answer;
mod message;
mod stream;

pub(super) const PATH: &str = "/chat/completions";

pub(super) fn decode(response: &Response) -> Result<Completion, Fault> {
    answer::read(&*sse::unstreamed(response, stream::whole)?)
}

pub(super) fn encode(target: &Target, prompt: &Prompt) -> Request {
    let mut body = Vec::with_capacity(1024);
    body.extend_from_slice(b"{\"model\":");
    push_json(&mut body, &target.model);
    body.extend_from_slice(b",\"messages\":[");
    if let Some(text) = target.system(prompt) {
        push_message(&mut body, target.quirks.system_role, &text);
    }
    for turn in &prompt.turns {
        match turn {
            // Already sent as the first message.
            Turn::System(_) => {}
            Turn::Example(example) => {
                let answer = target.form.wire.express(&example.value).to_string();
                push_message(&mut body, "user", &example.question);
                push_message(&mut body, "assistant", &answer);
            }
            Turn::User { text, attachments } if attachments.is_empty() => {
                push_message(&mut body, "user", text);
            }
            Turn::User { text, attachments } => push_message(&mut body, "user", &parts(text, attachments)),
            Turn::Invalid { raw_turn, violations } => {
                push_item(&mut body, raw_turn);
                for reply in replies(raw_turn, &correction(violations, &target.form.wire)) {
                    push_item(&mut body, &reply);
                }
            }
        }
    }
    body.push(b']');
    let limit_field = target.quirks.output_limit_field;
    if let Some(limit) = target.output_limit(prompt, limit_field) {
        push_field(&mut body, limit_field, &limit);
    }
    body.extend_from_slice(&target.tail);
    body.push(b'}');
    Request { path: Arc::clone(&target.path), headers: &[], body: body.into() }
}

/// Appends a message to the list that is being written.
fn push_message(body: &mut Vec<u8>, role: &str, content: &(impl Serialize + ?Sized)) {
    #[derive(Serialize)]
    struct Message<'a, C: ?Sized> {
        role: &'a str,
        content: &'a C,
    }
    push_item(body, &Message { role, content });
}

fn push_item(body: &mut Vec<u8>, item: &impl Serialize) {
    if body.last() != Some(&b'[') {
        body.push(b',');
    }
    push_json(body, item);
}

/// The parts of a message: images as image parts, documents as files, then the text.
fn parts(text: &str, attachments: &[Attachment]) -> Value {
    let part = |attachment: &Attachment| match (is_image(attachment), url(attachment)) {
        (true, url) => json!({"type": "image_url", "image_url": {"url": url}}),
        // OpenAI accepts no URL of a document here, but OpenRouter does.
        (false, url) => json!({"type": "file", "file": {"filename": filename(attachment), "file_data": url}}),
    };
    attachments.iter().map(part).chain([json!({"type": "text", "text": text})]).collect()
}

pub(super) fn is_image(attachment: &Attachment) -> bool {
    attachment.media_type.starts_with("image/")
}

/// The URL of an attachment; for one that is sent inline, a data URL.
pub(super) fn url(attachment: &Attachment) -> String {
    let data = |data: &str| format!("data:{};base64,{data}", attachment.media_type);
    match &attachment.content {
        AttachmentContent::Url(url) => url.clone(),
        AttachmentContent::Base64(base64) => data(base64),
        // A local path must not leave this machine.
        AttachmentContent::File(_) => data(""),
    }
}

/// A file name for a document, which OpenAI requires.
pub(super) fn filename(attachment: &Attachment) -> String {
    let subtype = attachment.media_type.rsplit('/').next().unwrap_or_default();
    format!("document.{subtype}")
}

/// The body's fields that do not depend on the prompt: the request for the schema and the user's parameters. Extra fields come last
/// and win.
pub(super) fn fields(form: &Form, parameters: &Parameters) -> Map<String, Value> {
    let asked = match form.mode {
        Mode::Schema => {
            let schema = described(form, "schema");
            vec![("response_format", json!({"type": "json_schema", "json_schema": schema}))]
        }
        Mode::Tool => vec![
            ("tools", json!([{"type": "function", "function": described(form, "parameters")}])),
            ("tool_choice", json!({"type": "function", "function": {"name": form.wire.name}})),
            ("parallel_tool_calls", json!(false)),
        ],
        Mode::Json => vec![("response_format", json!({"type": "json_object"}))],
        Mode::Prompt => Vec::new(),
    };
    let temperature = parameters.temperature.map(|temperature| ("temperature", json!(temperature)));
    let fields = asked.into_iter().chain(temperature).map(|(name, value)| (name.to_owned(), value));
    fields.chain(parameters.extra.clone()).collect()
}

/// The schema with its name and strictness, as in both of OpenAI's protocols; they differ only in the name of the schema's field.
pub(super) fn described(form: &Form, schema_field: &str) -> Map<String, Value> {
    let wire = &form.wire;
    let description = wire.description.as_ref().map(|description| ("description", json!(description)));
    let fields = [("name", json!(wire.name))].into_iter().chain(description);
    let fields = fields.chain([("strict", json!(form.is_strict())), (schema_field, wire.schema.clone())]);
    fields.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The messages after an invalid answer in a re-ask: a result for each tool call, since OpenAI rejects a call without one, or a
/// user message.
fn replies(raw_turn: &Value, text: &str) -> Vec<Value> {
    let calls = raw_turn.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if calls.is_empty() {
        return vec![json!({"role": "user", "content": text})];
    }
    calls
        .iter()
        .map(|call| json!({"role": "tool", "tool_call_id": call.get("id"), "content": text}))
        .collect()
}

#[cfg(test)]
pub(super) mod tests;
