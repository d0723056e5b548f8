//! Any body is answered or rejected in the protocol's own form.

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Call, Service};
use crate::form::GeminiForm;
use crate::gemini::Target;
use crate::options::Counting;
use crate::reply::Reply;
use crate::scenario::Scenario;
use crate::simulation::{Hold, Simulation};
use std::time::Duration;

/// A request of each protocol that uses nearly every field.
fn requests() -> Vec<(Service, Value)> {
    let schema = json!({
        "type": "object", "properties": { "a": { "type": ["string", "null"] }, "b": { "anyOf": [{ "$ref": "#/$defs/n" }] } },
        "required": ["a", "b"], "additionalProperties": false, "$defs": { "n": { "type": "array", "items": { "enum": ["x"] } } },
    });
    let target = Target { model: "gemini-3.8-flash".to_owned(), form: GeminiForm::Array, key: None };
    let pdf = "data:application/pdf;base64,QUJD";
    vec![
        (
            Service::Chat,
            json!({
                "model": "m", "stream": true, "stream_options": { "include_usage": true }, "max_tokens": 50, "reasoning_effort": "low",
                "messages": [
                    { "role": "system", "content": "s" },
                    { "role": "user", "content": [{ "type": "text", "text": "a" }, { "type": "file", "file": { "file_data": pdf } }] },
                    { "role": "assistant", "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
                    { "role": "tool", "tool_call_id": "c", "content": "no" },
                ],
                "tools": [{ "type": "function", "function": { "name": "f", "strict": true, "parameters": schema } }],
                "tool_choice": { "type": "function", "function": { "name": "f" } },
                "response_format": { "type": "json_schema", "json_schema": { "name": "n", "strict": true, "schema": schema } },
            }),
        ),
        (
            Service::Responses,
            json!({
                "model": "m", "instructions": "s", "max_output_tokens": 50, "reasoning": { "effort": "low", "summary": "auto" },
                "input": [
                    { "role": "user", "content": [{ "type": "input_text", "text": "a" }, { "type": "input_file", "file_data": pdf }] },
                    { "type": "reasoning", "id": "r", "summary": [{ "type": "summary_text", "text": "t" }], "encrypted_content": "e" },
                    { "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}" },
                    { "type": "function_call_output", "call_id": "c", "output": "no" },
                ],
                "text": { "format": { "type": "json_schema", "name": "n", "strict": true, "schema": schema } },
                "tools": [{ "type": "function", "name": "f", "parameters": schema, "strict": true }], "tool_choice": "auto",
            }),
        ),
        (
            Service::Messages,
            json!({
                "model": "m", "max_tokens": 50, "system": [{ "type": "text", "text": "s" }], "thinking": { "type": "adaptive" },
                "messages": [
                    { "role": "user", "content": [
                        { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "QUJD" } },
                        { "type": "text", "text": "a" },
                    ] },
                    { "role": "assistant", "content": [{ "type": "tool_use", "id": "c", "name": "f", "input": {} }] },
                    { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "c", "content": "no", "is_error": true }] },
                ],
                "output_config": { "effort": "low", "format": { "type": "json_schema", "schema": schema } },
                "tools": [{ "name": "f", "input_schema": schema, "strict": true }], "tool_choice": { "type": "tool", "name": "f" },
            }),
        ),
        (
            Service::Gemini(target),
            json!({
                "system_instruction": { "parts": [{ "text": "s" }] },
                "contents": [
                    { "role": "user", "parts": [{ "text": "a" }, { "inlineData": { "mimeType": "image/png", "data": "QUJD" } }] },
                    { "role": "model", "parts": [{ "functionCall": { "name": "f", "args": {} }, "thoughtSignature": "skip_thought_signature_validator" }] },
                    { "role": "user", "parts": [{ "functionResponse": { "name": "f", "response": {} } }] },
                ],
                "generationConfig": { "responseMimeType": "application/json", "responseJsonSchema": schema, "thinkingConfig": { "includeThoughts": true } },
                "tools": [{ "functionDeclarations": [{ "name": "f", "parameters": { "type": "OBJECT", "properties": { "a": { "type": "STRING" } } } }] }],
                "toolConfig": { "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": ["f"] } },
            }),
        ),
    ]
}

fn answer(service: &Service, body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    let mut simulation = Simulation::new(Scenario::instant(""), 0, Counting::Off, Duration::ZERO);
    let call = Call { service, headers: &headers, body: body.as_bytes() };
    simulation.play(Duration::ZERO, call, &mut Hold::default())
}

/// A location that every error body of the provider has.
fn error_location(service: &Service) -> &'static str {
    match service {
        Service::Chat | Service::Responses => "/error/type",
        Service::Messages => "/request_id",
        Service::Gemini(_) => "/0/error/status",
    }
}

/// Every location in `value`, as a pointer.
fn locations(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| {
                locations(value, &format!("{at}/{}", name.replace('/', "~1")), found);
            });
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| locations(value, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

#[test]
fn the_requests_are_valid_before_they_are_changed() {
    for (service, body) in requests() {
        let reply = answer(&service, &body.to_string());
        assert_eq!(reply.status, 200, "{service:?}: {}", String::from_utf8_lossy(&reply.body));
    }
}

proptest! {
    #[test]
    fn a_body_with_one_odd_value_is_answered_or_rejected(
        which in 0_usize..4,
        location in any::<prop::sample::Index>(),
        odd in prop::sample::select(vec![json!(null), json!(-1), json!(1e300), json!("x"), json!(""), json!([]), json!({}), json!([{}]), json!({ "type": "text" }), json!({ "$ref": "#" }), json!(true)]),
        cut in any::<prop::sample::Index>(),
    ) {
        let (service, mut body) = requests().swap_remove(which);
        let mut found = Vec::new();
        locations(&body, "", &mut found);
        if let Some(value) = body.pointer_mut(location.get(&found[..]).as_str()) {
            *value = odd;
        }
        let text = body.to_string();
        let broken = text.get(..cut.index(text.len() + 1)).unwrap_or(&text);
        for sent in [text.as_str(), broken] {
            let reply = answer(&service, sent);
            prop_assert!(matches!(reply.status, 200 | 400 | 404), "{}", reply.status);
            if reply.status != 200 {
                let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                prop_assert!(body.pointer(error_location(&service)).is_some(), "{body} to {sent}");
            }
        }
    }
}
