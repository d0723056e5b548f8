//! OpenAI's Responses: `POST {base}/responses`. This file encodes requests; `answer.rs` decodes responses, `stream.rs` streamed
//! ones.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::openai_chat::{described, filename, is_image, url};
use super::{Form, Mode, Parameters, Target, correction, push_field, push_json, sse};
use crate::fault::Fault;
use crate::request::{Request, Response};
use crate::turn::{Attachment, AttachmentContent, Completion, Prompt, Turn};

mod answer;
mod stream;

pub(super) const PATH: &str = "/responses";

pub(super) const LIMIT_FIELD: &str = "max_output_tokens";

pub(super) fn decode(response: &Response) -> Result<Completion, Fault> {
    answer::read(&*sse::unstreamed(response, stream::whole)?)
}

pub(super) fn encode(target: &Target, prompt: &Prompt) -> Request {
    let mut body = Vec::with_capacity(1024);
    body.extend_from_slice(b"{\"model\":");
    push_json(&mut body, &target.model);
    let system = target.system(prompt);
    // In JSON mode, OpenAI requires the word JSON in the input and does not look for it in the instructions.
    let (instructions, message) = match target.form.mode {
        Mode::Json => (None, system),
        Mode::Schema | Mode::Tool | Mode::Prompt => (system, None),
    };
    if let Some(text) = instructions {
        push_field(&mut body, "instructions", &text);
    }
    let mut turns = prompt.turns.iter().filter(|turn| !matches!(turn, Turn::System(_)));
    match (message, turns.next(), turns.next()) {
        (None, Some(Turn::User { text, attachments }), None) if attachments.is_empty() => {
            push_field(&mut body, "input", text);
        }
        (message, _, _) => {
            let system = message.map(|text| json!({"role": target.quirks.system_role, "content": text}));
            let items: Vec<_> = system.into_iter().chain(items(target, &prompt.turns)).collect();
            push_field(&mut body, "input", &items);
        }
    }
    if let Some(limit) = target.output_limit(prompt, LIMIT_FIELD) {
        push_field(&mut body, LIMIT_FIELD, &limit);
    }
    body.extend_from_slice(&target.tail);
    body.push(b'}');
    Request { path: Arc::clone(&target.path), headers: &[], body: body.into() }
}

/// The items of the input, without the system message.
fn items(target: &Target, turns: &[Turn]) -> Vec<Value> {
    let mut items = Vec::new();
    for turn in turns {
        match turn {
            Turn::System(_) => {}
            Turn::Example(example) => {
                items.push(user(&example.question));
                items.push(assistant(&target.form.wire.express(&example.value).to_string()));
            }
            Turn::User { text, attachments } if attachments.is_empty() => items.push(user(text)),
            Turn::User { text, attachments } => items.push(user(&parts(text, attachments))),
            Turn::Invalid { raw_turn, violations } => {
                let said = match raw_turn {
                    Value::Array(items) => items.as_slice(),
                    item => std::slice::from_ref(item),
                };
                items.extend_from_slice(said);
                items.extend(replies(said, &correction(violations, &target.form.wire)));
            }
        }
    }
    items
}

fn user(content: &(impl Serialize + ?Sized)) -> Value {
    json!({"role": "user", "content": content})
}

/// An assistant message as an item of the input: an item of the output would need an id, and the server stores none (`store`).
fn assistant(text: &str) -> Value {
    json!({"type": "message", "role": "assistant", "content": text})
}

fn parts(text: &str, attachments: &[Attachment]) -> Vec<Value> {
    let part = |attachment: &Attachment| match (is_image(attachment), &attachment.content) {
        (true, _) => json!({"type": "input_image", "image_url": url(attachment), "detail": "auto"}),
        (false, AttachmentContent::Url(url)) => json!({"type": "input_file", "file_url": url}),
        (false, AttachmentContent::Base64(_) | AttachmentContent::File(_)) => {
            json!({"type": "input_file", "filename": filename(attachment), "file_data": url(attachment)})
        }
    };
    attachments.iter().map(part).chain([json!({"type": "input_text", "text": text})]).collect()
}

/// The items after an invalid answer in a re-ask: an output for each call, since OpenAI rejects a call without one, or a user message.
fn replies(said: &[Value], text: &str) -> Vec<Value> {
    let call_ids = said.iter().filter(|item| item.get("type").is_some_and(|kind| kind == "function_call"));
    let outputs: Vec<_> = call_ids
        .map(|call| json!({"type": "function_call_output", "call_id": call.get("call_id"), "output": text}))
        .collect();
    if outputs.is_empty() { vec![user(text)] } else { outputs }
}

/// The body's fields that do not depend on the prompt: the request for the schema and the user's parameters. Extra fields come last
/// and win, except that `text` is merged with the format in it.
pub(super) fn fields(form: &Form, parameters: &Parameters) -> Map<String, Value> {
    let typed = |kind: &str, mut fields: Map<String, Value>| {
        fields.shift_insert(0, "type".to_owned(), json!(kind));
        Value::Object(fields)
    };
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    match form.mode {
        Mode::Schema => {
            set("text", json!({"format": typed("json_schema", described(form, "schema"))}));
        }
        Mode::Tool => {
            set("tools", json!([typed("function", described(form, "parameters"))]));
            set("tool_choice", json!({"type": "function", "name": form.wire.name}));
            set("parallel_tool_calls", json!(false));
        }
        Mode::Json => {
            set("text", json!({"format": {"type": "json_object"}}));
        }
        Mode::Prompt => {}
    }
    // By default, OpenAI stores every response for 30 days.
    set("store", json!(false));
    if reasons(parameters) {
        // A re-ask can replay the model's reasoning only in this form. Models that do not reason reject the field.
        set("include", json!(["reasoning.encrypted_content"]));
    }
    if let Some(temperature) = parameters.temperature {
        set("temperature", json!(temperature));
    }
    for (name, value) in &parameters.extra {
        match (fields.get_mut(name), value) {
            (Some(Value::Object(ours)), Value::Object(users)) if name == "text" => ours.extend(users.clone()),
            (Some(_) | None, _) => {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    fields
}

/// Whether the user asks the model to reason.
fn reasons(parameters: &Parameters) -> bool {
    parameters.extra.get("reasoning").is_some_and(|reasoning| {
        reasoning.is_object() && reasoning.get("effort").is_none_or(|effort| effort != "none")
    })
}

#[cfg(test)]
mod tests;
