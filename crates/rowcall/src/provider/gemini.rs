//! Google's Gemini: `POST {base}/v1/models/{model}:generateContent`. The system message and the output format are separate fields.
//! This file encodes requests; `answer.rs` decodes responses, and `stream.rs` assembles streamed ones.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Form, Mode, Parameters, Target, body, correction, gemini_error, openai_error, push_field, push_json, sse,
};
use crate::fault::{Fault, FaultKind};
use crate::request::{Request, Response};
use crate::turn::{Attachment, AttachmentContent, Completion, Prompt, Turn};
use answer::parts;

mod answer;
mod stream;

const CONFIG: &str = "generationConfig";

/// The path for a model; the name of a tuned one includes its collection.
pub(super) fn path(model: &str) -> Arc<str> {
    let (collection, name) = match model.split_once('/') {
        Some((collection @ ("models" | "tunedModels"), name)) => (collection, name),
        Some(_) | None => ("models", model),
    };
    let mut path = format!("/v1/{collection}/");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path.push_str(":generateContent");
    path.into()
}

pub(super) fn decode(response: &Response) -> Result<Completion, Fault> {
    if !response.is_success() {
        return Err(gemini_error::classify(response));
    }
    let answer = if sse::is_stream(response) {
        // A chunk that was cut off ends the stream; nothing after it would be complete.
        let chunks =
            sse::events(&response.body).map_while(|event| body::read(&event.data, answer::is_arguments).ok());
        stream::whole(response, chunks)?
    } else {
        let unreadable = |error: &dyn std::fmt::Display| {
            let words = format!("the body is not a Gemini response: {error}");
            openai_error::in_success(response, FaultKind::Server, words)
        };
        let text = str::from_utf8(sse::without_mark(&response.body)).map_err(|error| unreadable(&error))?;
        match body::read(text, answer::is_arguments).map_err(|error| unreadable(&error))? {
            // A stream that was not requested as events is a single array of the same chunks.
            Value::Array(chunks) => stream::whole(response, chunks.into_iter())?,
            answer => answer,
        }
    };
    if answer.get("error").is_some_and(|error| !openai_error::is_empty(error)) {
        return Err(gemini_error::classify(response));
    }
    answer::read(&answer).ok_or_else(|| {
        let words = "the body has no candidates".to_owned();
        openai_error::in_success(response, FaultKind::Server, words)
    })
}

pub(super) fn encode(target: &Target, prompt: &Prompt) -> Request {
    let mut body = Vec::with_capacity(1024);
    body.extend_from_slice(b"{\"contents\":");
    push_json(&mut body, &contents(target, prompt));
    if let Some(text) = target.system(prompt) {
        push_field(&mut body, "systemInstruction", &json!({"parts": [{"text": text}]}));
    }
    if prompt.output_limit.is_none() && prompt.continuation.is_none() {
        body.extend_from_slice(&target.tail);
    } else {
        // The few prompts that follow a cut or paused answer have their own configuration.
        let mut parameters = target.parameters.clone();
        parameters.max_output_tokens = prompt.output_limit.or(parameters.max_output_tokens);
        for (name, value) in all_fields(&target.form, &parameters, prompt.continuation.as_deref()) {
            push_field(&mut body, &name, &value);
        }
    }
    body.push(b'}');
    Request { path: Arc::clone(&target.path), headers: &[], body: body.into() }
}

/// The output limit that is sent, which the user's own configuration may set.
pub(super) fn sent_limit(parameters: &Parameters, prompt: &Prompt) -> Option<u32> {
    let configs = parameters.extra.iter().filter(|(name, _)| camel(name) == CONFIG);
    let fields = configs.filter_map(|(_, config)| config.as_object()).flatten();
    let users =
        fields.filter(|(name, _)| camel(name) == "maxOutputTokens").map(|(_, limit)| limit).next_back();
    match users {
        Some(limit) => limit.as_u64().and_then(|limit| u32::try_from(limit).ok()),
        None => prompt.output_limit.or(parameters.max_output_tokens),
    }
}

fn contents(target: &Target, prompt: &Prompt) -> Vec<Value> {
    let said = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let mut contents = Vec::with_capacity(prompt.turns.len());
    for turn in &prompt.turns {
        match turn {
            // Sent in its own field.
            Turn::System(_) => {}
            Turn::Example(example) => {
                contents.push(said("user", &example.question));
                contents.push(said("model", &target.form.wire.express(&example.value).to_string()));
            }
            Turn::User { text, attachments } => {
                let mut parts: Vec<_> = attachments.iter().map(part).collect();
                if attachments.is_empty() || !text.trim().is_empty() {
                    parts.push(json!({"text": text}));
                }
                contents.push(json!({"role": "user", "parts": parts}));
            }
            Turn::Invalid { raw_turn, violations } => {
                // A turn without parts is rejected; two user turns in a row are not.
                if !parts(raw_turn).is_empty() {
                    contents.push(raw_turn.clone());
                }
                contents.push(reply(raw_turn, &correction(violations, &target.form.wire)));
            }
        }
    }
    contents
}

