//! Which Messages requests are rejected and how, and what is read from the others.

use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};

use super::{count, decode};
use crate::ask::wanted::{Forced, Tool, Wanted};
use crate::ask::{Ask, Thinking};
use crate::rules::Rules;
use crate::scenario::Scenario;

const NEW: &str = "2026-10-21";
const OLD: &str = "2023-06-01";

fn decoded_under(version: &str, body: &Value) -> Result<Ask, String> {
    let mut headers = HeaderMap::new();
    if !version.is_empty() {
        headers.insert("anthropic-version", HeaderValue::from_str(version).unwrap());
    }
    let scenario = Scenario::instant("");
    decode(&headers, body.to_string().as_bytes(), Rules::of(&scenario)).map_err(|invalid| invalid.message)
}

fn decoded(body: &Value) -> Result<Ask, String> {
    decoded_under(NEW, body)
}

fn with(fields: Value) -> Value {
    let mut body = json!({ "model": "claude-haiku-5-5", "max_tokens": 100, "messages": [{ "role": "user", "content": "Ann Lee is 30." }] });
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

fn person() -> Value {
    json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"], "additionalProperties": false })
}

fn format(schema: &Value) -> Value {
    with(json!({ "output_config": { "format": { "type": "json_schema", "schema": schema } } }))
}

fn tool(choice: &Value) -> Value {
    with(
        json!({ "tools": [{ "name": "record", "input_schema": person(), "strict": true }], "tool_choice": choice }),
    )
}

fn messages(messages: &[Value]) -> Value {
    with(json!({ "messages": messages }))
}

fn said(role: &str, blocks: &Value) -> Value {
    json!({ "role": role, "content": blocks })
}

#[test]
fn problems_with_a_request_are_reported() {
    let user = said("user", &json!("x"));
    let call =
        said("assistant", &json!([{ "type": "tool_use", "id": "toolu_1", "name": "record", "input": {} }]));
    let result = said("user", &json!([{ "type": "tool_result", "tool_use_id": "toolu_1" }]));
    let image = |source: Value| messages(&[said("user", &json!([{ "type": "image", "source": source }]))]);
    let cases = [
        (json!({ "model": "m", "messages": [] }), "max_tokens: Field required"),
        (with(json!({ "max_tokens": "9" })), "max_tokens: Input should be a valid integer"),
        (with(json!({ "max_tokens": -1 })), "max_tokens: Input should be greater than or equal to 0"),
        (with(json!({ "response_format": {} })), "response_format: Extra inputs are not permitted"),
        (with(json!({ "temperature": 1.0 })), "temperature: Extra inputs are not permitted"),
        (with(json!({ "system": null })), "system: Input should be a valid list"),
        (with(json!({ "service_tier": "gold" })), "service_tier: Input should be 'auto' or 'standard_only'"),
        (messages(&[]), "messages: at least one message is required"),
        (
            messages(&[said("boss", &json!("x"))]),
            "messages.0.role: Input should be 'user', 'assistant' or 'system'",
        ),
        (messages(&[said("assistant", &json!("x"))]), "messages: first message must use the \"user\" role"),
        (
            messages(&[user.clone(), said("assistant", &json!("{"))]),
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ),
        (
            messages(&[user.clone(), said("assistant", &json!([])), user.clone()]),
            "messages.1: all messages must have non-empty content except for the optional final assistant message",
        ),
        (
            messages(&[said("user", &json!([{ "type": "text", "text": " " }]))]),
            "messages: text content blocks must contain non-whitespace text",
        ),
        (
            messages(&[said("user", &json!([{ "type": "song" }]))]),
            "messages.0.content.0.type: Input should be 'text', 'image', 'document', 'tool_use', 'tool_result', 'thinking' or 'redacted_thinking'",
        ),
        (
            image(json!({ "type": "base64", "media_type": "image/bmp", "data": "QQ==" })),
            "messages.0.content.0.source.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
        ),
        (
            image(json!({ "type": "base64", "media_type": "image/png", "data": "?" })),
            "messages.0.content.0.source.data: Input should be valid base64",
        ),
        (
            image(json!({ "type": "url", "url": "a.png" })),
            "messages.0.content.0.source.url: Input should be a valid URL",
        ),
        (
            messages(&[user.clone(), call.clone(), user.clone()]),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        ),
        (
            messages(&[user.clone(), result.clone()]),
            "messages.1.content: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
        ),
        (
            messages(&[said("user", &json!([{ "type": "thinking", "thinking": "", "signature": "" }]))]),
            "messages.0.content.0: `thinking` blocks can only be in `assistant` messages",
        ),
        (
            messages(&[
                user.clone(),
                said("assistant", &json!([{ "type": "thinking", "thinking": "a", "signature": "EqQB" }])),
                user.clone(),
            ]),
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
        (
            with(json!({ "max_tokens": 1024, "thinking": { "type": "enabled", "budget_tokens": 1024 } })),
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            with(json!({ "thinking": { "type": "enabled", "budget_tokens": 1000 } })),
            "thinking.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            with(json!({ "model": "claude-opus-5-5", "thinking": { "type": "disabled" } })),
            "thinking.type: `disabled` is not supported on this model.",
        ),
        (
            with(
                json!({ "max_tokens": 2000, "thinking": { "type": "enabled", "budget_tokens": 1024 }, "messages": [user, call, result] }),
            ),
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
        ),
        (
            format(&json!({ "type": "object", "properties": {} })),
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
        ),
        (
            with(json!({
                "output_config": { "format": { "type": "json_schema", "schema": person() } },
                "messages": [{ "role": "user", "content": [{ "type": "document", "source": { "type": "url", "url": "https://a" }, "citations": { "enabled": true } }] }],
            })),
            "output_config.format: citations cannot be enabled together with a format",
        ),
        (
            with(json!({ "tool_choice": { "type": "any" } })),
            "tool_choice: may only be specified while providing `tools`.",
        ),
        (
            tool(&json!({ "type": "tool", "name": "other" })),
            "tool_choice.name: Tool 'other' not found in provided tools",
        ),
        (tool(&json!({ "type": "tool" })), "tool_choice.name: Field required"),
        (
            with(json!({ "tools": [{ "name": "a", "input_schema": {} }] })),
            "tools.0.custom.input_schema.type: Field required",
        ),
        (
            with(json!({ "tools": [{ "name": "a b", "input_schema": person() }] })),
            "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        ),
        (
            with(
                json!({ "tools": [{ "name": "a", "input_schema": person() }, { "name": "a", "input_schema": person() }] }),
            ),
            "tools: Tool names must be unique.",
        ),
        (
            with(
                json!({ "tools": [{ "name": "a", "strict": true, "input_schema": { "type": "object", "minProperties": 1 } }] }),
            ),
            "tools.0.custom.input_schema: For 'object' type, property 'minProperties' is not supported",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(decoded(&body).unwrap_err(), message, "{body}");
    }
}

#[test]
fn strict_tools_and_a_format_are_limited_together() {
    let wide = |count: usize| {
        let properties: Map<_, _> = (0..count).map(|n| (n.to_string(), json!({ "type": "null" }))).collect();
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    };
    let request = |strict: bool, tools: [usize; 2], format: usize| {
        let tool =
            |(n, count)| json!({ "name": format!("t{n}"), "strict": strict, "input_schema": wide(count) });
        with(json!({
            "tools": tools.into_iter().enumerate().map(tool).collect::<Vec<_>>(),
            "output_config": { "format": { "type": "json_schema", "schema": wide(format) } },
        }))
    };
    let refused = |path: &str| {
        Some(format!(
            "{path}: Schemas contain too many optional parameters (25), which would make grammar compilation inefficient (limit: 24)"
        ))
    };
    for (strict, tools, format, expected) in [
        (true, [8, 8], 8, None),
        (true, [8, 8], 9, refused("output_config.format.schema")),
        (true, [12, 13], 0, refused("tools.1.custom.input_schema")),
        (false, [24, 24], 24, None),
        (false, [0, 0], 25, refused("output_config.format.schema")),
    ] {
        assert_eq!(decoded(&request(strict, tools, format)).err(), expected, "{strict} {tools:?} {format}");
    }
}

#[test]
fn the_version_and_the_model_decide_about_sampling_and_forced_tools() {
    let hot = |model: &str| with(json!({ "model": model, "temperature": 0.5, "top_k": 3 }));
    assert!(decoded_under(OLD, &hot("claude-haiku-4-5")).is_ok());
    let refused = "temperature: Extra inputs are not permitted";
    assert_eq!(decoded_under(NEW, &hot("claude-haiku-4-5")).unwrap_err(), refused);
    for newest in ["claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-1", "claude-mythos-5-1"] {
        assert_eq!(decoded_under(OLD, &hot(newest)).unwrap_err(), refused);
        for kind in ["any", "tool"] {
            let mut forced = tool(&json!({ "type": kind, "name": "record" }));
            if kind == "any" {
                forced["tool_choice"] = json!({ "type": "any" });
            }
            forced["model"] = json!(newest);
            let refused = decoded(&forced).unwrap_err();
            assert_eq!(
                refused,
                format!(
                    "tool_choice.type: `{kind}` is not supported on this model. Use `auto`, or `output_config.format`."
                )
            );
        }
    }
    assert_eq!(decoded_under("", &with(json!({}))).unwrap_err(), "anthropic-version: header is required");
    assert_eq!(
        decoded_under("2024-01-01", &with(json!({}))).unwrap_err(),
        "anthropic-version: \"2024-01-01\" is not a valid version"
    );
}

#[test]
fn a_schema_comes_from_the_format_or_a_tool() {
    let wanted = |body: &Value| decoded(body).unwrap().wanted;
    assert!(matches!(wanted(&format(&person())), Wanted::Schema(schema) if schema == person()));
    for (choice, expected) in [
        (json!({ "type": "tool", "name": "record", "disable_parallel_tool_use": true }), Forced::Named),
        (json!({ "type": "any" }), Forced::Any),
        (json!({ "type": "auto" }), Forced::Free),
    ] {
        let wanted = wanted(&tool(&choice));
        assert!(matches!(wanted, Wanted::Tool(Tool { forced, .. }) if forced == expected), "{choice}");
    }
    assert!(matches!(wanted(&tool(&json!({ "type": "none" }))), Wanted::Text));
    let prompt = with(json!({ "system": [{ "type": "text", "text": format!("JSON by {}", person()) }] }));
    assert!(matches!(wanted(&prompt), Wanted::Object { in_prompt: Some(schema) } if schema == person()));
}

#[test]
fn results_of_tools_and_documents_are_not_user_text() {
    let call = said(
        "assistant",
        &json!([{ "type": "tool_use", "id": "toolu_1", "name": "record", "input": { "name": "Ann" } }]),
    );
    let result =
        json!({ "type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": "too short" });
    let mut body = tool(&json!({ "type": "tool", "name": "record" }));
    body["messages"] = json!([said("user", &json!("Ann")), call, said("user", &json!([result]))]);
    let ask = decoded(&body).unwrap();
    assert_eq!((ask.row.text.as_str(), ask.re_ask), ("Ann", true));

    let next = json!({ "type": "text", "text": "Bob" });
    body["messages"][2] = said("user", &json!([result, next]));
    let ask = decoded(&body).unwrap();
    assert_eq!((ask.row.text.as_str(), ask.re_ask), ("Bob", false), "the call before was an example");

    let pdf = json!({ "type": "document", "source": { "type": "base64", "media_type": "application/pdf", "data": "QUJD" } });
    let ask = decoded(&messages(&[said("user", &json!([pdf, next]))])).unwrap();
    assert_eq!((ask.row.text.as_str(), ask.prompt_tokens), ("Bob", 259));
    assert_ne!(ask.row.attached, 0);
}

#[test]
fn thinking_depends_on_the_model_and_the_request() {
    let thinking = |model: &str, config: Value| {
        let mut body = with(json!({ "model": model, "max_tokens": 3_000 }));
        if !config.is_null() {
            body["thinking"] = config;
        }
        decoded(&body).unwrap().thinking
    };
    let cases = [
        ("claude-haiku-5-5", Value::Null, Thinking::Off),
        ("claude-haiku-5-5", json!({ "type": "disabled" }), Thinking::Off),
        ("claude-haiku-5-5", json!({ "type": "adaptive" }), Thinking::Shown),
        (
            "claude-haiku-5-5",
            json!({ "type": "enabled", "budget_tokens": 1024, "display": "omitted" }),
            Thinking::Hidden,
        ),
        ("claude-opus-5-5", Value::Null, Thinking::Hidden),
        ("claude-opus-5-5", json!({ "type": "adaptive", "display": "summarized" }), Thinking::Shown),
    ];
    for (model, config, expected) in cases {
        assert_eq!(thinking(model, config.clone()), expected, "{model} {config}");
    }
}

#[test]
fn tokens_are_counted_without_a_limit() {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static(NEW));
    let scenario = Scenario::instant("");
    let counted = |body: &Value| {
        let counted = count(&headers, body.to_string().as_bytes(), Rules::of(&scenario));
        counted.map(|written| String::from_utf8_lossy(&written.reply().body).into_owned())
    };
    let mut body = with(json!({ "system": "Be brief." }));
    assert_eq!(counted(&body).unwrap_err().message, "max_tokens: Extra inputs are not permitted");
    body.as_object_mut().unwrap().remove("max_tokens");
    assert_eq!(counted(&body).unwrap(), "{\"input_tokens\":6}");
}

#[test]
fn any_number_of_tokens_may_be_requested() {
    assert_eq!(decoded(&with(json!({ "max_tokens": 64_000 }))).unwrap().most_tokens, Some(64_000));
    assert_eq!(decoded(&with(json!({ "max_tokens": 0 }))).unwrap().most_tokens, Some(0));
}