fn part(attachment: &Attachment) -> Value {
    let media_type = &attachment.media_type;
    match &attachment.content {
        AttachmentContent::Url(url) => json!({"fileData": {"mimeType": media_type, "fileUri": url}}),
        // A path is not a URL; the server's error about it is better than an answer about nothing.
        AttachmentContent::File(path) => {
            json!({"fileData": {"mimeType": media_type, "fileUri": path.display().to_string()}})
        }
        AttachmentContent::Base64(data) => json!({"inlineData": {"mimeType": media_type, "data": &**data}}),
    }
}

/// The body's fields that do not depend on the prompt: the request for the schema and the user's parameters. Extra fields come last
/// and win.
pub(super) fn fields(form: &Form, parameters: &Parameters) -> Map<String, Value> {
    all_fields(form, parameters, None)
}

fn all_fields(form: &Form, parameters: &Parameters, continuation: Option<&str>) -> Map<String, Value> {
    let wire = &form.wire;
    let mut fields = Map::new();
    let mut config = Map::new();
    match form.mode {
        Mode::Schema => {
            config.insert("responseMimeType".to_owned(), json!("application/json"));
            config.insert("responseJsonSchema".to_owned(), wire.schema.clone());
        }
        Mode::Tool => {
            let mut function = Map::new();
            function.insert("name".to_owned(), json!(wire.name));
            if let Some(description) = &wire.description {
                function.insert("description".to_owned(), json!(description));
            }
            function.insert("parametersJsonSchema".to_owned(), wire.schema.clone());
            let calling = json!({"mode": "ANY", "allowedFunctionNames": [wire.name]});
            fields.insert("tools".to_owned(), json!([{"functionDeclarations": [function]}]));
            fields.insert("toolConfig".to_owned(), json!({"functionCallingConfig": calling}));
        }
        Mode::Json => {
            config.insert("responseMimeType".to_owned(), json!("application/json"));
        }
        Mode::Prompt => {}
    }
    if let Some(limit) = parameters.max_output_tokens {
        config.insert("maxOutputTokens".to_owned(), json!(limit));
    }
    if let Some(temperature) = parameters.temperature {
        config.insert("temperature".to_owned(), json!(temperature));
    }
    if let Some(token) = continuation {
        // Outside the configuration, as in Google's official SDK.
        fields.insert("continuationToken".to_owned(), json!(token));
    }
    for (name, value) in &parameters.extra {
        match (camel(name), value) {
            (name, Value::Object(users)) if name == CONFIG => {
                config.extend(users.iter().map(|(name, value)| (camel(name), value.clone())));
            }
            (name, value) => {
                fields.insert(name, value.clone());
            }
        }
    }
    if !config.is_empty() {
        fields.entry(CONFIG).or_insert(Value::Object(config));
    }
    fields
}

/// A field's name in the spelling that we send. Google also accepts `snake_case`, but not both spellings of one field.
fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for (at, step) in name.split('_').enumerate() {
        let mut letters = step.chars();
        match letters.next() {
            Some(first) if at > 0 => {
                camel.push(first.to_ascii_uppercase());
                camel.push_str(letters.as_str());
            }
            Some(_) | None => camel.push_str(step),
        }
    }
    camel
}

/// The user's turn after an invalid answer: a response for each function call, or else text.
fn reply(raw_turn: &Value, text: &str) -> Value {
    let mut replies: Vec<_> = parts(raw_turn)
        .iter()
        .filter_map(|part| part.get("functionCall"))
        .map(|call| {
            let mut response = Map::new();
            // Only some models give their calls an id.
            if let Some(id) = call.get("id") {
                response.insert("id".to_owned(), id.clone());
            }
            response.insert("name".to_owned(), call.get("name").cloned().unwrap_or_default());
            response.insert("response".to_owned(), json!({"error": text}));
            json!({"functionResponse": response})
        })
        .collect();
    if replies.is_empty() {
        replies.push(json!({"text": text}));
    }
    json!({"role": "user", "parts": replies})
}

#[cfg(test)]
mod tests;
